/* SPDX-License-Identifier: Apache-2.0
 *
 * Template: forward of a block behind the first in training: batch norm's affine of the block
 * before + convolution 5 × 5 + bias + ReLU, sums for batch norm, max-pool. The work-item (tile row,
 * image) computes four rows.
 *
 *   in      [image][IN_ROWS] rows of [IN_CHANNELS][PHASES], IN_STRIDE apart: raw, IN_PAD rows
 *           of zeros around
 *   z       [image][TILE_ROWS][FILTERS][PHASES][4 rows]
 *   out     raw, as the next block reads it
 */
#define TILES (PHASES / 4)
#define OUT_PHASES (PHASES / POOL)
#define Z_SIZE (4 * FILTERS * PHASES) /* vectors of a tile row */
#if HALVES
#define FROM_LEFT FROM_LEFT_HALVES
#define FROM_RIGHT FROM_RIGHT_HALVES
/* What a pad row above or below holds of t: the other half's rows have it. */
#define SHIFT_ABOVE(t) ((vec)((half_vec)(0.0f), (half_vec)(t)))
#define SHIFT_BELOW(t) ((vec)((half_vec)(t), (half_vec)(0.0f)))
#else
#define FROM_LEFT FROM_LEFT_WHOLE
#define FROM_RIGHT FROM_RIGHT_WHOLE
#define SHIFT_ABOVE(t) ((vec)(0.0f))
#define SHIFT_BELOW(t) ((vec)(0.0f))
#endif
#if OUT_HALVES
#define STORE STORE_HALVES
#else
#define STORE STORE_WHOLE
#endif

/* The input of a tile row behind batch norm, transformed down: rows [8][stride],
 * [channel][phase]. */
inline void BLOCK(down)(__global const vec *in, floats_in before, const int n, const int tile,
                        vec *rows, const int stride)
{
    __global const vec *first = in + ((size_t)n * IN_ROWS + tile * 4) * IN_STRIDE;
    ROLLED for (int c = 0; c < IN_CHANNELS; c++) {
        const vec scale = whole((vec)(before[NORM_SCALE * IN_CHANNELS + c]));
        const float t = before[NORM_SHIFT * IN_CHANNELS + c];
        const vec shift = (vec)(t), above = tile == 0 ? SHIFT_ABOVE(t) : shift,
                  below = tile == TILE_ROWS - 1 ? SHIFT_BELOW(t) : shift;
        ROLLED for (int p = 0; p < PHASES; p++) {
            __global const vec *from = first + c * PHASES + p;
            vec d[8];
            UNROLLED for (int r = 0; r < 8; r++) {
                d[r] = scale * from[r * IN_STRIDE] + (r < 2 ? above : r < 6 ? shift : below);
                if (r >= 4)
                    PREFETCH(from + (r + 4) * IN_STRIDE);
            }
            vec *to = rows + c * PHASES + p;
            TRANSFORM_5(d, to, stride);
        }
    }
}

/* One row point's columns, transformed along the row: points [8][channels][TILES]. */
inline void BLOCK(along)(const vec *row, vec *points, const int channels)
{
    ROLLED for (int c = 0; c < channels; c++) {
        const vec *from = row + c * PHASES;
        UNROLLED for (int t = 0; t < TILES; t++) {
            vec d[8];
            UNROLLED for (int j = 0; j < 8; j++) {
                const int p = t * 4 + j - 2;
                d[j] = p < 0 ? FROM_LEFT(from[p + PHASES])
                       : p < PHASES ? from[p] : FROM_RIGHT(from[p - PHASES]);
            }
            vec *to = points + c * TILES + t;
            d[2] = whole(d[2]);
            TRANSFORM_5(d, to, channels * TILES);
        }
    }
}

/* MOST_CHANNELS · PHASES columns, and one, so that rows are no power of two apart. */
#define MOST_CHANNELS (IN_CHANNELS > FILTERS ? IN_CHANNELS : FILTERS)
#define CORE_STRIDE (MOST_CHANNELS * PHASES + 1)
