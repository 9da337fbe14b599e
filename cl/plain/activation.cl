/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations, each as its formula and its derivative: the program PLAIN gets <name>_forward of
 * them, TRAIN, which has this file too, <name>_backward. (ReLU, which trains in place, is in
 * elementwise.cl and train_elementwise.cl.) Comparisons are written so that NaN stays NaN; fmax()
 * would hide it.
 *
 *   ACTIVATION(name, setting, VALUE, SLOPE)
 *
 * VALUE(v): of the input v. SLOPE(T): of v, which is the input, or the output where the op's row
 * says reads_output; T is float or a vector of floats.
 */
#ifdef TRAIN_KERNEL
/* d_in = SLOPE · d_out. add: 1 where another reader of the tensor has already written its part. */
#define SCALE_BY(T, SLOPE)                                                                         \
    {                                                                                              \
        const T v = LOAD_##T(p + x), gradient = (SLOPE(T)) * LOAD_##T(g + x);                      \
        STORE_##T(add ? LOAD_##T(d + x) + gradient : gradient, d + x);                             \
    }
#define ACTIVATION(name, setting, VALUE, SLOPE)                                                    \
    TRAIN_KERNEL name##_backward(                                                                  \
        __global const float *value, const tensor_t value_t, const float setting,                  \
        __global const float *d_out, const tensor_t out_t, __global float *d_in,                   \
        const tensor_t in_t, const int add)                                                        \
    {                                                                                              \
        GET_ROWS(in_t);                                                                            \
        EACH_ROW                                                                                   \
        {                                                                                          \
            __global const float *p = value + at(value_t, n, c, y, 0);                             \
            __global const float *g = d_out + at(out_t, n, c, y, 0);                               \
            __global float *d = d_in + at(in_t, n, c, y, 0);                                       \
            ALONG_ROW_BY(WIDTH(in_t), SCALE_BY, SLOPE)                                             \
        }                                                                                          \
    }
#else
#define ACTIVATION(name, setting, VALUE, SLOPE)                                                    \
    __kernel void name##_forward(__global const float *in, const tensor_t in_t,                    \
                                 const float setting, __global float *out, const tensor_t out_t)   \
    {                                                                                              \
        GET_PIXEL(out_t);                                                                          \
        const float v = in[at(in_t, n, c, y, x)];                                                  \
        out[at(out_t, n, c, y, x)] = VALUE(v);                                                     \
    }
#endif

#define LEAKY_RELU(v) ((v) < 0.0f ? slope * (v) : (v))
#define LEAKY_RELU_SLOPE(T) v > (T)0.0f ? (T)1.0f : (T)slope
ACTIVATION(leaky_relu, slope, LEAKY_RELU, LEAKY_RELU_SLOPE)

#define ELU(v) ((v) < 0.0f ? alpha * expm1(v) : (v))
#define ELU_SLOPE(T) v > (T)0.0f ? (T)1.0f : (T)alpha * exp(v)
ACTIVATION(elu, alpha, ELU, ELU_SLOPE)

/* 1 / (1 + e^−v); e^-|v| cannot overflow. */
inline float sigmoid_of(float v)
{
    const float e = exp(-fabs(v));
    return (v < 0.0f ? e : 1.0f) / (1.0f + e);
}
#define SIGMOID(v) sigmoid_of(scale * (v))
#define SIGMOID_SLOPE(T) (T)scale * v * ((T)1.0f - v) /* v: the output */
ACTIVATION(sigmoid, scale, SIGMOID, SIGMOID_SLOPE)
