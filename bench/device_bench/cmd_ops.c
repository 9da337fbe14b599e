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

typedef struct arguments {
    const char *const *nets;
    size_t n_nets;
    bench_spec spec;
} arguments;

static int parse(bench_session *s, arguments *a, int argc, char **argv)
{
    const tool_option options[] = {
        OPT_TEXT("batch", 'b', s->batches, "N", "images at once; default 8"),
        OPT_FLAG("check", 'c', a->spec.check_only,
                 "known answers and agreement with the plain path alone"),
        OPT_DEVICES(s->device, "auto"), BENCH_SESSION_OPTIONS(*s), OPT_END};
    const tool_command_line line = {"ops", "[NET...] [options]", about, options, examples, 0, 64};
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    if (!bench_spec_read_batches(s->batches ? s->batches : "8", &a->spec) || a->spec.n_batches > 1)
        return tool_options_usage_error("ops", "--batch takes a number from 1 to %d, not \"%s\"",
                                        BENCH_LARGEST_BATCH, MESO_PRINTABLE(s->batches));
    a->nets = (const char *const *)argv;
    a->n_nets = (size_t)argc;
    a->spec.layers = 1;
    s->rows = a->spec.check_only ? BENCH_CHECKS : BENCH_LAYERS;
    bench_session_fill(s, &a->spec);
    return -1;
}

/* VGG16 is built in, too, and would take longer than all others. */
static const char *const default_nets[] = {"meso1", "meso4", "meso4_elu", "meso4_leaky",
                                           "mesoinception4"};

/* Prediction and training of each net. 0: out of memory. */
static int add_jobs(bench_session *session, arguments *a)
{
    const size_t n = a->n_nets ? a->n_nets : sizeof default_nets / sizeof default_nets[0];
    for (size_t i = 0; i < n; i++)
        for (int train = 0; train < 2; train++) {
            a->spec.net = a->n_nets ? a->nets[i] : default_nets[i];
            a->spec.train = train;
            if (!bench_session_add(session, &a->spec))
                return 0;
        }
    return 1;
}

int bench_cmd_ops(int argc, char **argv)
{
    bench_session session = {.seconds = 0.5, .n_processes = 1};
    arguments a = {0};
    int end = parse(&session, &a, argc, argv);
    if (end < 0)
        end = bench_session_open(&session);
    if (end < 0)
        end = add_jobs(&session, &a) ? bench_session_run(&session, NULL) : 70;
    bench_session_close(&session);
    return end;
}
