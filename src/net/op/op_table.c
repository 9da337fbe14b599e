/* SPDX-License-Identifier: Apache-2.0
 *
 * The closed list of ops, and what several of them share.
 */
#include <string.h>

#include "net/op/op.h"

static const meso_op *const ops[] = {
    &meso_op_input,
    &meso_op_conv,
    &meso_op_bias,
    &meso_op_relu,
    &meso_op_leaky_relu,
    &meso_op_elu,
    &meso_op_batch_norm,
    &meso_op_max_pool,
    &meso_op_concat,
    &meso_op_flatten,
    &meso_op_global_avg_pool,
    &meso_op_dense,
    &meso_op_dropout,
    &meso_op_sigmoid,
    &meso_op_softmax,
};
enum { n_ops = sizeof ops / sizeof ops[0] };

const meso_op *meso_op_at(size_t i)
{
    return i < n_ops ? ops[i] : NULL;
}

const meso_op *meso_op_find(const char *name)
{
    for (size_t i = 0; i < n_ops; i++)
        if (strcmp(ops[i]->name, name) == 0)
            return ops[i];
    return NULL;
}

meso_status meso_same_shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    (void)error;
    layer->shape = inputs[0];
    return MESO_OK;
}

/* One dimension. SAME as in TensorFlow: ⌈in / stride⌉ outputs, the odd zero of an odd total at the
 * end. */
static meso_status window_dimension(meso_window *window, int d, int in, int *out, meso_error *error)
{
    int64_t reach = (int64_t)(window->size[d] - 1) * window->dilation[d] + 1;
    int64_t stride = window->stride[d], before = 0, n;
    if (window->pad == MESO_PAD_SAME) {
        n = (in + stride - 1) / stride;
        int64_t total = (n - 1) * stride + reach - in;
        before = total > 0 ? total / 2 : 0;
    } else {
        before = window->pad == MESO_PAD_EXPLICIT ? window->before[d] : 0;
        n = in + 2 * before < reach ? 0 : (in + 2 * before - reach) / stride + 1;
    }
    int64_t after = (n - 1) * stride + reach - before - in;
    if (n < 1 || reach > MESO_MAX_SIDE)
        return meso_fail(error, MESO_ERROR_DATA,
                         "a window that reaches over %lld does not fit %s of %d", (long long)reach,
                         d ? "a width" : "a height", in);
    window->before[d] = (int)before;
    window->after[d] = (int)(after > 0 ? after : 0);
    *out = (int)n;
    return MESO_OK;
}

meso_status meso_window_shape(meso_window *window, meso_shape in, meso_shape *out,
                              meso_error *error)
{
    meso_status status = window_dimension(window, 0, in.h, &out->h, error);
    return status == MESO_OK ? window_dimension(window, 1, in.w, &out->w, error) : status;
}

size_t meso_step_groups(const meso_train_step *step)
{
    size_t last = step->first + step->step.n - 1;
    return last / MESO_TRAIN_GROUP - step->first / MESO_TRAIN_GROUP + 1;
}

int meso_window_halo(const meso_window *window)
{
    int halo = 0;
    for (int d = 0; d < 2; d++) {
        halo = window->before[d] > halo ? window->before[d] : halo;
        halo = window->after[d] > halo ? window->after[d] : halo;
    }
    return halo;
}
