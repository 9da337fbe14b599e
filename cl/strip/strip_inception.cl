/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: one branch of an inception block, a function that the block's kernel calls
 * (src/net/strip/strip_source.c):
 *
 *   1 × 1 convolution + bias + activation → TAPS × TAPS convolution, DILATION columns and rows
 *   between taps, or, with REDUCED 0, one 1 × 1 convolution; then bias + activation + batch norm +
 *   max-pool 2 × 2
 *
 * Its outputs are channels FIRST_FILTER … of the block's. The work-item (BANDS bands of eight rows,
 * image) computes whole rows. What the 1 × 1 convolution makes of a row is kept in a ring while the
 * window stands on it: it exists nowhere else. Outside the picture it is zero, not the activation
 * of the bias.
 *
 *   in, out as in strip_block.cl; no pad is read
 *   filters of the branch: 1 × 1 [REDUCED / REDUCED_BLOCK][channel][REDUCED_BLOCK], its bias
 *           [REDUCED]; then as METHOD_… of strip_block.cl say, TAPS 3, FILTER_BLOCK filters
 *           side by side
 *   affine  of the block
 */
#define HALO (TAPS / 2 * DILATION)
#define RING (8 + 2 * HALO)
#define WIDE (PHASES + 2 * HALO)
#define OUT_PHASES (PHASES / 2)
#define ROW_IN(y) (in + ((size_t)n * IN_ROWS + IN_PAD + (y)) * IN_STRIDE)
#if OUT_HALVES
#define STORE STORE_HALVES
#else
#define STORE STORE_WHOLE
#endif
#if REDUCED
#define CONV_CHANNELS REDUCED
#define CONV_FILTERS (filters + REDUCED * (IN_CHANNELS + 1))

/* One picture row → to[channel][HALO + phase], with the columns beyond the strip's
 * edges; NULL: outside. */
inline void BRANCH(reduce)(strips_in row, floats_in filters, vec (*to)[WIDE])
{
    if (!row) {
        ROLLED for (int k = 0; k < REDUCED; k++)
            ROLLED for (int i = 0; i < WIDE; i++) to[k][i] = 0.0f;
        return;
    }
    ROLLED for (int k0 = 0; k0 < REDUCED; k0 += REDUCED_BLOCK) {
        floats_in bias = filters + REDUCED * IN_CHANNELS + k0;
        floats_in w = filters + k0 * IN_CHANNELS;
        ROLLED for (int p = 0; p < PHASES; p += 2) {
            vec sum[REDUCED_BLOCK][2];
            UNROLLED for (int k = 0; k < REDUCED_BLOCK; k++) sum[k][0] = sum[k][1] = bias[k];
            UNROLLED for (int c = 0; c < IN_CHANNELS; c++)
                UNROLLED for (int k = 0; k < REDUCED_BLOCK; k++)
                    UNROLLED for (int j = 0; j < 2; j++)
                        sum[k][j] = w[c * REDUCED_BLOCK + k] * row[c * PHASES + p + j] + sum[k][j];
            UNROLLED for (int k = 0; k < REDUCED_BLOCK; k++)
                UNROLLED for (int j = 0; j < 2; j++)
                    to[k0 + k][HALO + p + j] = ACTIVATE(whole(sum[k][j]));
        }
    }
    ROLLED for (int k = 0; k < REDUCED; k++)
        UNROLLED for (int h = 0; h < HALO; h++) {
            to[k][h] = FROM_LEFT_WHOLE(to[k][PHASES + h]);
            to[k][HALO + PHASES + h] = FROM_RIGHT_WHOLE(to[k][HALO + h]);
        }
}
#else
#define CONV_CHANNELS IN_CHANNELS
#define CONV_FILTERS filters
#endif

#if METHOD_DIRECT
/* One band. ring: as reduce() left it, picture row y in ring[(y − first) % RING]. */
#if REDUCED
#define VALUE(y, c, p) ring[(start + (y)) % RING][c][p]
#else
#define VALUE(y, c, p) ROW_IN(band * 8 + (y))[(c) * PHASES + (p)]
#endif
inline void BRANCH(convolve)(strips_in in, vec (*ring)[CONV_CHANNELS][WIDE], int start,
                             strips_out out, floats_in filters, floats_in affine, int band, int n)
{
    ROLLED for (int k0 = 0; k0 < BRANCH_FILTERS; k0 += FILTER_BLOCK)
        ROLLED for (int y = 0; y < 8; y += 2)
            ROLLED for (int p = 0; p < PHASES; p += 2) {
                vec sum[FILTER_BLOCK][2][2];
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                    sum[k][0][0] = sum[k][0][1] = sum[k][1][0] = sum[k][1][1] = 0.0f;
                floats_in w = CONV_FILTERS + k0 * CONV_CHANNELS * TAPS * TAPS;
                ROLLED for (int c = 0; c < CONV_CHANNELS; c++, w += TAPS * TAPS * FILTER_BLOCK)
                    UNROLLED for (int r = 0; r < TAPS; r++)
                        UNROLLED for (int s = 0; s < TAPS; s++)
                            UNROLLED for (int i = 0; i < 2; i++)
                                UNROLLED for (int j = 0; j < 2; j++) {
                                    const vec v =
                                        VALUE(y + i + r * DILATION, c, p + j + s * DILATION);
                                    UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                                        sum[k][i][j] =
                                            w[(r * TAPS + s) * FILTER_BLOCK + k] * v + sum[k][i][j];
                                }
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
                    const vec m = LARGER(LARGER(sum[k][0][0], sum[k][0][1]),
                                         LARGER(sum[k][1][0], sum[k][1][1]));
                    STORE(band * 4 + y / 2, FIRST_FILTER + k0 + k, p / 2,
                          EPILOGUE(m, FIRST_FILTER + k0 + k));
                }
            }
}
#undef VALUE
#endif

#if METHOD_WINOGRAD_YX
/* The points of a tile of 4 × 4 outputs, from inputs that are DILATION apart; p: its first column
 * in the ring. points: [down][along][channel]. */
INLINED void BRANCH(transform)(vec (*ring)[CONV_CHANNELS][WIDE], int row, int p,
                               vec (*points)[6][CONV_CHANNELS])
{
    ROLLED for (int c = 0; c < CONV_CHANNELS; c++) {
        vec down[6][6]; /* [column][point] */
        UNROLLED for (int j = 0; j < 6; j++) {
            vec d[6];
            UNROLLED for (int r = 0; r < 6; r++)
                d[r] = ring[(row + r * DILATION) % RING][c][p + j * DILATION];
            TRANSFORM_3(d, down[j], 1);
        }
        UNROLLED for (int i = 0; i < 6; i++) {
            vec d[6];
            UNROLLED for (int j = 0; j < 6; j++) d[j] = down[j][i];
            vec *column = &points[i][0][c];
            TRANSFORM_3(d, column, CONV_CHANNELS);
        }
    }
}

/* One band by F(4,3) both ways, eight phases at a time: four tiles of 4 × 4 outputs that are
 * DILATION apart. With DILATION 1 each tile is a quarter of the square, with 2 they are its even
 * and odd rows and columns. */
inline void BRANCH(convolve)(strips_in in, vec (*ring)[CONV_CHANNELS][WIDE], int start,
                             strips_out out, floats_in filters, floats_in affine, int band, int n)
{
    ROLLED for (int p = 0; p < PHASES; p += 8) {
        vec pooled[4][4][BRANCH_FILTERS];
        ROLLED for (int tile = 0; tile < 4; tile++) {
            const int top = tile / 2 * (4 / (DILATION * DILATION)),
                      left = tile % 2 * (4 / (DILATION * DILATION));
            vec points[6][6][CONV_CHANNELS];
            BRANCH(transform)(ring, start + top, p + left, points);
            ROLLED for (int k0 = 0; k0 < BRANCH_FILTERS; k0 += FILTER_BLOCK) {
                vec along[6][FILTER_BLOCK][4]; /* inverted along the rows */
                ROLLED for (int i = 0; i < 6; i++) {
                    vec sum[FILTER_BLOCK][6];
                    UNROLLED for (int j = 0; j < 6; j++) {
                        floats_in w =
                            CONV_FILTERS + ((i * 6 + j) * BRANCH_FILTERS + k0) * CONV_CHANNELS;
                        UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
                            sum[k][j] = w[k] * points[i][j][0];
                            UNROLLED for (int c = 1; c < CONV_CHANNELS; c++)
                                sum[k][j] = w[c * FILTER_BLOCK + k] * points[i][j][c] + sum[k][j];
                        }
                    }
                    UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) INVERSE_3(sum[k], along[i][k]);
                }
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
                    vec larger[2]; /* of two rows */
                    UNROLLED for (int s = 0; s < 4; s++) {
                        vec m[6], y[4];
                        UNROLLED for (int i = 0; i < 6; i++) m[i] = along[i][k][s];
                        INVERSE_3(m, y);
                        if (DILATION == 1) {
                            UNROLLED for (int r = 0; r < 2; r++) {
                                const vec two = LARGER(y[2 * r], y[2 * r + 1]);
                                if (s % 2)
                                    pooled[top / 2 + r][left / 2 + s / 2][k0 + k] =
                                        LARGER(larger[r], two);
                                larger[r] = two;
                            }
                        } else {
                            UNROLLED for (int r = 0; r < 4; r++) {
                                vec *to = &pooled[r][s][k0 + k];
                                *to = tile ? LARGER(*to, y[r]) : y[r];
                            }
                        }
                    }
                }
            }
        }
        ROLLED for (int k = 0; k < BRANCH_FILTERS; k++)
            UNROLLED for (int r = 0; r < 4; r++)
                UNROLLED for (int s = 0; s < 4; s++)
                    STORE(band * 4 + r, FIRST_FILTER + k, p / 2 + s,
                          EPILOGUE(pooled[r][s][k], FIRST_FILTER + k));
    }
}
#endif

#if METHOD_WINOGRAD_Y
/* One band by F(4,3) down the rows: a tile is four output rows DILATION apart, DILATION 1 or 2, so
 * that two tiles are a band. Two phases at a time: 12 · FILTER_BLOCK accumulators. */
inline void BRANCH(convolve)(strips_in in, vec (*ring)[CONV_CHANNELS][WIDE], int start,
                             strips_out out, floats_in filters, floats_in affine, int band, int n)
{
    vec points[CONV_CHANNELS][6][WIDE];
    vec pooled[4][BRANCH_FILTERS][OUT_PHASES];
    ROLLED for (int tile = 0; tile < 2; tile++) {
        /* its first output row in the band, and first input row */
        const int top = DILATION == 1 ? tile * 4 : tile;
        ROLLED for (int c = 0; c < CONV_CHANNELS; c++)
            ROLLED for (int p = 0; p < WIDE; p++) {
                vec d[6];
                UNROLLED for (int r = 0; r < 6; r++)
                    d[r] = ring[(start + top + r * DILATION) % RING][c][p];
                vec *to = &points[c][0][p];
                TRANSFORM_3(d, to, WIDE);
            }
        ROLLED for (int p = 0; p < PHASES; p += 2)
            ROLLED for (int k0 = 0; k0 < BRANCH_FILTERS; k0 += FILTER_BLOCK) {
                vec sum[6][2][FILTER_BLOCK];
                UNROLLED for (int i = 0; i < 6; i++)
                    UNROLLED for (int j = 0; j < 2; j++)
                        UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) sum[i][j][k] = 0.0f;
                floats_in w = CONV_FILTERS + k0 * CONV_CHANNELS * 6 * 3;
                ROLLED for (int c = 0; c < CONV_CHANNELS; c++)
                    UNROLLED for (int i = 0; i < 6; i++, w += 3 * FILTER_BLOCK)
                        UNROLLED for (int s = 0; s < 3; s++)
                            UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                                UNROLLED for (int j = 0; j < 2; j++)
                                    sum[i][j][k] = w[s * FILTER_BLOCK + k] *
                                                       points[c][i][p + s * DILATION + j] +
                                                   sum[i][j][k];
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
                    vec y[2][4];
                    UNROLLED for (int j = 0; j < 2; j++) {
                        vec m[6];
                        UNROLLED for (int i = 0; i < 6; i++) m[i] = sum[i][j][k];
                        INVERSE_3(m, y[j]);
                    }
                    UNROLLED for (int i = 0; i < 4; i++) {
                        const int row = top + i * DILATION;
                        const vec m = LARGER(y[0][i], y[1][i]);
                        vec *to = &pooled[row / 2][k0 + k][p / 2];
                        *to = row % 2 ? LARGER(*to, m) : m;
                    }
                }
            }
    }
    ROLLED for (int k = 0; k < BRANCH_FILTERS; k++)
        UNROLLED for (int row = 0; row < 4; row++)
            ROLLED for (int p = 0; p < OUT_PHASES; p++)
                STORE(band * 4 + row, FIRST_FILTER + k, p,
                      EPILOGUE(pooled[row][k][p], FIRST_FILTER + k));
}
#endif

inline void BRANCH(run)(const int first, const int n, strips_in in, strips_out out,
                        floats_in filters, floats_in affine)
{
    /* input row `first · 8 − HALO + i` is in ring[i % RING] */
    vec ring[REDUCED ? RING : 1][CONV_CHANNELS][WIDE];
    ROLLED for (int t = 0; t < BANDS; t++) {
#if REDUCED
        ROLLED for (int r = t ? 2 * HALO : 0; r < RING; r++) {
            const int y = (first + t) * 8 - HALO + r;
            BRANCH(reduce)(y < 0 || y >= IN_HEIGHT ? 0 : ROW_IN(y), filters,
                           ring[(t * 8 + r) % RING]);
        }
#endif
        BRANCH(convolve)(in, ring, t * 8 % RING, out, filters, affine, first + t, n);
    }
}

#undef HALO
#undef RING
#undef WIDE
#undef OUT_PHASES
#undef ROW_IN
#undef STORE
#undef CONV_CHANNELS
#undef CONV_FILTERS
