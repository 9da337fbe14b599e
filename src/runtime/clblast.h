/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of matrices by CLBlast, where that library is: it is loaded at the first product, since
 * loading takes longer (5 ms) than most programs have use for.
 */
#ifndef MESO_RUNTIME_CLBLAST_H
#define MESO_RUNTIME_CLBLAST_H

#include "runtime/device.h"

/* Where a matrix begins, and how far its rows are apart, in floats. */
typedef struct meso_matrix {
    const meso_buffer *buffer;
    size_t first, stride;
} meso_matrix;

/* c [m][n] = a [m][k] · b [k][n]; transposed: a is [k][m]. */
typedef struct meso_product {
    size_t m, n, k;
    int transposed;
    meso_matrix a, b, c;
} meso_product;

/* 1: the library is loaded now. */
int meso_clblast_load(void);

/* Enqueues a product on the lane in use. wait: for shapes that the device meets for the first time,
 * whose kernels are compiled meanwhile; ends when the product does. Errors: DEVICE, DEVICE_MEMORY.
 */
meso_status meso_clblast_multiply(meso_device *device, const meso_product *product, int wait);

/* Never again on this device. The first reason counts. */
void meso_clblast_switch_off(meso_device *device, const char *reason);

/* Why it is switched off; "": it is not. */
const char *meso_clblast_off(const meso_device *device);

#endif
