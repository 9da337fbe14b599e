/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl report: a run of training as one HTML file.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "common.h"
#include "report/report_writer.h"
#include "report_page.h"

static const char about[] =
    "Writes RUN/report.html about a run of mesocl train: accuracy, AUC and more of\n"
    "the best weights with 95 % intervals, ROC, calibration, confusion matrix,\n"
    "curves of loss, accuracy and learning rate, options, provenance. It is one\n"
    "file, opens without a network, and fits screen and paper. A run that is still\n"
    "training, or was interrupted, gets its curves only.";

static meso_status write_report(const char *run, const char *output, meso_text *path,
                                meso_error *error)
{
    meso_status status = MESO_OK;
    meso_run_folder folder = {0};
    meso_text page = {0};
    size_t n = strlen(run);
    meso_text_format(path, "%s/study.json", run);
    MESO_REQUIRE(path->out_of_memory || access(path->bytes, F_OK) != 0, error, MESO_ERROR_NO_INPUT,
                 "%s: the folder of a study: dataset_bench report %s", MESO_PRINTABLE(run),
                 MESO_PRINTABLE(run));
    path->length = 0;
    if (output)
        meso_text_add(path, output);
    else
        meso_text_format(path, "%s%sreport.html", run, n > 0 && run[n - 1] == '/' ? "" : "/");
    MESO_REQUIRE_MEMORY(!path->out_of_memory, error);
    MESO_TRY(meso_run_folder_read(run, &folder, error));
    if (!output)
        MESO_TRY(meso_file_check_output(path->bytes, error));
    MESO_TRY(tool_report_page(run, &folder, &page, error));
    MESO_TRY(report_put(&page, path->bytes, error));
out:
    meso_text_free(&page);
    meso_run_folder_free(&folder);
    return status;
}

static const char examples[] = "mesocl report run1/";

int cmd_report(int argc, char **argv)
{
    const char *output = NULL;
    const tool_option options[] = {
        OPT_REPORT("output", 'o', output, "FILE", "where to write it; default RUN/report.html"),
        OPT_END};
    const tool_command_line line = {"report", "RUN [-o FILE]", about, options, examples, 1, 1};
    meso_text path = {0};
    meso_error error = {0};
    int code = tool_options_parse(&line, &argc, argv);
    if (code >= 0)
        return code;
    code = 0;
    if (write_report(argv[0], output, &path, &error) != MESO_OK)
        code = tool_fail(&error);
    else if (strcmp(path.bytes, "-") != 0)
        printf("written  %s\n", MESO_PRINTABLE(path.bytes));
    meso_text_free(&path);
    return code;
}
