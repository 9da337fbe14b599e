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
#include "compare.h"
#include "device_bench.h"
#include "process.h"
#include "progress.h"

/* exit_unmeasured: "git bisect run" takes it for a commit that cannot be tested. */
enum { most_runs = 1000, largest_output = 64 << 20, exit_unmeasured = 125 };

static const char about[] =
    "Runs two command lines by the shell in turns and compares them pair by pair.\n"
    "What prints a record of device_bench (--json) is compared by its rows, layers\n"
    "included; anything else by the time that the command takes. Standard input is\n"
    "empty; what a command is to read, its line names: 'sort < numbers'.\n"
    "\n"
    "Exit code: 0; 1 where B is slower, as for compare; 125 where a command fails, or\n"
    "prints other rows than in its first run.";

static const char examples[] =
    "device_bench ab --a 'old/device_bench net meso4 --json' --b "
    "'new/device_bench net meso4 --json'\n"
    "device_bench ab --runs 20 --a 'mesocl predict -w m.safetensors photo.jpg' "
    "--b 'mesocl predict -w m.safetensors --path plain photo.jpg'";

/* One side: its command, and the measures of all runs so far. */
typedef struct side {
    const char *name, *command;
    size_t n_runs;
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

/* Says what became of a run. */
static int unmeasured(const side *s, const char *how, int code)
{
    fprintf(stderr, "%s: run %zu of %s %s %d: %s\n", tool_program_name, s->n_runs, s->name, how,
            code, MESO_PRINTABLE(s->command));
    return exit_unmeasured;
}

/* Runs the command; its output is in the process's pipe. -1, or the exit code after a sentence. */
static int run_command(const side *s, tool_process *p, double *seconds)
{
    const char *const argv[] = {"sh", "-c", s->command, NULL};
    meso_error error = {0};
    const double started = meso_seconds();
    *p = (tool_process){.program = "/bin/sh",
                        .argv = argv,
                        .err = TOOL_OURS,
                        .pipes = {{.number = 1, .most = SIZE_MAX, .take = keep_start}}};
    if (tool_process_start(p, &error) != MESO_OK)
        return tool_fail(&error);
    tool_process_run(p);
    *seconds = meso_seconds() - started;
    if (p->end != TOOL_PROCESS_EXITED)
        return unmeasured(s, "was ended by signal", p->code);
    return p->code == 0 ? -1 : unmeasured(s, "failed with exit code", p->code);
}

/* The time of a whole run as a record of one measure. */
static int wall_record(double seconds, bench_record *record)
{
    bench_measure *m = calloc(1, sizeof *m);
    *record = (bench_record){.measures = m, .n = m != NULL};
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
static meso_status append_run(side *s, bench_record *run, meso_error *error)
{
    const int is_first = s->n_runs == 1;
    for (size_t i = 0; i < run->n; i++) {
        bench_measure *m = &run->measures[i];
        bench_measure_reduce(m);
        if (is_first) {
            double *room = realloc(m->log_seconds, most_runs * sizeof(double));
            MESO_DEMAND_MEMORY(room, error);
            m->log_seconds = room;
            continue;
        }
        bench_measure *to = (bench_measure *)bench_record_find(&s->all, m->name, m->layer);
        MESO_DEMAND(to && to->n == s->n_runs - 1 && run->n == s->all.n, error, MESO_ERROR_DATA,
                    "run %zu of %s has %zu rows, the first has %zu, and not the same ones; see %s",
                    s->n_runs, s->name, run->n, s->all.n, MESO_PRINTABLE(m->name));
        to->log_seconds[to->n++] = m->log_seconds[0];
    }
    if (is_first) {
        s->all = *run;
        *run = (bench_record){0};
    }
    return MESO_OK;
}

/* What a run printed or, where that is no record, how long it took. */
static meso_status read_run(const side *s, const meso_text *out, double seconds, bench_record *run,
                            meso_error *error)
{
    MESO_DEMAND_MEMORY(!out->out_of_memory, error);
    if (out->bytes && strstr(out->bytes, BENCH_SCHEMA))
        MESO_CHECK(bench_record_parse(out->bytes, out->length, s->name, run, error));
    else
        MESO_DEMAND_MEMORY(wall_record(seconds, run), error);
    return MESO_OK;
}

/* -1, or the exit code after a sentence on stderr. */
static int run_side(side *s)
{
    tool_process process;
    bench_record run = {0};
    meso_error error = {0};
    meso_status status = MESO_OK;
    double seconds = 0;
    s->n_runs++;
    int end = run_command(s, &process, &seconds);
    if (end >= 0)
        goto out;
    MESO_TRY(read_run(s, &process.pipes[0].text, seconds, &run, &error));
    MESO_TRY(append_run(s, &run, &error));
out:
    if (status != MESO_OK) {
        end = tool_fail(&error);
        end = status == MESO_ERROR_DATA ? exit_unmeasured : end;
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
        OPT_TEXT("a", 0, sides[0].command, "CMD", "the command A"),
        OPT_TEXT("b", 0, sides[1].command, "CMD", "the command B"),
        OPT_COUNT("runs", 0, *n_runs, "N", 2, most_runs, "of each; default 10"),
        BENCH_VERDICT_OPTIONS(*o),
        OPT_PROGRESS,
        OPT_END};
    const tool_command_line line = {"ab", "--a CMD --b CMD [options]", about, options, examples, 0,
                                    0};
    int end = tool_options_parse(&line, &argc, argv);
    for (int i = 0; end < 0 && i < 2; i++)
        if (!sides[i].command || strspn(sides[i].command, " \t\n") == strlen(sides[i].command))
            return tool_options_usage_error("ab", "both --a and --b need a command");
    return end;
}

int bench_cmd_ab(int argc, char **argv)
{
    side sides[2] = {{.name = "A"}, {.name = "B"}};
    uint64_t n_runs = 10;
    bench_verdict_options o = {.margin = 2, .tolerance = 10};
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
