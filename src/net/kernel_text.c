/* SPDX-License-Identifier: Apache-2.0 */
#include "net/kernel_text.h"

#include <math.h>

#include "net/op/op.h"
#include "runtime/program.h"

void meso_kernel_define(meso_text *source, const char *name, int value)
{
    meso_text_format(source, "#define %s %d\n", name, value);
}

void meso_kernel_undefine(meso_text *source, const char *const *names)
{
    for (; *names; names++)
        meso_text_format(source, "#undef %s\n", *names);
}

meso_status meso_kernel_add(meso_text *source, const char *file, const char *const *names,
                            meso_error *error)
{
    meso_status status = meso_source_add(source, file, error);
    meso_kernel_undefine(source, names);
    return status;
}

void meso_kernel_define_activation(meso_text *source, const meso_layer *layer)
{
    if (layer->op == &meso_op_leaky_relu)
        meso_text_format(source,
                         "#define ACTIVATE(v) ((v) < 0.0f ? " MESO_FLOAT_CONSTANT " * (v) : (v))\n",
                         MESO_FLOAT_VALUE(layer->set.leaky_relu.slope));
    else if (layer->op == &meso_op_elu)
        meso_text_format(source,
                         "#define ACTIVATE(v) ((v) < 0.0f ? " MESO_FLOAT_CONSTANT
                         " * (exp(SMALLER(v, 0.0f)) - 1.0f) : (v))\n",
                         MESO_FLOAT_VALUE(layer->set.elu.alpha));
    else if (isfinite(layer->set.relu.cap))
        meso_text_format(source,
                         "#define ACTIVATE(v) SMALLER((vec)(" MESO_FLOAT_CONSTANT
                         "), LARGER((vec)(0.0f), v))\n",
                         MESO_FLOAT_VALUE(layer->set.relu.cap));
    else
        meso_text_add(source, "#define ACTIVATE(v) LARGER((vec)(0.0f), v)\n");
}
