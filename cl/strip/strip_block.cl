/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: convolution TAPS × TAPS (SAME, stride 1) + bias + activation + batch norm + max-pool
 * POOL × POOL, from strips to strips. METHOD:
 *   DIRECT       any TAPS
 *   WINOGRAD_Y   F(4,TAPS) down the rows, direct along them; TAPS 3 or 5
 *   WINOGRAD_YX  F(4,TAPS) both ways; TAPS 3 or 5
 * The work-item (tile row, image) computes four output rows before pooling, whole width, every
 * filter.
 *
 *   in      [image][IN_ROWS] rows of [IN_CHANNELS][PHASES], IN_STRIDE apart; IN_PAD rows of zeros
 *           above and below
 *   out     [image][OUT_ROWS] rows of [FILTERS][PHASES / POOL], OUT_STRIDE apart; OUT_HALVES: laid
 *           out as halves
 *   filters as each method says; FILTER_BLOCK filters side by side
 *   affine  bias, scale, shift, sign, FILTERS of each
 */
#define TAP_HALO (TAPS / 2)
#define TILE_INPUTS (TAPS + 3) /* rows or columns that four outputs need */
#define OUT_PHASES (PHASES / POOL)
#if HALVES
#define FROM_LEFT FROM_LEFT_HALVES
#define FROM_RIGHT FROM_RIGHT_HALVES
#else
#define FROM_LEFT FROM_LEFT_WHOLE
#define FROM_RIGHT FROM_RIGHT_WHOLE
#endif
#if TAPS == 5
#define TRANSFORM TRANSFORM_5
#define INVERSE INVERSE_5
#else
#define TRANSFORM TRANSFORM_3
#define INVERSE INVERSE_3
#endif

#if OUT_HALVES
#define STORE STORE_HALVES
#else
#define STORE STORE_WHOLE
#endif

/* First of the rows that tile row `tile` reads, channel 0, phase 0. */
#define TILE_ROWS_IN (in + ((size_t)n * IN_ROWS + tile * 4 + IN_PAD - TAP_HALO) * IN_STRIDE)

#if METHOD_DIRECT
/* filters [FILTERS / FILTER_BLOCK][channel][tap row][tap column][FILTER_BLOCK]. Two output rows
 * at a time. */
#define WIDE (PHASES + TAPS - 1) /* with the columns beyond the strip's edges */
inline void STEP(NAME)(const int tile, const int n, strips_in in, strips_out out, floats_in filters,
                       floats_in affine)
{
    vec rows[IN_CHANNELS][TILE_INPUTS][WIDE];
    vec pooled[FILTER_BLOCK][4 / POOL][OUT_PHASES];
    ROLLED for (int c = 0; c < IN_CHANNELS; c++)
        ROLLED for (int r = 0; r < TILE_INPUTS; r++) {
            strips_in row = TILE_ROWS_IN + r * IN_STRIDE + c * PHASES;
            ROLLED for (int p = 0; p < PHASES; p++)
                rows[c][r][TAP_HALO + p] = row[p];
            UNROLLED for (int h = 0; h < TAP_HALO; h++) {
                rows[c][r][h] = FROM_LEFT(row[PHASES - TAP_HALO + h]);
                rows[c][r][TAP_HALO + PHASES + h] = FROM_RIGHT(row[h]);
            }
        }
    ROLLED for (int k0 = 0; k0 < FILTERS; k0 += FILTER_BLOCK) {
        ROLLED for (int y = 0; y < 4; y += 2)
            ROLLED for (int p = 0; p < PHASES; p++) {
                vec sum[FILTER_BLOCK][2];
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) sum[k][0] = sum[k][1] = 0.0f;
                floats_in w = filters + k0 * IN_CHANNELS * TAPS * TAPS;
                ROLLED for (int c = 0; c < IN_CHANNELS; c++)
                    ROLLED for (int r = 0; r < TAPS; r++, w += TAPS * FILTER_BLOCK)
                        UNROLLED for (int s = 0; s < TAPS; s++)
                            UNROLLED for (int i = 0; i < 2; i++) {
                                const vec v = rows[c][y + r + i][p + s];
                                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                                    sum[k][i] = w[s * FILTER_BLOCK + k] * v + sum[k][i];
                            }
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
                    const vec m = LARGER(sum[k][0], sum[k][1]);
                    const int first = p % POOL == 0 && y % POOL == 0;
                    vec *to = &pooled[k][y / POOL][p / POOL];
                    *to = first ? m : LARGER(*to, m);
                }
            }
        ROLLED for (int k = 0; k < FILTER_BLOCK; k++)
            UNROLLED for (int r = 0; r < 4 / POOL; r++)
                ROLLED for (int p = 0; p < OUT_PHASES; p++)
                    STORE(tile * (4 / POOL) + r, k0 + k, p, EPILOGUE(pooled[k][r][p], k0 + k));
    }
}
#undef WIDE
#endif

#if METHOD_WINOGRAD_Y
/* filters [FILTERS / FILTER_BLOCK][channel][point][tap column][FILTER_BLOCK]. Two phases at a time:
 * TILE_INPUTS · 2 · FILTER_BLOCK accumulators. */
#define WIDE (PHASES + TAPS - 1)
inline void STEP(NAME)(const int tile, const int n, strips_in in, strips_out out, floats_in filters,
                       floats_in affine)
{
    vec points[IN_CHANNELS][TILE_INPUTS][WIDE];
    ROLLED for (int c = 0; c < IN_CHANNELS; c++) {
        strips_in row = TILE_ROWS_IN + c * PHASES;
        ROLLED for (int p = 0; p < PHASES; p++) {
            vec d[TILE_INPUTS];
            UNROLLED for (int r = 0; r < TILE_INPUTS; r++) d[r] = row[r * IN_STRIDE + p];
            vec *to = &points[c][0][TAP_HALO + p];
            TRANSFORM(d, to, WIDE);
        }
        UNROLLED for (int i = 0; i < TILE_INPUTS; i++)
            UNROLLED for (int h = 0; h < TAP_HALO; h++) {
                points[c][i][h] = FROM_LEFT(points[c][i][PHASES + h]);
                points[c][i][TAP_HALO + PHASES + h] = FROM_RIGHT(points[c][i][TAP_HALO + h]);
            }
    }
    ROLLED for (int p = 0; p < PHASES; p += POOL)
        ROLLED for (int k0 = 0; k0 < FILTERS; k0 += FILTER_BLOCK) {
            vec pooled[FILTER_BLOCK][4 / POOL];
            UNROLLED for (int q = 0; q < POOL; q += 2) {
                vec sum[TILE_INPUTS][2][FILTER_BLOCK];
                UNROLLED for (int i = 0; i < TILE_INPUTS; i++)
                    UNROLLED for (int j = 0; j < 2; j++)
                        UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) sum[i][j][k] = 0.0f;
                floats_in w = filters + k0 * IN_CHANNELS * TILE_INPUTS * TAPS;
                ROLLED for (int c = 0; c < IN_CHANNELS; c++)
                    UNROLLED for (int i = 0; i < TILE_INPUTS; i++, w += TAPS * FILTER_BLOCK)
                        UNROLLED for (int s = 0; s < TAPS; s++)
                            UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                                UNROLLED for (int j = 0; j < 2; j++)
                                    sum[i][j][k] =
                                        w[s * FILTER_BLOCK + k] * points[c][i][p + q + s + j] +
                                        sum[i][j][k];
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                    UNROLLED for (int j = 0; j < 2; j++) {
                        vec m[TILE_INPUTS], y[4];
                        UNROLLED for (int i = 0; i < TILE_INPUTS; i++) m[i] = sum[i][j][k];
                        INVERSE(m, y);
                        y[0] = LARGER(y[0], y[1]);
                        y[2] = LARGER(y[2], y[3]);
                        if (POOL == 4)
                            y[0] = LARGER(y[0], y[2]);
                        UNROLLED for (int r = 0; r < 4 / POOL; r++)
                            pooled[k][r] = q + j == 0 ? y[2 * r] : LARGER(pooled[k][r], y[2 * r]);
                    }
            }
            UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                UNROLLED for (int r = 0; r < 4 / POOL; r++)
                    STORE(tile * (4 / POOL) + r, k0 + k, p / POOL, EPILOGUE(pooled[k][r], k0 + k));
        }
}
#undef WIDE
#endif

#if METHOD_WINOGRAD_YX
/* filters [point y][point x][FILTERS / FILTER_BLOCK][channel][FILTER_BLOCK]. Tiles of 4 × 4
 * outputs, TILES of them along a row of the strip. */
#define TILES (PHASES / 4)
#define ROWS_STRIDE (MOST_CHANNELS * PHASES + 1)
#define MOST_CHANNELS (IN_CHANNELS > FILTERS ? IN_CHANNELS : FILTERS)

/* The points along the rows, from one row point of every channel. */
INLINED void PART(transform)(const vec *rows, vec (*points)[IN_CHANNELS * TILES])
{
    ROLLED for (int c = 0; c < IN_CHANNELS; c++) {
        const vec *row = &rows[c * PHASES];
        UNROLLED for (int t = 0; t < TILES; t++) {
            vec d[TILE_INPUTS];
            UNROLLED for (int j = 0; j < TILE_INPUTS; j++) {
                const int p = t * 4 + j - TAP_HALO;
                d[j] = p < 0 ? FROM_LEFT(row[p + PHASES])
                       : p < PHASES ? row[p] : FROM_RIGHT(row[p - PHASES]);
            }
            vec *to = &points[0][c * TILES + t];
            TRANSFORM(d, to, IN_CHANNELS * TILES);
        }
    }
}

inline void STEP(NAME)(const int tile, const int n, strips_in in, strips_out out, floats_in filters,
                       floats_in affine)
{
    vec rows[TILE_INPUTS][ROWS_STRIDE]; /* transformed down the rows; later, inverted along them */
    vec points[TILE_INPUTS][IN_CHANNELS * TILES];     /* transformed both ways, for one row point */
    vec products[TILE_INPUTS][FILTER_BLOCK * TILES];  /* for one row point and filter block */
    strips_in first = TILE_ROWS_IN;
    ROLLED for (int i = 0; i < IN_CHANNELS * PHASES; i++) {
        vec d[TILE_INPUTS];
        UNROLLED for (int r = 0; r < TILE_INPUTS; r++) d[r] = first[r * IN_STRIDE + i];
        vec *to = &rows[0][i];
        TRANSFORM(d, to, ROWS_STRIDE);
    }
    ROLLED for (int i = 0; i < TILE_INPUTS; i++) {
        PART(transform)(rows[i], points);
        ROLLED for (int k0 = 0; k0 < FILTERS; k0 += FILTER_BLOCK) {
            ROLLED for (int j = 0; j < TILE_INPUTS; j++) {
                floats_in w = filters + ((i * TILE_INPUTS + j) * FILTERS + k0) * IN_CHANNELS;
                vec sum[FILTER_BLOCK][TILES];
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                    UNROLLED for (int t = 0; t < TILES; t++) sum[k][t] = 0.0f;
                UNROLLED for (int c = 0; c < IN_CHANNELS; c++)
                    UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                        UNROLLED for (int t = 0; t < TILES; t++)
                            sum[k][t] =
                                w[c * FILTER_BLOCK + k] * points[j][c * TILES + t] + sum[k][t];
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                    UNROLLED for (int t = 0; t < TILES; t++) products[j][k * TILES + t] = sum[k][t];
            }
            ROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                UNROLLED for (int t = 0; t < TILES; t++) {
                    vec m[TILE_INPUTS];
                    UNROLLED for (int j = 0; j < TILE_INPUTS; j++)
                        m[j] = products[j][k * TILES + t];
                    vec *to = &rows[i][(k0 + k) * PHASES + 4 * t];
                    INVERSE(m, to);
                }
        }
    }
    ROLLED for (int k = 0; k < FILTERS; k++) {
        vec pooled[4 / POOL][OUT_PHASES];
        UNROLLED for (int p = 0; p < PHASES; p++) {
            vec m[TILE_INPUTS], y[4];
            UNROLLED for (int i = 0; i < TILE_INPUTS; i++) m[i] = rows[i][k * PHASES + p];
            INVERSE(m, y);
            y[0] = LARGER(y[0], y[1]);
            y[2] = LARGER(y[2], y[3]);
            if (POOL == 4)
                y[0] = LARGER(y[0], y[2]);
            UNROLLED for (int r = 0; r < 4 / POOL; r++) {
                vec *to = &pooled[r][p / POOL];
                *to = p % POOL == 0 ? y[2 * r] : LARGER(*to, y[2 * r]);
            }
        }
        UNROLLED for (int r = 0; r < 4 / POOL; r++)
            UNROLLED for (int p = 0; p < OUT_PHASES; p++)
                STORE(tile * (4 / POOL) + r, k, p, EPILOGUE(pooled[r][p], k));
    }
}
#undef TILES
#undef MOST_CHANNELS
#undef ROWS_STRIDE
#endif

KERNEL NAME(strips_in in, strips_out out, floats_in filters, floats_in affine)
{
    STEP(NAME)(get_global_id(0), get_global_id(1), in, out, filters, affine);
}

#undef TAP_HALO
#undef TILE_INPUTS
#undef OUT_PHASES
#undef FROM_LEFT
#undef FROM_RIGHT
#undef TRANSFORM
#undef INVERSE
#undef STORE
#undef TILE_ROWS_IN
