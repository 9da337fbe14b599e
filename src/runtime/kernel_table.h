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
/*      id, work-items of a work-group at most, files of cl/ */
#define MESO_PROGRAMS(X)                                                                     \
    X(PLAIN, 64, "layout", "conv", "elementwise", "activation", "pool", "dense")             \
    X(TRAIN, 1, "train_rows", "train_conv", "train_elementwise", "activation", "train_norm", \
      "train_pool", "train_norm_pool", "train_move", "train_dense")                          \
    X(PEAK, 64, "peak")

/*      id                       name                       program  argument kinds */
#define MESO_KERNELS(X)                                                                    \
    X(UNPACK_U8, "unpack_u8", PLAIN, "bfbt")                                               \
    X(UNPACK_F32, "unpack_f32", PLAIN, "bbt")                                              \
    X(ZERO_PAD, "zero_pad", PLAIN, "bt")                                                   \
    X(CONV_FORWARD, "conv_forward", PLAIN, "btbbtiiiiiiii")                                \
    X(CONV_SPREAD, "conv_spread", PLAIN, "btbtiiiiiiiii")                                  \
    X(BIAS_FORWARD, "bias_forward", PLAIN, "btbbt")                                        \
    X(RELU_FORWARD, "relu_forward", PLAIN, "btfbt")                                        \
    X(LEAKY_RELU_FORWARD, "leaky_relu_forward", PLAIN, "btfbt")                            \
    X(ELU_FORWARD, "elu_forward", PLAIN, "btfbt")                                          \
    X(SIGMOID_FORWARD, "sigmoid_forward", PLAIN, "btfbt")                                  \
    X(BATCH_NORM_FORWARD, "batch_norm_forward", PLAIN, "btbbbbfbt")                        \
    X(MAX_POOL_FORWARD, "max_pool_forward", PLAIN, "btbtiiiiii")                           \
    X(GLOBAL_AVG_POOL_FORWARD, "global_avg_pool_forward", PLAIN, "btbt")                   \
    X(CONCAT_FORWARD, "concat_forward", PLAIN, "btbti")                                    \
    X(FLATTEN_FORWARD, "flatten_forward", PLAIN, "btbt")                                   \
    X(DENSE_FORWARD, "dense_forward", PLAIN, "btbbt")                                      \
    X(SOFTMAX_FORWARD, "softmax_forward", PLAIN, "btbt")                                   \
    X(UNPACK_TRAIN, "unpack_train", TRAIN, "bfbt")                                         \
    X(CONV_ROWS, "conv_rows", TRAIN, "btbiibtiiiiiiiibff")                                 \
    X(CONV_BACKWARD_DATA, "conv_backward_data", TRAIN, "btbbtiiiiiiiii")                   \
    X(CONV_BACKWARD_WEIGHTS, "conv_backward_weights", TRAIN, "btbtbiiiiiiiii")             \
    X(BIAS_TRAIN, "bias_train", TRAIN, "btbbt")                                            \
    X(RELU_TRAIN, "relu_train", TRAIN, "btfbt")                                            \
    X(CONCAT_TRAIN, "concat_train", TRAIN, "btbti")                                        \
    X(MAX_POOL_TRAIN, "max_pool_train", TRAIN, "btbtiiiiii")                               \
    X(BIAS_BACKWARD, "bias_backward", TRAIN, "btbi")                                       \
    X(RELU_BACKWARD, "relu_backward", TRAIN, "btfbt")                                      \
    X(BIAS_RELU_BACKWARD, "bias_relu_backward", TRAIN, "btfbtbi")                          \
    X(LEAKY_RELU_BACKWARD, "leaky_relu_backward", TRAIN, "btfbtbti")                       \
    X(ELU_BACKWARD, "elu_backward", TRAIN, "btfbtbti")                                     \
    X(SIGMOID_BACKWARD, "sigmoid_backward", TRAIN, "btfbtbti")                             \
    X(GLOBAL_AVG_POOL_BACKWARD, "global_avg_pool_backward", TRAIN, "btbti")                \
    X(CONCAT_BACKWARD, "concat_backward", TRAIN, "btbtii")                                 \
    X(FLATTEN_BACKWARD, "flatten_backward", TRAIN, "btbti")                                \
    X(DROPOUT, "dropout", TRAIN, "btbtifiiiii")                                            \
    X(BATCH_NORM_MEASURE, "batch_norm_measure", TRAIN, "btb")                              \
    X(BATCH_NORM_COMBINE, "batch_norm_combine", TRAIN, "biiifbbff")                        \
    X(BATCH_NORM_APPLY, "batch_norm_apply", TRAIN, "btbbbbt")                              \
    X(BATCH_NORM_BACKWARD_MEASURE, "batch_norm_backward_measure", TRAIN, "btbtbbbi")       \
    X(BATCH_NORM_BACKWARD_COMBINE, "batch_norm_backward_combine", TRAIN, "bbiifb")         \
    X(BATCH_NORM_BACKWARD_APPLY, "batch_norm_backward_apply", TRAIN, "btbtbbbti")          \
    X(BATCH_NORM_BACKWARD_FROZEN, "batch_norm_backward_frozen", TRAIN, "btbbfbti")         \
    X(MAX_POOL_BACKWARD, "max_pool_backward", TRAIN, "btbtbtiiiiiiii")                     \
    X(NORM_POOL_APPLY, "norm_pool_apply", TRAIN, "btbbbbtiiiiii")                          \
    X(NORM_POOL_BACKWARD_MEASURE, "norm_pool_backward_measure", TRAIN, "btbtbbbbbiiiiiii") \
    X(NORM_POOL_BACKWARD_APPLY, "norm_pool_backward_apply", TRAIN, "btbtbbbbtiiiiiiii")    \
    X(DENSE_TRAIN, "dense_train", TRAIN, "btbbt")                                          \
    X(DENSE_BACKWARD_WEIGHTS, "dense_backward_weights", TRAIN, "btbtbi")                   \
    X(DENSE_BACKWARD_DATA, "dense_backward_data", TRAIN, "btbbti")                         \
    X(SOFTMAX_BACKWARD, "softmax_backward", TRAIN, "btbtbti")                              \
    X(LOSS, "loss", TRAIN, "btbiibtb")                                                     \
    X(ADAM, "adam", TRAIN, "biibbbbffff")                                                  \
    X(SGD, "sgd", TRAIN, "biibbbff")                                                       \
    X(PEAK_COPY, "peak_copy", PEAK, "bbi")                                                 \
    X(PEAK_FLOAT4, "peak_float4", PEAK, "biiff")                                           \
    X(PEAK_FLOAT8, "peak_float8", PEAK, "biiff")                                           \
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

/* The kernels know them without MESO_. */
enum {
    MESO_FILTER_GROUP = 8,  /* filters that a work-item of the plain convolution computes */
    MESO_TRAIN_GROUP = 8,   /* images whose gradients are summed before the batch's */
    MESO_TRAIN_ROWS = 16,   /* rows (or inputs of a dense layer) of a work-item in training */
    MESO_TRAIN_BLOCK = 1024 /* weights of a work-item of an optimiser */
};

enum { MESO_MAX_PROGRAM_FILES = 10 };

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
