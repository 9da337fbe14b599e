/* SPDX-License-Identifier: Apache-2.0
 *
 * A net text under construction; shared by keras_net.c (the graph), keras_classes.c (its layers)
 * and keras_names.c (older names).
 */
#ifndef MESO_MODEL_KERAS_BUILDER_H
#define MESO_MODEL_KERAS_BUILDER_H

#include <jansson.h>

#include "base/error.h"
#include "model/keras/keras_import.h"

/* The output of a Keras layer. */
typedef struct keras_value {
    const char *keras_name;
    char net_name[MESO_NAME_SIZE];
    int rank; /* 4: pictures, 2: vectors */
    int raw;  /* the input, before any Rescaling */
} keras_value;

typedef struct keras_builder {
    meso_keras_plan *plan;
    const char *layer, *class_name; /* that are being translated: for messages */
    keras_value *values;
    size_t n_values;
    char (*names)[MESO_NAME_SIZE]; /* of the lines so far */
    size_t n_names;
    int height, width, channels;
    double divide;
    meso_error *error;
} keras_builder;

/* Fails with the layer's name and class in front of the sentence. */
#define KERAS_REFUSE(b, ...) meso_keras_refuse((b), (char[512]){0}, 512, __VA_ARGS__)
meso_status meso_keras_refuse(const keras_builder *b, char *sentence, size_t size,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The Keras name in a net's alphabet, with the suffix, different from all before. */
void meso_keras_make_name(const keras_builder *b, const char *keras_name, const char *suffix,
                          char out[MESO_NAME_SIZE]);

/* Begins a line for the layer at hand: "name = op from", open for more inputs and keys. *from
 * becomes the new line's name. */
meso_status meso_keras_begin_line(keras_builder *b, const char *suffix, const char *op,
                                  char from[MESO_NAME_SIZE]);
void meso_keras_end_line(keras_builder *b);

/* " key=number", with a point whatever the process' locale. */
void meso_keras_add_number(keras_builder *b, const char *key, double number);

/* Remembers that arrays of this Keras layer go to that layer of the net; "": nowhere. */
meso_keras_node *meso_keras_add_node(keras_builder *b, const char *store, const char *net_layer);

/* Fails unless a setting "axis" means the last of `rank` axes. */
meso_status meso_keras_last_axis(const keras_builder *b, const json_t *config, int rank);

/* What Keras 1 to 3.15 and tf.keras called things, and what they left out. The class as Keras 3
 * calls it; its own name where that is the same, or not known. */
const char *meso_keras_class_today(const char *class_name);

/* Gives a layer's settings the names that they have in Keras 3, and Keras' defaults to those that
 * it lacks. Returns 0 where memory runs out. */
int meso_keras_config_today(const char *class_today, json_t *config);

/* What `config` says of a layer whose input is *v; leaves its output in *v. */
typedef meso_status keras_emit(keras_builder *b, const json_t *config, keras_value *v);

/* Does a layer pass its input on as it is, but in training? */
int meso_keras_is_idle(const char *class_name);

/* NULL where the class is not known, or idle. Those of `input` and `concat` are keras_net.c's. */
keras_emit *meso_keras_emit_for(const char *class_name);

#endif
