/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures → P(fake), P(real).
 */
#include <math.h>
#include <stdlib.h>

#include "mesocl/image.h"
#include "model/model.h"

/* 1 / (1 + e^−z) without overflow, and exact to the last digits at both ends. */
static double sigmoid(double z)
{
    double e = exp(-fabs(z));
    return (z < 0 ? e : 1) / (1 + e);
}

/* Logits of n images → probabilities. A softmax over two is the sigmoid of their difference. */
static meso_status finish(meso_model *model, const float *logits, size_t n, size_t first,
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

/* Runs what the plan has loaded, n ≤ max_batch images. */
static meso_status run_batch(meso_model *model, size_t n, size_t first, meso_probability *p)
{
    meso_status status = MESO_OK;
    float *logits = calloc(n * model->n_outputs, sizeof *logits);
    MESO_REQUIRE_MEMORY(logits, &model->error);
    status = meso_plan_run(model->plan, model->logits, logits);
    MESO_REQUIRE(status == MESO_OK, &model->error, status, "%s", meso_device_error(model->device));
    MESO_TRY(finish(model, logits, n, first, p));
out:
    free(logits);
    return status;
}

static meso_status require_scores(meso_model *model)
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
    MESO_TRY(require_scores(model));
    MESO_REQUIRE(width > 0 && height > 0 && row_stride >= 3 * (size_t)width, &model->error,
                 MESO_ERROR_ARGUMENT, "pictures of %u x %u with %zu bytes a row", width, height,
                 row_stride);
    for (size_t i = 0; i < n; i += model->max_batch) {
        size_t count = n - i < model->max_batch ? n - i : model->max_batch;
        const uint8_t *fitted;
        MESO_TRY(fit_pixels(model, pixels + i * height * row_stride, count, width, height,
                            row_stride, &fitted));
        status = meso_plan_load_rgb8(model->plan, fitted, count);
        MESO_REQUIRE(status == MESO_OK, &model->error, status, "%s",
                     meso_device_error(model->device));
        MESO_TRY(run_batch(model, count, i, p + i));
    }
out:
    return status;
}

/* Copies n ≤ max_batch float images to the device, after a look at every value. */
static meso_status load_floats(meso_model *model, const float *input, size_t n)
{
    meso_status status = MESO_OK;
    size_t size = meso_shape_size(model->net->layers[0].shape);
    for (size_t i = 0; i < n * size; i++)
        MESO_REQUIRE(isfinite(input[i]), &model->error, MESO_ERROR_ARGUMENT,
                     "input value %zu of image %zu is not finite", i % size, i / size);
    status = meso_plan_load_f32(model->plan, input, n);
    MESO_REQUIRE(status == MESO_OK, &model->error, status, "%s", meso_device_error(model->device));
out:
    return status;
}

meso_status meso_predict_f32(meso_model *model, const float *input, size_t n, meso_probability *p)
{
    meso_status status = MESO_OK;
    size_t size = meso_shape_size(model->net->layers[0].shape);
    MESO_TRY(require_scores(model));
    for (size_t i = 0; i < n; i += model->max_batch) {
        size_t count = n - i < model->max_batch ? n - i : model->max_batch;
        MESO_TRY(load_floats(model, input + i * size, count));
        MESO_TRY(run_batch(model, count, i, p + i));
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
    MESO_TRY(load_floats(model, input, n));
    status = meso_plan_run(model->plan, (size_t)(found - model->net->layers), out);
    MESO_REQUIRE(status == MESO_OK, &model->error, status, "%s", meso_device_error(model->device));
out:
    return status;
}
