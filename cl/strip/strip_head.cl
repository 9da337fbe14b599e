/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: flatten + dense + bias + activation + dense + bias, from the last block's output as it
 * lies. The host has put the first kernel's rows into that order.
 *
 *   in       [image][INPUTS]
 *   hidden   [INPUTS][UNITS], UNITS a multiple of LANES; hidden_bias [UNITS]
 *   output   [UNITS][OUTPUTS], output_bias [OUTPUTS]
 *   logits   [image][OUTPUTS], images from `first`
 */
inline void STEP(NAME)(const int n, floats_in in, floats_in hidden, floats_in hidden_bias,
                       floats_in output, floats_in output_bias, __global float *restrict logits,
                       const int first)
{
    floats_in x = in + (size_t)n * INPUTS;
    strips_in w = (strips_in)hidden;
    vec sum[4][UNITS / LANES]; /* four sums, so that one addition need not wait for the last */
    UNROLLED for (int i = 0; i < 4; i++)
        UNROLLED for (int u = 0; u < UNITS / LANES; u++) sum[i][u] = 0.0f;
    ROLLED for (int i = 0; i < INPUTS; i += 4)
        UNROLLED for (int k = 0; k < 4; k++)
            UNROLLED for (int u = 0; u < UNITS / LANES; u++)
                sum[k][u] = x[i + k] * w[(i + k) * (UNITS / LANES) + u] + sum[k][u];
    vec h[UNITS / LANES];
    UNROLLED for (int u = 0; u < UNITS / LANES; u++) {
        const vec v =
            (sum[0][u] + sum[1][u]) + (sum[2][u] + sum[3][u]) + ((strips_in)hidden_bias)[u];
        h[u] = ACTIVATE(v);
    }
    const float *values = (const float *)h;
    for (int k = 0; k < OUTPUTS; k++) {
        float v = 0.0f;
        for (int u = 0; u < UNITS; u++)
            v = values[u] * output[u * OUTPUTS + k] + v;
        logits[(size_t)(first + n) * OUTPUTS + k] = v + output_bias[k];
    }
}

KERNEL NAME(floats_in in, floats_in hidden, floats_in hidden_bias, floats_in output,
            floats_in output_bias, __global float *restrict logits, const int first)
{
    STEP(NAME)(get_global_id(0), in, hidden, hidden_bias, output, output_bias, logits, first);
}
