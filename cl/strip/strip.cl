/* SPDX-License-Identifier: Apache-2.0
 *
 * What the strip kernels share. A strip tensor holds a picture as LANES vertical strips
 * side by side:
 *
 *   [image][row + 2 · pad][channel][phase] of vec      column = lane · phases + phase
 *
 * so that neighbouring columns are neighbouring vectors, not neighbouring lanes: every load is
 * aligned, a maximum over columns and a transform over columns are lane by lane, and only the
 * columns beyond a strip's two edges need a shift by one lane. Rows of zeros stand above and below;
 * left and right the shift brings the zeros in.
 *
 * "Halves": a picture too narrow for LANES strips of four columns is laid out as LANES/2 strips,
 * the lower lanes holding its upper half and the upper lanes its lower half. The pad rows between
 * the halves hold the other half's rows.
 *
 * Each kernel file is a template: the host puts it into the program once for each block of the net,
 * with NAME and its sizes defined in front (src/net/strip/strip_source.c). A work-item computes
 * whole rows, so work-groups are of one.
 */
#if LANES == 16
typedef float16 vec;
typedef float8 half_vec;
typedef uint16 uvec;
#define CONVERT(u) convert_float16(as_int16(u))
#define FROM_LEFT_WHOLE(v) ((vec)(0.0f, (v).s0123, (v).s4567, (v).s89ab, (v).scd, (v).se))
#define FROM_RIGHT_WHOLE(v) ((vec)((v).s1234, (v).s5678, (v).s9abc, (v).sde, (v).sf, 0.0f))
#define FROM_LEFT_HALVES(v)                                                                        \
    ((vec)(0.0f, (v).s0123, (v).s45, (v).s6, 0.0f, (v).s89ab, (v).scd, (v).se))
#define FROM_RIGHT_HALVES(v)                                                                       \
    ((vec)((v).s1234, (v).s56, (v).s7, 0.0f, (v).s9abc, (v).sde, (v).sf, 0.0f))
#elif LANES == 8
typedef float8 vec;
typedef float4 half_vec;
typedef uint8 uvec;
#define CONVERT(u) convert_float8(as_int8(u))
#define FROM_LEFT_WHOLE(v) ((vec)(0.0f, (v).s0123, (v).s45, (v).s6))
#define FROM_RIGHT_WHOLE(v) ((vec)((v).s1234, (v).s56, (v).s7, 0.0f))
#define FROM_LEFT_HALVES(v) ((vec)(0.0f, (v).s01, (v).s2, 0.0f, (v).s45, (v).s6))
#define FROM_RIGHT_HALVES(v) ((vec)((v).s12, (v).s3, 0.0f, (v).s56, (v).s7, 0.0f))
#elif LANES == 4
typedef float4 vec;
typedef float2 half_vec;
typedef uint4 uvec;
#define CONVERT(u) convert_float4(as_int4(u))
#define FROM_LEFT_WHOLE(v) ((vec)(0.0f, (v).s01, (v).s2))
#define FROM_RIGHT_WHOLE(v) ((vec)((v).s12, (v).s3, 0.0f))
#define FROM_LEFT_HALVES(v) ((vec)(0.0f, (v).s0, 0.0f, (v).s2))
#define FROM_RIGHT_HALVES(v) ((vec)((v).s1, 0.0f, (v).s3, 0.0f))
#else
#error "LANES must be 4, 8 or 16"
#endif

typedef __global const vec *restrict strips_in;
typedef __global vec *restrict strips_out;
typedef __global const float *restrict floats_in;

/* Templates are functions of a work-item (the first global number) and an image (the second),
 * step_<NAME>, with a kernel NAME around each; a chain (src/net/strip/strip_source.c) calls the
 * functions one behind another. */
#define STEP_OF(name) step_##name
#define STEP(name) STEP_OF(name)
#define KERNEL __attribute__((reqd_work_group_size(1, 1, 1))) __kernel void
#define ROLLED _Pragma("unroll 1")
#define UNROLLED _Pragma("unroll")

/* One instruction; fmax() is three, because it must look for NaN. Where either is NaN, both
 * give b: an activation puts its value there, so that what overflowed is seen at the end and
 * is no score. */
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define SMALLER(a, b) ((a) < (b) ? (a) : (b))

/* Winograd, four outputs at a time; d, m and y are arrays of vectors, `to` has a stride. The
 * filters are transformed on the host in double precision (src/net/strip/winograd.c). Lavin and
 * Gray 2015; the points ±½ of F(4,5) keep the error six times lower than ±3 would.
 *
 * F(4,5), points 0, ±1, ±2, ±½, ∞ in that order: 8 inputs → 8 products → 4 outputs. */
#define TRANSFORM_5(d, to, stride)                                                                 \
    do {                                                                                           \
        (to)[0] = (d[6] - d[0]) + 5.25f * (d[2] - d[4]);                                           \
        (to)[7 * (stride)] = (d[7] - d[1]) + 5.25f * (d[3] - d[5]);                                \
        vec even_ = (d[2] + d[6]) - 4.25f * d[4], odd_ = (d[1] + d[5]) - 4.25f * d[3];             \
        (to)[1 * (stride)] = even_ + odd_;                                                         \
        (to)[2 * (stride)] = even_ - odd_;                                                         \
        even_ = (d[6] - 1.25f * d[4]) + 0.25f * d[2];                                              \
        odd_ = (d[5] - 1.25f * d[3]) + 0.25f * d[1];                                               \
        (to)[3 * (stride)] = even_ + 2.0f * odd_;                                                  \
        (to)[4 * (stride)] = even_ - 2.0f * odd_;                                                  \
        even_ = (d[6] - 5.0f * d[4]) + 4.0f * d[2];                                                \
        odd_ = (d[5] - 5.0f * d[3]) + 4.0f * d[1];                                                 \
        (to)[5 * (stride)] = even_ + 0.5f * odd_;                                                  \
        (to)[6 * (stride)] = even_ - 0.5f * odd_;                                                  \
    } while (0)
#define INVERSE_5(m, y)                                                                            \
    do {                                                                                           \
        const vec t1_ = m[1] + m[2], s1_ = m[1] - m[2], t2_ = m[3] + m[4], s2_ = m[3] - m[4],      \
                  t3_ = m[5] + m[6], s3_ = m[5] - m[6];                                            \
        (y)[0] = (m[0] + t1_) + (t2_ + t3_);                                                       \
        (y)[1] = (s1_ + 2.0f * s2_) + 0.5f * s3_;                                                  \
        (y)[2] = (t1_ + 4.0f * t2_) + 0.25f * t3_;                                                 \
        (y)[3] = ((s1_ + m[7]) + 8.0f * s2_) + 0.125f * s3_;                                       \
    } while (0)

/* F(4,3), points 0, ±1, ±2, ∞: 6 inputs → 6 products → 4 outputs. */
#define TRANSFORM_3(d, to, stride)                                                                 \
    do {                                                                                           \
        const vec a_ = d[4] - 4.0f * d[2], b_ = d[3] - 4.0f * d[1], c_ = d[4] - d[2],              \
                  half_ = d[3] - d[1], e_ = half_ + half_;                                         \
        (to)[0] = 4.0f * d[0] - (5.0f * d[2] - d[4]);                                              \
        (to)[1 * (stride)] = a_ + b_;                                                              \
        (to)[2 * (stride)] = a_ - b_;                                                              \
        (to)[3 * (stride)] = c_ + e_;                                                              \
        (to)[4 * (stride)] = c_ - e_;                                                              \
        (to)[5 * (stride)] = 4.0f * d[1] - (5.0f * d[3] - d[5]);                                   \
    } while (0)
#define INVERSE_3(m, y)                                                                            \
    do {                                                                                           \
        const vec t1_ = m[1] + m[2], s1_ = m[1] - m[2], t2_ = m[3] + m[4], s2_ = m[3] - m[4];      \
        const vec d2_ = s2_ + s2_;                                                                 \
        (y)[0] = m[0] + t1_ + t2_;                                                                 \
        (y)[1] = s1_ + d2_;                                                                        \
        (y)[2] = t1_ + 4.0f * t2_;                                                                 \
        (y)[3] = (s1_ + m[5]) + 4.0f * d2_;                                                        \
    } while (0)

/* LLVM uses 512-bit registers for 16 floats only in a function that passes such a vector to
 * another, inlined or not, and halves them otherwise ("min-legal-vector-width"). */
inline vec whole(vec v) { return v; }

/* What stands behind the convolution. It is applied to the pooled maximum: an activation never
 * falls, and where batch norm's scale is negative the filters come negated (sign −1), so that the
 * maximum is the minimum's. */
#define EPILOGUE(m, k)                                                                             \
    (ACTIVATE(affine[3 * FILTERS + (k)] * whole(m) + affine[k]) * affine[FILTERS + (k)] +          \
     affine[2 * FILTERS + (k)])

/* Stores output row `row` (of the picture before halves are taken) of one channel and phase
 * of image n. */
#define STORE_WHOLE(row, k, phase, value)                                                          \
    out[((size_t)n * OUT_ROWS + OUT_PAD + (row)) * OUT_STRIDE + (k) * OUT_PHASES + (phase)] = value

/* 2 · OUT_PHASES columns of two neighbouring strips become one strip of twice the phases:
 * even lanes are its first columns, odd lanes its last. Rows at the seam are the other
 * half's pad too. */
#define HALF_ROWS (OUT_ROWS - 2 * OUT_PAD)
#define STORE_HALVES(row, k, phase, value)                                                         \
    do {                                                                                           \
        const vec v_ = value;                                                                      \
        const int half_ = (row) >= HALF_ROWS, r_ = (row)-half_ * HALF_ROWS + OUT_PAD;              \
        __global half_vec *o_ = (__global half_vec *)(out + (size_t)n * OUT_ROWS * OUT_STRIDE);    \
        __global half_vec *p_ =                                                                    \
            o_ + (r_ * OUT_STRIDE + (k) * 2 * OUT_PHASES + (phase)) * 2 + half_;                   \
        p_[0] = v_.even;                                                                           \
        p_[2 * OUT_PHASES] = v_.odd;                                                               \
        const int seam_ = half_ ? (row) < HALF_ROWS + OUT_PAD : (row) >= HALF_ROWS - OUT_PAD;      \
        if (seam_) {                                                                               \
            p_ += (half_ ? 1 : -1) * HALF_ROWS * OUT_STRIDE * 2 + (half_ ? -1 : 1);                \
            p_[0] = v_.even;                                                                       \
            p_[2 * OUT_PHASES] = v_.odd;                                                           \
        }                                                                                          \
    } while (0)
