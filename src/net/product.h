/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions and dense layers as products of matrices, by CLBlast: another way to compute a step
 * of the plan, for the layers of a net that the user's tuning names. A convolution's input is
 * spread out first (cl/plain/conv.cl), a band of rows at a time.
 */
#ifndef MESO_NET_PRODUCT_H
#define MESO_NET_PRODUCT_H

#include "net/op/op.h"

typedef struct meso_products meso_products;

enum { MESO_PRODUCTS_TEXT = 256 };

/* NULL in *products where the user's tuning has no row for the net. Errors: MEMORY. */
meso_status meso_products_create(meso_device *device, const meso_net *net, size_t max_batch,
                                 meso_products **products);
void meso_products_close(meso_products *products); /* NULL is allowed */

/* Makes a product of the step's layer where tuning names it and where, from random input, it gives
 * what the plain kernel gives. Where they differ, or where CLBlast fails, it is switched off for
 * the device. The tensors' buffers are written. Errors: MEMORY. */
meso_status meso_products_add(meso_products *products, const meso_step *step);

/* By which row; zeros, for products NULL: none. */
void meso_products_tuning(const meso_products *products, int *values);

/* The layer is a product, and CLBlast still on. products NULL is allowed. */
int meso_products_has(const meso_products *products, const meso_layer *layer);

/* In place of the op's forward. What lies between the output's rows is written, too. Errors go to
 * the device. */
meso_status meso_products_forward(meso_products *products, const meso_step *step);

/* "13 convolutions, 3 dense layers", "switched off: …", or "" where no layer is named. */
void meso_products_describe(const meso_products *products, char text[MESO_PRODUCTS_TEXT]);

#endif
