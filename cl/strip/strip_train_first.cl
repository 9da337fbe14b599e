/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: the first block in training, from pictures: convolution 3 × 3 by F(4,3) both ways +
 * bias + ReLU + pool 2 × 2, forward with sums for batch norm, and backward. Its activations are
 * computed twice and kept nowhere: they would be four times the output. Once for 8-bit pixels, once
 * for floats (FLOATS), which come divided by DIVIDE.
 *
 *   pictures [image][PICTURE_HEIGHT][PICTURE_WIDTH][3]
 *   filters  [6][6][FILTERS / FILTER_BLOCK][3][FILTER_BLOCK], negated where gamma < 0,
 *            divided by DIVIDE
 *   out      raw, as the next block reads it; next: its gradient, in the same place
 */
#define WIDE (PICTURE_PHASES + 2) /* with the columns beyond the strip's edges */
#define DOWN_SIZE (3 * WIDE)
#define TILES (PICTURE_PHASES / 4)
#define POINTS (6 * 6 * 3)
#define N_WEIGHTS (FILTERS * 54)
/* Not a power of two: rows would share cache sets. */
#define D_STRIDE (FILTER_BLOCK * PICTURE_PHASES + 1)
#if FLOATS
typedef __global const float *restrict FIRST_BLOCK(pictures);
#define UNPACK FIRST_BLOCK(unpack)
inline void UNPACK(__global const float *row, vec *to, const int channel_stride)
{
    ROLLED for (int i = 0; i < PICTURE_PHASES; i++)
        for (int c = 0; c < 3; c++) {
            float *v = (float *)&to[c * channel_stride + i];
            UNROLLED for (int l = 0; l < LANES; l++)
                v[l] = row[(l * PICTURE_PHASES + i) * 3 + c] * DIVIDE;
        }
}
#else
typedef __global const uchar *restrict FIRST_BLOCK(pictures);
#define UNPACK unpack_row
#endif

/* The six picture rows that a tile row reads, into a ring; whole = 0: all but the first two, which
 * the tile row above has left there. */
inline void FIRST_BLOCK(rows)(FIRST_BLOCK(pictures) pictures, const int n, const int tile,
                              const int fresh, vec *ring)
{
    ROLLED for (int r = fresh ? 0 : 2; r < 6; r++) {
        const int y = tile * 4 - 1 + r;
        vec *row = ring + (tile * 4 + r) % 6 * DOWN_SIZE;
        if (y < 0 || y >= PICTURE_HEIGHT) {
            ROLLED for (int i = 0; i < DOWN_SIZE; i++) row[i] = 0.0f;
            continue;
        }
        FIRST_BLOCK(pictures) from =
            pictures + ((size_t)n * PICTURE_HEIGHT + y) * (PICTURE_WIDTH * 3);
#if !FLOATS
        UNROLLED for (int i = 0; i < PICTURE_WIDTH * 3; i += 64)
            PREFETCH(from + 8 * PICTURE_WIDTH * 3 + i);
#endif
        UNPACK(from, row + 1, WIDE);
        UNROLLED for (int c = 0; c < 3; c++) {
            row[c * WIDE] = FROM_LEFT_WHOLE(row[c * WIDE + PICTURE_PHASES]);
            row[c * WIDE + WIDE - 1] = FROM_RIGHT_WHOLE(row[c * WIDE + 1]);
        }
    }
}

/* Transformed down: to [6][3][WIDE]. */
inline void FIRST_BLOCK(down)(const vec *ring, const int tile, vec *to)
{
    const vec *rows[6];
    UNROLLED for (int r = 0; r < 6; r++) rows[r] = ring + (tile * 4 + r) % 6 * DOWN_SIZE;
    ROLLED for (int i = 0; i < DOWN_SIZE; i++) {
        vec d[6];
        UNROLLED for (int r = 0; r < 6; r++) d[r] = whole(rows[r][i]);
        vec *column = to + i;
        TRANSFORM_3(d, column, DOWN_SIZE);
    }
}

/* A tile of four columns, transformed both ways: to [6 down][6 along][3]. */
inline void FIRST_BLOCK(along)(const vec *down, const int p, vec *to)
{
    ROLLED for (int i = 0; i < 6; i++)
        UNROLLED for (int c = 0; c < 3; c++) {
            vec d[6];
            UNROLLED for (int j = 0; j < 6; j++)
                d[j] = whole(down[i * DOWN_SIZE + c * WIDE + p + j]);
            vec *column = to + i * 18 + c;
            TRANSFORM_3(d, column, 3);
        }
}

/* FILTER_BLOCK filters' products, inverted along the row: to [6][FILTER_BLOCK][4]. */
inline void FIRST_BLOCK(product)(const vec *points, floats_in filters, const int k0, vec *to)
{
    ROLLED for (int i = 0; i < 6; i++) {
        vec sum[FILTER_BLOCK][6];
        UNROLLED for (int j = 0; j < 6; j++) {
            floats_in w = filters + ((i * 6 + j) * FILTERS + k0) * 3;
            const vec *x = points + i * 18 + j * 3, first = whole(x[0]);
            UNROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                sum[k][j] =
                    w[k] * first + w[FILTER_BLOCK + k] * x[1] + w[2 * FILTER_BLOCK + k] * x[2];
        }
        UNROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
            vec *y = to + (i * FILTER_BLOCK + k) * 4;
            INVERSE_3(sum[k], y);
        }
    }
}

/* The work-item (part, image) computes PART_TILES tile rows. sums [image][part][2][FILTERS]. */
KERNEL FIRST_BLOCK(forward)(FIRST_BLOCK(pictures) pictures, strips_out out, floats_in filters,
                            floats_in base, __global float *restrict sums, const int first)
{
    const int part = get_global_id(0), n = first + (int)get_global_id(1);
    vec ring[6 * DOWN_SIZE], down[6 * DOWN_SIZE], points[POINTS], along[6 * FILTER_BLOCK * 4];
    vec sum[FILTERS], squares[FILTERS];
    ROLLED for (int k = 0; k < FILTERS; k++) sum[k] = squares[k] = 0.0f;
    ROLLED for (int t = 0; t < PART_TILES; t++) {
        const int tile = part * PART_TILES + t;
        FIRST_BLOCK(rows)(pictures, n, tile, t == 0, ring);
        FIRST_BLOCK(down)(ring, tile, down);
        strips_out to = out + ((size_t)n * OUT_ROWS + OUT_PAD + tile * 2) * OUT_STRIDE;
        ROLLED for (int p = 0; p < PICTURE_PHASES; p += 4) {
            FIRST_BLOCK(along)(down, p, points);
            ROLLED for (int k0 = 0; k0 < FILTERS; k0 += FILTER_BLOCK) {
                FIRST_BLOCK(product)(points, filters, k0, along);
                ROLLED for (int k = k0; k < k0 + FILTER_BLOCK; k++) {
                    const vec bias = whole((vec)(BASE_BIAS(k))), sign = (vec)(BASE_SIGN(k));
                    const int keyed = BASE_KEY(k) != 0.0f;
                    vec s1 = sum[k], s2 = squares[k];
                    /* two columns at a time, in registers */
                    UNROLLED for (int s = 0; s < 4; s += 2) {
                        vec y[2][4];
                        UNROLLED for (int i = 0; i < 2; i++) {
                            vec m[6];
                            UNROLLED for (int q = 0; q < 6; q++)
                                m[q] = whole(along[(q * FILTER_BLOCK + k - k0) * 4 + s + i]);
                            INVERSE_3(m, y[i]);
                        }
                        UNROLLED for (int r = 0; r < 4; r += 2) {
                            const vec above = LARGER(y[0][r], y[1][r]),
                                      below = LARGER(y[0][r + 1], y[1][r + 1]);
                            const vec largest = keyed ? LARGER(above, below) : y[0][r];
                            UNROLLED for (int i = 0; i < 4; i++) {
                                const vec a =
                                    LARGER((vec)(0.0f), sign * y[i % 2][r + i / 2] + bias);
                                s1 += a;
                                s2 = a * a + s2;
                            }
                            to[r / 2 * OUT_STRIDE + k * (PICTURE_PHASES / 2) + p / 2 + s / 2] =
                                LARGER((vec)(0.0f), sign * largest + bias);
                        }
                    }
                    sum[k] = s1;
                    squares[k] = s2;
                }
            }
        }
    }
    sums += ((size_t)n * get_global_size(0) + part) * (2 * FILTERS);
    ROLLED for (int k = 0; k < FILTERS; k++) {
        sums[k] = across(sum[k]);
        sums[FILTERS + k] = across(squares[k]);
    }
}

/* One filter's dz of a tile, transformed down: to [6][D_STRIDE], [filter][phase]. Two columns at a
 * time, in registers. */
inline void FIRST_BLOCK(gradient)(const vec *along, strips_in next, floats_in base, floats_in norm,
                                  const int k, vec *to)
{
    const vec bias = whole((vec)(BASE_BIAS(k))), sign = (vec)(BASE_SIGN(k)),
              scale = (vec)(norm[NORM_SCALE * FILTERS + k]),
              slope = (vec)(norm[NORM_SLOPE * FILTERS + k]),
              constant_ = (vec)(norm[NORM_CONSTANT * FILTERS + k]);
    const int keyed = BASE_KEY(k) != 0.0f;
    UNROLLED for (int s = 0; s < 4; s += 2) {
        vec y[2][4];
        UNROLLED for (int i = 0; i < 2; i++) {
            vec m[6];
            UNROLLED for (int q = 0; q < 6; q++) m[q] = along[q * FILTER_BLOCK * 4 + s + i];
            INVERSE_3(m, y[i]);
        }
        UNROLLED for (int r = 0; r < 4; r += 2) {
            const vec above = LARGER(y[0][r], y[1][r]), below = LARGER(y[0][r + 1], y[1][r + 1]);
            const vec largest = keyed ? LARGER(above, below) : y[0][r];
            vec left = next[r / 2 * OUT_STRIDE + s / 2] * scale;
            PREFETCH(next + (2 + r / 2) * OUT_STRIDE + s / 2); /* for the next tile row */
            UNROLLED for (int i = 0; i < 4; i++) {
                const vec value = y[i % 2][r + i / 2], a = sign * value + bias;
                TAKE(value, a, y[i % 2][r + i / 2]);
            }
        }
        UNROLLED for (int i = 0; i < 2; i++) {
            vec *column = to + s + i;
            ADJOINT_3(y[i], column, D_STRIDE);
        }
    }
}

/* Adds WEIGHT_BLOCK filters' row points: to [6][3 channels][3 columns][WEIGHT_BLOCK]. */
inline void FIRST_BLOCK(weights)(const vec *down, const vec *d, vec *to)
{
    ROLLED for (int i = 0; i < 6; i++) {
        vec sum[9 * WEIGHT_BLOCK];
        UNROLLED for (int s = 0; s < 9 * WEIGHT_BLOCK; s++)
            sum[s] = whole(to[i * 9 * WEIGHT_BLOCK + s]);
        const vec *x = down + i * DOWN_SIZE, *g = d + i * D_STRIDE;
        ROLLED for (int p = 0; p < PICTURE_PHASES; p++)
            UNROLLED for (int s = 0; s < 9 * WEIGHT_BLOCK; s++)
                sum[s] = x[s / WEIGHT_BLOCK / 3 * WIDE + p + s / WEIGHT_BLOCK % 3] *
                             g[s % WEIGHT_BLOCK * PICTURE_PHASES + p] +
                         sum[s];
        UNROLLED for (int s = 0; s < 9 * WEIGHT_BLOCK; s++) to[i * 9 * WEIGHT_BLOCK + s] = sum[s];
    }
}

/* The filters' gradient out of Winograd's domain: out [3][3][3][FILTERS]. */
inline void FIRST_BLOCK(weights_end)(const vec *from, __global float *out)
{
    ROLLED for (int k = 0; k < FILTERS; k++)
        ROLLED for (int i = 0; i < 9; i++)
            ROLLED for (int r = 0; r < 3; r++) {
                const vec *points = from + k / WEIGHT_BLOCK * 54 * WEIGHT_BLOCK + i * WEIGHT_BLOCK +
                                    k % WEIGHT_BLOCK;
                vec sum = 0.0f;
                ROLLED for (int q = 0; q < 6; q++)
                    sum += transform_3[q][r] * points[q * 9 * WEIGHT_BLOCK];
                out[((r * 3 + i % 3) * 3 + i / 3) * FILTERS + k] = across(sum) / DIVIDE;
            }
}

/* The work-item is a group of images. partial: of this kernel's parameters: filters, bias. */
KERNEL FIRST_BLOCK(backward)(FIRST_BLOCK(pictures) pictures, strips_in next, floats_in filters,
                             floats_in base, floats_in norm, __global float *restrict partial,
                             const int first_group, const int n_images)
{
    const int group = first_group + (int)get_global_id(0);
    const int end = min((group + 1) * GROUP, n_images);
    vec ring[6 * DOWN_SIZE], down[6 * DOWN_SIZE], points[TILES * POINTS],
        along[6 * FILTER_BLOCK * 4];
    vec d[6 * D_STRIDE], weights[N_WEIGHTS], totals[N_WEIGHTS], bias[FILTERS];
    ROLLED for (int i = 0; i < N_WEIGHTS; i++) weights[i] = totals[i] = 0.0f;
    ROLLED for (int k = 0; k < FILTERS; k++) bias[k] = 0.0f;
    ROLLED for (int n = group * GROUP; n < end; n++) {
        ROLLED for (int tile = 0; tile < PICTURE_HEIGHT / 4; tile++) {
            FIRST_BLOCK(rows)(pictures, n, tile, tile == 0, ring);
            FIRST_BLOCK(down)(ring, tile, down);
            ROLLED for (int t = 0; t < TILES; t++)
                FIRST_BLOCK(along)(down, t * 4, points + t * POINTS);
            strips_in from = next + ((size_t)n * OUT_ROWS + OUT_PAD + tile * 2) * OUT_STRIDE;
            ROLLED for (int k0 = 0; k0 < FILTERS; k0 += FILTER_BLOCK) {
                ROLLED for (int p = 0; p < PICTURE_PHASES; p += 4) {
                    FIRST_BLOCK(product)(points + p / 4 * POINTS, filters, k0, along);
                    ROLLED for (int k = 0; k < FILTER_BLOCK; k++)
                        FIRST_BLOCK(gradient)(along + k * 4,
                                              from + (k0 + k) * (PICTURE_PHASES / 2) + p / 2, base,
                                              norm, k0 + k, d + k * PICTURE_PHASES + p);
                }
                /* the sum of four rows is point 1's */
                ROLLED for (int k = 0; k < FILTER_BLOCK; k++) {
                    vec sum = bias[k0 + k];
                    ROLLED for (int p = 0; p < PICTURE_PHASES; p++)
                        sum += d[D_STRIDE + k * PICTURE_PHASES + p];
                    bias[k0 + k] = sum;
                }
                ROLLED for (int k = 0; k < FILTER_BLOCK; k += WEIGHT_BLOCK)
                    FIRST_BLOCK(weights)(down, d + k * PICTURE_PHASES, weights + (k0 + k) * 54);
            }
        }
        end_image(weights, totals, N_WEIGHTS);
    }
    partial += (size_t)group * PARAMETERS;
    FIRST_BLOCK(weights_end)(totals, partial + FIRST_FILTER);
    ROLLED for (int k = 0; k < FILTERS; k++) partial[FIRST_BIAS + k] = across(bias[k]);
}

#undef WIDE
#undef DOWN_SIZE
#undef TILES
#undef POINTS
#undef N_WEIGHTS
#undef D_STRIDE
#undef UNPACK
