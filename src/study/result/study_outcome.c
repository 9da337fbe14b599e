/* SPDX-License-Identifier: Apache-2.0 */
#include "study/result/study_outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_builder.h"
#include "base/text.h"

enum { n_digits = 9 /* bring every float back */ };

#define OUTCOME_SCHEMA "mesocl.study_job/1"
#define OLD_SCHEMA "mesocl/study_job/1" /* the same, as it was spelled at first */

/* ---- writing ---- */

static json_t *scored_json(const study_scored *s)
{
    meso_builder p_real = meso_build_list();
    for (size_t i = 0; i < s->n; i++)
        meso_build_add(&p_real, json_real((double)s->p_real[i]));
    return json_pack("{s:s, s:f, s:o}", "device", s->device, "seconds", s->seconds, "p_real",
                     meso_build_end(&p_real));
}

static json_t *tests_json(const study_outcome *o)
{
    meso_builder tests = meso_build_list();
    for (size_t t = 0; t < o->n_tests; t++) {
        meso_builder devices = meso_build_list();
        for (size_t d = 0; d < o->n_devices; d++)
            meso_build_add(&devices, scored_json(&o->scored[t * o->n_devices + d]));
        meso_build_add(&tests, meso_build_end(&devices));
    }
    return meso_build_end(&tests);
}

static json_t *epochs_json(const study_outcome *o)
{
    meso_builder epochs = meso_build_list();
    for (size_t e = 0; e < o->n_epochs; e++)
        meso_build_add(&epochs, json_pack("[f, f, f]", o->epochs[e].loss, o->epochs[e].accuracy,
                                          o->epochs[e].seconds));
    return meso_build_end(&epochs);
}

static json_t *distances_json(const study_outcome *o)
{
    meso_builder distances = meso_build_list();
    for (size_t d = 0; d < o->n_distances; d++) {
        const study_feature_distance *row = &o->distances[d];
        meso_build_add(&distances, json_pack("{s:s, s:s, s:f, s:I}", "a", row->a, "b", row->b,
                                             "squared", row->squared, "n", (json_int_t)row->n));
    }
    return meso_build_end(&distances);
}

meso_status study_outcome_write(const study_outcome *o, const char *path, meso_error *error)
{
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:o, s:o, s:o}",
                  "schema", OUTCOME_SCHEMA, "version", meso_version(), "commit", meso_commit(),
                  "device", o->device, "driver", o->driver, "path", o->path, "model_hash",
                  o->model_hash, "list_hash", o->list_hash, "n_images", (json_int_t)o->n_images,
                  "n_steps", (json_int_t)o->n_steps, "seconds", o->seconds, "epochs",
                  epochs_json(o), "distances", distances_json(o), "tests", tests_json(o));
    meso_status status =
        meso_json_save(root, JSON_COMPACT | JSON_REAL_PRECISION(n_digits), path, error);
    json_decref(root);
    return status;
}

/* ---- reading ---- */

static void copy_text(const json_t *object, const char *key, char *to, size_t size)
{
    const char *value = json_string_value(json_object_get(object, key));
    snprintf(to, size, "%s", value ? value : "");
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static int read_scored(const json_t *object, study_scored *scored)
{
    const json_t *list = json_object_get(object, "p_real");
    scored->n = json_array_size(list);
    scored->p_real = malloc((scored->n + 1) * sizeof *scored->p_real);
    if (!json_is_array(list) || !scored->p_real)
        return 0;
    copy_text(object, "device", scored->device, sizeof scored->device);
    scored->seconds = number_of(object, "seconds");
    for (size_t i = 0; i < scored->n; i++)
        scored->p_real[i] = (float)json_number_value(json_array_get(list, i));
    return 1;
}

static int read_tests(const json_t *tests, study_outcome *o)
{
    o->n_tests = json_array_size(tests);
    o->n_devices = json_array_size(json_array_get(tests, 0));
    o->scored = calloc(o->n_tests * o->n_devices + 1, sizeof *o->scored);
    int ok = o->scored && o->n_tests > 0 && o->n_devices > 0;
    for (size_t t = 0; ok && t < o->n_tests; t++) {
        const json_t *devices = json_array_get(tests, t);
        ok = json_array_size(devices) == o->n_devices;
        for (size_t d = 0; ok && d < o->n_devices; d++)
            ok = read_scored(json_array_get(devices, d), &o->scored[t * o->n_devices + d]);
    }
    return ok;
}

static int read_epochs(const json_t *epochs, study_outcome *o)
{
    o->n_epochs = json_array_size(epochs);
    o->epochs = calloc(o->n_epochs + 1, sizeof *o->epochs);
    for (size_t e = 0; o->epochs && e < o->n_epochs; e++) {
        const json_t *row = json_array_get(epochs, e);
        o->epochs[e] = (study_epoch){json_number_value(json_array_get(row, 0)),
                                     json_number_value(json_array_get(row, 1)),
                                     json_number_value(json_array_get(row, 2))};
    }
    return o->epochs != NULL;
}

static int read_distances(const json_t *distances, study_outcome *o)
{
    o->n_distances = json_array_size(distances);
    o->distances = calloc(o->n_distances + 1, sizeof *o->distances);
    for (size_t d = 0; o->distances && d < o->n_distances; d++) {
        const json_t *object = json_array_get(distances, d);
        study_feature_distance *row = &o->distances[d];
        copy_text(object, "a", row->a, sizeof row->a);
        copy_text(object, "b", row->b, sizeof row->b);
        row->squared = number_of(object, "squared");
        row->n = (size_t)number_of(object, "n");
    }
    return o->distances != NULL;
}

static int read_all(const json_t *root, study_outcome *o)
{
    const char *schema = json_string_value(json_object_get(root, "schema"));
    if (!schema || (strcmp(schema, OUTCOME_SCHEMA) != 0 && strcmp(schema, OLD_SCHEMA) != 0))
        return 0;
    copy_text(root, "device", o->device, sizeof o->device);
    copy_text(root, "driver", o->driver, sizeof o->driver);
    copy_text(root, "path", o->path, sizeof o->path);
    copy_text(root, "model_hash", o->model_hash, sizeof o->model_hash);
    copy_text(root, "list_hash", o->list_hash, sizeof o->list_hash);
    o->n_images = (uint64_t)number_of(root, "n_images");
    o->n_steps = (uint64_t)number_of(root, "n_steps");
    o->seconds = number_of(root, "seconds");
    return read_epochs(json_object_get(root, "epochs"), o) &&
           read_distances(json_object_get(root, "distances"), o) &&
           read_tests(json_object_get(root, "tests"), o);
}

meso_status study_outcome_read(const char *path, study_outcome *outcome, meso_error *error)
{
    meso_status status = MESO_OK;
    json_t *root = NULL;
    *outcome = (study_outcome){0};
    MESO_TRY(meso_json_read(path, &root, error));
    MESO_REQUIRE(read_all(root, outcome), error, MESO_ERROR_DATA,
                 "%s: not a job's file, or damaged", MESO_PRINTABLE(path));
out:
    json_decref(root);
    if (status != MESO_OK)
        study_outcome_free(outcome);
    return status;
}

void study_outcome_free(study_outcome *o)
{
    for (size_t i = 0; o->scored && i < o->n_tests * o->n_devices; i++)
        free(o->scored[i].p_real);
    free(o->scored);
    free(o->epochs);
    free(o->distances);
    *o = (study_outcome){0};
}
