/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: the first block straight from 8-bit pixels: unpacking + 3 × 3 convolution by F(4,3)
 * both ways + bias + activation + pool 2 × 2 + batch norm. The work-item computes TILE_ROWS tile
 * rows of four, so that each picture row is unpacked once but for the seams.
 *
 *   pixels  [image][PICTURE_HEIGHT][LANES · PICTURE_PHASES][3], images from `first`
 *   out     as in strip_block.cl
 *   filters [point y 6][point x 6][FILTERS / FILTER_BLOCK][channel 3][FILTER_BLOCK]
 */
#define WIDE (PICTURE_PHASES + 2) /* with the columns beyond the strip's edges */

/* Row y of a picture, zeros above and below it. */
INLINED void PART(unpack)(__global const uchar *pixels, const int picture, const int y, vec *row)
{
    if (y < 0 || y >= PICTURE_HEIGHT) {
        ROLLED for (int i = 0; i < 3 * WIDE; i++) row[i] = 0.0f;
        return;
    }
    __global const uchar *from =
        pixels + ((size_t)picture * PICTURE_HEIGHT + y) * (PICTURE_WIDTH * 3);
    UNROLLED for (int i = 0; i < PICTURE_WIDTH * 3; i += 64)
        PREFETCH(from + 8 * PICTURE_WIDTH * 3 + i);
    unpack_row(from, row + 1, WIDE);
    UNROLLED for (int c = 0; c < 3; c++) {
        row[c * WIDE] = FROM_LEFT_WHOLE(row[c * WIDE + PICTURE_PHASES]);
        row[c * WIDE + WIDE - 1] = FROM_RIGHT_WHOLE(row[c * WIDE + 1]);
    }
}

inline void STEP(NAME)(const int item, const int n, __global const uchar *pixels, strips_out out,
                       floats_in filters, floats_in affine, const int first)
{
    /* The rows that a tile reads; the next tile's first two are this one's last. */
    vec ring[6][3 * WIDE];
    ROLLED for (int t = 0; t < TILE_ROWS; t++) {
        const int tile = item * TILE_ROWS + t;
        ROLLED for (int r = t ? 2 : 0; r < 6; r++)
            PART(unpack)(pixels, first + n, tile * 4 - 1 + r, ring[(t * 4 + r) % 6]);
        strips_out to = out + ((size_t)n * OUT_ROWS + OUT_PAD + tile * 2) * OUT_STRIDE;
        ROLLED for (int p = 0; p < PICTURE_PHASES; p += 4) {
            vec points[6][6][3]; /* [down][along][channel] */
            ROLLED for (int c = 0; c < 3; c++) {
                vec down[6][6]; /* [column][point] */
                UNROLLED for (int j = 0; j < 6; j++) {
                    vec d[6];
                    UNROLLED for (int r = 0; r < 6; r++)
                        d[r] = ring[(t * 4 + r) % 6][c * WIDE + p + j];
                    TRANSFORM_3(d, down[j], 1);
                }
                UNROLLED for (int i = 0; i < 6; i++) {
                    vec d[6];
                    UNROLLED for (int j = 0; j < 6; j++) d[j] = down[j][i];
                    vec *column = &points[i][0][c];
                    TRANSFORM_3(d, column, 3);
                }
            }
            ROLLED for (int k0 = 0; k0 < FILTERS; k0 += FILTER_BLOCK) {
                vec along[6][FILTER_BLOCK][4]; /* inverted along the rows */
                ROLLED for (int i = 0; i < 6; i++) {
                    vec sum[FILTER_BLOCK][6];
                    UNROLLED for (int j = 0; j < 6; j++) {
                        floats_in w = filters + ((i * 6 + j) * FILTERS + k0) * 3;
                        UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                            sum[k][j] = w[k] * points[i][j][0] +
                                        w[FILTER_BLOCK + k] * points[i][j][1] +
                                        w[2 * FILTER_BLOCK + k] * points[i][j][2];
                    }
                    UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) INVERSE_3(sum[k], along[i][k]);
                }
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
                    vec pooled[2][2];
                    UNROLLED for (int s = 0; s < 4; s++) {
                        vec m[6], y[4];
                        UNROLLED for (int i = 0; i < 6; i++) m[i] = along[i][k][s];
                        INVERSE_3(m, y);
                        UNROLLED for (int r = 0; r < 2; r++) {
                            const vec larger = LARGER(y[2 * r], y[2 * r + 1]);
                            pooled[r][s / 2] = s % 2 ? LARGER(larger, pooled[r][s / 2]) : larger;
                        }
                    }
                    UNROLLED for (int r = 0; r < 2; r++)
                        UNROLLED for (int s = 0; s < 2; s++)
                            to[r * OUT_STRIDE + (k0 + k) * (PICTURE_PHASES / 2) + p / 2 + s] =
                                EPILOGUE(pooled[r][s], k0 + k);
                }
            }
        }
    }
}
#undef WIDE

KERNEL NAME(__global const uchar *pixels, strips_out out, floats_in filters, floats_in affine,
            const int first)
{
    STEP(NAME)(get_global_id(0), get_global_id(1), pixels, out, filters, affine, first);
}
