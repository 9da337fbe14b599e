/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch on its way to the device.
 */
#include "base/error.h"
#include "model/train/trainer_object.h"

static meso_status check(meso_trainer *t, const meso_train_batch *batch)
{
    meso_status status = MESO_OK;
    meso_error_clear(&t->error);
    MESO_REQUIRE(batch->n >= 1 && batch->n <= t->settings.max_batch, &t->error, MESO_ERROR_ARGUMENT,
                 "a batch of %zu images; the trainer was opened for 1 to %zu", batch->n,
                 t->settings.max_batch);
    MESO_REQUIRE(!batch->pixels != !batch->values, &t->error, MESO_ERROR_ARGUMENT,
                 "a batch has either pixels or values");
    MESO_REQUIRE(!batch->augment || batch->pixels, &t->error, MESO_ERROR_ARGUMENT,
                 "augmentation takes pixels, not values");
    for (size_t i = 0; i < batch->n; i++)
        MESO_REQUIRE(batch->classes[i] <= 1, &t->error, MESO_ERROR_ARGUMENT,
                     "image %zu is of class %d; there are 0 and 1", i, batch->classes[i]);
out:
    return status;
}

/* Drawn pictures that stay whole numbers go the way of pixels. */
static int stays_pixels(const meso_train_batch *batch)
{
    return batch->draws && meso_augment_gives_pixels(batch->augment);
}

/* Pixels → t->augmented, on all lanes. */
static meso_status augment(meso_trainer *t, const meso_train_batch *batch,
                           const meso_trainer_upload *u)
{
    meso_status status = MESO_OK;
    const size_t size = meso_shape_size(t->net->layers[0].shape), n = batch->n;
    const meso_buffer *draws = batch->draws ? &u->draws : NULL;
    if (!t->augmented.memory)
        MESO_TRY(meso_buffer_create(t->device, t->settings.max_batch * size * sizeof(float),
                                    &t->augmented));
    for (size_t l = 0; l < t->n_lanes; l++) {
        const size_t begin = l * n / t->n_lanes, end = (l + 1) * n / t->n_lanes;
        if (begin == end)
            continue;
        meso_device_use_lane(t->device, (int)l);
        MESO_TRY((stays_pixels(batch) ? meso_augment_enqueue_pixels : meso_augment_enqueue)(
            batch->augment, &u->given, begin, end - begin, draws, &t->augmented));
        MESO_TRY(meso_device_flush(t->device));
    }
    for (size_t l = 0; l < t->n_lanes; l++) {
        meso_device_use_lane(t->device, (int)l);
        MESO_TRY(meso_device_finish(t->device));
    }
out:
    meso_device_use_lane(t->device, MESO_WHOLE_DEVICE);
    return status;
}

meso_status meso_trainer_upload_batch(meso_trainer *t, const meso_train_batch *batch,
                                      meso_trainer_upload *u)
{
    const size_t n_values = batch->n * meso_shape_size(t->net->layers[0].shape);
    void *memory = batch->pixels ? (void *)batch->pixels : (void *)batch->values;
    const int is_float = !batch->pixels || (batch->augment && !stays_pixels(batch));
    *u = (meso_trainer_upload){
        .input = {.is_float = is_float, .classes = batch->classes, .n = batch->n}};
    meso_status status = check(t, batch);
    if (status != MESO_OK)
        return status;
    /* Memory that the device shares is not copied. */
    MESO_TRY(meso_buffer_wrap(t->device, memory, n_values * (batch->pixels ? 1 : sizeof(float)),
                              &u->given));
    if (batch->augment && batch->draws)
        MESO_TRY(meso_buffer_wrap(t->device, (void *)batch->draws, batch->n * sizeof *batch->draws,
                                  &u->draws));
    if (batch->augment)
        MESO_TRY(augment(t, batch, u));
    u->input.pixels = batch->augment ? &t->augmented : &u->given;
out:
    return status == MESO_OK ? status : meso_trainer_device_failed(t, status);
}

void meso_trainer_upload_release(meso_trainer_upload *upload)
{
    meso_buffer_release(&upload->given);
    meso_buffer_release(&upload->draws);
}
