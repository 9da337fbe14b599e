/* SPDX-License-Identifier: Apache-2.0
 *
 * A net with its weights on a device: opening, and what the caller may ask of it.
 */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/structs.h"
#include "base/text.h"
#include "model/model_tuning.h"
#include "model/weights/weights.h"

/* "fake,real" → the two names and which of them is real. */
static meso_status set_classes(meso_model *model, const char *classes, meso_error *error)
{
    meso_classes parsed;
    meso_status status = meso_classes_parse(classes, MESO_ERROR_DATA, &parsed, error);
    if (status == MESO_OK) {
        memcpy(model->class_names, parsed.names, sizeof model->class_names);
        model->real_output = parsed.real;
    }
    return status;
}

/* Probabilities are finished on the host in double precision from what the last layer is given, so
 * that neither P(fake) nor P(real) loses digits. */
static void find_logits(meso_model *model)
{
    const meso_layer *last = &model->net->layers[model->net->n_layers - 1];
    int squashed = last->op == &meso_op_sigmoid || last->op == &meso_op_softmax;
    model->n_outputs = meso_shape_size(last->shape);
    model->logits = squashed ? last->inputs[0] : model->net->n_layers - 1;
    model->can_predict = meso_net_require_scores(model->net, NULL) == MESO_OK;
}

static meso_status open_infer(meso_model *model, meso_path path, size_t n_lanes, meso_infer *infer,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_net *net = model->net;
    const float **params = calloc(net->n_params + 1, sizeof *params);
    const meso_infer_settings settings = {params, n_lanes, model->logits};
    MESO_REQUIRE_MEMORY(params, error);
    for (size_t i = 0; i < net->n_params; i++)
        params[i] = meso_weights_find(model->weights, net->params[i].name)->values;
    status = meso_infer_open(model->device, net, path, &settings, infer);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(model->device));
out:
    free(params);
    return status;
}

meso_status meso_model_need_layers(meso_model *model, meso_error *error)
{
    return model->layers.run ? MESO_OK
                             : open_infer(model, MESO_PATH_PLAIN, 0, &model->layers, error);
}

void meso_model_give_back(meso_model *model)
{
    model->infer.kind->reserve(model->infer.run, 0);
    if (model->layers.run)
        model->layers.kind->reserve(model->layers.run, 0);
    meso_buffer_release(&model->normalized);
}

/* What computes, with room for a batch: for fewer images where the device refuses memory. */
static meso_status make_ready(meso_model *model, const meso_model_options *options,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    meso_infer *infer = &model->infer;
    MESO_TRY(open_infer(model, options->path, options->n_lanes, infer, error));
    infer->kind->describe(infer->run, &model->about);
    model->batch_that_fits = options->max_batch ? options->max_batch : model->about.batch;
    do
        status = infer->kind->reserve(infer->run, model->batch_that_fits);
    while (status == MESO_ERROR_DEVICE_MEMORY && model->batch_that_fits > 1 &&
           (model->batch_that_fits /= 2));
    MESO_REQUIRE(status == MESO_OK, error, status, "buffers for a batch of %zu: %s",
                 model->batch_that_fits, meso_device_error(model->device));
    infer->kind->describe(infer->run, &model->about); /* CLBlast shows itself when it has room */
out:
    return status;
}

static void describe(meso_model *model, double build_seconds)
{
    const meso_shape input = model->net->layers[0].shape;
    model->info = (meso_model_info){
        .struct_bytes = sizeof model->info,
        .net_name = model->net->name,
        .width = (unsigned)input.w,
        .height = (unsigned)input.h,
        .channels = (unsigned)input.c,
        .n_outputs = model->n_outputs,
        .class_names = {model->class_names[0], model->class_names[1]},
        .real_output = model->real_output,
        .max_batch = model->max_batch,
        .path = model->infer.path,
        .tuning = model->about.tuning,
        .clblast = model->about.clblast,
        .n_fused_layers = model->about.n_fused_layers,
        .n_lanes = model->about.n_lanes,
        .build_seconds = build_seconds,
    };
    snprintf(model->info.weights_hash, sizeof model->info.weights_hash, "%s",
             meso_weights_hash(model->weights));
}

meso_status meso_model_create(meso_device *device, meso_net *net, meso_weights *weights,
                              const meso_model_options *options, meso_model **model,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model_options o = MESO_INIT(meso_model_options);
    meso_model *m = calloc(1, sizeof *m);
    if (!m) {
        meso_net_close(net);
        meso_weights_close(weights);
    }
    MESO_REQUIRE_MEMORY(m, error);
    MESO_TRY(meso_struct_read(&o, sizeof o, options, "meso_model_options", error));
    m->device = device;
    m->net = net;
    m->weights = weights;
    MESO_TRY(set_classes(m, meso_weights_classes(weights), error));
    find_logits(m);
    MESO_TRY(meso_weights_check(weights, net, error));
    double started = meso_seconds();
    MESO_TRY(make_ready(m, &o, error));
    m->max_batch = m->batch_that_fits;
    MESO_TRY(meso_model_open_normalization(m, error));
    describe(m, meso_seconds() - started);
    *model = m;
    m = NULL;
out:
    meso_model_close(m);
    return status;
}

/* Weights with a net that was named in place of their own. */
static meso_status require_fit(const meso_weights *weights, const meso_net *net, const char *file,
                               meso_error *error)
{
    meso_error why = {0};
    const char *own = meso_weights_get(weights, "mesocl.net_name");
    const meso_shipped_weights *row = meso_shipped;
    if (meso_weights_check(weights, net, &why) == MESO_OK || (own && strcmp(own, net->name) == 0))
        return MESO_OK; /* what is wrong with the values is said later */
    while (row->name && strcmp(row->name, net->name) != 0)
        row++;
    return meso_fail(error, MESO_ERROR_DATA, "%s: of the net %s, not %s (%s)%s%s",
                     MESO_PRINTABLE(file), own ? MESO_PRINTABLE(own) : "?", net->name, why.text,
                     row->name ? "; for this net: -w " : "", row->name ? row->name : "");
}

meso_status meso_model_open(meso_device *device, const char *path,
                            const meso_model_options *options, meso_model **model,
                            meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *weights = NULL;
    meso_net *net = NULL;
    meso_error reason = {0};
    const char *file = path ? path : "built-in weights";
    MESO_TRY(meso_weights_read(path, &weights, error));
    if (options && options->net) {
        MESO_TRY(meso_net_open(options->net, &net, error));
        MESO_TRY(require_fit(weights, net, file, error));
    } else {
        MESO_TRY(meso_weights_net(weights, file, &net, error));
    }
    status = meso_model_create(device, net, weights, options, model, &reason);
    weights = NULL;
    net = NULL;
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", MESO_PRINTABLE(file), reason.text);
out:
    meso_weights_close(weights);
    meso_net_close(net);
    return status;
}

meso_status meso_model_random(meso_device *device, const meso_net *net, uint64_t seed,
                              const meso_model_options *options, meso_model **model,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *weights = NULL;
    meso_net *copy = NULL;
    MESO_TRY(meso_weights_random(net, seed, &weights, error));
    MESO_TRY(meso_net_copy(net, &copy, error));
    status = meso_model_create(device, copy, weights, options, model, error);
    weights = NULL;
out:
    meso_weights_close(weights);
    return status;
}

void meso_model_close(meso_model *model)
{
    if (!model)
        return;
    if (model->slots)
        model->close_slots(model->slots);
    meso_augment_close(model->normalization);
    meso_buffer_release(&model->normalized);
    meso_infer_close(&model->layers);
    meso_infer_close(&model->infer);
    free(model->resized);
    meso_net_close(model->net);
    meso_weights_close(model->weights);
    free(model);
}

const char *meso_path_name(meso_path path)
{
    static const char *const names[] = {
        [MESO_PATH_FUSED] = "fused", [MESO_PATH_EXACT] = "exact", [MESO_PATH_PLAIN] = "plain"};
    return names[path];
}

const meso_net *meso_model_net(const meso_model *model)
{
    return model->net;
}

const meso_model_info *meso_model_get_info(const meso_model *model)
{
    return &model->info;
}

int meso_model_tuning(const meso_model *model, const meso_tuning_family *family,
                      int values[MESO_MAX_TUNABLES])
{
    return model->infer.kind->tuning(model->infer.run, family, values);
}
