/* SPDX-License-Identifier: Apache-2.0
 *
 * A network as data: layers in the order of the text, each with its op's settings, its shape and
 * its parameters. Text → meso_net is parse.c, where texts come
 * from net_open.c; what each op means is op_*.c; meso_net → buffers is
 * plan.c.
 */
#ifndef MESO_NET_NET_H
#define MESO_NET_NET_H

#include "base/error.h"
#include "mesocl/net.h"
#include "net/op/op_list.h"

enum {
    MESO_NAME_SIZE = 64,   /* a layer's name with its NUL */
    MESO_MAX_INPUTS = 16,  /* of one layer */
    MESO_MAX_LAYERS = 512, /* of one net */
    MESO_MAX_PARAMS = 4,   /* of one layer */
    MESO_MAX_SIDE = 65536  /* of a tensor; keeps products of three sides inside 63 bits */
};

/* One image's tensor: channels, height, width. A vector has height = width = 1. */
typedef struct meso_shape {
    int c, h, w;
} meso_shape;

static inline size_t meso_shape_size(meso_shape s)
{
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

typedef enum meso_param_kind {
    MESO_PARAM_KERNEL,
    MESO_PARAM_BIAS,
    MESO_PARAM_GAMMA,
    MESO_PARAM_BETA,
    MESO_PARAM_MEAN,     /* moving statistics: not trained by gradient */
    MESO_PARAM_VARIANCE, /* likewise, and > 0 */
    MESO_PARAM_SLOPE
} meso_param_kind;

/* One parameter tensor of a layer; "conv1.kernel". The layouts are in mesocl/weights.h. */
typedef struct meso_param {
    char name[MESO_NAME_SIZE + 20];
    meso_param_kind kind;
    size_t layer;
    size_t n_dims;
    size_t dims[4];
    size_t n_values;
} meso_param;

struct meso_op;

typedef struct meso_layer {
    char name[MESO_NAME_SIZE];
    const struct meso_op *op;
    int line; /* in the text, from 1 */
    size_t n_inputs;
    size_t inputs[MESO_MAX_INPUTS]; /* positions of earlier layers */
    meso_shape shape;               /* of the output */
    size_t first_param, n_params;   /* in the net's list */
    meso_settings set;              /* by op */
} meso_layer;

struct meso_net {
    char *name;
    char *text;
    meso_layer *layers;
    size_t n_layers;
    meso_param *params;
    size_t n_params;
};

/* Every parameter tensor, in layer order. */
size_t meso_net_n_params(const meso_net *net);
const meso_param *meso_net_param(const meso_net *net, size_t i);

/* The layer of that name, or NULL. */
const meso_layer *meso_net_find(const meso_net *net, const char *name);

/* DATA, unless it tells fake from real: RGB in, one output of sigmoid or two of softmax. */
meso_status meso_net_require_scores(const meso_net *net, meso_error *error);

/* An independent copy. */
meso_status meso_net_copy(const meso_net *net, meso_net **copy, meso_error *error);

#endif
