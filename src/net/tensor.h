/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch of tensors on the device. One layout: planar, [n][channels][height + 2·pad][row stride],
 * with `pad` physical zeros on each side, so that convolutions need no bounds checks.
 */
#ifndef MESO_NET_TENSOR_H
#define MESO_NET_TENSOR_H

#include "net/net.h"
#include "runtime/device.h"

typedef struct meso_tensor_view {
    meso_shape shape;
    int row_stride; /* floats from a row to the next, ≥ w + 2·pad */
    int pad;
    const meso_buffer *buffer;
    int first; /* the image where work begins */
} meso_tensor_view;

/* Pictures as a host has them: [n][height][width][channels], 8-bit pixels or floats. */
typedef struct meso_pictures {
    const void *values; /* in the host's memory; NULL: in buffer, which is filled when what is
                                  enqueued on the queue of the whole device is done */
    const meso_buffer *buffer;
    int is_float;
    size_t n;
} meso_pictures;

static inline size_t meso_pictures_bytes(const meso_pictures *pictures, meso_shape shape)
{
    return pictures->n * meso_shape_size(shape) * (pictures->is_float ? sizeof(float) : 1);
}

/* The view of a tensor with `pad` zeros around, rows without gaps. */
static inline meso_tensor_view meso_tensor_of(meso_shape shape, int pad, const meso_buffer *buffer)
{
    return (meso_tensor_view){shape, shape.w + 2 * pad, pad, buffer, 0};
}

static inline size_t meso_tensor_plane(const meso_tensor_view *t)
{
    return (size_t)(t->shape.h + 2 * t->pad) * (size_t)t->row_stride;
}

/* Floats that one image takes. */
static inline size_t meso_tensor_size(const meso_tensor_view *t)
{
    return (size_t)t->shape.c * meso_tensor_plane(t);
}

/* The kernel argument that cl/prelude.cl calls tensor_t. */
meso_arg meso_arg_tensor(const meso_tensor_view *t);
#define MESO_VIEW(t) (t)->buffer, meso_arg_tensor(t) /* for MESO_ARGS: a tensor and its geometry */

/* Zeros the pad of n images from `first` on. */
meso_status meso_tensor_zero_pad(meso_device *device, const meso_tensor_view *t, size_t n);

#endif
