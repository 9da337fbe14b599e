/* SPDX-License-Identifier: Apache-2.0 */

/* out[k][y][x] = Σ_{r,s,c} kernel[r][s][c][k] · in[c][y·stride + r·dilation − before][the same in x].
 * Reads the pad of `in` instead of checking bounds. Work-item: one output value. */
__kernel void conv_forward(__global const float *in, const tensor_t in_t,
                           __global const float *kernel_values, __global float *out,
                           const tensor_t out_t, const int window_h, const int window_w,
                           const int stride_h, const int stride_w, const int dilation_h,
                           const int dilation_w, const int before_h, const int before_w)
{
    GET_PIXEL(out_t);
    const int channels = CHANNELS(in_t), filters = CHANNELS(out_t);
    __global const float *w = kernel_values + c;
    float sum = 0.0f;
    for (int r = 0; r < window_h; r++)
        for (int s = 0; s < window_w; s++) {
            __global const float *pixel = in + at(in_t, n, 0, y * stride_h + r * dilation_h - before_h,
                                                  x * stride_w + s * dilation_w - before_w);
            for (int i = 0; i < channels; i++, pixel += PLANE(in_t), w += filters)
                sum = *w * *pixel + sum;
        }
    out[at(out_t, n, c, y, x)] = sum;
}
