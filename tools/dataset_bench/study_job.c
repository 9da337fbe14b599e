/* SPDX-License-Identifier: Apache-2.0 */
#include "study_folder.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "drivers.h"
#include "mesocl/evaluate.h"
#include "mesocl/model.h"
#include "mesocl/weights.h"

/* The devices that evaluate; the first of them trains. */
typedef struct device_list {
    meso_device_info *all;
    size_t *chosen;
    size_t n;
    const char *alone; /* the selector of the only one, of several drivers; NULL: see chosen */
} device_list;

static void free_devices(device_list *devices)
{
    meso_free(devices->all);
    free(devices->chosen);
    *devices = (device_list){0};
}

/* Faster comes first, as far as the driver says: GPUs with memory of their own, other GPUs, then by
 * processors and clock. */
static double speed_of(const meso_device_info *info)
{
    static const double by_type[] = {[MESO_DEVICE_CPU] = 1,
                                     [MESO_DEVICE_IGPU] = 1e6,
                                     [MESO_DEVICE_DGPU] = 1e12,
                                     [MESO_DEVICE_OTHER] = 1e-6};
    return by_type[info->type] * (1 + (double)info->compute_units * info->clock_mhz);
}

/* Does the selector mean one device alone, of several drivers? Then its driver is the only one that
 * need be loaded: others may crash. */
static meso_status choose_alone(const char *selector, int *is_alone, meso_error *error)
{
    meso_status status = MESO_OK;
    tool_drivers drivers = {0};
    *is_alone = 0;
    MESO_TRY(tool_drivers_find(&drivers, error));
    if (drivers.n < 2)
        goto out;
    MESO_TRY(tool_drivers_ask(&drivers, selector, 1, error));
    *is_alone = drivers.n_matches == 1;
out:
    tool_drivers_free(&drivers);
    return status;
}

static meso_status choose_devices(const char *selector, device_list *devices, meso_error *error)
{
    size_t n = 0;
    int is_alone;
    MESO_CHECK(choose_alone(selector, &is_alone, error));
    if (is_alone) {
        devices->alone = selector;
        devices->n = 1;
        return MESO_OK;
    }
    MESO_CHECK(meso_device_list(&devices->all, sizeof *devices->all, &n, error));
    devices->chosen = calloc(n, sizeof *devices->chosen);
    MESO_DEMAND_MEMORY(devices->chosen, error);
    MESO_CHECK(meso_device_match(devices->all, sizeof *devices->all, n, selector, devices->chosen,
                                 &devices->n, error));
    for (size_t i = 1; i < devices->n; i++)
        if (speed_of(&devices->all[devices->chosen[i]]) >
            speed_of(&devices->all[devices->chosen[0]])) {
            size_t held = devices->chosen[0];
            devices->chosen[0] = devices->chosen[i];
            devices->chosen[i] = held;
        }
    return MESO_OK;
}

static meso_status open_device(const device_list *devices, size_t i, meso_device **device,
                               meso_error *error)
{
    char selector[32];
    if (devices->alone)
        return tool_open_device(devices->alone, device, error);
    const meso_device_info *info = &devices->all[devices->chosen[i]];
    snprintf(selector, sizeof selector, "%u:%u", info->platform, info->index);
    return meso_device_open(selector, device, error);
}

/* ---- testing ---- */

/* In single precision, as Keras and PyTorch give it: figures are comparable with published ones
 * where ties are. */
static int take_score(const meso_file_score *score, void *user)
{
    study_scored *scored = user;
    scored->p_real[score->index] =
        score->refusal == MESO_IMAGE_OK ? (float)meso_probability_rounded(score->p) : -1;
    return 0;
}

static meso_status score_set(meso_model *model, const study_list *list, size_t n_threads,
                             study_scored *scored, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_score_options options = MESO_INIT(meso_score_options);
    size_t n = list->files.n_items;
    const char **paths = calloc(2 * n + 1, sizeof *paths), **hashes = paths ? paths + n : NULL;
    scored->n = n;
    scored->p_real = calloc(n + 1, sizeof *scored->p_real);
    MESO_REQUIRE_MEMORY(paths, error);
    MESO_REQUIRE_MEMORY(scored->p_real, error);
    for (size_t i = 0; i < n; i++) {
        paths[i] = list->files.items[i].path;
        hashes[i] = list->hash[i];
    }
    options.hashes = hashes;
    options.n_threads = n_threads;
    double started = meso_seconds();
    status = meso_score_files(model, paths, n, &options, take_score, scored, error);
    scored->seconds = meso_seconds() - started;
out:
    free(paths);
    return status;
}

/* Every test set on one device. */
static meso_status test_on(const db_study *study, meso_device *device, size_t d,
                           const char *model_path, size_t n_threads, study_outcome *outcome,
                           meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model_options options = MESO_INIT(meso_model_options);
    meso_model *model = NULL;
    const meso_device_info *info = meso_device_get_info(device);
    options.n_lanes = n_threads;
    MESO_TRY(meso_model_open(device, model_path, &options, &model, error));
    for (size_t t = 0; t < study->plan.n_test; t++) {
        study_scored *scored = &outcome->scored[t * outcome->n_devices + d];
        snprintf(scored->device, sizeof scored->device, "%u:%u %.110s", info->platform, info->index,
                 info->name);
        MESO_TRY(
            score_set(model, &study->lists[study->plan.n_train + t], n_threads, scored, error));
    }
out:
    meso_model_close(model);
    return status;
}

const char *db_device_selector(const study_plan *plan, size_t job, tool_selector text)
{
    return tool_training_selector(study_plan_device(plan, job, text), plan->variants[0].options.net,
                                  text);
}

meso_status db_job_run(db_study *study, size_t job, size_t n_threads, meso_error *error)
{
    meso_status status = MESO_OK;
    device_list devices = {0};
    meso_device *device = NULL;
    study_outcome outcome = {.n_tests = study->plan.n_test};
    char model_path[DB_PATH_SIZE], path[DB_PATH_SIZE];
    tool_selector choice;
    const study_job what = study_plan_job(&study->plan, job);
    db_job_path(study, job, "models/%s.safetensors", model_path);
    MESO_TRY(choose_devices(db_device_selector(&study->plan, job, choice), &devices, error));
    outcome.n_devices = devices.n;
    outcome.scored = calloc(outcome.n_tests * outcome.n_devices + 1, sizeof *outcome.scored);
    MESO_REQUIRE_MEMORY(outcome.scored, error);
    for (size_t d = 0; d < devices.n; d++) {
        MESO_TRY(open_device(&devices, d, &device, error));
        if (d == 0)
            MESO_TRY(db_job_train(study, job, n_threads, device, model_path, &outcome, error));
        MESO_TRY(test_on(study, device, d, model_path, n_threads, &outcome, error));
        if (d == 0 && what.variant == 0 && what.seed == 0)
            MESO_TRY(db_job_features(study, device, model_path, &outcome, error));
        meso_device_close(device);
        device = NULL;
    }
    MESO_TRY(study_outcome_write(&outcome, db_job_path(study, job, "jobs/%s.json", path), error));
out:
    meso_device_close(device);
    study_outcome_free(&outcome);
    free_devices(&devices);
    return status;
}
