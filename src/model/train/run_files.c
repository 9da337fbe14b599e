/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands in a run's folder, but for checkpoints. All but the event file are written whole.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/csv_field.h"
#include "base/file.h"
#include "base/json_builder.h"
#include "data/list/passed.h"
#include "model/train/history.h"
#include "model/train/run.h"

meso_status meso_run_path(const meso_run *run, const char *name, meso_text *path, meso_error *error)
{
    meso_text_format(path, "%s/%s", run->options.run, name);
    return path->out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
}

static meso_status write_text(const meso_run *run, const char *name, meso_text *text,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    MESO_TRY(meso_run_path(run, name, &path, error));
    MESO_TRY(meso_file_write_text(path.bytes, text, error));
out:
    meso_text_free(&path);
    return status;
}

meso_status meso_run_write_weights(const meso_run *run, const char *name,
                                   const meso_weights *weights, meso_error *error)
{
    meso_text path = {0};
    meso_status status = meso_run_path(run, name, &path, error);
    if (status == MESO_OK)
        status = meso_weights_write(weights, path.bytes, error);
    meso_text_free(&path);
    return status;
}

meso_status meso_run_read_weights(const meso_run *run, const char *name, meso_weights **weights,
                                  meso_error *error)
{
    meso_text path = {0};
    meso_status status = meso_run_path(run, name, &path, error);
    if (status == MESO_OK)
        status = meso_weights_read(path.bytes, weights, error);
    meso_text_free(&path);
    return status;
}

void meso_run_clean(const char *folder)
{
    /* meso_file_write puts the process' number and .tmp behind the name. */
    static const char *const patterns[] = {"*.safetensors.[0-9]*.tmp", "history.*.[0-9]*.tmp",
                                           "*.json.[0-9]*.tmp", "validation.csv.[0-9]*.tmp"};
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        int ours = 0;
        for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
            ours |= fnmatch(patterns[i], entry->d_name, 0) == 0;
        if (ours)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

static void add_json(json_t *json, meso_text *out)
{
    meso_json_write(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12), out);
    meso_text_add(out, "\n");
    json_decref(json);
}

/* The options, and what they met. */
meso_status meso_run_write_config(meso_run *run, meso_error *error)
{
    meso_text text = {0};
    const meso_device_info *device = meso_device_get_info(run->device);
    char source[64];
    snprintf(source, sizeof source, "%s", run->options.init ? meso_weights_hash(run->start) : "");
    json_t *json = json_pack(
        "{s:O, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:o, s:o}",
        "options", run->config, "version", meso_version(), "commit", meso_commit(), "device",
        device->name, "driver", device->driver, "platform", device->platform_name, "decoders",
        meso_image_decoders(), "net", run->net->name, "kernels", meso_trainer_path(run->trainer),
        "tuning", run->tuning, "n_train", (json_int_t)run->train.n_items, "data_hash",
        run->train.contents->hash, "n_validation", (json_int_t)run->validation.n_items, "init_hash",
        source, "passed_over", meso_passed_json(&run->train.own), "validation_passed_over",
        meso_passed_json(&run->validation.own));
    add_json(json, &text);
    meso_status status = write_text(run, "config.json", &text, error);
    meso_text_free(&text);
    return status;
}

/* ---- history ---- */

static double unix_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A process begins a file of its own, whose first record voids what an earlier one wrote past the
 * checkpoint. TensorBoard reads files by name. */
meso_status meso_run_write_event(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text text = {0}, path = {0};
    const meso_train_record *record = &run->history.records[run->history.n - 1];
    double now = unix_time();
    if (!run->events[0]) {
        snprintf(run->events, sizeof run->events, "events.out.tfevents.%010.0f.mesocl.%08zu", now,
                 record->epoch);
        meso_tensorboard_begin(now, record->epoch > 1 ? record->epoch : 0, &text);
    }
    meso_tensorboard_epoch(now, record, &text);
    MESO_REQUIRE_MEMORY(!text.out_of_memory, error);
    MESO_TRY(meso_run_path(run, run->events, &path, error));
    MESO_TRY(meso_file_append(path.bytes, text.bytes, text.length, error));
out:
    meso_text_free(&text);
    meso_text_free(&path);
    return status;
}

static meso_status write_history(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text jsonl = {0}, csv = {0};
    meso_history_jsonl(&run->history, &jsonl);
    meso_history_csv(&run->history, &csv);
    MESO_TRY(write_text(run, "history.jsonl", &jsonl, error));
    MESO_TRY(write_text(run, "history.csv", &csv, error));
    run->history_written = 1;
out:
    meso_text_free(&jsonl);
    meso_text_free(&csv);
    return status;
}

meso_status meso_run_flush(meso_run *run, meso_error *error)
{
    if (run->best)
        MESO_CHECK(meso_run_write_weights(run, "best.safetensors", run->best, error));
    meso_weights_close(run->best);
    run->best = NULL;
    if (!run->history_written && run->history.n > 0)
        MESO_CHECK(write_history(run, error));
    run->last_flush = meso_seconds();
    return MESO_OK;
}

/* ---- how the chosen weights do ---- */

static json_t *metrics_json(const meso_metrics *m, double loss)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:[[I, I], [I, I]]}",
                     "n", (json_int_t)m->n, "correct", (json_int_t)m->correct, "loss",
                     meso_json_number(loss), "accuracy", meso_json_number(m->accuracy),
                     "balanced_accuracy", meso_json_number(m->balanced_accuracy), "mse",
                     meso_json_number(m->mse), "bce", meso_json_number(m->bce), "auc",
                     meso_json_number(m->auc), "average_precision",
                     meso_json_number(m->average_precision), "eer", meso_json_number(m->eer),
                     "eer_threshold", meso_json_number(m->eer_threshold), "confusion",
                     (json_int_t)m->confusion[0][0], (json_int_t)m->confusion[0][1],
                     (json_int_t)m->confusion[1][0], (json_int_t)m->confusion[1][1]);
}

static void scores_csv(const meso_run *run, const meso_run_scores *scores, meso_text *out)
{
    meso_text_add(out, "file,label,group,p_fake,p_real" MESO_CSV_END);
    for (size_t i = 0; i < scores->n; i++) {
        const meso_dataset_item *item = &run->measured.dataset->items[scores->items[i]];
        meso_csv_field(item->path, out);
        meso_text_format(out, ",%s,", scores->real[i] ? "real" : "fake");
        meso_csv_field(item->group ? item->group : "", out);
        meso_text_add(out, ",");
        meso_json_write_number(scores->p_fake[i], out);
        meso_text_add(out, ",");
        meso_json_write_number(scores->p_real[i], out);
        meso_text_add(out, MESO_CSV_END);
    }
}

meso_status meso_run_write_result(meso_run *run, const meso_run_scores *scores, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_train_summary *r = &run->result;
    meso_text json = {0}, csv = {0};
    json_t *document = json_pack(
        "{s:s, s:I, s:I, s:b, s:s, s:I, s:o, s:s, s:b, s:o}", "schema", "mesocl.train/1", "epochs",
        (json_int_t)r->epochs, "steps", (json_int_t)r->steps, "stopped_early", r->stopped_early,
        "monitor", meso_monitor_name(r->monitor), "best_epoch", (json_int_t)r->best_epoch, "best",
        meso_json_number(r->best), "set", r->on_validation ? "validation" : "training", "learned",
        r->learned, "metrics", metrics_json(&scores->metrics, scores->loss));
    add_json(document, &json);
    scores_csv(run, scores, &csv);
    MESO_TRY(write_text(run, "validation.csv", &csv, error));
    MESO_TRY(write_text(run, "metrics.json", &json, error));
out:
    meso_text_free(&json);
    meso_text_free(&csv);
    return status;
}
