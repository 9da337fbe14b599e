/* SPDX-License-Identifier: Apache-2.0
 *
 * The 1 × 1 convolutions of some branches of an inception block for GPUs, with bias and activation.
 * A template: the host puts it in front of the block's kernel (tile_inception.cl) for each pass.
 *
 * All of them read the same pixel, so a work-item brings a pixel of the tile into registers once
 * and leaves all of their answers in local memory: 0 outside the picture, since what pads a 3 × 3
 * convolution is behind the activation.
 *
 *   filters  [channel][REDUCED], then the biases
 */
INLINED void REDUCE(__global const in_value *in, const tensor_t in_t,
                    __constant const float *filters, __local float *tile, const int item,
                    const int top, const int left, const int first, const int n)
{
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
}
