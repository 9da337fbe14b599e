/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: convolution 5 × 5 of one tile row by Winograd's F(4,5) both ways, as WINOGRAD_YX in
 * strip_block.cl does it, CORE_IN → CORE_OUT channels, CORE_BLOCK of them at a time.
 *
 *   rows     [8][CORE_STRIDE] transformed down, [channel][phase]; on return, inverted along the row
 *   filters  [8][8][CORE_OUT / CORE_BLOCK][CORE_IN][CORE_BLOCK]
 */
inline void CORE(vec *rows, floats_in filters)
{
    vec points[8 * CORE_IN * TILES];      /* transformed both ways, for one row point */
    vec products[8][CORE_BLOCK * TILES];
    ROLLED for (int i = 0; i < 8; i++) {
        vec *row = rows + i * CORE_STRIDE;
        BLOCK(along)(row, points, CORE_IN);
        ROLLED for (int k0 = 0; k0 < CORE_OUT; k0 += CORE_BLOCK) {
            ROLLED for (int j = 0; j < 8; j++) {
                floats_in w = filters + ((i * 8 + j) * CORE_OUT + k0) * CORE_IN;
                const vec *x = points + j * CORE_IN * TILES;
                vec sum[CORE_BLOCK][TILES];
                UNROLLED for (int k = 0; k < CORE_BLOCK; k++)
                    UNROLLED for (int t = 0; t < TILES; t++) sum[k][t] = 0.0f;
                UNROLLED for (int c = 0; c < CORE_IN; c++)
                    UNROLLED for (int k = 0; k < CORE_BLOCK; k++)
                        UNROLLED for (int t = 0; t < TILES; t++)
                            sum[k][t] = w[c * CORE_BLOCK + k] * x[c * TILES + t] + sum[k][t];
                UNROLLED for (int k = 0; k < CORE_BLOCK; k++)
                    UNROLLED for (int t = 0; t < TILES; t++)
                        products[j][k * TILES + t] = whole(sum[k][t]);
            }
            ROLLED for (int k = 0; k < CORE_BLOCK; k++)
                UNROLLED for (int t = 0; t < TILES; t++) {
                    vec m[8];
                    UNROLLED for (int j = 0; j < 8; j++) m[j] = products[j][k * TILES + t];
                    vec *to = row + (k0 + k) * PHASES + 4 * t;
                    INVERSE_5(m, to);
                }
        }
    }
}
