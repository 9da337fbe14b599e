/* SPDX-License-Identifier: Apache-2.0
 *
 * The document for people: tables, and as a page, with a roofline for each device (Williams,
 * Waterman, Patterson 2009): attainable GFLOP/s = min(peak, intensity × bandwidth).
 */
#include "session.h"

#include <stdlib.h>

#include "base/json_builder.h"
#include "measure.h"
#include "report/report_writer.h"

enum { most_points = 512 };

/* A page is too narrow for names of devices; its next table has them. Energy is last, see
 * net_table(). */
/* clang-format off */
#define NET_COLUMNS \
    COLUMN_TEXT("net", "net"), \
    COLUMN_TEXT("direction", "direction"), \
    COLUMN_TEXT("path", "path"), \
    COLUMN_NUMBER("batch", "batch", 0), \
    COLUMN_NUMBER("images_per_s", "images/s", 1), \
    COLUMN_NUMBER("images_per_s_low", "95 % from", 1), \
    COLUMN_NUMBER("images_per_s_high", "to", 1), \
    COLUMN_NUMBER("stream_images_per_s", "stream", 1), \
    COLUMN_NUMBER("kernels_images_per_s", "kernels alone", 1), \
    COLUMN_NUMBER("latency_p50_ms", "ms p50", 3), \
    COLUMN_NUMBER("latency_p99_ms", "p99", 3), \
    COLUMN_NUMBER("gflops", "GFLOP/s", 1), \
    COLUMN_NUMBER("share_of_peak", "share of peak", 3), \
    COLUMN_TEXT("ports", "of ports' bound"), \
    COLUMN_NUMBER("share_in_kernels", "in kernels", 3), \
    COLUMN_NUMBER("share_explained", "with launches", 3), \
    COLUMN_NUMBER("joules_per_image", "J an image", 4)
/* clang-format on */

static const report_column net_columns[] = {COLUMN_TEXT("device", "device"), NET_COLUMNS};
static const report_column page_net_columns[] = {COLUMN_TEXT("device_id", "device"), NET_COLUMNS};

static const report_column layer_columns[] = {
    COLUMN_TEXT("device_id", "device"),
    COLUMN_TEXT("net", "net"),
    COLUMN_TEXT("direction", "direction"),
    COLUMN_NUMBER("batch", "batch", 0),
    COLUMN_TEXT("layer", "layer"),
    COLUMN_TEXT("kernel", "kernel"),
    COLUMN_NUMBER("us", "µs an image", 2),
    COLUMN_NUMBER("us_low", "95 % from", 2),
    COLUMN_NUMBER("us_high", "to", 2),
    COLUMN_NUMBER("gflops", "GFLOP/s", 1),
    COLUMN_NUMBER("share_of_peak", "share of peak", 3),
    COLUMN_NUMBER("gbs", "GB/s", 2),
};

static const report_column check_columns[] = {
    COLUMN_TEXT("device", "device"),
    COLUMN_TEXT("net", "net"),
    COLUMN_TEXT("direction", "direction"),
    COLUMN_TEXT("path", "path"),
    COLUMN_NUMBER("batch", "batch", 0),
    COLUMN_NUMBER("largest_difference", "from the plain path", 9),
};

static const report_column device_columns[] = {
    COLUMN_TEXT("device_id", ""),
    COLUMN_TEXT("device", "device"),
    COLUMN_TEXT("type", "type"),
    COLUMN_TEXT("driver", "driver"),
    COLUMN_NUMBER("peak_gflops", "peak GFLOP/s", 1),
    COLUMN_NUMBER("copy_gbs", "copy GB/s", 1),
    COLUMN_NUMBER("launch_us", "launch µs", 1),
    COLUMN_NUMBER("launch_alone_us", "one alone µs", 1),
    COLUMN_TEXT("energy_counter", "energy counter"),
};

/* A row; a value that it has not is its owner's. */
static void add_row(report_table *table, const json_t *row, const json_t *owner)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const report_column *column = &table->columns[i];
        const json_t *from = json_object_get(row, column->key) ? row : owner;
        const report_cell cell = {json_string_value(json_object_get(from, column->key)),
                                  meso_json_number_of(from, column->key)};
        report_table_add(table, &cell, 1);
    }
}

/* A row for each element of the document's list. */
static report_table list_table(const json_t *document, const char *list, report_table table)
{
    const json_t *row;
    size_t i;
    json_array_foreach (json_object_get(document, list), i, row)
        add_row(&table, row, NULL);
    return table;
}

/* Without energy where no device has a counter; the table of devices says so. */
static report_table net_table(const json_t *document, int for_page)
{
    report_table table =
        for_page ? REPORT_TABLE_OF(page_net_columns) : REPORT_TABLE_OF(net_columns);
    const json_t *result;
    size_t i, n_known = 0;
    json_array_foreach (json_object_get(document, "results"), i, result)
        n_known += json_is_number(json_object_get(result, "joules_per_image"));
    table.n_columns -= n_known == 0;
    return list_table(document, "results", table);
}

static report_table layer_table(const json_t *document)
{
    static const char *const lists[] = {"layers", "launches"};
    report_table table = REPORT_TABLE_OF(layer_columns);
    const json_t *result, *row;
    size_t i, k;
    json_array_foreach (json_object_get(document, "results"), i, result)
        for (size_t list = 0; list < 2; list++)
            json_array_foreach (json_object_get(result, lists[list]), k, row)
                add_row(&table, row, result);
    return table;
}

static report_table device_table(const json_t *document)
{
    return list_table(document, "devices", REPORT_TABLE_OF(device_columns));
}

static void write_table(report_table table, bench_format format, meso_text *out)
{
    static void (*const writers[])(const report_table *,
                                   meso_text *) = {[BENCH_TEXT] = report_table_text,
                                                   [BENCH_MARKDOWN] = report_table_markdown,
                                                   [BENCH_CSV] = report_table_csv};
    writers[format](&table, out);
    report_table_free(&table);
}

void bench_output_table(const json_t *document, bench_rows rows, bench_format format,
                        meso_text *out)
{
    const json_t *device;
    size_t i;
    if (rows == BENCH_NETS && format != BENCH_CSV) {
        write_table(layer_table(document), format, out);
        meso_text_add(out, "\n");
    }
    write_table(rows == BENCH_LAYERS ? layer_table(document)
                : rows == BENCH_CHECKS
                    ? list_table(document, "results", REPORT_TABLE_OF(check_columns))
                    : net_table(document, 0),
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
    write_table(device_table(document), format, out);
    json_array_foreach (json_object_get(document, "devices"), i, device)
        if (json_array_size(json_object_get(device, "flags")) > 0)
            meso_text_format(out,
                             "%s: other work on this machine: rates moved by %.0f %%%s; run again "
                             "when it is quiet\n",
                             json_string_value(json_object_get(device, "device")),
                             100 * meso_json_number_of(device, "peak_moved"),
                             meso_json_number_of(device, "peak_moved") > BENCH_NOISY
                                 ? ", so no share of the peak is said"
                                 : "");
}

/* ---- the page ---- */

typedef struct points {
    double x[most_points], y[most_points];
    const char *labels[most_points];
    size_t n;
} points;

/* Layers of one device and net whose work and bytes are known, at the largest batch. */
static void collect(const json_t *result, points *p)
{
    const json_t *layer;
    size_t i;
    json_array_foreach (json_object_get(result, "layers"), i, layer) {
        double flops = 2 * meso_json_number_of(layer, "multiply_adds"),
               bytes = meso_json_number_of(layer, "bytes");
        if (p->n == most_points || !(flops > 0) || !(bytes > 0))
            continue;
        p->x[p->n] = flops / bytes;
        p->y[p->n] = meso_json_number_of(layer, "gflops");
        p->labels[p->n++] = json_string_value(json_object_get(layer, "layer"));
    }
}

static int is_on(const json_t *result, const json_t *device)
{
    return json_equal(json_object_get(result, "device_id"), json_object_get(device, "device_id"));
}

static void add_roofline(report_html *page, const json_t *document, const json_t *device)
{
    points *p = calloc(1, sizeof *p);
    const json_t *result;
    size_t i;
    double peak = meso_json_number_of(device, "peak_gflops"),
           bandwidth = meso_json_number_of(device, "copy_gbs");
    double low = 0.25, high = 4096, knee = peak / bandwidth;
    const double roof_x[] = {low, knee, high}, roof_y[] = {low * bandwidth, peak, peak};
    json_array_foreach (json_object_get(document, "results"), i, result)
        if (p && is_on(result, device))
            collect(result, p);
    if (p && p->n > 0) {
        const report_series series[] = {
            {"attainable", REPORT_SERIES_DASHED, roof_x, roof_y, 3, NULL},
            {"layers", REPORT_SERIES_POINTS, p->x, p->y, p->n, p->labels}};
        const report_chart chart = {.title = json_string_value(json_object_get(device, "device")),
                                    .x = {"operations a byte that must be moved", 1, 0, 0},
                                    .y = {"GFLOP/s as direct convolution", 1, 0, 0},
                                    .series = series,
                                    .n_series = 2};
        report_html_chart(page, &chart);
    }
    free(p);
}

void bench_output_page(const json_t *document, meso_text *out)
{
    report_writer writer = {.form = REPORT_AS_HTML,
                            .page.title = "Devices at MesoCL's work",
                            .page.subtitle =
                                "images a second, layer by layer, beside measured peaks"};
    const json_t *provenance = json_object_get(document, "provenance"), *device;
    report_table nets = net_table(document, 1), devices = device_table(document);
    report_table layers = layer_table(document);
    size_t i;
    report_writer_section(&writer, "Nets");
    report_writer_paragraph(&writer,
                            "Medians over all samples with 95 %% bootstrap intervals. GFLOP/s "
                            "count multiply-adds as direct convolutions: kernels in "
                            "Winograd's domain need fewer and may exceed the peak.");
    report_writer_table(&writer, NULL, &nets);
    report_writer_section(&writer, "Devices");
    report_writer_paragraph(&writer,
                            "Peaks measured in the same run: multiply-adds, bytes read and "
                            "written by a copy, a launch among many, and one that is waited for.");
    report_writer_table(&writer, NULL, &devices);
    report_writer_section(&writer, "Rooflines");
    json_array_foreach (json_object_get(document, "devices"), i, device)
        add_roofline(&writer.page, document, device);
    report_writer_section(&writer, "Layers");
    report_writer_table(&writer, NULL, &layers);
    const report_provenance from = {.seed = json_string_value(json_object_get(provenance, "seed")),
                                    .command =
                                        json_string_value(json_object_get(provenance, "command"))};
    report_html_provenance(&writer.page, &from);
    report_html_finish(&writer.page, &writer.out);
    *out = writer.out;
}
