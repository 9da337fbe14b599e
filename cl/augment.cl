/* SPDX-License-Identifier: Apache-2.0
 *
 * 8-bit pictures [n][HEIGHT][WIDTH][3] → what the net takes, as floats in the same order. Put together at run time:
 * the host defines HEIGHT and WIDTH, BAND (rows of a work-item), STRIDE (words of a row) and what is wanted:
 *   BRIGHTNESS      1: factor
 *   STRETCH         before it: 0 nothing, 1 least…greatest to 0…255, 2 0…greatest to 0…255
 *   CHANNEL_SHIFT   1: shift, clipped to the picture's least and greatest value
 *   CENTER, SCALE   1: samplewise;  FEATURES  1: featurewise
 *
 * A work-item is (band of rows, image). What concerns a whole picture is found band by band and put together by
 * everybody who needs it, in the order of bands.
 */
#define SAMPLEWISE (CENTER || SCALE)
#define BANDS ((HEIGHT + BAND - 1) / BAND)
#define ROW (WIDTH * 3)
#define PICTURE ((size_t)HEIGHT * ROW)
#define ITEM_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void

/* A draw, as meso_augment_draw: 10 floats. */
#define DRAW(n) (draws + (size_t)(n) * 10)
/* Of the constants: 1 / divide, then for R, G, B the mean and 1 / (deviation + 1e-6), or 0 and 1. */
#define UNIT (constants[0])
#define MEAN (constants + 1)
#define FACTOR (constants + 4)

/* Values of R, G, B repeated over 48 floats: a picture's values from a pixel's first on. */
typedef struct colours {
    float16 part[3];
} colours;

inline colours repeat_colours(const float r, const float g, const float b)
{
    colours c;
    c.part[0] = (float16)(r, g, b, r, g, b, r, g, b, r, g, b, r, g, b, r);
    c.part[1] = (float16)(g, b, r, g, b, r, g, b, r, g, b, r, g, b, r, g);
    c.part[2] = (float16)(b, r, g, b, r, g, b, r, g, b, r, g, b, r, g, b);
    return c;
}

/* Values v[0] … v[15], of which n are there; and back. */
inline float16 load_part(__global const float *v, const int n)
{
    if (n >= 16)
        return vload16(0, v);
    float some[16];
    for (int i = 0; i < 16; i++)
        some[i] = i < n ? v[i] : 0.0f;
    return vload16(0, some);
}

inline void store_part(const float16 p, __global float *v, const int n)
{
    if (n >= 16) {
        vstore16(p, 0, v);
        return;
    }
    float some[16];
    vstore16(p, 0, some);
    for (int i = 0; i < n; i++)
        v[i] = some[i];
}

/* 8-bit pixels → words of one pixel each, the last column and the last row twice, so that every point between pixels
 * has four neighbours. */
ITEM_KERNEL augment_words(__global const uchar *pixels, __global uint *words, const int first)
{
    const int image = (int)get_global_id(1), begin = (int)get_global_id(0) * BAND;
    for (int y = begin; y < min(begin + BAND, HEIGHT + 1); y++) {
        __global const uchar *from =
            pixels + (size_t)(first + image) * PICTURE + (size_t)min(y, HEIGHT - 1) * ROW;
        __global uint *to = words + ((size_t)image * (HEIGHT + 1) + y) * STRIDE;
        int x = 0;
        for (; x + 16 <= WIDTH; x += 16) {
            const uchar16 a = vload16(0, from + 3 * x), b = vload16(1, from + 3 * x), c = vload16(2, from + 3 * x);
            const uchar z = 0;
            vstore4(as_uint4((uchar16)(a.s012, z, a.s345, z, a.s678, z, a.s9ab, z)), 0, to + x);
            vstore4(as_uint4((uchar16)(a.scde, z, a.sf, b.s01, z, b.s234, z, b.s567, z)), 1, to + x);
            vstore4(as_uint4((uchar16)(b.s89a, z, b.sbcd, z, b.sef, c.s0, z, c.s123, z)), 2, to + x);
            vstore4(as_uint4((uchar16)(c.s456, z, c.s789, z, c.sabc, z, c.sdef, z)), 3, to + x);
        }
        for (; x <= WIDTH; x++) {
            const int at = 3 * min(x, WIDTH - 1);
            to[x] = from[at] | (uint)from[at + 1] << 8 | (uint)from[at + 2] << 16;
        }
    }
}

/* Keras' brightness: Pillow's, of 8-bit values. */
inline float16 brighten(const float16 v, const float factor)
{
    return min(trunc(trunc(v) * factor), 255.0f);
}

/* The affine map, in the units of pixels. Each band's least and greatest R, G, B, – go to range [image][BANDS][8]. */
ITEM_KERNEL augment_affine(__global const uint *words, __global const float *draws, __global float *out,
                           __global float *range, const int first)
{
    const int image = (int)get_global_id(1), band = (int)get_global_id(0);
    __global const uint *from = words + (size_t)image * (HEIGHT + 1) * STRIDE;
    __global const float *draw = DRAW(first + image);
    const float row_of_y = draw[0], row_of_x = draw[1], column_of_y = draw[3], column_of_x = draw[4];
    float4 least = INFINITY, greatest = -INFINITY;
    for (int y = band * BAND; y < min((band + 1) * BAND, HEIGHT); y++) {
        __global float *to = out + (size_t)(first + image) * PICTURE + (size_t)y * ROW;
        const float row = fma(row_of_y, (float)y, draw[2]), column = fma(column_of_y, (float)y, draw[5]);
        for (int x = 0; x < WIDTH; x += 16) {
            const float16 xs = (float)x + (float16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            const float16 rows = clamp(fma(xs, row_of_x, row), 0.0f, (float)(HEIGHT - 1));
            const float16 columns = clamp(fma(xs, column_of_x, column), 0.0f, (float)(WIDTH - 1));
            const int16 top = convert_int16(rows), left = convert_int16(columns); /* not negative: downwards */
            int at[16];
            float down[16], right[16];
            vstore16(top * STRIDE + left, 0, at);
            vstore16(rows - convert_float16(top), 0, down);
            vstore16(columns - convert_float16(left), 0, right);
            const int n = min(16, WIDTH - x);
            for (int k = 0; k < n; k++) {
                const float8 upper = convert_float8(as_uchar8(vload2(0, from + at[k])));
                const float8 lower = convert_float8(as_uchar8(vload2(0, from + at[k] + STRIDE)));
                const float8 v = fma((float8)(down[k]), lower - upper, upper);
                const float4 p = fma((float4)(right[k]), v.hi - v.lo, v.lo);
                least = min(least, p);
                greatest = max(greatest, p);
                if (x + k < WIDTH - 1) /* the fourth is overwritten by the next pixel */
                    vstore4(p, 0, to + 3 * (x + k));
                else
                    vstore3(p.xyz, 0, to + 3 * (x + k));
            }
        }
    }
    vstore4(least, 2 * (image * BANDS + band), range);
    vstore4(greatest, 2 * (image * BANDS + band) + 1, range);
}

/* Channel shift, brightness, division, features: in place. */
ITEM_KERNEL augment_finish(__global float *out, __global const float *draws, __global const float *range,
                           __global const float *constants, const int first)
{
    const int image = (int)get_global_id(1), band = (int)get_global_id(0);
    __global const float *draw = DRAW(first + image);
    __global float *v = out + (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    const int n = min(BAND, HEIGHT - band * BAND) * ROW;
    const float4 shift = (float4)(draw[6], draw[7], draw[8], 0.0f);
    float4 least = INFINITY, greatest = -INFINITY;
    for (int b = 0; b < BANDS; b++) {
        least = min(least, vload4(2 * (image * BANDS + b), range));
        greatest = max(greatest, vload4(2 * (image * BANDS + b) + 1, range));
    }
    const float low = min(min(least.x, least.y), least.z), high = max(max(greatest.x, greatest.y), greatest.z);
#if CHANNEL_SHIFT
    least = clamp(least + shift, low, high);
    greatest = clamp(greatest + shift, low, high);
#endif
    const float from = STRETCH == 1 ? min(min(least.x, least.y), least.z) : 0.0f;
    const float width = max(max(greatest.x, greatest.y), greatest.z) - from;
    const float inverse = width != 0.0f ? 1.0f / width : 0.0f;
    const colours shifts = repeat_colours(shift.x, shift.y, shift.z);
    const colours means = repeat_colours(MEAN[0], MEAN[1], MEAN[2]);
    const colours factors = repeat_colours(FACTOR[0], FACTOR[1], FACTOR[2]);
    for (int i = 0; i < n; i += 16) {
        const int k = i / 16 % 3;
        float16 p = load_part(v + i, n - i);
#if CHANNEL_SHIFT
        p = clamp(p + shifts.part[k], low, high);
#endif
#if STRETCH
        if (width != 0.0f) { /* rounded as a division is, whatever the device makes of one */
            const float16 q = (p - from) * inverse;
            p = fma(fma(-q, (float16)(width), p - from), (float16)(inverse), q) * 255.0f;
        } else {
            p = p - from;
        }
#endif
#if BRIGHTNESS
        p = brighten(p, draw[9]);
#endif
        p *= UNIT;
#if FEATURES && !SAMPLEWISE
        p = (p - means.part[k]) * factors.part[k];
#endif
        store_part(p, v + i, n - i);
    }
}

/* Without draws. */
ITEM_KERNEL augment_unpack(__global const uchar *pixels, __global float *out, __global const float *constants,
                           const int first)
{
    const int band = (int)get_global_id(0);
    const size_t start = (size_t)(first + (int)get_global_id(1)) * PICTURE + (size_t)band * BAND * ROW;
    const int n = min(BAND, HEIGHT - band * BAND) * WIDTH;
    for (int i = 0; i < n; i++) {
        float4 p = convert_float4((uchar4)(vload3(i, pixels + start), 0)) * UNIT;
#if FEATURES && !SAMPLEWISE
        p = (p - (float4)(MEAN[0], MEAN[1], MEAN[2], 0.0f)) * (float4)(FACTOR[0], FACTOR[1], FACTOR[2], 0.0f);
#endif
        vstore3(p.xyz, i, out + start);
    }
}

inline float sum16(const float16 v)
{
    const float8 a = v.lo + v.hi;
    const float4 b = a.lo + a.hi;
    return b.x + b.y + (b.z + b.w);
}

/* Of sums [image][2][BANDS]: what all bands have come to. */
inline float total(__global const float *sums, const int image, const int which)
{
    float sum = 0.0f;
    for (int b = 0; b < BANDS; b++)
        sum += sums[(image * 2 + which) * BANDS + b];
    return sum;
}

/* which = 0: the sum of a band's values; 1, behind it: of their squared distances from the picture's mean. Rows are
 * added up one by one, so that errors do not grow with the band. */
ITEM_KERNEL augment_sums(__global const float *out, __global float *sums, const int which, const int first)
{
    const int image = (int)get_global_id(1), band = (int)get_global_id(0);
    const float mean = which ? total(sums, image, 0) / PICTURE : 0.0f;
    float16 all = 0.0f;
    for (int y = band * BAND; y < min((band + 1) * BAND, HEIGHT); y++) {
        __global const float *v = out + (size_t)(first + image) * PICTURE + (size_t)y * ROW;
        float16 row = 0.0f;
        int x = 0;
        for (; x + 16 <= ROW; x += 16) {
            const float16 p = vload16(0, v + x) - mean;
            row += which ? p * p : p;
        }
        for (; x < ROW; x++)
            row.s0 += which ? (v[x] - mean) * (v[x] - mean) : v[x];
        all += row;
    }
    sums[(image * 2 + which) * BANDS + band] = sum16(all);
}

/* Samplewise, then featurewise: in place. */
ITEM_KERNEL augment_standardize(__global float *out, __global const float *sums, __global const float *constants,
                                const int first)
{
    const int image = (int)get_global_id(1), band = (int)get_global_id(0);
    __global float *v = out + (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    const int n = min(BAND, HEIGHT - band * BAND) * WIDTH;
    const float mean = CENTER ? total(sums, image, 0) / PICTURE : 0.0f;
    const float factor = SCALE ? 1.0f / (sqrt(total(sums, image, 1) / PICTURE) + 1e-6f) : 1.0f;
    for (int i = 0; i < n; i++) {
        float3 p = (vload3(i, v) - mean) * factor;
        if (FEATURES)
            p = (p - vload3(0, MEAN)) * vload3(0, FACTOR);
        vstore3(p, i, v);
    }
}
