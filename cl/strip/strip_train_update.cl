/* SPDX-License-Identifier: Apache-2.0
 *
 * The optimiser, and what is derived from weights. Weights, gradients and moments are one array
 * each: the net's parameters one behind the other, each on a multiple of 16. Gradients of groups
 * are added in order to that of the whole batch. trained: 1, or 0 where a value stays as it is.
 */
inline float16 add_groups(__global const float *restrict gradients,
                          __global const float *restrict partial, const int n_groups)
{
    const int i = get_global_id(0);
    float16 sum = vload16(i, gradients);
    for (int g = 0; g < n_groups; g++)
        sum += vload16(i, partial + (size_t)g * PARAMETERS);
    return sum;
}

inline void move_weights(__global float *restrict weights, __global float *restrict rest,
                         const int16 changed, const float16 by)
{
    const int i = get_global_id(0);
    const float16 w = vload16(i, weights), r = vload16(i, rest);
    float16 new_w = w, new_r = r;
    MOVE_WEIGHT(float16, new_w, new_r, by);
    vstore16(select(w, new_w, changed), i, weights);
    vstore16(select(r, new_r, changed), i, rest);
}

/* Keras' form: alpha = learning rate · √(1 − beta2ᵗ) / (1 − beta1ᵗ). rate1, rate2: 1 − beta. */
KERNEL train_adam(__global float *restrict weights, __global float *restrict rest,
                  __global float *restrict first, __global float *restrict second,
                  floats_in trained, floats_in gradients, floats_in partial, const int n_groups,
                  const float alpha, const float rate1, const float rate2, const float epsilon)
{
    const int i = get_global_id(0);
    const int16 changed = vload16(i, trained) != 0.0f;
    const float16 g = add_groups(gradients, partial, n_groups), m = vload16(i, first),
                  v = vload16(i, second);
    const float16 new_m = m + (g - m) * rate1, new_v = v + (g * g - v) * rate2;
    vstore16(select(m, new_m, changed), i, first);
    vstore16(select(v, new_v, changed), i, second);
    move_weights(weights, rest, changed, -alpha * new_m / (sqrt(new_v) + epsilon));
}

KERNEL train_sgd(__global float *restrict weights, __global float *restrict rest,
                 __global float *restrict velocity, floats_in trained, floats_in gradients,
                 floats_in partial, const int n_groups, const float rate, const float momentum)
{
    const int i = get_global_id(0);
    const int16 changed = vload16(i, trained) != 0.0f;
    const float16 v = vload16(i, velocity),
                  new_v = momentum * v - rate * add_groups(gradients, partial, n_groups);
    vstore16(select(v, new_v, changed), i, velocity);
    move_weights(weights, rest, changed, new_v);
}

/* base of strip_train.cl. Work-item: a filter. */
KERNEL train_base(floats_in weights, __global float *restrict base, const int filters,
                  const int bias, const int gamma)
{
    const int k = get_global_id(0);
    base[k] = weights[bias + k];
    base[filters + k] = weights[gamma + k] < 0.0f ? -1.0f : 1.0f;
    base[2 * filters + k] = weights[gamma + k] == 0.0f ? 0.0f : base[filters + k];
}

/* Eight filters' values in two floats each. */
typedef struct exact8 {
    float8 high, low;
} exact8;

/* sum + factor · v, where factor is a power of 2. */
inline exact8 add_exact8(const exact8 sum, const float factor, const exact8 v)
{
    exact8 to;
    float8 rest;
    const float8 next = factor * v.high;
    TWO_SUM(sum.high, next, to.high, rest);
    to.low = (factor * v.low + sum.low) + rest;
    return to;
}

/* v / d to the last bit but one. Half of the quotient's digits times d is exact for a d of 12 bits,
 * as the transforms' are, and so is the remainder. */
inline float8 divide_exact8(const exact8 v, const float d)
{
    const float8 q = v.high / d, q_high = as_float8(as_uint8(q) & 0xfffff000u), q_low = q - q_high;
    return q + (((v.high - q_high * d) - q_low * d) + v.low) / d;
}

/* Eight filters of one channel into Winograd's domain. An error of a filter is the same for every
 * pixel and does not average out: so they are as exact as floats can be. */
#define TRANSFORM_FILTERS(TAPS, w, divide, u)                                                      \
    ROLLED for (int i = 0; i < TAPS + 3; i++) {                                                    \
        exact8 down[TAPS];                                                                         \
        UNROLLED for (int s = 0; s < TAPS; s++) {                                                  \
            down[s] = (exact8){0.0f, 0.0f};                                                        \
            UNROLLED for (int r = 0; r < TAPS; r++)                                                \
                down[s] = add_exact8(down[s], powers_##TAPS[i][r], (exact8){w[r][s], 0.0f});       \
        }                                                                                          \
        ROLLED for (int j = 0; j < TAPS + 3; j++) {                                                \
            exact8 sum = {0.0f, 0.0f};                                                             \
            UNROLLED for (int s = 0; s < TAPS; s++)                                                \
                sum = add_exact8(sum, powers_##TAPS[j][s], down[s]);                               \
            u[i][j] = divide_exact8(sum, divisors_##TAPS[i] * divisors_##TAPS[j] * (divide));      \
        }                                                                                          \
    }

/* Kernel [5][5][channels][filters] at `kernel_` → forward [8][8][filters / block][channels][block],
 * with base's signs, and backward [8][8][channels / back_block][filters][back_block], turned by
 * 180°. Work-item: (channel, eight filters). */
KERNEL train_filters_5(floats_in weights, floats_in base, __global float *restrict forward,
                       __global float *restrict backward, const int kernel_, const int channels,
                       const int filters, const int block, const int back_block)
{
    const int c = get_global_id(0), k0 = (int)get_global_id(1) * 8;
    const float8 sign = vload8(0, base + filters + k0);
    float8 w[5][5], turned[5][5], u[8][8], back[8][8];
    for (int r = 0; r < 5; r++)
        for (int s = 0; s < 5; s++) {
            const float8 value =
                vload8(0, weights + kernel_ + ((r * 5 + s) * channels + c) * filters + k0);
            w[r][s] = value * sign;
            turned[4 - r][4 - s] = value;
        }
    TRANSFORM_FILTERS(5, w, 1.0f, u)
    TRANSFORM_FILTERS(5, turned, 1.0f, back)
    for (int i = 0; i < 64; i++) {
        const float *f = (const float *)&u[0][0] + i * 8, *b = (const float *)&back[0][0] + i * 8;
        for (int k = k0; k < k0 + 8; k++) {
            forward[((i * (filters / block) + k / block) * channels + c) * block + k % block] =
                f[k - k0];
            backward[((i * (channels / back_block) + c / back_block) * filters + k) * back_block +
                     c % back_block] = b[k - k0];
        }
    }
}

/* Kernel [3][3][3][filters] → [6][6][filters / block][3][block], with signs, divided. Work-item:
 * (channel, eight filters). */
KERNEL train_filters_3(floats_in weights, floats_in base, __global float *restrict forward,
                       const int kernel_, const int filters, const int block, const float divide)
{
    const int c = get_global_id(0), k0 = (int)get_global_id(1) * 8;
    const float8 sign = vload8(0, base + filters + k0);
    float8 w[3][3], u[6][6];
    for (int r = 0; r < 3; r++)
        for (int s = 0; s < 3; s++)
            w[r][s] = sign * vload8(0, weights + kernel_ + ((r * 3 + s) * 3 + c) * filters + k0);
    TRANSFORM_FILTERS(3, w, divide, u)
    for (int i = 0; i < 36; i++) {
        const float *f = (const float *)&u[0][0] + i * 8;
        for (int k = k0; k < k0 + 8; k++)
            forward[((i * (filters / block) + k / block) * 3 + c) * block + k % block] = f[k - k0];
    }
}
