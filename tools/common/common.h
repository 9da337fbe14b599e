/* SPDX-License-Identifier: Apache-2.0
 *
 * What the subcommands share: the options that open a model, sentences on stderr, Ctrl-C
 * (interrupt.c).
 */
#ifndef MESO_TOOLS_COMMON_H
#define MESO_TOOLS_COMMON_H

#include <jansson.h>
#include <stdint.h>

#include "base/text.h"
#include "data/list/group.h"
#include "data/list/layout.h"
#include "mesocl/dataset.h"
#include "mesocl/evaluate.h"
#include "mesocl/model.h"
#include "options.h"
#include "progress.h"
#include "report/report_provenance.h"

/* Says "PROGRAM: SENTENCE" on stderr and returns the exit code that belongs to the status. */
int tool_fail(const meso_error *error);

/* Prints the text and frees it. 0, or the exit code after a sentence where it is incomplete. */
int tool_print(meso_text *text);

/* Says on stderr what of the folders could not be read and what in them was passed over. subject
 * stands in front; NULL: nothing. */
void tool_tell_passed(const char *subject, const meso_dataset *files);

/* What predict and evaluate ask for. Start from {0}; rows for the option table below. */
typedef struct tool_scoring {
    const char *weights; /* NULL: those that come with the library */
    const char *net;
    const char *device;
    uint64_t batch, threads, max_pixels; /* 0: the library's default */
    meso_path path;
    int exif_orient, timing;
    char file[4096];                    /* that `weights` means; tool_scoring_open fills it */
    double started, open_model_seconds; /* for --timing: tool_scoring_open fills them */
    meso_score_timing scored;           /* meso_score_files fills it */
    struct tool_team *team; /* where a list of devices is meant; they and their models are open in
                               processes of their own (score_team.h) */
} tool_scoring;

/* clang-format off */
#define OPT_DEVICE_ROW(where, all, usual) \
    OPT_TEXT("device", 'd', (where), "DEVICE", \
        "cpu, gpu, igpu, dgpu, 0:1 (platform:device), part of a name" all " or auto: " \
        "$MESO_DEVICE, else what device_bench --pick stored, else the first dgpu, cpu or igpu; " \
        "default: " usual)
#define DEVICES_HELP ", several as in 0:0,1:0, each (every piece of hardware, once)"
#define OPT_DEVICE(where) OPT_DEVICE_ROW(where, "", "auto")
#define OPT_DEVICE_TEAM(where) OPT_DEVICE_ROW(where, DEVICES_HELP, "auto") /* at work together */
#define OPT_DEVICES(where, usual) \
    OPT_DEVICE_ROW(where, DEVICES_HELP ", all", usual) /* each that is meant */
#define OPT_PATH(where) \
    OPT_CHOICE("path", 0, (where), "fused|exact|plain", \
        "which kernels compute: fused ones (the default) where net and device allow; exact, " \
        "fused ones that keep a digit more in predictions; or plain ones, one for each layer"), \
    OPT_SET("no-fuse", 0, (where), MESO_PATH_PLAIN, "--path plain")
#define OPT_JSON(where) \
    OPT_FORM("json", 0, (where), "one JSON document on stdout")
#define TOOL_SCORING_OPTIONS(s) \
    OPT_INPUT("weights", 'w', (s).weights, "FILE", \
        "the model: a file of mesocl train or convert, the folder of a run (its best weights), " \
        "or meso4 or mesoinception4, which come with MesoCL; default: meso4"), \
    OPT_INPUT("net", 0, (s).net, "NET", \
        "a built-in net or a .net file in place of the net in the weight file"), \
    OPT_DEVICE_TEAM((s).device), \
    OPT_PATH((s).path), \
    OPT_COUNT("batch", 'b', (s).batch, "N", 1, 4096, \
        "images at once on the device; default: 8 to 256, as the net's path and the device like"), \
    OPT_COUNT("threads", 'j', (s).threads, "N", 1, 1024, \
        "decoding threads of all devices; default: one for each processor"), \
    OPT_COUNT("max-pixels", 0, (s).max_pixels, "N", 1, 4294967296, \
        "refuse larger pictures (too_large); default 67108864"), \
    OPT_FLAG("exif-orient", 0, (s).exif_orient, \
        "turn pictures as their EXIF data say; the published nets were trained without"), \
    OPT_FLAG("timing", 0, (s).timing, \
        "print on stderr, and in JSON, how many seconds each part took; decode adds up all " \
        "threads"), \
    OPT_PROGRESS
/* Which datasets, of meso_dataset_options. */
#define TOOL_DATASET_OPTIONS(d) \
    OPT_INPUT("manifest", 'm', (d).manifest, "FILE", \
        "a CSV with the columns file, label and, if wanted, group and hash; the same as a " \
        "FILE in place of a folder"), \
    OPT_TEXT("group", 'g', (d).group, "PATTERN", MESO_GROUP_HELP MESO_GROUP_COLUMNS_HELP), \
    OPT_TEXT("fake", 0, (d).fake, "NAME", "the class folder that holds the fakes"), \
    OPT_TEXT("real", 0, (d).real, "NAME", "the class folder that holds the originals"), \
    OPT_CHOICE("layout", 0, (d).layout, MESO_LAYOUT_WORDS, MESO_LAYOUT_HELP)
/* clang-format on */

/* Opens device and model, or a team, and *device and *model stay NULL. Returns −1 on success, else
 * the exit code (a sentence is on stderr). Close in any case. */
int tool_scoring_open(tool_scoring *scoring, meso_device **device, meso_model **model);
void tool_scoring_close(tool_scoring *scoring, meso_device *device, meso_model *model);

/* The same with one device, for a team's processes. */
meso_status tool_scoring_open_one(tool_scoring *scoring, meso_device **device, meso_model **model,
                                  meso_error *error);

/* meso_score_files, by the model or the team. hashes: NULL, or what a manifest says. */
meso_status tool_scoring_files(tool_scoring *scoring, meso_model *model, const char *const *paths,
                               const char *const *hashes, size_t n,
                               meso_file_score_callback callback, void *user, meso_error *error);

/* "0:1": which device of a team has scored a file; NULL without a team. */
const char *tool_scoring_device_of(const tool_scoring *scoring, size_t file);

/* What the model says of the data that it was trained on; NULL: nothing. */
const char *tool_scoring_data_hash(const tool_scoring *scoring, const meso_model *model);

/* What --timing tells: a part's name, and its seconds. */
typedef struct tool_time {
    const char *name;
    double seconds;
} tool_time;
enum { TOOL_N_TIMES = 8 };
void tool_scoring_times(const tool_scoring *scoring, const meso_device *device,
                        const meso_model *model, tool_time times[TOOL_N_TIMES]);
void tool_print_times(const tool_time times[TOOL_N_TIMES]);   /* one line on stderr */
json_t *tool_times_json(const tool_time times[TOOL_N_TIMES]); /* NULL: out of memory */

/* What a report says of its origin. The strings are those of the arguments. */
report_provenance tool_scoring_provenance(const tool_scoring *scoring, const meso_device *device,
                                          const meso_model *model);

meso_score_options tool_scoring_score_options(tool_scoring *scoring);

/* 0 if all that was printed to stdout so far has gone out, else the errno of the first failure. For
 * loops that stop early when the reader has left; main() asks at the end in any case. */
int tool_stdout_error(void);

/* From now on the first Ctrl-C (SIGINT) or SIGTERM only makes tool_interrupted() true; the second
 * ends the program at once. */
void tool_interrupt_catch(void);
int tool_interrupted(void);

#endif
