/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch norm whose only reader is a max-pooling with windows side by side. The values between the
 * two, and their gradients, which are 0 but for one pixel of a window, are made anew from batch
 * norm's input and never stored.
 */
#define NORMALISED_VALUE(T, v) NORMALISED(T, CENTRED(T, v))

/* Work-item: (block of rows, n · channels + c). */
TRAIN_KERNEL norm_pool_apply(__global const float *in, const tensor_t in_t,
                             __global const float *memory, __global const float *gamma,
                             __global const float *beta, __global float *out, const tensor_t out_t,
                             const int window_h, const int window_w, const int stride_h,
                             const int stride_w, const int before_h, const int before_w)
{
    const norm_t norm = norm_of(memory, gamma, beta, (int)get_global_id(1) % CHANNELS(in_t));
    POOL_ROWS(NORMALISED_VALUE)
}

/* The first of the largest of a window, whose first pixel, inside the picture or not, is (top,
 * left): its place from pixel (0, 0) on. Two pixels a turn: turns are counted on llvmpipe (see
 * docs/design.md). */
inline int winner_of(__global const float *in, const tensor_t in_t, const norm_t norm,
                     const int top, const int left, const int window_h, const int window_w)
{
    const int y1 = min(top + window_h, HEIGHT(in_t)), x1 = min(left + window_w, WIDTH(in_t));
    int place = max(top, 0) * ROW_STRIDE(in_t) + max(left, 0);
    float largest = -INFINITY;
    for (int i = max(top, 0); i < y1; i++)
        for (int j = max(left, 0); j < x1; j += 2)
            UNROLL for (int k = 0; k < 2; k++) {
                const int pixel = i * ROW_STRIDE(in_t) + min(j + k, x1 - 1);
                const float v = NORMALISED_VALUE(float, in[pixel]);
                if (v > largest) {
                    largest = v;
                    place = pixel;
                }
            }
    return place;
}

/* Gradients of gamma and beta, as batch_norm_backward_measure's. Work-item: (c, group). */
TRAIN_KERNEL norm_pool_backward_measure(__global const float *in, const tensor_t in_t,
                                        __global const float *d_out, const tensor_t out_t,
                                        __global const float *memory,
                                        __global const float *gamma_values,
                                        __global const float *beta_values, __global float *d_gamma,
                                        __global float *d_beta, const int window_h,
                                        const int window_w, const int stride_h, const int stride_w,
                                        const int before_h, const int before_w, const int n)
{
    const int c = (int)get_global_id(0);
    const norm_t norm = norm_of(memory, gamma_values, beta_values, c);
    const float inverse = OF_CHANNEL(memory, c)[NORM_INVERSE];
    const vec none = 0.0f;
    GET_GROUP(in_t, n, 1);
    for (int image = image_begin; image < image_end; image++) {
        __global const float *picture = in + at(in_t, image - FIRST(in_t), c, 0, 0);
        float beta = 0.0f, beta_lost = 0.0f, gamma = 0.0f, gamma_lost = 0.0f;
        for (int y = 0; y < HEIGHT(out_t); y++) {
            __global const float *g = d_out + at(out_t, image - FIRST(in_t), c, y, 0);
            __global const float *upper = picture + 2 * y * ROW_STRIDE(in_t),
                                 *lower = upper + ROW_STRIDE(in_t);
            const int paired = paired_columns(window_h, window_w, stride_h, stride_w, before_h,
                                              before_w, y, in_t, out_t);
            half_vec sum_d = 0.0f;
            vec sum_dx = 0.0f;
            float rest_d = 0.0f, rest_dx = 0.0f;
            for (int x = 0; x < paired; x += HALF) {
                PREFETCH(upper + 2 * ROW_STRIDE(in_t) + 2 * x); /* for the next row */
                PREFETCH(lower + 2 * ROW_STRIDE(in_t) + 2 * x);
                const vec a = CENTRED(vec, VLOAD(0, upper + 2 * x)),
                          b = CENTRED(vec, VLOAD(0, lower + 2 * x));
                const winners_t w = winners_of(NORMALISED(vec, a), NORMALISED(vec, b));
                const half_vec d = HALF_LOAD(0, g + x);
                sum_d += d;
                sum_dx = TWICE(d) * (w.upper ? a : w.lower ? b : none) + sum_dx;
            }
            for (int x = paired; x < WIDTH(out_t); x++) {
                const float winner =
                    picture[winner_of(picture, in_t, norm, y * stride_h - before_h,
                                      x * stride_w - before_w, window_h, window_w)];
                rest_d += g[x];
                rest_dx = CENTRED(float, winner) * g[x] + rest_dx;
            }
            add_exactly(&beta, &beta_lost, sum_lanes((vec)(sum_d, none.lo)) + rest_d);
            add_exactly(&gamma, &gamma_lost, sum_lanes(sum_dx) + rest_dx);
        }
        add_to_group(d_beta + (size_t)group * CHANNELS(in_t) + c, image, beta);
        add_to_group(d_gamma + (size_t)group * CHANNELS(in_t) + c, image, gamma * inverse);
    }
}

/* batch_norm_backward_apply's formula: `centred` of the input, `gradient` of what batch norm
 * gave. */
typedef struct norm_backward_t {
    float inverse, scale, mean_d, mean_dx;
} norm_backward_t;
#define GRADIENT(T, centred, gradient)                                                             \
    (((gradient) - (T)k.mean_d - ((centred) * (T)k.inverse) * (T)k.mean_dx) * (T)k.scale)

/* HALF windows side by side. */
inline void norm_pool_pairs(__global const float *in, const int in_stride, const norm_t norm,
                            const norm_backward_t k, const half_vec g, __global float *d,
                            const int d_stride, const int add)
{
    PREFETCH(in + 2 * in_stride); /* for the next row */
    PREFETCH(in + 3 * in_stride);
    PREFETCH(d + 2 * d_stride);
    PREFETCH(d + 3 * d_stride);
    const vec a = CENTRED(vec, VLOAD(0, in)), b = CENTRED(vec, VLOAD(0, in + in_stride));
    const winners_t w = winners_of(NORMALISED(vec, a), NORMALISED(vec, b));
    const vec gradient = TWICE(g), none = 0.0f;
    const vec upper = GRADIENT(vec, a, w.upper ? gradient : none);
    const vec lower = GRADIENT(vec, b, w.lower ? gradient : none);
    VSTORE(add ? VLOAD(0, d) + upper : upper, 0, d);
    VSTORE(add ? VLOAD(0, d + d_stride) + lower : lower, 0, d + d_stride);
}

/* Work-item: (block of `rows` window rows, n · channels + c), which owns the input's rows from its
 * first window on. Pixels are first taken for losers, then the winners' gradients are added. */
#define LOSER(T)                                                                                   \
    {                                                                                              \
        const T v = GRADIENT(T, CENTRED(T, LOAD_##T(p + x)), (T)0.0f);                             \
        STORE_##T(add ? LOAD_##T(d + x) + v : v, d + x);                                           \
    }
TRAIN_KERNEL norm_pool_backward_apply(__global const float *in, const tensor_t in_t,
                                      __global const float *d_out, const tensor_t out_t,
                                      __global const float *memory, __global const float *gamma,
                                      __global const float *beta, __global float *d_in,
                                      const tensor_t d_t, const int window_h, const int window_w,
                                      const int stride_h, const int stride_w, const int before_h,
                                      const int before_w, const int rows, const int add)
{
    GET_WINDOW_ROWS;
    const norm_t norm = norm_of(memory, gamma, beta, c);
    __global const float *of_channel = OF_CHANNEL(memory, c);
    norm_backward_t k;
    k.inverse = of_channel[NORM_INVERSE];
    k.scale = gamma[c] * k.inverse;
    k.mean_d = of_channel[NORM_MEAN_D];
    k.mean_dx = of_channel[NORM_MEAN_DX];
    const int paired =
        paired_columns(window_h, window_w, stride_h, stride_w, before_h, before_w, 0, in_t, out_t);
    const int paired_rows = paired > 0 ? min(2 * HEIGHT(out_t), HEIGHT(in_t) / 2 * 2) : 0;
    for (int y = own_begin; y < own_end; y++) {
        const int done = y < paired_rows ? 2 * paired : 0;
        __global const float *p = in + at(in_t, n, c, y, done);
        __global float *d = d_in + at(d_t, n, c, y, done);
        ALONG(WIDTH(in_t) - done, LOSER)
    }
    for (int y = begin; y < end; y++) {
        const int n_paired = 2 * y < paired_rows ? paired : 0;
        for (int x = 0; x < n_paired; x += HALF)
            norm_pool_pairs(in + at(in_t, n, c, 2 * y, 2 * x), ROW_STRIDE(in_t), norm, k,
                            HALF_LOAD(0, d_out + at(out_t, n, c, y, x)),
                            d_in + at(d_t, n, c, 2 * y, 2 * x), ROW_STRIDE(d_t), add);
        for (int x = n_paired; x < WIDTH(out_t); x++) {
            const int place =
                winner_of(in + at(in_t, n, c, 0, 0), in_t, norm, y * stride_h - before_h,
                          x * stride_w - before_w, window_h, window_w);
            d_in[at(d_t, n, c, place / ROW_STRIDE(in_t), place % ROW_STRIDE(in_t))] +=
                d_out[at(out_t, n, c, y, x)] * k.scale;
        }
    }
}
