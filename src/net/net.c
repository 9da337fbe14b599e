/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/structs.h"
#include "net/op/op.h"

void meso_net_close(meso_net *net)
{
    if (!net)
        return;
    free(net->name);
    free(net->text);
    free(net->layers);
    free(net->params);
    free(net);
}

const char *meso_net_name(const meso_net *net)
{
    return net->name;
}

const char *meso_net_text(const meso_net *net)
{
    return net->text;
}

size_t meso_net_n_layers(const meso_net *net)
{
    return net->n_layers;
}

size_t meso_net_n_params(const meso_net *net)
{
    return net->n_params;
}

const meso_param *meso_net_param(const meso_net *net, size_t i)
{
    return &net->params[i];
}

const meso_layer *meso_net_find(const meso_net *net, const char *name)
{
    for (size_t i = 0; i < net->n_layers; i++)
        if (strcmp(net->layers[i].name, name) == 0)
            return &net->layers[i];
    return NULL;
}

meso_status meso_net_require_scores(const meso_net *net, meso_error *error)
{
    const meso_layer *last = &net->layers[net->n_layers - 1];
    const size_t n = meso_shape_size(last->shape);
    if (net->layers[0].shape.c == 3 &&
        (last->op == &meso_op_sigmoid ? n == 1 : last->op == &meso_op_softmax && n == 2))
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_DATA,
                     "the net %s gives %zu outputs of %s: predicting fake or real needs RGB input "
                     "and one output of sigmoid or two of softmax",
                     net->name, n, last->op->name);
}

static void describe(const meso_net *net, size_t i, meso_layer_info *info)
{
    const meso_layer *layer = &net->layers[i];
    meso_shape inputs[MESO_MAX_INPUTS];
    for (size_t k = 0; k < layer->n_inputs; k++)
        inputs[k] = net->layers[layer->inputs[k]].shape;
    *info = (meso_layer_info){
        .name = layer->name,
        .op = layer->op->name,
        .channels = (unsigned)layer->shape.c,
        .height = (unsigned)layer->shape.h,
        .width = (unsigned)layer->shape.w,
        .multiply_adds = layer->op->multiply_adds ? layer->op->multiply_adds(layer, inputs) : 0,
        .output_bytes = sizeof(float) * meso_shape_size(layer->shape),
    };
    for (size_t k = 0; k < layer->n_params; k++) {
        const meso_param *param = &net->params[layer->first_param + k];
        int statistic = param->kind == MESO_PARAM_MEAN || param->kind == MESO_PARAM_VARIANCE;
        *(statistic ? &info->statistics : &info->parameters) += param->n_values;
    }
}

meso_status meso_net_layer(const meso_net *net, size_t i, meso_layer_info *info, meso_error *error)
{
    meso_layer_info own = {0};
    MESO_DEMAND(i < net->n_layers, error, MESO_ERROR_ARGUMENT, "no layer %zu: the net %s has %zu",
                i, net->name, net->n_layers);
    MESO_CHECK(meso_struct_check(info, "meso_layer_info", error));
    describe(net, i, &own);
    meso_struct_write(info, &own, sizeof own);
    return MESO_OK;
}
