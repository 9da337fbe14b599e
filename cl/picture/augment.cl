/* SPDX-License-Identifier: Apache-2.0
 *
 * 8-bit pictures [n][HEIGHT][WIDTH][3] → what the net takes, as floats in the same order. Put
 * together at run time: the host defines HEIGHT and WIDTH, BAND (rows of a work-item), STRIDE
 * (words of a row) and what is wanted:
 *   BRIGHTNESS      1: factor
 *   STRETCH         before it: 0 nothing, 1 least…greatest to 0…255, 2 0…greatest to 0…255
 *   CHANNEL_SHIFT   1: shift, clipped to the picture's least and greatest value
 *   CENTER, SCALE   1: samplewise;  FEATURES  1: featurewise
 *
 * A work-group is (band of rows, image): one work-item that goes through it in vectors
 * (augment_rows.cl, for CPUs) or ITEMS that share out its pixels (augment_items.cl, for GPUs). What
 * concerns a whole picture is found band by band and put together by everybody who needs it, in
 * the order of bands.
 */
#define SAMPLEWISE (CENTER || SCALE)
#define BANDS ((HEIGHT + BAND - 1) / BAND)
#define ROW (WIDTH * 3)
#define PICTURE ((size_t)HEIGHT * ROW)
#define UNROLLED _Pragma("unroll")

/* One instruction each; NaN cannot come up in pixels. */
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define SMALLER(a, b) ((a) < (b) ? (a) : (b))

/* A draw, as meso_augment_draw: 10 floats. */
#define DRAW(n) (draws + (size_t)(n) * 10)
/* Of the constants: 1 / divide, then for R, G, B the mean and 1 / (deviation + 1e-6), or
 * 0 and 1. */
#define UNIT (constants[0])
#define MEAN (constants + 1)
#define FACTOR (constants + 4)

/* Between four pixels: two side by side, and two below. The fourth value is none. */
inline float4 between(__global const uint *p, const float down, const float right)
{
    const float8 upper = convert_float8(as_uchar8(vload2(0, p)));
    const float8 lower = convert_float8(as_uchar8(vload2(0, p + STRIDE)));
    const float8 v = fma((float8)(down), lower - upper, upper);
    return fma((float4)(right), v.hi - v.lo, v.lo);
}


/* What finishing a picture takes. */
typedef struct finish {
    float4 shift; /* of R, G, B */
    float low, high;      /* of the picture */
    float from, width;    /* that become 0 and 255, */
    float inverse;        /* and 1 / width */
    float brightness, unit;
} finish;

inline finish make_finish(__global const float *draw, __global const float *range,
                          __global const float *constants, const int image)
{
    finish f;
    const float4 shift = (float4)(draw[6], draw[7], draw[8], 0.0f);
    float4 least = INFINITY, greatest = -INFINITY;
    for (int b = 0; b < BANDS; b++) {
        least = min(least, vload4(2 * (image * BANDS + b), range));
        greatest = max(greatest, vload4(2 * (image * BANDS + b) + 1, range));
    }
    f.low = min(min(least.x, least.y), least.z);
    f.high = max(max(greatest.x, greatest.y), greatest.z);
#if CHANNEL_SHIFT
    least = clamp(least + shift, f.low, f.high);
    greatest = clamp(greatest + shift, f.low, f.high);
#endif
    f.from = STRETCH == 1 ? min(min(least.x, least.y), least.z) : 0.0f;
    f.width = max(max(greatest.x, greatest.y), greatest.z) - f.from;
    f.inverse = f.width != 0.0f ? 1.0f / f.width : 0.0f;
    f.shift = shift;
    f.brightness = draw[9];
    f.unit = UNIT;
    return f;
}

/* Channel shift and brightness of values side by side, in the units of pixels. */
inline pixels_t finish_pixels(const finish *f, const pixels_t shift, pixels_t p)
{
#if CHANNEL_SHIFT
    p = SMALLER(LARGER(p + shift, (pixels_t)(f->low)), (pixels_t)(f->high));
#endif
#if STRETCH
    if (f->width != 0.0f) { /* rounded as a division is, whatever the device makes of one */
        const pixels_t q = (p - f->from) * f->inverse;
        p = fma(fma(-q, (pixels_t)(f->width), p - f->from), (pixels_t)(f->inverse), q) * 255.0f;
    } else {
        p = p - f->from;
    }
#endif
#if BRIGHTNESS /* Pillow's, of 8-bit values */
    p = trunc(trunc(p) * f->brightness);
    p = SMALLER(p, (pixels_t)(255.0f));
#endif
    return p;
}

/* Of sums [image][2][BANDS]: what all bands have come to. */
inline float total(__global const float *sums, const int image, const int which)
{
    float sum = 0.0f;
    for (int b = 0; b < BANDS; b++)
        sum += sums[(image * 2 + which) * BANDS + b];
    return sum;
}
