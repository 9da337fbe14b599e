/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch norm in training: mean and variance of the batch, by channel.
 *
 *   out = gamma · x̂ + beta, x̂ = (in − mean) / √(variance + epsilon)
 *   d_in = gamma / √(variance + epsilon) · (d − mean of d − x̂ · mean of d·x̂)
 *
 * An error of mean or 1/√… is the same for every pixel, so nothing averages it out, and after four
 * layers it is the largest there is: both are kept as two floats, of which the second is what
 * rounding took from the first.
 *
 * memory: [channel] of NORM_FLOATS (NORM_…), then [image][channel] of float2 (mean, Σ (in − mean)²)
 * of one image.
 */
#define NORM_FLOATS 6
#define NORM_MEAN 0    /* two floats */
#define NORM_INVERSE 2 /* two floats: 1/√(variance + epsilon) */
#define NORM_MEAN_D 4  /* of d */
#define NORM_MEAN_DX 5 /* of d·x̂ */
#define OF_CHANNEL(memory, c) (memory + NORM_FLOATS * (size_t)(c))
#define OF_IMAGE(memory, channels, image, c)                                                       \
    (memory + NORM_FLOATS * (size_t)(channels) + 2 * ((size_t)(image) * (channels) + c))

/* a·b as two floats (Dekker 1971). */
inline float2 exact_product(float a, float b)
{
    const float ca = 4097.0f * a, cb = 4097.0f * b;
    const float ah = ca - (ca - a), bh = cb - (cb - b), al = a - ah, bl = b - bh, p = a * b;
    return (float2)(p, ((ah * bh - p) + ah * bl + al * bh) + al * bl);
}

/* (a.x + a.y) / b */
inline float2 exact_quotient(float2 a, float b)
{
    const float q = a.x / b;
    const float2 p = exact_product(q, b);
    return (float2)(q, ((a.x - p.x) - p.y + a.y) / b);
}

/* 1/√(a.x + a.y): the float and one step of Newton. */
inline float2 exact_inverse_root(float2 a)
{
    const float r = 1.0f / sqrt(a.x);
    const float2 square = exact_product(r, r), one = exact_product(a.x, square.x);
    return (float2)(r, 0.5f * r * (((1.0f - one.x) - one.y) - a.x * square.y - a.y * square.x));
}

/* Mean and squares of one plane, in two passes: subtracting large squares would lose digits. Rows
 * are summed first. Work-group: (c, n). */
#define ADD_DISTANCE(T)                                                                            \
    {                                                                                              \
        const T d = LOAD_##T(row + x) - mean;                                                      \
        sum_##T += pass == 0 ? d : d * d;                                                          \
    }
TRAIN_KERNEL batch_norm_measure(__global const float *in, const tensor_t in_t,
                                __global float *memory)
{
    const int c = BLOCK, n = (int)get_global_id(1);
    GET_SUMS
    float mean = 0.0f, squares = 0.0f;
    for (int pass = 0; pass < 2; pass++) {
        float total = 0.0f, lost = 0.0f;
        for (int y = ITEM_ROW; y < HEIGHT(in_t); y += ROWS_APART) {
            __global const float *row = in + at(in_t, n, c, y, 0);
            vec sum_vec = 0.0f;
            float sum_float = 0.0f;
            ALONG(WIDTH(in_t), ADD_DISTANCE)
            add_exactly(&total, &lost, sum_lanes(sum_vec) + sum_float);
        }
        total = SUM(total, lost).x;
        if (pass == 0)
            mean = total / (float)(HEIGHT(in_t) * WIDTH(in_t));
        else
            squares = total;
    }
    __global float *to = OF_IMAGE(memory, CHANNELS(in_t), FIRST(in_t) + n, c);
    if (ITEM == 0) {
        to[0] = mean;
        to[1] = squares;
    }
}

/* Images in order: Σ (in − mean)² = Σ of each image + pixels · (its mean − mean)². Moving
 * statistics go by `rate` towards the batch's; correction: N / (N − 1), or 1. Work-group: c. */
TRAIN_KERNEL batch_norm_combine(__global float *memory, const int channels, const int images,
                                const int pixels, const float epsilon, __global float *moving_mean,
                                __global float *moving_variance, const float rate,
                                const float correction)
{
    const int c = BLOCK;
    GET_SUMS
    float sum = 0.0f, sum_lost = 0.0f, squares = 0.0f, squares_lost = 0.0f;
    for (int n = ITEM; n < images; n += ITEMS)
        add_exactly(&sum, &sum_lost, OF_IMAGE(memory, channels, n, c)[0]);
    const float2 mean = exact_quotient(SUM(sum, sum_lost), (float)images);
    for (int n = ITEM; n < images; n += ITEMS) {
        __global const float *image = OF_IMAGE(memory, channels, n, c);
        const float d = (image[0] - mean.x) - mean.y;
        add_exactly(&squares, &squares_lost, image[1]);
        add_exactly(&squares, &squares_lost, (float)pixels * d * d);
    }
    const float2 variance = exact_quotient(
        exact_quotient(SUM(squares, squares_lost), (float)images), (float)pixels);
    if (ITEM > 0)
        return;
    const float larger = variance.x + epsilon, rest = epsilon - (larger - variance.x);
    const float rest_of_larger = larger > 2.0f * epsilon ? rest : variance.x - (larger - epsilon);
    const float2 inverse = exact_inverse_root((float2)(larger, rest_of_larger + variance.y));
    vstore2(mean, 0, OF_CHANNEL(memory, c) + NORM_MEAN);
    vstore2(inverse, 0, OF_CHANNEL(memory, c) + NORM_INVERSE);
    moving_mean[c] -= (moving_mean[c] - mean.x) * rate;
    moving_variance[c] -= (moving_variance[c] - variance.x * correction) * rate;
}

/* What one channel's values become. */
typedef struct norm_t {
    float2 mean, scale;
    float shift;
} norm_t;

inline norm_t norm_of(__global const float *memory, __global const float *gamma,
                      __global const float *beta, const int c)
{
    const float2 inverse = vload2(0, OF_CHANNEL(memory, c) + NORM_INVERSE);
    const float2 product = exact_product(gamma[c], inverse.x);
    norm_t norm;
    norm.mean = vload2(0, OF_CHANNEL(memory, c) + NORM_MEAN);
    norm.scale = (float2)(product.x, product.y + gamma[c] * inverse.y);
    norm.shift = beta[c];
    return norm;
}

#define CENTRED(T, v) (((v) - (T)norm.mean.x) - (T)norm.mean.y)
#define NORMALISED(T, d) ((d) * (T)norm.scale.x + ((d) * (T)norm.scale.y + (T)norm.shift))
#define NORMALISE(T)                                                                               \
    {                                                                                              \
        const T d = CENTRED(T, LOAD_##T(p + x));                                                   \
        STORE_##T(NORMALISED(T, d), to + x);                                                       \
    }
TRAIN_KERNEL batch_norm_apply(__global const float *in, const tensor_t in_t,
                              __global const float *memory, __global const float *gamma,
                              __global const float *beta, __global float *out, const tensor_t out_t)
{
    GET_ROWS(out_t);
    const norm_t norm = norm_of(memory, gamma, beta, c);
    EACH_ROW {
        __global const float *p = in + at(in_t, n, c, y, 0);
        __global float *to = out + at(out_t, n, c, y, 0);
        ALONG_ROW(WIDTH(out_t), NORMALISE)
    }
}

/* Gradients of gamma, Σ d·x̂, and beta, Σ d. Work-group: (c, group). */
#define ADD_GRADIENTS(T)                                                                           \
    {                                                                                              \
        const T d = LOAD_##T(g + x);                                                               \
        sum_d_##T += d;                                                                            \
        sum_dx_##T = ((LOAD_##T(p + x) - mean.x) - mean.y) * d + sum_dx_##T;                       \
    }
TRAIN_KERNEL batch_norm_backward_measure(__global const float *in, const tensor_t in_t,
                                         __global const float *d_out, const tensor_t out_t,
                                         __global const float *memory, __global float *d_gamma,
                                         __global float *d_beta, const int n)
{
    const int c = BLOCK;
    GET_SUMS
    const float2 mean = vload2(0, OF_CHANNEL(memory, c) + NORM_MEAN);
    const float scale = OF_CHANNEL(memory, c)[NORM_INVERSE];
    GET_GROUP(in_t, n, 1);
    for (int image = image_begin; image < image_end; image++) {
        float beta = 0.0f, beta_lost = 0.0f, gamma = 0.0f, gamma_lost = 0.0f;
        EACH_ROW_OF(HEIGHT(in_t))
        {
            __global const float *p = in + at(in_t, image - FIRST(in_t), c, y, 0);
            __global const float *g = d_out + at(out_t, image - FIRST(in_t), c, y, 0);
            vec sum_d_vec = 0.0f, sum_dx_vec = 0.0f;
            float sum_d_float = 0.0f, sum_dx_float = 0.0f;
            ALONG(WIDTH(in_t), ADD_GRADIENTS)
            add_exactly(&beta, &beta_lost, sum_lanes(sum_d_vec) + sum_d_float);
            add_exactly(&gamma, &gamma_lost, sum_lanes(sum_dx_vec) + sum_dx_float);
        }
        beta = SUM(beta, beta_lost).x;
        gamma = SUM(gamma, gamma_lost).x;
        if (ITEM == 0) {
            add_to_group(d_beta + (size_t)group * CHANNELS(in_t) + c, image, beta);
            add_to_group(d_gamma + (size_t)group * CHANNELS(in_t) + c, image, gamma * scale);
        }
    }
}

/* Groups in order; values: images · pixels. Work-group: c. */
TRAIN_KERNEL batch_norm_backward_combine(__global const float *d_gamma,
                                         __global const float *d_beta, const int channels,
                                         const int groups, const float values,
                                         __global float *memory)
{
    const int c = BLOCK;
    GET_SUMS
    float gamma = 0.0f, beta = 0.0f;
    for (int g = ITEM; g < groups; g += ITEMS) {
        gamma += d_gamma[g * channels + c];
        beta += d_beta[g * channels + c];
    }
    gamma = SUM(gamma, 0.0f).x;
    beta = SUM(beta, 0.0f).x;
    if (ITEM > 0)
        return;
    OF_CHANNEL(memory, c)[NORM_MEAN_D] = beta / values;
    OF_CHANNEL(memory, c)[NORM_MEAN_DX] = gamma / values;
}

#define CENTRE(T)                                                                                  \
    {                                                                                              \
        const T h = ((LOAD_##T(p + x) - (T)mean.x) - (T)mean.y) * (T)inverse;                      \
        const T v = (LOAD_##T(g + x) - (T)mean_d - h * (T)mean_dx) * (T)scale;                     \
        STORE_##T(add ? LOAD_##T(d + x) + v : v, d + x);                                           \
    }
TRAIN_KERNEL batch_norm_backward_apply(__global const float *in, const tensor_t in_t,
                                       __global const float *d_out, const tensor_t out_t,
                                       __global const float *memory, __global const float *gamma,
                                       __global float *d_in, const tensor_t d_t, const int add)
{
    GET_ROWS(in_t);
    __global const float *norm = OF_CHANNEL(memory, c);
    const float2 mean = vload2(0, norm + NORM_MEAN);
    const float inverse = norm[NORM_INVERSE], scale = gamma[c] * inverse;
    const float mean_d = norm[NORM_MEAN_D], mean_dx = norm[NORM_MEAN_DX];
    EACH_ROW {
        __global const float *p = in + at(in_t, n, c, y, 0), *g = d_out + at(out_t, n, c, y, 0);
        __global float *d = d_in + at(d_t, n, c, y, 0);
        ALONG_ROW(WIDTH(in_t), CENTRE)
    }
}

/* With moving statistics: d_in = gamma / √(variance + epsilon) · d. */
#define RESCALE(T)                                                                                 \
    {                                                                                              \
        const T v = LOAD_##T(g + x) * (T)scale;                                                    \
        STORE_##T(add ? LOAD_##T(d + x) + v : v, d + x);                                           \
    }
TRAIN_KERNEL batch_norm_backward_frozen(__global const float *d_out, const tensor_t out_t,
                                        __global const float *gamma, __global const float *variance,
                                        const float epsilon, __global float *d_in,
                                        const tensor_t in_t, const int add)
{
    GET_ROWS(in_t);
    const float scale = gamma[c] / sqrt(variance[c] + epsilon);
    EACH_ROW {
        __global const float *g = d_out + at(out_t, n, c, y, 0);
        __global float *d = d_in + at(in_t, n, c, y, 0);
        ALONG_ROW(WIDTH(in_t), RESCALE)
    }
}
