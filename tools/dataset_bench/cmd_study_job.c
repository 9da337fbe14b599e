/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench study-job FOLDER prepare, or study-job FOLDER NUMBER THREADS: what `run` starts for
 * each job; not meant to be typed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "dataset_bench.h"
#include "study_job.h"

int db_cmd_study_job(int argc, char **argv)
{
    db_study study = {0};
    meso_error error = {0};
    meso_status status;
    int prepare = argc == 3 && strcmp(argv[2], "prepare") == 0;
    if (argc != 4 && !prepare) {
        fprintf(stderr, "study-job is a part of `dataset_bench run`\n");
        return 2;
    }
    status = db_study_open(argv[1], &study, &error);
    if (status == MESO_OK && prepare)
        status = db_job_prepare(&study, &error);
    if (status == MESO_OK && !prepare)
        status = db_study_load(&study, &error);
    if (status == MESO_OK && !prepare)
        status = db_job_run(&study, strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), &error);
    db_study_close(&study);
    return status == MESO_OK ? 0 : tool_fail(&error);
}
