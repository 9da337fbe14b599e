/* SPDX-License-Identifier: Apache-2.0
 *
 * A work-group of one work-item, which walks along rows in vectors: see train.cl.
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
#define BLOCK ((int)get_global_id(0))
#define ITEM 0
#define ITEMS 1
#define ITEM_ROW 0
#define ROWS_APART 1
#define ITEM_COLUMN 0
#define COLUMNS_APART 1

/* BODY(type) for each vector of a row, then for each float that is left; x is where it begins. */
#define ALONG_BY(width, BODY, F)                                                                   \
    {                                                                                              \
        int x = 0;                                                                                 \
        for (; x + LANES <= (width); x += LANES)                                                   \
            BODY(vec, F)                                                                           \
        for (; x < (width); x++)                                                                   \
            BODY(float, F)                                                                         \
    }
#define ALONG(width, BODY) ALONG_BY(width, APPLY, BODY)
#define LOAD_vec(p) VLOAD(0, p)
#define STORE_vec(v, p) VSTORE(v, 0, p)

/* The work-item (block of rows, n · channels + c) of elementwise kernels. */
#define GET_ROWS(t)                                                                                \
    const int n = (int)get_global_id(1) / CHANNELS(t);                                             \
    const int c = (int)get_global_id(1) % CHANNELS(t);                                             \
    const int y_begin = (int)get_global_id(0) * TRAIN_ROWS;                                        \
    const int y_end = min(y_begin + TRAIN_ROWS, HEIGHT(t))
#define EACH_ROW for (int y = y_begin; y < y_end; y++)
#define ALONG_ROW ALONG
#define ALONG_ROW_BY ALONG_BY
#define ONE_BY_ONE(width, BODY)                                                                    \
    for (int x = 0; x < (width); x++)                                                              \
        BODY(float)

/* The work-item (…, group from the first that has images) of sums over images: absolute numbers of
 * the images of its group among the n from FIRST(t) on. */
#define GET_GROUP(t, n, dimension)                                                                 \
    const int group = FIRST(t) / TRAIN_GROUP + (int)get_global_id(dimension);                      \
    const int image_begin = max(FIRST(t), group * TRAIN_GROUP);                                    \
    const int image_end = min(FIRST(t) + (n), (group + 1) * TRAIN_GROUP)
#define EACH_ROW_OF(height) for (int y = 0; y < (height); y++)

/* The work-item's own sum is the whole. */
#define GET_SUMS
#define SUM(sum, lost) ((float2)(sum, -(lost)))
