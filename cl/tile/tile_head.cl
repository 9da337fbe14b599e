/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a net for GPUs in one kernel: flatten, dense, bias, activation, dense, bias. A
 * template, as tile_block.cl.
 *
 * A work-group has one image. Its work-items share the inputs out, neighbours reading neighbours of
 * the tensor as it lies, and each holds a sum for every unit; then they add them up, pair by pair,
 * always in the same order.
 *
 *   hidden   [UNITS][input in the tensor's order]
 *   others   bias [UNITS], output [UNITS][OUTPUTS], bias [OUTPUTS]
 *
 * Group (0, 0, image); local (input, 0, 0).
 */
__attribute__((reqd_work_group_size(GROUP_X, 1, 1))) __kernel void
NAME(__global const float *restrict in, const tensor_t in_t, __global const float *restrict hidden,
     __global const float *restrict others, __global float *restrict out, const tensor_t out_t,
     const int n)
{
    enum { inputs = IN_CHANNELS * HEIGHT_OF_IN * WIDTH_OF_IN };
    __local float sums[UNITS * GROUP_X];
    const int item = (int)get_local_id(0), image = (int)get_group_id(2);
    float sum[UNITS];
    UNROLLED for (int u = 0; u < UNITS; u++) sum[u] = 0.0f;
    ROLLED for (int i = item; i < inputs; i += GROUP_X)
    {
        const int x = i % WIDTH_OF_IN, y = i / WIDTH_OF_IN % HEIGHT_OF_IN;
        const float v = in[at(in_t, image, i / (WIDTH_OF_IN * HEIGHT_OF_IN), y, x)];
        UNROLLED for (int u = 0; u < UNITS; u++) sum[u] = v * hidden[u * inputs + i] + sum[u];
    }
    UNROLLED for (int u = 0; u < UNITS; u++) sums[u * GROUP_X + item] = sum[u];
    ROLLED for (int apart = GROUP_X / 2; apart > 0; apart /= 2)
    {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < apart)
            UNROLLED for (int u = 0; u < UNITS; u++)
                sums[u * GROUP_X + item] += sums[u * GROUP_X + item + apart];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    ROLLED for (int u = item; u < UNITS; u += GROUP_X)
    {
        const float v = sums[u * GROUP_X] + others[u];
        sums[u * GROUP_X] = ACTIVATE(v);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    __global const float *output = others + UNITS;
    ROLLED for (int k = item; k < OUTPUTS; k += GROUP_X)
    {
        float v = 0.0f;
        for (int u = 0; u < UNITS; u++)
            v = sums[u * GROUP_X] * output[u * OUTPUTS + k] + v;
        out[at(out_t, image, k, 0, 0)] = v + output[UNITS * OUTPUTS + k];
    }
}
