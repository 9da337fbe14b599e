/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench split: one dataset → a part to train on and a part to test with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "data/list/labels.h"
#include "dataset_bench.h"
#include "dataset_inputs.h"
#include "outputs.h"
#include "report/report_table.h"
#include "split_output.h"

typedef struct split {
    db_inputs inputs;
    double test;
    uint64_t seed;
    int links, absolute;
    const char *output;
} split;

static const char about[] =
    "Divides a dataset into a training and a test part without leakage: images of one\n"
    "recording (--group) and duplicates stay on one side, every class is divided at\n"
    "the same fraction, and the same seed gives the same split. Files that cannot be\n"
    "used are left out.\n"
    "\n"
    "Writes FOLDER/train.csv and FOLDER/test.csv, manifests that every command takes\n"
    "in place of a folder: file, label, group where there are groups, and the\n"
    "XXH3-128 hash of the file, by which a picture that has changed is noticed.\n"
    "\n"
    "Exit code: 0; 65 where a part would have no image of a class; 73 where FOLDER\n"
    "cannot be made.";

static const char examples[] =
    "dataset_bench split mesonet/Validation --test-split 0.25 --group '([^_/]+)_[0-9]+\\.jpg' -o "
    "parts\n"
    "dataset_bench split faces --test-split 0.2 --seed 1 --links -o links";

static const tool_result split_result = {"a split", "choose another folder", NULL};

static int parse(split *s, int *argc, char **argv)
{
    const tool_option options[] = {
        OPT_REAL("test-split", 0, s->test, "PART", 0.0001, 0.9999,
                 "fraction of each class for the test part; default 0.1"),
        OPT_RESULT("output", 'o', s->output, "FOLDER", &split_result,
                   "where to write both parts (required)"),
        OPT_FORCE,
        OPT_COUNT("seed", 's', s->seed, "N", 0, 0, "seed of the draw; default 0"),
        OPT_FLAG("links", 0, s->links,
                 "also make FOLDER/{train,test}/{Fake,Real} with links to the files"),
        OPT_FLAG("absolute", 0, s->absolute,
                 "write absolute paths; default: paths relative to FOLDER, where they share more "
                 "than /, so that it can be moved with the pictures"),
        DB_INPUT_OPTIONS(s->inputs),
        OPT_END};
    const tool_command_line line = {
        "split", "[options] -o FOLDER DATASET", about, options, examples, 0, 1};
    int code = tool_options_parse(&line, argc, argv);
    if (code >= 0)
        return code;
    if (!s->output)
        return tool_options_usage_error("split", "-o FOLDER is missing");
    if ((size_t)*argc == (s->inputs.files.manifest != NULL))
        return tool_options_usage_error("split", "give either a folder or --manifest FILE");
    return -1;
}

static void say(const split *s, const study_split *made)
{
    REPORT_TABLE(table, COLUMN_TEXT("part", "part"), COLUMN_COUNT("fake", "fake"),
                 COLUMN_COUNT("real", "real"), COLUMN_COUNT("units", "units drawn"));
    meso_text out = {0};
    for (int part = 0; part < 2; part++)
        REPORT_ROW(&table, part ? "test" : "train", made->n_class[part][MESO_FAKE],
                   made->n_class[part][MESO_REAL], made->n_units[part]);
    report_table_text(&table, &out);
    if (!out.out_of_memory)
        fputs(out.bytes, stdout);
    printf("%zu images were kept on the same side as a duplicate\nwritten to %s\n",
           made->n_kept_together, MESO_PRINTABLE(s->output));
    meso_text_free(&out);
    report_table_free(&table);
}

static int is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Links in a class folder of the input would be pictures of it from then on. */
static meso_status spare_classes(const split *s, const char *operand, meso_error *error)
{
    const char *equals = strchr(operand, '='); /* NAME=FOLDER */
    const char *path = equals && !is_folder(operand) ? equals + 1 : operand;
    char *folders[2] = {NULL, NULL};
    meso_status status = MESO_OK;
    if (!is_folder(path))
        return MESO_OK;
    MESO_CHECK(meso_label_folders(path, &s->inputs.files, folders, error));
    for (int label = 0; label < 2; label++)
        MESO_REQUIRE(!tool_output_within(s->output, folders[label]), error, MESO_ERROR_CREATE,
                     "--output %s lies in %s, where links are pictures of that class: choose "
                     "another folder",
                     MESO_PRINTABLE(s->output), MESO_PRINTABLE(folders[label]));
out:
    free(folders[0]);
    free(folders[1]);
    return status;
}

static meso_status run(split *s, char **operands, size_t n, meso_error *error)
{
    meso_status status = MESO_OK;
    study_split made = {0};
    if (s->links && n > 0)
        MESO_TRY(spare_classes(s, operands[0], error));
    MESO_TRY(db_inputs_scan(&s->inputs, operands, n, error));
    const study_dataset *dataset = &s->inputs.datasets[0];
    MESO_TRY(study_split_make(dataset, s->test, s->seed, &made, error));
    MESO_TRY(tool_result_begin(s->output, &split_result, error));
    MESO_TRY(meso_folder_make(s->output, error));
    if (s->links)
        MESO_TRY(db_split_links(dataset, &made, s->output, s->absolute, error));
    MESO_TRY(db_split_lists(dataset, &made, s->output, s->absolute, error));
    MESO_TRY(tool_result_end(error));
    say(s, &made);
out:
    study_split_free(&made);
    return status;
}

int db_cmd_split(int argc, char **argv)
{
    split s = {.inputs = DB_INPUTS_INIT, .test = 0.1};
    meso_error error = {0};
    int code = parse(&s, &argc, argv);
    if (code < 0)
        code = run(&s, argv, (size_t)argc, &error) == MESO_OK ? 0 : tool_fail(&error);
    db_inputs_free(&s.inputs);
    return code;
}
