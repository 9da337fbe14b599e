/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounds by which fused kernels are judged (reference_bound.c), against the same sums with the
 * matrices of Winograd's F(4, 3) written out: a bound that is too wide would let mistakes through.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "harness_device.h"
#include "reference_bound.h"

enum { n = 2, channels = 2, height = 8, width = 12, filters = 3, taps = 3 };
enum { n_in = n * channels * height * width, n_out = n * filters * height * width };
enum { n_kernel = taps * taps * channels * filters };

/* A, B and G of one dimension; those of no transform. */
typedef struct matrices {
    int outputs, points;
    double a[4][6], b[6][6], g[6][3];
} matrices;

static const matrices none = {
    1, 3, {{1, 1, 1}}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
static const matrices winograd = {
    4,
    6,
    {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}},
    {{4, 0, -5, 0, 1, 0},
     {0, -4, -4, 1, 1, 0},
     {0, 4, -4, -1, 1, 0},
     {0, -2, -1, 2, 1, 0},
     {0, 2, -1, -2, 1, 0},
     {0, 4, 0, -5, 0, 1}},
    {{1. / 4, 0, 0},
     {-1. / 6, -1. / 6, -1. / 6},
     {-1. / 6, 1. / 6, -1. / 6},
     {1. / 24, 1. / 12, 1. / 6},
     {1. / 24, -1. / 12, 1. / 6},
     {0, 0, 1}}};

static meso_net *net;
static float kernel[n_kernel];

static int open_net(void **state)
{
    meso_random random = {11};
    (void)state;
    harness_fill(&random, kernel, n_kernel);
    return meso_net_parse("i = input height=8 width=12 channels=2 divide=1\n"
                          "c = conv i filters=3 window=3 stride=1 dilation=1 pad=same\n"
                          "b = bias c\nl = leaky_relu b slope=0.5\nm = leaky_relu l slope=3\n"
                          "e = elu m alpha=2\nf = elu e alpha=0.5\n"
                          "n = batch_norm f epsilon=0.001\nv = flatten n\nd = dense v units=4\n",
                          "net", &net, NULL) != MESO_OK;
}

static int close_net(void **state)
{
    (void)state;
    meso_net_close(net);
    return 0;
}

/* A tensor of the net's input, with bounds that came from somewhere. */
static reference_bounded random_input(uint64_t seed)
{
    static float values[n_in];
    static double images[n_in];
    meso_random random = {seed};
    harness_fill(&random, values, n_in);
    for (size_t i = 0; i < n_in; i++)
        images[i] = values[i];
    reference_bounded t = reference_bounded_input(net->layers[0].shape, images, n);
    for (size_t i = 0; i < n_in; i++)
        t.bound.value[i] = meso_random_uniform(&random, 0, 1);
    return t;
}

static double padded(const double *plane, int y, int x)
{
    return y < 0 || y >= height || x < 0 || x >= width ? 0 : fabs(plane[y * width + x]);
}

static double weight(int r, int s, int c, int k)
{
    return kernel[((r * taps + s) * channels + c) * filters + k];
}

/* Σ |A| |G w Gᵀ| |B| |d| |Bᵀ| |Aᵀ| of an output pixel. */
static double magnitude_at(const matrices *down, const matrices *along, const double *image, int k,
                           int y, int x)
{
    const int r = y % down->outputs, q = x % along->outputs;
    double sum = 0;
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < down->points; i++)
            for (int j = 0; j < along->points; j++) {
                double u = 0, v = 0;
                for (int a = 0; a < taps * taps; a++)
                    u += down->g[i][a / taps] * along->g[j][a % taps] *
                         weight(a / taps, a % taps, c, k);
                for (int a = 0; a < down->points * along->points; a++)
                    v += fabs(down->b[i][a / along->points] * along->b[j][a % along->points]) *
                         padded(image + c * height * width, y - r + a / along->points - 1,
                                x - q + a % along->points - 1);
                sum += fabs(down->a[r][i] * along->a[q][j] * u) * v;
            }
    return sum;
}

static void convolutions(void **state)
{
    /* How many times eps: the filter's rounding, 8 operations in a transform, the products. */
    static const struct {
        meso_strip_method method;
        const matrices *down, *along;
        double k;
    } rows[] = {{MESO_STRIP_DIRECT, &none, &none, (1 + 0 + 18 + 1) / 2. + 1},
                {MESO_STRIP_WINOGRAD_Y, &winograd, &none, (1 + 8 + 6 + 1) / 2. + 1},
                {MESO_STRIP_WINOGRAD_YX, &winograd, &winograd, (1 + 16 + 2 + 1) / 2. + 1}};
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        reference_bounded in = random_input(row), out = random_input(row);
        reference_bounded_op(&net->layers[1], (const float *const[]){kernel}, rows[row].method, 0.5,
                             &out);
        for (int e = 0; e < n_out; e++) {
            const int x = e % width, y = e / width % height, k = e / width / height % filters;
            const size_t image = (size_t)(e / width / height / filters * channels * height * width);
            double expected =
                0.5 * rows[row].k *
                magnitude_at(rows[row].down, rows[row].along, in.value.value + image, k, y, x);
            for (int a = 0; a < taps * taps * channels; a++) {
                const int c = a % channels, r = a / channels / taps, s = a / channels % taps;
                expected +=
                    fabs(weight(r, s, c, k)) *
                    padded(in.bound.value + image + c * height * width, y + r - 1, x + s - 1);
            }
            harness_close(out.bound.value[e], expected, 1e-9 * expected, "row %zu: bound %d", row,
                          e);
        }
        reference_bounded_free(&in);
        reference_bounded_free(&out);
    }
}

/* Layers that take each value by itself: its bound times `slope`, and the layer's own roundings. */
static void values(void **state)
{
    static const float bias[filters] = {0.5f, -2, 3}, gamma[filters] = {-0.5f, 2, 1},
                       beta[filters] = {1, -1, 2}, mean[filters] = {0.25f, 0, -1},
                       variance[filters] = {0.5f, 2, 1};
    static const float *const params[] = {gamma, beta, mean, variance};
    reference_bounded t = random_input(7);
    (void)state;
    reference_bounded_op(&net->layers[1], (const float *const[]){kernel}, MESO_STRIP_DIRECT, 1, &t);
    for (size_t l = 2; l <= 7; l++) {
        const meso_layer *layer = &net->layers[l];
        const float *const *p = l == 2 ? (const float *const[]){bias} : params;
        double *before = malloc(n_out * sizeof *before);
        reference_tensor exact;
        memcpy(before, t.bound.value, n_out * sizeof *before);
        reference_op(layer, &t.value, p, n, &exact);
        reference_bounded_op(layer, p, MESO_STRIP_DIRECT, 0.25, &t);
        for (size_t i = 0; i < n_out; i++) {
            const size_t c = i / (height * width) % filters;
            const double size = fabs(exact.value[i]), magnitude = exact.magnitude[i];
            const double own[] = {magnitude, 2 * size, 2 * size, 8 + size, 2 + size, 2 * magnitude};
            const double slopes[] = {1, 1, 3,
                                     2, 1, fabs(gamma[c]) / sqrt((double)variance[c] + 0.001)};
            const double expected = slopes[l - 2] * before[i] + 0.25 * own[l - 2];
            harness_close(t.bound.value[i], expected, 1e-9 * expected, "%s: bound %zu", layer->name,
                          i);
        }
        reference_tensor_free(&exact);
        free(before);
    }
    reference_bounded_free(&t);
}

static void dense(void **state)
{
    enum { inputs = filters * height * width, units = 4 };
    const meso_layer *layer = &net->layers[9];
    static float weights[inputs * units];
    meso_random random = {5};
    reference_bounded t = random_input(9);
    (void)state;
    harness_fill(&random, weights, inputs * units);
    reference_bounded_op(&net->layers[1], (const float *const[]){kernel}, MESO_STRIP_DIRECT, 1, &t);
    reference_bounded_op(&net->layers[8], NULL, MESO_STRIP_DIRECT, 1, &t);
    reference_bounded in = t, out = {n, reference_tensor_new(in.value.shape, n),
                                     reference_tensor_new(in.value.shape, n)};
    memcpy(out.value.value, in.value.value, n * inputs * sizeof(double));
    memcpy(out.bound.value, in.bound.value, n * inputs * sizeof(double));
    reference_bounded_op(layer, (const float *const[]){weights}, MESO_STRIP_DIRECT, 0.5, &out);
    for (size_t i = 0; i < n; i++)
        for (size_t u = 0; u < units; u++) {
            double expected = 0;
            for (size_t k = 0; k < inputs; k++)
                expected += fabs((double)weights[k * units + u]) *
                            (in.bound.value[i * inputs + k] +
                             0.5 * (inputs / 2. + 2) * fabs(in.value.value[i * inputs + k]));
            harness_close(out.bound.value[i * units + u], expected, 1e-9 * expected, "unit %zu", u);
        }
    reference_bounded_free(&in);
    reference_bounded_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions), cmocka_unit_test(values),
                                       cmocka_unit_test(dense)};
    return cmocka_run_group_tests(tests, open_net, close_net);
}
