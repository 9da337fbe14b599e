/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches at the net's size → logits and other layers, P(fake), P(real).
 */
#include <math.h>
#include <stdlib.h>

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
                              meso_probability *p, meso_error *error)
{
    for (size_t i = 0; i < n; i++) {
        const float *z = logits + i * model->n_outputs;
        double of_output_1 = model->n_outputs == 2 ? (double)z[1] - (double)z[0] : (double)z[0];
        if (!isfinite(of_output_1))
            return meso_fail(error, MESO_ERROR_DATA,
                             "image %zu: the net's result is not finite: weights and input do not "
                             "fit together",
                             first + i);
        double real = model->real_output ? of_output_1 : -of_output_1;
        p[i] = (meso_probability){.fake = sigmoid(-real), .real = sigmoid(real)};
    }
    return MESO_OK;
}

/* Pixels on the host → floats as the net takes them, on the device. `given` is the host's memory as
 * the device sees it. Errors go to the device. */
static meso_status normalize(meso_model *model, const meso_pictures *pixels, meso_buffer *given,
                             meso_pictures *floats)
{
    const meso_shape in = model->net->layers[0].shape;
    *floats = (meso_pictures){.buffer = &model->normalized, .is_float = 1, .n = pixels->n};
    MESO_CHECK(
        meso_buffer_grow(model->device, meso_pictures_bytes(floats, in), &model->normalized));
    MESO_CHECK(meso_buffer_wrap(model->device, (void *)pixels->values,
                                meso_pictures_bytes(pixels, in), given));
    return meso_augment_enqueue(model->normalization, given, 0, pixels->n, NULL,
                                &model->normalized);
}

/* A part of a batch, up to and with layer `last`. Errors go to the device. */
static meso_status run_part(meso_model *model, const meso_infer *infer, const meso_pictures *part,
                            size_t last, float *out)
{
    meso_status status = MESO_OK;
    meso_buffer given = {0};
    meso_pictures floats;
    if (model->normalization && !part->is_float) {
        status = normalize(model, part, &given, &floats);
        part = &floats;
    }
    if (status == MESO_OK)
        status = infer->kind->compute(infer->run, part, last, out);
    if (status != MESO_OK && given.memory)
        meso_device_finish_all(model->device); /* nothing may read the caller's memory any more */
    meso_buffer_release(&given);
    return status;
}

/* As many images at once as the device has memory for: where it refuses, half as many, down to one.
 * out_size: floats of an image. */
static meso_status run_parts(meso_model *model, const meso_infer *infer, const meso_pictures *all,
                             size_t last, size_t out_size, float *out, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_shape in = model->net->layers[0].shape;
    for (size_t done = 0; done < all->n;) {
        const size_t left = all->n - done,
                     n = left < model->batch_that_fits ? left : model->batch_that_fits;
        const meso_pictures before = {.is_float = all->is_float, .n = done};
        const meso_pictures part = {.values = (const char *)all->values +
                                              meso_pictures_bytes(&before, in),
                                    .is_float = all->is_float,
                                    .n = n};
        status = run_part(model, infer, &part, last, out + done * out_size);
        if (status == MESO_ERROR_DEVICE_MEMORY && n > 1) {
            model->batch_that_fits =
                n / 2 < model->batch_that_fits ? n / 2 : model->batch_that_fits;
            meso_model_give_back(model);
            continue;
        }
        MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(model->device));
        done += n;
    }
out:
    return status;
}

static meso_status compute(meso_model *model, const meso_pictures *pictures, float *logits,
                           meso_error *error)
{
    return run_parts(model, &model->infer, pictures, model->logits, model->n_outputs, logits,
                     error);
}

meso_status meso_model_logits(meso_model *model, const uint8_t *pixels, size_t n, float *logits,
                              meso_error *error)
{
    return compute(model, &(meso_pictures){.values = pixels, .n = n}, logits, error);
}

meso_status meso_model_run_batch(meso_model *model, const meso_pictures *b, size_t first,
                                 meso_probability *p, meso_error *error)
{
    meso_status status = MESO_OK;
    float *logits = calloc(b->n * model->n_outputs, sizeof *logits);
    MESO_REQUIRE_MEMORY(logits, error);
    MESO_TRY(compute(model, b, logits, error));
    MESO_TRY(meso_model_finish(model, logits, b->n, first, p, error));
out:
    free(logits);
    return status;
}

static meso_status require_finite(const meso_model *model, const float *input, size_t n,
                                  meso_error *error)
{
    size_t size = meso_shape_size(model->net->layers[0].shape);
    for (size_t i = 0; i < n * size; i++)
        if (!isfinite(input[i]))
            return meso_fail(error, MESO_ERROR_ARGUMENT,
                             "input value %zu of image %zu is not finite", i % size, i / size);
    return MESO_OK;
}

meso_status meso_predict_f32(meso_model *model, const float *input, size_t n, meso_probability *p,
                             meso_error *error)
{
    size_t size = meso_shape_size(model->net->layers[0].shape);
    MESO_CHECK(meso_net_require_scores(model->net, error));
    for (size_t i = 0; i < n; i += model->max_batch) {
        size_t count = n - i < model->max_batch ? n - i : model->max_batch;
        MESO_CHECK(require_finite(model, input + i * size, count, error));
        MESO_CHECK(meso_model_run_batch(
            model, &(meso_pictures){.values = input + i * size, .is_float = 1, .n = count}, i,
            p + i, error));
    }
    return MESO_OK;
}

meso_status meso_model_tap(meso_model *model, const char *layer, const float *input, size_t n,
                           float *out, size_t n_out, meso_error *error)
{
    const meso_layer *found = meso_net_find(model->net, layer);
    MESO_DEMAND(found, error, MESO_ERROR_ARGUMENT, "no layer '%s' in the net %s", layer,
                model->net->name);
    MESO_DEMAND(
        n <= model->max_batch && n_out >= n * meso_shape_size(found->shape), error,
        MESO_ERROR_ARGUMENT,
        "%zu images of %s are %zu values; there is room for %zu, and at most %zu images fit "
        "one batch",
        n, layer, n * meso_shape_size(found->shape), n_out, model->max_batch);
    MESO_CHECK(require_finite(model, input, n, error));
    size_t size = meso_shape_size(found->shape);
    size_t layer_index = (size_t)(found - model->net->layers);
    const meso_pictures all = {.values = input, .is_float = 1, .n = n};
    const meso_infer *infer = &model->infer;
    /* A net cut short, to give features, is computed by the model's path, which is faster. */
    if (!model->about.any_layer && (model->can_predict || layer_index != model->logits)) {
        MESO_CHECK(meso_model_need_layers(model, error));
        infer = &model->layers;
    }
    MESO_CHECK(run_parts(model, infer, &all, layer_index, size, out, error));
    size_t bad = meso_first_not_finite(out, n * size);
    MESO_DEMAND(bad == n * size, error, MESO_ERROR_DATA,
                "the output of layer %s is not finite: value %zu of image %zu", layer, bad % size,
                bad / size);
    return MESO_OK;
}
