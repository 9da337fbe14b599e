/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution in training. With stride 1, forward and the gradient of the input are the same
 *   sum over a window, to[j][y][x] = Σ_{r,s,i} w[r][s]{i,j} · from[i][y + r·step − origin][the
 *   same in x]
 * where the gradient walks through the window the other way (step = −dilation) and with i
 * and j exchanged.
 */
#define TILE 4 /* channels of `to` side by side */

/* Columns x … x + LANES − 1 of two rows, of TILE channels; w: where the weights of each begin. Each
 * row of the window is summed for itself, which halves the rounding error of a 5 × 5 window. Called
 * with a constant window_w. */
inline void window_sum(__global const float *upper, __global const float *lower,
                       const int row_stride, const int plane, const int channels,
                       const int window_h, const int window_w, const int step_h, const int step_w,
                       __global const float *const *w, const int from_stride, const int tap_stride,
                       vec sums[2][TILE])
{
    UNROLL for (int j = 0; j < TILE; j++)
        sums[0][j] = sums[1][j] = 0.0f;
    NO_UNROLL for (int r = 0; r < window_h; r++) {
        vec part[2][TILE];
        UNROLL for (int j = 0; j < TILE; j++)
            part[0][j] = part[1][j] = 0.0f;
        NO_UNROLL for (int i = 0; i < channels; i++) {
            __global const float *p = upper + r * step_h * row_stride + i * plane;
            __global const float *q = lower + r * step_h * row_stride + i * plane;
            const int first = r * window_w * tap_stride + i * from_stride;
            for (int s = 0; s < window_w; s++) {
                const vec a = VLOAD(0, p + s * step_w), b = VLOAD(0, q + s * step_w);
                UNROLL for (int j = 0; j < TILE; j++) {
                    const float weight = w[j][first + s * tap_stride];
                    part[0][j] = weight * a + part[0][j];
                    part[1][j] = weight * b + part[1][j];
                }
            }
        }
        UNROLL for (int j = 0; j < TILE; j++) {
            sums[0][j] += part[0][j];
            sums[1][j] += part[1][j];
        }
    }
}
#define WINDOW_SUM(width)                                                                          \
    window_sum(upper + x, lower + x, ROW_STRIDE(from_t), PLANE(from_t), channels, window_h, width, \
               step_h, step_w, w, w_from, taps, sums)

/* Bias and ReLU behind a convolution, before its sums are stored. NaN stays NaN. */
#define FINISH(T, v) ((v) < (T)low ? (T)low : (v) > (T)high ? (T)high : (v))

/* Work-item: (two rows, n · tiles + tile). The pad of `from` is as wide as the window reaches.
 * w_from and w_to: from one weight to the next in i and in j. What is stored is the sum + bias
 * within low … high; without with_bias and with add the sum is added to what is there. */
TRAIN_KERNEL conv_rows(__global const float *from, const tensor_t from_t,
                       __global const float *weights, const int w_from, const int w_to,
                       __global float *to, const tensor_t to_t, const int window_h,
                       const int window_w, const int step_h, const int step_w, const int origin_h,
                       const int origin_w, const int add, const int with_bias,
                       __global const float *bias, const float low, const float high)
{
    const int tiles = (CHANNELS(to_t) + TILE - 1) / TILE;
    const int n = (int)get_global_id(1) / tiles, first = (int)get_global_id(1) % tiles * TILE;
    const int n_j = min(TILE, CHANNELS(to_t) - first);
    const int y = 2 * (int)get_global_id(0), y_lower = min(y + 1, HEIGHT(to_t) - 1);
    const int taps = CHANNELS(from_t) * CHANNELS(to_t), channels = CHANNELS(from_t);
    __global const float *upper = from + at(from_t, n, 0, y - origin_h, -origin_w);
    __global const float *lower = from + at(from_t, n, 0, y_lower - origin_h, -origin_w);
    __global const float *w[TILE];
    int x = 0;
    UNROLL for (int j = 0; j < TILE; j++) /* past the last channel: computed, not stored */
        w[j] = weights + (first + min(j, n_j - 1)) * w_to;
    for (; x + LANES <= WIDTH(to_t); x += LANES) {
        vec sums[2][TILE];
        if (window_w == 5)
            WINDOW_SUM(5);
        else if (window_w == 3)
            WINDOW_SUM(3);
        else if (window_w == 1)
            WINDOW_SUM(1);
        else
            WINDOW_SUM(window_w);
        UNROLL for (int j = 0; j < TILE; j++)
            if (j < n_j) {
                __global float *p = to + at(to_t, n, first + j, y, x);
                __global float *q = to + at(to_t, n, first + j, y_lower, x);
                const vec more = with_bias ? bias[first + j] : 0.0f;
                const vec a = (add ? VLOAD(0, p) : more) + sums[0][j];
                const vec b = (add ? VLOAD(0, q) : more) + sums[1][j];
                VSTORE(FINISH(vec, a), 0, p);
                if (y_lower > y)
                    VSTORE(FINISH(vec, b), 0, q);
            }
    }
    for (; x < WIDTH(to_t); x++)
        for (int row = y; row <= y_lower; row++)
            for (int j = 0; j < n_j; j++) {
                __global float *p = to + at(to_t, n, first + j, row, x);
                float sum = 0.0f;
                for (int r = 0; r < window_h; r++)
                    for (int i = 0; i < channels; i++)
                        for (int s = 0; s < window_w; s++)
                            sum = w[j][(r * window_w + s) * taps + i * w_from] *
                                      from[at(from_t, n, i, row + r * step_h - origin_h,
                                              x + s * step_w - origin_w)] +
                                  sum;
                sum += add ? *p : with_bias ? bias[first + j] : 0.0f;
                *p = FINISH(float, sum);
            }
}

/* Pixels of a band: its rows of TILE inputs and TILE gradients stay in the first cache. */
#define BAND_PIXELS 1024

/* Adds TILE × TILE sums to partial, or begins with them; the first n_l and n_k of them count. */
INLINED void add_tile(__global float *to, const int filters, vec (*sum)[TILE], float (*rest)[TILE],
                      const int n_l, const int n_k, const int begins)
{
    UNROLL for (int i = 0; i < TILE; i++)
        UNROLL for (int j = 0; j < TILE; j++)
            if (i < n_l && j < n_k) {
                __global float *p = to + (size_t)i * filters + j;
                *p = (begins ? 0.0f : *p) + (sum_lanes(sum[i][j]) + rest[i][j]);
            }
}

/* The gradient of the weights, partial[group][r][s][c][k] = Σ in[c][y·stride + …] ·
 * d_out[k][y][x]. Work-item: (tile of filters, window row r, group). The taps and channels of a
 * window row are one list, TILE of it at a time against TILE filters; what is past either's end is
 * computed and not stored. */
TRAIN_KERNEL conv_backward_weights(__global const float *in, const tensor_t in_t,
                                   __global const float *d_out, const tensor_t out_t,
                                   __global float *partial, const int window_h, const int window_w,
                                   const int stride_h, const int stride_w, const int dilation_h,
                                   const int dilation_w, const int before_h, const int before_w,
                                   const int n)
{
    const int first = (int)get_global_id(0) * TILE, r = (int)get_global_id(1);
    const int channels = CHANNELS(in_t), filters = CHANNELS(out_t), list = window_w * channels;
    const int n_k = min(TILE, filters - first);
    const int vectors = stride_w == 1 ? WIDTH(out_t) / LANES * LANES : 0;
    const int band = max(BAND_PIXELS / WIDTH(out_t), 1);
    GET_GROUP(in_t, n, 2);
    __global float *sums = partial + ((size_t)group * window_h + r) * list * filters + first;
    for (int image = image_begin; image < image_end; image++)
        for (int begin = 0; begin < HEIGHT(out_t); begin += band)
            for (int l = 0; l < list; l += TILE) {
                const int end = min(begin + band, HEIGHT(out_t));
                __global const float *a[TILE], *b[TILE];
                vec sum[TILE][TILE];
                float rest[TILE][TILE];
                UNROLL for (int i = 0; i < TILE; i++) {
                    const int at_l = min(l + i, list - 1), s = at_l / channels, c = at_l % channels;
                    a[i] = in + at(in_t, image - FIRST(in_t), c,
                                   begin * stride_h + r * dilation_h - before_h,
                                   s * dilation_w - before_w);
                    b[i] =
                        d_out + at(out_t, image - FIRST(out_t), first + min(i, n_k - 1), begin, 0);
                    UNROLL for (int j = 0; j < TILE; j++) {
                        sum[i][j] = 0.0f;
                        rest[i][j] = 0.0f;
                    }
                }
                for (int y = begin; y < end; y++) {
                    NO_UNROLL for (int x = 0; x < vectors; x += LANES) {
                        vec u[TILE], v[TILE];
                        UNROLL for (int i = 0; i < TILE; i++) {
                            u[i] = VLOAD(0, a[i] + x);
                            v[i] = VLOAD(0, b[i] + x);
                        }
                        UNROLL for (int i = 0; i < TILE; i++)
                            UNROLL for (int j = 0; j < TILE; j++)
                                sum[i][j] = u[i] * v[j] + sum[i][j];
                    }
                    for (int x = vectors; x < WIDTH(out_t); x++)
                        UNROLL for (int i = 0; i < TILE; i++)
                            UNROLL for (int j = 0; j < TILE; j++)
                                rest[i][j] = a[i][x * stride_w] * b[j][x] + rest[i][j];
                    UNROLL for (int i = 0; i < TILE; i++) {
                        a[i] += stride_h * ROW_STRIDE(in_t);
                        b[i] += ROW_STRIDE(out_t);
                    }
                }
                add_tile(sums + (size_t)l * filters, filters, sum, rest, list - l, n_k,
                         begin == 0 && image % TRAIN_GROUP == 0);
            }
}
