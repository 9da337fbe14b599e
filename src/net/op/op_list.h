/* SPDX-License-Identifier: Apache-2.0
 *
 * The closed list of ops, and what a layer of each is set to. An op is op_<name>.c, or in the file
 * of its family.
 */
#ifndef MESO_NET_OP_LIST_H
#define MESO_NET_OP_LIST_H

/* clang-format off */
#define MESO_OPS(X)                                                                                \
    X(input) X(conv) X(bias) X(relu) X(leaky_relu) X(elu) X(prelu) X(batch_norm) X(max_pool)       \
    X(concat) X(flatten) X(global_avg_pool) X(dense) X(dropout) X(sigmoid) X(softmax)
/* clang-format on */

/* A window sliding over height and width: settings of conv and max_pool, [0] vertical, [1]
 * horizontal. */
typedef struct meso_window {
    int size[2], stride[2], dilation[2];
    enum { MESO_PAD_SAME, MESO_PAD_VALID, MESO_PAD_EXPLICIT } pad;
    int before[2]; /* zeros above and left; known once the shape is */
    int after[2];  /* below and right, as far as the last window reaches */
} meso_window;

/* One member for each op that has settings. */
typedef union meso_settings {
    struct {
        int height, width, channels;
        double divide; /* 8-bit pixels are divided by it */
    } input;
    struct {
        int filters;
        meso_window window;
    } conv;
    struct {
        double cap; /* infinity: none */
    } relu;
    struct {
        double slope;
    } leaky_relu;
    struct {
        double alpha;
    } elu;
    struct {
        double epsilon;
    } batch_norm;
    struct {
        meso_window window;
    } max_pool;
    struct {
        int units;
    } dense;
    struct {
        double rate;
    } dropout;
} meso_settings;

#endif
