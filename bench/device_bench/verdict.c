/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include "common.h"
#include "report/report_json.h"
#include "report/report_provenance.h"
#include "report/report_table.h"

bench_limits bench_verdict_limits(const bench_verdict_options *options)
{
    return (bench_limits){options->threshold / 100, options->tolerance / 100};
}

static report_table make_table(const bench_comparison *comparison)
{
    REPORT_TABLE(table, COLUMN_TEXT("what", "what"), COLUMN_TEXT("layer", "layer"),
                 COLUMN_NUMBER("ratio", "time B / A", 4), COLUMN_NUMBER("low", "from", 4),
                 COLUMN_NUMBER("high", "to", 4), COLUMN_TEXT("verdict", "B is"));
    for (size_t i = 0; i < comparison->n; i++) {
        const bench_difference *row = &comparison->rows[i];
        REPORT_ROW(&table, CELL_TEXT(row->a->name), CELL_TEXT(row->a->layer),
                   CELL_NUMBER(row->ratio), CELL_NUMBER(row->low), CELL_NUMBER(row->high),
                   CELL_TEXT(bench_verdict_name(row->verdict)));
    }
    return table;
}

static void write_text(const bench_comparison *comparison, const report_table *table,
                       const bench_verdict_options *options, meso_text *out)
{
    report_table_text(table, out);
    meso_text_format(out,
                     "\nintervals hold together at 98 %% (99 %% for slower); threshold %g %%\n",
                     options->threshold);
    if (comparison->n_only_a + comparison->n_only_b > 0)
        meso_text_format(out, "not compared: %zu rows of A alone, %zu of B alone\n",
                         comparison->n_only_a, comparison->n_only_b);
    for (size_t i = 0; i < comparison->n; i++)
        if (!comparison->rows[i].a->by_process || !comparison->rows[i].b->by_process) {
            meso_text_add(out, "one process a side: how much processes differ is not covered; "
                               "measure with --processes\n");
            break;
        }
    meso_text_format(out, "B is %s\n",
                     comparison->verdict == BENCH_SAME ? "as fast as A"
                     : comparison->verdict == BENCH_INCONCLUSIVE
                         ? "as fast as A or not: inconclusive, the intervals are too wide"
                         : bench_verdict_name(comparison->verdict));
}

static void write_json(const bench_comparison *comparison, const report_table *table,
                       const bench_verdict_options *options, meso_text *out)
{
    const report_provenance provenance = {.command = tool_command()};
    report_json_put(json_pack("{s:s s:o s:s s:f s:f s:I s:I s:o}", "schema",
                              "mesocl.device_bench.comparison/1", "provenance",
                              report_provenance_json(&provenance), "verdict",
                              bench_verdict_name(comparison->verdict), "threshold_percent",
                              options->threshold, "tolerance_percent", options->tolerance, "only_a",
                              (json_int_t)comparison->n_only_a, "only_b",
                              (json_int_t)comparison->n_only_b, "rows", report_table_json(table)),
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
    return end ? end : comparison->verdict == BENCH_SLOWER;
}
