/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl selftest: known answers on each device, and how far the devices are from each other.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "child.h"
#include "commands.h"
#include "common.h"
#include "drivers.h"
#include "mesocl/mesocl.h"
#include "report/report_json.h"
#include "report/report_table.h"

/* Compiling for a device that nobody has used may take minutes. */
static const double limit_seconds = 900;

/* The answers of one device; none where its driver failed. */
typedef struct answers {
    meso_text bytes;
    const tool_selftest_record *rows; /* in bytes */
    size_t n;
} answers;

/* Runs one device, in a process of its own, into the table; returns how many rows failed. */
static size_t test_device(const tool_drivers *drivers, size_t i, answers *a, report_table *table)
{
    const meso_device_info *info = &drivers->devices[i];
    char name[32], local[32];
    size_t n_failed = 0;
    tool_drivers_local_name(drivers, i, local);
    snprintf(name, sizeof name, "%u:%u", info->platform, info->index);
    tool_child child = {.work = "selftest",
                        .vendors = drivers->rows[drivers->owners[i]].vendors,
                        .argument = local};
    tool_children_run(&child, 1, limit_seconds);
    a->bytes = child.answer;
    a->rows = (const tool_selftest_record *)(const void *)child.answer.bytes;
    a->n = child.error.status == MESO_OK ? child.answer.length / sizeof *a->rows : 0;
    if (a->n == 0)
        REPORT_ROW(table, name, NULL, NULL, NULL, NAN, NAN, NAN, "FAILED", child.error.text);
    for (size_t r = 0; r < a->n; r++) {
        const tool_selftest_record *row = &a->rows[r];
        n_failed += !row->passed;
        REPORT_ROW(table, name, row->net, row->path, row->input, row->expected, row->got,
                   fabs(row->got - row->expected), row->passed ? "ok" : "FAILED", row->detail);
    }
    return a->n ? n_failed : 1;
}

/* The largest |Δp| between any two devices; NaN with fewer than two. */
static double disagreement(const answers *a, size_t n)
{
    double largest = NAN;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            for (size_t r = 0; r < a[i].n && r < a[k].n; r++)
                largest = fmax(largest, fabs(a[i].rows[r].got - a[k].rows[r].got));
    return largest;
}

static int print_result(const report_table *table, size_t n_devices, size_t n_failed, double apart,
                        int json)
{
    meso_text out = {0};
    if (json) {
        report_json_put(json_pack("{s:i s:I s:I s:f s:f s:o s:o}", "schema", 1, "n_devices",
                                  (json_int_t)n_devices, "n_failed", (json_int_t)n_failed,
                                  "tolerance", MESO_SELFTEST_TOLERANCE, "largest_disagreement",
                                  meso_json_number(apart), "rows", report_table_json(table)),
                        &out);
    } else {
        report_table_text(table, &out);
        if (n_devices > 1)
            meso_text_format(&out, "\nlargest difference between two devices: %.3g\n", apart);
        meso_text_format(&out, "%s: %zu device%s, %zu failed (tolerance %g, in training %g)\n",
                         n_failed ? "FAILED" : "ok", n_devices, n_devices == 1 ? "" : "s", n_failed,
                         MESO_SELFTEST_TOLERANCE, MESO_SELFTEST_TRAINING_TOLERANCE);
    }
    int failed = tool_print(&out);
    return failed ? failed : n_failed > 0;
}

static int test_matches(const tool_drivers *drivers, const size_t *matches, size_t n, int json)
{
    size_t n_failed = 0;
    int end = 70;
    REPORT_TABLE(table, COLUMN_TEXT("device", "device"), COLUMN_TEXT("net", "net"),
                 COLUMN_TEXT("path", "path"), COLUMN_TEXT("input", "input"),
                 COLUMN_NUMBER("expected", "expected", 9), COLUMN_NUMBER("got", "got", 9),
                 COLUMN_NUMBER("difference", "difference", 9), COLUMN_TEXT("result", "result"),
                 COLUMN_TEXT("detail", "detail"));
    answers *results = calloc(n, sizeof *results);
    tool_progress progress = {.what = "devices", .total = n};
    tool_progress_start(&progress);
    for (size_t i = 0; results && i < n; i++) {
        n_failed += test_device(drivers, matches[i], &results[i], &table);
        tool_progress_update(&progress, i + 1);
    }
    tool_progress_end(&progress);
    if (results)
        end = print_result(&table, n, n_failed, disagreement(results, n), json);
    for (size_t i = 0; results && i < n; i++)
        meso_text_free(&results[i].bytes);
    report_table_free(&table);
    free(results);
    return end;
}

static int test_devices(const char *selector, int json)
{
    tool_drivers drivers;
    meso_error error = {0};
    meso_status status;
    int end = -1;
    MESO_TRY(tool_drivers_find(&drivers, &error));
    MESO_TRY(tool_drivers_ask(&drivers, selector, 0, &error));
    end = test_matches(&drivers, drivers.matches, drivers.n_matches, json);
out:
    if (end < 0)
        end = tool_fail(&error);
    tool_drivers_free(&drivers);
    return end;
}

static const char about[] =
    "Predicts with every built-in net and trains it for two steps, with seeded weights\n"
    "on computed pictures, and compares with answers from double precision. Exit code 1\n"
    "where a device is wrong.";

static const char examples[] = "mesocl selftest\n"
                               "mesocl selftest --device all";

int cmd_selftest(int argc, char **argv)
{
    const char *selector = NULL;
    int json = 0;
    const tool_option options[] = {OPT_DEVICES(selector, "auto"), OPT_JSON(json), OPT_PROGRESS,
                                   OPT_END};
    const tool_command_line line = {"selftest", "[options]", about, options, examples, 0, 0};
    int end = tool_options_parse(&line, &argc, argv);
    return end >= 0 ? end : test_devices(selector, json);
}
