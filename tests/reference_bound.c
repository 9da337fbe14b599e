/* SPDX-License-Identifier: Apache-2.0
 *
 * Winograd's minimal filtering computes four outputs of a convolution with T taps in one dimension
 * as y = A ((G w) ∘ (B d)). Every rounding error of that is a small share of some term of
 *   Σ |A| (|G w| ∘ |B| |d|)
 * which is many times Σ |w d|: that is the price, and the magnitude to judge it by. The matrices
 * are made here from the interpolation points alone (Toom-Cook): a row of B holds the coefficients
 * of a product of (x − p), a column of A the powers of p. With B = G = 1 and a row of ones for A
 * the same sums describe the direct convolution, so one function does for all methods.
 */
#include "reference_bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/op/op.h"

enum { max_points = 8, max_outputs = 4, max_taps = 5 };

/* One dimension: absolute values of A and B; G with its signs. */
typedef struct transform {
    int n_outputs, n_points, n_inputs;
    double a[max_outputs][max_points], b[max_points][max_points], g[max_points][max_taps];
} transform;

static transform direct(int taps)
{
    transform t = {.n_outputs = 1, .n_points = taps, .n_inputs = taps};
    for (int i = 0; i < taps; i++)
        t.a[0][i] = t.b[i][i] = t.g[i][i] = 1;
    return t;
}

/* c[k] of Π (x − points[j]) without point `omit`. */
static void product(const double *points, int n, int omit, double c[max_points])
{
    int degree = 0;
    memset(c, 0, max_points * sizeof *c);
    c[0] = 1;
    for (int j = 0; j < n; j++) {
        if (j == omit)
            continue;
        for (int k = ++degree; k >= 0; k--)
            c[k] = (k ? c[k - 1] : 0) - points[j] * c[k];
    }
}

static transform winograd(int taps)
{
    static const double points[] = {0, 1, -1, 2, -2, .5, -.5};
    const int finite = taps + 2;
    transform t = {.n_outputs = 4, .n_points = taps + 3, .n_inputs = taps + 3};
    for (int i = 0; i < t.n_points; i++) {
        product(points, finite, i, t.b[i]);
        double at_point = 0;
        for (int k = 0; k < finite && i < finite; k++)
            at_point += t.b[i][k] * pow(points[i], k);
        for (int k = 0; k < taps; k++)
            t.g[i][k] = i < finite ? pow(points[i], k) / at_point : k == taps - 1;
        for (int k = 0; k < 4; k++)
            t.a[k][i] = i < finite ? fabs(pow(points[i], k)) : k == 3;
        for (int k = 0; k < t.n_inputs; k++)
            t.b[i][k] = fabs(t.b[i][k]);
    }
    return t;
}

/* |G w Gᵀ| of one filter's taps for one channel. */
static void transform_filter(const transform *y, const transform *x, const meso_layer *conv,
                             const float *kernel, int channels, int c, int k,
                             double u[max_points][max_points])
{
    const int *size = conv->set.conv.window.size;
    for (int i = 0; i < y->n_points; i++)
        for (int j = 0; j < x->n_points; j++) {
            double sum = 0;
            for (int r = 0; r < size[0]; r++)
                for (int s = 0; s < size[1]; s++)
                    sum += y->g[i][r] * x->g[j][s] *
                           kernel[((r * size[1] + s) * channels + c) * conv->shape.c + k];
            u[i][j] = fabs(sum);
        }
}

/* |B| |d| |Bᵀ| of the tile whose first output is (row, column). */
static void transform_input(const transform *y, const transform *x, const meso_layer *conv,
                            const double *plane, int row, int column,
                            double v[max_points][max_points])
{
    const meso_window *w = &conv->set.conv.window;
    const int height = conv->shape.h, width = conv->shape.w; /* stride 1, pad same */
    double down[max_points][max_points] = {{0}};
    for (int i = 0; i < y->n_points; i++)
        for (int a = 0; a < y->n_inputs; a++)
            for (int b = 0; b < x->n_inputs && y->b[i][a] > 0; b++) {
                int from_y = row + a - w->before[0], from_x = column + b - w->before[1];
                if (from_y >= 0 && from_y < height && from_x >= 0 && from_x < width)
                    down[i][b] += y->b[i][a] * fabs(plane[from_y * width + from_x]);
            }
    for (int i = 0; i < y->n_points; i++)
        for (int j = 0; j < x->n_points; j++) {
            v[i][j] = 0;
            for (int b = 0; b < x->n_inputs; b++)
                v[i][j] += down[i][b] * x->b[j][b];
        }
}

/* |A| s |Aᵀ| into the tile at (row, column). */
static void inverse(const transform *y, const transform *x, double s[max_points][max_points],
                    double *plane, int width, int row, int column)
{
    for (int r = 0; r < y->n_outputs; r++)
        for (int q = 0; q < x->n_outputs; q++) {
            double *to = &plane[(row + r) * width + column + q];
            *to = 0;
            for (int i = 0; i < y->n_points; i++)
                for (int j = 0; j < x->n_points; j++)
                    *to += y->a[r][i] * x->a[q][j] * s[i][j];
        }
}

/* One tile of every filter of one image. */
static void measure_tile(const transform *y, const transform *x, const meso_layer *conv,
                         const double (*u)[max_points][max_points], const double *image,
                         int channels, int row, int column, double *magnitude)
{
    const size_t plane = (size_t)conv->shape.h * (size_t)conv->shape.w;
    double(*v)[max_points][max_points] = calloc((size_t)channels, sizeof *v);
    for (int c = 0; c < channels; c++)
        transform_input(y, x, conv, image + (size_t)c * plane, row, column, v[c]);
    for (int k = 0; k < conv->shape.c; k++) {
        double s[max_points][max_points] = {{0}};
        for (int c = 0; c < channels; c++, u++)
            for (int i = 0; i < y->n_points; i++)
                for (int j = 0; j < x->n_points; j++)
                    s[i][j] += (*u)[i][j] * v[c][i][j];
        inverse(y, x, s, magnitude + (size_t)k * plane, conv->shape.w, row, column);
    }
    free(v);
}

/* Replaces the magnitudes, which are those of the direct method; returns k, how many times eps of
 * them the rounding errors amount to at most (Higham, Accuracy and Stability of Numerical
 * Algorithms, chapter 3: each of m operations in a row costs eps / 2): the filter's rounding, 4
 * additions and multiplications in each B and each A, and the sum of products; one eps more where
 * the input was scaled. */
static double measure_conv(const meso_layer *conv, const reference_tensor *in, const float *kernel,
                           size_t n, meso_strip_method method, double *magnitude)
{
    const int taps = conv->set.conv.window.size[0], channels = in->shape.c;
    const int down = method != MESO_STRIP_DIRECT, along = method == MESO_STRIP_WINOGRAD_YX;
    const transform y = down ? winograd(taps) : direct(taps);
    const transform x = along ? winograd(taps) : direct(taps);
    const size_t image = meso_shape_size(in->shape), out = meso_shape_size(conv->shape);
    double(*u)[max_points][max_points] =
        calloc((size_t)channels * (size_t)conv->shape.c, sizeof *u);
    for (int k = 0; k < conv->shape.c; k++)
        for (int c = 0; c < channels; c++)
            transform_filter(&y, &x, conv, kernel, channels, c, k, u[k * channels + c]);
    for (size_t i = 0; i < n && down; i++)
        for (int row = 0; row < conv->shape.h; row += y.n_outputs)
            for (int column = 0; column < conv->shape.w; column += x.n_outputs)
                measure_tile(&y, &x, conv, u, in->value + i * image, channels, row, column,
                             magnitude + i * out);
    free(u);
    int products = channels * (down ? 1 : taps) * (along ? 1 : taps);
    return (1 + 8 * (down + along) + products + 1) / 2.0 + 1;
}

reference_bounded reference_bounded_input(meso_shape shape, const double *images, size_t n)
{
    reference_bounded t = {n, reference_tensor_new(shape, n), reference_tensor_new(shape, n)};
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (int y = 0; y < shape.h; y++)
            for (int x = 0; x < shape.w; x++)
                for (int c = 0; c < shape.c; c++)
                    t.value
                        .value[((i * (size_t)shape.c + (size_t)c) * (size_t)shape.h + (size_t)y) *
                                   (size_t)shape.w +
                               (size_t)x] = images[k++];
    return t;
}

void reference_bounded_free(reference_bounded *tensor)
{
    reference_tensor_free(&tensor->value);
    reference_tensor_free(&tensor->bound);
}

static int all_zero(const reference_tensor *t, size_t n)
{
    for (size_t i = 0; i < n * meso_shape_size(t->shape); i++)
        if (t->value[i] != 0)
            return 0;
    return 1;
}

/* Σ |w| · bound: what a layer of weights makes of its input's errors. */
static reference_tensor pass_on(const meso_layer *layer, const float *kernel,
                                const reference_bounded *in)
{
    const int *size = layer->set.conv.window.size;
    size_t n_weights = (size_t)in->value.shape.c * (size_t)layer->shape.c;
    if (layer->op == &meso_op_conv)
        n_weights *= (size_t)size[0] * (size_t)size[1];
    if (all_zero(&in->bound, in->n))
        return reference_tensor_new(layer->shape, in->n);
    float *absolute = calloc(n_weights, sizeof *absolute);
    for (size_t i = 0; i < n_weights; i++)
        absolute[i] = fabsf(kernel[i]);
    reference_tensor out;
    reference_op(layer, &in->bound, (const float *const[]){absolute}, in->n, &out);
    free(absolute);
    return out;
}

/* A layer that multiplies the error of each value by at most `slope` and adds k · eps · scale. */
static void bound_values(const meso_layer *layer, const float *const *p, double eps, size_t i,
                         int c, const reference_tensor *out, double *bound)
{
    const meso_op *op = layer->op;
    double slope = 1, own = 0, size = fabs(out->value[i]);
    if (op == &meso_op_bias) {
        own = out->magnitude[i];
    } else if (op == &meso_op_leaky_relu) {
        slope = fmax(1, layer->set.leaky_relu.slope);
        own = 2 * size;
    } else if (op == &meso_op_elu) { /* OpenCL allows exp 3 ulp; of alpha · (exp − 1), alpha's */
        slope = fmax(1, layer->set.elu.alpha);
        own = 4 * layer->set.elu.alpha + size;
    } else if (op == &meso_op_batch_norm) {
        slope = fabs(p[0][c]) / sqrt((double)p[3][c] + layer->set.batch_norm.epsilon);
        own = 2 * out->magnitude[i];
    }
    *bound = slope * *bound + eps * own;
}

void reference_bounded_op(const meso_layer *layer, const float *const *params,
                          meso_strip_method method, double eps, reference_bounded *tensor)
{
    const size_t n = tensor->n, size = n * meso_shape_size(layer->shape);
    const size_t plane = (size_t)layer->shape.h * (size_t)layer->shape.w;
    reference_tensor value, bound;
    reference_op(layer, &tensor->value, params, n, &value);
    if (layer->op == &meso_op_conv || layer->op == &meso_op_dense) {
        double k = tensor->value.shape.c / 2.0 + 2;
        bound = pass_on(layer, params[0], tensor);
        if (layer->op == &meso_op_conv)
            k = measure_conv(layer, &tensor->value, params[0], n, method, value.magnitude);
        for (size_t i = 0; i < size; i++)
            bound.value[i] += k * eps * value.magnitude[i];
    } else if (layer->op == &meso_op_max_pool || layer->op == &meso_op_flatten) {
        reference_op(layer, &tensor->bound, params, n, &bound);
    } else { /* in place */
        bound = tensor->bound;
        tensor->bound = (reference_tensor){0};
        for (size_t i = 0; i < size; i++)
            bound_values(layer, params, eps, i, (int)(i / plane % (size_t)layer->shape.c), &value,
                         &bound.value[i]);
    }
    reference_bounded_free(tensor);
    tensor->value = value;
    tensor->bound = bound;
}
