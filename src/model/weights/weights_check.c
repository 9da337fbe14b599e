/* SPDX-License-Identifier: Apache-2.0
 *
 * Do weights and net belong together?
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/weights/weights.h"
#include "net/net.h"

static meso_status check_param(const meso_weights *weights, const meso_param *param,
                               meso_error *error)
{
    const meso_tensor *tensor = meso_weights_find(weights, param->name);
    MESO_DEMAND(tensor, error, MESO_ERROR_DATA, "tensor %s is missing", param->name);
    MESO_DEMAND(tensor->n_dims == param->n_dims &&
                    memcmp(tensor->dims, param->dims, param->n_dims * sizeof *param->dims) == 0,
                error, MESO_ERROR_DATA, "tensor %s has shape %s; the net needs %s", param->name,
                MESO_DIMS(tensor->dims, tensor->n_dims), MESO_DIMS(param->dims, param->n_dims));
    size_t bad = meso_first_not_finite(tensor->values, tensor->n_values);
    MESO_DEMAND(bad == tensor->n_values, error, MESO_ERROR_DATA,
                "tensor %s: value %zu is not finite", param->name, bad);
    if (param->kind == MESO_PARAM_VARIANCE)
        for (size_t i = 0; i < tensor->n_values; i++)
            /* 0 is that of a filter whose ReLU never fires; epsilon keeps the division finite. */
            MESO_DEMAND(tensor->values[i] >= 0, error, MESO_ERROR_DATA,
                        "tensor %s: value %zu is %g; a variance cannot be negative", param->name, i,
                        (double)tensor->values[i]);
    return MESO_OK;
}

static int net_has(const meso_net *net, const char *tensor)
{
    for (size_t i = 0; i < meso_net_n_params(net); i++)
        if (strcmp(meso_net_param(net, i)->name, tensor) == 0)
            return 1;
    return 0;
}

meso_status meso_weights_check(const meso_weights *weights, const meso_net *net, meso_error *error)
{
    for (size_t i = 0; i < meso_net_n_params(net); i++)
        MESO_CHECK(check_param(weights, meso_net_param(net, i), error));
    for (size_t i = 0; i < weights->n_tensors; i++)
        MESO_DEMAND(net_has(net, weights->tensors[i].name), error, MESO_ERROR_DATA,
                    "tensor %s (%s) belongs to no layer of net %s",
                    MESO_PRINTABLE(weights->tensors[i].name),
                    MESO_DIMS(weights->tensors[i].dims, weights->tensors[i].n_dims),
                    meso_net_name(net));
    return MESO_OK;
}
