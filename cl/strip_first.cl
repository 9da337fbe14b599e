/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: the first block straight from 8-bit pixels: unpacking + 3 × 3 convolution by F(4,3) down the rows +
 * bias + activation + pool 2 × 2 + batch norm. The work-item computes TILE_ROWS tile rows of four, so that each
 * picture row is unpacked once but for the seams. Two dimensions of Winograd do not pay here: three input channels are
 * too few for the transforms.
 *
 *   pixels  [image][PICTURE_HEIGHT][LANES · PICTURE_PHASES][3], images from `first`
 *   out     as in strip_block.cl
 *   filters [FILTERS / FILTER_BLOCK][channel 3][point 6][tap column 3][FILTER_BLOCK]
 */
KERNEL NAME(__global const uchar *pixels, strips_out out, floats_in filters, floats_in affine, const int first)
{
    const int n = get_global_id(1);
    vec ring[6][3 * PICTURE_PHASES];        /* unpacked rows; row y is in ring[(y + 1) % 6] but for an offset */
    vec points[3][6][PICTURE_PHASES + 2];   /* transformed down the rows, with the columns beyond the strip's edges */
    ROLLED for (int t = 0; t < TILE_ROWS; t++) {
        const int tile = get_global_id(0) * TILE_ROWS + t;
        ROLLED for (int r = t ? 2 : 0; r < 6; r++) {
            const int y = tile * 4 - 1 + r;
            vec *to = ring[(t * 4 + r) % 6];
            if (y < 0 || y >= PICTURE_HEIGHT) {
                ROLLED for (int i = 0; i < 3 * PICTURE_PHASES; i++) to[i] = 0.0f;
                continue;
            }
            __global const uchar *row = pixels + ((size_t)(first + n) * PICTURE_HEIGHT + y) * (LANES * PICTURE_PHASES * 3);
            UNROLLED for (int i = 0; i < LANES * PICTURE_PHASES * 3; i += 64) PREFETCH(row + 8 * LANES * PICTURE_PHASES * 3 + i);
            unpack_row(row, to);
        }
        ROLLED for (int c = 0; c < 3; c++) {
            ROLLED for (int p = 0; p < PICTURE_PHASES; p++) {
                vec d[6];
                UNROLLED for (int r = 0; r < 6; r++) d[r] = ring[(t * 4 + r) % 6][c * PICTURE_PHASES + p];
                vec *to = &points[c][0][p + 1];
                TRANSFORM_3(d[0], d[1], d[2], d[3], d[4], d[5], to, PICTURE_PHASES + 2);
            }
            UNROLLED for (int i = 0; i < 6; i++) {
                points[c][i][0] = FROM_LEFT_WHOLE(points[c][i][PICTURE_PHASES]);
                points[c][i][PICTURE_PHASES + 1] = FROM_RIGHT_WHOLE(points[c][i][1]);
            }
        }
        strips_out to = out + ((size_t)n * OUT_ROWS + OUT_PAD + tile * 2) * (FILTERS * PICTURE_PHASES / 2);
        ROLLED for (int p = 0; p < PICTURE_PHASES; p += 2)
            ROLLED for (int k0 = 0; k0 < FILTERS; k0 += FILTER_BLOCK) {
                vec sum[6][2][FILTER_BLOCK];
                UNROLLED for (int i = 0; i < 6; i++)
                    UNROLLED for (int j = 0; j < 2; j++)
                        UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) sum[i][j][k] = 0.0f;
                floats_in w = filters + k0 * (3 * 6 * 3);
                /* Unrolled, LLVM would hoist 72 vectors into spill slots. */
                ROLLED for (int c = 0; c < 3; c++)
                    UNROLLED for (int i = 0; i < 6; i++, w += 3 * FILTER_BLOCK)
                        UNROLLED for (int s = 0; s < 3; s++)
                            UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                                UNROLLED for (int j = 0; j < 2; j++)
                                    sum[i][j][k] = w[s * FILTER_BLOCK + k] * points[c][i][p + s + j] + sum[i][j][k];
                UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
                    vec pooled[2];
                    UNROLLED for (int j = 0; j < 2; j++) {
                        vec y0, y1, y2, y3;
                        INVERSE_3(sum[0][j][k], sum[1][j][k], sum[2][j][k], sum[3][j][k], sum[4][j][k],
                                  sum[5][j][k], y0, y1, y2, y3);
                        y0 = LARGER(y0, y1);
                        y2 = LARGER(y2, y3);
                        pooled[0] = j ? LARGER(pooled[0], y0) : y0;
                        pooled[1] = j ? LARGER(pooled[1], y2) : y2;
                    }
                    UNROLLED for (int r = 0; r < 2; r++)
                        to[(r * FILTERS + k0 + k) * (PICTURE_PHASES / 2) + p / 2] = EPILOGUE(pooled[r], k0 + k);
                }
            }
    }
}
