/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of the caller's size and memory → P(fake), P(real).
 */
#include <stdlib.h>
#include <string.h>

#include "mesocl/image.h"
#include "mesocl/stream.h"
#include "model/model.h"

/* As the caller has them. */
typedef struct given {
    const uint8_t *pixels;
    unsigned width, height;
    size_t row_stride;
} given;

static const uint8_t *picture_of(const given *g, size_t i)
{
    return g->pixels + i * g->height * g->row_stride;
}

static int fits(const meso_model *model, const given *g)
{
    const meso_shape in = model->net->layers[0].shape;
    return g->width == (unsigned)in.w && g->height == (unsigned)in.h &&
           g->row_stride == 3 * (size_t)g->width;
}

/* Pictures first … first + n − 1 at the net's size. */
static void fit_pixels(const meso_model *model, const given *g, size_t first, size_t n, uint8_t *to)
{
    const meso_shape in = model->net->layers[0].shape;
    const size_t image_bytes = meso_shape_size(in);
    if (fits(model, g)) {
        memcpy(to, picture_of(g, first), n * image_bytes);
        return;
    }
    for (size_t i = 0; i < n; i++)
        meso_resize_nearest_rgb8(picture_of(g, first + i), g->width, g->height, g->row_stride,
                                 to + i * image_bytes, (unsigned)in.w, (unsigned)in.h);
}

/* A batch from the caller's own pixels where they are at the net's size, else from copies. */
static meso_status predict_batch(meso_model *model, const given *g, size_t first, size_t n,
                                 meso_probability *p, meso_error *error)
{
    meso_pictures pictures = {.values = picture_of(g, first), .n = n};
    if (!fits(model, g)) {
        if (!model->resized)
            model->resized =
                malloc(model->max_batch * meso_shape_size(model->net->layers[0].shape));
        MESO_DEMAND_MEMORY(model->resized, error);
        fit_pixels(model, g, first, n, model->resized);
        pictures.values = model->resized;
    }
    return meso_model_run_batch(model, &pictures, first, p, error);
}

/* Two slots of half a batch: one is filled and copied while the other is computed. */
static meso_status open_slots(meso_model *model, meso_error *error)
{
    if (model->slots)
        return MESO_OK;
    model->close_slots = meso_stream_close;
    return meso_stream_open(model, 2, (model->max_batch + 1) / 2, &model->slots, error);
}

static meso_status predict_in_slots(meso_model *model, const given *g, size_t n,
                                    meso_probability *p, meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t batch = meso_stream_batch(model->slots), n_parts = (n + batch - 1) / batch;
    size_t slots[2];
    uint8_t *pixels;
    for (size_t i = 0; i <= n_parts; i++) {
        const size_t first = i * batch, count = n - first < batch ? n - first : batch;
        if (i < n_parts) {
            MESO_TRY(meso_stream_map(model->slots, &slots[i % 2], &pixels, error));
            fit_pixels(model, g, first, count, pixels);
            MESO_TRY(meso_stream_submit(model->slots, slots[i % 2], count, error));
        }
        if (i > 0)
            MESO_TRY(meso_model_wait_slot(model->slots, slots[(i - 1) % 2], first - batch,
                                          p + first - batch, error));
    }
out:
    if (status != MESO_OK) { /* the other slot may be at work */
        meso_stream_close(model->slots);
        model->slots = NULL;
    }
    return status;
}

meso_status meso_predict_rgb8(meso_model *model, const uint8_t *pixels, size_t n, unsigned width,
                              unsigned height, size_t row_stride, meso_probability *p,
                              meso_error *error)
{
    const given g = {pixels, width, height, row_stride};
    meso_status status = MESO_ERROR_DEVICE_MEMORY;
    MESO_CHECK(meso_net_require_scores(model->net, error));
    MESO_DEMAND(width > 0 && height > 0 && row_stride >= 3 * (size_t)width, error,
                MESO_ERROR_ARGUMENT, "pictures of %u x %u with %zu bytes a row", width, height,
                row_stride);
    if (model->about.copies && n > 0)
        status = open_slots(model, error);
    if (status == MESO_OK)
        return predict_in_slots(model, &g, n, p, error);
    if (status != MESO_ERROR_DEVICE_MEMORY)
        return status;
    for (size_t i = 0; i < n; i += model->max_batch) {
        const size_t count = n - i < model->max_batch ? n - i : model->max_batch;
        MESO_CHECK(predict_batch(model, &g, i, count, p + i, error));
    }
    return MESO_OK;
}

meso_status meso_predict_file(meso_model *model, const char *path, meso_probability *p,
                              meso_error *error)
{
    meso_image image = MESO_INIT(meso_image);
    meso_status status = meso_image_load(path, NULL, &image, NULL, error);
    if (status == MESO_OK)
        status = meso_predict_rgb8(model, image.rgb, 1, image.width, image.height,
                                   3 * (size_t)image.width, p, error);
    meso_image_free(&image);
    return status;
}
