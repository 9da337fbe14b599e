/* SPDX-License-Identifier: Apache-2.0
 *
 * What every subcommand that looks at datasets asks for, and the scans that follow from it.
 */
#ifndef MESO_TOOLS_BENCH_INPUTS_H
#define MESO_TOOLS_BENCH_INPUTS_H

#include "common.h"
#include "progress.h"
#include "report/report_provenance.h"
#include "study/scan/study_scan.h"

/* Starts from BENCH_INPUTS_INIT. */
typedef struct bench_inputs {
    meso_dataset_options files; /* fake, real, manifest, group */
    const char *device_name;
    const char *cache;     /* folder; NULL: the usual one */
    uint64_t sample, draw; /* files of each class; the seed that draws them */
    uint64_t threads, max_pixels;
    int no_cache, published_only;
    meso_device *device;
    study_dataset *datasets; /* [n], in the order of the command line */
    size_t n;
    tool_progress progress;
} bench_inputs;

/* clang-format off */
#define BENCH_INPUTS_INIT {.files = MESO_DATASET_OPTIONS_INIT, .draw = BENCH_NOT_DRAWN}
#define BENCH_NOT_DRAWN UINT64_MAX
#define BENCH_INPUT_OPTIONS(i) \
    {"manifest", 'm', MESO_OPTION_TEXT, {.text = &(i).files.manifest}, "FILE", \
     "one more dataset: a CSV with the columns file, label and, if wanted, group; a FILE in place of a " \
     "FOLDER means the same", 0, 0}, \
    {"group", 'g', MESO_OPTION_TEXT, {.text = &(i).files.group}, "PATTERN", \
     "extended regular expression on the path below the class folder; its first parenthesis is the " \
     "recording; for manifests also the name of the column that says it, if that is not group", 0, 0}, \
    {"fake", '\0', MESO_OPTION_TEXT, {.text = &(i).files.fake}, "NAME", \
     "the class folder that holds the fakes", 0, 0}, \
    {"real", '\0', MESO_OPTION_TEXT, {.text = &(i).files.real}, "NAME", \
     "the class folder that holds the originals", 0, 0}, \
    {"sample", 'n', MESO_OPTION_UNSIGNED, {.number = &(i).sample}, "N", \
     "only the first N files of each class by name", 1, 4294967296}, \
    {"draw", '\0', MESO_OPTION_UNSIGNED, {.number = &(i).draw}, "SEED", \
     "with --sample: N files drawn at random from this seed", 0, 4294967296}, \
    MESO_OPTION_DEVICE((i).device_name), \
    {"threads", 'j', MESO_OPTION_UNSIGNED, {.number = &(i).threads}, "N", \
     "decoding threads; default: one for each processor", 1, 1024}, \
    {"max-pixels", '\0', MESO_OPTION_UNSIGNED, {.number = &(i).max_pixels}, "N", \
     "refuse larger pictures (too_large); default 67108864", 1, 4294967296}, \
    {"cache", '\0', MESO_OPTION_TEXT, {.text = &(i).cache}, "FOLDER", \
     "where to keep what was found in files, so that the next run reads only what changed; default: " \
     "$MESO_CACHE_DIR, else $XDG_CACHE_HOME/mesocl, else ~/.cache/mesocl", 0, 0}, \
    {"no-cache", '\0', MESO_OPTION_FLAG, {.flag = &(i).no_cache}, NULL, \
     "read every file, and keep nothing", 0, 0}
/* clang-format on */

/* Opens the device and scans every operand, with a progress bar, until Ctrl-C. Says on stderr what
 * was refused. Errors: those of meso_dataset_open and study_scan; DATA (two datasets of one name).
 */
meso_status bench_inputs_scan(bench_inputs *inputs, char *const *operands, size_t n_operands,
                              meso_error *error);
void bench_inputs_free(bench_inputs *inputs);

report_provenance bench_inputs_provenance(const bench_inputs *inputs, const char *command);

#endif
