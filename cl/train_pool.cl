/* SPDX-License-Identifier: Apache-2.0
 *
 * Max-pooling in training. Windows of 2 × 2 side by side, which fill the picture or leave its last row and column,
 * are done in vectors of even and odd columns; all others one by one.
 */
#define HALF (LANES / 2)
#define LARGER_HALF(a, b) ((b) > (a) || (b) != (b) ? (b) : (a)) /* NaN wins */

/* The first outputs of a row that can be done in vectors. */
inline int paired_columns(const int window_h, const int window_w, const int stride_h, const int stride_w,
                          const int before_h, const int before_w, const int y, const tensor_t in_t,
                          const tensor_t out_t)
{
    const int pairs = window_h == 2 && window_w == 2 && stride_h == 2 && stride_w == 2 && before_h == 0 &&
                      before_w == 0 && 2 * y + 1 < HEIGHT(in_t);
    return pairs ? min(WIDTH(in_t) / 2, WIDTH(out_t)) / HALF * HALF : 0;
}

/* Work-item: (block of rows, n · channels + c). */
TRAIN_KERNEL max_pool_train(__global const float *in, const tensor_t in_t, __global float *out,
                            const tensor_t out_t, const int window_h, const int window_w, const int stride_h,
                            const int stride_w, const int before_h, const int before_w)
{
    GET_ROWS(out_t);
    for (int y = y_begin; y < y_end; y++) {
        const int paired = paired_columns(window_h, window_w, stride_h, stride_w, before_h, before_w, y,
                                          in_t, out_t);
        const int y0 = max(y * stride_h - before_h, 0);
        const int y1 = min(y * stride_h - before_h + window_h, HEIGHT(in_t));
        __global const float *upper = in + at(in_t, n, c, y0, 0), *lower = upper + ROW_STRIDE(in_t);
        __global float *to = out + at(out_t, n, c, y, 0);
        int x = 0;
        for (; x < paired; x += HALF) {
            const vec a = VLOAD(0, upper + 2 * x), b = VLOAD(0, lower + 2 * x);
            const half_vec top = LARGER_HALF(a.even, a.odd), bottom = LARGER_HALF(b.even, b.odd);
            HALF_STORE(LARGER_HALF(top, bottom), 0, to + x);
        }
        for (; x < WIDTH(out_t); x++) {
            const int x0 = max(x * stride_w - before_w, 0);
            const int x1 = min(x * stride_w - before_w + window_w, WIDTH(in_t));
            float largest = -INFINITY;
            for (int i = y0; i < y1; i++)
                for (int j = x0; j < x1; j++) {
                    const float v = upper[(i - y0) * ROW_STRIDE(in_t) + j];
                    largest = v > largest || v != v ? v : largest;
                }
            to[x] = largest;
        }
    }
}

/* HALF windows: their gradients g to the first of the largest of each, added to what is there. */
inline void backward_pairs(__global const float *in, const int in_stride, const half_vec g, __global float *d,
                           const int d_stride)
{
    const vec a = VLOAD(0, in), b = VLOAD(0, in + in_stride);
    const half_vec top = LARGER_HALF(a.even, a.odd), bottom = LARGER_HALF(b.even, b.odd);
    const half_vec largest = LARGER_HALF(top, bottom), none = 0.0f;
    const half_mask first = a.even == largest, second = ~first & (a.odd == largest);
    const half_mask third = ~(first | second) & (b.even == largest);
    vec upper = VLOAD(0, d), lower = VLOAD(0, d + d_stride);
    upper.even += first ? g : none;
    upper.odd += second ? g : none;
    lower.even += third ? g : none;
    lower.odd += first | second | third ? none : g;
    VSTORE(upper, 0, d);
    VSTORE(lower, 0, d + d_stride);
}

/* The gradient goes to the first of the largest values under each window. Windows may overlap, so the work-item
 * (block of `rows` window rows, n · channels + c) owns the input rows that its windows begin in: all of them where
 * windows overlap. */
#define CLEAR(T) STORE_##T((T)0.0f, d + x);
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
    for (int y = own_begin; y < own_end && !add; y++) {
        __global float *d = d_in + at(d_t, n, c, y, 0);
        ALONG(WIDTH(d_t), CLEAR)
    }
    for (int y = begin; y < end; y++) {
        const int paired = paired_columns(window_h, window_w, stride_h, stride_w, before_h, before_w, y,
                                          in_t, out_t);
        for (int x = 0; x < paired; x += HALF)
            backward_pairs(in + at(in_t, n, c, 2 * y, 2 * x), ROW_STRIDE(in_t),
                           HALF_LOAD(0, d_out + at(out_t, n, c, y, x)), d_in + at(d_t, n, c, 2 * y, 2 * x),
                           ROW_STRIDE(d_t));
        for (int x = paired; x < WIDTH(out_t); x++) {
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
}
