/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures into strips.
 */

#define PICTURE_WIDTH (LANES * PICTURE_PHASES)

/* Words g…g + 3 of strip s; of as many strips as fill a vector, the k-th such group. */
#define STRIP_WORDS(s) vload4(0, words + (s) * strip_words + g)
#if LANES == 16
#define FOUR_WORDS(k)                                                                              \
    ((uvec)(STRIP_WORDS(4 * k), STRIP_WORDS(4 * k + 1), STRIP_WORDS(4 * k + 2),                    \
            STRIP_WORDS(4 * k + 3)))
#elif LANES == 8
#define FOUR_WORDS(k) ((uvec)(STRIP_WORDS(2 * k), STRIP_WORDS(2 * k + 1)))
#else
#define FOUR_WORDS(k) STRIP_WORDS(k)
#endif

/* One row of 8-bit RGB, PICTURE_WIDTH pixels, → to[channel · channel_stride + phase], not
 * divided. */
inline void unpack_row(__global const uchar *row, vec *to, const int channel_stride)
{
    if (PICTURE_PHASES % 16 != 0) {
        for (int p = 0; p < PICTURE_PHASES; p++)
            for (int c = 0; c < 3; c++) {
                float *v = (float *)&to[c * channel_stride + p];
                for (int l = 0; l < LANES; l++)
                    v[l] = (float)row[(l * PICTURE_PHASES + p) * 3 + c];
            }
        return;
    }
    /* Four 32-bit words of every strip at a time. a0…a3 hold the words strip by strip; two rounds
     * of even and odd halves (a 4 × 4 transposition that LLVM does not take apart) give w[i], word
     * i of every strip. */
    __global const uint *words = (__global const uint *)row;
    const int strip_words = PICTURE_PHASES * 3 / 4;
    UNROLLED for (int g = 0; g < strip_words; g += 4) {
        uvec a[4], w[4];
        UNROLLED for (int k = 0; k < 4; k++) a[k] = FOUR_WORDS(k);
        const uvec b0 = (uvec)(a[0].even, a[1].even), b1 = (uvec)(a[0].odd, a[1].odd);
        const uvec b2 = (uvec)(a[2].even, a[3].even), b3 = (uvec)(a[2].odd, a[3].odd);
        w[0] = (uvec)(b0.even, b2.even);
        w[1] = (uvec)(b1.even, b3.even);
        w[2] = (uvec)(b0.odd, b2.odd);
        w[3] = (uvec)(b1.odd, b3.odd);
        UNROLLED for (int i = 0; i < 4; i++)
            UNROLLED for (int j = 0; j < 4; j++) {
                const int byte = (g + i) * 4 + j;
                const uvec v = j == 3 ? w[i] >> 24 : (w[i] >> (8 * j)) & 255u;
                to[byte % 3 * channel_stride + byte / 3] = CONVERT(v);
            }
    }
}

/* Pictures → strips [image][PICTURE_HEIGHT + 2 · PICTURE_PAD][PICTURE_CHANNELS][PICTURE_PHASES], in
 * the units of 8-bit pixels: the first convolution's filters are divided instead. Images are
 * counted from `first`. Work-item: (row, image). */
#define PICTURE_ROW                                                                                \
    (out +                                                                                         \
     (((size_t)n * (PICTURE_HEIGHT + 2 * PICTURE_PAD) + y + PICTURE_PAD) * PICTURE_CHANNELS) *     \
         PICTURE_PHASES)

#if PICTURE_CHANNELS == 3
inline void STEP(strip_pack_u8)(const int y, const int n, __global const uchar *pixels,
                                strips_out out, const int first)
{
    vec row[3 * PICTURE_PHASES];
    unpack_row(pixels + ((size_t)(first + n) * PICTURE_HEIGHT + y) * (PICTURE_WIDTH * 3), row,
               PICTURE_PHASES);
    strips_out to = PICTURE_ROW;
    for (int i = 0; i < 3 * PICTURE_PHASES; i++)
        to[i] = row[i];
}

KERNEL strip_pack_u8(__global const uchar *pixels, strips_out out, const int first)
{
    STEP(strip_pack_u8)(get_global_id(0), get_global_id(1), pixels, out, first);
}
#endif

KERNEL strip_pack_f32(floats_in values, strips_out out, const int first, const float divide)
{
    const int y = get_global_id(0), n = get_global_id(1);
    floats_in row =
        values + ((size_t)(first + n) * PICTURE_HEIGHT + y) * (PICTURE_WIDTH * PICTURE_CHANNELS);
    __global float *to = (__global float *)(PICTURE_ROW);
    for (int c = 0; c < PICTURE_CHANNELS; c++)
        for (int p = 0; p < PICTURE_PHASES; p++)
            for (int l = 0; l < LANES; l++)
                *to++ = row[(l * PICTURE_PHASES + p) * PICTURE_CHANNELS + c] * divide;
}
