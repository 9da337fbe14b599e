/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench demo-data: datasets of drawn pictures, to try the other commands on.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common.h"
#include "dataset_bench.h"
#include "demo/demo_data.h"
#include "outputs.h"
#include "progress.h"

typedef struct demo_data {
    uint64_t count, side, seed;
} demo_data;

static const char about[] =
    "Draws three datasets and a control set of faces of nobody, with fakes made by\n"
    "resampling, blending and smoothing the face: clear is like control; faint has\n"
    "weak traces, other light and compression, duplicates, label conflicts and\n"
    "pictures of control; shortcut has classes of different JPEG quality.\n"
    "planted.csv lists what was planted. The same seed draws the same pictures.\n"
    "\n"
    "Figures found on them say nothing of real deepfakes.";

static const char examples[] = "dataset_bench demo-data demo\n"
                               "dataset_bench check demo/faint --against demo/control\n"
                               "dataset_bench check demo/shortcut";

static const tool_result demo_result = {"demo data", "choose another folder", NULL};

/* The library's sets, with so many plants for each hundred pictures. */
static meso_status draw(demo_data *d, const char *folder, meso_error *error)
{
    study_demo_set sets[STUDY_N_DEMO_SETS];
    tool_progress progress = {.what = "pictures"};
    memcpy(sets, study_demo_sets, sizeof sets);
    for (int s = 0; s < STUDY_N_DEMO_SETS; s++) {
        size_t *const plants[] = {&sets[s].n_exact, &sets[s].n_near, &sets[s].n_conflicts,
                                  &sets[s].n_leaks};
        for (int k = 0; k < 4; k++)
            *plants[k] = (*plants[k] * 2 * (size_t)d->count + 99) / 100;
    }
    const study_demo_options options = {.folder = folder,
                                        .sets = sets,
                                        .n_sets = STUDY_N_DEMO_SETS,
                                        .n_per_class = (size_t)d->count,
                                        .side = (unsigned)d->side,
                                        .seed = d->seed,
                                        .progress = tool_progress_show,
                                        .user = &progress};
    tool_interrupt_catch();
    meso_status status = tool_result_begin(folder, &demo_result, error);
    if (status == MESO_OK)
        status = study_demo_write(&options, error);
    tool_progress_end(&progress);
    if (status == MESO_OK)
        status = tool_result_end(error);
    if (status == MESO_OK)
        fprintf(stderr,
                "%s: %zu pictures drawn in %s, of no real person; README.txt there says what each "
                "set is "
                "to show\n",
                tool_program_name, progress.total, MESO_PRINTABLE(folder));
    return status;
}

int db_cmd_demo_data(int argc, char **argv)
{
    demo_data d = {.count = 100, .side = 256, .seed = 1};
    meso_error error = {0};
    const tool_option options[] = {
        OPT_COUNT("count", 0, d.count, "N", 10, 100000,
                  "pictures of each class of each dataset; default 100"),
        OPT_COUNT("side", 0, d.side, "N", 32, 4096, "pixels of a picture's side; default 256"),
        OPT_COUNT("seed", 's', d.seed, "N", 0, 16777215, "seed of the pictures; default 1"),
        OPT_FORCE,
        OPT_PROGRESS,
        OPT_END};
    const tool_command_line line = {
        "demo-data", "[options] FOLDER", about, options, examples, 1, 1};
    int code = tool_options_parse(&line, &argc, argv);
    if (code >= 0)
        return code;
    return draw(&d, argv[0], &error) == MESO_OK ? 0 : tool_fail(&error);
}
