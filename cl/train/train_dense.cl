/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense and softmax backward, and what comes after the last layer: loss and optimisers.
 */

/* out[u] = Σ_i in[i] · kernel[i][u], in blocks: an error of the logits is one of every gradient.
 * Work-group: (u, n). */
TRAIN_KERNEL dense_train(__global const float *in, const tensor_t in_t,
                         __global const float *kernel_values, __global float *out,
                         const tensor_t out_t)
{
    const int u = BLOCK, n = (int)get_global_id(1);
    GET_SUMS
    const int inputs = CHANNELS(in_t), units = CHANNELS(out_t);
    float sum = 0.0f, lost = 0.0f;
    for (int begin = ITEM * TRAIN_ROWS; begin < inputs; begin += ITEMS * TRAIN_ROWS) {
        float part = 0.0f;
        for (int i = begin; i < min(begin + TRAIN_ROWS, inputs); i++)
            part = in[at(in_t, n, i, 0, 0)] * kernel_values[(size_t)i * units + u] + part;
        add_exactly(&sum, &lost, part);
    }
    sum = SUM(sum, lost).x;
    if (ITEM == 0)
        out[at(out_t, n, u, 0, 0)] = sum;
}

/* partial[group][i][u] = Σ in[i] · d_out[u] over the group's images. Work-group: (block
 * of inputs, group). */
TRAIN_KERNEL dense_backward_weights(__global const float *in, const tensor_t in_t,
                                    __global const float *d_out, const tensor_t out_t,
                                    __global float *partial, const int n)
{
    const int inputs = CHANNELS(in_t), units = CHANNELS(out_t);
    const int begin = BLOCK * TRAIN_ROWS, end = min(begin + TRAIN_ROWS, inputs);
    GET_GROUP(in_t, n, 1);
    for (int image = image_begin; image < image_end; image++)
        for (int i = begin + ITEM_ROW; i < end; i += ROWS_APART) {
            const float v = in[at(in_t, image - FIRST(in_t), i, 0, 0)];
            __global float *sums = partial + ((size_t)group * inputs + i) * units;
            for (int u = ITEM_COLUMN; u < units; u += COLUMNS_APART)
                add_to_group(sums + u, image, v * d_out[at(out_t, image - FIRST(out_t), u, 0, 0)]);
        }
}

/* d_in[i] = Σ_u kernel[i][u] · d_out[u]. Work-group: (block of inputs, n). */
TRAIN_KERNEL dense_backward_data(__global const float *d_out, const tensor_t out_t,
                                 __global const float *kernel_values, __global float *d_in,
                                 const tensor_t in_t, const int add)
{
    const int n = (int)get_global_id(1), inputs = CHANNELS(in_t), units = CHANNELS(out_t);
    const int begin = BLOCK * TRAIN_ROWS, end = min(begin + TRAIN_ROWS, inputs);
    for (int i = begin + ITEM; i < end; i += ITEMS) {
        __global float *d = d_in + at(in_t, n, i, 0, 0);
        float sum = 0.0f;
        for (int u = 0; u < units; u++)
            sum = kernel_values[(size_t)i * units + u] * d_out[at(out_t, n, u, 0, 0)] + sum;
        *d = add ? *d + sum : sum;
    }
}

/* d_in[c] = out[c] · (d_out[c] − Σ_k out[k] · d_out[k]). Work-group: n. */
TRAIN_KERNEL softmax_backward(__global const float *out, const tensor_t out_t,
                              __global const float *d_out, const tensor_t d_t, __global float *d_in,
                              const tensor_t in_t, const int add)
{
    const int n = BLOCK;
    float mean = 0.0f;
    for (int c = 0; c < CHANNELS(out_t); c++)
        mean = out[at(out_t, n, c, 0, 0)] * d_out[at(d_t, n, c, 0, 0)] + mean;
    for (int c = ITEM; c < CHANNELS(out_t); c += ITEMS) {
        const float g = out[at(out_t, n, c, 0, 0)] * (d_out[at(d_t, n, c, 0, 0)] - mean);
        __global float *d = d_in + at(in_t, n, c, 0, 0);
        *d = add ? *d + g : g;
    }
}

/* Loss of one image and its gradient, from the logits that the last sigmoid (one) or softmax (two)
 * would take; kind: meso_loss. Both are one formula in z, what the class's logit is above the
 * other's: p = 1/(1 + e^−z) is the class's probability, 1 − p comes without cancellation, and a
 * sigmoid's other logit is 0. results: [image] of float2 (loss, correct). images: of the whole
 * batch. Work-item: n; in the last work-group some are past the end. */
TRAIN_KERNEL loss(__global const float *logits, const tensor_t logits_t,
                  __global const uchar *classes, const int kind, const int images,
                  __global float *d, const tensor_t d_t, __global float *results)
{
    const int n = (int)get_global_id(0), image = FIRST(logits_t) + n;
    if (image >= images)
        return;
    const int outputs = CHANNELS(logits_t), is_one = classes[image];
    const float above = outputs == 1
                            ? logits[at(logits_t, n, 0, 0, 0)]
                            : logits[at(logits_t, n, 1, 0, 0)] - logits[at(logits_t, n, 0, 0, 0)];
    const float z = is_one ? above : -above, e = exp(-fabs(z));
    const float p = (z < 0.0f ? e : 1.0f) / (1.0f + e), q = (z < 0.0f ? 1.0f : e) / (1.0f + e);
    /* MSE: q² for one output; two outputs are both off by q, and their mean is taken. */
    const float value = kind == 0 ? q * q : (z < 0.0f ? -z : 0.0f) + log1p(e);
    const float slope = kind == 0 ? -2.0f * q * p * q : -q;
    const float g = (is_one ? slope : -slope) / (float)images;
    d[at(d_t, n, outputs - 1, 0, 0)] = g;
    if (outputs == 2)
        d[at(d_t, n, 0, 0, 0)] = -g;
    results[2 * image] = value;
    results[2 * image + 1] = ((is_one ? p : q) > 0.5f) == (is_one != 0) ? 1.0f : 0.0f;
}

/* What a work-group of an optimiser does: `n` values from `first` on, whose gradients, summed by
 * groups `stride` apart, `bands` of them an image or group of images, begin at `sums`. */
typedef struct update_t {
    int first, n, stride, bands;
    size_t sums;
} update_t;

inline update_t update_of(__global const int *updates)
{
    __global const int *row = updates + 5 * BLOCK;
    update_t u;
    u.first = row[0];
    u.n = row[1];
    u.stride = row[2];
    u.bands = row[3];
    u.sums = (size_t)(uint)row[4];
    return u;
}

/* Groups in order. */
inline float gradient_of(__global const float *partial, const update_t u, const int groups,
                         const int i)
{
    float sum = 0.0f;
    for (int g = 0; g < groups * u.bands; g++)
        sum += partial[u.sums + (size_t)g * u.stride + i];
    return sum;
}

/* All parameters at once. Keras' form: alpha = learning rate · √(1 − beta2ᵗ) / (1 − beta1ᵗ). rate1,
 * rate2: 1 − beta. Work-group: a row of updates. */
TRAIN_KERNEL adam(__global const float *partial, const int groups, __global const int *updates,
                  __global float *weights, __global float *rest, __global float *first,
                  __global float *second, const float alpha, const float rate1, const float rate2,
                  const float epsilon)
{
    const update_t u = update_of(updates);
    for (int k = ITEM; k < u.n; k += ITEMS) {
        const int i = u.first + k;
        const float g = gradient_of(partial, u, groups, k);
        const float m = first[i] + (g - first[i]) * rate1;
        const float v = second[i] + (g * g - second[i]) * rate2;
        first[i] = m;
        second[i] = v;
        MOVE_WEIGHT(float, weights[i], rest[i], -alpha * m / (sqrt(v) + epsilon));
    }
}

TRAIN_KERNEL sgd(__global const float *partial, const int groups, __global const int *updates,
                 __global float *weights, __global float *rest, __global float *velocity,
                 const float momentum, const float rate)
{
    const update_t u = update_of(updates);
    for (int k = ITEM; k < u.n; k += ITEMS) {
        const int i = u.first + k;
        velocity[i] = momentum * velocity[i] - rate * gradient_of(partial, u, groups, k);
        MOVE_WEIGHT(float, weights[i], rest[i], velocity[i]);
    }
}
