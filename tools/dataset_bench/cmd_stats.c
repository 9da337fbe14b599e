/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench stats: what the pictures of each class and dataset are like.
 */
#include <stdio.h>

#include "base/error.h"
#include "dataset_bench.h"
#include "facts_report.h"

typedef struct stats {
    db_inputs inputs;
    db_output output;
    const char *images;
} stats;

static const char about[] =
    "Measures every picture at its own size and says, for each class of each\n"
    "dataset, the mean and standard deviation over its pictures: the six statistics\n"
    "of the study \"Dataset Analysis for Deepfake Detection Using Mesonet\", to the\n"
    "same digits, then sharpness, noise, colourfulness, saturation, blockiness,\n"
    "frequencies, sizes and how JPEG files were made; and the properties in which\n"
    "classes and datasets differ most.\n"
    "\n"
    "A dataset is a FOLDER with one folder for each class, recognised by its name\n"
    "(fake df deepfake forged manipulated synthetic swap swapped ai generated; real\n"
    "original pristine authentic genuine human; others by --fake and --real), or a\n"
    "manifest. NAME=FOLDER names it; otherwise the last two parts of its path do.\n"
    "\n"
    "Exit code: 0; 65 when a dataset has no usable picture, lacks a class, or\n"
    "changes meanwhile; 66 when it is not there; 130 after Ctrl-C: the next run\n"
    "continues there.";

static const char examples[] = "dataset_bench stats openforensics/Train dfdc/Train --limit 1000\n"
                               "dataset_bench stats of=openforensics/Train --html of.html\n"
                               "dataset_bench stats --manifest all.csv --json > stats.json";

static int parse(stats *s, int *argc, char **argv)
{
    const tool_option options[] = {
        DB_INPUT_OPTIONS(s->inputs),
        OPT_FLAG("study", 0, s->inputs.published_only,
                 "the study's six statistics alone, which is faster"),
        DB_OUTPUT_OPTIONS(s->output, "CSV on stdout: dataset, class, property, n, mean, std"),
        OPT_REPORT("images", 0, s->images, "FILE",
                   "write one CSV line for each picture, with every property"),
        OPT_END};
    const tool_command_line line = {
        "stats", "[options] [NAME=]DATASET...", about, options, examples, 0, SIZE_MAX};
    int code = tool_options_parse(&line, argc, argv);
    if (code >= 0)
        return code;
    if (*argc == 0 && !s->inputs.files.manifest)
        return tool_options_usage_error("stats", "give a folder or --manifest FILE");
    return -1;
}

static meso_status run(stats *s, char **operands, size_t n, meso_error *error)
{
    meso_status status = MESO_OK;
    db_stats found = {0};
    meso_text images = {0};
    MESO_TRY(db_inputs_scan(&s->inputs, operands, n, error));
    found.datasets = s->inputs.datasets;
    MESO_TRY(study_facts_describe(found.datasets, s->inputs.n, &found.facts, error));
    const report_provenance provenance = db_inputs_provenance(&s->inputs);
    MESO_TRY(db_output_put(&s->output, &db_stats_told, &found, &provenance, error));
    if (s->images) {
        db_images_csv(&found, &images);
        MESO_TRY(report_put(&images, s->images, error));
    }
out:
    study_facts_free(&found.facts);
    return status;
}

int db_cmd_stats(int argc, char **argv)
{
    stats s = {.inputs = DB_INPUTS_INIT};
    meso_error error = {0};
    int code = parse(&s, &argc, argv);
    if (code < 0)
        code = run(&s, argv, (size_t)argc, &error) == MESO_OK ? 0 : tool_fail(&error);
    db_inputs_free(&s.inputs);
    return code;
}
