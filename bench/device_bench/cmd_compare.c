/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench compare: two records of the same work.
 */
#include "common.h"
#include "compare.h"
#include "device_bench.h"

static const char about[] =
    "Compares two records that --json wrote, A first, whole nets and every layer.\n"
    "Times are compared process by process (--processes 10 or so on both sides, and\n"
    "the same --seconds; within one process, samples); what counts of a process is\n"
    "the fastest tenth of its samples, because what else runs only adds time. A row is\n"
    "slower where the whole interval of the ratio lies beyond the margin. The\n"
    "chance of any false alarm among all rows is 1 %, however many there are.\n"
    "\n"
    "Exit code: 0; 1 where B is slower in any row, failed at one, or lacks a net that\n"
    "A measured; 65 where the two have nothing in common. A verdict can be\n"
    "\"inconclusive\": the intervals are too wide to tell. Then the exit code is 0: a\n"
    "noisy machine is no regression.";

static const char examples[] =
    "device_bench net meso4 --batch 32 --processes 10 --json > old.json\n"
    "device_bench compare old.json new.json\n"
    "device_bench compare old.json new.json --margin 5 --json";

int bench_cmd_compare(int argc, char **argv)
{
    bench_verdict_options o = {.margin = 2, .tolerance = 10};
    const tool_option options[] = {BENCH_VERDICT_OPTIONS(o), OPT_END};
    const tool_command_line line = {
        "compare", "A.json B.json [options]", about, options, examples, 2, 2};
    bench_record a = {0}, b = {0};
    bench_comparison comparison = {0};
    meso_error error = {0};
    meso_status status = MESO_OK;
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        goto out;
    MESO_TRY(bench_record_read(argv[0], &a, &error));
    MESO_TRY(bench_record_read(argv[1], &b, &error));
    MESO_TRY(bench_compare(&a, &b, bench_verdict_limits(&o), 0, &comparison, &error));
    end = bench_verdict_print(&comparison, &o);
out:
    if (status != MESO_OK)
        end = tool_fail(&error);
    bench_comparison_free(&comparison);
    bench_record_free(&a);
    bench_record_free(&b);
    return end;
}
