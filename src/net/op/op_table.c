/* SPDX-License-Identifier: Apache-2.0
 *
 * The closed list of ops.
 */
#include "net/op/op_table.h"

#include <string.h>

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
