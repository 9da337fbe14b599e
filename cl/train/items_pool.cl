/* SPDX-License-Identifier: Apache-2.0
 *
 * Max-pooling in training on GPUs, alone and behind batch norm: the kernels of train_pool.cl and
 * train_norm_pool.cl, the same arguments, for work-groups of ITEMS work-items. A pixel of the input
 * looks for the windows that it wins, so that nobody else writes its gradient.
 */
#define WINDOW                                                                                     \
    const int window_h, const int window_w, const int stride_h, const int stride_w,                \
        const int before_h, const int before_w
#define NORMALISED_VALUE(v) NORMALISED(float, CENTRED(float, v))
#define AS_IT_IS(v) (v)

/* The largest VALUE(input) under each window. Work-group: (block of rows, n · channels + c). */
#define POOL(VALUE)                                                                                \
    EACH_ROW                                                                                       \
    for (int x = x_begin; x < WIDTH(out_t); x += COLUMNS_APART) {                                  \
        const int top = y * stride_h - before_h, left = x * stride_w - before_w;                   \
        const int y1 = min(top + window_h, HEIGHT(in_t)), x1 = min(left + window_w, WIDTH(in_t));  \
        float largest = -INFINITY;                                                                 \
        for (int i = max(top, 0); i < y1; i++)                                                     \
            for (int j = max(left, 0); j < x1; j++) {                                              \
                const float v = VALUE(in[at(in_t, n, c, i, j)]);                                   \
                largest = v > largest || v != v ? v : largest;                                     \
            }                                                                                      \
        out[at(out_t, n, c, y, x)] = largest;                                                      \
    }

TRAIN_KERNEL max_pool_train(__global const float *in, const tensor_t in_t, __global float *out,
                            const tensor_t out_t, WINDOW)
{
    GET_ROWS(out_t);
    POOL(AS_IT_IS)
}

TRAIN_KERNEL norm_pool_apply(__global const float *in, const tensor_t in_t,
                             __global const float *memory, __global const float *gamma,
                             __global const float *beta, __global float *out, const tensor_t out_t,
                             WINDOW)
{
    GET_ROWS(out_t);
    const norm_t norm = norm_of(memory, gamma, beta, c);
    POOL(NORMALISED_VALUE)
}

/* Where, from pixel (0, 0) of `plane` on, the first of the largest VALUE(input) is under the window
 * (y, x). */
#define FIND_WINNER(VALUE)                                                                         \
    const int top = y * stride_h - before_h, left = x * stride_w - before_w;                       \
    const int y1 = min(top + window_h, HEIGHT(in_t)), x1 = min(left + window_w, WIDTH(in_t));      \
    int place = max(top, 0) * ROW_STRIDE(in_t) + max(left, 0);                                     \
    float largest = -INFINITY;                                                                     \
    for (int i = max(top, 0); i < y1; i++)                                                         \
        for (int j = max(left, 0); j < x1; j++) {                                                  \
            const float v = VALUE(plane[i * ROW_STRIDE(in_t) + j]);                                \
            if (v > largest) {                                                                     \
                largest = v;                                                                       \
                place = i * ROW_STRIDE(in_t) + j;                                                  \
            }                                                                                      \
        }

inline int winner_of(__global const float *plane, const tensor_t in_t, const int y, const int x,
                     WINDOW)
{
    FIND_WINNER(AS_IT_IS)
    return place;
}

inline int norm_winner_of(__global const float *plane, const tensor_t in_t, const norm_t norm,
                          const int y, const int x, WINDOW)
{
    FIND_WINNER(NORMALISED_VALUE)
    return place;
}

/* `won` becomes the gradients of the windows over pixel (y, x) that it wins, rows from above. */
#define GET_WON(WINNER, ...)                                                                       \
    const int top = y + before_h, left = x + before_w, own = y * ROW_STRIDE(in_t) + x;             \
    const int i1 = min(top / stride_h, HEIGHT(out_t) - 1);                                         \
    const int j1 = min(left / stride_w, WIDTH(out_t) - 1);                                         \
    float won = 0.0f;                                                                              \
    for (int i = max(top - window_h + stride_h, 0) / stride_h; i <= i1; i++)                       \
        for (int j = max(left - window_w + stride_w, 0) / stride_w; j <= j1; j++)                  \
            if (WINNER(__VA_ARGS__, i, j, window_h, window_w, stride_h, stride_w, before_h,        \
                       before_w) == own)                                                           \
                won += d_out[at(out_t, n, c, i, j)]

/* Work-groups of the backward kernels: (block of rows of the input, n · channels + c). */
TRAIN_KERNEL max_pool_backward(__global const float *in, const tensor_t in_t,
                               __global const float *d_out, const tensor_t out_t,
                               __global float *d_in, const tensor_t d_t, WINDOW, const int rows,
                               const int add)
{
    GET_ROWS(in_t);
    __global const float *plane = in + at(in_t, n, c, 0, 0);
    EACH_ROW
    for (int x = x_begin; x < WIDTH(in_t); x += COLUMNS_APART) {
        GET_WON(winner_of, plane, in_t);
        __global float *d = d_in + at(d_t, n, c, y, x);
        *d = add ? *d + won : won;
    }
}

/* batch_norm_backward_apply's formula. */
TRAIN_KERNEL norm_pool_backward_apply(__global const float *in, const tensor_t in_t,
                                      __global const float *d_out, const tensor_t out_t,
                                      __global const float *memory, __global const float *gamma,
                                      __global const float *beta, __global float *d_in,
                                      const tensor_t d_t, WINDOW, const int rows, const int add)
{
    GET_ROWS(in_t);
    const norm_t norm = norm_of(memory, gamma, beta, c);
    __global const float *of_channel = OF_CHANNEL(memory, c), *plane = in + at(in_t, n, c, 0, 0);
    const float inverse = of_channel[NORM_INVERSE], scale = gamma[c] * inverse;
    const float mean_d = of_channel[NORM_MEAN_D], mean_dx = of_channel[NORM_MEAN_DX];
    EACH_ROW
    for (int x = x_begin; x < WIDTH(in_t); x += COLUMNS_APART) {
        GET_WON(norm_winner_of, plane, in_t, norm);
        const float h = CENTRED(float, plane[own]) * inverse;
        const float v = (won - mean_d - h * mean_dx) * scale;
        __global float *d = d_in + at(d_t, n, c, y, x);
        *d = add ? *d + v : v;
    }
}

/* Gradients of gamma and beta. Work-group: (c, group). */
TRAIN_KERNEL norm_pool_backward_measure(__global const float *in, const tensor_t in_t,
                                        __global const float *d_out, const tensor_t out_t,
                                        __global const float *memory,
                                        __global const float *gamma_values,
                                        __global const float *beta_values, __global float *d_gamma,
                                        __global float *d_beta, WINDOW, const int n)
{
    const int c = BLOCK;
    GET_SUMS
    const norm_t norm = norm_of(memory, gamma_values, beta_values, c);
    const float inverse = OF_CHANNEL(memory, c)[NORM_INVERSE];
    GET_GROUP(in_t, n, 1);
    for (int image = image_begin; image < image_end; image++) {
        __global const float *plane = in + at(in_t, image - FIRST(in_t), c, 0, 0);
        float beta = 0.0f, beta_lost = 0.0f, gamma = 0.0f, gamma_lost = 0.0f;
        EACH_ROW_OF(HEIGHT(out_t))
        {
            float sum_d = 0.0f, sum_dx = 0.0f;
            for (int x = ITEM_COLUMN; x < WIDTH(out_t); x += COLUMNS_APART) {
                const float d = d_out[at(out_t, image - FIRST(in_t), c, y, x)];
                const float winner =
                    plane[norm_winner_of(plane, in_t, norm, y, x, window_h, window_w, stride_h,
                                         stride_w, before_h, before_w)];
                sum_d += d;
                sum_dx = CENTRED(float, winner) * d + sum_dx;
            }
            add_exactly(&beta, &beta_lost, sum_d);
            add_exactly(&gamma, &gamma_lost, sum_dx);
        }
        beta = SUM(beta, beta_lost).x;
        gamma = SUM(gamma, gamma_lost).x;
        if (ITEM == 0) {
            add_to_group(d_beta + (size_t)group * CHANNELS(in_t) + c, image, beta);
            add_to_group(d_gamma + (size_t)group * CHANNELS(in_t) + c, image, gamma * inverse);
        }
    }
}
