/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_tensor.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { n_guard = 64 };

/* A word that no kernel computes: a quiet NaN with a payload. */
static float poison(void)
{
    const uint32_t bits = 0x7FC5A5A5;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float *harness_poison(size_t n)
{
    float *values = malloc(n * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < n; i++)
        values[i] = poison();
    return values;
}

static void check(meso_device *device, meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

static size_t place(const meso_tensor_view *v, size_t i, int c, int y, int x)
{
    return i * meso_tensor_size(v) + (size_t)c * meso_tensor_plane(v) +
           (size_t)(y + v->pad) * (size_t)v->row_stride + (size_t)(x + v->pad);
}

static harness_tensor make_tensor(meso_device *device, meso_shape shape, int pad, size_t n)
{
    harness_tensor t = {.view = meso_tensor_of(shape, pad, NULL)};
    t.view.row_stride += 3; /* a gap that nobody may read or write */
    t.n_floats = n * meso_tensor_size(&t.view);
    t.host = harness_poison(t.n_floats + n_guard);
    check(device, meso_buffer_create(device, (t.n_floats + n_guard) * sizeof(float), &t.buffer));
    return t;
}

static void upload(meso_device *device, const harness_tensor *t)
{
    check(device, meso_buffer_write(device, &t->buffer, 0, t->host,
                                    (t->n_floats + n_guard) * sizeof(float)));
}

harness_tensor harness_tensor_poisoned(meso_device *device, meso_shape shape, int pad, size_t n)
{
    harness_tensor t = make_tensor(device, shape, pad, n);
    upload(device, &t);
    return t;
}

void harness_tensor_free(harness_tensor *t)
{
    meso_buffer_release(&t->buffer);
    free(t->host);
}

harness_tensor harness_tensor_random(meso_device *device, meso_shape shape, int pad, size_t n,
                                     meso_random *random, reference_tensor *exact)
{
    harness_tensor t = make_tensor(device, shape, pad, n);
    *exact = reference_tensor_new(shape, n);
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < shape.c; c++)
            for (int y = -pad; y < shape.h + pad; y++)
                for (int x = -pad; x < shape.w + pad; x++) {
                    float *value = &t.host[place(&t.view, i, c, y, x)];
                    int inside = y >= 0 && y < shape.h && x >= 0 && x < shape.w;
                    *value = 0;
                    if (!inside)
                        continue;
                    harness_fill(random, value, 1);
                    if (k % 5 == 0) /* ties for pooling */
                        *value = roundf(*value);
                    exact->value[k++] = *value;
                }
    upload(device, &t);
    return t;
}

void harness_tensor_compare(meso_device *device, harness_tensor *t,
                            const reference_tensor *expected, size_t n, double k, const char *text)
{
    double error = 0, energy = 0;
    size_t e = 0, n_floats = t->n_floats + n_guard;
    float *got = harness_poison(n_floats);
    check(device, meso_buffer_read(device, &t->buffer, 0, got, n_floats * sizeof *got));
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < expected->shape.c; c++)
            for (int y = 0; y < expected->shape.h; y++)
                for (int x = 0; x < expected->shape.w; x++, e++) {
                    const size_t p = place(&t->view, i, c, y, x);
                    const double difference = got[p] - expected->value[e];
                    harness_close(got[p], expected->value[e],
                                  k * FLT_EPSILON * expected->magnitude[e] + FLT_MIN,
                                  "%s: image %zu channel %d row %d column %d", text, i, c, y, x);
                    error += difference * difference;
                    energy += expected->value[e] * expected->value[e];
                    got[p] = t->host[p];
                }
    if (!(error <= 1e-10 * energy))
        fail_msg("%s: NMSE %g", text, error / energy);
    if (memcmp(got, t->host, n_floats * sizeof *got) != 0)
        fail_msg("%s: floats outside the output were written", text);
    free(got);
}
