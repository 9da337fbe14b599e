/* SPDX-License-Identifier: Apache-2.0
 *
 * How far datasets lie from each other in the features that a net has learned: what goes into its
 * first dense layer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "maths/maths.h"
#include "mesocl/image.h"
#include "mesocl/model.h"
#include "model/weights/weights.h"
#include "net/net.h"
#include "study_folder.h"

enum { most_images = 400, batch_size = 32 };

typedef struct features {
    float *values; /* [n][width] */
    size_t n, width;
} features;

/* The layer that flattens pictures; NULL: this net has none. */
static const char *flatten_layer(const meso_net *net, size_t *width)
{
    for (size_t i = 0; i < meso_net_n_layers(net); i++) {
        meso_layer_info info = MESO_INIT(meso_layer_info);
        meso_net_layer(net, i, &info, NULL);
        *width = (size_t)info.channels * info.height * info.width;
        if (strcmp(info.op, "flatten") == 0)
            return info.name;
    }
    return NULL;
}

/* The net's text up to and with the line of a layer. */
static void cut_text(const meso_net *net, const char *layer, meso_text *text)
{
    const char *line = meso_net_text(net);
    size_t n = strlen(layer);
    while (*line) {
        size_t length = strcspn(line, "\n");
        meso_text_add_n(text, line, length);
        meso_text_add(text, "\n");
        if (strncmp(line, layer, n) == 0 && strchr(" \t=", line[n]))
            return;
        line += length + (line[length] == '\n');
    }
}

/* Writes the model cut short behind its flattening layer: so the fused kernels give features, many
 * times faster than a look into the whole net. */
static meso_status write_cut(const char *model_path, const char *cut_path, meso_text *layer,
                             size_t *width, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *all = NULL, *some = NULL;
    meso_net *whole = NULL, *cut = NULL;
    meso_text text = {0};
    MESO_TRY(meso_weights_read(model_path, &all, error));
    MESO_TRY(meso_weights_net(all, model_path, &whole, error));
    const char *name = flatten_layer(whole, width);
    if (!name)
        goto out;
    meso_text_add(layer, name);
    cut_text(whole, name, &text);
    MESO_REQUIRE_MEMORY(!text.out_of_memory && !layer->out_of_memory, error);
    MESO_TRY(meso_net_parse(text.bytes, "net cut short", &cut, error));
    MESO_TRY(meso_weights_create(&some, error));
    for (size_t i = 0; i < meso_net_n_params(cut); i++) {
        const meso_tensor *t = meso_weights_find(all, meso_net_param(cut, i)->name);
        MESO_REQUIRE(t, error, MESO_ERROR_INTERNAL, "a tensor of the cut net is missing");
        MESO_TRY(meso_weights_add(some, t->name, t->dims, t->n_dims, t->values, error));
    }
    MESO_TRY(meso_weights_set(some, "mesocl.net", text.bytes, error));
    MESO_TRY(meso_weights_write(some, cut_path, error));
out:
    meso_text_free(&text);
    meso_net_close(whole);
    meso_net_close(cut);
    meso_weights_close(all);
    meso_weights_close(some);
    return status;
}

/* An image as the net sees it. */
static meso_status read_picture(const char *path, const meso_model_info *info, float *input,
                                meso_error *error)
{
    meso_status status = MESO_OK;
    meso_image_options options = MESO_INIT(meso_image_options);
    meso_image image = MESO_INIT(meso_image);
    options.width = info->width;
    options.height = info->height;
    MESO_TRY(meso_image_load(path, &options, &image, NULL, error));
    for (size_t i = 0; i < (size_t)3 * info->width * info->height; i++)
        input[i] = (float)image.rgb[i] / 255;
out:
    meso_image_free(&image);
    return status;
}

/* Images of both classes, spread over the list: every so many-th. */
static meso_status collect(meso_model *model, const char *layer, const study_list *list,
                           size_t n_wanted, features *f, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_model_info *info = meso_model_get_info(model);
    size_t one = (size_t)3 * info->width * info->height, n_batch = 0;
    float *input = malloc(batch_size * one * sizeof *input);
    f->values = malloc(n_wanted * f->width * sizeof *f->values);
    MESO_REQUIRE_MEMORY(input, error);
    MESO_REQUIRE_MEMORY(f->values, error);
    for (size_t k = 0; k < n_wanted; k++) {
        size_t item = k * list->files.n_items / n_wanted;
        MESO_TRY(read_picture(list->files.items[item].path, info, input + n_batch * one, error));
        if (++n_batch < batch_size && k + 1 < n_wanted)
            continue;
        MESO_TRY(meso_model_tap(model, layer, input, n_batch, f->values + f->n * f->width,
                                n_batch * f->width, error));
        f->n += n_batch;
        n_batch = 0;
    }
out:
    free(input);
    return status;
}

static meso_status compare_all(const db_study *study, const features *sets, size_t n_sets,
                               study_outcome *outcome, meso_error *error)
{
    outcome->distances = calloc(n_sets * n_sets, sizeof *outcome->distances);
    MESO_DEMAND_MEMORY(outcome->distances, error);
    for (size_t a = 0; a < n_sets; a++)
        for (size_t b = a + 1; b < n_sets; b++) {
            study_feature_distance *row = &outcome->distances[outcome->n_distances++];
            snprintf(row->a, sizeof row->a, "%s", study_plan_source(&study->plan, a)->name);
            snprintf(row->b, sizeof row->b, "%s", study_plan_source(&study->plan, b)->name);
            row->n = sets[a].n;
            MESO_CHECK(study_frechet(sets[a].values, sets[a].n, sets[b].values, sets[b].n,
                                     sets[a].width, &row->squared, error));
        }
    return MESO_OK;
}

static meso_status collect_all(const db_study *study, meso_model *model, const char *layer,
                               features *sets, size_t n_sets, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n_wanted = most_images;
    /* Distances of sets of different size cannot be compared. */
    for (size_t s = 0; s < n_sets; s++)
        if (study->lists[s].files.n_items < n_wanted)
            n_wanted = study->lists[s].files.n_items;
    for (size_t s = 0; s < n_sets && status == MESO_OK; s++)
        status = collect(model, layer, &study->lists[s], n_wanted, &sets[s], error);
    return status;
}

meso_status db_job_features(const db_study *study, meso_device *device, const char *model_path,
                            study_outcome *outcome, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_model *model = NULL;
    meso_text layer = {0}, cut = {0};
    size_t n_sets = study->plan.n_train + study->plan.n_test, width = 0;
    features *sets = calloc(n_sets, sizeof *sets);
    MESO_REQUIRE_MEMORY(sets, error);
    meso_text_format(&cut, "%s.%ld.tmp", model_path, (long)getpid());
    MESO_REQUIRE_MEMORY(!cut.out_of_memory, error);
    MESO_TRY(write_cut(model_path, cut.bytes, &layer, &width, error));
    if (!layer.bytes)
        goto out;
    options.max_batch = batch_size;
    MESO_TRY(meso_model_open(device, cut.bytes, &options, &model, error));
    for (size_t s = 0; s < n_sets; s++)
        sets[s].width = width;
    MESO_TRY(collect_all(study, model, layer.bytes, sets, n_sets, error));
    MESO_TRY(compare_all(study, sets, n_sets, outcome, error));
out:
    if (cut.bytes)
        unlink(cut.bytes);
    for (size_t s = 0; sets && s < n_sets; s++)
        free(sets[s].values);
    free(sets);
    meso_model_close(model);
    meso_text_free(&layer);
    meso_text_free(&cut);
    return status;
}
