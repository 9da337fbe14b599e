/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <math.h>

#include "common.h"
#include "report/report_json.h"
#include "report/report_provenance.h"
#include "report/report_table.h"

bench_limits bench_verdict_limits(const bench_verdict_options *options)
{
    return (bench_limits){options->margin / 100, options->tolerance / 100};
}

/* Of few runs that differ, an interval can span many powers of ten: it tells nothing. */
static double bound(const bench_difference *row, double value)
{
    const double most = 100;
    return row->high <= most * row->ratio ? value : NAN;
}

static report_table make_table(const bench_comparison *comparison)
{
    REPORT_TABLE(table, COLUMN_TEXT("what", "what"), COLUMN_TEXT("layer", "layer"),
                 COLUMN_NUMBER("ratio", "time B / A", 4), COLUMN_NUMBER("low", "from", 4),
                 COLUMN_NUMBER("high", "to", 4), COLUMN_TEXT("verdict", "B is"));
    for (size_t i = 0; i < comparison->n; i++) {
        const bench_difference *row = &comparison->rows[i];
        REPORT_ROW(&table, row->a->name, row->a->layer, row->ratio, bound(row, row->low),
                   bound(row, row->high), bench_verdict_name(row->verdict));
    }
    return table;
}

/* What a record has and the other has not: strings. */
static json_t *missing(const bench_record *of, const bench_record *in)
{
    json_t *names = json_array();
    for (size_t i = 0; i < of->n; i++) {
        const bench_measure *m = &of->measures[i];
        if (!bench_record_find(in, m->name, m->layer))
            json_array_append_new(names, json_sprintf("%s%s%s", m->name, m->layer ? ": " : "",
                                                      m->layer ? m->layer : ""));
    }
    return names;
}

/* The members "missing" and "failures" of a side. */
static json_t *side_json(const bench_comparison *comparison, int side)
{
    const bench_record *const *records = comparison->records;
    return json_pack("{s:o s:O?}", "missing", missing(records[!side], records[side]), "failures",
                     records[side]->failures);
}

static void say_side(const json_t *side, const char *key, const char *format, meso_text *out)
{
    const json_t *name;
    size_t i;
    json_array_foreach (json_object_get(side, key), i, name)
        meso_text_format(out, format, MESO_PRINTABLE(json_string_value(name)));
}

static void write_notes(const bench_comparison *comparison, meso_text *out)
{
    int has_bounds = 1, by_process = 1;
    for (size_t i = 0; i < comparison->n; i++) {
        const bench_difference *row = &comparison->rows[i];
        has_bounds &= !isnan(bound(row, row->low));
        by_process &= row->a->by_process && row->b->by_process;
    }
    if (!has_bounds)
        meso_text_format(out, "n/a: not determined with %zu and %zu runs\n",
                         comparison->rows[0].a->n, comparison->rows[0].b->n);
    if (!by_process)
        meso_text_add(out, "one process a side: how much processes differ is not covered; "
                           "measure with --processes\n");
}

static void write_text(const bench_comparison *comparison, const report_table *table,
                       const bench_verdict_options *options, meso_text *out)
{
    static const char *const words[] = {
        [BENCH_SAME] = "B is as fast as A",
        [BENCH_SLOWER] = "B is slower",
        [BENCH_FASTER] = "B is faster",
        [BENCH_INCONCLUSIVE] = "B is as fast as A or not: inconclusive, the intervals are too wide",
        [BENCH_FAILED] = "B failed: it lacks what A measured, or could not measure it"};
    report_table_text(table, out);
    meso_text_format(out, "\nintervals hold together at 98 %% (99 %% for slower); margin %g %%\n",
                     options->margin);
    write_notes(comparison, out);
    for (int side = 0; side < 2; side++) {
        json_t *lists = side_json(comparison, side);
        say_side(lists, "missing", side ? "missing in B: %s\n" : "missing in A: %s\n", out);
        say_side(lists, "failures", side ? "failed in B: %s\n" : "failed in A: %s\n", out);
        json_decref(lists);
    }
    meso_text_format(out, "%s\n", words[comparison->verdict]);
}

static void write_json(const bench_comparison *comparison, const report_table *table,
                       const bench_verdict_options *options, meso_text *out)
{
    const report_provenance provenance = {.command = tool_command()};
    report_json_put(
        json_pack("{s:s s:o s:s s:f s:f s:o s:o s:o}", "schema", "mesocl.device_bench.comparison/1",
                  "provenance", report_provenance_json(&provenance), "verdict",
                  bench_verdict_name(comparison->verdict), "margin_percent", options->margin,
                  "tolerance_percent", options->tolerance, "a", side_json(comparison, 0), "b",
                  side_json(comparison, 1), "rows", report_table_json(table)),
        out);
}

int bench_verdict_print(const bench_comparison *comparison, const bench_verdict_options *options)
{
    meso_text out = {0};
    report_table table = make_table(comparison);
    if (options->json)
        write_json(comparison, &table, options, &out);
    else
        write_text(comparison, &table, options, &out);
    report_table_free(&table);
    int end = tool_print(&out);
    return end ? end : comparison->verdict == BENCH_SLOWER || comparison->verdict == BENCH_FAILED;
}
