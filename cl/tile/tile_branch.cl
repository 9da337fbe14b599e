/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters of one branch of an inception block for GPUs, for the 2 × 2 pixels of a work-item. A
 * template: the host puts it in front of the block's kernel (tile_inception.cl) for each branch,
 * and for every few filters of a large one. The branch's channels stand in the tile: those of its 1
 * × 1 convolution, finished, which the 3 × 3 one, DILATION apart, reads; where DILATION is 0 they
 * are the branch's own answer.
 *
 *   from     the pixels' window in the branch's first channel, HALO rows above and columns
 *            left of them
 *   filters  [channel][row][column][filter]
 *   affine   bias, scale and shift of all filters of the block
 *   to       the pixel of the block's first filter
 *   right, below: whether the picture has the window's right column and lower row
 *
 * A value of type vec is a filter at four pixels.
 */
inline void BRANCH(__local const float2 *from, __constant const float *filters,
                   __global const float *restrict affine, __global float *restrict to,
                   const int plane, const int right, const int below)
{
    vec a[BRANCH_FILTERS];
#if DILATION
    UNROLLED for (int k = 0; k < BRANCH_FILTERS; k++) a[k] = 0.0f;
    ROLLED for (int c = 0; c < BRANCH_CHANNELS; c++)
    {
        UNROLLED for (int r = 0; r < 3; r++)
        {
            __local const float2 *row =
                from + (c * TILE_ROWS + HALO + (r - 1) * DILATION) * (TILE_STRIDE / 2);
            float p[2 * HALO + 2], q[2 * HALO + 2];
            UNROLLED for (int i = 0; i <= HALO; i++)
            {
                const float2 above = row[i], under = row[TILE_STRIDE / 2 + i];
                p[2 * i] = above.x, p[2 * i + 1] = above.y;
                q[2 * i] = under.x, q[2 * i + 1] = under.y;
            }
            UNROLLED for (int s = 0; s < 3; s++)
            {
                const int x = HALO + (s - 1) * DILATION;
                const vec v = (vec)(p[x], p[x + 1], q[x], q[x + 1]);
                UNROLLED for (int k = 0; k < BRANCH_FILTERS; k++)
                    a[k] = v * filters[((c * 3 + r) * 3 + s) * BRANCH_FILTERS + k] + a[k];
            }
        }
    }
    UNROLLED for (int k = 0; k < BRANCH_FILTERS; k++)
    {
        const vec v = a[k] + affine[FIRST_FILTER + k];
        a[k] = ACTIVATE(v);
    }
#else
    __local const float *own = (__local const float *)from + HALO * TILE_STRIDE + HALO;
    UNROLLED for (int k = 0; k < BRANCH_FILTERS; k++, own += TILE_ROWS * TILE_STRIDE)
        a[k] = (vec)(own[0], own[1], own[TILE_STRIDE], own[TILE_STRIDE + 1]);
#endif
    UNROLLED for (int k = 0; k < BRANCH_FILTERS; k++)
    {
        vec v = a[k] * affine[FILTERS + FIRST_FILTER + k] + affine[2 * FILTERS + FIRST_FILTER + k];
#if CLIPPED /* the last windows reach over the edge: what is there never wins */
        v.s1 = right ? v.s1 : -INFINITY;
        v.s2 = below ? v.s2 : -INFINITY;
        v.s3 = right && below ? v.s3 : -INFINITY;
#endif
        const float upper = LARGER(v.s0, v.s1), lower = LARGER(v.s2, v.s3);
        to[(FIRST_FILTER + k) * plane] = LARGER(upper, lower);
    }
}
