/* SPDX-License-Identifier: Apache-2.0
 *
 * Into the tensor layout, within it, and out of it.
 */

/* 8-bit pixels [n][height][width][channels] → float / divide. Work-item: one value. */
__kernel void unpack_u8(__global const uchar *pixels, const float divide, __global float *out,
                        const tensor_t out_t)
{
    GET_PIXEL(out_t);
    const size_t pixel = ((size_t)(n + FIRST(out_t)) * HEIGHT(out_t) + y) * WIDTH(out_t) + x;
    out[at(out_t, n, c, y, x)] = (float)pixels[pixel * CHANNELS(out_t) + c] / divide;
}

/* The same from floats, which are taken as they are. */
__kernel void unpack_f32(__global const float *pixels, __global float *out, const tensor_t out_t)
{
    GET_PIXEL(out_t);
    const size_t pixel = ((size_t)(n + FIRST(out_t)) * HEIGHT(out_t) + y) * WIDTH(out_t) + x;
    out[at(out_t, n, c, y, x)] = pixels[pixel * CHANNELS(out_t) + c];
}

/* A tensor → [n][height][width][channels]: flatten (Keras' order), and what the host reads. */
__kernel void flatten_forward(__global const float *in, const tensor_t in_t, __global float *out,
                              const tensor_t out_t)
{
    GET_PIXEL(in_t);
    const int i = (y * WIDTH(in_t) + x) * CHANNELS(in_t) + c;
    out[at(out_t, n, i, 0, 0)] = in[at(in_t, n, c, y, x)];
}

/* One input of a concatenation: its channels begin at `channel` of the output. */
__kernel void concat_forward(__global const float *in, const tensor_t in_t, __global float *out,
                             const tensor_t out_t, const int channel)
{
    GET_PIXEL(in_t);
    out[at(out_t, n, channel + c, y, x)] = in[at(in_t, n, c, y, x)];
}

/* Zeros around a plane. Work-item: (row of the padded plane, n · channels + c). */
__kernel void zero_pad(__global float *out, const tensor_t out_t)
{
    const int row = (int)get_global_id(0);
    if (row >= HEIGHT(out_t) + 2 * PAD(out_t))
        return;
    const int pad = PAD(out_t), width = WIDTH(out_t), stride = ROW_STRIDE(out_t);
    __global float *p = out + (size_t)FIRST(out_t) * IMAGE(out_t) +
                        (size_t)get_global_id(1) * PLANE(out_t) + (size_t)row * stride;
    const int inside = row >= pad && row < pad + HEIGHT(out_t);
    for (int x = 0; x < stride; x++)
        if (!inside || x < pad || x >= pad + width)
            p[x] = 0.0f;
}
