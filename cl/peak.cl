/* SPDX-License-Identifier: Apache-2.0
 *
 * The multiply-add peak of a device: chains of a·x + b that depend on nothing but themselves. One
 * kernel for each vector width; the host takes the fastest.
 */

/* Functions, not macros: LLVM uses 512-bit registers for 16 floats only in a kernel that passes
 * such a vector to a function, inlined or not, and halves them otherwise
 * ("min-legal-vector-width"). */
inline float sum4(float4 x)
{
    return x.s0 + x.s1 + x.s2 + x.s3;
}

inline float sum8(float8 x)
{
    return sum4(x.lo) + sum4(x.hi);
}

inline float sum16(float16 x)
{
    return sum8(x.lo) + sum8(x.hi);
}

/* Twelve chains hide four cycles of latency in three units, and with the two factors they fit the
 * sixteen registers of AVX2. x = 0.5·x + 0.5 stays near 1, far from denormals. One expression:
 * mad() never fuses on PoCL. */
#define PEAK_KERNEL(name, vector, sum)                                                             \
    __kernel void name(__global float *out, const int items, const int rounds, const float a,      \
                       const float b)                                                              \
    {                                                                                              \
        const int i = (int)get_global_id(0);                                                       \
        if (i >= items)                                                                            \
            return;                                                                                \
        const vector va = a, vb = b;                                                               \
        vector x0 = (float)i, x1 = x0 + 1, x2 = x0 + 2, x3 = x0 + 3, x4 = x0 + 4, x5 = x0 + 5;     \
        vector x6 = x0 + 6, x7 = x0 + 7, x8 = x0 + 8, x9 = x0 + 9, xa = x0 + 10, xb = x0 + 11;     \
        for (int r = 0; r < rounds; r++) {                                                         \
            x0 = va * x0 + vb, x1 = va * x1 + vb, x2 = va * x2 + vb, x3 = va * x3 + vb;            \
            x4 = va * x4 + vb, x5 = va * x5 + vb, x6 = va * x6 + vb, x7 = va * x7 + vb;            \
            x8 = va * x8 + vb, x9 = va * x9 + vb, xa = va * xa + vb, xb = va * xb + vb;            \
        }                                                                                          \
        const vector x = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + xa + xb;                \
        out[(int)get_global_id(1) * items + i] = sum(x);                                           \
    }

PEAK_KERNEL(peak_float4, float4, sum4)
PEAK_KERNEL(peak_float8, float8, sum8)
PEAK_KERNEL(peak_float16, float16, sum16)

/* from, to [4 · items], both far larger than caches: bandwidth, by neighbours from neighbouring
 * addresses; or of one item: the cost of a launch. */
__kernel void peak_copy(__global const float4 *from, __global float4 *to, const int items)
{
    const int i = (int)get_global_id(0);
    if (i < items)
        to[i] = from[i];
}
