/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: behind the last block in training: batch norm's affine + dropout + dense + (leaky) ReLU
 * + dropout + dense with one output + sigmoid + loss, and all of it backward. The work-item is a
 * group of images.
 *
 *   raw      [image][INPUT_VECTORS]; on return, the gradient behind batch norm
 *   weights  the net's; the hidden layer's kernel is [UNITS_HIDDEN][inputs as they lie]
 *   sums     [image][2][FILTERS], Σ g and Σ g·(raw − mean)
 *   answers  [image][2], probability of class 1 and loss
 */
#define INPUT_VECTORS (IN_ROWS * FILTERS * PHASES)

inline uint mix(uint x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

/* The scale of a unit behind dropout: 0, or 1 / (1 − rate). threshold: rate · 2³². */
inline float dropout(int4 seed, int layer, int image, uint unit, uint threshold, float scale)
{
    const uint place = mix((uint)layer ^ mix((uint)image ^ mix(unit)));
    const uint h = mix((uint)seed.x ^ mix((uint)seed.y ^ mix((uint)seed.z ^ place)));
    return h >= threshold ? scale : 0.0f;
}

/* Dropout of the flattened input: its units count rows, columns, channels, as Keras flattens. */
inline void drop_input(int4 seed, int image, vec *to)
{
    const int strips = HALVES ? LANES / 2 : LANES, width = strips * PHASES;
    for (int v = 0; v < INPUT_VECTORS; v++) {
        float *scale = (float *)&to[v];
        for (int l = 0; l < LANES; l++) {
            const int y = v / (FILTERS * PHASES) + l / strips * IN_ROWS,
                      x = l % strips * PHASES + v % PHASES;
            const int unit = (y * width + x) * FILTERS + v / PHASES % FILTERS;
            scale[l] = INPUT_THRESHOLD == 0u ? 1.0f
                                             : dropout(seed, INPUT_DROPOUT, image, unit,
                                                       INPUT_THRESHOLD, INPUT_SCALE);
        }
    }
}

/* The hidden layer of image n: its values before the activation, dropout's scales and what comes
 * out; returns the logit. */
INLINED float PART(forward)(const vec *x, floats_in weights, int4 seed, int n, float *before,
                            float *kept, float *after)
{
    strips_in hidden = (strips_in)(weights + HIDDEN_KERNEL);
    float logit = weights[OUTPUT_BIAS];
    for (int u = 0; u < HIDDEN; u++) {
        vec sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int v = 0; v < INPUT_VECTORS; v += 4)
            UNROLLED for (int i = 0; i < 4; i++)
                sum[i] = x[v + i] * hidden[u * INPUT_VECTORS + v + i] + sum[i];
        before[u] = across((sum[0] + sum[1]) + (sum[2] + sum[3])) + weights[HIDDEN_BIAS + u];
        kept[u] = HIDDEN_THRESHOLD == 0u
                      ? 1.0f
                      : dropout(seed, HIDDEN_DROPOUT, n, u, HIDDEN_THRESHOLD, HIDDEN_SCALE);
        after[u] = (before[u] < 0.0f ? HIDDEN_SLOPE * before[u] : before[u]) * kept[u];
        logit = after[u] * weights[OUTPUT_KERNEL + u] + logit;
    }
    return logit;
}

/* The gradient x takes the place of an image's values; sums: [2][FILTERS]. */
INLINED void PART(put_gradient)(const vec *x, floats_in norm, __global vec *image,
                                __global float *sums)
{
    for (int k = 0; k < FILTERS; k++) {
        vec sum = 0.0f, products = 0.0f;
        for (int r = 0; r < IN_ROWS; r++)
            for (int p = 0; p < PHASES; p++) {
                const int v = (r * FILTERS + k) * PHASES + p;
                sum += x[v];
                products = x[v] * (image[v] - norm[NORM_MEAN * FILTERS + k]) + products;
                image[v] = x[v];
            }
        sums[k] = across(sum);
        sums[FILTERS + k] = across(products);
    }
}

KERNEL NAME(__global vec *raw, floats_in weights, floats_in norm,
            __global const int *restrict classes, __global float *restrict partial,
            __global float *restrict sums, __global float *restrict answers, const int first_group,
            const int n_images, const int cross_entropy, const int seed_low, const int seed_high,
            const int step)
{
    const int group = first_group + (int)get_global_id(0);
    const int end = min((group + 1) * GROUP, n_images);
    const int4 seed = (int4)(seed_low, seed_high, step, 0);
    strips_in hidden = (strips_in)(weights + HIDDEN_KERNEL);
    partial += (size_t)group * PARAMETERS;
    __global vec *hidden_gradient = (__global vec *)(partial + HIDDEN_KERNEL);
    vec scale[INPUT_VECTORS], x[INPUT_VECTORS];
    float bias_gradient[HIDDEN], output_gradient[HIDDEN], output_bias_gradient = 0.0f;
    for (int i = 0; i < HIDDEN * INPUT_VECTORS; i++)
        hidden_gradient[i] = whole((vec)(0.0f));
    for (int u = 0; u < HIDDEN; u++)
        bias_gradient[u] = output_gradient[u] = 0.0f;
    for (int n = group * GROUP; n < end; n++) {
        float before[HIDDEN], kept[HIDDEN], after[HIDDEN];
        __global vec *image = raw + (size_t)n * INPUT_VECTORS;
        drop_input(seed, n, scale);
        for (int v = 0; v < INPUT_VECTORS; v++) {
            const int k = v / PHASES % FILTERS;
            x[v] = (image[v] * norm[NORM_SCALE * FILTERS + k] + norm[NORM_SHIFT * FILTERS + k]) *
                   scale[v];
        }
        const float logit = PART(forward)(x, weights, seed, n, before, kept, after);
        const float p = 1.0f / (1.0f + exp(-logit)), difference = p - (float)classes[n];
        const float softplus = (logit > 0.0f ? logit : 0.0f) + log1p(exp(-fabs(logit)));
        answers[2 * n] = p;
        answers[2 * n + 1] =
            cross_entropy ? softplus - (float)classes[n] * logit : difference * difference;
        const float dl =
            (cross_entropy ? difference : 2.0f * difference * p * (1.0f - p)) / (float)n_images;
        output_bias_gradient += dl;
        for (int u = 0; u < HIDDEN; u++) {
            output_gradient[u] += after[u] * dl;
            const float g = weights[OUTPUT_KERNEL + u] * dl * kept[u];
            before[u] = before[u] > 0.0f ? g : HIDDEN_SLOPE * g;
            bias_gradient[u] += before[u];
        }
        /* `before` is its gradient now. */
        ROLLED for (int v = 0; v < INPUT_VECTORS; v++) {
            const vec input = x[v];
            vec gradient = 0.0f;
            for (int u = 0; u < HIDDEN; u++) {
                hidden_gradient[u * INPUT_VECTORS + v] += input * before[u];
                gradient = hidden[u * INPUT_VECTORS + v] * before[u] + gradient;
            }
            x[v] = gradient * scale[v];
        }
        PART(put_gradient)(x, norm, image, sums + (size_t)n * 2 * FILTERS);
    }
    for (int u = 0; u < HIDDEN; u++) {
        partial[HIDDEN_BIAS + u] = bias_gradient[u];
        partial[OUTPUT_KERNEL + u] = output_gradient[u];
    }
    partial[OUTPUT_BIAS] = output_bias_gradient;
}
#undef INPUT_VECTORS
