/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream keeps a device busy while the next pictures are being prepared: slots of device memory
 * are filled, handed over and computed one by one. On a CPU nothing is copied: the kernels read the
 * pixels where they were written.
 *
 *   meso_stream *stream;
 *   size_t slot;
 *   uint8_t *pixels;
 *   meso_stream_open(model, 0, 0, &stream, &error);
 *   meso_stream_map(stream, &slot, &pixels, &error);   (a free slot; write n pictures to pixels)
 *   meso_stream_submit(stream, slot, n, &error);          (computing begins, the call returns)
 *   …                                          (map, fill and submit other slots meanwhile)
 *   meso_stream_wait(stream, slot, p, &error);            (n answers; the slot is free again)
 *   meso_stream_close(stream);
 *
 * Threads: all calls come from the thread that owns the model. Only the mapped memory may be
 * written by any thread, between map and submit; how these threads tell the owner that they are
 * done is up to the caller. Slots are independent: they are mapped, submitted and waited for in any
 * order.
 */
#ifndef MESOCL_STREAM_H
#define MESOCL_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/model.h"
#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct meso_stream meso_stream;

/* Slots for pictures at the net's input size.
 *   n_slots  how many; 0: three for each lane (meso_model_info), so that on each core one computes,
 *            one waits and one is filled
 *   batch    pictures a slot holds at most; 0: as the path likes best
 * Close streams before their model. Errors: ARGUMENT (too large to be addressed), MEMORY, DEVICE,
 * DATA (a net that meso_predict_rgb8 does not take). */
MESO_API meso_status meso_stream_open(meso_model *model, size_t n_slots, size_t batch,
                                      meso_stream **stream, meso_error *error);

/* Waits for pending work; its answers are lost. NULL is allowed. */
MESO_API void meso_stream_close(meso_stream *stream);

MESO_API size_t meso_stream_n_slots(const meso_stream *stream);
MESO_API size_t meso_stream_batch(const meso_stream *stream);

/* Takes a free slot. *pixels is its memory, [batch][height][width][3] bytes RGB without gaps, the
 * stream's own, to be written until the slot is submitted; what it holds before that is undefined.
 * Errors: ARGUMENT (no slot is free: wait for one). */
MESO_API meso_status meso_stream_map(meso_stream *stream, size_t *slot, uint8_t **pixels,
                                     meso_error *error);

/* Hands over the first n pictures of a mapped slot, n ≤ batch. On a CPU this returns at once, and a
 * core begins to compute; on a GPU likewise, and the pictures are copied while others are computed;
 * on a device without fused kernels it returns when the computation is done. After an error the
 * slot is still mapped. Errors: ARGUMENT (not mapped, n too large), DEVICE, MEMORY. */
MESO_API meso_status meso_stream_submit(meso_stream *stream, size_t slot, size_t n,
                                        meso_error *error);

/* Waits for a submitted slot and frees it, also after an error. p [n], written, with n as
 * submitted. Errors: ARGUMENT (nothing was submitted), DEVICE, DATA (the result is not finite). */
MESO_API meso_status meso_stream_wait(meso_stream *stream, size_t slot, meso_probability *p,
                                      meso_error *error);

#ifdef __cplusplus
}
#endif
#endif
