/* SPDX-License-Identifier: Apache-2.0
 *
 * The training of one job.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "mesocl/train.h"
#include "mesocl/weights.h"
#include "study_folder.h"

enum { hour = 3600 };

/* Takes what each epoch has come to. */
static int take_event(const meso_train_event *event, void *user)
{
    study_outcome *o = user;
    if (event->kind == MESO_TRAIN_STARTED)
        snprintf(o->path, sizeof o->path, "%s", event->path);
    if (event->kind == MESO_TRAIN_NOTE)
        fprintf(stderr, "%s\n", event->text);
    if (event->kind != MESO_TRAIN_EPOCH)
        return 0;
    study_epoch *epochs = realloc(o->epochs, (o->n_epochs + 1) * sizeof *epochs);
    if (!epochs)
        return 1;
    o->epochs = epochs;
    epochs[o->n_epochs++] =
        (study_epoch){event->record->loss, event->record->accuracy, event->record->seconds};
    o->n_images += event->n_images;
    o->n_steps = event->record->step;
    return 0;
}

/* Removes a run's folder with its files: of a job that was killed, or is done. */
static void remove_run(const char *run)
{
    DIR *folder = opendir(run);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(run);
}

static meso_status train(const db_study *study, size_t job, size_t n_threads, meso_device *device,
                         const char *run, study_outcome *outcome, meso_error *error)
{
    const study_plan *plan = &study->plan;
    const study_job what = study_plan_job(plan, job);
    char manifest[DB_PATH_SIZE];
    meso_train_options options = plan->variants[what.variant].options;
    meso_train_summary summary = MESO_INIT(meso_train_summary);
    options.manifest =
        db_study_path(study, manifest, "lists/%s.used.csv", plan->train[what.train].name);
    options.seed = plan->seeds[what.seed];
    options.run = run;
    options.checkpoint_seconds = hour; /* a job is short, and begins anew */
    options.n_threads = n_threads;
    options.n_lanes = n_threads;
    return meso_train(device, &options, take_event, outcome, &summary, error);
}

/* Weights that are tested as they are. */
static meso_status take_start(const study_variant *v, const char *path, meso_error *error)
{
    meso_weights *weights = NULL;
    meso_status status = meso_weights_read(v->options.init, &weights, error);
    if (status == MESO_OK)
        status = meso_weights_write(weights, path, error);
    meso_weights_close(weights);
    return status;
}

meso_status db_job_train(const db_study *study, size_t job, size_t n_threads, meso_device *device,
                         const char *model_path, study_outcome *outcome, meso_error *error)
{
    meso_status status = MESO_OK;
    const study_job what = study_plan_job(&study->plan, job);
    const study_variant *v = &study->plan.variants[what.variant];
    const meso_device_info *info = meso_device_get_info(device);
    char run[DB_PATH_SIZE], last[DB_PATH_SIZE + 32];
    meso_weights *weights = NULL;
    double started = meso_seconds();
    db_job_path(study, job, "runs/%s", run);
    snprintf(last, sizeof last, "%s/last.safetensors", run);
    remove_run(run);
    if (v->options.epochs == 0) {
        MESO_TRY(take_start(v, model_path, error));
    } else {
        MESO_TRY(train(study, job, n_threads, device, run, outcome, error));
        MESO_REQUIRE(rename(last, model_path) == 0, error, MESO_ERROR_IO, "%s: cannot be moved",
                     last);
        remove_run(run);
    }
    outcome->seconds = meso_seconds() - started;
    MESO_TRY(meso_weights_read(model_path, &weights, error));
    snprintf(outcome->model_hash, sizeof outcome->model_hash, "%s", meso_weights_hash(weights));
    snprintf(outcome->device, sizeof outcome->device, "%s", info->name);
    snprintf(outcome->driver, sizeof outcome->driver, "%s", info->driver);
    snprintf(outcome->list_hash, sizeof outcome->list_hash, "%s",
             study->lists[what.train].content_hash);
out:
    meso_weights_close(weights);
    return status;
}
