/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernels of training share. They are built twice. In the program TRAIN, for CPUs, a
 * work-group is one work-item, which walks along rows in vectors (train_rows.cl). In PARALLEL, for
 * GPUs, it is ITEMS work-items, which share out the same pixels (train_items.cl). Both files define
 *
 *   TRAIN_KERNEL             in front of a kernel's name
 *   BLOCK                    the work-group in dimension 0; in the others its number is the
 *                            work-item's
 *   ITEM, ITEMS              the work-item, and how many there are, taken as a list
 *   ITEM_ROW, ROWS_APART     the same as a rectangle: a work-item's first row, the steps to its
 *   ITEM_COLUMN, COLUMNS_APART   next ones, and likewise its columns
 *   ALONG                    its columns of a row
 *   GET_ROWS, EACH_ROW, ALONG_ROW, ONE_BY_ONE   its own part of an elementwise kernel's picture;
 *                            the last goes without vectors
 *   GET_GROUP, EACH_ROW_OF   the group of a gradient's sum, and the work-item's rows of it
 *   GET_SUMS, SUM            sums over the work-items of a group, in fixed order
 *
 * Sums over a batch are made in groups of TRAIN_GROUP images, image after image, so that their
 * order does not depend on how a batch is split: the gradients of parameters are
 * partial[group][value], the first image of a group writes, the others add.
 */
#define UNROLL _Pragma("unroll")
#define NO_UNROLL _Pragma("unroll 1")

/* A body of ALONG is written with LOAD_ and STORE_, whose type is vec or float; that of ALONG_…_BY
 * gets another macro beside. */
#define LOAD_float(p) (*(p))
#define STORE_float(v, p) (*(p) = (v))
#define APPLY(T, BODY) BODY(T)

/* *sum += v, keeping in *lost what rounding took (Kahan): for totals over many rows. */
inline void add_exactly(float *sum, float *lost, float v)
{
    const float w = v - *lost, total = *sum + w;
    *lost = (total - *sum) - w;
    *sum = total;
}

/* A group's sum begins with its first image. */
inline void add_to_group(__global float *sum, int image, float value)
{
    *sum = image % TRAIN_GROUP == 0 ? value : *sum + value;
}
