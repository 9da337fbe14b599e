/* SPDX-License-Identifier: Apache-2.0
 *
 * Several devices at work on one list of pictures. Each has a process of its own (`mesocl
 * score-job`, cmd_score_job.c), which asks for files when it has none left, so that a device's
 * share is what its speed makes it. Towards the end shares become small, and a device that is done
 * takes over half of what another has not answered yet; the first answer counts. So a device that
 * dies, hangs or is slow costs no picture, and nobody waits for it.
 */
#ifndef MESO_TOOLS_SCORE_TEAM_H
#define MESO_TOOLS_SCORE_TEAM_H

#include "common.h"

/* ---- between the processes; both are the same program, so that structs travel as they are ----
 *
 * A block is a size_t, the number of bytes behind it. The first that a process is fed is a task and
 * the strings device, weights and net ("": none), the others are shares and for each file its path
 * and its hash ("": none). Strings end with NUL. */
typedef struct tool_team_task {
    uint64_t batch, threads, max_pixels;
    meso_path path;
    int exif_orient;
} tool_team_task;

typedef struct tool_team_share {
    size_t first, n; /* files of the list */
} tool_team_share;

/* What a process says on this descriptor: a message, and n_bytes. */
enum { TOOL_TEAM_FD = 3 };

typedef enum tool_team_kind {
    TOOL_TEAM_READY,  /* the model is open: a tool_team_model */
    TOOL_TEAM_WANTS,  /* more files; how long the last ones took */
    TOOL_TEAM_ROW,    /* a file's outcome, and the detail of a refusal */
    TOOL_TEAM_FAILED, /* and ends: the sentence */
} tool_team_kind;

typedef struct tool_team_message {
    tool_team_kind kind;
    size_t n_bytes;
    meso_score_timing timing;
    meso_file_score score;
    meso_status status;
} tool_team_message;

/* What reports tell of model and opening. */
typedef struct tool_team_model {
    char net[128], clblast[256], weights_hash[33], data_hash[64];
    double list_devices, open_device, open_model, build; /* seconds */
} tool_team_model;

/* ---- the program that the user started ---- */

typedef struct tool_team tool_team;

/* A process for each device that the scoring's selector means; returns when the first is ready.
 * Errors: those of opening a device and a model, of the last one where none could be opened. */
meso_status tool_team_open(const tool_scoring *scoring, tool_team **team, meso_error *error);

/* meso_score_files, by all. A device that fails is said on stderr. Errors: as there; DEVICE where
 * no device is left. */
meso_status tool_team_score(tool_team *team, const char *const *paths, size_t n,
                            const meso_score_options *options, meso_file_score_callback callback,
                            void *user, meso_error *error);

const tool_team_model *tool_team_get_model(const tool_team *team);

/* Names, drivers and platforms of its devices, with commas between. */
const char *tool_team_devices(const tool_team *team);
const char *tool_team_drivers(const tool_team *team);
const char *tool_team_platforms(const tool_team *team);

/* "0:1": which device's answer a file has. */
const char *tool_team_device_of(const tool_team *team, size_t file);

/* Ends the processes. NULL is allowed. */
void tool_team_close(tool_team *team);

#endif
