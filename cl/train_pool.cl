/* SPDX-License-Identifier: Apache-2.0 */

/* The gradient goes to the first of the largest values under each window. Windows may overlap, so the work-item
 * (block of `rows` window rows, n · channels + c) owns the input rows that its windows begin in: all of them where
 * windows overlap. */
TRAIN_KERNEL max_pool_backward(__global const float *in, const tensor_t in_t, __global const float *d_out,
                               const tensor_t out_t, __global float *d_in, const tensor_t d_t,
                               const int window_h, const int window_w, const int stride_h,
                               const int stride_w, const int before_h, const int before_w,
                               const int rows, const int add)
{
    const int n = (int)get_global_id(1) / CHANNELS(in_t), c = (int)get_global_id(1) % CHANNELS(in_t);
    const int begin = (int)get_global_id(0) * rows, end = min(begin + rows, HEIGHT(out_t));
    const int own_begin = begin == 0 ? 0 : begin * stride_h - before_h;
    const int own_end = end == HEIGHT(out_t) ? HEIGHT(in_t) : end * stride_h - before_h;
    for (int y = own_begin; y < own_end && !add; y++)
        for (int x = 0; x < WIDTH(d_t); x++)
            d_in[at(d_t, n, c, y, x)] = 0.0f;
    for (int y = begin; y < end; y++)
        for (int x = 0; x < WIDTH(out_t); x++) {
            const int top = y * stride_h - before_h, left = x * stride_w - before_w;
            const int y0 = max(top, 0), y1 = min(top + window_h, HEIGHT(in_t));
            const int x0 = max(left, 0), x1 = min(left + window_w, WIDTH(in_t));
            int row = y0, column = x0;
            float largest = -INFINITY;
            for (int i = y0; i < y1; i++)
                for (int j = x0; j < x1; j++) {
                    const float v = in[at(in_t, n, c, i, j)];
                    if (v > largest) {
                        largest = v;
                        row = i;
                        column = j;
                    }
                }
            d_in[at(d_t, n, c, row, column)] += d_out[at(out_t, n, c, y, x)];
        }
}
