/* SPDX-License-Identifier: Apache-2.0
 *
 * Ops that work element by element: forward of those that see the largest pictures, along rows, and
 * the gradients. add: 1 where another reader of the same tensor has already written its part.
 */
#define ROW(p, t, y) ((p) + at(t, n, c, y, 0))

/* unpack_u8 along rows. Work-group: (row, n). */
#define UNPACK(channels)                                                                           \
    for (int x = ITEM; x < WIDTH(out_t); x += ITEMS)                                               \
        for (int c = 0; c < (channels); c++)                                                       \
            to[c * PLANE(out_t) + x] = (float)p[x * (channels) + c] / divide;
TRAIN_KERNEL unpack_train(__global const uchar *restrict pixels, const float divide,
                          __global float *restrict out, const tensor_t out_t)
{
    const int y = BLOCK, n = (int)get_global_id(1), channels = CHANNELS(out_t);
    __global const uchar *p =
        pixels + ((size_t)(n + FIRST(out_t)) * HEIGHT(out_t) + y) * WIDTH(out_t) * channels;
    __global float *to = out + at(out_t, n, 0, y, 0);
    if (channels == 3)
        UNPACK(3)
    else
        UNPACK(channels)
}

#define ADD_BIAS(T) STORE_##T(LOAD_##T(p + x) + (T)bias[c], to + x);
TRAIN_KERNEL bias_train(__global const float *in, const tensor_t in_t, __global const float *bias,
                        __global float *out, const tensor_t out_t)
{
    GET_ROWS(out_t);
    EACH_ROW {
        __global const float *p = ROW(in, in_t, y);
        __global float *to = ROW(out, out_t, y);
        ALONG_ROW(WIDTH(out_t), ADD_BIAS)
    }
}

/* NaN stays NaN. */
#define CLIP(T)                                                                                    \
    {                                                                                              \
        const T v = LOAD_##T(p + x), positive = v < (T)0.0f ? (T)0.0f : v;                         \
        STORE_##T(positive > (T)cap ? (T)cap : positive, to + x);                                  \
    }
TRAIN_KERNEL relu_train(__global const float *in, const tensor_t in_t, const float cap,
                        __global float *out, const tensor_t out_t)
{
    GET_ROWS(out_t);
    EACH_ROW {
        __global const float *p = ROW(in, in_t, y);
        __global float *to = ROW(out, out_t, y);
        ALONG_ROW(WIDTH(out_t), CLIP)
    }
}

/* partial[group][c] = Σ d. Work-group: (c, group). */
#define ADD_UP(T) sum_##T += LOAD_##T(row + x);
TRAIN_KERNEL bias_backward(__global const float *d, const tensor_t t, __global float *partial,
                           const int n)
{
    const int c = BLOCK;
    GET_SUMS
    GET_GROUP(t, n, 1);
    for (int image = image_begin; image < image_end; image++) {
        float sum = 0.0f, lost = 0.0f;
        EACH_ROW_OF(HEIGHT(t))
        {
            __global const float *row = d + at(t, image - FIRST(t), c, y, 0);
            vec sum_vec = 0.0f;
            float sum_float = 0.0f;
            ALONG(WIDTH(t), ADD_UP)
            add_exactly(&sum, &lost, sum_lanes(sum_vec) + sum_float);
        }
        const float all = SUM(sum, lost).x;
        if (ITEM == 0)
            add_to_group(partial + (size_t)group * CHANNELS(t) + c, image, all);
    }
}

/* d = 0 < out < cap ? d : 0; d is the gradient of both sides, which are one tensor. */
#define RELU_BACKWARD(T)                                                                           \
    {                                                                                              \
        const T v = LOAD_##T(o + x), keep = LOAD_##T(g + x);                                       \
        STORE_##T(v > (T)0.0f && v < (T)cap ? keep : (T)0.0f, g + x);                              \
    }
TRAIN_KERNEL relu_backward(__global const float *out, const tensor_t out_t, const float cap,
                           __global float *d, const tensor_t d_t)
{
    GET_ROWS(d_t);
    EACH_ROW {
        __global const float *o = ROW(out, out_t, y);
        __global float *g = ROW(d, d_t, y);
        ALONG_ROW(WIDTH(d_t), RELU_BACKWARD)
    }
}

/* relu_backward and bias_backward in one: d, the gradient of both, and partial[group][c] = Σ d.
 * Work-group: (c, group). */
#define MASK_AND_SUM(T)                                                                            \
    {                                                                                              \
        const T v = LOAD_##T(o + x), keep = LOAD_##T(g + x);                                       \
        const T masked = v > (T)0.0f && v < (T)cap ? keep : (T)0.0f;                               \
        STORE_##T(masked, g + x);                                                                  \
        sum_##T += masked;                                                                         \
    }
TRAIN_KERNEL bias_relu_backward(__global const float *out, const tensor_t out_t, const float cap,
                                __global float *d, const tensor_t d_t, __global float *partial,
                                const int n)
{
    const int c = BLOCK;
    GET_SUMS
    GET_GROUP(d_t, n, 1);
    for (int image = image_begin; image < image_end; image++) {
        float sum = 0.0f, lost = 0.0f;
        EACH_ROW_OF(HEIGHT(d_t))
        {
            __global const float *o = out + at(out_t, image - FIRST(out_t), c, y, 0);
            __global float *g = d + at(d_t, image - FIRST(d_t), c, y, 0);
            vec sum_vec = 0.0f;
            float sum_float = 0.0f;
            ALONG(WIDTH(d_t), MASK_AND_SUM)
            add_exactly(&sum, &lost, sum_lanes(sum_vec) + sum_float);
        }
        const float all = SUM(sum, lost).x;
        if (ITEM == 0)
            add_to_group(partial + (size_t)group * CHANNELS(d_t) + c, image, all);
    }
}

/* d_in = factor · d_out, d_out's one value for each channel. */
#define SPREAD(T) STORE_##T(add ? LOAD_##T(d + x) + (T)v : (T)v, d + x);
TRAIN_KERNEL global_avg_pool_backward(__global const float *d_out, const tensor_t out_t,
                                      __global float *d_in, const tensor_t in_t, const int add)
{
    GET_ROWS(in_t);
    const float v = d_out[at(out_t, n, c, 0, 0)] / (float)(HEIGHT(in_t) * WIDTH(in_t));
    EACH_ROW {
        __global float *d = ROW(d_in, in_t, y);
        ALONG_ROW(WIDTH(in_t), SPREAD)
    }
}

/* One input of a concatenation: its channels begin at `channel` of the output. */
#define COPY_ROW(T) STORE_##T(LOAD_##T(p + x), to + x);
TRAIN_KERNEL concat_train(__global const float *in, const tensor_t in_t, __global float *out,
                          const tensor_t out_t, const int channel)
{
    GET_ROWS(in_t);
    EACH_ROW {
        __global const float *p = ROW(in, in_t, y);
        __global float *to = out + at(out_t, n, channel + c, y, 0);
        ALONG_ROW(WIDTH(in_t), COPY_ROW)
    }
}

#define ADD_ROW(T) STORE_##T(add ? LOAD_##T(d + x) + LOAD_##T(g + x) : LOAD_##T(g + x), d + x);
TRAIN_KERNEL concat_backward(__global const float *d_out, const tensor_t out_t,
                             __global float *d_in, const tensor_t in_t, const int channel,
                             const int add)
{
    GET_ROWS(in_t);
    EACH_ROW {
        __global const float *g = d_out + at(out_t, n, channel + c, y, 0);
        __global float *d = ROW(d_in, in_t, y);
        ALONG_ROW(WIDTH(in_t), ADD_ROW)
    }
}

#define UNFLATTEN(T)                                                                               \
    {                                                                                              \
        __global float *d = ROW(d_in, in_t, y) + x;                                                \
        const float g = d_out[at(out_t, n, (y * WIDTH(in_t) + x) * CHANNELS(in_t) + c, 0, 0)];     \
        *d = add ? *d + g : g;                                                                     \
    }
TRAIN_KERNEL flatten_backward(__global const float *d_out, const tensor_t out_t,
                              __global float *d_in, const tensor_t in_t, const int add)
{
    GET_ROWS(in_t);
    EACH_ROW
        ONE_BY_ONE(WIDTH(in_t), UNFLATTEN)
}

/* lowbias32 (Wellons): every bit of the result depends on every bit of x. */
inline uint mix_bits(uint x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* Forward and backward of inverted dropout: to = h ≥ threshold ? scale · from : 0, where h hashes
 * seed, step, layer, image of the batch and unit (in the order of flatten), so that the mask
 * depends on nothing else. */
#define DROP(T)                                                                                    \
    {                                                                                              \
        const uint unit = (uint)((y * WIDTH(to_t) + x) * CHANNELS(to_t) + c);                      \
        const uint image = mix_bits((uint)(FIRST(to_t) + n) ^ mix_bits(unit));                     \
        const uint place = mix_bits((uint)step ^ mix_bits((uint)layer ^ image));                   \
        const uint h = mix_bits((uint)seed_low ^ mix_bits((uint)seed_high ^ place));               \
        __global float *p = ROW(to, to_t, y) + x;                                                  \
        const float v = h >= (uint)threshold ? scale * ROW(from, from_t, y)[x] : 0.0f;             \
        *p = add ? *p + v : v;                                                                     \
    }
TRAIN_KERNEL dropout(__global const float *from, const tensor_t from_t, __global float *to,
                     const tensor_t to_t, const int threshold, const float scale,
                     const int seed_low, const int seed_high, const int step, const int layer,
                     const int add)
{
    GET_ROWS(to_t);
    EACH_ROW
        ONE_BY_ONE(WIDTH(to_t), DROP)
}
