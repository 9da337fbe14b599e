/* SPDX-License-Identifier: Apache-2.0
 *
 * An inception block for GPUs in one kernel over planar tensors: 1 × 1 convolutions, behind some of
 * them dilated 3 × 3 ones, each with bias and activation; concat, batch norm and 2 × 2 max-pool. A
 * template, as tile_block.cl.
 *
 * Branches come in passes, all of them in one where local memory is plentiful. In a pass all
 * answers of the 1 × 1 convolutions, and nothing else, come into local memory (tile_reduce.cl);
 * behind a barrier each work-item computes 2 × 2 pixels of branch after branch (tile_branch.cl),
 * whose places in the output are the concat. Work-items outside the picture go along, since all
 * must meet at the barriers.
 *
 *   filters  for each pass 1 × 1 [channel][REDUCED] and their biases, then the branches'; affine as
 *            in tile_branch.cl
 *   PASSES   the passes' calls: tile_reduce's, barrier, tile_branch's under `wanted`, barrier
 *
 * Group (x, y, images); local (x, y, image).
 */
__attribute__((reqd_work_group_size(GROUP_X, GROUP_Y, IMAGES))) __kernel void
NAME(__global const in_value *restrict in, const tensor_t in_t,
     __constant const float *restrict filters, __global const float *restrict affine,
     __global float *restrict out, const tensor_t out_t, const int n)
{
    __local float2 pairs[IMAGES * MOST_REDUCED * TILE_ROWS * TILE_STRIDE / 2];
    const int first = (int)get_group_id(2) * IMAGES;
    GET_ITEM;
    const int y = top + 2 * qy, x = left + 2 * qx;
    const int wanted = y / 2 < HEIGHT(out_t) && x / 2 < WIDTH(out_t) && first + image < n;
    __local const float2 *window = pairs + 2 * qy * (TILE_STRIDE / 2) + qx;
    __global float *to = out + (wanted ? at(out_t, first + image, 0, y / 2, x / 2) : 0);
    const int right = x + 1 < WIDTH_OF_IN, below = y + 1 < HEIGHT_OF_IN;
    PASSES
}
