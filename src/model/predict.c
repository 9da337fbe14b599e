/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures → P(fake), P(real).
 */
#include <math.h>
#include <stdlib.h>

#include "mesocl/image.h"
#include "model/model.h"
#include "model/weights/weights.h"

/* 1 / (1 + e^−z) without overflow, and exact to the last digits at both ends. */
static double sigmoid(double z)
{
    double e = exp(-fabs(z));
    return (z < 0 ? e : 1) / (1 + e);
}

/* Logits of n images → probabilities. A softmax over two is the sigmoid of their difference. */
meso_status meso_model_finish(meso_model *model, const float *logits, size_t n, size_t first,
                              meso_probability *p)
{
    for (size_t i = 0; i < n; i++) {
        const float *z = logits + i * model->n_outputs;
        double of_output_1 = model->n_outputs == 2 ? (double)z[1] - (double)z[0] : (double)z[0];
        if (!isfinite(of_output_1))
            return meso_fail(&model->error, MESO_ERROR_DATA,
                             "image %zu: the net's result is not finite: weights and input do not "
                             "fit together",
                             first + i);
        double real = model->real_output ? of_output_1 : -of_output_1;
        p[i] = (meso_probability){.fake = sigmoid(-real), .real = sigmoid(real)};
    }
    return MESO_OK;
}

/* n ≤ max_batch images as the net takes them: 8-bit pixels, or floats. */
typedef struct batch {
    const void *values;
    int is_float;
    size_t n;
} batch;

static size_t value_bytes(const batch *b)
{
    return b->is_float ? sizeof(float) : 1;
}

/* The caller's memory as the device sees it. */
static meso_status wrap_values(meso_model *model, const batch *b, meso_buffer *values)
{
    return meso_buffer_wrap(model->device, (void *)b->values,
                            b->n * meso_shape_size(model->net->layers[0].shape) * value_bytes(b),
                            values);
}

/* A plan up to and with layer `last`. Errors go to the device. */
static meso_status run_plan(meso_model *model, meso_plan *plan, const batch *b, size_t last,
                            float *out)
{
    meso_status status = MESO_OK;
    meso_buffer pixels = {0};
    if (b->is_float) {
        MESO_TRY(meso_plan_load_f32(plan, b->values, b->n));
    } else if (!model->normalization) {
        MESO_TRY(meso_plan_load_rgb8(plan, b->values, b->n));
    } else {
        MESO_TRY(wrap_values(model, b, &pixels));
        MESO_TRY(meso_model_normalize(model, &pixels, b->n, meso_plan_floats(plan, b->n)));
    }
    MESO_TRY(meso_plan_run(plan, 0, last, b->n, out));
out:
    if (status != MESO_OK && pixels.memory)
        meso_device_finish(model->device); /* nothing may read the caller's memory any more */
    meso_buffer_release(&pixels);
    return status;
}

/* Normalized pictures for the fused part, which reads them on other queues. */
static meso_status normalize_whole(meso_model *model, const meso_buffer *pixels, size_t n,
                                   meso_buffer *floats)
{
    meso_status status = MESO_OK;
    MESO_TRY(meso_buffer_create(
        model->device, n * meso_shape_size(model->net->layers[0].shape) * sizeof(float), floats));
    status = meso_model_normalize(model, pixels, n, floats);
    meso_status finished = meso_device_finish(model->device);
    MESO_TRY(status);
    MESO_TRY(finished);
out:
    return status;
}

/* The fused part, and behind it what has no fused kernel on the plain path. Errors go to the
 * device. */
static meso_status run_fused(meso_model *model, const batch *b, float *logits)
{
    meso_status status = MESO_OK;
    meso_tensor_view planar = {0};
    meso_buffer pixels = {0}, floats = {0};
    const int normalize = model->normalization && !b->is_float;
    const size_t last = meso_strip_get_plan(model->strips)->last;
    const int whole = last == model->logits;
    if (!whole)
        planar = meso_plan_view(model->plan, last);
    MESO_TRY(wrap_values(model, b, &pixels));
    if (normalize)
        MESO_TRY(normalize_whole(model, &pixels, b->n, &floats));
    MESO_TRY(meso_strip_enqueue(model->strips, normalize ? &floats : &pixels,
                                b->is_float || normalize, b->n, whole ? NULL : &planar));
    if (whole) {
        MESO_TRY(meso_strip_logits(model->strips, b->n, logits));
    } else {
        MESO_TRY(meso_strip_wait(model->strips));
        MESO_TRY(meso_plan_run(model->plan, last + 1, model->logits, b->n, logits));
    }
out:
    if (status != MESO_OK && pixels.memory)
        meso_strip_wait(model->strips); /* nothing may read the caller's memory any more */
    meso_buffer_release(&floats);
    meso_buffer_release(&pixels);
    return status;
}

int meso_model_on_lanes(const meso_model *model)
{
    return model->strips && meso_strip_get_plan(model->strips)->last == model->logits;
}

/* A part of a batch, up to and with layer `last`, on the plain path if plain is set. Errors go to
 * the model. */
static meso_status run_part(meso_model *model, const batch *b, size_t last, int plain, float *out)
{
    meso_status status = MESO_OK;
    const int tiled = model->tiles && !plain;
    if (!meso_model_on_lanes(model) || plain)
        MESO_TRY(meso_model_need_plan(model, tiled));
    if (b->n > model->fits)
        return MESO_ERROR_DEVICE_MEMORY; /* the plan has room for fewer */
    status = model->strips && !plain
                 ? run_fused(model, b, out)
                 : run_plan(model, tiled ? model->tiled : model->plan, b, last, out);
    MESO_REQUIRE(status == MESO_OK, &model->error, status, "%s", meso_device_error(model->device));
out:
    return status;
}

/* As many images at once as the device has memory for: where it refuses, half as many, down to one.
 * out_size: floats of an image. */
static meso_status run_parts(meso_model *model, const batch *b, size_t last, int plain,
                             size_t out_size, float *out)
{
    meso_status status = MESO_OK;
    const size_t image_bytes = meso_shape_size(model->net->layers[0].shape) * value_bytes(b);
    for (size_t done = 0; done < b->n;) {
        size_t left = b->n - done, n = left < model->fits ? left : model->fits;
        const batch part = {(const char *)b->values + done * image_bytes, b->is_float, n};
        status = run_part(model, &part, last, plain, out + done * out_size);
        if (status == MESO_ERROR_DEVICE_MEMORY && n > 1) {
            model->fits = n / 2 < model->fits ? n / 2 : model->fits;
            meso_plan_close(model->plan);
            meso_plan_close(model->tiled);
            model->plan = model->tiled = NULL;
            meso_error_clear(&model->error);
            continue;
        }
        MESO_TRY(status);
        done += n;
    }
out:
    return status;
}

static meso_status compute(meso_model *model, const batch *b, float *logits)
{
    return run_parts(model, b, model->logits, model->path == MESO_PATH_PLAIN, model->n_outputs,
                     logits);
}

meso_status meso_model_logits(meso_model *model, const uint8_t *pixels, size_t n, float *logits)
{
    return compute(model, &(batch){pixels, 0, n}, logits);
}

static meso_status run_batch(meso_model *model, const batch *b, size_t first, meso_probability *p)
{
    meso_status status = MESO_OK;
    float *logits = calloc(b->n * model->n_outputs, sizeof *logits);
    MESO_REQUIRE_MEMORY(logits, &model->error);
    MESO_TRY(compute(model, b, logits));
    MESO_TRY(meso_model_finish(model, logits, b->n, first, p));
out:
    free(logits);
    return status;
}

meso_status meso_model_require_scores(meso_model *model)
{
    meso_error_clear(&model->error);
    if (model->can_predict)
        return MESO_OK;
    return meso_fail(
        &model->error, MESO_ERROR_DATA,
        "the net %s gives %zu outputs of %s: predicting fake or real needs RGB input and "
        "one output of sigmoid or two of softmax",
        model->net->name, model->n_outputs, model->net->layers[model->net->n_layers - 1].op->name);
}

/* A batch at the net's size: the caller's own pixels where they already are, else resized copies.
 */
static meso_status fit_pixels(meso_model *model, const uint8_t *pixels, size_t n, unsigned width,
                              unsigned height, size_t row_stride, const uint8_t **fitted)
{
    meso_status status = MESO_OK;
    const meso_shape in = model->net->layers[0].shape;
    size_t image_bytes = meso_shape_size(in);
    *fitted = pixels;
    if (width == (unsigned)in.w && height == (unsigned)in.h && row_stride == 3 * (size_t)width)
        return MESO_OK;
    if (!model->resized)
        model->resized = malloc(model->max_batch * image_bytes);
    MESO_REQUIRE_MEMORY(model->resized, &model->error);
    for (size_t i = 0; i < n; i++)
        meso_resize_nearest_rgb8(pixels + i * height * row_stride, width, height, row_stride,
                                 model->resized + i * image_bytes, (unsigned)in.w, (unsigned)in.h);
    *fitted = model->resized;
out:
    return status;
}

meso_status meso_predict_rgb8(meso_model *model, const uint8_t *pixels, size_t n, unsigned width,
                              unsigned height, size_t row_stride, meso_probability *p)
{
    meso_status status = MESO_OK;
    MESO_TRY(meso_model_require_scores(model));
    MESO_REQUIRE(width > 0 && height > 0 && row_stride >= 3 * (size_t)width, &model->error,
                 MESO_ERROR_ARGUMENT, "pictures of %u x %u with %zu bytes a row", width, height,
                 row_stride);
    for (size_t i = 0; i < n; i += model->max_batch) {
        size_t count = n - i < model->max_batch ? n - i : model->max_batch;
        const uint8_t *fitted;
        MESO_TRY(fit_pixels(model, pixels + i * height * row_stride, count, width, height,
                            row_stride, &fitted));
        MESO_TRY(run_batch(model, &(batch){fitted, 0, count}, i, p + i));
    }
out:
    return status;
}

static meso_status require_finite(meso_model *model, const float *input, size_t n)
{
    size_t size = meso_shape_size(model->net->layers[0].shape);
    for (size_t i = 0; i < n * size; i++)
        if (!isfinite(input[i]))
            return meso_fail(&model->error, MESO_ERROR_ARGUMENT,
                             "input value %zu of image %zu is not finite", i % size, i / size);
    return MESO_OK;
}

meso_status meso_predict_f32(meso_model *model, const float *input, size_t n, meso_probability *p)
{
    meso_status status = MESO_OK;
    size_t size = meso_shape_size(model->net->layers[0].shape);
    MESO_TRY(meso_model_require_scores(model));
    for (size_t i = 0; i < n; i += model->max_batch) {
        size_t count = n - i < model->max_batch ? n - i : model->max_batch;
        MESO_TRY(require_finite(model, input + i * size, count));
        MESO_TRY(run_batch(model, &(batch){input + i * size, 1, count}, i, p + i));
    }
out:
    return status;
}

meso_status meso_model_tap(meso_model *model, const char *layer, const float *input, size_t n,
                           float *out, size_t n_out)
{
    meso_status status = MESO_OK;
    const meso_layer *found = meso_net_find(model->net, layer);
    meso_error_clear(&model->error);
    MESO_REQUIRE(found, &model->error, MESO_ERROR_ARGUMENT, "no layer '%s' in the net %s", layer,
                 model->net->name);
    MESO_REQUIRE(
        n <= model->max_batch && n_out >= n * meso_shape_size(found->shape), &model->error,
        MESO_ERROR_ARGUMENT,
        "%zu images of %s are %zu values; there is room for %zu, and at most %zu images fit "
        "one batch",
        n, layer, n * meso_shape_size(found->shape), n_out, model->max_batch);
    MESO_TRY(require_finite(model, input, n));
    size_t size = meso_shape_size(found->shape);
    size_t layer_index = (size_t)(found - model->net->layers);
    const batch all = {input, 1, n};
    /* A net cut short, to give features: computed by the model's path, which is faster. */
    if (!model->can_predict && layer_index == model->logits)
        MESO_TRY(compute(model, &all, out));
    else
        MESO_TRY(run_parts(model, &all, layer_index, 1, size, out));
    size_t bad = meso_first_not_finite(out, n * size);
    MESO_REQUIRE(bad == n * size, &model->error, MESO_ERROR_DATA,
                 "the output of layer %s is not finite: value %zu of image %zu", layer, bad % size,
                 bad / size);
out:
    return status;
}
