/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <math.h>

#include "output_rows.h"

/* A page is too narrow for names of devices; its next table has them. Energy is last, see
 * bench_net_table(). */
/* clang-format off */
#define NET_COLUMNS \
    {"net", "net", REPORT_LEFT, REPORT_TEXT, 0}, \
    {"direction", "direction", REPORT_LEFT, REPORT_TEXT, 0}, \
    {"path", "path", REPORT_LEFT, REPORT_TEXT, 0}, \
    {"batch", "batch", REPORT_RIGHT, REPORT_NUMBER, 0}, \
    {"images_per_s", "images/s", REPORT_RIGHT, REPORT_NUMBER, 1}, \
    {"images_per_s_low", "95 % from", REPORT_RIGHT, REPORT_NUMBER, 1}, \
    {"images_per_s_high", "to", REPORT_RIGHT, REPORT_NUMBER, 1}, \
    {"latency_p50_ms", "ms p50", REPORT_RIGHT, REPORT_NUMBER, 3}, \
    {"latency_p99_ms", "p99", REPORT_RIGHT, REPORT_NUMBER, 3}, \
    {"gflops", "GFLOP/s", REPORT_RIGHT, REPORT_NUMBER, 1}, \
    {"share_of_peak", "share of peak", REPORT_RIGHT, REPORT_NUMBER, 3}, \
    {"share_in_kernels", "in kernels", REPORT_RIGHT, REPORT_NUMBER, 3}, \
    {"share_explained", "with launches", REPORT_RIGHT, REPORT_NUMBER, 3}, \
    {"joules_per_image", "J an image", REPORT_RIGHT, REPORT_NUMBER, 4}
/* clang-format on */

static const report_column net_columns[] = {{"device", "device", REPORT_LEFT, REPORT_TEXT, 0},
                                            NET_COLUMNS};
static const report_column page_net_columns[] = {
    {"device_id", "device", REPORT_LEFT, REPORT_TEXT, 0}, NET_COLUMNS};

static const report_column layer_columns[] = {
    {"device_id", "device", REPORT_LEFT, REPORT_TEXT, 0},
    {"net", "net", REPORT_LEFT, REPORT_TEXT, 0},
    {"direction", "direction", REPORT_LEFT, REPORT_TEXT, 0},
    {"batch", "batch", REPORT_RIGHT, REPORT_NUMBER, 0},
    {"layer", "layer", REPORT_LEFT, REPORT_TEXT, 0},
    {"kernel", "kernel", REPORT_LEFT, REPORT_TEXT, 0},
    {"us", "µs an image", REPORT_RIGHT, REPORT_NUMBER, 2},
    {"us_low", "95 % from", REPORT_RIGHT, REPORT_NUMBER, 2},
    {"us_high", "to", REPORT_RIGHT, REPORT_NUMBER, 2},
    {"gflops", "GFLOP/s", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"share_of_peak", "share of peak", REPORT_RIGHT, REPORT_NUMBER, 3},
    {"gbs", "GB/s", REPORT_RIGHT, REPORT_NUMBER, 2},
};

static const report_column check_columns[] = {
    {"device", "device", REPORT_LEFT, REPORT_TEXT, 0},
    {"net", "net", REPORT_LEFT, REPORT_TEXT, 0},
    {"direction", "direction", REPORT_LEFT, REPORT_TEXT, 0},
    {"path", "path", REPORT_LEFT, REPORT_TEXT, 0},
    {"batch", "batch", REPORT_RIGHT, REPORT_NUMBER, 0},
    {"largest_difference", "from the plain path", REPORT_RIGHT, REPORT_NUMBER, 9},
};

static const report_column device_columns[] = {
    {"device_id", "", REPORT_LEFT, REPORT_TEXT, 0},
    {"device", "device", REPORT_LEFT, REPORT_TEXT, 0},
    {"type", "type", REPORT_LEFT, REPORT_TEXT, 0},
    {"driver", "driver", REPORT_LEFT, REPORT_TEXT, 0},
    {"peak_gflops", "peak GFLOP/s", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"copy_gbs", "copy GB/s", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"launch_us", "launch µs", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"energy_counter", "energy counter", REPORT_LEFT, REPORT_TEXT, 0},
};

#define TABLE(rows)                                                      \
    {                                                                    \
        .columns = (rows), .n_columns = sizeof(rows) / sizeof((rows)[0]) \
    }

/* The value of a key: the row's own, else its owner's. */
static void add_cell(report_table *table, const report_column *column, const json_t *row,
                     const json_t *owner)
{
    const json_t *value = json_object_get(row, column->key);
    value = value ? value : json_object_get(owner, column->key);
    if (column->kind == REPORT_TEXT)
        report_table_add_text(table, json_string_value(value));
    else
        report_table_add_number(table, json_is_number(value) ? json_number_value(value) : NAN);
}

static void add_row(report_table *table, const json_t *row, const json_t *owner)
{
    for (size_t i = 0; i < table->n_columns; i++)
        add_cell(table, &table->columns[i], row, owner);
}

static report_table result_table(const json_t *document, report_table table)
{
    const json_t *result;
    size_t i;
    json_array_foreach(json_object_get(document, "results"), i, result)
        add_row(&table, result, NULL);
    return table;
}

/* Without energy where no device has a counter; the table of devices says so. */
report_table bench_net_table(const json_t *document, int for_page)
{
    report_table table = TABLE(net_columns);
    table.columns = for_page ? page_net_columns : net_columns;
    const json_t *result;
    size_t i, n_known = 0;
    json_array_foreach(json_object_get(document, "results"), i, result) n_known +=
        json_is_number(json_object_get(result, "joules_per_image"));
    table.n_columns -= n_known == 0;
    return result_table(document, table);
}

static void add_rows(report_table *table, const json_t *result, const char *key)
{
    const json_t *row;
    size_t i;
    json_array_foreach(json_object_get(result, key), i, row) add_row(table, row, result);
}

report_table bench_layer_table(const json_t *document)
{
    report_table table = TABLE(layer_columns);
    const json_t *result;
    size_t i;
    json_array_foreach(json_object_get(document, "results"), i, result)
    {
        add_rows(&table, result, "layers");
        add_rows(&table, result, "launches");
    }
    return table;
}

report_table bench_device_table(const json_t *document)
{
    report_table table = TABLE(device_columns);
    const json_t *device;
    size_t i;
    json_array_foreach(json_object_get(document, "devices"), i, device)
        add_row(&table, device, NULL);
    return table;
}

static void write_table(report_table table, bench_format format, meso_text *out)
{
    static void (*const writers[])(const report_table *,
                                   meso_text *) = {[BENCH_TEXT] = report_table_text,
                                                   [BENCH_MARKDOWN] = report_table_markdown,
                                                   [BENCH_CSV] = report_table_csv};
    writers[format](&table, out);
    out->out_of_memory |= table.out_of_memory;
    report_table_free(&table);
}

void bench_output_table(const json_t *document, bench_rows rows, bench_format format,
                        meso_text *out)
{
    const json_t *device;
    size_t i;
    if (rows == BENCH_NETS && format != BENCH_CSV) {
        write_table(bench_layer_table(document), format, out);
        meso_text_add(out, "\n");
    }
    write_table(rows == BENCH_LAYERS   ? bench_layer_table(document)
                : rows == BENCH_CHECKS ? result_table(document, (report_table)TABLE(check_columns))
                                       : bench_net_table(document, 0),
                format, out);
    if (format == BENCH_CSV || rows == BENCH_CHECKS)
        return;
    const json_t *together = json_object_get(document, "together");
    if (together)
        meso_text_format(out, "\ntogether: %.1f images/s, %.3f of the sum of the parts (%.1f)\n",
                         json_number_value(json_object_get(together, "images_per_s")),
                         json_number_value(json_object_get(together, "efficiency")),
                         json_number_value(json_object_get(together, "sum_of_parts")));
    meso_text_add(out, "\n");
    write_table(bench_device_table(document), format, out);
    json_array_foreach(json_object_get(document, "devices"), i, device)
    {
        const json_t *flag;
        size_t k;
        json_array_foreach(json_object_get(device, "flags"), k, flag)
            meso_text_format(out, "%s: %s\n", json_string_value(json_object_get(device, "device")),
                             json_string_value(flag));
    }
}
