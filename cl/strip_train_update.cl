/* SPDX-License-Identifier: Apache-2.0
 *
 * The optimiser, and what is derived from weights. Weights, gradients and moments are one array each: the net's
 * parameters one behind the other, each on a multiple of 16. Gradients of groups are added in order to that of the
 * whole batch. trained: 1, or 0 where a value stays as it is.
 */
inline float16 add_groups(__global const float *restrict gradients, __global const float *restrict partial, const int n_groups)
{
    const int i = get_global_id(0);
    float16 sum = vload16(i, gradients);
    for (int g = 0; g < n_groups; g++)
        sum += vload16(i, partial + (size_t)g * PARAMETERS);
    return sum;
}

inline void move_weights(__global float *restrict weights, __global float *restrict rest, const int16 changed,
                         const float16 by)
{
    const int i = get_global_id(0);
    const float16 w = vload16(i, weights), r = vload16(i, rest);
    float16 new_w = w, new_r = r;
    MOVE_WEIGHT(float16, new_w, new_r, by);
    vstore16(select(w, new_w, changed), i, weights);
    vstore16(select(r, new_r, changed), i, rest);
}

/* Keras' form: alpha = learning rate · √(1 − beta2ᵗ) / (1 − beta1ᵗ). rate1, rate2: 1 − beta. */
KERNEL train_adam(__global float *restrict weights, __global float *restrict rest, __global float *restrict first,
                  __global float *restrict second, floats_in trained, floats_in gradients, floats_in partial,
                  const int n_groups, const float alpha, const float rate1, const float rate2, const float epsilon)
{
    const int i = get_global_id(0);
    const int16 changed = vload16(i, trained) != 0.0f;
    const float16 g = add_groups(gradients, partial, n_groups), m = vload16(i, first), v = vload16(i, second);
    const float16 new_m = m + (g - m) * rate1, new_v = v + (g * g - v) * rate2;
    vstore16(select(m, new_m, changed), i, first);
    vstore16(select(v, new_v, changed), i, second);
    move_weights(weights, rest, changed, -alpha * new_m / (sqrt(new_v) + epsilon));
}

KERNEL train_sgd(__global float *restrict weights, __global float *restrict rest, __global float *restrict velocity,
                 floats_in trained, floats_in gradients, floats_in partial, const int n_groups, const float rate,
                 const float momentum)
{
    const int i = get_global_id(0);
    const int16 changed = vload16(i, trained) != 0.0f;
    const float16 v = vload16(i, velocity), new_v = momentum * v - rate * add_groups(gradients, partial, n_groups);
    vstore16(select(v, new_v, changed), i, velocity);
    move_weights(weights, rest, changed, new_v);
}

/* The whole gradient, for tests. */
KERNEL train_gradient(__global float *restrict out, floats_in gradients, floats_in partial, const int n_groups)
{
    vstore16(add_groups(gradients, partial, n_groups), get_global_id(0), out);
}

/* base of strip_train.cl. Work-item: a filter. */
KERNEL train_base(floats_in weights, __global float *restrict base, const int filters, const int bias, const int gamma)
{
    const int k = get_global_id(0);
    base[k] = weights[bias + k];
    base[filters + k] = weights[gamma + k] < 0.0f ? -1.0f : 1.0f;
    base[2 * filters + k] = weights[gamma + k] == 0.0f ? 0.0f : base[filters + k];
}

/* Eight filters of one channel, 5 × 5 [row][column], into Winograd's domain. */
inline void transform_filters_5(const float8 w[5][5], float8 u[8][8])
{
    ROLLED for (int i = 0; i < 8; i++) {
        float8 down[5];
        UNROLLED for (int s = 0; s < 5; s++) {
            down[s] = 0.0f;
            UNROLLED for (int r = 0; r < 5; r++) down[s] += transform_5[i][r] * w[r][s];
        }
        ROLLED for (int j = 0; j < 8; j++) {
            u[i][j] = 0.0f;
            UNROLLED for (int s = 0; s < 5; s++) u[i][j] += transform_5[j][s] * down[s];
        }
    }
}

/* Kernel [5][5][channels][filters] at `kernel_` → forward [8][8][filters / block][channels][block], with base's signs, and
 * backward [8][8][channels / back_block][filters][back_block], turned by 180°. Work-item: (channel, eight filters). */
KERNEL train_filters_5(floats_in weights, floats_in base, __global float *restrict forward,
                       __global float *restrict backward, const int kernel_, const int channels, const int filters,
                       const int block, const int back_block)
{
    const int c = get_global_id(0), k0 = (int)get_global_id(1) * 8;
    const float8 sign = vload8(0, base + filters + k0);
    float8 w[5][5], turned[5][5], u[8][8], back[8][8];
    for (int r = 0; r < 5; r++)
        for (int s = 0; s < 5; s++) {
            const float8 value = vload8(0, weights + kernel_ + ((r * 5 + s) * channels + c) * filters + k0);
            w[r][s] = value * sign;
            turned[4 - r][4 - s] = value;
        }
    transform_filters_5(w, u);
    transform_filters_5(turned, back);
    for (int i = 0; i < 64; i++) {
        const float *f = (const float *)&u[0][0] + i * 8, *b = (const float *)&back[0][0] + i * 8;
        for (int k = k0; k < k0 + 8; k++) {
            forward[((i * (filters / block) + k / block) * channels + c) * block + k % block] = f[k - k0];
            backward[((i * (channels / back_block) + c / back_block) * filters + k) * back_block + c % back_block] = b[k - k0];
        }
    }
}

/* Kernel [3][3][3][filters] → [6][6][filters / block][3][block], with signs, divided. Work-item: (channel, filter). */
KERNEL train_filters_3(floats_in weights, floats_in base, __global float *restrict forward, const int kernel_,
                       const int filters, const int block, const float divide)
{
    const int c = get_global_id(0), k = get_global_id(1);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            float sum = 0.0f;
            for (int r = 0; r < 3; r++) {
                float along = 0.0f;
                for (int s = 0; s < 3; s++)
                    along += transform_3[j][s] * weights[kernel_ + ((r * 3 + s) * 3 + c) * filters + k];
                sum += transform_3[i][r] * along;
            }
            forward[(((i * 6 + j) * (filters / block) + k / block) * 3 + c) * block + k % block] =
                sum * base[filters + k] / divide;
        }
}
