/* SPDX-License-Identifier: Apache-2.0
 *
 * augment.cl's kernels for GPUs: ITEMS work-items, a power of two, share out the pixels of a band.
 */
#define ITEM_KERNEL __kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
#define ITEM ((int)get_local_id(0))
#define GET_BAND                                                                                   \
    const int image = (int)get_global_id(1), band = (int)get_group_id(0);                          \
    const int rows = min(BAND, HEIGHT - band * BAND)
#define EACH(i, n) for (int i = ITEM; i < (n); i += ITEMS)

/* 8-bit pixels → words of one pixel each, the last column and the last row twice. */
ITEM_KERNEL augment_words(__global const uchar *pixels, __global uint *words, const int first)
{
    GET_BAND;
    const int with_last = rows + (band == BANDS - 1);
    EACH(i, with_last * (WIDTH + 1))
    {
        const int y = band * BAND + i / (WIDTH + 1), x = i % (WIDTH + 1);
        __global const uchar *from = pixels + (size_t)(first + image) * PICTURE +
                                     min(y, HEIGHT - 1) * ROW + 3 * min(x, WIDTH - 1);
        words[((size_t)image * (HEIGHT + 1) + y) * STRIDE + x] =
            from[0] | (uint)from[1] << 8 | (uint)from[2] << 16;
    }
}

/* The affine map, and the band's least and greatest R, G, B. */
ITEM_KERNEL augment_affine(__global const uint *words, __global const float *draws,
                           __global float *moved, __global float *range, const int first)
{
    __local float4 least_of[ITEMS], greatest_of[ITEMS];
    GET_BAND;
    __global const uint *from = words + (size_t)image * (HEIGHT + 1) * STRIDE;
    __global const float *draw = DRAW(first + image);
    __global float *to = moved + (size_t)image * PICTURE + (size_t)band * BAND * ROW;
    float4 least = INFINITY, greatest = -INFINITY;
    EACH(i, rows * WIDTH)
    {
        const float y = (float)(band * BAND + i / WIDTH), x = (float)(i % WIDTH);
        const float row = clamp(fma(x, draw[1], fma(draw[0], y, draw[2])), 0.0f, HEIGHT - 1.0f);
        const float column = clamp(fma(x, draw[4], fma(draw[3], y, draw[5])), 0.0f, WIDTH - 1.0f);
        const int top = (int)row, left = (int)column; /* not negative: downwards */
        const float4 v =
            between(from + top * STRIDE + left, row - (float)top, column - (float)left);
        least = SMALLER(v, least);
        greatest = LARGER(v, greatest);
        vstore3(v.xyz, i, to);
    }
    least_of[ITEM] = least;
    greatest_of[ITEM] = greatest;
    for (int apart = ITEMS / 2; apart > 0; apart /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (ITEM < apart) {
            least_of[ITEM] = SMALLER(least_of[ITEM + apart], least_of[ITEM]);
            greatest_of[ITEM] = LARGER(greatest_of[ITEM + apart], greatest_of[ITEM]);
        }
    }
    if (ITEM == 0) {
        vstore4(least_of[0], 2 * (image * BANDS + band), range);
        vstore4(greatest_of[0], 2 * (image * BANDS + band) + 1, range);
    }
}

inline float4 three(__global const float *v)
{
    return (float4)(v[0], v[1], v[2], 0.0f);
}

/* Moved pictures → what the net takes. */
ITEM_KERNEL augment_finish(__global const float *moved, __global const float *draws,
                           __global const float *range, __global const float *constants,
                           __global float *out, const int first)
{
    GET_BAND;
    const finish f = make_finish(DRAW(first + image), range, constants, image);
    __global const float *v = moved + (size_t)image * PICTURE + (size_t)band * BAND * ROW;
    __global float *to = out + (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    EACH(i, rows * WIDTH)
    {
        float4 p = finish_pixels(&f, f.shift, three(v + 3 * i)) * f.unit;
#if FEATURES && !SAMPLEWISE
        p = (p - three(MEAN)) * three(FACTOR);
#endif
        vstore3(p.xyz, i, to);
    }
}

#if BRIGHTNESS
/* The same as 8-bit pixels, which brightness leaves whole. */
ITEM_KERNEL augment_finish_bytes(__global const float *moved, __global const float *draws,
                                 __global const float *range, __global const float *constants,
                                 __global uchar *out, const int first)
{
    GET_BAND;
    const finish f = make_finish(DRAW(first + image), range, constants, image);
    __global const float *v = moved + (size_t)image * PICTURE + (size_t)band * BAND * ROW;
    __global uchar *to = out + (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    EACH(i, rows * WIDTH)
    {
        const float4 p = finish_pixels(&f, f.shift, three(v + 3 * i));
        vstore3(convert_uchar4(convert_int4(p)).xyz, i, to);
    }
}
#endif

/* Without draws. */
ITEM_KERNEL augment_unpack(__global const uchar *pixels, __global float *out,
                           __global const float *constants, const int first)
{
    GET_BAND;
    const size_t start = (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    EACH(i, rows * WIDTH)
    {
        float4 p = convert_float4((uchar4)(vload3(i, pixels + start), 0)) * UNIT;
#if FEATURES && !SAMPLEWISE
        p = (p - three(MEAN)) * three(FACTOR);
#endif
        vstore3(p.xyz, i, out + start);
    }
}

/* which = 0: the sum of a band's values; 1, behind it: of their squared distances from the
 * picture's mean. */
ITEM_KERNEL augment_sums(__global const float *out, __global float *sums, const int which,
                         const int first)
{
    __local float sum_of[ITEMS];
    GET_BAND;
    const float mean = which ? total(sums, image, 0) / PICTURE : 0.0f;
    __global const float *v = out + (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    float sum = 0.0f;
    EACH(i, rows * ROW)
    {
        const float p = v[i] - mean;
        sum += which ? p * p : p;
    }
    sum_of[ITEM] = sum;
    for (int apart = ITEMS / 2; apart > 0; apart /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (ITEM < apart)
            sum_of[ITEM] += sum_of[ITEM + apart];
    }
    if (ITEM == 0)
        sums[(image * 2 + which) * BANDS + band] = sum_of[0];
}

/* Samplewise, then featurewise: in place. */
ITEM_KERNEL augment_standardize(__global float *out, __global const float *sums,
                                __global const float *constants, const int first)
{
    GET_BAND;
    __global float *v = out + (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    const float mean = CENTER ? total(sums, image, 0) / PICTURE : 0.0f;
    const float factor = SCALE ? 1.0f / (sqrt(total(sums, image, 1) / PICTURE) + 1e-6f) : 1.0f;
    EACH(i, rows * WIDTH)
    {
        float4 p = (three(v + 3 * i) - mean) * factor;
        if (FEATURES)
            p = (p - three(MEAN)) * three(FACTOR);
        vstore3(p.xyz, i, v);
    }
}
