/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: a strip tensor into the planar layout, for the layers that have no strip kernel.
 * in: [image][ROWS][IN_CHANNELS][PHASES], IN_PAD rows above and below. Work-item: (row, image).
 * HALVES: row is one of the vector rows, which hold two picture rows.
 */
KERNEL NAME(floats_in in, __global float *restrict out, const tensor_t out_t, const int first)
{
    const int y = get_global_id(0), n = get_global_id(1);
    floats_in row = in + (((size_t)n * ROWS + IN_PAD + y) * IN_CHANNELS) * (PHASES * LANES);
    for (int c = 0; c < IN_CHANNELS; c++)
        for (int p = 0; p < PHASES; p++)
            for (int l = 0; l < LANES; l++) {
                const int strips = HALVES ? LANES / 2 : LANES, lower = l / strips;
                const int to_y = y + lower * (ROWS - 2 * IN_PAD), to_x = l % strips * PHASES + p;
                out[at(out_t, first + n, c, to_y, to_x)] = row[(c * PHASES + p) * LANES + l];
            }
}
