/* SPDX-License-Identifier: Apache-2.0
 *
 * MESO_EACH(f, a, b, c) is f(a), f(b), f(c), with up to 20 arguments: for lists of values of
 * several types, where f is a _Generic.
 */
#ifndef MESO_BASE_EACH_H
#define MESO_BASE_EACH_H

/* clang-format off */
#define MESO_EACH(f, ...) \
    MESO_EACH_21ST(__VA_ARGS__, MESO_EACH_20, MESO_EACH_19, MESO_EACH_18, MESO_EACH_17, \
        MESO_EACH_16, MESO_EACH_15, MESO_EACH_14, MESO_EACH_13, MESO_EACH_12, MESO_EACH_11, \
        MESO_EACH_10, MESO_EACH_9, MESO_EACH_8, MESO_EACH_7, MESO_EACH_6, MESO_EACH_5, \
        MESO_EACH_4, MESO_EACH_3, MESO_EACH_2, MESO_EACH_1, )(f, __VA_ARGS__)
#define MESO_EACH_21ST(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, ...) u
#define MESO_EACH_1(f, a) f(a)
#define MESO_EACH_2(f, a, ...) f(a), MESO_EACH_1(f, __VA_ARGS__)
#define MESO_EACH_3(f, a, ...) f(a), MESO_EACH_2(f, __VA_ARGS__)
#define MESO_EACH_4(f, a, ...) f(a), MESO_EACH_3(f, __VA_ARGS__)
#define MESO_EACH_5(f, a, ...) f(a), MESO_EACH_4(f, __VA_ARGS__)
#define MESO_EACH_6(f, a, ...) f(a), MESO_EACH_5(f, __VA_ARGS__)
#define MESO_EACH_7(f, a, ...) f(a), MESO_EACH_6(f, __VA_ARGS__)
#define MESO_EACH_8(f, a, ...) f(a), MESO_EACH_7(f, __VA_ARGS__)
#define MESO_EACH_9(f, a, ...) f(a), MESO_EACH_8(f, __VA_ARGS__)
#define MESO_EACH_10(f, a, ...) f(a), MESO_EACH_9(f, __VA_ARGS__)
#define MESO_EACH_11(f, a, ...) f(a), MESO_EACH_10(f, __VA_ARGS__)
#define MESO_EACH_12(f, a, ...) f(a), MESO_EACH_11(f, __VA_ARGS__)
#define MESO_EACH_13(f, a, ...) f(a), MESO_EACH_12(f, __VA_ARGS__)
#define MESO_EACH_14(f, a, ...) f(a), MESO_EACH_13(f, __VA_ARGS__)
#define MESO_EACH_15(f, a, ...) f(a), MESO_EACH_14(f, __VA_ARGS__)
#define MESO_EACH_16(f, a, ...) f(a), MESO_EACH_15(f, __VA_ARGS__)
#define MESO_EACH_17(f, a, ...) f(a), MESO_EACH_16(f, __VA_ARGS__)
#define MESO_EACH_18(f, a, ...) f(a), MESO_EACH_17(f, __VA_ARGS__)
#define MESO_EACH_19(f, a, ...) f(a), MESO_EACH_18(f, __VA_ARGS__)
#define MESO_EACH_20(f, a, ...) f(a), MESO_EACH_19(f, __VA_ARGS__)
/* clang-format on */

#endif
