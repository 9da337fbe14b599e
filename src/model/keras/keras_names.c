/* SPDX-License-Identifier: Apache-2.0
 *
 * Sources: Keras 1.2.2 and 3.15 keras/layers/, Keras 2.2.4 keras/legacy/interfaces.py (what Keras
 * 1 called it), TensorFlow 1.13 to 2.15 tensorflow/python/keras/layers/.
 */
#include "model/keras/keras_builder.h"

#include <string.h>

#include "base/fields.h"

/* Classes that were renamed, or are another in training alone. */
static const struct {
    const char *today, *was;
} classes[] = {
    {"Conv2D", "Convolution2D|AtrousConvolution2D"}, /* Keras 1 */
    {"Concatenate", "Merge"},                        /* Keras 1, with mode=concat */
    /* tf.keras of TensorFlow 1.13 to 1.15 and of 2.0; the last is of 2.2 to 2.12 */
    {"BatchNormalization", "BatchNormalizationV1|BatchNormalizationV2|SyncBatchNormalization"},
    {"Functional", "Model"}, /* until TensorFlow 2.2 */
};

/* was: the setting in older files. missing: as JSON, the default of Keras' constructor, for files
 * of versions that did not write it. */
static const struct {
    const char *classes, *today, *was, *missing;
} settings[] = {
    {"Conv2D", "filters", "nb_filter", NULL},
    {"Conv2D", "strides", "subsample", "[1, 1]"},
    {"Conv2D", "dilation_rate", "atrous_rate", "[1, 1]"},
    {"Conv2D", "groups", NULL, "1"}, /* since TensorFlow 2.3 */
    {"Conv2D|MaxPooling2D", "padding", "border_mode", "\"valid\""},
    {"Conv2D|MaxPooling2D|GlobalAveragePooling2D|Flatten", "data_format", "dim_ordering",
     "\"channels_last\""},
    {"Conv2D|Dense", "use_bias", "bias", "true"},
    {"Conv2D|Dense", "activation", NULL, "\"linear\""},
    {"Dense", "units", "output_dim", NULL},
    {"MaxPooling2D", "pool_size", NULL, "[2, 2]"},
    {"BatchNormalization", "epsilon", NULL, "0.001"},
    {"BatchNormalization", "scale", NULL, "true"}, /* Keras 1 always had both */
    {"BatchNormalization", "center", NULL, "true"},
    {"BatchNormalization|Concatenate|Softmax", "axis", "concat_axis", "-1"},
    {"GlobalAveragePooling2D", "keepdims", NULL, "false"}, /* since TensorFlow 2.6 */
    {"Dropout", "rate", "p", NULL},
    {"LeakyReLU", "negative_slope", "alpha", "0.3"}, /* alpha until Keras 3 */
    {"ELU", "alpha", NULL, "1.0"},
    {"ReLU", "max_value", NULL, "null"},
    {"ReLU", "negative_slope", NULL, "0.0"},
    {"ReLU", "threshold", NULL, "0.0"},
    {"Rescaling", "offset", NULL, "0.0"},
};

/* Values that were renamed. */
static const struct {
    const char *today, *was;
} values[] = {{"channels_last", "tf"}, {"channels_first", "th"}};

const char *meso_keras_class_today(const char *class_name)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (meso_word_find(classes[i].was, class_name) >= 0)
            return classes[i].today;
    return class_name;
}

/* A value as it is called today. */
static json_t *value_today(json_t *value)
{
    for (size_t i = 0; json_is_string(value) && i < sizeof values / sizeof values[0]; i++)
        if (strcmp(json_string_value(value), values[i].was) == 0)
            return json_string(values[i].today);
    return json_incref(value);
}

int meso_keras_config_today(const char *class_today, json_t *config)
{
    json_t *height = json_object_get(config, "nb_row"), *width = json_object_get(config, "nb_col");
    if (!json_is_object(config))
        return 1;
    /* The two of Keras 1 that are one setting today. */
    if (height && width &&
        json_object_set_new(config, "kernel_size", json_pack("[O, O]", height, width)) != 0)
        return 0;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (json_object_get(config, settings[i].today) ||
            meso_word_find(settings[i].classes, class_today) < 0)
            continue;
        const char *was = settings[i].was, *missing = settings[i].missing;
        json_t *older = was ? json_object_get(config, was) : NULL;
        json_t *value = older     ? value_today(older)
                        : missing ? json_loads(missing, JSON_DECODE_ANY, NULL)
                                  : NULL;
        if ((older || missing) && json_object_set_new(config, settings[i].today, value) != 0)
            return 0;
    }
    return 1;
}
