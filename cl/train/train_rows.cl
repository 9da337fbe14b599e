/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernels of training share. Work-groups are of one work-item, which walks along
 * rows in vectors.
 *
 * Sums over a batch are made in groups of TRAIN_GROUP images, image after image, so that their
 * order does not depend on how a batch is split: the gradients of parameters are
 * partial[group][value], the first image of a group writes, the others add.
 */
#ifdef __AVX512F__
#define LANES 16
typedef float16 vec;
typedef float8 half_vec;
typedef int16 mask;
#define SWAP_PAIRS(v) ((v).s1032547698badcfe)
#define TWICE(half) ((half).s0011223344556677)
#define HALF_LOAD vload8
#define VLOAD vload16
#define VSTORE vstore16
#define HALF_STORE vstore8
inline float sum_lanes(vec v)
{
    const float8 a = v.lo + v.hi;
    const float4 b = a.lo + a.hi;
    const float2 c = b.lo + b.hi;
    return c.x + c.y;
}
#else
#define LANES 8
typedef float8 vec;
typedef float4 half_vec;
typedef int8 mask;
#define SWAP_PAIRS(v) ((v).s10325476)
#define TWICE(half) ((half).s00112233)
#define HALF_LOAD vload4
#define VLOAD vload8
#define VSTORE vstore8
#define HALF_STORE vstore4
inline float sum_lanes(vec v)
{
    const float4 b = v.lo + v.hi;
    const float2 c = b.lo + b.hi;
    return c.x + c.y;
}
#endif

#define TRAIN_KERNEL __attribute__((reqd_work_group_size(1, 1, 1))) __kernel void
#define UNROLL _Pragma("unroll")
#define NO_UNROLL _Pragma("unroll 1")

/* BODY(type) for each vector of a row, then for each float that is left; x is where it begins. A
 * body is written with LOAD_ and STORE_, whose type is vec or float. */
#define ALONG(width, BODY)                                                                         \
    {                                                                                              \
        int x = 0;                                                                                 \
        for (; x + LANES <= (width); x += LANES)                                                   \
            BODY(vec)                                                                              \
        for (; x < (width); x++)                                                                   \
            BODY(float)                                                                            \
    }
#define LOAD_vec(p) VLOAD(0, p)
#define LOAD_float(p) (*(p))
#define STORE_vec(v, p) VSTORE(v, 0, p)
#define STORE_float(v, p) (*(p) = (v))
#define SUM_vec(v) sum_lanes(v)
#define SUM_float(v) (v)

/* The work-item (block of rows, n · channels + c) of elementwise kernels. */
#define GET_ROWS(t)                                                                                \
    const int n = (int)get_global_id(1) / CHANNELS(t);                                             \
    const int c = (int)get_global_id(1) % CHANNELS(t);                                             \
    const int y_begin = (int)get_global_id(0) * TRAIN_ROWS;                                        \
    const int y_end = min(y_begin + TRAIN_ROWS, HEIGHT(t))

/* The work-item (…, group from the first that has images) of sums over images: absolute numbers of
 * the images of its group among the n from FIRST(t) on. */
#define GET_GROUP(t, n, dimension)                                                                 \
    const int group = FIRST(t) / TRAIN_GROUP + (int)get_global_id(dimension);                      \
    const int image_begin = max(FIRST(t), group * TRAIN_GROUP);                                    \
    const int image_end = min(FIRST(t) + (n), (group + 1) * TRAIN_GROUP)

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
