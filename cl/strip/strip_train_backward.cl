/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: backward of a block of strip_train_block.cl. The work-item is a group of images: tile
 * row by tile row the gradients behind the convolution, from them the gradient of the filters, and
 * one tile row later the gradient of the input, which takes raw's place. Both gradients are made
 * in Winograd's domain.
 *
 *   z, in   as in strip_train_block.cl; next: the gradient of the block's output, in the place of
 *           its raw values
 *   filters of the data gradient: turned by 180°, channels and filters exchanged
 *   sums    for the block before: [image][TILE_ROWS][2][IN_CHANNELS], Σ g and Σ g·(raw − mean)
 */
#define DZ_STRIDE (FILTERS * PHASES + 1)
#if HALVES
/* All rows, because the halves are each other's neighbours. */
#define DZ_ROWS (4 * TILE_ROWS + 4)
#define DZ_ROW(y) ((y) + 2)
#else
/* A ring of three tile rows. */
#define DZ_ROWS 12
#define DZ_ROW(y) (((y) + 12) % 12)
#endif

#define LOAD_WHOLE(row, k, phase, v)                                                               \
    do {                                                                                           \
        __global const vec *i_ = next + ((size_t)n * OUT_ROWS + OUT_PAD + (row)) * OUT_STRIDE +    \
                                 (k) * OUT_PHASES + (phase);                                       \
        v = *i_;                                                                                   \
        PREFETCH(i_ + 4 / POOL * OUT_STRIDE); /* for the next tile row */                          \
    } while (0)
/* The opposite of STORE_HALVES, but for the seam. */
#define LOAD_HALVES(row, k, phase, v)                                                              \
    do {                                                                                           \
        const int half_ = (row) >= HALF_ROWS, r_ = (row)-half_ * HALF_ROWS + OUT_PAD;              \
        __global const half_vec *i_ =                                                              \
            (__global const half_vec *)(next + (size_t)n * OUT_ROWS * OUT_STRIDE) +                \
            (r_ * OUT_STRIDE + (k) * 2 * OUT_PHASES + (phase)) * 2 + half_;                        \
        v.even = i_[0];                                                                            \
        v.odd = i_[2 * OUT_PHASES];                                                                \
    } while (0)
#if OUT_HALVES
#define LOAD LOAD_HALVES
#else
#define LOAD LOAD_WHOLE
#endif

/* Behind the convolution: dz of a tile row, [4 rows][DZ_STRIDE], and its sums for the bias. */
inline void BLOCK(activation)(strips_in z, __global const vec *next, floats_in base, floats_in norm,
                              const int n, const int tile, vec *dz, vec *bias)
{
    strips_in kept = z + ((size_t)n * TILE_ROWS + tile) * Z_SIZE;
    ROLLED for (int k = 0; k < FILTERS; k++) {
        const vec key = whole((vec)(BASE_KEY(k))), scale = (vec)(norm[NORM_SCALE * FILTERS + k]),
                  slope = (vec)(norm[NORM_SLOPE * FILTERS + k]),
                  constant_ = (vec)(norm[NORM_CONSTANT * FILTERS + k]);
        vec sum = 0.0f;
        UNROLLED for (int p = 0; p < PHASES; p += POOL)
            UNROLLED for (int r = 0; r < 4; r += POOL) {
                vec left, a[POOL * POOL], largest;
                LOAD((tile * 4 + r) / POOL, k, p / POOL, left);
                left *= scale;
                UNROLLED for (int i = 0; i < POOL * POOL; i++) {
                    a[i] = kept[(k * PHASES + p + i % POOL) * 4 + r + i / POOL];
                    PREFETCH(kept + Z_SIZE + (k * PHASES + p + i % POOL) * 4 + r + i / POOL);
                    largest = i == 0 ? key * a[i] : LARGER(largest, key * a[i]);
                }
                UNROLLED for (int i = 0; i < POOL * POOL; i++) {
                    vec d;
                    TAKE(key * a[i], a[i], d);
                    sum += d;
                    dz[(r + i / POOL) * DZ_STRIDE + k * PHASES + p + i % POOL] = d;
                }
            }
        bias[k] += sum;
    }
}

#define FILTER_VECTORS (FILTERS / UNITS)
#define N_WEIGHTS (64 * IN_CHANNELS * FILTER_VECTORS)
#define X_STRIDE (IN_CHANNELS * PHASES + 1)
#define D_STRIDE (FILTERS * PHASES + 1)

/* dz's tile row [4][DZ_STRIDE] → channels side by side [filter vector][phase][unit of strips],
 * transformed down: d [8][D_STRIDE]. */
inline void BLOCK(turn)(const vec *dz, vec *d)
{
    vec turned[4][FILTERS * PHASES];
    ROLLED for (int r = 0; r < 4; r++)
        ROLLED for (int v = 0; v < FILTER_VECTORS; v++)
            ROLLED for (int p = 0; p < PHASES; p++) {
                units_t u[UNITS];
                UNROLLED for (int k = 0; k < UNITS; k++)
                    u[k] = AS_UNITS(whole(dz[r * DZ_STRIDE + (v * UNITS + k) * PHASES + p]));
                transpose(u);
                UNROLLED for (int l = 0; l < UNITS; l++)
                    turned[r][(v * PHASES + p) * UNITS + l] = AS_VEC(u[l]);
            }
    ROLLED for (int i = 0; i < FILTERS * PHASES; i++) {
        const vec rows[4] = {turned[0][i], turned[1][i], turned[2][i], turned[3][i]};
        vec *to = d + i;
        ADJOINT_5(rows, to, D_STRIDE);
    }
}

/* Adds a tile row to the filters' gradient: to [8][8][IN_CHANNELS][FILTER_VECTORS], units
 * side by side. */
inline void BLOCK(weights)(__global const vec *in, floats_in before, const int n, const int tile,
                           const vec *dz, vec *to)
{
    vec x[8 * X_STRIDE], d[8 * D_STRIDE], points[8 * IN_CHANNELS * TILES],
        gradients[8][FILTER_VECTORS * TILES * UNITS];
    BLOCK(down)(in, before, n, tile, x, X_STRIDE);
    BLOCK(turn)(dz, d);
    ROLLED for (int i = 0; i < 8; i++) {
        BLOCK(along)(x + i * X_STRIDE, points, IN_CHANNELS);
        ROLLED for (int v = 0; v < FILTER_VECTORS * TILES; v++)
            ROLLED for (int l = 0; l < UNITS; l++) {
                const vec *from = d + i * D_STRIDE + v * 4 * UNITS + l;
                const vec columns[4] = {whole(from[0]), from[UNITS], from[2 * UNITS],
                                        from[3 * UNITS]};
                vec *column = &gradients[0][v * UNITS + l];
                ADJOINT_5(columns, column, FILTER_VECTORS * TILES * UNITS);
            }
        ROLLED for (int j = 0; j < 8; j++)
            ROLLED for (int c0 = 0; c0 < IN_CHANNELS; c0 += CHANNEL_BLOCK) {
                vec sum[CHANNEL_BLOCK][FILTER_VECTORS];
                vec *sums = to + ((i * 8 + j) * IN_CHANNELS + c0) * FILTER_VECTORS;
                UNROLLED for (int c = 0; c < CHANNEL_BLOCK; c++)
                    UNROLLED for (int v = 0; v < FILTER_VECTORS; v++)
                        sum[c][v] = sums[c * FILTER_VECTORS + v];
                const unit_t *from = (const unit_t *)(points + (j * IN_CHANNELS + c0) * TILES);
                ROLLED for (int u = 0; u < TILES * UNITS; u++)
                    UNROLLED for (int c = 0; c < CHANNEL_BLOCK; c++) {
                        const vec factor = BROADCAST(from[c * TILES * UNITS + u]);
                        UNROLLED for (int v = 0; v < FILTER_VECTORS; v++)
                            sum[c][v] = factor * gradients[j][v * TILES * UNITS + u] + sum[c][v];
                    }
                UNROLLED for (int c = 0; c < CHANNEL_BLOCK; c++)
                    UNROLLED for (int v = 0; v < FILTER_VECTORS; v++)
                        sums[c * FILTER_VECTORS + v] = sum[c][v];
            }
    }
}

/* The filters' gradient out of Winograd's domain: out [5][5][IN_CHANNELS][FILTERS]. */
inline void BLOCK(weights_end)(const vec *from, __global float *out)
{
    ROLLED for (int c = 0; c < IN_CHANNELS * FILTER_VECTORS; c++) {
        vec along[8][5];
        ROLLED for (int i = 0; i < 8; i++)
            UNROLLED for (int s = 0; s < 5; s++) {
                vec sum = 0.0f;
                UNROLLED for (int j = 0; j < 8; j++)
                    sum += transform_5[j][s] *
                           whole(from[(i * 8 + j) * IN_CHANNELS * FILTER_VECTORS + c]);
                along[i][s] = sum;
            }
        ROLLED for (int s = 0; s < 5; s++)
            UNROLLED for (int r = 0; r < 5; r++) {
                vec sum = 0.0f;
                UNROLLED for (int i = 0; i < 8; i++) sum += transform_5[i][r] * along[i][s];
                __global float *to = out + ((r * 5 + s) * IN_CHANNELS * FILTER_VECTORS + c) * UNITS;
                STORE_UNITS(sum, to);
            }
    }
}

/* The gradient of the input's tile row into raw's place, and its sums for batch norm. */
inline void BLOCK(data)(const vec *dz, floats_in filters, floats_in before, const int n,
                        const int tile, __global vec *in, __global float *sums)
{
    vec rows[8 * CORE_STRIDE];
    ROLLED for (int i = 0; i < FILTERS * PHASES; i++) {
        vec d[8];
        UNROLLED for (int r = 0; r < 8; r++)
            d[r] = whole(dz[DZ_ROW(tile * 4 - 2 + r) * DZ_STRIDE + i]);
        vec *to = rows + i;
        TRANSFORM_5(d, to, CORE_STRIDE);
    }
    BLOCK(product_back)(rows, filters);
    __global vec *raw = in + ((size_t)n * IN_ROWS + IN_PAD + tile * 4) * IN_STRIDE;
    sums += ((size_t)n * TILE_ROWS + tile) * (2 * IN_CHANNELS);
    ROLLED for (int c = 0; c < IN_CHANNELS; c++) {
        const vec mean = whole((vec)(before[NORM_MEAN * IN_CHANNELS + c]));
        vec sum = 0.0f, products = 0.0f;
        UNROLLED for (int p = 0; p < PHASES; p++) {
            vec m[8], y[4];
            UNROLLED for (int i = 0; i < 8; i++) m[i] = rows[i * CORE_STRIDE + c * PHASES + p];
            INVERSE_5(m, y);
            sum += (y[0] + y[1]) + (y[2] + y[3]);
            UNROLLED for (int r = 0; r < 4; r++) {
                __global vec *at_ = raw + r * IN_STRIDE + c * PHASES + p;
                products = y[r] * (*at_ - mean) + products;
                *at_ = y[r];
            }
        }
        sums[c] = across(sum);
        sums[IN_CHANNELS + c] = across(products);
    }
}

/* Rows of dz beyond the picture: zeros, or the other half's. */
inline void BLOCK(dz_edges)(vec *dz)
{
#if HALVES
    ROLLED for (int r = 0; r < 2; r++)
        ROLLED for (int i = 0; i < FILTERS * PHASES; i++) {
            const vec last = whole(dz[DZ_ROW(4 * TILE_ROWS - 2 + r) * DZ_STRIDE + i]),
                      first = dz[DZ_ROW(r) * DZ_STRIDE + i];
            dz[DZ_ROW(r - 2) * DZ_STRIDE + i] = (vec)((half_vec)(0.0f), last.lo);
            dz[DZ_ROW(4 * TILE_ROWS + r) * DZ_STRIDE + i] = (vec)(first.hi, (half_vec)(0.0f));
        }
#endif
}

/* with_data: 0 where nothing in front of the block is trained. partial: of this kernel's
 * parameters: filters, bias. */
KERNEL BLOCK(backward)(strips_in z, __global const vec *next, __global vec *in, floats_in filters,
                       floats_in base, floats_in norm, floats_in before,
                       __global float *restrict sums, __global float *restrict partial,
                       const int first_group, const int n_images, const int with_data)
{
    const int group = first_group + (int)get_global_id(0);
    const int end = min((group + 1) * GROUP, n_images);
    vec dz[DZ_ROWS * DZ_STRIDE], bias[FILTERS], weights[N_WEIGHTS], totals[N_WEIGHTS];
    ROLLED for (int i = 0; i < N_WEIGHTS; i++) weights[i] = totals[i] = whole((vec)(0.0f));
    ROLLED for (int k = 0; k < FILTERS; k++) bias[k] = 0.0f;
    ROLLED for (int n = group * GROUP; n < end; n++) {
#if HALVES
        ROLLED for (int tile = 0; tile < TILE_ROWS; tile++)
            BLOCK(activation)(z, next, base, norm, n, tile, dz + DZ_ROW(tile * 4) * DZ_STRIDE,
                              bias);
        BLOCK(dz_edges)(dz);
#else
        ROLLED for (int i = 0; i < 4 * DZ_STRIDE; i++) dz[DZ_ROW(-4) * DZ_STRIDE + i] = 0.0f;
#endif
        ROLLED for (int tile = 0; tile <= TILE_ROWS; tile++) {
            vec *rows = dz + DZ_ROW(tile * 4) * DZ_STRIDE;
            if (tile < TILE_ROWS) {
#if !HALVES
                BLOCK(activation)(z, next, base, norm, n, tile, rows, bias);
#endif
                BLOCK(weights)(in, before, n, tile, rows, weights);
            }
#if !HALVES
            else
                ROLLED for (int i = 0; i < 4 * DZ_STRIDE; i++) rows[i] = 0.0f;
#endif
            if (tile > 0 && with_data)
                BLOCK(data)(dz, filters, before, n, tile - 1, in, sums);
        }
        end_image(weights, totals, N_WEIGHTS);
    }
    partial += (size_t)group * PARAMETERS;
    BLOCK(weights_end)(totals, partial + FIRST_FILTER);
    ROLLED for (int k = 0; k < FILTERS; k++) partial[FIRST_BIAS + k] = across(bias[k]);
}

#undef TILES
#undef OUT_PHASES
#undef Z_SIZE
#undef FROM_LEFT
#undef FROM_RIGHT
#undef SHIFT_ABOVE
#undef SHIFT_BELOW
#undef STORE
#undef LOAD
#undef LOAD_WHOLE
#undef LOAD_HALVES
#undef MOST_CHANNELS
#undef CORE_STRIDE
#undef DZ_STRIDE
#undef DZ_ROWS
#undef DZ_ROW
#undef FILTER_VECTORS
#undef N_WEIGHTS
#undef X_STRIDE
#undef D_STRIDE
