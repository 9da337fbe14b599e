/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench check: what is wrong with datasets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dataset_bench.h"
#include "dataset_output.h"
#include "facts_report.h"

typedef struct check {
    db_inputs inputs;
    db_output output;
    uint64_t resamples, seed, list;
    int strict, thumbnails;
    const char *against;
} check;

static const char about[] =
    "Finds what makes a detector's score worth less than it seems: files that\n"
    "cannot be used; duplicates, as files, as pixels, or re-encoded, scaled or\n"
    "mirrored; label conflicts; leakage: images and recordings that two datasets\n"
    "share; and shortcuts, which predict the label without the face: a JPEG quality,\n"
    "a file size, a framing.\n"
    "\n"
    "Datasets are given as for stats. Several are compared with each other; with\n"
    "--against each only with that one. Near duplicates are found by a perceptual\n"
    "hash and verified on the pixels; a picture whose brightness or framing was\n"
    "changed is not found.\n"
    "\n"
    "Exit code: 0; with --strict 1 where there is a warning; 65, 66, 130 as for\n"
    "stats.";

static const char examples[] =
    "dataset_bench check openforensics/Train --against openforensics/Test\n"
    "dataset_bench check mesonet/Validation --group '([^_/]+)_[0-9]+\\.jpg'\n"
    "dataset_bench check of=openforensics/Train dfdc=dfdc/Train --html report.html";

static int parse(check *c, int *argc, char **argv)
{
    const tool_option options[] = {
        OPT_INPUT("against", 0, c->against, "DATASET",
                  "compare each dataset with this one, which is not checked itself"),
        DB_INPUT_OPTIONS(c->inputs),
        OPT_COUNT("resamples", 0, c->resamples, "N", 1, 1000000,
                  "of the bootstrap; default 1000, fewer for more than 20,000 images"),
        OPT_COUNT("seed", 's', c->seed, "N", 0, 0, "seed of the bootstrap; default 0"),
        OPT_COUNT("list", 0, c->list, "N", 0, 4294967296,
                  "rows of each list for people; default 10"),
        DB_OUTPUT_OPTIONS(c->output, "CSV on stdout: one line for each pair of duplicates"),
        OPT_FLAG("thumbnails", 0, c->thumbnails,
                 "show pictures in the report: examples of pairs, in 16x16 grey"),
        OPT_FLAG("strict", 0, c->strict, "end with 1 where there is a warning"),
        OPT_END};
    const tool_command_line line = {
        "check", "[options] [NAME=]DATASET...", about, options, examples, 0, SIZE_MAX};
    int code = tool_options_parse(&line, argc, argv);
    if (code >= 0)
        return code;
    if (*argc == 0 && !c->inputs.files.manifest)
        return tool_options_usage_error("check", "give a folder or --manifest FILE");
    return -1;
}

/* The operands, then the one to compare with. */
static meso_status scan(check *c, char **operands, size_t n, meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n_all = n;
    char **all = malloc((n + 2) * sizeof *all);
    MESO_REQUIRE_MEMORY(all, error);
    memcpy(all, operands, n * sizeof *all);
    if (c->inputs.files.manifest) {
        all[n_all++] = (char *)c->inputs.files.manifest;
        c->inputs.files.manifest = NULL;
    }
    if (c->against)
        all[n_all++] = (char *)c->against;
    MESO_TRY(db_inputs_scan(&c->inputs, all, n_all, error));
out:
    free(all);
    return status;
}

/* A study without training: --against is its only test set. *found: whether there is a warning. */
static meso_status run(check *c, char **operands, size_t n, int *found, meso_error *error)
{
    meso_status status = MESO_OK;
    char seed[24];
    tool_progress progress = {.what = "checks"};
    db_checked checked = {.list = (size_t)c->list, .thumbnails = c->thumbnails};
    MESO_TRY(scan(c, operands, n, error));
    checked.datasets = c->inputs.datasets;
    const study_facts_options options = {.n_train = c->against ? c->inputs.n - 1 : 0,
                                         .train_alone = c->against != NULL,
                                         .n_resamples = (size_t)c->resamples,
                                         .seed = c->seed,
                                         .progress = tool_progress_show,
                                         .user = &progress};
    status = study_facts_create(checked.datasets, c->inputs.n, &options, &checked.facts, error);
    tool_progress_end(&progress);
    MESO_TRY(status);
    MESO_TRY(study_findings_create(&checked.facts, &checked.findings, error));
    *found = checked.findings.n > 0;
    report_provenance provenance = db_inputs_provenance(&c->inputs);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)c->seed);
    provenance.seed = seed;
    MESO_TRY(db_output_put(&c->output, &db_check_told, &checked, &provenance, error));
out:
    study_findings_free(&checked.findings);
    study_facts_free(&checked.facts);
    return status;
}

int db_cmd_check(int argc, char **argv)
{
    check c = {.inputs = DB_INPUTS_INIT, .list = 10};
    meso_error error = {0};
    int found = 0;
    int code = parse(&c, &argc, argv);
    if (code < 0)
        code = run(&c, argv, (size_t)argc, &found, &error) != MESO_OK ? tool_fail(&error)
                                                                      : c.strict && found;
    db_inputs_free(&c.inputs);
    return code;
}
