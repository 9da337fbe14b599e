/* SPDX-License-Identifier: Apache-2.0 */
#include "net/product.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "runtime/clblast.h"
#include "runtime/tuning.h"

/* Of a band: 16 MiB. VGG16's largest convolution would take 115 MB in one piece. */
enum { band_floats = 1 << 22, check_seed = 1 };

/* Of the layer's largest value. Another order of the sums makes 1e-5, half precision 1e-3. */
static const double tolerance = 1e-4;

struct meso_products {
    meso_device *device;
    const meso_net *net;
    size_t max_batch;
    meso_buffer band; /* a convolution's input, spread out */
    int row[MESO_MAX_TUNABLES];
    int any_wanted;
    unsigned char is_product[MESO_MAX_LAYERS];
    int wait; /* while checking: kernels are compiled */
};

static int is_conv(const meso_layer *layer)
{
    return layer->op == &meso_op_conv;
}

/* Terms of the sum that makes one value of the output. */
static size_t inner_length(const meso_net *net, const meso_layer *layer)
{
    const int *size = layer->set.conv.window.size;
    return (size_t)net->layers[layer->inputs[0]].shape.c *
           (is_conv(layer) ? (size_t)size[0] * (size_t)size[1] : 1);
}

/* Tuning's row (dense, convolution) says from how many terms on a layer is a product; 0: never. */
static int is_wanted(const meso_products *p, const meso_layer *layer)
{
    if (!is_conv(layer) && layer->op != &meso_op_dense)
        return 0;
    const int least = p->row[is_conv(layer)];
    return least > 0 && inner_length(p->net, layer) >= (size_t)least;
}

static void switch_off(meso_products *p, const char *reason)
{
    meso_clblast_switch_off(p->device, reason);
    memset(p->is_product, 0, sizeof p->is_product);
}

meso_status meso_products_create(meso_device *device, const meso_net *net, size_t max_batch,
                                 meso_products **products)
{
    int row[MESO_MAX_TUNABLES];
    *products = NULL;
    if (!meso_tuning_of(meso_device_get_info(device), &meso_tuning_clblast, net->name, row))
        return MESO_OK;
    meso_products *p = calloc(1, sizeof *p);
    MESO_DEMAND_MEMORY(p, meso_device_error_slot(device));
    *p = (meso_products){.device = device, .net = net, .max_batch = max_batch};
    memcpy(p->row, row, sizeof p->row);
    *products = p;
    return MESO_OK;
}

void meso_products_close(meso_products *products)
{
    if (products)
        meso_buffer_release(&products->band);
    free(products);
}

void meso_products_tuning(const meso_products *products, int *values)
{
    for (size_t i = 0; i < meso_tuning_n(&meso_tuning_clblast); i++)
        values[i] = products ? products->row[i] : 0;
}

int meso_products_has(const meso_products *products, const meso_layer *layer)
{
    return products && products->is_product[layer - products->net->layers] &&
           !*meso_clblast_off(products->device);
}

static int band_rows(const meso_step *step)
{
    const size_t rows =
        band_floats / (inner_length(step->net, step->layer) * (size_t)step->output.row_stride);
    const int height = step->output.shape.h;
    return rows < 1 ? 1 : rows < (size_t)height ? (int)rows : height;
}

/* `rows` rows of one image's output, from row y on: [filters][inner] · [inner][rows · stride]. */
static meso_status multiply_band(meso_products *p, const meso_step *step, int image, int y,
                                 int rows)
{
    const meso_window *w = &step->layer->set.conv.window;
    const meso_tensor_view *out = &step->output;
    const size_t inner = inner_length(step->net, step->layer), stride = (size_t)out->row_stride;
    meso_tensor_view in = step->inputs[0];
    in.first += image;
    MESO_CHECK(meso_launch(p->device, MESO_KERNEL_CONV_SPREAD, MESO_GLOBAL(stride, rows, inner),
                           MESO_ARGS(MESO_VIEW(&in), &p->band, meso_arg_tensor(out), y, rows,
                                     w->size[1], w->stride[0], w->stride[1], w->dilation[0],
                                     w->dilation[1], w->before[0], w->before[1])));
    const size_t filters = (size_t)out->shape.c;
    const size_t first = (size_t)(out->first + image) * meso_tensor_size(out) +
                         (size_t)(y + out->pad) * stride + (size_t)out->pad;
    const meso_product product = {.m = filters,
                                  .n = (size_t)(rows - 1) * stride + (size_t)out->shape.w,
                                  .k = inner,
                                  .transposed = 1,
                                  .a = {step->params[0], 0, filters},
                                  .b = {&p->band, 0, (size_t)rows * stride},
                                  .c = {out->buffer, first, meso_tensor_plane(out)}};
    meso_device_cost(p->device, (double)(filters * inner) * rows * out->shape.w, NAN);
    return meso_clblast_multiply(p->device, &product, p->wait);
}

static meso_status convolve(meso_products *p, const meso_step *step)
{
    meso_status status = MESO_OK;
    const int height = step->output.shape.h, most = band_rows(step);
    for (int image = 0; image < (int)step->n; image++)
        for (int y = 0; y < height && status == MESO_OK; y += most)
            status = multiply_band(p, step, image, y, y + most < height ? most : height - y);
    return status;
}

/* All images there is room for, whatever lies there: so the product, and what an image gets from
 * it, is the same for every batch. */
static meso_status multiply_vectors(const meso_products *p, const meso_step *step)
{
    const size_t inputs = (size_t)step->inputs[0].shape.c, units = (size_t)step->output.shape.c;
    const meso_product product = {.m = p->max_batch,
                                  .n = units,
                                  .k = inputs,
                                  .a = {step->inputs[0].buffer, 0, inputs},
                                  .b = {step->params[0], 0, units},
                                  .c = {step->output.buffer, 0, units}};
    meso_device_cost(p->device, meso_step_multiply_adds(step), NAN);
    return meso_clblast_multiply(p->device, &product, p->wait);
}

meso_status meso_products_forward(meso_products *p, const meso_step *step)
{
    return is_conv(step->layer) ? convolve(p, step) : multiply_vectors(p, step);
}

/* A step's tensor in the host's memory. */
static meso_status read(const meso_products *p, const meso_tensor_view *view, size_t n,
                        float *values)
{
    return meso_buffer_read(p->device, view->buffer, 0, values,
                            n * meso_tensor_size(view) * sizeof *values);
}

static meso_status write(const meso_products *p, const meso_tensor_view *view, size_t n,
                         const float *values)
{
    return meso_buffer_write(p->device, view->buffer, 0, values,
                             n * meso_tensor_size(view) * sizeof *values);
}

/* Random pixels and zeros around them, or NaN everywhere. */
static void draw(const meso_tensor_view *view, size_t n, int poison, float *values)
{
    meso_random random = {check_seed};
    const int h = view->shape.h + 2 * view->pad, stride = view->row_stride, pad = view->pad;
    for (size_t plane = 0; plane < n * (size_t)view->shape.c; plane++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < stride; x++) {
                int inside = y >= pad && y < h - pad && x >= pad && x < pad + view->shape.w;
                *values++ = poison ? NAN : inside ? (float)meso_random_uniform(&random, -1, 1) : 0;
            }
}

/* The largest difference between pixels, over the largest pixel; NaN or infinite where something is
 * wrong with any. */
static double compare(const meso_tensor_view *view, size_t n, const float *expected,
                      const float *got)
{
    double largest = 0, difference = 0;
    const size_t plane = meso_tensor_plane(view), stride = (size_t)view->row_stride;
    for (size_t i = 0; i < n * meso_tensor_size(view); i++) {
        const size_t y = i % plane / stride, x = i % stride, pad = (size_t)view->pad;
        if (y < pad || y >= pad + (size_t)view->shape.h || x < pad ||
            x >= pad + (size_t)view->shape.w)
            continue;
        const double d = fabs((double)got[i] - expected[i]);
        if (!(d <= difference))
            difference = d;
        if (!isfinite(difference))
            return difference;
        largest = fmax(largest, fabs(expected[i]));
    }
    return difference > 0 ? difference / largest : 0;
}

/* Both ways from the same input. Errors: those of the device. */
static meso_status try_both(meso_products *p, const meso_step *step, float *in, float *expected,
                            float *got, double *difference)
{
    draw(&step->inputs[0], step->n, 0, in);
    draw(&step->output, step->n, 1, got);
    MESO_CHECK(write(p, &step->inputs[0], step->n, in));
    MESO_CHECK(step->layer->op->forward(p->device, step));
    MESO_CHECK(read(p, &step->output, step->n, expected));
    MESO_CHECK(write(p, &step->output, step->n, got));
    MESO_CHECK(meso_products_forward(p, step));
    MESO_CHECK(read(p, &step->output, step->n, got));
    *difference = compare(&step->output, step->n, expected, got);
    return MESO_OK;
}

static meso_status need_band(meso_products *p, const meso_step *step)
{
    const size_t floats = inner_length(step->net, step->layer) * (size_t)band_rows(step) *
                          (size_t)step->output.row_stride;
    if (p->band.bytes >= floats * sizeof(float))
        return MESO_OK;
    meso_buffer_release(&p->band);
    return meso_buffer_create(p->device, floats * sizeof(float), &p->band);
}

/* A layer with the same settings and sizes stands in front, and has been checked. */
static int is_known(const meso_products *p, const meso_layer *layer)
{
    const meso_layer *layers = p->net->layers;
    for (const meso_layer *found = layers; found < layer; found++)
        if (found->op == layer->op && meso_products_has(p, found) &&
            memcmp(&found->set, &layer->set, sizeof layer->set) == 0 &&
            memcmp(&layers[found->inputs[0]].shape, &layers[layer->inputs[0]].shape,
                   sizeof(meso_shape)) == 0)
            return 1;
    return 0;
}

/* The answer against the plain kernel's. Errors: MEMORY. */
static meso_status check(meso_products *p, const meso_step *step)
{
    meso_status status = MESO_OK;
    char reason[MESO_PRODUCTS_TEXT];
    double difference = NAN;
    meso_error *error = meso_device_error_slot(p->device);
    float *in = malloc(step->n * meso_tensor_size(&step->inputs[0]) * sizeof *in);
    float *expected = malloc(step->n * meso_tensor_size(&step->output) * sizeof *expected);
    float *got = malloc(step->n * meso_tensor_size(&step->output) * sizeof *got);
    MESO_REQUIRE_MEMORY(in && expected && got, error);
    p->wait = 1;
    status = try_both(p, step, in, expected, got, &difference);
    p->wait = 0;
    if (status != MESO_OK)
        snprintf(reason, sizeof reason, "layer %s: %.150s", step->layer->name, error->text);
    else
        snprintf(reason, sizeof reason, "layer %s: a product differs by %.3g of its largest value",
                 step->layer->name, difference);
    if (status != MESO_OK || !(difference <= tolerance))
        switch_off(p, reason);
    status = MESO_OK;
    meso_error_clear(error);
out:
    free(in);
    free(expected);
    free(got);
    return status;
}

meso_status meso_products_add(meso_products *p, const meso_step *given)
{
    meso_status status = MESO_OK;
    meso_step step = *given;
    const int padded = step.inputs[0].pad || step.output.pad; /* a vector's values lie apart */
    if (!is_wanted(p, step.layer) || (!is_conv(step.layer) && padded))
        return MESO_OK;
    p->any_wanted = 1;
    if (!meso_clblast_load())
        switch_off(p, "this build or this machine has no CLBlast");
    if (*meso_clblast_off(p->device))
        return MESO_OK;
    step.n = is_conv(step.layer) ? 1 : p->max_batch;
    if (is_conv(step.layer) && need_band(p, &step) != MESO_OK)
        switch_off(p, meso_device_error(p->device));
    else if (!is_known(p, step.layer))
        status = check(p, &step);
    p->is_product[step.layer - p->net->layers] = status == MESO_OK && !*meso_clblast_off(p->device);
    return status;
}

void meso_products_describe(const meso_products *p, char text[MESO_PRODUCTS_TEXT])
{
    size_t n_conv = 0, n_dense = 0;
    *text = '\0';
    if (!p || !p->any_wanted)
        return;
    for (size_t i = 0; i < p->net->n_layers; i++)
        if (p->is_product[i])
            ++*(is_conv(&p->net->layers[i]) ? &n_conv : &n_dense);
    if (*meso_clblast_off(p->device))
        snprintf(text, MESO_PRODUCTS_TEXT, "switched off: %s", meso_clblast_off(p->device));
    else
        snprintf(text, MESO_PRODUCTS_TEXT, "%zu convolution%s, %zu dense layer%s", n_conv,
                 n_conv == 1 ? "" : "s", n_dense, n_dense == 1 ? "" : "s");
}
