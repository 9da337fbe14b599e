/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench net: one net on one device or several.
 */
#include "common.h"
#include "device_bench.h"
#include "session.h"

static const char about[] =
    "Measures images a second, 8-bit pictures in memory to probability, or through\n"
    "training steps, for several batch sizes in turns. A built-in net or a .net file\n"
    "gets seeded weights. Nothing is timed before the device has given the known\n"
    "answers of mesocl selftest, and every batch size those of the plain path. Every\n"
    "layer's time comes with it, but for CSV (see ops).\n"
    "\n"
    "GFLOP/s count the multiply-adds of the net's text as direct convolutions,\n"
    "forward, whatever the kernels do instead; the share is that of the multiply-add\n"
    "peak measured in the same rounds on as many cores, and may exceed 1. Figures\n"
    "are medians with bootstrap intervals.";

static const char examples[] = "device_bench net meso4\n"
                               "device_bench net meso4 --batch 1,32 --cores 1 --json\n"
                               "device_bench net meso4 --training --batch 32 --processes 5\n"
                               "device_bench net meso4 --device all --together\n"
                               "device_bench net mesoinception4_df.safetensors --seconds 10";

static int parse(bench_session *s, bench_spec *spec, int argc, char **argv)
{
    const tool_option options[] = {
        OPT_TEXT("batch", 'b', s->batches, "N,N,...",
                 "images at once, up to 16 sizes from 1 to 4096; default 1,8,32,64 (32,64 in "
                 "training)"),
        OPT_FLAG("training", 0, spec->train,
                 "steps of training (MSE, Adam) in place of predictions"),
        OPT_FLAG("together", 0, s->together,
                 "then all devices at once, one stream of the largest batches shared out by speed"),
        OPT_DEVICES(s->device, "auto"),
        BENCH_SESSION_OPTIONS(*s),
        OPT_END};
    const tool_command_line line = {
        "net", "NAME|FILE.net|FILE.safetensors [options]", about, options, examples, 1, 1};
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    const char *batches = s->batches ? s->batches : spec->train ? "32,64" : "1,8,32,64";
    if (!bench_spec_read_batches(batches, spec))
        return tool_options_usage_error("net",
                                        "--batch takes up to %d numbers from 1 to %d with commas "
                                        "between, not \"%s\"",
                                        BENCH_MAX_CASES, BENCH_LARGEST_BATCH,
                                        MESO_PRINTABLE(batches));
    spec->net = argv[0];
    spec->layers = !s->csv || s->html; /* CSV is one table */
    return -1;
}

int bench_cmd_net(int argc, char **argv)
{
    bench_session session = {.seconds = 3, .n_processes = 1};
    bench_spec spec = {0};
    int end = parse(&session, &spec, argc, argv);
    return end < 0 ? bench_session_run(&session, &spec, 1, NULL) : end;
}
