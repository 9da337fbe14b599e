/* SPDX-License-Identifier: Apache-2.0
 *
 * An inception block for GPUs in one kernel over planar tensors: 1 × 1 convolutions, behind some of
 * them dilated 3 × 3 ones, each with bias and activation; concat, batch norm and 2 × 2 max-pool. A
 * template, as tile_block.cl.
 *
 * All 1 × 1 convolutions read the same pixel, so a work-item brings a pixel of the tile into
 * registers once and leaves all of their answers, and nothing else, in local memory: 0 outside
 * the picture, since what pads a 3 × 3 convolution is behind the activation. Behind the one
 * barrier each work-item computes 2 × 2 pixels of branch after branch, whose places in the output
 * are the concat.
 *
 *   filters  1 × 1 [channel][REDUCED], their biases, then the branches'; affine as in
 *            tile_branch.cl
 *
 * Group (x, y, images); local (x, y, image).
 */
__attribute__((reqd_work_group_size(GROUP_X, GROUP_Y, IMAGES))) __kernel void
NAME(__global const in_value *restrict in, const tensor_t in_t,
     __constant const float *restrict filters, __global const float *restrict affine,
     __global float *restrict out, const tensor_t out_t, const int n)
{
    __local float2 pairs[IMAGES * REDUCED * TILE_ROWS * TILE_STRIDE / 2];
    __local float *tile = (__local float *)pairs;
    const int first = (int)get_group_id(2) * IMAGES;
    GET_ITEM;
    ROLLED for (int i = item; i < IMAGES * TILE_ROWS * TILE_COLUMNS; i += ITEMS)
    {
        GET_PLACE(i);
        const int from_m = inside ? first + m : 0, from_y = inside ? y : 0, from_x = inside ? x : 0;
#if INTERLEAVED /* [height][width][channels], as the host gives pictures */
        __global const in_value *from =
            in + (((size_t)from_m * HEIGHT_OF_IN + from_y) * WIDTH_OF_IN + from_x) * IN_CHANNELS;
        const int step = 1;
#else
        __global const in_value *from = in + at(in_t, from_m, 0, from_y, from_x);
        const int step = PLANE(in_t);
#endif
        float sum[REDUCED];
        UNROLLED for (int k = 0; k < REDUCED; k++) sum[k] = 0.0f;
        ROLLED for (int c = 0; c < IN_CHANNELS; c++)
        {
            const float v = (float)from[c * step];
            UNROLLED for (int k = 0; k < REDUCED; k++)
                sum[k] = v * filters[c * REDUCED + k] + sum[k];
        }
        __local float *to = tile + (m * REDUCED * TILE_ROWS + row) * TILE_STRIDE + column;
        UNROLLED for (int k = 0; k < REDUCED; k++)
        {
            const float v = sum[k] * UNIT + filters[IN_CHANNELS * REDUCED + k];
            to[k * TILE_ROWS * TILE_STRIDE] = inside ? ACTIVATE(v) : 0.0f;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    const int y = top + 2 * qy, x = left + 2 * qx;
    if (y / 2 >= HEIGHT(out_t) || x / 2 >= WIDTH(out_t) || first + image >= n)
        return;
    __local const float2 *window =
        pairs + (image * REDUCED * TILE_ROWS + 2 * qy) * (TILE_STRIDE / 2) + qx;
    __global float *to = out + at(out_t, first + image, 0, y / 2, x / 2);
    const int right = x + 1 < WIDTH_OF_IN, below = y + 1 < HEIGHT_OF_IN;
    BRANCHES
}
