/* SPDX-License-Identifier: Apache-2.0
 *
 * What a study would take: jobs, images, seconds, bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "common.h"
#include "drivers.h"
#include "mesocl/model.h"
#include "mesocl/weights.h"
#include "model/train/trainer.h"
#include "report/report_table.h"
#include "study_folder.h"
#include "study_run.h"

enum {
    n_probe_steps = 3,
    scan_rate = 500,   /* files a second that a scan reads, roughly */
    score_bytes = 14,  /* of a score in a job's file */
    list_bytes = 1200, /* of a file's row in a list and in the scan's cache */
    report_bytes = 4 << 20
};

typedef struct speeds {
    double train, score; /* images a second */
} speeds;

/* Trains and scores grey pictures for a moment; the first step compiles. */
static meso_status probe(meso_device *device, const meso_train_options *o, speeds *s,
                         meso_error *error)
{
    meso_status status = MESO_OK;
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    meso_trainer *trainer = NULL;
    meso_model *model = NULL;
    meso_layer_info input = MESO_INIT(meso_layer_info);
    meso_step_result result;
    const size_t n = o->batch;
    uint8_t *pixels = NULL, *classes = calloc(n, 1);
    meso_probability *p = calloc(n, sizeof *p);
    const meso_trainer_options options = meso_trainer_options_of(o);
    MESO_TRY(meso_net_open(o->net, &net, error));
    MESO_TRY(meso_weights_random(net, 1, &weights, error));
    meso_net_layer(net, 0, &input, NULL);
    pixels = calloc(n * input.height * input.width * 3, 1);
    MESO_REQUIRE_MEMORY(pixels && classes && p, error);
    MESO_TRY(meso_trainer_open(device, weights, &options, &trainer, error));
    const meso_train_batch batch = {.pixels = pixels, .classes = classes, .n = n};
    for (int i = 0; i <= n_probe_steps; i++) {
        double started = meso_seconds();
        status = meso_trainer_step(trainer, &batch, o->learning_rate, &result);
        MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(trainer));
        s->train = (double)n / (meso_seconds() - started);
    }
    MESO_TRY(meso_model_random(device, net, 1, NULL, &model, error));
    for (int i = 0; i <= n_probe_steps; i++) {
        double started = meso_seconds();
        MESO_TRY(meso_predict_rgb8(model, pixels, n, input.width, input.height,
                                   (size_t)3 * input.width, p, error));
        s->score = (double)n / (meso_seconds() - started);
    }
out:
    meso_model_close(model);
    meso_trainer_close(trainer);
    meso_weights_close(weights);
    meso_net_close(net);
    free(pixels);
    free(classes);
    free(p);
    return status;
}

static size_t trained_images(const db_sizes *sizes, size_t train)
{
    size_t n = 0;
    for (int c = 0; c < 2; c++) {
        size_t has = sizes->n_files[train][c], take = sizes->per_class[c];
        n += take < has ? take : has;
    }
    return n;
}

static void print_sets(const study_plan *plan, const db_sizes *sizes)
{
    REPORT_TABLE(table, COLUMN_TEXT("set", "set"), COLUMN_TEXT("role", "role"),
                 COLUMN_COUNT("fake", "fake"), COLUMN_COUNT("real", "real"),
                 COLUMN_COUNT("used", "used"), COLUMN_TEXT("path", "path"));
    meso_text text = {0};
    for (size_t s = 0; s < plan->n_train + plan->n_test; s++) {
        int is_train = s < plan->n_train;
        const study_source *source = study_plan_source(plan, s);
        REPORT_ROW(&table, source->name, is_train ? "train" : "test", sizes->n_files[s][0],
                   sizes->n_files[s][1],
                   is_train ? trained_images(sizes, s)
                            : sizes->n_files[s][0] + sizes->n_files[s][1],
                   source->path);
    }
    report_table_text(&table, &text);
    printf("%s", text.bytes ? text.bytes : "");
    meso_text_free(&text);
    report_table_free(&table);
}

/* Seconds and bytes of everything. */
static void add_up(const study_plan *plan, const db_sizes *sizes, const speeds *speed,
                   size_t n_devices, double *seconds, double *bytes)
{
    double n_test = 0, n_files = 0, seeds = (double)plan->n_seeds;
    for (size_t s = 0; s < plan->n_train + plan->n_test; s++) {
        double n = (double)(sizes->n_files[s][0] + sizes->n_files[s][1]);
        n_files += n;
        n_test += s < plan->n_train ? 0 : n;
    }
    *seconds = n_files / scan_rate;
    *bytes = n_files * list_bytes + report_bytes;
    for (size_t v = 0; v < plan->n_variants; v++)
        for (size_t t = 0; t < plan->n_train; t++) {
            double trained =
                (double)trained_images(sizes, t) * (double)plan->variants[v].options.epochs;
            *seconds +=
                seeds * (trained / speed[v].train + n_test * (double)n_devices / speed[v].score);
            *bytes +=
                seeds * ((double)sizes->model_bytes[v] + n_test * (double)n_devices * score_bytes);
        }
}

/* How many devices would evaluate a job. */
static meso_status count_devices(const char *selector, size_t *n, meso_error *error)
{
    meso_status status = MESO_OK;
    tool_drivers drivers = {0};
    MESO_TRY(tool_drivers_find(&drivers, error));
    MESO_TRY(tool_drivers_ask(&drivers, selector, 1, error));
    *n = drivers.n_matches;
out:
    tool_drivers_free(&drivers);
    return status;
}

static void say(const study_plan *plan, const speeds *speed, double seconds, double bytes,
                meso_text *out)
{
    meso_text_add(out, "\n");
    meso_text_add_count(out, study_plan_n_jobs(plan), "training");
    meso_text_add(out, ": ");
    meso_text_add_count(out, plan->n_train, "training set");
    if (plan->n_variants > 1)
        meso_text_format(out, " × %zu variants", plan->n_variants);
    meso_text_add(out, " × ");
    meso_text_add_count(out, plan->n_seeds, "seed");
    meso_text_add(out, ", each tested on ");
    meso_text_add_count(out, plan->n_test, "set");
    meso_text_add(out, "\n");
    for (size_t v = 0; v < plan->n_variants; v++) {
        if (plan->n_variants > 1)
            meso_text_format(out, "%s: ", plan->variants[v].name);
        meso_text_format(out, "%s, ", plan->variants[v].options.net);
        meso_text_add_count(out, plan->variants[v].options.epochs, "epoch");
        meso_text_format(out, ", %.0f images/s trained, %.0f images/s scored\n", speed[v].train,
                         speed[v].score);
    }
    meso_text_add(out, "about ");
    meso_text_add_duration(out, seconds);
    meso_text_format(out, " on this machine, %.0f MB of disk\n", bytes / 1e6);
}

meso_status db_study_dry_run(const study_plan *plan, const db_sizes *sizes, meso_error *error)
{
    meso_status status = MESO_OK;
    speeds speed[STUDY_MAX_SETS];
    meso_device *device = NULL;
    size_t n_devices = 0;
    double seconds, bytes;
    meso_text text = {0};
    tool_selector choice;
    const char *selector = db_device_selector(plan, 0, choice);
    MESO_TRY(count_devices(selector, &n_devices, error));
    MESO_TRY(tool_open_first(selector, &device, error));
    for (size_t v = 0; v < plan->n_variants; v++)
        MESO_TRY(probe(device, &plan->variants[v].options, &speed[v], error));
    print_sets(plan, sizes);
    add_up(plan, sizes, speed, n_devices, &seconds, &bytes);
    say(plan, speed, seconds, bytes, &text);
    status = tool_print(&text) == 0 ? MESO_OK : MESO_ERROR_IO;
out:
    meso_device_close(device);
    return status;
}
