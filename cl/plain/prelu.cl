/* SPDX-License-Identifier: Apache-2.0
 *
 * v < 0 ? slope[c] · v : v. The program PLAIN gets forward of it, TRAIN, which has this file too,
 * backward. NaN stays NaN.
 */
#ifdef TRAIN_KERNEL

/* d_in = d_out, or slope · d_out. add: 1 where another reader has already written its part. */
#define SCALE_PRELU(T)                                                                             \
    {                                                                                              \
        const T v = LOAD_##T(p + x);                                                               \
        const T gradient = (v > (T)0.0f ? (T)1.0f : (T)slope) * LOAD_##T(g + x);                   \
        STORE_##T(add ? LOAD_##T(d + x) + gradient : gradient, d + x);                             \
    }
TRAIN_KERNEL prelu_backward(__global const float *in, const tensor_t in_t,
                            __global const float *slopes, __global const float *d_out,
                            const tensor_t out_t, __global float *d_in, const tensor_t d_t,
                            const int add)
{
    GET_ROWS(d_t);
    const float slope = slopes[c];
    EACH_ROW {
        __global const float *p = in + at(in_t, n, c, y, 0);
        __global const float *g = d_out + at(out_t, n, c, y, 0);
        __global float *d = d_in + at(d_t, n, c, y, 0);
        ALONG_ROW(WIDTH(d_t), SCALE_PRELU)
    }
}

/* partial[group][c] = Σ v · d_out where v is not above 0. Work-group: (c, group). */
#define ADD_BELOW(T)                                                                               \
    {                                                                                              \
        const T v = LOAD_##T(p + x);                                                               \
        sum_##T += v > (T)0.0f ? (T)0.0f : v * LOAD_##T(g + x);                                    \
    }
TRAIN_KERNEL prelu_backward_slope(__global const float *in, const tensor_t in_t,
                                  __global const float *d_out, const tensor_t t,
                                  __global float *partial, const int n)
{
    const int c = BLOCK;
    GET_SUMS
    GET_GROUP(t, n, 1);
    for (int image = image_begin; image < image_end; image++) {
        float sum = 0.0f, lost = 0.0f;
        EACH_ROW_OF(HEIGHT(t)) {
            __global const float *p = in + at(in_t, image - FIRST(in_t), c, y, 0);
            __global const float *g = d_out + at(t, image - FIRST(t), c, y, 0);
            vec sum_vec = 0.0f;
            float sum_float = 0.0f;
            ALONG(WIDTH(t), ADD_BELOW)
            add_exactly(&sum, &lost, sum_lanes(sum_vec) + sum_float);
        }
        const float all = SUM(sum, lost).x;
        if (ITEM == 0)
            add_to_group(partial + (size_t)group * CHANNELS(t) + c, image, all);
    }
}

#else

__kernel void prelu_forward(__global const float *in, const tensor_t in_t,
                            __global const float *slopes, __global float *out,
                            const tensor_t out_t)
{
    GET_PIXEL(out_t);
    const float v = in[at(in_t, n, c, y, x)];
    out[at(out_t, n, c, y, x)] = v < 0.0f ? slopes[c] * v : v;
}

#endif
