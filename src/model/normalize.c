/* SPDX-License-Identifier: Apache-2.0
 *
 * What a model's training did to every picture before the net, and what its answers need as well:
 * samplewise and featurewise centring and scaling.
 */
#include "model/model.h"

meso_status meso_model_open_normalization(meso_model *model, meso_error *error)
{
    meso_status status = MESO_OK;
    const char *text = meso_weights_get(model->weights, "mesocl.normalization");
    const meso_layer *input = &model->net->layers[0];
    meso_augment_settings settings, kept;
    meso_error reason;
    if (!text)
        return MESO_OK;
    status = meso_augment_parse(text, &settings, &reason);
    MESO_REQUIRE(status == MESO_OK, error, MESO_ERROR_DATA,
                 "its normalization (mesocl.normalization) cannot be read: %s", reason.text);
    MESO_REQUIRE(!meso_augment_is_random(&settings) &&
                     meso_augment_normalization(&settings, &kept) && input->shape.c == 3,
                 error, MESO_ERROR_DATA,
                 "its normalization (mesocl.normalization) is none for a net of %d channels: %s",
                 input->shape.c, text);
    status = meso_augment_open(model->device, &settings, (unsigned)input->shape.h,
                               (unsigned)input->shape.w, input->set.input.divide, model->max_batch,
                               &model->normalization);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(model->device));
out:
    return status;
}
