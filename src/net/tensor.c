/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tensor.h"

meso_arg meso_arg_tensor(const meso_tensor_view *t)
{
    /* In the order of the accessors of cl/prelude.cl. */
    return (meso_arg){'t',
                      {.t = {{t->shape.c, t->shape.h, t->shape.w, t->row_stride, t->pad,
                              (int)meso_tensor_plane(t), (int)meso_tensor_size(t), t->first}}}};
}

meso_status meso_tensor_zero_pad(meso_device *device, const meso_tensor_view *t, size_t n)
{
    if (t->pad == 0)
        return MESO_OK;
    return meso_launch(device, MESO_KERNEL_ZERO_PAD,
                       MESO_GLOBAL(t->shape.h + 2 * t->pad, n * (size_t)t->shape.c, 1),
                       MESO_ARGS(MESO_VIEW(t)));
}
