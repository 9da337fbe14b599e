/* SPDX-License-Identifier: Apache-2.0 */
#include "tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "child.h"
#include "common.h"
#include "net/strip/strip.h"
#include "net/tile/tile.h"
#include "progress.h"
#include "runtime/preference.h"

enum { largest_part = 1 << 24, final_rounds = 31 };

static const char part_name[] = "tuning-part.json";

/* What is timed for each family. */
static const struct work {
    const meso_tuning_family *family;
    int train, plain;
} works[] = {{&meso_tuning_lanes, 0, 0},          {&meso_tuning_fused, 0, 0},
             {&meso_tuning_fused_training, 1, 0}, {&meso_tuning_tiles, 0, 0},
             {&meso_tuning_plain, 0, 1},          {&meso_tuning_clblast, 0, 0}};
enum { n_works = sizeof works / sizeof works[0] };

typedef struct run {
    const tune_options *options;
    const meso_device_info *device;
    const char *vendors; /* of its driver */
    char local[32];      /* its name in a child */
    char net[64];        /* the net's own name */
    const struct work *work;
    json_t *found;          /* rows of this run: what the families that follow are measured with */
    int is_new[n_works];    /* families whose row is not what it was before */
    json_t *part;           /* the document of the part file */
    tool_progress progress; /* in seconds of the search */
} run;

/* One job in a child; *answer NULL: it failed, see error. */
static meso_status run_child(const run *r, json_t *job, json_t **answer, meso_error *error)
{
    tool_child child = {.work = TUNE_CHILD, .vendors = r->vendors};
    tool_children_ask(&child, &job, answer, 1, TUNE_PATIENCE);
    *error = child.error;
    if (!tool_interrupted())
        return child.error.status;
    json_decref(*answer);
    *answer = NULL;
    return meso_fail(error, MESO_ERROR_CANCELLED, "interrupted; the same command goes on");
}

static json_t *make_job(const run *r)
{
    return json_pack("{s:s s:s s:I}", "device", r->local, "net", r->options->net, "batch",
                     (json_int_t)r->options->batch);
}

/* The rows found so far, and this one. */
static json_t *rows_with(const run *r, const int *values)
{
    json_t *document = json_deep_copy(r->found);
    meso_tuning_put(document, r->device, r->work->family, r->net, values, json_object());
    return document;
}

static void print_values(const meso_tuning_family *family, const int *values)
{
    for (size_t i = 0; i < meso_tuning_n(family); i++)
        printf(" %s=%d", family->tunables[i].name, values[i]);
}

static void print_answer(const json_t *answer)
{
    const json_t *reason = json_object_get(answer, "reason");
    if (reason)
        printf(": %s\n", MESO_PRINTABLE(json_string_value(reason)));
    else
        printf(": %.3f times as fast (%.3f to %.3f), %.1f images/s\n",
               json_number_value(json_object_get(answer, "ratio")),
               json_number_value(json_object_get(answer, "low")),
               json_number_value(json_object_get(answer, "high")),
               json_number_value(json_object_get(answer, "images_per_s")));
    fflush(stdout);
}

/* A candidate that crashes, hangs or fails is answered with its reason. */
static meso_status ask(void *user, const int *base, const int *candidate, int final,
                       json_t **answer, meso_error *error)
{
    meso_status status = MESO_OK;
    run *r = user;
    meso_error reason;
    json_t *job = make_job(r);
    json_object_set_new(job, "train", json_boolean(r->work->train));
    json_object_set_new(job, "plain", json_boolean(r->work->plain));
    json_object_set_new(job, "seconds", json_real(r->options->of_each));
    json_object_set_new(job, "rounds", json_integer(final ? final_rounds : 0));
    json_object_set_new(job, "base", rows_with(r, base));
    json_object_set_new(job, "candidate", rows_with(r, candidate));
    status = run_child(r, job, answer, &reason);
    if (status == MESO_ERROR_CANCELLED)
        *error = reason;
    else if (status != MESO_OK) {
        status = MESO_OK;
        *answer = json_pack("{s:o}", "reason", json_string(MESO_PRINTABLE(reason.text)));
    }
    json_decref(job);
    tool_progress_update(&r->progress, (size_t)(meso_seconds() - r->progress.started));
    if (*answer) {
        printf("%s%s:", r->work->family->name, final ? ", against the shipped row" : "");
        print_values(r->work->family, candidate);
        print_answer(*answer);
    }
    return status;
}

static meso_status keep(void *user, meso_error *error)
{
    meso_status status = MESO_OK;
    const run *r = user;
    char path[MESO_PREFERENCE_PATH_SIZE];
    char *bytes = json_dumps(r->part, JSON_INDENT(1));
    MESO_REQUIRE_MEMORY(bytes, error);
    MESO_TRY(meso_preference_save(part_name, bytes, strlen(bytes), path, error));
out:
    free(bytes);
    return status;
}

/* The part file of a run like this one, or a fresh document. */
static json_t *open_part(const run *r)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    void *bytes = NULL;
    size_t n;
    meso_error ignored;
    json_t *old = NULL;
    json_t *subject = json_pack(
        "{s:s s:s s:s s:s s:I s:s s:s}", "platform", r->device->platform_name, "device",
        r->device->name, "driver", r->device->driver, "net", r->net, "batch",
        (json_int_t)r->options->batch, "version", meso_version(), "commit", meso_commit());
    meso_preference_path(part_name, path);
    if (*path && meso_file_read(path, largest_part, &bytes, &n, NULL, &ignored) == MESO_OK)
        old = json_loadb(bytes, n, 0, NULL);
    free(bytes);
    if (json_equal(json_object_get(old, "subject"), subject) &&
        json_is_array(json_object_get(old, "tried"))) {
        json_decref(subject);
        return old;
    }
    json_decref(old);
    return json_pack("{s:o s:[]}", "subject", subject, "tried");
}

static void remove_part(void)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    meso_preference_path(part_name, path);
    if (*path)
        unlink(path);
}

/* What the row stands on: when, with what, and all answers of its family. */
static json_t *make_evidence(const run *r, const int *shipped, const json_t *final)
{
    char date[32];
    time_t now = time(NULL);
    struct tm parts;
    size_t i;
    json_t *answer, *tried = json_array();
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    json_array_foreach (json_object_get(r->part, "tried"), i, answer) {
        const json_t *question = json_object_get(answer, "question");
        const char *family = json_string_value(json_object_get(question, "family"));
        if (family && strcmp(family, r->work->family->name) == 0)
            json_array_append(tried, answer);
    }
    return json_pack("{s:s s:s s:s s:s s:I s:o s:O? s:o}", "date", date, "version", meso_version(),
                     "commit", meso_commit(), "net", r->net, "batch", (json_int_t)r->options->batch,
                     "shipped", meso_tuning_values_json(r->work->family, shipped),
                     "against_shipped", final, "tried", tried);
}

/* `answer`: of the comparison with the shipped row; NULL: nothing else was found. */
static void print_choice(const meso_tuning_family *family, const int *row, const int *shipped,
                         const json_t *answer)
{
    const int is_shipped = memcmp(row, shipped, sizeof *row * meso_tuning_n(family)) == 0;
    const char *outcome = "nothing is faster";
    char ratio[128];
    printf("%s:", family->name);
    if (!is_shipped)
        print_values(family, row);
    if (answer)
        outcome = json_string_value(json_object_get(answer, "reason"));
    if (answer && !outcome) {
        snprintf(ratio, sizeof ratio, "%.3f (%.3f to %.3f) %s",
                 json_number_value(json_object_get(answer, "ratio")),
                 json_number_value(json_object_get(answer, "low")),
                 json_number_value(json_object_get(answer, "high")),
                 is_shipped ? "is no certain gain" : "times as fast as the shipped row");
        outcome = ratio;
    }
    printf("%s: %s\n", is_shipped ? " kept as shipped" : "", MESO_PRINTABLE(outcome));
    fflush(stdout);
}

/* From the row that the user has, else the shipped one. */
static meso_status tune_family(run *r, const json_t *user, const json_t *all_shipped, double end,
                               meso_error *error)
{
    const meso_tuning_family *family = r->work->family;
    int shipped[MESO_MAX_TUNABLES], row[MESO_MAX_TUNABLES], before[MESO_MAX_TUNABLES];
    const json_t *answer;
    if (!meso_tuning_values(json_object_get(all_shipped, family->name), family, shipped))
        return MESO_OK; /* the device or the net has none of these kernels */
    if (!meso_tuning_find(user, r->device, family, r->net, row))
        memcpy(row, shipped, sizeof row);
    memcpy(before, row, sizeof row);
    const tune_search search = {.family = family,
                                .device = r->device,
                                .end = end,
                                .tried = json_object_get(r->part, "tried"),
                                .ask = ask,
                                .keep = keep,
                                .user = r};
    MESO_CHECK(tune_search_run(&search, row, error));
    MESO_CHECK(tune_search_final(&search, shipped, row, &answer, error));
    MESO_DEMAND_MEMORY(meso_tuning_put(r->found, r->device, family, r->net, row,
                                       make_evidence(r, shipped, answer)),
                       error);
    r->is_new[r->work - works] = memcmp(row, before, sizeof *row * meso_tuning_n(family)) != 0;
    print_choice(family, row, shipped, answer);
    return MESO_OK;
}

/* How much there is to try in family i; 0: it is not wanted. */
static size_t count_choices(const run *r, size_t i)
{
    size_t n = 0;
    const char *only = r->options->family;
    if (!only || strcmp(only, works[i].family->name) == 0)
        for (size_t k = 0; k < meso_tuning_n(works[i].family); k++)
            n += works[i].family->tunables[k].n;
    return n;
}

/* Each family has its share of the time that is left, by what there is to try. */
static meso_status tune_families(run *r, const json_t *user, meso_error *error)
{
    meso_status status = MESO_OK;
    const double end = meso_seconds() + r->options->seconds;
    json_t *shipped = NULL, *job = make_job(r);
    size_t n_left = 0;
    r->progress =
        (tool_progress){.what = "seconds", .total = (size_t)r->options->seconds, .no_bar = 1};
    tool_progress_start(&r->progress);
    MESO_TRY(run_child(r, job, &shipped, error));
    for (size_t i = 0; i < n_works; i++)
        n_left += count_choices(r, i);
    for (size_t i = 0; i < n_works; i++) {
        const size_t n = count_choices(r, i);
        const double now = meso_seconds();
        r->work = &works[i];
        r->progress.subject = works[i].family->name;
        if (n > 0)
            MESO_TRY(tune_family(r, user, shipped, now + (end - now) * (double)n / (double)n_left,
                                 error));
        n_left -= n;
    }
out:
    tool_progress_end(&r->progress);
    json_decref(shipped);
    json_decref(job);
    return status;
}

/* This run's rows into the user's document. */
static meso_status write_rows(const run *r, json_t *user, meso_error *error)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    size_t n_new = 0;
    for (size_t i = 0; i < n_works; i++) {
        int row[MESO_MAX_TUNABLES];
        size_t k;
        json_t *found;
        if (!r->is_new[i] || !meso_tuning_find(r->found, r->device, works[i].family, r->net, row))
            continue;
        n_new++;
        json_array_foreach (json_object_get(r->found, "rows"), k, found) {
            const char *name = json_string_value(json_object_get(found, "family"));
            if (strcmp(name, works[i].family->name) == 0)
                meso_tuning_put(user, r->device, works[i].family, r->net, row,
                                json_incref(json_object_get(found, "evidence")));
        }
    }
    if (n_new > 0)
        MESO_CHECK(meso_tuning_write(user, path, error));
    remove_part();
    if (n_new == 0)
        printf("nothing new: nothing is written\n");
    else
        printf("written to %s\n", MESO_PRINTABLE(path));
    return MESO_OK;
}

/* The net's own name, by which rows are found. */
static meso_status name_net(const char *selector, char name[64], meso_error *error)
{
    meso_net *net = NULL;
    meso_status status = meso_net_open(selector, &net, error);
    if (status == MESO_OK)
        snprintf(name, 64, "%s", meso_net_name(net));
    meso_net_close(net);
    return status;
}

meso_status tune_device(const tool_drivers *drivers, size_t device, const tune_options *options,
                        meso_error *error)
{
    meso_status status = MESO_OK;
    run r = {.options = options,
             .device = &drivers->devices[device],
             .vendors = drivers->rows[drivers->owners[device]].vendors,
             .found = json_object()};
    json_t *user = meso_tuning_read();
    user = user ? user : json_object();
    tool_drivers_local_name(drivers, device, r.local);
    MESO_TRY(name_net(options->net, r.net, error));
    r.part = open_part(&r);
    MESO_REQUIRE_MEMORY(r.found && r.part && user, error);
    MESO_TRY(meso_preference_check(error));
    MESO_TRY(tune_families(&r, user, error));
    MESO_TRY(write_rows(&r, user, error));
out:
    json_decref(user);
    json_decref(r.found);
    json_decref(r.part);
    return status;
}

meso_status tune_reset(const meso_device_info *device, meso_error *error)
{
    meso_status status = MESO_OK;
    char path[MESO_PREFERENCE_PATH_SIZE];
    json_t *document = meso_tuning_read();
    size_t n = meso_tuning_remove(document, device);
    if (n > 0)
        MESO_TRY(meso_tuning_write(document, path, error));
    remove_part();
    printf("%zu row%s of %s forgotten\n", n, n == 1 ? "" : "s", MESO_PRINTABLE(device->name));
out:
    json_decref(document);
    return status;
}
