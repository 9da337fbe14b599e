/* SPDX-License-Identifier: Apache-2.0
 *
 * A fused block for GPUs: convolution, bias, activation, batch norm's affine and max-pool in one
 * kernel over planar tensors. A template: the host puts it into the program once for each block of
 * the net, with its sizes defined in front (src/net/tile/tile_source.c).
 *
 * A work-group brings a tile of the picture (of IMAGES pictures where they are small), with its
 * border, into local memory, CHUNK channels at a time. A work-item computes 2 × 2 pixels of a
 * vector of filters in registers: a row of the tile is read in pairs, by neighbours from
 * neighbouring addresses, and each filter value serves four pixels of all work-items at once.
 * Work-items outside the picture go along, since all must meet at the barriers.
 *
 * Group (x, y, images · FILTER_GROUPS + filter group); local (x, y, image).
 */
#define PUT(i, element)                                                                            \
    if (FILTERS % FILTERS_OF_ITEM == 0 || k + i < FILTERS)                                         \
        to[i * PLANE(out_t)] = v.element;

/* Pixel k of four, where the tile has it. */
#define PUT_PIXEL(k, red, green, blue)                                                             \
    if (column + k >= 0 && column + k < TILE_COLUMNS) {                                            \
        to[k] = (float)red;                                                                        \
        to[k + TILE_ROWS * TILE_STRIDE] = (float)green;                                            \
        to[k + 2 * TILE_ROWS * TILE_STRIDE] = (float)blue;                                         \
    }

/* CHUNK channels from c0 on of the group's tiles, with their borders. */
INLINED void PART(load)(__global const in_value *in, const tensor_t in_t,
                        __local float *tile, const int item, const int top, const int left,
                        const int first, const int c0, const int n)
{
#if BYTES && CHUNK == 3 && IN_CHANNELS == 3 && WIDTH_OF_IN % 4 == 0
    /* [height][width][3] bytes: four pixels are three whole words, and begin where the tile does
     * behind its border; of the four on either side of it only the border's are wanted. */
    enum { fours = (2 * GROUP_X + 8) / 4 };
    ROLLED for (int i = item; i < IMAGES * TILE_ROWS * fours; i += ITEMS)
    {
        const int part = i % fours, row = i / fours % TILE_ROWS, m = i / (fours * TILE_ROWS);
        const int y = top + row - HALO, x = left + 4 * part - 4;
        uchar4 a = 0, b = 0, d = 0;
        if (y >= 0 && y < HEIGHT_OF_IN && x >= 0 && x < WIDTH_OF_IN && first + m < n) {
            __global const uchar4 *from =
                (__global const uchar4 *)in +
                (((size_t)(first + m) * HEIGHT_OF_IN + y) * WIDTH_OF_IN + x) / 4 * 3;
            a = from[0], b = from[1], d = from[2];
        }
        const int column = 4 * part - 4 + HALO;
        __local float *to = tile + (m * CHUNK * TILE_ROWS + row) * TILE_STRIDE + column;
        PUT_PIXEL(0, a.s0, a.s1, a.s2)
        PUT_PIXEL(1, a.s3, b.s0, b.s1)
        PUT_PIXEL(2, b.s2, b.s3, d.s0)
        PUT_PIXEL(3, d.s1, d.s2, d.s3)
    }
#elif INTERLEAVED
    /* [height][width][channels], as the host gives pictures: neighbours read neighbouring
     * channels. */
    ROLLED for (int i = item; i < IMAGES * TILE_ROWS * TILE_COLUMNS * CHUNK; i += ITEMS)
    {
        const int c = i % CHUNK;
        GET_PLACE(i / CHUNK);
        tile[((m * CHUNK + c) * TILE_ROWS + row) * TILE_STRIDE + column] =
            inside ? (float)in[(((size_t)(first + m) * HEIGHT_OF_IN + y) * WIDTH_OF_IN + x) *
                                   IN_CHANNELS +
                               c0 + c]
                   : 0.0f;
    }
#else
    ROLLED for (int i = item; i < IMAGES * TILE_ROWS * TILE_COLUMNS; i += ITEMS)
    {
        GET_PLACE(i);
        __global const float *from =
            in + at(in_t, inside ? first + m : 0, c0, inside ? y : 0, inside ? x : 0);
        __local float *to = tile + (m * CHUNK * TILE_ROWS + row) * TILE_STRIDE + column;
        UNROLLED for (int c = 0; c < CHUNK; c++)
            to[c * TILE_ROWS * TILE_STRIDE] = inside ? from[c * PLANE(in_t)] : 0.0f;
    }
#endif
}

/* A filter value, a vector over filters, at four pixels. */
#define TAP(s, above_left, above_right, below_left, below_right)                                   \
    {                                                                                              \
        const vec f = window[s];                                                                   \
        sum[0] = above_left * f + sum[0];                                                          \
        sum[1] = above_right * f + sum[1];                                                         \
        sum[2] = below_left * f + sum[2];                                                          \
        sum[3] = below_right * f + sum[3];                                                         \
    }
#undef WINDOW_SPACE
#if LOCAL_FILTERS
#define WINDOW_SPACE __local
#else
#define WINDOW_SPACE FILTER_SPACE
#endif

/* Adds a channel's products to 2 × 2 pixels; `from` is the first one's border. */
INLINED void PART(sum)(__local const float2 *from, WINDOW_SPACE const vec *window, vec *sum)
{
    float2 p0 = from[0], p1 = from[1];
#if TAPS == 5
    float2 p2 = from[2];
#endif
    UNROLLED for (int r = 0; r < TAPS; r++, window += TAPS)
    {
        from += TILE_STRIDE / 2;
        const float2 q0 = from[0], q1 = from[1];
        TAP(0, p0.x, p0.y, q0.x, q0.y)
        TAP(1, p0.y, p1.x, q0.y, q1.x)
        TAP(2, p1.x, p1.y, q1.x, q1.y)
#if TAPS == 5
        const float2 q2 = from[2];
        TAP(3, p1.y, p2.x, q1.y, q2.x)
        TAP(4, p2.x, p2.y, q2.x, q2.y)
        p2 = q2;
#endif
        p0 = q0, p1 = q1;
    }
}

/* The largest of 2 × 2 pixels from (y, x) on. */
INLINED vec PART(largest)(const int y, const int x, vec *v)
{
#if CLIPPED /* the last windows reach over the edge: what is there never wins */
    const vec least = -INFINITY;
    v[0] = y < HEIGHT_OF_IN && x < WIDTH_OF_IN ? v[0] : least;
    v[1] = y < HEIGHT_OF_IN && x + 1 < WIDTH_OF_IN ? v[1] : least;
    v[2] = y + 1 < HEIGHT_OF_IN && x < WIDTH_OF_IN ? v[2] : least;
    v[3] = y + 1 < HEIGHT_OF_IN && x + 1 < WIDTH_OF_IN ? v[3] : least;
#endif
    const vec above = LARGER(v[0], v[1]), below = LARGER(v[2], v[3]);
    return LARGER(above, below);
}

/* What follows the pooling; `to` is the pixel in the group's first filter. */
INLINED void PART(store)(vec v, const int filter_group, __global const vec *affine,
                         __global float *to, const tensor_t out_t)
{
    const int k = filter_group * FILTERS_OF_ITEM;
    v = v * (affine[3 * FILTER_GROUPS + filter_group] * UNIT) + affine[filter_group];
    v = ACTIVATE(v);
    v = v * affine[FILTER_GROUPS + filter_group] + affine[2 * FILTER_GROUPS + filter_group];
    PUT(0, s0) PUT(1, s1) PUT(2, s2) PUT(3, s3)
#if FILTERS_OF_ITEM >= 8
    PUT(4, s4) PUT(5, s5) PUT(6, s6) PUT(7, s7)
#endif
#if FILTERS_OF_ITEM >= 16
    PUT(8, s8) PUT(9, s9) PUT(10, sa) PUT(11, sb)
    PUT(12, sc) PUT(13, sd) PUT(14, se) PUT(15, sf)
#endif
}

__attribute__((reqd_work_group_size(GROUP_X, GROUP_Y, IMAGES))) __kernel void
NAME(__global const in_value *restrict in, const tensor_t in_t,
     FILTER_SPACE const vec *restrict filters, __global const vec *restrict affine,
     __global float *restrict out, const tensor_t out_t, const int n)
{
    /* The tile, and behind the last channel the work-items' largest values. */
    __local vec scratch[SCRATCH];
    __local float *tile = (__local float *)scratch;
#if LOCAL_FILTERS
    __local vec window_values[CHUNK * WINDOW];
#endif
    GET_ITEM;
    const int filter_group = (int)get_group_id(2) % FILTER_GROUPS;
    const int first = (int)get_group_id(2) / FILTER_GROUPS * IMAGES;
    vec sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};

    ROLLED for (int c0 = 0; c0 < IN_CHANNELS; c0 += CHUNK)
    {
        FILTER_SPACE const vec *chunk = filters + (filter_group * IN_CHANNELS + c0) * WINDOW;
        PART(load)(in, in_t, tile, item, top, left, first, c0, n);
#if LOCAL_FILTERS
        ROLLED for (int i = item; i < CHUNK * WINDOW; i += ITEMS) window_values[i] = chunk[i];
#endif
        barrier(CLK_LOCAL_MEM_FENCE);

        ROLLED for (int c = 0; c < CHUNK; c++)
        {
            __local const float2 *from =
                (__local const float2 *)(tile +
                                         ((image * CHUNK + c) * TILE_ROWS + 2 * qy) * TILE_STRIDE) +
                qx;
#if LOCAL_FILTERS
            PART(sum)(from, window_values + c * WINDOW, sum);
#else
            PART(sum)(from, chunk + c * WINDOW, sum);
#endif
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const int y = top + 2 * qy, x = left + 2 * qx;
    vec v = PART(largest)(y, x, sum);
#if POOL == 4
    scratch[item] = v;
    barrier(CLK_LOCAL_MEM_FENCE);
    if ((qx | qy) % 2 == 0) {
        __local const vec *below = scratch + item + GROUP_X;
        const vec upper = LARGER(v, scratch[item + 1]), lower = LARGER(below[0], below[1]);
        v = LARGER(upper, lower);
    }
#endif
    const int to_y = y / POOL, to_x = x / POOL;
    if (y % POOL == 0 && x % POOL == 0 && to_y < HEIGHT(out_t) && to_x < WIDTH(out_t) &&
        first + image < n)
        PART(store)(v, filter_group, affine,
                    out + at(out_t, first + image, filter_group * FILTERS_OF_ITEM, to_y, to_x),
                    out_t);
}
