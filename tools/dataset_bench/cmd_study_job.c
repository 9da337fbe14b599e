/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench study-job FOLDER prepare, or study-job FOLDER NUMBER THREADS: what `run` starts for
 * each job; not meant to be typed.
 */
#include <stdlib.h>

#include "common.h"
#include "dataset_bench.h"
#include "study_folder.h"

int db_cmd_study_job(int argc, char **argv)
{
    const tool_option options[] = {OPT_PROGRESS, OPT_END};
    const char *const usage = "FOLDER prepare | FOLDER NUMBER THREADS";
    const char *const about = "A part of dataset_bench run.";
    const tool_command_line line = {"study-job", usage, about, options, "", 2, 3};
    db_study study = {0};
    meso_error error = {0};
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    const int prepare = argc == 2;
    meso_status status = db_study_open(argv[0], &study, &error);
    if (status == MESO_OK && prepare)
        status = db_job_prepare(&study, &error);
    if (status == MESO_OK && !prepare)
        status = db_study_load(&study, &error);
    if (status == MESO_OK && !prepare)
        status = db_job_run(&study, strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10), &error);
    db_study_close(&study);
    return status == MESO_OK ? 0 : tool_fail(&error);
}
