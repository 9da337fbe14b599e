/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernels of the fused training step share, behind strip.cl.
 *
 * Of each block stand, for the whole batch, the pooled activation before batch norm's affine
 * ("raw", laid out as the next block reads it) and, but for the first block, the activation z of
 * every pixel. Neither arg-maxima nor masks are kept: both follow from z. A gradient takes its
 * raw value's place.
 *
 * Sums over the batch come from partial sums of fixed parts of a picture, added in the order of the
 * pictures with a second float for what the first has lost; gradients of parameters from groups of
 * GROUP pictures. Neither depends on how the work is shared out.
 *
 *   base    [3][filters]: bias; sign, −1 where gamma < 0: forward filters carry it, so that the
 *           maximum is the minimum's; key, the sign of gamma: 0 where every pixel of a window is as
 *           large as the first
 *   norm    [N_NORM][filters] of a batch, each lane its own
 *   sums    [image][part][2][filters]
 *   partial gradients [group][PARAMETERS]
 */
#define BASE_BIAS(k) base[k]
#define BASE_SIGN(k) base[FILTERS + (k)]
#define BASE_KEY(k) base[2 * FILTERS + (k)]

/* Rows of norm: y = scale · z + shift; dz = scale · dy + constant + slope · z. */
enum { NORM_SCALE, NORM_SHIFT, NORM_MEAN, NORM_RECIPROCAL, NORM_VARIANCE, NORM_CONSTANT,
       NORM_SLOPE, N_NORM };

/* A store past the caches, where the compiler has it: of what is read again much later. */
#ifdef __has_builtin
#if __has_builtin(__builtin_nontemporal_store)
#define KEEP(to, v) __builtin_nontemporal_store(v, to)
#endif
#endif
#ifndef KEEP
#define KEEP(to, v) *(to) = v
#endif

/* Sums of an image to those of its group: a sum of a hundred thousand floats one by one loses
 * digits, one of sums does not. */
inline void end_image(vec *sums, vec *totals, const int n)
{
    ROLLED for (int i = 0; i < n; i++) {
        totals[i] += whole(sums[i]);
        sums[i] = 0.0f;
    }
}

/* The sum over a vector's lanes. */
inline float across(vec v)
{
#if LANES == 16
    const float8 h = v.lo + v.hi;
    const float4 q = h.lo + h.hi;
#elif LANES == 8
    const float4 q = v.lo + v.hi;
#else
    const float4 q = v;
#endif
    return (q.x + q.z) + (q.y + q.w);
}

/* The transposed INVERSE: the gradients of four outputs → those of the products. */
#define ADJOINT_5(d, to, stride)                                                                   \
    do {                                                                                           \
        (to)[0] = d[0];                                                                            \
        (to)[7 * (stride)] = d[3];                                                                 \
        vec even_ = d[0] + d[2], odd_ = d[1] + d[3];                                               \
        (to)[1 * (stride)] = even_ + odd_;                                                         \
        (to)[2 * (stride)] = even_ - odd_;                                                         \
        even_ = d[0] + 4.0f * d[2];                                                                \
        odd_ = 2.0f * d[1] + 8.0f * d[3];                                                          \
        (to)[3 * (stride)] = even_ + odd_;                                                         \
        (to)[4 * (stride)] = even_ - odd_;                                                         \
        even_ = d[0] + 0.25f * d[2];                                                               \
        odd_ = 0.5f * d[1] + 0.125f * d[3];                                                        \
        (to)[5 * (stride)] = even_ + odd_;                                                         \
        (to)[6 * (stride)] = even_ - odd_;                                                         \
    } while (0)
#define ADJOINT_3(d, to, stride)                                                                   \
    do {                                                                                           \
        (to)[0] = d[0];                                                                            \
        (to)[5 * (stride)] = d[3];                                                                 \
        vec even_ = d[0] + d[2], odd_ = d[1] + d[3];                                               \
        (to)[1 * (stride)] = even_ + odd_;                                                         \
        (to)[2 * (stride)] = even_ - odd_;                                                         \
        even_ = d[0] + 4.0f * d[2];                                                                \
        odd_ = 2.0f * d[1] + 8.0f * d[3];                                                          \
        (to)[3 * (stride)] = even_ + odd_;                                                         \
        (to)[4 * (stride)] = even_ - odd_;                                                         \
    } while (0)

/* What a pixel gets of its window's gradient `left` (the first of the largest takes it all, and
 * leaves none), and behind the activation. Needs largest, slope, constant. */
#define TAKE(value, z, d)                                                                          \
    do {                                                                                           \
        const vec taken_ = (value) == largest ? left : (vec)(0.0f);                                \
        left -= taken_;                                                                            \
        d = (z) > 0.0f ? taken_ + (slope * (z) + constant_) : (vec)(0.0f);                         \
    } while (0)

/* Transposition for weight gradients: UNITS vectors, one for each channel, of UNITS units of
 * UNIT_STRIPS strips → vector l holds unit l of every channel. Rounds of even and odd halves. */
#define UNITS (LANES < 8 ? LANES : 8)
#define UNIT_STRIPS (LANES / UNITS)
#if LANES == 16
typedef ulong unit_t;
typedef ulong8 units_t;
#define AS_UNITS(v) as_ulong8(v)
#define AS_VEC(u) as_float16(u)
#define BROADCAST(u) as_float16((ulong8)(u))
#define STORE_UNITS(v, to) vstore8(v.even + v.odd, 0, to) /* the sums over each unit's strips */
#else
typedef float unit_t;
typedef vec units_t;
#define AS_UNITS(v) (v)
#define AS_VEC(u) (u)
#define BROADCAST(u) ((vec)(u))
#if LANES == 8
#define STORE_UNITS(v, to) vstore8(v, 0, to)
#else
#define STORE_UNITS(v, to) vstore4(v, 0, to)
#endif
#endif
inline void transpose(units_t v[UNITS])
{
    UNROLLED for (int round = UNITS; round > 1; round /= 2) {
        units_t u[UNITS];
        UNROLLED for (int i = 0; i < UNITS / 2; i++) {
            u[i] = (units_t)(v[2 * i].even, v[2 * i + 1].even);
            u[i + UNITS / 2] = (units_t)(v[2 * i].odd, v[2 * i + 1].odd);
        }
        UNROLLED for (int i = 0; i < UNITS; i++) v[i] = u[i];
    }
}
