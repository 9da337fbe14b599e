/* SPDX-License-Identifier: Apache-2.0
 *
 * Work-groups of ITEMS work-items, a power of two from 32 on: see train.cl. Neighbours have
 * neighbouring columns, so that they read neighbouring addresses.
 */
typedef float vec;
#define LOAD_vec(p) (*(p))
#define STORE_vec(v, p) (*(p) = (v))
inline float sum_lanes(float v)
{
    return v;
}

#define TRAIN_KERNEL __attribute__((reqd_work_group_size(ITEMS, 1, 1))) __kernel void
#define BLOCK ((int)get_group_id(0))
#define ITEM ((int)get_local_id(0))
#define COLUMNS_APART TRAIN_COLUMNS
#define ROWS_APART (ITEMS / COLUMNS_APART)
#define ITEM_ROW (ITEM / COLUMNS_APART)
#define ITEM_COLUMN (ITEM % COLUMNS_APART)

#define ALONG(width, BODY)                                                                         \
    for (int x = ITEM_COLUMN; x < (width); x += COLUMNS_APART)                                     \
        BODY(float)

/* The work-group (block of rows, n · channels + c) of elementwise kernels; of pictures of one
 * pixel, which are vectors, (block of channels, n). */
#define GET_ROWS(t)                                                                                \
    const int is_vector = HEIGHT(t) * WIDTH(t) == 1, place = (int)get_global_id(0);                \
    const int n = (int)get_global_id(1) / (is_vector ? 1 : CHANNELS(t));                           \
    const int c = is_vector ? min(place, CHANNELS(t) - 1) : (int)get_global_id(1) % CHANNELS(t);   \
    const int x_begin = is_vector ? 0 : ITEM_COLUMN;                                               \
    const int y_begin = is_vector ? place - c : BLOCK * TRAIN_ROWS + ITEM_ROW;                     \
    const int y_end = is_vector ? 1 : min(BLOCK * TRAIN_ROWS + TRAIN_ROWS, HEIGHT(t))
#define EACH_ROW for (int y = y_begin; y < y_end; y += ROWS_APART)
#define ALONG_ROW_BY(width, BODY, F)                                                               \
    for (int x = x_begin; x < (width); x += COLUMNS_APART)                                         \
        BODY(float, F)
#define ALONG_ROW(width, BODY) ALONG_ROW_BY(width, APPLY, BODY)
#define ONE_BY_ONE ALONG_ROW

/* The work-group (…, group) of sums over images: here a group is a band of an image, of TRAIN_BAND
 * rows of t; of pictures of another height the same part. */
#define GET_GROUP(t, n, dimension)                                                                 \
    const int bands = (HEIGHT(t) + TRAIN_BAND - 1) / TRAIN_BAND;                                   \
    const int group = FIRST(t) * bands + (int)get_global_id(dimension), band = group % bands;      \
    const int image_begin = group / bands, image_end = image_begin + 1
#define EACH_ROW_OF(height)                                                                        \
    for (int rows = ((height) + bands - 1) / bands, y = band * rows + ITEM_ROW,                    \
             y_end = min((band + 1) * rows, (height));                                             \
         y < y_end; y += ROWS_APART)

/* a + b, each a float and what rounding took from it (Knuth). */
inline float2 add_pairs(const float2 a, const float2 b)
{
    const float sum = a.x + b.x, of_b = sum - a.x;
    return (float2)(sum, ((a.x - (sum - of_b)) + (b.x - of_b)) + (a.y + b.y));
}

/* The sum over all work-items of `sum`, less what Kahan's sum has lost, for each of them. All must
 * call it. */
INLINED float2 sum_items(__local float2 *sums, const float sum, const float lost)
{
    barrier(CLK_LOCAL_MEM_FENCE); /* the last sum has been read */
    sums[ITEM] = (float2)(sum, -lost);
    for (int apart = ITEMS / 2; apart > 0; apart /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (ITEM < apart)
            sums[ITEM] = add_pairs(sums[ITEM], sums[ITEM + apart]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return sums[0];
}
#define GET_SUMS __local float2 item_sums[ITEMS];
#define SUM(sum, lost) sum_items(item_sums, sum, lost)
