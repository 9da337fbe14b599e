/* SPDX-License-Identifier: Apache-2.0
 *
 * The closed list of ops.
 */
#include "net/op/op.h"

#include <string.h>

#define MESO_OP_ADDRESS(name) &meso_op_##name,
static const meso_op *const ops[] = {MESO_OPS(MESO_OP_ADDRESS)};
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
