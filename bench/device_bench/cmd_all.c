/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench all: every net on every device, and which device is the fastest.
 */
#include <stdio.h>

#include "common.h"
#include "device_bench.h"
#include "device_rank.h"
#include "runtime/preference.h"
#include "session.h"

static const char about[] =
    "Measures prediction and training of nets on every device, each in a process of\n"
    "its own with a time limit, so that a driver that crashes or hangs costs its own\n"
    "row. Nothing is timed before the device has given known answers. Devices are\n"
    "ranked by the mean of their rates, each beside the best of that row (geometric\n"
    "mean).\n"
    "\n"
    "--pick writes the device that predicts fastest, and how fast each trains, into\n"
    "the user's preference, which --device auto reads in all programs; $MESO_DEVICE\n"
    "still comes first. A GPU that was not picked so does not train.";

static const char examples[] = "device_bench\n"
                               "device_bench --markdown\n"
                               "device_bench --device cpu --seconds 1 --html bench.html\n"
                               "device_bench --pick";

static int parse(bench_session *s, int *pick, int argc, char **argv)
{
    const tool_option options[] = {
        OPT_FLAG("pick", 0, *pick, "remember the fastest devices for --device auto"),
        OPT_DEVICES(s->device, "all"), BENCH_SESSION_OPTIONS(*s), OPT_END};
    const tool_command_line line = {"all", "[options]", about, options, examples, 0, 0};
    return tool_options_parse(&line, &argc, argv);
}

/* Ranks, and remembers the first in predicting and all rates of training where that was asked for.
 */
static int finish(const bench_session *session, const json_t *document, int pick)
{
    meso_text out = {0};
    meso_error error = {0};
    char path[MESO_PREFERENCE_PATH_SIZE];
    const json_t *best = bench_rank_devices(document, "predict", &out);
    bench_rank_devices(document, "train", &out);
    if (!session->json && !session->csv && out.bytes)
        tool_print(&out);
    meso_text_free(&out);
    if (!pick || !best)
        return 0;
    if (bench_pick(document, best, path, &error) != MESO_OK)
        return tool_fail(&error);
    fprintf(stderr,
            "%s: --device auto means %s from now on, and the fastest at it where a net is "
            "trained (%s)\n",
            tool_program_name, json_string_value(json_object_get(best, "device")), path);
    return 0;
}

int bench_cmd_all(int argc, char **argv)
{
    /* What a run of a few minutes can hold: the paper's two nets. */
    static const bench_spec specs[] = {
        {.net = "meso4", .batches = {1, 8, 32, 64}, .n_batches = 4, .layers = 1},
        {.net = "meso4", .batches = {32}, .n_batches = 1, .layers = 1, .train = 1},
        {.net = "mesoinception4", .batches = {1, 32}, .n_batches = 2, .layers = 1},
        {.net = "mesoinception4", .batches = {32}, .n_batches = 1, .layers = 1, .train = 1}};
    bench_session session = {.seconds = 1, .n_processes = 3, .device = "all"};
    int pick = 0;
    json_t *document = NULL;
    meso_error error = {0};
    int end = parse(&session, &pick, argc, argv);
    if (end < 0 && pick && meso_preference_check(&error) != MESO_OK)
        end = tool_fail(&error);
    if (end >= 0)
        return end;
    end = bench_session_run(&session, specs, sizeof specs / sizeof specs[0], &document);
    /* A device that failed is said; what the others did counts. */
    if (json_array_size(json_object_get(document, "results")) > 0) {
        int finished = finish(&session, document, pick);
        end = finished ? finished : end;
    }
    json_decref(document);
    return end;
}
