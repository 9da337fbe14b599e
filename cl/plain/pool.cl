/* SPDX-License-Identifier: Apache-2.0 */

/* The largest value under the window, clipped to the picture: padding never wins. NaN wins
 * always. */
__kernel void max_pool_forward(__global const float *in, const tensor_t in_t, __global float *out,
                               const tensor_t out_t, const int window_h, const int window_w,
                               const int stride_h, const int stride_w, const int before_h,
                               const int before_w)
{
    GET_PIXEL(out_t);
    const int top = y * stride_h - before_h, left = x * stride_w - before_w;
    const int y0 = max(top, 0), y1 = min(top + window_h, HEIGHT(in_t));
    const int x0 = max(left, 0), x1 = min(left + window_w, WIDTH(in_t));
    float largest = -INFINITY;
    for (int i = y0; i < y1; i++)
        for (int j = x0; j < x1; j++) {
            const float v = in[at(in_t, n, c, i, j)];
            largest = v > largest || v != v ? v : largest;
        }
    out[at(out_t, n, c, y, x)] = largest;
}

/* Mean of a channel, row by row to keep the rounding error small. Work-item: (c, n). */
__kernel void global_avg_pool_forward(__global const float *in, const tensor_t in_t,
                                      __global float *out, const tensor_t out_t)
{
    const int c = (int)get_global_id(0), n = (int)get_global_id(1);
    if (c >= CHANNELS(out_t))
        return;
    float sum = 0.0f;
    for (int y = 0; y < HEIGHT(in_t); y++) {
        float row = 0.0f;
        for (int x = 0; x < WIDTH(in_t); x++)
            row += in[at(in_t, n, c, y, x)];
        sum += row;
    }
    out[at(out_t, n, c, 0, 0)] = sum / (float)(HEIGHT(in_t) * WIDTH(in_t));
}
