/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl predict: files, folders and lists of paths → one row per image.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "mesocl/evaluate.h"
#include "predict_output.h"
#include "progress.h"
#include "stdin_list.h"
#include "tally.h"

typedef struct predict {
    tool_scoring scoring;
    int json, jsonl, csv, nul_separated, strict, sort;
    const char *group;
    tool_predict_kept kept; /* where rows come in another order than files, or of groups */
    tool_predict_output output;
    tool_progress progress;
    meso_status output_status; /* of writing rows */
    tool_tally tally;
} predict;

static const char about[] =
    "Scores images: label, P(fake), P(real) and file, one line for each. The label\n"
    "is real where P(real) is above the threshold.\n"
    "\n"
    "A folder means every image below it, by the endings of formats that are read\n"
    "(jpg jpeg jpe jfif png bmp ppm pgm pnm, and where their libraries were there at\n"
    "build time webp gif tif tiff); what else lies there is passed over and counted.\n"
    "\"-\" means a list of paths on standard input, one a\n"
    "line. The format is detected from the content, not the name. A file that cannot\n"
    "be used is reported on stderr, in the machine formats as a row with its reason,\n"
    "and never ends a run.\n"
    "\n"
    "Exit code: 0 when at least one image was scored; 65 when none was, or any was\n"
    "refused with --strict; 66 when there was nothing to read: no image in the\n"
    "folders, none of the files there or readable; 130 after Ctrl-C, when what was\n"
    "scored has been printed.";

static const char examples[] =
    "mesocl predict -w meso4_df.safetensors photo.jpg photos/\n"
    "find . -name '*.jpg' -print0 | mesocl predict -w m.safetensors -0 -\n"
    "mesocl predict -w m.safetensors --json photos/ > scores.json";

static int parse(predict *p, int *argc, char **argv)
{
    const tool_option options[] = {
        TOOL_SCORING_OPTIONS(p->scoring),
        OPT_REAL("threshold", 't', p->output.threshold, "P", 0, 1,
                 "above which P(real) is called real; default 0.5"),
        OPT_FORM("json", 0, p->json,
                 "one JSON document: schema, provenance, images, n_ok, n_refused, passed_over; "
                 "with --timing also timing"),
        OPT_FORM("jsonl", 0, p->jsonl, "its images alone, one JSON object a line"),
        OPT_FORM(
            "csv", 0, p->csv,
            "CSV on stdout: file, label, p_fake, p_real, error, detail, and of several devices "
            "which"),
        OPT_FLAG("sort", 0, p->sort, "the likeliest fakes first, once all are scored"),
        OPT_TEXT("group", 'g', p->group, "PATTERN",
                 "extended regular expression on the path; its first parenthesis is the recording: "
                 "one row for each, by the mean of its images (in JSON besides the images)"),
        OPT_FLAG("strict", 0, p->strict,
                 "end with 65 if any file was refused or any folder could not be read"),
        OPT_FLAG("null", '0', p->nul_separated,
                 "the list on standard input is separated by NUL bytes, not by lines"),
        OPT_END};
    const tool_command_line line = {
        "predict", "[-w FILE] [options] FILE|FOLDER|-...", about, options, examples, 1, SIZE_MAX};
    int end = tool_options_parse(&line, argc, argv);
    if (end >= 0)
        return end;
    p->output.of_groups = p->group != NULL;
    p->output.format = p->json    ? TOOL_PREDICT_JSON
                       : p->jsonl ? TOOL_PREDICT_JSONL
                       : p->csv   ? TOOL_PREDICT_CSV
                                  : TOOL_PREDICT_TEXT;
    return -1;
}

static int take_score(const meso_file_score *score, void *user)
{
    predict *p = user;
    if (p->output_status != MESO_OK)
        return 1;
    tool_tally_add(&p->tally, score);
    if (score->refusal == MESO_IMAGE_OK)
        p->tally.n_called[meso_is_real(score->p.real, p->output.threshold)]++;
    if (score->refusal != MESO_IMAGE_OK && p->output.format == TOOL_PREDICT_TEXT) {
        tool_progress_clear(&p->progress);
        tool_tally_print_refusal(score);
    }
    p->output_status = p->sort || p->group ? tool_predict_keep(&p->kept, score)
                                           : tool_predict_output_row(&p->output, score);
    tool_progress_update(&p->progress, score->index + 1);
    return p->output_status != MESO_OK || tool_interrupted();
}

/* What was kept. */
static meso_status print_kept(predict *p, const meso_dataset *files)
{
    meso_status status = MESO_OK;
    if (p->sort)
        tool_predict_sort(&p->kept);
    for (size_t i = 0; i < p->kept.n && status == MESO_OK; i++)
        status = tool_predict_output_row(&p->output, &p->kept.scores[i]);
    if (p->group && status == MESO_OK)
        status = tool_predict_make_groups(&p->kept, files, p->sort);
    for (size_t i = 0; i < p->kept.n_groups && status == MESO_OK; i++)
        status = tool_predict_output_group(&p->output, &p->kept.groups[i]);
    return status;
}

/* Nothing, where the row has said it all. */
static void print_summary(const predict *p, const meso_dataset *files)
{
    if (files->n_items > 1 || files->n_passed_over > 0 ||
        files->n_unreadable + p->tally.n_suspect + p->tally.n_turned > 0)
        tool_tally_print(&p->tally, files, p->scoring.exif_orient);
}

/* What the run as a whole comes to, as --help says. */
static int exit_code(const predict *p, const meso_dataset *files)
{
    const tool_tally *tally = &p->tally;
    size_t n_unread =
        tally->n_by_refusal[MESO_IMAGE_VANISHED] + tally->n_by_refusal[MESO_IMAGE_PERMISSION];
    if (tally->n_scored == 0 && n_unread == tally->n_refused)
        return 66;
    if (tally->n_scored == 0)
        return 65;
    return p->strict && tally->n_refused + files->n_unreadable > 0 ? 65 : 0;
}

static int score(predict *p, const meso_device *device, meso_model *model, const char *const *paths,
                 const meso_dataset *files)
{
    const size_t n = files->n_items;
    tool_time times[TOOL_N_TIMES];
    meso_error error = {0};
    p->progress = (tool_progress){.what = "images",
                                  .total = n,
                                  .no_bar = isatty(STDOUT_FILENO) && !p->sort &&
                                            !p->group}; /* rows that are seen to come are enough */
    tool_progress_start(&p->progress);
    tool_interrupt_catch();
    tool_scoring_files(&p->scoring, model, paths, NULL, n, take_score, p, &error);
    tool_progress_end(&p->progress);
    if (p->output_status == MESO_OK)
        p->output_status = print_kept(p, files);
    memcpy(p->output.n_called, p->tally.n_called, sizeof p->output.n_called);
    if (p->output_status != MESO_OK)
        return meso_status_exit_code(p->output_status); /* main() says why stdout failed */
    tool_scoring_times(&p->scoring, device, model, times);
    p->output_status =
        tool_predict_output_end(&p->output, files, error.status == MESO_OK ? NULL : error.text,
                                p->scoring.timing ? times : NULL);
    print_summary(p, files);
    if (p->scoring.timing)
        tool_print_times(times);
    if (error.status != MESO_OK)
        return tool_fail(&error);
    return p->output_status == MESO_OK ? exit_code(p, files)
                                       : meso_status_exit_code(p->output_status);
}

/* The dataset's paths as the plain array that meso_score_files takes. */
static const char **path_array(const meso_dataset *files)
{
    const char **paths = malloc(files->n_items * sizeof *paths);
    for (size_t i = 0; paths && i < files->n_items; i++)
        paths[i] = files->items[i].path;
    return paths;
}

static meso_status find_files(const predict *p, char **operands, size_t n_operands,
                              tool_path_list *list, meso_dataset *files, const char ***paths,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    MESO_TRY(tool_path_list_read(operands, n_operands, p->nul_separated, list, error));
    MESO_TRY(meso_dataset_from_paths(list->paths, list->n, files, error));
    if (p->group)
        MESO_TRY(tool_predict_name_groups(files, p->group, error));
    *paths = path_array(files);
    MESO_REQUIRE_MEMORY(*paths, error);
out:
    return status;
}

static int run(predict *p, char **operands, size_t n_operands)
{
    meso_device *device = NULL;
    meso_model *model = NULL;
    tool_path_list list = {0};
    meso_dataset files = MESO_INIT(meso_dataset);
    const char **paths = NULL;
    meso_error error = {0};
    int code;
    if (find_files(p, operands, n_operands, &list, &files, &paths, &error) != MESO_OK)
        code = tool_fail(&error);
    else
        code = tool_scoring_open(&p->scoring, &device, &model);
    if (code < 0) {
        const report_provenance provenance = tool_scoring_provenance(&p->scoring, device, model);
        p->output_status = tool_predict_output_begin(&p->output, &provenance);
        code = p->output_status == MESO_OK ? score(p, device, model, paths, &files)
                                           : meso_status_exit_code(p->output_status);
    }
    tool_scoring_close(&p->scoring, device, model);
    free(paths);
    tool_predict_forget(&p->kept);
    meso_dataset_close(&files);
    tool_path_list_free(&list);
    return code;
}

int cmd_predict(int argc, char **argv)
{
    predict p = {.output = {.threshold = 0.5, .scoring = &p.scoring}};
    int code = parse(&p, &argc, argv);
    if (code < 0)
        code = run(&p, argv, (size_t)argc);
    return code;
}
