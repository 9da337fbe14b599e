/* SPDX-License-Identifier: Apache-2.0
 *
 * From a Keras file to a net and its weights, in three steps:
 *   mesocl-h5import reads the file in a process of its own and writes a stream
 * (tools/h5import/h5import.h); keras_stream.c turns the stream into a meso_keras_file;
 *   keras_import.c finds or makes the net (keras_net.c) and puts each array where it belongs
 * (keras_map.c).
 */
#ifndef MESO_MODEL_KERAS_IMPORT_H
#define MESO_MODEL_KERAS_IMPORT_H

#include "base/text.h"
#include "mesocl/weights.h"
#include "net/net.h"

typedef struct meso_keras_array {
    const char *name;
    const char *type; /* "int8": there are no values; NULL: floats */
    size_t n_dims, dims[4], n_values;
    const float *values;
} meso_keras_array;

typedef struct meso_keras_layer {
    const char *name;  /* "conv2d_1"; NULL in files of early Keras 3 */
    const char *group; /* where it lies in the file: "layers/conv2d" */
    meso_keras_array *arrays;
    size_t n_arrays;
} meso_keras_layer;

typedef enum meso_keras_kind {
    MESO_KERAS_H5_WEIGHTS, /* save_weights() of Keras 1 and 2 */
    MESO_KERAS_H5_MODEL,   /* save() to .h5 */
    MESO_KERAS3_WEIGHTS,   /* .weights.h5 */
    MESO_KERAS3_MODEL      /* .keras */
} meso_keras_kind;

typedef struct meso_keras_file {
    meso_keras_kind kind;
    const char *sha256;
    const char *version;      /* of Keras; NULL where the file does not say */
    const char *backend;      /* what computed for Keras, "theano"; NULL: not said */
    const char *config;       /* the architecture as JSON; NULL where there is none */
    meso_keras_layer *layers; /* those with arrays */
    size_t n_layers;
    float *values;                /* storage of all arrays */
    void *header;                 /* storage of all strings */
    struct meso_keras_file *next; /* storage of what meso_keras_join added */
} meso_keras_file;

/* Errors: DATA (not such a stream), MEMORY. */
meso_status meso_keras_parse(const void *stream, size_t n, meso_keras_file **file,
                             meso_error *error);
void meso_keras_close(meso_keras_file *file); /* NULL is allowed */

/* Adds the layers of another file, which it takes over, also where it fails: Keras 3 can spread
 * weights over several, layers even, their arrays in rising order. Errors: MEMORY. */
meso_status meso_keras_join(meso_keras_file *file, meso_keras_file *more, meso_error *error);

/* "Keras 2.1.5, weights only (.h5)". */
void meso_keras_describe(const meso_keras_file *file, meso_text *out);

/* Were the kernels applied by true convolution (Theano), which turns them by 180°? Keras' own
 * convert_kernel (keras 2.2.4, utils/conv_utils.py) turns them back when such a file is read. */
int meso_keras_turns_kernels(const meso_keras_file *file);

/* "Meso4_DF" where the file is one of the four that were published with the paper, else NULL. */
const char *meso_keras_published(const meso_keras_file *file);

typedef struct meso_keras_options {
    const meso_net *net;     /* NULL: the file's own, or the built-in one whose shapes fit */
    const char *classes;     /* "fake,real" */
    const char *source_name; /* the file's name, for the metadata */
} meso_keras_options;

/* How the net was found. */
typedef struct meso_keras_found {
    enum { MESO_KERAS_NET_GIVEN, MESO_KERAS_NET_IN_FILE, MESO_KERAS_NET_BY_SHAPE } how;
    char also[256]; /* BY_SHAPE: other built-in nets with the same shapes, "a, b"; else "" */
    char idle[256]; /* IN_FILE: layers that the net lacks, for they act in training alone; "a, b" */
    int rescaled;   /* IN_FILE: it says by what pixels are divided */
    int sigmoid;    /* IN_FILE: added, as the file's net ends with one logit */
} meso_keras_found;

/* Errors: DATA (a layer that MesoCL lacks, shapes that fit no net or not the one given; non-finite
 * values, a negative variance), ARGUMENT (class names), MEMORY. */
meso_status meso_keras_import(const meso_keras_file *file, const meso_keras_options *options,
                              meso_weights **weights, meso_keras_found *found, meso_error *error);

/* keras_net.c: an architecture as net text. */

/* A Keras layer that owns arrays, and the layer of the net that takes them. */
typedef struct meso_keras_node {
    char *keras_name;
    char store[96]; /* Keras 3's name of its group: class and number in the model's order */
    char net_layer[MESO_NAME_SIZE]; /* "": none, as it does nothing in prediction */
    int has_gamma, has_beta;        /* of batch normalisation */
} meso_keras_node;

typedef struct meso_keras_plan {
    meso_text net_text;
    meso_keras_node *nodes;
    size_t n_nodes;
    int rescaled; /* pixels are divided by what a Rescaling says */
} meso_keras_plan;

/* Errors: DATA (names the layer or setting that MesoCL lacks), MEMORY; *plan must be freed in any
 * case. */
meso_status meso_keras_plan_make(const char *config, meso_keras_plan *plan, meso_error *error);
void meso_keras_plan_free(meso_keras_plan *plan);

/* keras_map.c: fails for a layer with whole numbers, which are no weights of any net here. Errors:
 * DATA. */
meso_status meso_keras_require_floats(const meso_keras_layer *layer, meso_error *error);

/* keras_map.c: arrays → parameters of a net, as tensors of *weights. plan tells which Keras layer
 * is which layer of the net; NULL: by order and shape. Errors: DATA, MEMORY. */
meso_status meso_keras_map(const meso_keras_file *file, const meso_keras_plan *plan,
                           const meso_net *net, meso_weights *weights, meso_error *error);

#endif
