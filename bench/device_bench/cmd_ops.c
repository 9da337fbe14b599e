/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench ops: where the time goes, layer by layer.
 */
#include "common.h"
#include "device_bench.h"
#include "session.h"

static const char about[] =
    "Measures every kernel of every layer by the driver's stamps, forward\n"
    "(prediction) and forward and backward (a training step), beside the device's\n"
    "multiply-add peak. Where a driver's stamps make no sense the host's clock is\n"
    "taken, and the record says so.\n"
    "\n"
    "Without NET: the nets of the MesoNet paper. GFLOP/s count a layer's\n"
    "multiply-adds as a direct convolution, so a Winograd kernel, which needs fewer,\n"
    "may exceed the peak. --check compares with known answers and the plain path and\n"
    "times nothing.";

static const char examples[] = "device_bench ops --device gpu\n"
                               "device_bench ops meso4 --batch 32 --path plain\n"
                               "device_bench ops --check\n"
                               "device_bench ops --html ops.html";

enum { most_nets = 64 };

static int parse(bench_session *s, bench_spec *spec, int *argc, char **argv)
{
    const tool_option options[] = {
        OPT_TEXT("batch", 'b', s->batches, "N", "images at once; default 8"),
        OPT_FLAG("check", 'c', spec->check_only,
                 "known answers and agreement with the plain path alone"),
        OPT_DEVICES(s->device, "auto"), BENCH_SESSION_OPTIONS(*s), OPT_END};
    const tool_command_line line = {"ops",    "[NET...] [options]", about, options, examples, 0,
                                    most_nets};
    int end = tool_options_parse(&line, argc, argv);
    if (end >= 0)
        return end;
    if (!bench_spec_read_batches(s->batches ? s->batches : "8", spec) || spec->n_batches > 1)
        return tool_options_usage_error("ops", "--batch takes a number from 1 to %d, not \"%s\"",
                                        BENCH_LARGEST_BATCH, MESO_PRINTABLE(s->batches));
    spec->layers = 1;
    s->rows = spec->check_only ? BENCH_CHECKS : BENCH_LAYERS;
    return -1;
}

int bench_cmd_ops(int argc, char **argv)
{
    /* VGG16 is built in, too, and would take longer than all others. */
    static const char *const usual[] = {"meso1", "meso4", "meso4_elu", "meso4_leaky",
                                        "mesoinception4"};
    bench_session session = {.seconds = 0.5, .n_processes = 1};
    bench_spec spec = {0}, specs[2 * most_nets];
    int end = parse(&session, &spec, &argc, argv);
    if (end >= 0)
        return end;
    const size_t n = argc ? (size_t)argc : sizeof usual / sizeof usual[0];
    for (size_t i = 0; i < 2 * n; i++) { /* prediction and training of each */
        specs[i] = spec;
        specs[i].net = argc ? argv[i / 2] : usual[i / 2];
        specs[i].train = i % 2;
    }
    return bench_session_run(&session, specs, 2 * n, NULL);
}
