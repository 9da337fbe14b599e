/* SPDX-License-Identifier: Apache-2.0
 *
 * A run from its options, or from its folder, to its result.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/structs.h"
#include "model/train/run.h"
#include "model/train/run_folder.h"
#include "model/train/train_options.h"
#include "model/weights/weights.h"

/* ---- options ---- */

/* A run is resumed from any folder. Where the path cannot be resolved, opening it will say
 * why. */
static const char *absolute(const char *path, char **copy)
{
    *copy = path ? realpath(path, NULL) : NULL;
    return *copy ? *copy : path;
}

/* Options of the run's own: paths absolute, strings in run->config. */
static meso_status take_options(meso_run *run, const meso_train_options *given, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_train_options o = *given;
    meso_text init = {0};
    char **copies = calloc(meso_n_train_option_rows, sizeof *copies);
    MESO_REQUIRE_MEMORY(copies, error);
    MESO_TRY(meso_weights_locate(o.init, &init, error));
    if (init.length > 0)
        o.init = init.bytes; /* the file that a name or a run's folder means */
    for (size_t i = 0; i < meso_n_train_option_rows; i++) {
        const meso_train_option *row = &meso_train_option_rows[i];
        const char **path = (const char **)(void *)((char *)&o + row->field.offset);
        /* not a built-in net */
        if (row->is_path && (path != &o.net || (o.net && strchr(o.net, '/'))))
            *path = absolute(*path, &copies[i]);
    }
    MESO_REQUIRE_MEMORY(run->config = meso_train_config_json(&o), error);
    run->options = *given;
    MESO_TRY(meso_train_config_read(run->config, &run->options, error));
out:
    for (size_t i = 0; copies && i < meso_n_train_option_rows; i++)
        free(copies[i]);
    free(copies);
    meso_text_free(&init);
    return status;
}

/* ---- the folder ---- */

static int has_history(const char *folder)
{
    meso_text path = {0};
    meso_text_format(&path, "%s/history.jsonl", folder);
    int found = !path.out_of_memory && access(path.bytes, F_OK) == 0;
    meso_text_free(&path);
    return found;
}

/* Somebody may have removed the checkpoints of a run that was done: its models are not written
 * over either. */
static meso_status check_folder(const char *folder, meso_error *error)
{
    struct stat info;
    if (stat(folder, &info) != 0)
        return MESO_OK;
    MESO_DEMAND(S_ISDIR(info.st_mode), error, MESO_ERROR_CREATE, "%s: cannot create: not a folder",
                MESO_PRINTABLE(folder));
    MESO_DEMAND(access(folder, W_OK | X_OK) == 0, error, MESO_ERROR_CREATE,
                "%s: cannot write there: %s", MESO_PRINTABLE(folder), strerror(errno));
    MESO_DEMAND(!meso_checkpoint_exists(folder), error, MESO_ERROR_CREATE,
                "%s: already holds a run: resume it with --resume, or choose another folder",
                MESO_PRINTABLE(folder));
    MESO_DEMAND(!has_history(folder), error, MESO_ERROR_CREATE,
                "%s: holds the remains of a run (history.jsonl): choose another folder",
                MESO_PRINTABLE(folder));
    return MESO_OK;
}

/* Two processes in one folder would spoil each other's files. The lock goes with the process. */
static meso_status lock_folder(meso_run *run, meso_error *error)
{
    const char *folder = run->options.run;
    run->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MESO_DEMAND(run->lock >= 0, error, MESO_ERROR_NO_INPUT, "%s: %s", MESO_PRINTABLE(folder),
                strerror(errno));
    MESO_DEMAND(flock(run->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, error,
                MESO_ERROR_CREATE, "%s: another process is training there", MESO_PRINTABLE(folder));
    return MESO_OK;
}

/* ---- models ---- */

static meso_status reestimate_file(meso_run *run, const char *name, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *weights = NULL;
    MESO_TRY(meso_run_read_weights(run, name, &weights, error));
    const char *done = meso_weights_get(weights, MESO_KEY_REESTIMATED);
    if (done && strcmp(done, "yes") == 0)
        goto out;
    MESO_TRY(meso_run_reestimate(run, &weights, error));
    MESO_TRY(meso_run_write_weights(run, name, weights, error));
out:
    meso_weights_close(weights);
    return status;
}

static meso_status write_start(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *weights = NULL;
    MESO_TRY(meso_run_weights(run, &weights, error));
    MESO_TRY(meso_run_write_weights(run, "best.safetensors", weights, error));
out:
    meso_weights_close(weights);
    return status;
}

static meso_status set_epoch(meso_weights *weights, uint64_t epoch, meso_error *error)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)epoch);
    return meso_weights_set(weights, MESO_KEY_EPOCH, text, error);
}

/* What is done once all epochs are, and again if it was interrupted. */
static meso_status finish(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_run_scores scores = {0};
    meso_weights *best = NULL, *last = NULL;
    meso_train_summary *r = &run->result;
    MESO_TRY(meso_run_weights(run, &last, error));
    MESO_TRY(set_epoch(last, run->state.epoch, error));
    MESO_TRY(meso_run_write_weights(run, "last.safetensors", last, error));
    if (run->options.bn_reestimate) {
        MESO_TRY(reestimate_file(run, "last.safetensors", error));
        MESO_TRY(reestimate_file(run, "best.safetensors", error));
    }
    MESO_TRY(meso_run_read_weights(run, "best.safetensors", &best, error));
    if (run->options.early_stop.restore_best)
        MESO_TRY(meso_run_write_weights(run, "last.safetensors", best, error));
    status = meso_run_score(run, &run->measured, best, &scores, error);
    best = NULL;
    if (status != MESO_OK)
        goto out;
    if (r->metrics)
        meso_struct_write(r->metrics, &scores.metrics, sizeof scores.metrics);
    r->learned = meso_run_has_learned(run, &run->measured, scores.loss, scores.metrics.accuracy);
    MESO_TRY(meso_run_write_result(run, &scores, error));
out:
    meso_weights_close(last);
    meso_weights_close(best);
    meso_run_scores_free(&scores);
    return status;
}

static void tell_result(meso_run *run)
{
    const meso_run_state *s = &run->state;
    meso_train_summary *r = &run->result;
    r->epochs = (size_t)s->epoch;
    r->steps = s->step;
    r->stopped_early = s->stopped_early;
    r->best_epoch = s->early_stop.best_epoch;
    r->best = s->early_stop.any ? s->early_stop.best : NAN;
    r->on_validation = run->validation.dataset != NULL;
}

static meso_status go_on(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    run->last_checkpoint = meso_seconds();
    MESO_TRY(meso_run_run(run, error));
    tell_result(run);
    status = finish(run, error);
    MESO_REQUIRE(status != MESO_ERROR_CANCELLED, error, status,
                 "interrupted after the last epoch; %s holds a checkpoint to resume from",
                 MESO_PRINTABLE(run->options.run));
out:
    tell_result(run);
    /* The folder has taken files before: now it is the disk. */
    if (status == MESO_ERROR_CREATE && error)
        status = error->status = MESO_ERROR_IO;
    return status;
}

/* ---- public ---- */

static meso_status begin(meso_run *run, meso_error *error)
{
    MESO_CHECK(check_folder(run->options.run, error));
    MESO_CHECK(meso_run_open(run, error));
    MESO_CHECK(meso_folder_make(run->options.run, error));
    MESO_CHECK(lock_folder(run, error));
    MESO_CHECK(check_folder(run->options.run, error)); /* nobody was faster */
    run->state.done = run->options.epochs == 0;
    MESO_CHECK(meso_run_write_config(run, error));
    MESO_CHECK(write_start(run, error));
    MESO_CHECK(meso_run_checkpoint(run, error));
    meso_run_tell(run, (meso_train_event){.kind = MESO_TRAIN_STARTED});
    return MESO_OK;
}

static meso_status begin_result(meso_run *run, meso_train_summary *result, meso_error *error)
{
    meso_train_summary given = {0};
    run->result.best = NAN;
    MESO_CHECK(meso_struct_read(&given, sizeof given, result, "meso_train_summary", error));
    run->result.metrics = given.metrics;
    return given.metrics ? meso_struct_check(given.metrics, "meso_metrics", error) : MESO_OK;
}

static void end(meso_run *run, meso_train_summary *result)
{
    if (result && meso_struct_check(result, "", NULL) == MESO_OK)
        meso_struct_write(result, &run->result, sizeof run->result);
    meso_run_close(run);
}

meso_status meso_train(meso_device *device, const meso_train_options *options,
                       meso_train_callback callback, void *user, meso_train_summary *result,
                       meso_error *error)
{
    meso_status status = MESO_OK;
    meso_train_options o = MESO_TRAIN_OPTIONS_INIT;
    meso_run run = {.device = device, .callback = callback, .user = user, .lock = -1};
    MESO_TRY(begin_result(&run, result, error));
    MESO_TRY(meso_struct_read(&o, sizeof o, options, "meso_train_options", error));
    MESO_TRY(meso_train_config_check(&o, error));
    MESO_TRY(take_options(&run, &o, error));
    MESO_TRY(begin(&run, error));
    MESO_TRY(go_on(&run, error));
out:
    end(&run, result);
    return status;
}

static meso_status take_checkpoint_options(meso_run *run, const meso_weights *checkpoint,
                                           const meso_resume_options *given, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_train_options o = MESO_TRAIN_OPTIONS_INIT;
    char *data = NULL;
    const char *text = meso_weights_get(checkpoint, MESO_KEY_CONFIG);
    const char *folder = run->options.run;
    run->config = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    MESO_REQUIRE(run->config, error, MESO_ERROR_DATA, "%s: its checkpoint lacks the run's options",
                 MESO_PRINTABLE(folder));
    if (given->data)
        json_object_set_new(run->config, "data", json_string(absolute(given->data, &data)));
    MESO_TRY(meso_train_config_read(run->config, &o, error));
    o.run = folder;
    o.n_threads = given->n_threads;
    o.n_lanes = given->n_lanes;
    o.cache_bytes = given->cache_bytes ? given->cache_bytes : o.cache_bytes;
    o.checkpoint_seconds =
        given->checkpoint_seconds > 0 ? given->checkpoint_seconds : o.checkpoint_seconds;
    run->options = o;
out:
    free(data);
    return status;
}

static meso_status read_checkpoint(meso_run *run, meso_weights **checkpoint, meso_error *error)
{
    meso_text notes = {0};
    uint64_t number = 0;
    meso_status status = meso_checkpoint_read(run->options.run, checkpoint, &number, &notes, error);
    for (char *line = notes.bytes, *end; line && *line; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        meso_run_note(run, line);
    }
    meso_text_free(&notes);
    return status;
}

static meso_status resume(meso_run *run, const meso_resume_options *options, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *checkpoint = NULL;
    meso_text path = {0};
    MESO_TRY(lock_folder(run, error));
    MESO_TRY(read_checkpoint(run, &checkpoint, error));
    MESO_TRY(take_checkpoint_options(run, checkpoint, options, error));
    MESO_TRY(meso_run_open(run, error));
    MESO_TRY(meso_run_restore(run, checkpoint, error));
    meso_run_clean(run->options.run);
    MESO_TRY(meso_run_path(run, "history.jsonl", &path, error));
    if (run->state.epoch > 0)
        MESO_TRY(meso_history_read(path.bytes, (size_t)run->state.epoch, &run->history, error));
    if (run->state.done)
        meso_run_note(run, "all epochs are done already");
    meso_run_tell(run, (meso_train_event){.kind = MESO_TRAIN_STARTED});
out:
    meso_text_free(&path);
    meso_weights_close(checkpoint);
    return status;
}

meso_status meso_train_resume(meso_device *device, const char *folder,
                              const meso_resume_options *options, meso_train_callback callback,
                              void *user, meso_train_summary *result, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_resume_options o = MESO_INIT(meso_resume_options);
    meso_run run = {.device = device,
                    .options = {.run = folder},
                    .callback = callback,
                    .user = user,
                    .lock = -1};
    MESO_TRY(begin_result(&run, result, error));
    MESO_TRY(meso_struct_read(&o, sizeof o, options, "meso_resume_options", error));
    MESO_TRY(resume(&run, &o, error));
    MESO_TRY(go_on(&run, error));
out:
    end(&run, result);
    return status;
}
