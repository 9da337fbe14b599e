/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESO_BENCH_PICTURES_H
#define MESO_BENCH_PICTURES_H

#include "base/random.h"

/* One picture [height][width][3]: random colours at grid points, bilinear between them, and some
 * noise. Of noise alone, trained nets are so sure that every answer is 0 or 1, and a comparison of
 * answers says nothing. */
void bench_draw_picture(meso_random *random, unsigned width, unsigned height, uint8_t *pixels);

#endif
