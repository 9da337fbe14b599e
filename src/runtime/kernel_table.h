/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kernel: its name, the program it is built in, the kinds of its arguments. Adding a kernel
 * is adding a row here and its source in cl/.
 *
 * Kinds, one letter for each argument: b buffer, i int, f float, t tensor_t.
 */
#ifndef MESO_RUNTIME_KERNEL_TABLE_H
#define MESO_RUNTIME_KERNEL_TABLE_H

#include <stddef.h>

/* A program is the prelude and some files of cl/, built together: a build costs about 20 ms even
 * where the driver has it cached, so kernels that are used together live together. */
#define MESO_TRAIN_FILES                                                                          \
    "train_conv_strided", "train_elementwise", "activation", "prelu", "train_norm", "train_move", \
        "train_dense"
/*      id, work-items of a work-group at most, files of cl/ */
#define MESO_PROGRAMS(X)                                                                   \
    X(PLAIN, 64, "layout", "conv", "elementwise", "activation", "prelu", "pool", "dense")  \
    X(TRAIN, 1, "train", "train_rows", "train_conv", MESO_TRAIN_FILES, "train_pool",       \
      "train_norm_pool")                                                                   \
    X(PARALLEL, 128, "train", "train_items", "items_conv", MESO_TRAIN_FILES, "items_pool") \
    X(PEAK, 64, "peak")

/* Kernels of training, in both their programs, in one order.
 *      id                       name                       program  argument kinds */
#define MESO_TRAIN_KERNELS(X, P, PROGRAM)                                                       \
    X(P##UNPACK_TRAIN, "unpack_train", PROGRAM, "bfbt")                                         \
    X(P##CONV_ROWS, "conv_rows", PROGRAM, "btbiibtiiiiiiiibff")                                 \
    X(P##CONV_BACKWARD_DATA, "conv_backward_data", PROGRAM, "btbbtiiiiiiiii")                   \
    X(P##CONV_BACKWARD_WEIGHTS, "conv_backward_weights", PROGRAM, "btbtbiiiiiiiii")             \
    X(P##BIAS_TRAIN, "bias_train", PROGRAM, "btbbt")                                            \
    X(P##RELU_TRAIN, "relu_train", PROGRAM, "btfbt")                                            \
    X(P##CONCAT_TRAIN, "concat_train", PROGRAM, "btbti")                                        \
    X(P##MAX_POOL_TRAIN, "max_pool_train", PROGRAM, "btbtiiiiii")                               \
    X(P##BIAS_BACKWARD, "bias_backward", PROGRAM, "btbi")                                       \
    X(P##RELU_BACKWARD, "relu_backward", PROGRAM, "btfbt")                                      \
    X(P##BIAS_RELU_BACKWARD, "bias_relu_backward", PROGRAM, "btfbtbi")                          \
    X(P##LEAKY_RELU_BACKWARD, "leaky_relu_backward", PROGRAM, "btfbtbti")                       \
    X(P##ELU_BACKWARD, "elu_backward", PROGRAM, "btfbtbti")                                     \
    X(P##SIGMOID_BACKWARD, "sigmoid_backward", PROGRAM, "btfbtbti")                             \
    X(P##PRELU_BACKWARD, "prelu_backward", PROGRAM, "btbbtbti")                                 \
    X(P##PRELU_BACKWARD_SLOPE, "prelu_backward_slope", PROGRAM, "btbtbi")                       \
    X(P##GLOBAL_AVG_POOL_BACKWARD, "global_avg_pool_backward", PROGRAM, "btbti")                \
    X(P##CONCAT_BACKWARD, "concat_backward", PROGRAM, "btbtii")                                 \
    X(P##FLATTEN_BACKWARD, "flatten_backward", PROGRAM, "btbti")                                \
    X(P##DROPOUT, "dropout", PROGRAM, "btbtifiiiii")                                            \
    X(P##BATCH_NORM_MEASURE, "batch_norm_measure", PROGRAM, "btb")                              \
    X(P##BATCH_NORM_COMBINE, "batch_norm_combine", PROGRAM, "biiifbbff")                        \
    X(P##BATCH_NORM_APPLY, "batch_norm_apply", PROGRAM, "btbbbbt")                              \
    X(P##BATCH_NORM_BACKWARD_MEASURE, "batch_norm_backward_measure", PROGRAM, "btbtbbbi")       \
    X(P##BATCH_NORM_BACKWARD_COMBINE, "batch_norm_backward_combine", PROGRAM, "bbiifb")         \
    X(P##BATCH_NORM_BACKWARD_APPLY, "batch_norm_backward_apply", PROGRAM, "btbtbbbti")          \
    X(P##BATCH_NORM_BACKWARD_FROZEN, "batch_norm_backward_frozen", PROGRAM, "btbbfbti")         \
    X(P##MAX_POOL_BACKWARD, "max_pool_backward", PROGRAM, "btbtbtiiiiiiii")                     \
    X(P##NORM_POOL_APPLY, "norm_pool_apply", PROGRAM, "btbbbbtiiiiii")                          \
    X(P##NORM_POOL_BACKWARD_MEASURE, "norm_pool_backward_measure", PROGRAM, "btbtbbbbbiiiiiii") \
    X(P##NORM_POOL_BACKWARD_APPLY, "norm_pool_backward_apply", PROGRAM, "btbtbbbbtiiiiiiii")    \
    X(P##DENSE_TRAIN, "dense_train", PROGRAM, "btbbt")                                          \
    X(P##DENSE_BACKWARD_WEIGHTS, "dense_backward_weights", PROGRAM, "btbtbi")                   \
    X(P##DENSE_BACKWARD_DATA, "dense_backward_data", PROGRAM, "btbbti")                         \
    X(P##SOFTMAX_BACKWARD, "softmax_backward", PROGRAM, "btbtbti")                              \
    X(P##LOSS, "loss", PROGRAM, "btbiibtb")                                                     \
    X(P##ADAM, "adam", PROGRAM, "bibbbbbffff")                                                  \
    X(P##SGD, "sgd", PROGRAM, "bibbbbff")

/*      id                       name                       program  argument kinds */
#define MESO_KERNELS(X)                                                  \
    X(UNPACK_U8, "unpack_u8", PLAIN, "bfbt")                             \
    X(UNPACK_F32, "unpack_f32", PLAIN, "bbt")                            \
    X(ZERO_PAD, "zero_pad", PLAIN, "bt")                                 \
    X(CONV_FORWARD, "conv_forward", PLAIN, "btbbtiiiiiiii")              \
    X(CONV_SPREAD, "conv_spread", PLAIN, "btbtiiiiiiiii")                \
    X(BIAS_FORWARD, "bias_forward", PLAIN, "btbbt")                      \
    X(RELU_FORWARD, "relu_forward", PLAIN, "btfbt")                      \
    X(LEAKY_RELU_FORWARD, "leaky_relu_forward", PLAIN, "btfbt")          \
    X(ELU_FORWARD, "elu_forward", PLAIN, "btfbt")                        \
    X(SIGMOID_FORWARD, "sigmoid_forward", PLAIN, "btfbt")                \
    X(PRELU_FORWARD, "prelu_forward", PLAIN, "btbbt")                    \
    X(BATCH_NORM_FORWARD, "batch_norm_forward", PLAIN, "btbbbbfbt")      \
    X(MAX_POOL_FORWARD, "max_pool_forward", PLAIN, "btbtiiiiii")         \
    X(GLOBAL_AVG_POOL_FORWARD, "global_avg_pool_forward", PLAIN, "btbt") \
    X(CONCAT_FORWARD, "concat_forward", PLAIN, "btbti")                  \
    X(FLATTEN_FORWARD, "flatten_forward", PLAIN, "btbt")                 \
    X(DENSE_FORWARD, "dense_forward", PLAIN, "btbbt")                    \
    X(SOFTMAX_FORWARD, "softmax_forward", PLAIN, "btbt")                 \
    MESO_TRAIN_KERNELS(X, , TRAIN)                                       \
    MESO_TRAIN_KERNELS(X, PARALLEL_, PARALLEL)                           \
    X(PEAK_COPY, "peak_copy", PEAK, "bbi")                               \
    X(PEAK_FLOAT4, "peak_float4", PEAK, "biiff")                         \
    X(PEAK_FLOAT8, "peak_float8", PEAK, "biiff")                         \
    X(PEAK_FLOAT16, "peak_float16", PEAK, "biiff")

typedef enum meso_program_id {
#define MESO_ROW(id, ...) MESO_PROGRAM_##id,
    MESO_PROGRAMS(MESO_ROW)
#undef MESO_ROW
        MESO_N_PROGRAMS
} meso_program_id;

typedef enum meso_kernel_id {
#define MESO_ROW(id, name, program, kinds) MESO_KERNEL_##id,
    MESO_KERNELS(MESO_ROW)
#undef MESO_ROW
        MESO_N_KERNELS
} meso_kernel_id;

/* The same kernel of training in the program PARALLEL. */
static inline meso_kernel_id meso_kernel_parallel(meso_kernel_id id)
{
    return (meso_kernel_id)(id + MESO_KERNEL_PARALLEL_UNPACK_TRAIN - MESO_KERNEL_UNPACK_TRAIN);
}

/* The kernels know them without MESO_. */
enum {
    MESO_FILTER_GROUP = 8,   /* filters that a work-item of the plain convolution computes */
    MESO_TRAIN_GROUP = 8,    /* images whose gradients are summed before the batch's, on CPUs */
    MESO_TRAIN_ROWS = 16,    /* rows (or inputs of a dense layer) of a work-group in training */
    MESO_TRAIN_COLUMNS = 32, /* columns of a work-group of many work-items at a time */
    MESO_TRAIN_BAND = 32,    /* rows of an image whose gradients a work-group sums, there */
    MESO_TRAIN_WINDOW = 512, /* vectors of filter values that a work-group has at a time */
    MESO_TRAIN_BLOCK = 1024  /* weights of a work-item of an optimiser on CPUs */
};

enum { MESO_MAX_PROGRAM_FILES = 13 };

typedef struct meso_program_row {
    size_t group_size; /* of its kernels, in the first dimension; less where the device wants */
    const char *files[MESO_MAX_PROGRAM_FILES]; /* names in cl/ without ending; NULL ends */
} meso_program_row;

typedef struct meso_kernel_row {
    const char *name;
    meso_program_id program;
    const char *kinds;
} meso_kernel_row;

extern const meso_program_row meso_program_rows[MESO_N_PROGRAMS];
extern const meso_kernel_row meso_kernel_rows[MESO_N_KERNELS];

#endif
