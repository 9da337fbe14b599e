/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl evaluate: a labelled dataset → how well a model separates real from fake.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "commands.h"
#include "common.h"
#include "evaluation.h"
#include "outputs.h"
#include "progress.h"
#include "report/report_writer.h"

typedef struct evaluate {
    tool_scoring scoring;
    meso_dataset_options dataset_options;
    uint64_t limit, n_resamples, seed;
    double threshold;
    int json;
    const char *csv, *roc;
    const char *folder; /* NULL with a manifest */
    tool_evaluation evaluation;
    tool_progress progress;
    int out_of_memory;
} evaluate;

static const char about[] =
    "Scores a labelled dataset and says how well the model separates real from fake:\n"
    "accuracy, MSE, AUC, EER and more with 95 % intervals, beside a majority-class\n"
    "baseline.\n"
    "\n"
    "DATASET is a folder with one folder for each class, recognised by its name: fake\n"
    "df deepfake forged manipulated synthetic swap swapped ai generated, or real\n"
    "original pristine authentic genuine human; --fake and --real name others. Or it\n"
    "is a manifest, a CSV with the columns file, label and, if wanted, group and\n"
    "hash, as dataset_bench split writes it: a picture that has changed since is an\n"
    "error.\n"
    "\n"
    "With --group the images of one recording belong together: each recording is\n"
    "also scored as a whole, and intervals allow for frames being alike. P(real)\n"
    "above the threshold counts as real. A file that cannot be used is reported on\n"
    "stderr and never ends a run.\n"
    "\n"
    "Exit code: 0 when at least one image was scored; 65 when none was; 66 when\n"
    "DATASET is missing, unreadable or empty; 130 after Ctrl-C, when nothing is\n"
    "reported.";

static const char examples[] =
    "mesocl evaluate -w meso4_df.safetensors mesonet/Validation\n"
    "mesocl evaluate -w m.safetensors mesonet/Validation --group '([^_/]+)_[0-9]+\\.jpg' --roc "
    "roc.svg\n"
    "mesocl evaluate -w m.safetensors test.csv --json > result.json";

static int parse(evaluate *e, int argc, char **argv)
{
    meso_dataset_options *d = &e->dataset_options;
    const tool_option options[] = {
        TOOL_SCORING_OPTIONS(e->scoring),
        TOOL_DATASET_OPTIONS(*d),
        OPT_COUNT("limit", 'n', e->limit, "N", 1, 4294967296,
                  "at most N images of each class: the first ones"),
        OPT_REAL("threshold", 't', e->threshold, "P", 0, 1,
                 "above which P(real) is called real; default 0.5"),
        OPT_COUNT("resamples", 0, e->n_resamples, "N", 1, 1000000,
                  "of the bootstrap; default 1000"),
        OPT_COUNT("seed", 's', e->seed, "N", 0, 0, "seed of the bootstrap; default 0"),
        OPT_FORM("json", 0, e->json, "one JSON document in place of the report"),
        OPT_REPORT(
            "csv", 0, e->csv, "FILE",
            "write one row per image: file, label, group, p_fake, p_real, correct, error, and of "
            "several devices which"),
        OPT_REPORT("roc", 0, e->roc, "FILE", "draw the ROC curve as SVG"),
        OPT_END};
    const tool_command_line line = {
        "evaluate", "[-w FILE] [options] DATASET", about, options, examples, 0, 1};
    int code = tool_options_parse(&line, &argc, argv);
    if (code >= 0)
        return code;
    if (argc == (d->manifest != NULL))
        return tool_options_usage_error("evaluate", "give either a folder or --manifest FILE");
    e->folder = argc ? argv[0] : NULL;
    d->max_per_class = (size_t)e->limit;
    return -1;
}

static int take_score(const meso_file_score *score, void *user)
{
    evaluate *e = user;
    if (score->refusal != MESO_IMAGE_OK) {
        tool_progress_clear(&e->progress);
        tool_tally_print_refusal(score);
    }
    e->out_of_memory |= tool_evaluation_add(&e->evaluation, score) != MESO_OK;
    tool_progress_update(&e->progress, score->index + 1);
    return e->out_of_memory || tool_interrupted();
}

/* Scores every file of the dataset. */
static meso_status score(evaluate *e, meso_model *model, const meso_dataset *dataset,
                         meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t n = dataset->n_items;
    const char **paths = malloc(2 * n * sizeof *paths), **hashes = paths ? paths + n : NULL;
    MESO_REQUIRE_MEMORY(paths, error);
    for (size_t i = 0; i < n; i++) {
        paths[i] = dataset->items[i].path;
        hashes[i] = dataset->items[i].hash;
    }
    e->progress = (tool_progress){.what = "images", .total = dataset->n_items};
    tool_progress_start(&e->progress);
    tool_interrupt_catch();
    status = tool_scoring_files(&e->scoring, model, paths, hashes, n, take_score, e, error);
    tool_progress_end(&e->progress);
    MESO_REQUIRE(!e->out_of_memory, error, MESO_ERROR_MEMORY, "out of memory");
    /* The first images are all fakes: figures of a part would say something else. */
    MESO_REQUIRE(status != MESO_ERROR_CANCELLED, error, MESO_ERROR_CANCELLED,
                 "interrupted after %zu of %zu images: nothing is reported",
                 e->evaluation.tally.n_scored + e->evaluation.tally.n_refused, dataset->n_items);
out:
    free(paths);
    return status;
}

/* Appends a path's last name: a title has no room for more. */
static void add_last_name(const char *path, meso_text *text)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    meso_text_add_n(text, path + begin, end - begin);
}

static meso_status write_roc(const evaluate *e, const report_provenance *provenance,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text text = {0}, title = {0};
    add_last_name(provenance->weights, &title);
    meso_text_add(&title, " on ");
    add_last_name(provenance->dataset, &title);
    MESO_REQUIRE(!title.out_of_memory, error, MESO_ERROR_MEMORY, "out of memory");
    MESO_TRY(tool_evaluate_roc(&e->evaluation, title.bytes, &text, error));
    MESO_TRY(report_put(&text, e->roc, error));
out:
    meso_text_free(&title);
    return status;
}

/* The report first: a file that cannot be written must not cost it. */
static meso_status report(const evaluate *e, const report_provenance *provenance, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text text = {0}, csv = {0};
    (e->json ? tool_evaluate_json : tool_evaluate_text)(&e->evaluation, provenance, &text);
    MESO_TRY(report_put(&text, NULL, error));
    if (e->csv) {
        tool_evaluate_csv(&e->evaluation, &csv);
        MESO_TRY(report_put(&csv, e->csv, error));
    }
    if (e->evaluation.tally.n_scored == 0)
        status = meso_fail(error, MESO_ERROR_DATA, "no image could be scored");
    else if (e->roc)
        MESO_TRY(write_roc(e, provenance, error));
out:
    return status;
}

/* A run's folder says what its weights were trained on; the weights that come with MesoCL are known
 * by the hash of their data. */
static void find_training_data(evaluate *e, const meso_model *model)
{
    static const char shipped[] = "0555945c6e328a1439c04298e514552a"; /* weights/README.md */
    const char *hash = tool_scoring_data_hash(&e->scoring, model);
    const char *weights = e->scoring.weights, *end = weights ? strrchr(weights, '/') : NULL;
    char *to = e->evaluation.trained_on;
    meso_text path = {0};
    if (hash && strcmp(hash, shipped) == 0)
        snprintf(to, sizeof e->evaluation.trained_on, "the MesoNet database, deepfakes of 2018");
    if (*to || !hash || !weights)
        return;
    meso_text_format(&path, "%.*sconfig.json", end ? (int)(end + 1 - weights) : 0, weights);
    json_t *config = path.out_of_memory ? NULL : json_load_file(path.bytes, 0, NULL);
    const char *data =
        json_string_value(json_object_get(json_object_get(config, "options"), "data"));
    const char *theirs = json_string_value(json_object_get(config, "data_hash"));
    if (data && theirs && strcmp(hash, theirs) == 0)
        snprintf(to, sizeof e->evaluation.trained_on, "%s", data);
    json_decref(config);
    meso_text_free(&path);
}

static meso_status measure(evaluate *e, const meso_device *device, meso_model *model,
                           const meso_dataset *dataset, meso_error *error)
{
    meso_status status = MESO_OK;
    tool_time times[TOOL_N_TIMES];
    char seed[24];
    MESO_TRY(score(e, model, dataset, error));
    tool_tally_print(&e->evaluation.tally, dataset, e->scoring.exif_orient);
    MESO_TRY(tool_evaluation_finish(&e->evaluation, e->threshold, (size_t)e->n_resamples, e->seed,
                                    error));
    find_training_data(e, model);
    report_provenance provenance = tool_scoring_provenance(&e->scoring, device, model);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)e->seed);
    provenance.seed = seed;
    if (e->scoring.timing) {
        tool_scoring_times(&e->scoring, device, model, times);
        tool_print_times(times);
        e->evaluation.times = times;
    }
    provenance.dataset = e->folder ? e->folder : e->dataset_options.manifest;
    MESO_TRY(report(e, &provenance, error));
out:
    return status;
}

static int run(evaluate *e)
{
    meso_device *device = NULL;
    meso_model *model = NULL;
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_error error = {0};
    int code = -1;
    if (meso_dataset_open(e->folder, &e->dataset_options, &dataset, &error) != MESO_OK ||
        tool_outputs_spare(&dataset, &error) != MESO_OK ||
        tool_evaluation_create(&dataset, &e->evaluation, &error) != MESO_OK)
        code = tool_fail(&error);
    e->evaluation.scoring = &e->scoring;
    if (code < 0)
        code = tool_scoring_open(&e->scoring, &device, &model);
    if (code < 0)
        code = measure(e, device, model, &dataset, &error) == MESO_OK ? 0 : tool_fail(&error);
    tool_evaluation_free(&e->evaluation);
    meso_dataset_close(&dataset);
    tool_scoring_close(&e->scoring, device, model);
    return code;
}

int cmd_evaluate(int argc, char **argv)
{
    evaluate e = {
        .dataset_options = MESO_INIT(meso_dataset_options), .n_resamples = 1000, .threshold = 0.5};
    int code = parse(&e, argc, argv);
    if (code < 0)
        code = run(&e);
    return code;
}
