/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layers and softmax: vectors, height = width = 1.
 */

/* out[u] = Σ_i in[i] · kernel[i][u]. Work-item: (u, n). */
__kernel void dense_forward(__global const float *in, const tensor_t in_t,
                            __global const float *kernel_values, __global float *out,
                            const tensor_t out_t)
{
    const int u = (int)get_global_id(0), n = (int)get_global_id(1);
    const int inputs = CHANNELS(in_t), units = CHANNELS(out_t);
    if (u >= units)
        return;
    float sum = 0.0f;
    for (int i = 0; i < inputs; i++)
        sum = in[at(in_t, n, i, 0, 0)] * kernel_values[i * units + u] + sum;
    out[at(out_t, n, u, 0, 0)] = sum;
}

/* out[c] = e^(in[c] − max) / Σ e^(in − max). Work-item: (0, n). */
__kernel void softmax_forward(__global const float *in, const tensor_t in_t, __global float *out,
                              const tensor_t out_t)
{
    const int n = (int)get_global_id(1);
    if (get_global_id(0) > 0)
        return;
    float largest = -INFINITY, sum = 0.0f;
    for (int c = 0; c < CHANNELS(in_t); c++)
        largest = max(largest, in[at(in_t, n, c, 0, 0)]);
    for (int c = 0; c < CHANNELS(in_t); c++)
        sum += exp(in[at(in_t, n, c, 0, 0)] - largest);
    for (int c = 0; c < CHANNELS(in_t); c++)
        out[at(out_t, n, c, 0, 0)] = exp(in[at(in_t, n, c, 0, 0)] - largest) / sum;
}
