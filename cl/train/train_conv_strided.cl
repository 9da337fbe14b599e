/* SPDX-License-Identifier: Apache-2.0
 *
 * What a convolution with a stride needs of its own.
 */
/* Gradient of the input for any stride: each input pixel looks for the windows that read it.
 * Work-group: (row, n · channels + c). */
TRAIN_KERNEL conv_backward_data(__global const float *d_out, const tensor_t out_t,
                                __global const float *weights, __global float *d_in,
                                const tensor_t in_t, const int window_h, const int window_w,
                                const int stride_h, const int stride_w, const int dilation_h,
                                const int dilation_w, const int before_h, const int before_w,
                                const int add)
{
    const int y = BLOCK;
    const int n = (int)get_global_id(1) / CHANNELS(in_t),
              c = (int)get_global_id(1) % CHANNELS(in_t);
    const int filters = CHANNELS(out_t);
    for (int x = ITEM; x < WIDTH(in_t); x += ITEMS) {
        __global float *p = d_in + at(in_t, n, c, y, x);
        float sum = 0.0f;
        for (int r = 0; r < window_h; r++)
            for (int s = 0; s < window_w; s++) {
                const int top = y + before_h - r * dilation_h, left = x + before_w - s * dilation_w;
                const int i = top / stride_h, j = left / stride_w;
                if (top < 0 || left < 0 || i * stride_h != top || j * stride_w != left ||
                    i >= HEIGHT(out_t) || j >= WIDTH(out_t))
                    continue;
                __global const float *w =
                    weights + ((size_t)(r * window_w + s) * CHANNELS(in_t) + c) * filters;
                for (int k = 0; k < filters; k++)
                    sum = w[k] * d_out[at(out_t, n, k, i, j)] + sum;
            }
        *p = add ? *p + sum : sum;
    }
}
