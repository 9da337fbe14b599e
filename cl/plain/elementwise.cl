/* SPDX-License-Identifier: Apache-2.0
 *
 * Bias, ReLU, batch norm: each output value depends on one input value. Comparisons are
 * written so that NaN stays NaN; fmax() would hide it.
 */
__kernel void bias_forward(__global const float *in, const tensor_t in_t,
                           __global const float *bias, __global float *out, const tensor_t out_t)
{
    GET_PIXEL(out_t);
    out[at(out_t, n, c, y, x)] = in[at(in_t, n, c, y, x)] + bias[c];
}

__kernel void relu_forward(__global const float *in, const tensor_t in_t, const float cap,
                           __global float *out, const tensor_t out_t)
{
    GET_PIXEL(out_t);
    const float v = in[at(in_t, n, c, y, x)];
    const float positive = v < 0.0f ? 0.0f : v;
    out[at(out_t, n, c, y, x)] = positive > cap ? cap : positive;
}

/* gamma · (in − mean) / √(variance + epsilon) + beta */
__kernel void batch_norm_forward(__global const float *in, const tensor_t in_t,
                                 __global const float *gamma, __global const float *beta,
                                 __global const float *mean, __global const float *variance,
                                 const float epsilon, __global float *out, const tensor_t out_t)
{
    GET_PIXEL(out_t);
    const float scale = gamma[c] / sqrt(variance[c] + epsilon);
    out[at(out_t, n, c, y, x)] = (in[at(in_t, n, c, y, x)] - mean[c]) * scale + beta[c];
}
