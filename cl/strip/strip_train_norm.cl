/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch norm in training: sums of a batch → what the neighbouring blocks apply. Sums are
 * carried in two floats, the second for what the first has lost: the variance is the small
 * difference of large numbers.
 */
#define MOST_NORM_CHANNELS 64

/* a + b exactly, as sum and rest (Knuth). */
#define TWO_SUM(a, b, sum, rest)                                                                   \
    do {                                                                                           \
        sum = (a) + (b);                                                                           \
        const __typeof__(sum) b_ = sum - (a);                                                      \
        rest = ((a) - (sum - b_)) + ((b)-b_);                                                      \
    } while (0)

/* a · b to 36 bits. Halves of 12 bits: their products are exact, so that it does not matter whether
 * the compiler fuses them with a sum. */
inline float2 two_product(float a, float b)
{
    const float ah = as_float(as_uint(a) & 0xfffff000u), bh = as_float(as_uint(b) & 0xfffff000u);
    const float al = a - ah, bl = b - bh;
    float sum, rest;
    const float high = ah * bh, low = (ah * bl + al * bh) + al * bl;
    TWO_SUM(high, low, sum, rest);
    return (float2)(sum, rest);
}

inline float2 two_scale(float2 a, float2 b)
{
    float2 p = two_product(a.x, b.x);
    p.y += a.x * b.y + a.y * b.x;
    return p;
}

/* Columns of sums [rows][2 · channels] → high and low of each. */
inline void add_rows(__global const float *restrict sums, const int rows, const int channels,
                     float2 *totals)
{
    for (int c = 0; c < 2 * channels; c += LANES) {
        vec high = 0.0f, low = 0.0f;
        for (int r = 0; r < rows; r++) {
            const vec next = *(__global const vec *)(sums + (size_t)r * 2 * channels + c);
            vec sum, rest;
            TWO_SUM(high, next, sum, rest);
            high = sum;
            low += rest;
        }
        const float *h = (const float *)&high, *l = (const float *)&low;
        for (int i = 0; i < LANES; i++)
            totals[c + i] = (float2)(h[i], l[i]);
    }
}

/* Forward: mean and variance of a batch of `rows` sums of z and z², or, frozen, the moving ones.
 * reciprocal: of the number of pixels, in two floats. places: of gamma, beta, moving mean and
 * variance among the weights. */
KERNEL train_norm(__global const float *restrict sums, floats_in weights,
                  __global float *restrict norm, const int rows, const int channels,
                  const int frozen, const float reciprocal_high, const float reciprocal_low,
                  const float epsilon, const int gamma, const int beta, const int moving_mean,
                  const int moving_variance)
{
    const float2 reciprocal = (float2)(reciprocal_high, reciprocal_low);
    float2 totals[2 * MOST_NORM_CHANNELS];
    add_rows(sums, rows, channels, totals);
    for (int c = 0; c < channels; c++) {
        const float2 mean = two_scale(totals[c], reciprocal);
        const float2 square = two_scale(mean, mean),
                     squares = two_scale(totals[channels + c], reciprocal);
        float mu = mean.x + mean.y;
        float variance = (squares.x - square.x) + (squares.y - square.y);
        variance = variance < 0.0f ? 0.0f : variance; /* NaN stays */
        if (frozen) {
            mu = weights[moving_mean + c];
            variance = weights[moving_variance + c];
        }
        const float r = 1.0f / sqrt(variance + epsilon), scale = weights[gamma + c] * r;
        norm[NORM_SCALE * channels + c] = scale;
        norm[NORM_SHIFT * channels + c] = weights[beta + c] - mu * scale;
        norm[NORM_MEAN * channels + c] = mu;
        norm[NORM_RECIPROCAL * channels + c] = r;
        norm[NORM_VARIANCE * channels + c] = variance;
    }
}

/* Backward: from sums of g and g·(raw − mean), how dz follows from g and z; and the gradients of
 * gamma and beta. A frozen batch norm hands its scale on and nothing else. */
KERNEL train_norm_backward(__global const float *restrict sums, __global float *restrict norm,
                           __global float *restrict gradients, const int rows, const int channels,
                           const int frozen, const float reciprocal, const int gamma,
                           const int beta)
{
    float2 totals[2 * MOST_NORM_CHANNELS];
    add_rows(sums, rows, channels, totals);
    for (int c = 0; c < channels; c++) {
        const float g = totals[c].x + totals[c].y, r = norm[NORM_RECIPROCAL * channels + c];
        const float gx = (totals[channels + c].x + totals[channels + c].y) * r;
        const float scale = norm[NORM_SCALE * channels + c];
        const float slope = -scale * r * gx * reciprocal;
        norm[NORM_SLOPE * channels + c] = frozen ? 0.0f : slope;
        norm[NORM_CONSTANT * channels + c] =
            frozen ? 0.0f : -scale * g * reciprocal - slope * norm[NORM_MEAN * channels + c];
        gradients[gamma + c] = gx;
        gradients[beta + c] = g;
    }
}

/* Moving statistics go towards the batch's; correction: N / (N − 1) or 1. Work-item: a channel. */
KERNEL train_moving(__global float *restrict weights, floats_in norm, const int channels,
                    const int moving_mean, const int moving_variance, const float rate,
                    const float correction)
{
    const int c = get_global_id(0);
    __global float *mean = weights + moving_mean + c, *variance = weights + moving_variance + c;
    *mean -= (*mean - norm[NORM_MEAN * channels + c]) * rate;
    *variance -= (*variance - norm[NORM_VARIANCE * channels + c] * correction) * rate;
}
