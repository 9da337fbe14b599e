/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl score-job: one device's process of a team (score_team.h); not meant to be typed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "commands.h"
#include "score_team.h"

enum { rows_at_once = 8 };

typedef struct score_job {
    FILE *to;
    tool_scoring scoring;
    meso_device *device;
    meso_model *model;
    meso_text task, block; /* what was read: the task's strings, a share's files */
    tool_team_share share;
} score_job;

/* Whether the other end still listens. */
static int say(score_job *job, tool_team_message message, const void *bytes, size_t n, int now)
{
    message.n_bytes = n;
    fwrite(&message, sizeof message, 1, job->to);
    fwrite(bytes, 1, n, job->to);
    return (!now || fflush(job->to) == 0) && !ferror(job->to);
}

/* 0: there is no more. */
static int read_block(meso_text *block)
{
    size_t n;
    if (fread(&n, sizeof n, 1, stdin) != 1)
        return 0;
    meso_text_free(block);
    block->bytes = malloc(n + 1);
    block->length = block->bytes && fread(block->bytes, 1, n, stdin) == n ? n : 0;
    return block->length == n;
}

/* The string at *at, which then stands behind it. */
static const char *take_string(const char **at)
{
    const char *string = *at;
    *at += strlen(string) + 1;
    return string;
}

static const char *or_null(const char *string)
{
    return *string ? string : NULL;
}

static int read_task(score_job *job)
{
    tool_team_task task;
    if (!read_block(&job->task))
        return 0;
    memcpy(&task, job->task.bytes, sizeof task);
    const char *at = job->task.bytes + sizeof task;
    job->scoring = (tool_scoring){.batch = task.batch,
                                  .threads = task.threads,
                                  .max_pixels = task.max_pixels,
                                  .path = task.path,
                                  .exif_orient = task.exif_orient};
    job->scoring.device = take_string(&at);
    job->scoring.weights = or_null(take_string(&at));
    job->scoring.net = or_null(take_string(&at));
    return 1;
}

static int say_ready(score_job *job)
{
    const meso_model_info *info = meso_model_get_info(job->model);
    const char *data_hash = tool_scoring_data_hash(&job->scoring, job->model);
    tool_team_model model = {.open_model = job->scoring.open_model_seconds,
                             .build = info->build_seconds};
    meso_device_open_seconds(job->device, &model.list_devices, &model.open_device);
    snprintf(model.net, sizeof model.net, "%s", info->net_name);
    snprintf(model.clblast, sizeof model.clblast, "%s", info->clblast);
    snprintf(model.weights_hash, sizeof model.weights_hash, "%s", info->weights_hash);
    snprintf(model.data_hash, sizeof model.data_hash, "%s", data_hash ? data_hash : "");
    return say(job, (tool_team_message){.kind = TOOL_TEAM_READY}, &model, sizeof model, 1);
}

static int say_row(const meso_file_score *score, void *user)
{
    score_job *job = user;
    tool_team_message row = {.kind = TOOL_TEAM_ROW, .score = *score};
    row.score.index += job->share.first;
    return !say(job, row, score->detail, strlen(score->detail),
                row.score.index % rows_at_once == rows_at_once - 1);
}

static meso_status score_share(score_job *job, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_score_options options = tool_scoring_score_options(&job->scoring);
    memcpy(&job->share, job->block.bytes, sizeof job->share);
    const size_t n = job->share.n;
    const char *at = job->block.bytes + sizeof job->share;
    const char **paths = calloc(2 * n + 1, sizeof *paths);
    MESO_REQUIRE_MEMORY(paths, error);
    for (size_t i = 0; i < n; i++) {
        paths[i] = take_string(&at);
        paths[n + i] = or_null(take_string(&at));
    }
    options.hashes = paths + n;
    status = meso_score_files(job->model, paths, n, &options, say_row, job, error);
out:
    free(paths);
    return status;
}

static meso_status work(score_job *job, meso_error *error)
{
    tool_team_message wants = {.kind = TOOL_TEAM_WANTS};
    MESO_CHECK(tool_scoring_open_one(&job->scoring, &job->device, &job->model, error));
    int goes_on = say_ready(job);
    while (goes_on && say(job, wants, "", 0, 1) && read_block(&job->block)) {
        MESO_CHECK(score_share(job, error));
        wants.timing = job->scoring.scored;
    }
    return MESO_OK;
}

int cmd_score_job(int argc, char **argv)
{
    score_job job = {0};
    struct stat info;
    meso_error error = {0};
    const tool_option options[] = {OPT_END};
    const char *const about = "A part of mesocl predict and evaluate: one of several devices.";
    const tool_command_line line = {"score-job", "", about, options, "", 0, 0};
    const int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    if (fstat(TOOL_TEAM_FD, &info) != 0 || !S_ISFIFO(info.st_mode))
        return tool_options_usage_error("score-job", "it is started by predict and evaluate");
    fcntl(TOOL_TEAM_FD, F_SETFD, FD_CLOEXEC);
    signal(SIGINT, SIG_IGN); /* Ctrl-C is for the program that started this one, which ends it */
    job.to = fdopen(TOOL_TEAM_FD, "w");
    if (job.to && read_task(&job) && work(&job, &error) != MESO_OK)
        say(&job, (tool_team_message){.kind = TOOL_TEAM_FAILED, .status = error.status}, error.text,
            strlen(error.text), 1);
    meso_model_close(job.model);
    meso_device_close(job.device);
    meso_text_free(&job.task);
    meso_text_free(&job.block);
    return meso_status_exit_code(error.status);
}
