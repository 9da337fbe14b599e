/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench ab: two command lines in turns, A B B A A B …, so that whatever else the machine
 * does meets both.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "common.h"
#include "device_bench.h"
#include "process.h"
#include "progress.h"
#include "verdict.h"

enum { most_runs = 1000, largest_output = 64 << 20 };

static const char about[] =
    "Runs two command lines by the shell in turns and compares them pair by pair.\n"
    "What prints a record of device_bench (--json) is compared by its rows, layers\n"
    "included; anything else by the time that the command takes. Exit code 1 where B\n"
    "is slower, as for compare; the code of a command that fails.";

static const char examples[] = "device_bench ab --a 'old/device_bench net meso4 --json' --b "
                               "'new/device_bench net meso4 --json'\n"
                               "device_bench ab --runs 20 --a 'mesocl predict -w m.safetensors x' "
                               "--b 'mesocl predict -w m.safetensors --path plain x'";

/* One side: its command, and the measures of all runs so far. */
typedef struct side {
    const char *name, *command;
    bench_record all;
} side;

/* Of more output the rest is let go by: the command must not fail over it. */
static int keep_start(void *user, meso_text *text)
{
    (void)user;
    if (text->length > largest_output) {
        text->length = largest_output;
        text->bytes[largest_output] = '\0';
    }
    return 1;
}

/* Runs the command; its output is in the process's pipe. -1, or the exit code after a sentence. */
static int run_command(const side *s, tool_process *p, double *seconds)
{
    const char *const argv[] = {"sh", "-c", s->command, NULL};
    meso_error error = {0};
    const double started = meso_seconds();
    *p = (tool_process){.program = "/bin/sh",
                        .argv = argv,
                        .in = TOOL_OURS,
                        .err = TOOL_OURS,
                        .pipes = {{.number = 1, .most = SIZE_MAX, .take = keep_start}}};
    if (tool_process_start(p, &error) != MESO_OK)
        return tool_fail(&error);
    tool_process_run(p);
    *seconds = meso_seconds() - started;
    const int is_good = p->end == TOOL_PROCESS_EXITED && p->code == 0;
    if (is_good && !p->pipes[0].text.out_of_memory)
        return -1;
    fprintf(stderr, "%s: %s failed: %s\n", tool_program_name, s->name, MESO_PRINTABLE(s->command));
    return p->end == TOOL_PROCESS_EXITED && p->code > 0 ? p->code : 70;
}

/* The time of a whole run as a record of one measure. */
static int wall_record(double seconds, bench_record *record)
{
    bench_measure *m = calloc(1, sizeof *m);
    *record = (bench_record){m, m != NULL};
    if (!m)
        return 0;
    *m = (bench_measure){.name = strdup("the whole command"),
                         .log_seconds = calloc(1, sizeof(double)),
                         .n = 1,
                         .by_process = 1};
    if (!m->name || !m->log_seconds)
        return 0;
    m->log_seconds[0] = log(seconds);
    return 1;
}

/* Each measure of a run becomes one value of the side: a run is what is compared. */
static int append_run(side *s, bench_record *run)
{
    if (s->all.n == 0) {
        for (size_t i = 0; i < run->n; i++) {
            bench_measure_reduce(&run->measures[i]);
            double *room = realloc(run->measures[i].log_seconds, most_runs * sizeof(double));
            if (!room)
                return 0;
            run->measures[i].log_seconds = room;
        }
        s->all = *run;
        *run = (bench_record){0};
        return 1;
    }
    for (size_t i = 0; i < run->n; i++) {
        bench_measure *to = (bench_measure *)bench_record_find(&s->all, run->measures[i].name,
                                                               run->measures[i].layer);
        bench_measure_reduce(&run->measures[i]);
        if (to && to->n < most_runs)
            to->log_seconds[to->n++] = run->measures[i].log_seconds[0];
    }
    return 1;
}

/* -1, or the exit code after a sentence on stderr. */
static int run_side(side *s)
{
    tool_process process;
    bench_record run = {0};
    meso_error error = {0};
    double seconds = 0;
    int end = run_command(s, &process, &seconds);
    if (end < 0) {
        const meso_text *out = &process.pipes[0].text;
        int is_record = out->bytes && strstr(out->bytes, BENCH_SCHEMA) != NULL;
        if (is_record &&
            bench_record_parse(out->bytes, out->length, s->name, &run, &error) != MESO_OK)
            end = tool_fail(&error);
        else if ((!is_record && !wall_record(seconds, &run)) || !append_run(s, &run))
            end = 70;
    }
    bench_record_free(&run);
    tool_process_free(&process);
    return end;
}

/* A B B A: drift that is the same all the time falls on both alike. */
static int run_all(side sides[2], uint64_t n_runs)
{
    tool_progress progress = {.what = "runs", .total = 2 * n_runs};
    int end = -1;
    tool_progress_start(&progress);
    for (uint64_t i = 0; i < 2 * n_runs && end < 0; i++) {
        end = run_side(&sides[(i / 2 + i) % 2]);
        tool_progress_update(&progress, i + (end < 0));
    }
    tool_progress_end(&progress);
    return end;
}

static int parse(side sides[2], uint64_t *n_runs, bench_verdict_options *o, int argc, char **argv)
{
    const tool_option options[] = {
        OPT_TEXT("a", 'a', sides[0].command, "CMD", "the command A"),
        OPT_TEXT("b", 'b', sides[1].command, "CMD", "the command B"),
        OPT_COUNT("runs", 'n', *n_runs, "N", 2, most_runs, "of each; default 10"),
        BENCH_VERDICT_OPTIONS(*o),
        OPT_PROGRESS,
        OPT_END};
    const tool_command_line line = {"ab", "--a CMD --b CMD [options]", about, options, examples, 0,
                                    0};
    int end = tool_options_parse(&line, &argc, argv);
    if (end < 0 && (!sides[0].command || !sides[1].command))
        return tool_options_usage_error("ab", "both --a and --b are needed");
    return end;
}

int bench_cmd_ab(int argc, char **argv)
{
    side sides[2] = {{.name = "A"}, {.name = "B"}};
    uint64_t n_runs = 10;
    bench_verdict_options o = {.threshold = 2, .tolerance = 10};
    bench_comparison comparison = {0};
    meso_error error = {0};
    int end = parse(sides, &n_runs, &o, argc, argv);
    if (end < 0)
        end = run_all(sides, n_runs);
    if (end < 0)
        end = bench_compare(&sides[0].all, &sides[1].all, bench_verdict_limits(&o), 1, &comparison,
                            &error) == MESO_OK
                  ? bench_verdict_print(&comparison, &o)
                  : tool_fail(&error);
    bench_comparison_free(&comparison);
    bench_record_free(&sides[0].all);
    bench_record_free(&sides[1].all);
    return end;
}
