/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/file.h"
#include "base/text.h"
#include "net/op/op.h"

enum { max_net_file_bytes = 1 << 20 };

const char *meso_net_builtin_name(size_t i)
{
    for (size_t k = 0; k <= i; k++)
        if (!meso_embedded_nets[k].name)
            return NULL;
    return meso_embedded_nets[i].name;
}

const char *meso_net_builtin_text(size_t i)
{
    return meso_net_builtin_name(i) ? meso_embedded_nets[i].text : NULL;
}

meso_status meso_net_open(const char *name_or_path, meso_net **net, meso_error *error)
{
    void *text = NULL;
    size_t n;
    for (size_t i = 0; meso_net_builtin_name(i); i++)
        if (strcmp(meso_net_builtin_name(i), name_or_path) == 0)
            return meso_net_parse(meso_net_builtin_text(i), name_or_path, net, error);
    meso_status status = meso_file_read(name_or_path, max_net_file_bytes, &text, &n, NULL, error);
    if (status == MESO_ERROR_NO_INPUT) {
        meso_text known = {0};
        for (size_t i = 0; meso_net_builtin_name(i); i++)
            meso_text_format(&known, "%s%s", i ? ", " : "", meso_net_builtin_name(i));
        meso_fail(error, status, "%s: neither a built-in net (%s) nor a readable .net file",
                  MESO_PRINTABLE(name_or_path), known.bytes ? known.bytes : "");
        meso_text_free(&known);
    }
    if (status == MESO_OK && strlen(text) != n)
        status =
            meso_fail(error, MESO_ERROR_DATA, "%s: holds a NUL byte", MESO_PRINTABLE(name_or_path));
    if (status == MESO_OK)
        status = meso_net_parse(text, name_or_path, net, error);
    free(text);
    return status;
}

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

meso_status meso_net_copy(const meso_net *net, meso_net **copy, meso_error *error)
{
    return meso_net_parse(net->text, net->name, copy, error);
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

void meso_net_layer(const meso_net *net, size_t i, meso_layer_info *info)
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
