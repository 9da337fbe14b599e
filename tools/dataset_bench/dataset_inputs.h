/* SPDX-License-Identifier: Apache-2.0
 *
 * What every subcommand that looks at datasets asks for, and the scans that follow from it.
 */
#ifndef MESO_TOOLS_DATASET_INPUTS_H
#define MESO_TOOLS_DATASET_INPUTS_H

#include "common.h"
#include "progress.h"
#include "report/report_provenance.h"
#include "study/scan/study_scan.h"

/* Starts from DB_INPUTS_INIT. */
typedef struct db_inputs {
    meso_dataset_options files; /* fake, real, manifest, group */
    const char *device_name;
    const char *cache;     /* folder; NULL: the usual one */
    uint64_t sample, draw; /* files of each class; the seed that draws them */
    uint64_t threads, max_pixels;
    int no_cache, published_only;
    meso_device *device;
    study_dataset *datasets; /* [n], in the order of the command line */
    size_t n;
} db_inputs;

/* clang-format off */
#define DB_INPUTS_INIT {.files = MESO_INIT(meso_dataset_options), .draw = DB_NOT_DRAWN}
#define DB_NOT_DRAWN UINT64_MAX
#define DB_INPUT_OPTIONS(i) \
    TOOL_DATASET_OPTIONS((i).files), \
    OPT_COUNT("limit", 'n', (i).sample, "N", 1, 4294967296, \
        "at most N images of each class: the first by name"), \
    OPT_COUNT("draw", 0, (i).draw, "SEED", 0, 4294967296, \
        "with --limit: N files drawn at random from this seed"), \
    OPT_DEVICE((i).device_name), \
    OPT_COUNT("threads", 'j', (i).threads, "N", 1, 1024, \
        "decoding threads; default: one for each processor"), \
    OPT_COUNT("max-pixels", 0, (i).max_pixels, "N", 1, 4294967296, \
        "refuse larger pictures (too_large); default 67108864"), \
    OPT_TEXT("cache", 0, (i).cache, "FOLDER", \
        "where to keep what was found in files, so that the next run reads only what changed; " \
        "default: $MESO_CACHE_DIR, else $XDG_CACHE_HOME/mesocl, else ~/.cache/mesocl"), \
    OPT_FLAG("no-cache", 0, (i).no_cache, "read every file, and keep nothing"), \
    OPT_PROGRESS
/* clang-format on */

/* Opens the device and scans every operand, with a progress bar, until Ctrl-C. Says on stderr what
 * was refused. Errors: those of meso_dataset_open and study_scan; DATA (two datasets of one name).
 */
meso_status db_inputs_scan(db_inputs *inputs, char *const *operands, size_t n_operands,
                           meso_error *error);
void db_inputs_free(db_inputs *inputs);

report_provenance db_inputs_provenance(const db_inputs *inputs);

#endif
