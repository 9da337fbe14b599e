/* SPDX-License-Identifier: Apache-2.0 */
#include "net/kernel_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "net/op/op.h"
#include "runtime/program.h"

void meso_kernel_define(meso_text *source, const meso_definition *definitions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        meso_text_format(source, "#define %s %d\n", definitions[i].name, definitions[i].value);
}

void meso_kernel_end(meso_text *source, size_t from, size_t to)
{
    static const char define[] = "#define ";
    while (from < to && !source->out_of_memory) {
        const char *line = source->bytes + from;
        char name[64] = "";
        if (strncmp(line, define, strlen(define)) == 0)
            snprintf(name, sizeof name, "%.*s", (int)strcspn(line + strlen(define), "( "),
                     line + strlen(define));
        from += strcspn(line, "\n") + 1;
        if (*name)
            meso_text_format(source, "#undef %s\n", name);
    }
}

meso_status meso_kernel_add(meso_text *source, size_t from, const char *file, meso_error *error)
{
    const size_t to = source->length;
    meso_status status = meso_source_add(source, file, error);
    meso_kernel_end(source, from, to);
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
