/* SPDX-License-Identifier: Apache-2.0 */

#if FILTER_GROUP != 8
#error "conv_forward keeps its sums in a float8"
#endif

/* out[k][y][x] = Σ_{r,s,c} kernel[r][s][c][k] · in[c][y·stride + r·dilation − before][the same in
 * x]. Reads the pad of `in` instead of checking bounds. Work-item (x, y, n · groups + group):
 * FILTER_GROUP filters at one place, or what is left of them in the last group. */
__kernel void conv_forward(__global const float *in, const tensor_t in_t,
                           __global const float *kernel_values, __global float *out,
                           const tensor_t out_t, const int window_h, const int window_w,
                           const int stride_h, const int stride_w, const int dilation_h,
                           const int dilation_w, const int before_h, const int before_w)
{
    const int x = (int)get_global_id(0), y = (int)get_global_id(1);
    if (x >= WIDTH(out_t))
        return;
    const int channels = CHANNELS(in_t), filters = CHANNELS(out_t);
    const int groups = (filters + FILTER_GROUP - 1) / FILTER_GROUP;
    const int n = (int)get_global_id(2) / groups;
    const int k0 = (int)get_global_id(2) % groups * FILTER_GROUP;
    const int n_k = min(FILTER_GROUP, filters - k0);
    __global const float *w = kernel_values + k0;
    float8 sum = 0.0f;
    float part[FILTER_GROUP] = {0.0f};
    for (int r = 0; r < window_h; r++)
        for (int s = 0; s < window_w; s++) {
            __global const float *pixel =
                in + at(in_t, n, 0, y * stride_h + r * dilation_h - before_h,
                        x * stride_w + s * dilation_w - before_w);
            for (int i = 0; i < channels; i++, pixel += PLANE(in_t), w += filters) {
                if (n_k == FILTER_GROUP)
                    sum = *pixel * vload8(0, w) + sum;
                else
                    for (int k = 0; k < n_k; k++)
                        part[k] = w[k] * *pixel + part[k];
            }
        }
    if (n_k == FILTER_GROUP)
        vstore8(sum, 0, part);
    for (int k = 0; k < n_k; k++)
        out[at(out_t, n, k0 + k, y, x)] = part[k];
}

/* A convolution as a product of matrices: spread[r][s][c][row][x] = in[c] as conv_forward's filters
 * see it at output row y0 + row; zeros in the gap behind each row of `out`, which the product
 * covers. Image FIRST(in_t). Work-item (x, row, (r · window_w + s) · channels + c). */
__kernel void conv_spread(__global const float *in, const tensor_t in_t, __global float *spread,
                          const tensor_t out_t, const int y0, const int rows, const int window_w,
                          const int stride_h, const int stride_w, const int dilation_h,
                          const int dilation_w, const int before_h, const int before_w)
{
    const int x = (int)get_global_id(0), row = (int)get_global_id(1), place = (int)get_global_id(2);
    if (x >= ROW_STRIDE(out_t))
        return;
    const int c = place % CHANNELS(in_t), rs = place / CHANNELS(in_t);
    const int y = (y0 + row) * stride_h + rs / window_w * dilation_h - before_h;
    const size_t to = ((size_t)place * rows + row) * ROW_STRIDE(out_t) + x;
    spread[to] = x < WIDTH(out_t)
                     ? in[at(in_t, 0, c, y, x * stride_w + rs % window_w * dilation_w - before_w)]
                     : 0.0f;
}
