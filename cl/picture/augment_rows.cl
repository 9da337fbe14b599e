/* SPDX-License-Identifier: Apache-2.0
 *
 * augment.cl's kernels for CPUs: a work-item goes through a band in vectors.
 */
#define ITEM_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void

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

/* 8-bit pixels → words of one pixel each, the last column and the last row twice, so that every
 * point between pixels has four neighbours. */
ITEM_KERNEL augment_words(__global const uchar *pixels, __global uint *words, const int first)
{
    const int image = (int)get_global_id(1), begin = (int)get_global_id(0) * BAND;
    const int end = begin + BAND < HEIGHT ? begin + BAND : HEIGHT + 1;
    for (int y = begin; y < end; y++) {
        __global const uchar *from =
            pixels + (size_t)(first + image) * PICTURE + (size_t)min(y, HEIGHT - 1) * ROW;
        __global uint *to = words + ((size_t)image * (HEIGHT + 1) + y) * STRIDE;
        int x = 0;
        for (; x + 16 <= WIDTH; x += 16) {
            const uchar16 a = vload16(0, from + 3 * x), b = vload16(1, from + 3 * x),
                          c = vload16(2, from + 3 * x);
            const uchar z = 0;
            vstore4(as_uint4((uchar16)(a.s012, z, a.s345, z, a.s678, z, a.s9ab, z)), 0, to + x);
            vstore4(as_uint4((uchar16)(a.scde, z, a.sf, b.s01, z, b.s234, z, b.s567, z)), 1,
                    to + x);
            vstore4(as_uint4((uchar16)(b.s89a, z, b.sbcd, z, b.sef, c.s0, z, c.s123, z)), 2,
                    to + x);
            vstore4(as_uint4((uchar16)(c.s456, z, c.s789, z, c.sabc, z, c.sdef, z)), 3, to + x);
        }
        for (; x <= WIDTH; x++) {
            const int at = 3 * min(x, WIDTH - 1);
            to[x] = from[at] | (uint)from[at + 1] << 8 | (uint)from[at + 2] << 16;
        }
    }
}

#define BLOCK 16 /* times 16 pixels */

/* The affine map, in the units of pixels, to moved [image][HEIGHT][WIDTH][3]. Each band's least and
 * greatest R, G, B, – go to range [image][BANDS][8]. */
ITEM_KERNEL augment_affine(__global const uint *words, __global const float *draws,
                           __global float *moved, __global float *range, const int first)
{
    const int image = (int)get_global_id(1), band = (int)get_global_id(0);
    __global const uint *from = words + (size_t)image * (HEIGHT + 1) * STRIDE;
    __global const float *draw = DRAW(first + image);
    const float row_of_x = draw[1], column_of_x = draw[4];
    float4 least = INFINITY, greatest = -INFINITY;
    for (int y = band * BAND; y < min((band + 1) * BAND, HEIGHT); y++) {
        __global float *to = moved + (size_t)image * PICTURE + (size_t)y * ROW;
        const float row = fma(draw[0], (float)y, draw[2]), column = fma(draw[3], (float)y, draw[5]);
        for (int x = 0; x < WIDTH; x += 16 * BLOCK) {
            /* First where many pixels come from, then the pixels: what is read back at once must
             * wait for the write. */
            int at[16 * BLOCK];
            float down[16 * BLOCK], right[16 * BLOCK];
            const int n = min(WIDTH - x, 16 * BLOCK);
            for (int i = 0; i < n; i += 16) {
                const float16 xs = (float)(x + i) +
                                   (float16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
                const float16 rows = clamp(fma(xs, row_of_x, row), 0.0f, (float)(HEIGHT - 1));
                const float16 columns =
                    clamp(fma(xs, column_of_x, column), 0.0f, (float)(WIDTH - 1));
                /* not negative: downwards */
                const int16 top = convert_int16(rows), left = convert_int16(columns);
                vstore16(top * STRIDE + left, 0, at + i);
                vstore16(rows - convert_float16(top), 0, down + i);
                vstore16(columns - convert_float16(left), 0, right + i);
            }
            int i = 0;
            for (; i + 4 <= n; i += 4, to += 12) {
                float4 v[4];
                UNROLLED for (int k = 0; k < 4; k++) {
                    v[k] = between(from + at[i + k], down[i + k], right[i + k]);
                    least = SMALLER(v[k], least);
                    greatest = LARGER(v[k], greatest);
                }
                vstore4((float4)(v[0].xyz, v[1].x), 0, to);
                vstore4((float4)(v[1].yz, v[2].xy), 1, to);
                vstore4((float4)(v[2].z, v[3].xyz), 2, to);
            }
            for (; i < n; i++, to += 3) {
                const float4 v = between(from + at[i], down[i], right[i]);
                least = SMALLER(v, least);
                greatest = LARGER(v, greatest);
                vstore3(v.xyz, 0, to);
            }
        }
    }
    vstore4(least, 2 * (image * BANDS + band), range);
    vstore4(greatest, 2 * (image * BANDS + band) + 1, range);
}

/* Moved pictures → what the net takes. */
ITEM_KERNEL augment_finish(__global const float *moved, __global const float *draws,
                           __global const float *range, __global const float *constants,
                           __global float *out, const int first)
{
    const int image = (int)get_global_id(1), band = (int)get_global_id(0);
    const finish f = make_finish(DRAW(first + image), range, constants, image);
    const colours shifts = repeat_colours(f.shift.x, f.shift.y, f.shift.z);
    const colours means = repeat_colours(MEAN[0], MEAN[1], MEAN[2]);
    const colours factors = repeat_colours(FACTOR[0], FACTOR[1], FACTOR[2]);
    const int n = min(BAND, HEIGHT - band * BAND) * ROW;
    __global const float *v = moved + (size_t)image * PICTURE + (size_t)band * BAND * ROW;
    __global float *to = out + (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    for (int i = 0; i < n; i += 48)
        UNROLLED for (int k = 0; k < 3; k++) {
            const int at = i + 16 * k;
            float16 p = finish_pixels(&f, shifts.part[k], load_part(v + at, n - at)) * f.unit;
#if FEATURES && !SAMPLEWISE
            p = (p - means.part[k]) * factors.part[k];
#endif
            store_part(p, to + at, n - at);
        }
}

#if BRIGHTNESS
/* The same as 8-bit pixels, which brightness leaves whole. */
ITEM_KERNEL augment_finish_bytes(__global const float *moved, __global const float *draws,
                                 __global const float *range, __global const float *constants,
                                 __global uchar *out, const int first)
{
    const int image = (int)get_global_id(1), band = (int)get_global_id(0);
    const finish f = make_finish(DRAW(first + image), range, constants, image);
    const colours shifts = repeat_colours(f.shift.x, f.shift.y, f.shift.z);
    const int n = min(BAND, HEIGHT - band * BAND) * ROW;
    __global const float *v = moved + (size_t)image * PICTURE + (size_t)band * BAND * ROW;
    __global uchar *to = out + (size_t)(first + image) * PICTURE + (size_t)band * BAND * ROW;
    for (int i = 0; i < n; i += 48)
        UNROLLED for (int k = 0; k < 3; k++) {
            const int at = i + 16 * k;
            const float16 whole = finish_pixels(&f, shifts.part[k], load_part(v + at, n - at));
            const uchar16 p = convert_uchar16(convert_int16(whole));
            if (n - at >= 16)
                vstore16(p, 0, to + at);
            else
                for (int j = 0; j < n - at; j++)
                    to[at + j] = ((const uchar *)&p)[j];
        }
}
#endif

/* Without draws. */
ITEM_KERNEL augment_unpack(__global const uchar *pixels, __global float *out,
                           __global const float *constants, const int first)
{
    const int band = (int)get_global_id(0);
    const size_t start =
        (size_t)(first + (int)get_global_id(1)) * PICTURE + (size_t)band * BAND * ROW;
    const int n = min(BAND, HEIGHT - band * BAND) * WIDTH;
    for (int i = 0; i < n; i++) {
        float4 p = convert_float4((uchar4)(vload3(i, pixels + start), 0)) * UNIT;
#if FEATURES && !SAMPLEWISE
        p = (p - (float4)(MEAN[0], MEAN[1], MEAN[2], 0.0f)) *
            (float4)(FACTOR[0], FACTOR[1], FACTOR[2], 0.0f);
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

/* which = 0: the sum of a band's values; 1, behind it: of their squared distances from the
 * picture's mean. Rows are added up one by one, so that errors do not grow with the band. */
ITEM_KERNEL augment_sums(__global const float *out, __global float *sums, const int which,
                         const int first)
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
ITEM_KERNEL augment_standardize(__global float *out, __global const float *sums,
                                __global const float *constants, const int first)
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
