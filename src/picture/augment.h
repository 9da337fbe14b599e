/* SPDX-License-Identifier: Apache-2.0
 *
 * Augmentation on the device: 8-bit pictures → what the net takes.
 */
#ifndef MESO_MODEL_AUGMENT_H
#define MESO_MODEL_AUGMENT_H

#include "data/batch/augment_draw.h"
#include "runtime/device.h"

typedef struct meso_augment meso_augment;

/* For pictures of height × width, at most max_images of them in a call. divide: the net's (255).
 * settings are copied; featurewise ones carry mean and std. Compiles for the device and its lanes.
 * Errors go to the device. */
meso_status meso_augment_open(meso_device *device, const meso_augment_settings *settings,
                              unsigned height, unsigned width, double divide, size_t max_images,
                              meso_augment **augment);
void meso_augment_close(meso_augment *augment); /* NULL is allowed */

/* Enqueues images first … first + n − 1 of pixels [images][height][width][3] (8 bits) and draws
 * [images] → out [images][height][width][3] (floats), on the lane in use, and returns. draws: NULL
 * for no change but centring and scaling. Lanes have scratch memory of their own, so that calls on
 * different lanes run side by side. */
meso_status meso_augment_enqueue(const meso_augment *augment, const meso_buffer *pixels,
                                 size_t first, size_t n, const meso_buffer *draws,
                                 const meso_buffer *out);

/* 1 where all that the settings do leaves 8-bit pixels: with brightness, which rounds to them, and
 * without centring and scaling. */
int meso_augment_gives_pixels(const meso_augment *augment);

/* The same pictures as 8-bit pixels, out [images][height][width][3] bytes, with draws: a fourth of
 * the memory, and the net's own way for pixels. Where meso_augment_gives_pixels. */
meso_status meso_augment_enqueue_pixels(const meso_augment *augment, const meso_buffer *pixels,
                                        size_t first, size_t n, const meso_buffer *draws,
                                        const meso_buffer *out);

#endif
