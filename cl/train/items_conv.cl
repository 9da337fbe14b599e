/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution in training on GPUs: train_conv.cl's kernels, the same arguments, for work-groups of
 * ITEMS work-items.
 */
#define TILE 4        /* filters of a work-item, and rows */

/* Bias and ReLU behind a convolution, before its sums are stored. NaN stays NaN. */
#define FINISH(v) ((v) < low ? low : (v) > high ? high : (v))

/* Adds a channel's products with a column of the window to TILE rows of TILE filters. The rows
 * are `stride` apart in memory, as those of the window are, so that each value is read once; `last`
 * is the last place that may be read: what work-items past the picture's end compute is not stored.
 * Each column is summed for itself, which halves the rounding error of a 5 × 5 window. */
INLINED void add_column(__global const float *from, int place, const int stride, const int last,
                        __local const float4 *window, const int window_h, float4 *sum)
{
    float4 part[TILE] = {0.0f, 0.0f, 0.0f, 0.0f};
    float v0 = from[place], v1 = from[place = min(place + stride, last)],
          v2 = from[place = min(place + stride, last)];
    for (int r = 0; r < window_h; r++) {
        const float v3 = from[place = min(place + stride, last)];
        const float4 w = window[r];
        part[0] = v0 * w + part[0];
        part[1] = v1 * w + part[1];
        part[2] = v2 * w + part[2];
        part[3] = v3 * w + part[3];
        v0 = v1, v1 = v2, v2 = v3;
    }
    UNROLL for (int k = 0; k < TILE; k++)
        sum[k] += part[k];
}

/* Columns [begin, end) of a window, a list over its channels, into local memory: [column][row] of
 * TILE filters from `first` on, of which n_j are there. All work-items together. */
INLINED void load_window(__local float *window, __global const float *weights, const int w_from,
                         const int w_to, const int taps, const int window_h, const int window_w,
                         const int turned, const int first, const int n_j, const int begin,
                         const int end)
{
    barrier(CLK_LOCAL_MEM_FENCE); /* what is there has been read */
    for (int e = ITEM; e < (end - begin) * window_h * TILE; e += ITEMS) {
        const int j = e % TILE, r = e / TILE % window_h, column = begin + e / (TILE * window_h);
        const int s = column % window_w, i = column / window_w;
        const int tap = turned ? (window_h - 1 - r) * window_w + window_w - 1 - s
                               : r * window_w + s;
        window[e] = weights[tap * taps + i * w_from + (first + min(j, n_j - 1)) * w_to];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* Forward and, with steps < 0, the gradient of the input, for which the window is turned while it
 * is brought into local memory. Work-group: (blocks of rows, n · tiles + tile, columns); a block is
 * TILE rows as far apart as those of the window. The rest as in train_conv.cl. */
TRAIN_KERNEL conv_rows(__global const float *from, const tensor_t from_t,
                       __global const float *weights, const int w_from, const int w_to,
                       __global float *to, const tensor_t to_t, const int window_h,
                       const int window_w, const int step_h, const int step_w, const int origin_h,
                       const int origin_w, const int add, const int with_bias,
                       __global const float *bias, const float low, const float high)
{
    __local float4 window[TRAIN_WINDOW];
    const int tiles = (CHANNELS(to_t) + TILE - 1) / TILE;
    const int n = (int)get_global_id(1) / tiles, first = (int)get_global_id(1) % tiles * TILE;
    const int n_j = min(TILE, CHANNELS(to_t) - first);
    const int taps = CHANNELS(from_t) * CHANNELS(to_t), columns = CHANNELS(from_t) * window_w;
    const int turned = step_h < 0, apart_h = turned ? -step_h : step_h,
              apart_w = turned ? -step_w : step_w;
    const int block = BLOCK * ROWS_APART + ITEM_ROW;
    const int y0 = block / apart_h * TILE * apart_h + block % apart_h;
    const int x = (int)get_global_id(2) * COLUMNS_APART + ITEM_COLUMN;
    /* The first pixel of the window, and its last row. */
    const int left = min(x, WIDTH(to_t) - 1) - origin_w - (turned ? (window_w - 1) * apart_w : 0);
    const int top = min(y0, HEIGHT(to_t) - 1) - origin_h - (turned ? (window_h - 1) * apart_h : 0);
    const int bottom = HEIGHT(from_t) + PAD(from_t) - 1, stride = apart_h * ROW_STRIDE(from_t);
    __global const float *picture = from + at(from_t, n, 0, 0, 0);
    float4 sum[TILE] = {0.0f, 0.0f, 0.0f, 0.0f};
    const int chunk = TRAIN_WINDOW / window_h;
    for (int begin = 0; begin < columns; begin += chunk) {
        const int end = min(begin + chunk, columns);
        load_window((__local float *)window, weights, w_from, w_to, taps, window_h, window_w,
                    turned, first, n_j, begin, end);
        NO_UNROLL for (int column = begin; column < end; column++) {
            const int s = column % window_w, i = column / window_w;
            const int own = left + s * apart_w + i * PLANE(from_t);
            const int place = top * ROW_STRIDE(from_t) + own;
            const int last = bottom * ROW_STRIDE(from_t) + own;
            __local const float4 *w = window + (column - begin) * window_h;
            if (window_h == 5)
                add_column(picture, place, stride, last, w, 5, sum);
            else if (window_h == 3)
                add_column(picture, place, stride, last, w, 3, sum);
            else
                add_column(picture, place, stride, last, w, window_h, sum);
        }
    }
    const int n_k = x < WIDTH(to_t) ? TILE : 0;
    UNROLL for (int k = 0; k < TILE; k++) {
        const float values[TILE] = {sum[k].x, sum[k].y, sum[k].z, sum[k].w};
        const int y = y0 + k * apart_h;
        UNROLL for (int j = 0; j < TILE; j++)
            if (k < n_k && j < n_j && y < HEIGHT(to_t)) {
                __global float *p = to + at(to_t, n, first + j, y, x);
                const float v = values[j] + (add ? *p : with_bias ? bias[first + j] : 0.0f);
                *p = FINISH(v);
            }
    }
}

/* The sums over all work-items of TILE × TILE values, in fixed order; where they are, in local
 * memory: [i][j]. All must call it. */
#define PARTS (ITEMS / (TILE * TILE))
INLINED void sum_tile(__local float4 *own, __local float *sums, const float4 *values)
{
    UNROLL for (int i = 0; i < TILE; i++)
        own[i * ITEMS + ITEM] = values[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    /* Work-item (value, part) adds up every PARTS-th work-item's. */
    const int value = ITEM % (TILE * TILE), part = ITEM / (TILE * TILE);
    __local const float *from = (__local const float *)(own + value / TILE * ITEMS) + value % TILE;
    float sum = 0.0f;
    for (int i = part; i < ITEMS; i += PARTS)
        sum += from[i * TILE];
    sums[ITEM] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (part == 0) {
        for (int i = 1; i < PARTS; i++)
            sum += sums[i * TILE * TILE + value];
        sums[value] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* The gradient of the weights. Work-group: (tile of filters, window row r, group). */
TRAIN_KERNEL conv_backward_weights(__global const float *in, const tensor_t in_t,
                                   __global const float *d_out, const tensor_t out_t,
                                   __global float *partial, const int window_h, const int window_w,
                                   const int stride_h, const int stride_w, const int dilation_h,
                                   const int dilation_w, const int before_h, const int before_w,
                                   const int n)
{
    __local float4 own[TILE * ITEMS];
    __local float sums[ITEMS];
    const int first = BLOCK * TILE, r = (int)get_global_id(1);
    const int channels = CHANNELS(in_t), filters = CHANNELS(out_t), list = window_w * channels;
    const int n_k = min(TILE, filters - first);
    GET_GROUP(out_t, n, 2);
    __global float *to = partial + ((size_t)group * window_h + r) * list * filters + first;
    for (int image = image_begin; image < image_end; image++)
        for (int l = 0; l < list; l += TILE) {
            __global const float *a[TILE], *b[TILE];
            float4 sum[TILE] = {0.0f, 0.0f, 0.0f, 0.0f};
            UNROLL for (int i = 0; i < TILE; i++) {
                const int at_l = min(l + i, list - 1), s = at_l / channels, c = at_l % channels;
                a[i] = in + at(in_t, image - FIRST(in_t), c, r * dilation_h - before_h,
                               s * dilation_w - before_w);
                b[i] = d_out + at(out_t, image - FIRST(out_t), first + min(i, n_k - 1), 0, 0);
            }
            EACH_ROW_OF(HEIGHT(out_t))
                NO_UNROLL for (int x = ITEM_COLUMN; x < WIDTH(out_t); x += COLUMNS_APART) {
                    const int u = y * stride_h * ROW_STRIDE(in_t) + x * stride_w;
                    const int v = y * ROW_STRIDE(out_t) + x;
                    const float4 d = (float4)(b[0][v], b[1][v], b[2][v], b[3][v]);
                    UNROLL for (int i = 0; i < TILE; i++)
                        sum[i] = a[i][u] * d + sum[i];
                }
            sum_tile(own, sums, sum);
            const int i = ITEM / TILE, j = ITEM % TILE;
            if (i < TILE && l + i < list && j < n_k)
                add_to_group(to + (size_t)(l + i) * filters + j, image, sums[ITEM]);
            barrier(CLK_LOCAL_MEM_FENCE); /* before the next sums */
        }
}
