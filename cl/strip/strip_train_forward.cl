/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: the forward kernel of strip_train_block.cl.
 */
KERNEL BLOCK(forward)(strips_in in, strips_out z, strips_out out, floats_in filters, floats_in base,
                      floats_in before, __global float *restrict sums, const int first)
{
    const int tile = get_global_id(0), n = first + (int)get_global_id(1);
    vec rows[8 * CORE_STRIDE];
    BLOCK(down)(in, before, n, tile, rows, CORE_STRIDE);
    BLOCK(product)(rows, filters);
    strips_out keep = z + ((size_t)n * TILE_ROWS + tile) * Z_SIZE;
    sums += ((size_t)n * TILE_ROWS + tile) * (2 * FILTERS);
    ROLLED for (int k = 0; k < FILTERS; k++) {
        const vec bias = whole((vec)(BASE_BIAS(k))), sign = (vec)(BASE_SIGN(k));
        const int keyed = BASE_KEY(k) != 0.0f;
        vec sum = 0.0f, squares = 0.0f, pooled[4 / POOL][OUT_PHASES];
        UNROLLED for (int p = 0; p < PHASES; p++) {
            vec m[8], y[4], activated[4];
            UNROLLED for (int i = 0; i < 8; i++) m[i] = rows[i * CORE_STRIDE + k * PHASES + p];
            INVERSE_5(m, y);
            UNROLLED for (int r = 0; r < 4; r++) {
                activated[r] = LARGER((vec)(0.0f), sign * y[r] + bias);
                squares = activated[r] * activated[r] + squares;
                KEEP(keep + (k * PHASES + p) * 4 + r, activated[r]);
            }
            sum += (activated[0] + activated[1]) + (activated[2] + activated[3]);
            UNROLLED for (int r = 0; r < 4; r++) {
                vec *to = &pooled[r / POOL][p / POOL];
                *to = r % POOL == 0 && p % POOL == 0 ? y[r] : keyed ? LARGER(*to, y[r]) : *to;
            }
        }
        UNROLLED for (int r = 0; r < 4 / POOL; r++)
            UNROLLED for (int p = 0; p < OUT_PHASES; p++)
                STORE(tile * (4 / POOL) + r, k, p, LARGER((vec)(0.0f), sign * pooled[r][p] + bias));
        sums[k] = across(sum);
        sums[FILTERS + k] = across(squares);
    }
}
