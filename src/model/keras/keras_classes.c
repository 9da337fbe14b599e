/* SPDX-License-Identifier: Apache-2.0
 *
 * What each Keras layer class is as net text: a function for each that is more than an op with
 * numbers. One Keras layer becomes up to three lines: convolution, bias, activation. Settings that
 * MesoCL lacks are refused, not ignored.
 */
#include "model/keras/keras_builder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fields.h"
#include "net/op/op.h"

/* ---- settings of a Keras layer ---- */

/* A whole number, or a pair of them. */
static meso_status get_pair(const keras_builder *b, const json_t *config, const char *key,
                            int pair[2])
{
    const json_t *json = json_object_get(config, key);
    for (size_t i = 0; i < 2; i++) {
        const json_t *one = json_is_array(json) ? json_array_get(json, i) : json;
        json_int_t number = json_integer_value(one);
        if (number < 1 || number > MESO_MAX_SIDE ||
            (json_is_array(json) && json_array_size(json) != 2))
            return KERAS_REFUSE(b, "%s is not one or two whole numbers", key);
        pair[i] = (int)number;
    }
    return MESO_OK;
}

/* A number, NAN where there is none; Keras 2.1 wraps some as {"type": "ndarray", "value": 0.1}. */
static double get_number(const json_t *config, const char *key)
{
    const json_t *json = json_object_get(config, key);
    if (json_is_object(json))
        json = json_object_get(json, "value");
    return json_is_number(json) ? json_number_value(json) : NAN;
}

/* Fails unless a text setting that may be missing has the one value that MesoCL knows. */
static meso_status must_be(const keras_builder *b, const json_t *config, const char *key,
                           const char *wanted)
{
    const char *text = json_string_value(json_object_get(config, key));
    return !text || strcmp(text, wanted) == 0 ? MESO_OK
                                              : KERAS_REFUSE(b, "%s=%s is not supported, only %s",
                                                             key, MESO_PRINTABLE(text), wanted);
}

/* A window that slides: its size stands under size_key; without strides it moves by its size. */
static meso_status add_window(keras_builder *b, const json_t *config, const char *size_key)
{
    meso_status status = MESO_OK;
    int size[2], stride[2];
    const json_t *strides = json_object_get(config, "strides");
    const char *padding = json_string_value(json_object_get(config, "padding"));
    MESO_TRY(must_be(b, config, "data_format", "channels_last"));
    MESO_TRY(get_pair(b, config, size_key, size));
    memcpy(stride, size, sizeof stride);
    if (strides && !json_is_null(strides))
        MESO_TRY(get_pair(b, config, "strides", stride));
    if (!padding || (strcmp(padding, "same") != 0 && strcmp(padding, "valid") != 0)) {
        status = KERAS_REFUSE(b, "padding=%s is not supported, only same and valid",
                              padding ? MESO_PRINTABLE(padding) : "missing");
        goto out;
    }
    meso_text_format(&b->plan->net_text, " window=%dx%d stride=%dx%d pad=%s", size[0], size[1],
                     stride[0], stride[1], padding);
out:
    return status;
}

/* ---- one function for each class ---- */

static const meso_keras_function *function_of(const meso_op *op, const char *name)
{
    for (size_t i = 0; op->keras_functions[i].name; i++)
        if (strcmp(op->keras_functions[i].name, name) == 0)
            return &op->keras_functions[i];
    return NULL;
}

static meso_status emit_activation_named(keras_builder *b, const char *name, const char *suffix,
                                         keras_value *v)
{
    meso_status status = MESO_OK;
    if (!name || strcmp(name, "linear") == 0)
        return MESO_OK;
    for (size_t i = 0; meso_op_at(i); i++) {
        const meso_keras_function *function = function_of(meso_op_at(i), name);
        if (!function)
            continue;
        char with_name[MESO_NAME_SIZE];
        snprintf(with_name, sizeof with_name, "_%s", function->name);
        MESO_TRY(meso_keras_begin_line(b, suffix ? suffix : with_name, meso_op_at(i)->name,
                                       v->net_name));
        if (function->key)
            meso_keras_add_number(b, function->key, function->value);
        meso_keras_end_line(b);
        return MESO_OK;
    }
    status = KERAS_REFUSE(b, "activation %s is not supported", MESO_PRINTABLE(name));
out:
    return status;
}

static meso_status emit_activation(keras_builder *b, const json_t *config, keras_value *v)
{
    const json_t *activation = json_object_get(config, "activation");
    if (!json_is_string(activation))
        return KERAS_REFUSE(b, "its activation is not given by name");
    return emit_activation_named(b, json_string_value(activation), "", v);
}

/* Bias and activation that Keras keeps inside Conv2D and Dense. */
static meso_status emit_tail(keras_builder *b, const json_t *config, keras_value *v)
{
    const json_t *activation = json_object_get(config, "activation");
    if (!json_is_false(json_object_get(config, "use_bias"))) {
        MESO_CHECK(meso_keras_begin_line(b, "_bias", "bias", v->net_name));
        meso_keras_end_line(b);
    }
    if (activation && !json_is_string(activation) && !json_is_null(activation))
        return KERAS_REFUSE(b, "its activation is not given by name");
    return emit_activation_named(b, json_string_value(activation), NULL, v);
}

static meso_status emit_conv(keras_builder *b, const json_t *config, keras_value *v)
{
    int dilation[2];
    json_int_t filters = json_integer_value(json_object_get(config, "filters"));
    if (get_number(config, "groups") != 1)
        return KERAS_REFUSE(b, "groups of channels are not supported");
    MESO_CHECK(get_pair(b, config, "dilation_rate", dilation));
    MESO_CHECK(meso_keras_begin_line(b, "", "conv", v->net_name));
    meso_keras_add_node(b, "conv2d", v->net_name);
    meso_text_format(&b->plan->net_text, " filters=%lld dilation=%dx%d", (long long)filters,
                     dilation[0], dilation[1]);
    MESO_CHECK(add_window(b, config, "kernel_size"));
    meso_keras_end_line(b);
    return emit_tail(b, config, v);
}

static meso_status emit_dense(keras_builder *b, const json_t *config, keras_value *v)
{
    if (v->rank != 2)
        return KERAS_REFUSE(b, "a dense layer on pictures is not supported: Flatten them first");
    MESO_CHECK(meso_keras_begin_line(b, "", "dense", v->net_name));
    meso_keras_add_node(b, "dense", v->net_name);
    meso_text_format(&b->plan->net_text, " units=%lld",
                     (long long)json_integer_value(json_object_get(config, "units")));
    meso_keras_end_line(b);
    return emit_tail(b, config, v);
}

static meso_status emit_batch_norm(keras_builder *b, const json_t *config, keras_value *v)
{
    MESO_CHECK(meso_keras_last_axis(b, config, v->rank));
    if (get_number(config, "mode") > 0) /* of Keras 1 */
        return KERAS_REFUSE(b, "mode %g is not supported, only 0", get_number(config, "mode"));
    MESO_CHECK(meso_keras_begin_line(b, "", "batch_norm", v->net_name));
    meso_keras_node *node = meso_keras_add_node(b, "batch_normalization", v->net_name);
    node->has_gamma = !json_is_false(json_object_get(config, "scale"));
    node->has_beta = !json_is_false(json_object_get(config, "center"));
    meso_keras_add_number(b, "epsilon", get_number(config, "epsilon"));
    meso_keras_end_line(b);
    return MESO_OK;
}

static meso_status emit_max_pool(keras_builder *b, const json_t *config, keras_value *v)
{
    MESO_CHECK(meso_keras_begin_line(b, "", "max_pool", v->net_name));
    MESO_CHECK(add_window(b, config, "pool_size"));
    meso_keras_end_line(b);
    return MESO_OK;
}

static meso_status emit_global_pool(keras_builder *b, const json_t *config, keras_value *v)
{
    if (json_is_true(json_object_get(config, "keepdims")))
        return KERAS_REFUSE(b, "keepdims is not supported");
    MESO_CHECK(must_be(b, config, "data_format", "channels_last"));
    MESO_CHECK(meso_keras_begin_line(b, "", "global_avg_pool", v->net_name));
    meso_keras_end_line(b);
    v->rank = 2;
    return MESO_OK;
}

static meso_status emit_flatten(keras_builder *b, const json_t *config, keras_value *v)
{
    MESO_CHECK(must_be(b, config, "data_format", "channels_last"));
    MESO_CHECK(meso_keras_begin_line(b, "", "flatten", v->net_name));
    meso_keras_end_line(b);
    v->rank = 2;
    return MESO_OK;
}

static meso_status emit_relu(keras_builder *b, const json_t *config, keras_value *v)
{
    double cap = get_number(config, "max_value");
    if (get_number(config, "negative_slope") != 0 || get_number(config, "threshold") != 0)
        return KERAS_REFUSE(b, "negative_slope and threshold are not supported; see LeakyReLU");
    MESO_CHECK(meso_keras_begin_line(b, "", "relu", v->net_name));
    if (cap > 0)
        meso_keras_add_number(b, "cap", cap);
    meso_keras_end_line(b);
    return MESO_OK;
}

/* Folded into the input line, which is written when the first real layer comes. */
static meso_status emit_rescaling(keras_builder *b, const json_t *config, keras_value *v)
{
    double scale = get_number(config, "scale");
    if (!v->raw || b->n_names > 0 || !(scale > 0) || get_number(config, "offset") != 0)
        return KERAS_REFUSE(
            b, "only a scale above 0 without offset, directly behind the input, is read so far. "
               "In its place a BatchNormalization without scale and center gives the same from "
               "pixels / 255: mean -offset / (255 * scale), variance 1 / (255 * scale)^2, epsilon "
               "1e-12");
    b->divide = 1 / scale;
    b->plan->rescaled = 1;
    v->raw = 0;
    return MESO_OK;
}

/* The means and variances would be weights of a layer that nets do not have. */
static meso_status refuse_normalization(keras_builder *b, const json_t *config, keras_value *v)
{
    (void)config, (void)v;
    return KERAS_REFUSE(
        b, "not read so far. In its place a BatchNormalization without scale and "
           "center, with the same mean and variance and epsilon 1e-12, gives the same");
}

static meso_status emit_softmax(keras_builder *b, const json_t *config, keras_value *v)
{
    MESO_CHECK(meso_keras_last_axis(b, config, v->rank));
    return emit_activation_named(b, "softmax", "", v);
}

/* Layers that pass their input on as it is, but in training (each tried with Keras 3.15). */
static const char idle_classes[] =
    "ActivityRegularization|AlphaDropout|AugMix|CutMix|GaussianDropout|GaussianNoise|"
    "Identity|MixUp|RandAugment|RandomBrightness|RandomColorDegeneration|RandomColorJitter|"
    "RandomContrast|RandomElasticTransform|RandomErasing|RandomFlip|RandomGaussianBlur|"
    "RandomGrayscale|RandomHeight|RandomHue|RandomInvert|RandomPerspective|"
    "RandomPosterization|RandomRotation|RandomSaturation|RandomSharpness|RandomShear|"
    "RandomTranslation|RandomWidth|RandomZoom|SpatialDropout1D|SpatialDropout2D|"
    "SpatialDropout3D";

int meso_keras_is_idle(const char *class_name)
{
    return meso_word_find(idle_classes, class_name) >= 0;
}

static const meso_op *op_of_class(const char *class_name)
{
    for (size_t i = 0; meso_op_at(i); i++)
        if (meso_op_at(i)->keras_class && strcmp(meso_op_at(i)->keras_class, class_name) == 0)
            return meso_op_at(i);
    return NULL;
}

/* A layer whose config is numbers alone, under the names that the op's keys have. */
static meso_status emit_numbers(keras_builder *b, const json_t *config, keras_value *v)
{
    const meso_op *op = op_of_class(b->class_name);
    MESO_CHECK(meso_keras_begin_line(b, "", op->name, v->net_name));
    for (const meso_key *key = op->keys; key && key->name; key++) {
        double number = get_number(config, key->keras);
        if (isnan(number))
            return KERAS_REFUSE(b, "it does not say its %s", key->keras);
        meso_keras_add_number(b, key->name, number);
    }
    meso_keras_end_line(b);
    return MESO_OK;
}

/* Layers whose config says more; those of Keras' own, which are no op, have a name. */
static const struct {
    const meso_op *op;
    const char *name;
    keras_emit *emit;
} classes[] = {
    {&meso_op_conv, NULL, emit_conv},
    {&meso_op_batch_norm, NULL, emit_batch_norm},
    {&meso_op_max_pool, NULL, emit_max_pool},
    {&meso_op_global_avg_pool, NULL, emit_global_pool},
    {&meso_op_flatten, NULL, emit_flatten},
    {&meso_op_dense, NULL, emit_dense},
    {&meso_op_relu, NULL, emit_relu},
    {NULL, "Activation", emit_activation},
    {NULL, "Softmax", emit_softmax},
    {NULL, "Rescaling", emit_rescaling},
    {NULL, "Normalization", refuse_normalization},
};

keras_emit *meso_keras_emit_for(const char *class_name)
{
    const meso_op *op = op_of_class(class_name);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (op ? classes[i].op == op : classes[i].name && strcmp(classes[i].name, class_name) == 0)
            return classes[i].emit;
    return op ? emit_numbers : NULL;
}
