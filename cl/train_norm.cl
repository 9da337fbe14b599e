/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch norm in training: mean and variance of the batch, by channel.
 *
 *   out = gamma · x̂ + beta, x̂ = (in − mean) / √(variance + epsilon)
 *   d_in = gamma / √(variance + epsilon) · (d − mean of d − x̂ · mean of d·x̂)
 *
 * memory: [channel] of float4 (mean, 1/√(variance + epsilon), mean of d, mean of d·x̂), then [image][channel] of
 * float2 (mean, Σ (in − mean)²) of one image.
 */
#define OF_IMAGE(memory, channels, image, c)                                                       \
    (memory + 4 * (size_t)(channels) + 2 * ((size_t)(image) * (channels) + c))

/* Mean and squares of one plane, in two passes: subtracting large squares would lose digits. Rows are summed
 * first. Work-item: (c, n). */
TRAIN_KERNEL batch_norm_measure(__global const float *in, const tensor_t in_t, __global float *memory)
{
    const int c = (int)get_global_id(0), n = (int)get_global_id(1);
    float mean = 0.0f, squares = 0.0f;
    for (int pass = 0; pass < 2; pass++) {
        float total = 0.0f;
        for (int y = 0; y < HEIGHT(in_t); y++) {
            __global const float *row = in + at(in_t, n, c, y, 0);
            vec v = 0.0f;
            float rest = 0.0f;
            int x = 0;
            for (; x + LANES <= WIDTH(in_t); x += LANES) {
                const vec d = VLOAD(0, row + x) - mean;
                v += pass == 0 ? d : d * d;
            }
            for (; x < WIDTH(in_t); x++) {
                const float d = row[x] - mean;
                rest += pass == 0 ? d : d * d;
            }
            total += sum_lanes(v) + rest;
        }
        if (pass == 0)
            mean = total / (float)(HEIGHT(in_t) * WIDTH(in_t));
        else
            squares = total;
    }
    __global float *to = OF_IMAGE(memory, CHANNELS(in_t), FIRST(in_t) + n, c);
    to[0] = mean;
    to[1] = squares;
}

/* Images in order: Σ (in − mean)² = Σ of each image + pixels · (its mean − mean)². Moving statistics go by `rate`
 * towards the batch's; correction: N / (N − 1), or 1. Work-item: c. */
TRAIN_KERNEL batch_norm_combine(__global float *memory, const int channels, const int images,
                                const int pixels, const float epsilon, __global float *moving_mean,
                                __global float *moving_variance, const float rate,
                                const float correction)
{
    const int c = (int)get_global_id(0);
    float mean = 0.0f, lost = 0.0f, squares = 0.0f;
    for (int n = 0; n < images; n++) { /* with what rounding loses (Kahan) */
        const float v = OF_IMAGE(memory, channels, n, c)[0] - lost, sum = mean + v;
        lost = (sum - mean) - v;
        mean = sum;
    }
    mean /= (float)images;
    for (int n = 0; n < images; n++) {
        __global const float *image = OF_IMAGE(memory, channels, n, c);
        const float d = image[0] - mean;
        squares += image[1] + (float)pixels * d * d;
    }
    const float variance = squares / ((float)images * (float)pixels);
    memory[4 * c] = mean;
    memory[4 * c + 1] = 1.0f / sqrt(variance + epsilon);
    moving_mean[c] -= (moving_mean[c] - mean) * rate;
    moving_variance[c] -= (moving_variance[c] - variance * correction) * rate;
}

#define NORMALISE(T) STORE_##T((LOAD_##T(p + x) - (T)mean) * (T)scale + (T)shift, to + x);
TRAIN_KERNEL batch_norm_apply(__global const float *in, const tensor_t in_t, __global const float *memory,
                              __global const float *gamma, __global const float *beta,
                              __global float *out, const tensor_t out_t)
{
    GET_ROWS(out_t);
    const float mean = memory[4 * c], scale = gamma[c] * memory[4 * c + 1], shift = beta[c];
    for (int y = y_begin; y < y_end; y++) {
        __global const float *p = in + at(in_t, n, c, y, 0);
        __global float *to = out + at(out_t, n, c, y, 0);
        ALONG(WIDTH(out_t), NORMALISE)
    }
}

/* Gradients of gamma, Σ d·x̂, and beta, Σ d. Work-item: (c, group). */
TRAIN_KERNEL batch_norm_backward_measure(__global const float *in, const tensor_t in_t,
                                         __global const float *d_out, const tensor_t out_t,
                                         __global const float *memory, __global float *d_gamma,
                                         __global float *d_beta, const int n)
{
    const int c = (int)get_global_id(0);
    const float mean = memory[4 * c], scale = memory[4 * c + 1];
    GET_GROUP(in_t, n, 1);
    for (int image = image_begin; image < image_end; image++) {
        float beta = 0.0f, gamma = 0.0f;
        for (int y = 0; y < HEIGHT(in_t); y++) {
            __global const float *p = in + at(in_t, image - FIRST(in_t), c, y, 0);
            __global const float *g = d_out + at(out_t, image - FIRST(in_t), c, y, 0);
            vec sum_d = 0.0f, sum_dx = 0.0f;
            float rest_d = 0.0f, rest_dx = 0.0f;
            int x = 0;
            for (; x + LANES <= WIDTH(in_t); x += LANES) {
                const vec d = VLOAD(0, g + x);
                sum_d += d;
                sum_dx = (VLOAD(0, p + x) - mean) * d + sum_dx;
            }
            for (; x < WIDTH(in_t); x++) {
                rest_d += g[x];
                rest_dx = (p[x] - mean) * g[x] + rest_dx;
            }
            beta += sum_lanes(sum_d) + rest_d;
            gamma += sum_lanes(sum_dx) + rest_dx;
        }
        add_to_group(d_beta + (size_t)group * CHANNELS(in_t) + c, image, beta);
        add_to_group(d_gamma + (size_t)group * CHANNELS(in_t) + c, image, gamma * scale);
    }
}

/* Groups in order; values: images · pixels. Work-item: c. */
TRAIN_KERNEL batch_norm_backward_combine(__global const float *d_gamma, __global const float *d_beta,
                                         const int channels, const int groups, const float values,
                                         __global float *memory)
{
    const int c = (int)get_global_id(0);
    float gamma = 0.0f, beta = 0.0f;
    for (int g = 0; g < groups; g++) {
        gamma += d_gamma[g * channels + c];
        beta += d_beta[g * channels + c];
    }
    memory[4 * c + 2] = beta / values;
    memory[4 * c + 3] = gamma / values;
}

#define CENTRE(T)                                                                                  \
    {                                                                                              \
        const T h = (LOAD_##T(p + x) - (T)m.s0) * (T)m.s1;                                         \
        const T v = (LOAD_##T(g + x) - (T)m.s2 - h * (T)m.s3) * (T)scale;                          \
        STORE_##T(add ? LOAD_##T(d + x) + v : v, d + x);                                           \
    }
TRAIN_KERNEL batch_norm_backward_apply(__global const float *in, const tensor_t in_t,
                                       __global const float *d_out, const tensor_t out_t,
                                       __global const float *memory, __global const float *gamma,
                                       __global float *d_in, const tensor_t d_t, const int add)
{
    GET_ROWS(in_t);
    const float4 m = vload4(c, memory);
    const float scale = gamma[c] * m.s1;
    for (int y = y_begin; y < y_end; y++) {
        __global const float *p = in + at(in_t, n, c, y, 0), *g = d_out + at(out_t, n, c, y, 0);
        __global float *d = d_in + at(d_t, n, c, y, 0);
        ALONG(WIDTH(in_t), CENTRE)
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
    for (int y = y_begin; y < y_end; y++) {
        __global const float *g = d_out + at(out_t, n, c, y, 0);
        __global float *d = d_in + at(in_t, n, c, y, 0);
        ALONG(WIDTH(in_t), RESCALE)
    }
}
