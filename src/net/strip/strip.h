/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused blocks for CPU devices, in the strip layout (cl/strip/strip.cl): which layers of a net they
 * cover, and with which sizes. strip_blocks.c finds them, strip_source.c
 * writes the program, winograd.c and strip_params.c prepare the parameters, strip_run.c runs them,
 * strip_tuning.c reads their sizes.
 */
#ifndef MESO_NET_STRIP_H
#define MESO_NET_STRIP_H

#include "base/text.h"
#include "net/block/block.h"

typedef enum meso_strip_method {
    MESO_STRIP_DIRECT,
    MESO_STRIP_WINOGRAD_Y,
    MESO_STRIP_WINOGRAD_YX
} meso_strip_method;

/* One row of tuning: everything about the strip kernels that depends on the processor. */
typedef struct meso_strip_tuning {
    char name[28];         /* part of the kernels' names */
    const char *condition; /* preprocessor expression, true where the compiler's target wants it */
    int lanes;             /* floats of a vector */
    int accumulators;      /* vectors that a block of products keeps in registers */
    int first_filters;     /* filters side by side in the first block */
    int first_tile_rows;   /* tile rows of a work-item there */
    int chunk;             /* images that go through all blocks before the next ones */
    meso_strip_method method_3, method_5; /* for 3 × 3 and 5 × 5 windows */
} meso_strip_tuning;

/* The rows of tune/, best first; the last one's condition is always true. They are there until the
 * process ends, for all threads. Errors: INTERNAL (a file of tune/ holds no row), MEMORY. */
enum { MESO_N_STRIP_TUNINGS = 3 };
meso_status meso_strip_shipped(const meso_strip_tuning **rows, meso_error *error);

/* The sizes of a file of tune/; 0 where it holds no row of inference. */
int meso_strip_read_tuning(const char *text, size_t length, meso_strip_tuning *row);

/* Families of tuning (runtime/tuning.h), for inference and training. */
extern const struct meso_tuning_family meso_tuning_fused, meso_tuning_fused_training;

/* A row from the values of one of the two, and the values of a row. Its name holds the values: two
 * rows that compute otherwise have two names. */
void meso_strip_tune(const struct meso_tuning_family *family, const int *values,
                     meso_strip_tuning *row);
void meso_strip_tuning_values(const struct meso_tuning_family *family, const meso_strip_tuning *row,
                              int *values);

/* One-dimensional Winograd at most, for the last digit. */
void meso_strip_make_exact(meso_strip_tuning *row);

/* How a tensor lies in strips. */
typedef struct meso_strip_shape {
    meso_shape shape;
    int two_halves; /* 1: halves of the picture side by side */
    int pad;        /* rows of zeros above and below */
    int gap; /* vectors between rows that nobody uses: rows a power of two apart share cache sets */
} meso_strip_shape;

typedef struct meso_strip_block {
    meso_block layers; /* of its convolutions the method is chosen, and the filters side by side */
    meso_strip_shape in, out;
    int bands; /* of eight rows that a work-item computes; 0: no inception block */
} meso_strip_block;

typedef struct meso_strip_plan {
    meso_strip_tuning tuning;
    meso_strip_block blocks[MESO_MAX_BLOCKS];
    size_t n_blocks; /* 0: nothing to fuse */
    meso_head head;  /* flatten NULL: the net ends otherwise */
    size_t last;     /* the layer whose output the fused part ends with */
} meso_strip_plan;

/* As many blocks as can be fused from the input on, with this row. */
void meso_strip_find(const meso_net *net, const meso_strip_tuning *tuning, meso_strip_plan *plan);

static inline int meso_strip_pixels_per_lane(const meso_strip_shape *s, int lanes)
{
    return s->shape.w / (s->two_halves ? lanes / 2 : lanes);
}
/* Rows of vectors, pad included. */
static inline int meso_strip_rows(const meso_strip_shape *s)
{
    return s->shape.h / (s->two_halves ? 2 : 1) + 2 * s->pad;
}
/* Vectors from a row to the next. */
static inline int meso_strip_stride(const meso_strip_shape *s, int lanes)
{
    return s->shape.c * meso_strip_pixels_per_lane(s, lanes) + s->gap;
}
/* Floats of one image. */
static inline size_t meso_strip_size(const meso_strip_shape *s, int lanes)
{
    return (size_t)meso_strip_rows(s) * (size_t)meso_strip_stride(s, lanes) * (size_t)lanes;
}
/* Position of (channel, row, column) among the floats of one image. */
size_t meso_strip_offset(const meso_strip_shape *s, int lanes, int c, int y, int x);

/* The first block's kernel takes 8-bit pixels as they are. */
int meso_strip_takes_pixels(const meso_strip_plan *plan);

/* Writes the kernels of a plan that has blocks. */
typedef meso_status meso_strip_writer(meso_text *source, const meso_net *net,
                                      const meso_strip_plan *plan, meso_error *error);
meso_strip_writer meso_strip_write; /* those of inference */

/* The program for a plan with each row: the compiler takes the first whose condition holds.
 * plans[i] belongs to row i of meso_strip_shipped. Errors: MEMORY, INTERNAL. */
meso_status meso_strip_source(const meso_net *net, const meso_strip_plan *plans, size_t n,
                              meso_strip_writer *writer, meso_text *source, meso_error *error);

/* The strip layout: LANES and the picture. */
meso_status meso_strip_write_layout(meso_text *source, const meso_strip_plan *plan,
                                    meso_error *error);

/* Work-items of a block's kernel for one image. */
static inline size_t meso_strip_items(const meso_strip_block *block)
{
    int rows = block->bands ? 8 * block->bands : block->in.two_halves ? 8 : 4;
    return (size_t)(block->in.shape.h / rows);
}

/* Work-items of the first block's kernel that takes pixels. */
static inline size_t meso_strip_first_items(const meso_strip_plan *plan)
{
    return (size_t)(plan->blocks[0].in.shape.h / 4 / plan->tuning.first_tile_rows);
}

/* Every layer from 8-bit colour pictures to logits is in a fused block, so they make a chain. */
static inline int meso_strip_covers_net(const meso_strip_plan *plan)
{
    return plan->head.flatten && plan->blocks[0].in.shape.c == 3;
}

/* Filters as the kernel takes them, from kernel [taps][taps][channels][filters], in the order that
 * cl/strip/strip_block.cl says. divide: what the first block's input was multiplied by. negate[k] =
 * 1 turns filter k's sign; NULL: none. */
void meso_strip_filters(const meso_block_conv *conv, const float *kernel, const int *negate,
                        double divide, float *out);
size_t meso_strip_n_filter_values(const meso_block_conv *conv);

/* Winograd's transform of taps: F(4, taps), taps 3 or 5, [point][tap], taps + 3 points. */
enum { MESO_STRIP_MAX_TAPS = 5, MESO_STRIP_MAX_POINTS = 8 };
void meso_strip_transform(int taps, double g[MESO_STRIP_MAX_POINTS][MESO_STRIP_MAX_TAPS]);
/* The same as powers / divisors, of which both are floats, and the powers those of 2, or 0. */
void meso_strip_powers(int taps, double powers[MESO_STRIP_MAX_POINTS][MESO_STRIP_MAX_TAPS],
                       double divisors[MESO_STRIP_MAX_POINTS]);

/* Floats that a branch takes of its block's filters. */
size_t meso_strip_n_branch_values(const meso_block_branch *branch);

/* A block's filters, and its affine [bias, scale, shift, sign][filter], as its kernel takes them;
 * params: the net's. The caller frees both, also where one is NULL: out of memory. */
void meso_strip_params(const meso_block *block, const float *const *params, double divide,
                       float **filters, size_t *n_filters, float **affine);

/* The head's hidden kernel, its rows from Keras' order (row, column, channel) into that of the last
 * strips. The caller frees it; NULL: out of memory. */
float *meso_strip_hidden(const meso_strip_plan *plan, const float *kernel);

#endif
