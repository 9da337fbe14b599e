/* SPDX-License-Identifier: Apache-2.0
 *
 * Max-pooling in training. Windows of 2 × 2 side by side, which fill the picture or leave its last
 * row and column, are done in vectors of even and odd columns; all others one by one.
 */
#define HALF (LANES / 2)
#define LARGER_HALF(a, b) ((b) > (a) || (b) != (b) ? (b) : (a)) /* NaN wins */

/* The first outputs of a row that can be done in vectors. */
inline int paired_columns(const int window_h, const int window_w, const int stride_h,
                          const int stride_w, const int before_h, const int before_w, const int y,
                          const tensor_t in_t, const tensor_t out_t)
{
    const int pairs = window_h == 2 && window_w == 2 && stride_h == 2 && stride_w == 2 &&
                      before_h == 0 && before_w == 0 && 2 * y + 1 < HEIGHT(in_t);
    return pairs ? min(WIDTH(in_t) / 2, WIDTH(out_t)) / HALF * HALF : 0;
}

/* The largest of VALUE(type, input) under each window. */
#define POOL_ROWS(VALUE)                                                                           \
    GET_ROWS(out_t);                                                                               \
    for (int y = y_begin; y < y_end; y++) {                                                        \
        const int paired = paired_columns(window_h, window_w, stride_h, stride_w, before_h,        \
                                          before_w, y, in_t, out_t);                               \
        const int y0 = max(y * stride_h - before_h, 0);                                            \
        const int y1 = min(y * stride_h - before_h + window_h, HEIGHT(in_t));                      \
        __global const float *upper = in + at(in_t, n, c, y0, 0),                                  \
                             *lower = upper + ROW_STRIDE(in_t);                                    \
        __global float *to = out + at(out_t, n, c, y, 0);                                          \
        int x = 0;                                                                                 \
        for (; x < paired; x += HALF) {                                                            \
            PREFETCH(upper + 2 * ROW_STRIDE(in_t) + 2 * x); /* for the next row */                 \
            PREFETCH(lower + 2 * ROW_STRIDE(in_t) + 2 * x);                                        \
            const vec a = VALUE(vec, VLOAD(0, upper + 2 * x)),                                     \
                      b = VALUE(vec, VLOAD(0, lower + 2 * x));                                     \
            const half_vec top = LARGER_HALF(a.even, a.odd), bottom = LARGER_HALF(b.even, b.odd);  \
            HALF_STORE(LARGER_HALF(top, bottom), 0, to + x);                                       \
        }                                                                                          \
        for (; x < WIDTH(out_t); x++) {                                                            \
            const int x0 = max(x * stride_w - before_w, 0);                                        \
            const int x1 = min(x * stride_w - before_w + window_w, WIDTH(in_t));                   \
            float largest = -INFINITY;                                                             \
            for (int i = y0; i < y1; i++)                                                          \
                for (int j = x0; j < x1; j++) {                                                    \
                    const float v = VALUE(float, upper[(i - y0) * ROW_STRIDE(in_t) + j]);          \
                    largest = v > largest || v != v ? v : largest;                                 \
                }                                                                                  \
            to[x] = largest;                                                                       \
        }                                                                                          \
    }

/* Work-item: (block of rows, n · channels + c). */
#define AS_IT_IS(T, v) (v)
TRAIN_KERNEL max_pool_train(__global const float *in, const tensor_t in_t, __global float *out,
                            const tensor_t out_t, const int window_h, const int window_w,
                            const int stride_h, const int stride_w, const int before_h,
                            const int before_w)
{
    POOL_ROWS(AS_IT_IS)
}

/* Where the first of the largest of each window is, rows from above. Nowhere if there is a NaN. */
typedef struct winners_t {
    mask upper, lower;
} winners_t;

inline winners_t winners_of(const vec a, const vec b)
{
    const vec column = b > a ? b : a, neighbour = SWAP_PAIRS(column);
    const vec largest = neighbour > column ? neighbour : column;
    const mask upper = a == largest, upper_neighbour = SWAP_PAIRS(upper);
    const mask lower = b == largest, lower_neighbour = SWAP_PAIRS(lower);
    mask left = 0;
    left.even = -1;
    winners_t w;
    w.upper = upper & (left | ~upper_neighbour);
    w.lower = lower & (left | ~lower_neighbour) & ~(upper | upper_neighbour);
    return w;
}

/* HALF windows: their gradients g to the first of the largest of each, added to what is there. */
inline void backward_pairs(__global const float *in, const int in_stride, const half_vec g,
                           __global float *d, const int d_stride)
{
    PREFETCH(in + 2 * in_stride); /* for the next row */
    PREFETCH(in + 3 * in_stride);
    PREFETCH(d + 2 * d_stride);
    PREFETCH(d + 3 * d_stride);
    const winners_t w = winners_of(VLOAD(0, in), VLOAD(0, in + in_stride));
    const vec gradient = TWICE(g), none = 0.0f;
    VSTORE(VLOAD(0, d) + (w.upper ? gradient : none), 0, d);
    VSTORE(VLOAD(0, d + d_stride) + (w.lower ? gradient : none), 0, d + d_stride);
}

/* Work-item: (block of `rows` window rows, n · channels + c): these, and the input rows from its
 * first window on, up to the next work-item's. */
#define GET_WINDOW_ROWS                                                                            \
    const int n = (int)get_global_id(1) / CHANNELS(in_t),                                          \
              c = (int)get_global_id(1) % CHANNELS(in_t);                                          \
    const int begin = (int)get_global_id(0) * rows, end = min(begin + rows, HEIGHT(out_t));        \
    const int own_begin = begin == 0 ? 0 : begin * stride_h - before_h;                            \
    const int own_end = end == HEIGHT(out_t) ? HEIGHT(in_t) : end * stride_h - before_h

/* The gradient goes to the first of the largest values under each window. Windows may overlap, so
 * the work-item (block of `rows` window rows, n · channels + c) owns the input rows that its
 * windows begin in: all of them where windows overlap. */
#define CLEAR(T) STORE_##T((T)0.0f, d + x);
TRAIN_KERNEL max_pool_backward(__global const float *in, const tensor_t in_t,
                               __global const float *d_out, const tensor_t out_t,
                               __global float *d_in, const tensor_t d_t, const int window_h,
                               const int window_w, const int stride_h, const int stride_w,
                               const int before_h, const int before_w, const int rows,
                               const int add)
{
    GET_WINDOW_ROWS;
    for (int y = own_begin; y < own_end && !add; y++) {
        __global float *d = d_in + at(d_t, n, c, y, 0);
        ALONG(WIDTH(d_t), CLEAR)
    }
    for (int y = begin; y < end; y++) {
        const int paired = paired_columns(window_h, window_w, stride_h, stride_w, before_h,
                                          before_w, y, in_t, out_t);
        for (int x = 0; x < paired; x += HALF)
            backward_pairs(in + at(in_t, n, c, 2 * y, 2 * x), ROW_STRIDE(in_t),
                           HALF_LOAD(0, d_out + at(out_t, n, c, y, x)),
                           d_in + at(d_t, n, c, 2 * y, 2 * x), ROW_STRIDE(d_t));
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
