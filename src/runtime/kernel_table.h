/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kernel: its name, the program it is built in, the kinds of its arguments. Adding a kernel
 * is adding a row here and its source in cl/.
 *
 * Kinds, one letter for each argument: b buffer, i int, f float, t tensor_t.
 */
#ifndef MESO_RUNTIME_KERNEL_TABLE_H
#define MESO_RUNTIME_KERNEL_TABLE_H

/* A program is the prelude and some files of cl/, built together: a build costs about 20 ms even
 * where the driver has it cached, so kernels that are used together live together. */
/*      id     files of cl/ */
#define MESO_PROGRAMS(X)                                       \
    X(PLAIN, "layout", "conv", "elementwise", "pool", "dense") \
    X(PEAK, "peak")

/*      id                       name                       program  argument kinds */
#define MESO_KERNELS(X)                                                  \
    X(UNPACK_U8, "unpack_u8", PLAIN, "bfbt")                             \
    X(UNPACK_F32, "unpack_f32", PLAIN, "bbt")                            \
    X(ZERO_PAD, "zero_pad", PLAIN, "bt")                                 \
    X(CONV_FORWARD, "conv_forward", PLAIN, "btbbtiiiiiiii")              \
    X(BIAS_FORWARD, "bias_forward", PLAIN, "btbbt")                      \
    X(RELU_FORWARD, "relu_forward", PLAIN, "btfbt")                      \
    X(LEAKY_RELU_FORWARD, "leaky_relu_forward", PLAIN, "btfbt")          \
    X(ELU_FORWARD, "elu_forward", PLAIN, "btfbt")                        \
    X(SIGMOID_FORWARD, "sigmoid_forward", PLAIN, "btfbt")                \
    X(BATCH_NORM_FORWARD, "batch_norm_forward", PLAIN, "btbbbbfbt")      \
    X(MAX_POOL_FORWARD, "max_pool_forward", PLAIN, "btbtiiiiii")         \
    X(GLOBAL_AVG_POOL_FORWARD, "global_avg_pool_forward", PLAIN, "btbt") \
    X(CONCAT_FORWARD, "concat_forward", PLAIN, "btbti")                  \
    X(FLATTEN_FORWARD, "flatten_forward", PLAIN, "btbt")                 \
    X(DENSE_FORWARD, "dense_forward", PLAIN, "btbbt")                    \
    X(SOFTMAX_FORWARD, "softmax_forward", PLAIN, "btbt")                 \
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

/* Filters that a work-item of the plain convolution computes; FILTER_GROUP in the kernels. */
enum { MESO_FILTER_GROUP = 8 };

enum { MESO_MAX_PROGRAM_FILES = 8 };

typedef struct meso_program_row {
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
