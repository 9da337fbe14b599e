/* SPDX-License-Identifier: Apache-2.0
 *
 * In front of every program. OpenCL C 1.2, single precision, no extension.
 *
 * A tensor is planar, [n][channels][height + 2·pad][row stride], with zeros in the pad. Its
 * geometry comes as one tensor_t; the host makes it in src/net/tensor.c. Work-items count images
 * from FIRST on.
 */
typedef int8 tensor_t;
#define CHANNELS(t) ((t).s0)
#define HEIGHT(t) ((t).s1)
#define WIDTH(t) ((t).s2)
#define ROW_STRIDE(t) ((t).s3)
#define PAD(t) ((t).s4)
#define PLANE(t) ((t).s5) /* floats of one channel of one image */
#define IMAGE(t) ((t).s6) /* floats of one image */
#define FIRST(t) ((t).s7) /* image where the work begins */

/* Where pixel (y, x) of a channel lies; y and x may reach into the pad. */
inline size_t at(tensor_t t, int n, int c, int y, int x)
{
    return (size_t)(n + FIRST(t)) * IMAGE(t) + (size_t)c * PLANE(t) +
           (size_t)((y + PAD(t)) * ROW_STRIDE(t) + x + PAD(t));
}

/* Work-items of plain kernels are (x, y, n · channels + c) of a tensor. The host rounds the first
 * dimension up to whole work-groups: what is past the end returns. */
#define GET_PIXEL(t)                                                                               \
    const int x = (int)get_global_id(0);                                                           \
    if (x >= WIDTH(t))                                                                             \
        return;                                                                                    \
    const int y = (int)get_global_id(1);                                                           \
    const int n = (int)get_global_id(2) / CHANNELS(t);                                             \
    const int c = (int)get_global_id(2) % CHANNELS(t)

/* A hint, where the compiler has it. Kernels that do much with each value ask too rarely for the
 * next ones, and the processor waits for memory: 8–11 % on the first fused block. Mesa's
 * clang has it too, but the translator to SPIR-V behind it ends the process at it. */
#if !defined(PREFETCH) && defined(__has_builtin) && (defined(__x86_64__) || defined(__aarch64__))
#if __has_builtin(__builtin_prefetch)
#define PREFETCH(p) __builtin_prefetch(p)
#endif
#endif
#ifndef PREFETCH
#define PREFETCH(p)
#endif

/* For parts of kernels: left to itself a compiler calls some of them, and their arrays leave the
 * registers. */
#define INLINED inline __attribute__((always_inline))

/* A function of a template's own, whose NAME the host defines. */
#define PART_OF(name, part) name##_##part
#define PART_NAMED(name, part) PART_OF(name, part)
#define PART(part) PART_NAMED(NAME, part)
