/* SPDX-License-Identifier: Apache-2.0
 *
 * The document as a page: tables, and for each device a roofline (Williams, Waterman, Patterson
 * 2009): attainable GFLOP/s = min(peak, intensity × bandwidth).
 */
#include <math.h>
#include <stdlib.h>

#include "output.h"
#include "output_rows.h"
#include "report/report_html.h"

enum { most_points = 512 };

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

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
    json_array_foreach(json_object_get(result, "layers"), i, layer)
    {
        double flops = 2 * number(layer, "multiply_adds"), bytes = number(layer, "bytes");
        if (p->n == most_points || !(flops > 0) || !(bytes > 0))
            continue;
        p->x[p->n] = flops / bytes;
        p->y[p->n] = number(layer, "gflops");
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
    double peak = number(device, "peak_gflops"), bandwidth = number(device, "copy_gbs");
    double low = 0.25, high = 4096, knee = peak / bandwidth;
    const double roof_x[] = {low, knee, high}, roof_y[] = {low * bandwidth, peak, peak};
    json_array_foreach(json_object_get(document, "results"), i,
                       result) if (p && is_on(result, device)) collect(result, p);
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

static void add_table(report_html *page, const char *caption, report_table table)
{
    report_html_table(page, caption, &table);
    page->body.out_of_memory |= table.out_of_memory;
    report_table_free(&table);
}

void bench_output_page(const json_t *document, meso_text *out)
{
    report_html page = {.title = "Devices at MesoCL's work",
                        .subtitle = "images a second, layer by layer, beside measured peaks"};
    const json_t *provenance = json_object_get(document, "provenance"), *device;
    size_t i;
    report_html_section(&page, "Nets");
    report_html_paragraph(&page, "Medians over all samples with 95 % bootstrap intervals. GFLOP/s "
                                 "count multiply-adds as direct convolutions: kernels in "
                                 "Winograd's domain need fewer and may exceed the peak.");
    add_table(&page, NULL, bench_net_table(document, 1));
    report_html_section(&page, "Devices");
    report_html_paragraph(&page, "Peaks measured in the same run: multiply-adds, bytes read and "
                                 "written by a copy, a launch among many.");
    add_table(&page, NULL, bench_device_table(document));
    report_html_section(&page, "Rooflines");
    json_array_foreach(json_object_get(document, "devices"), i, device)
        add_roofline(&page, document, device);
    report_html_section(&page, "Layers");
    add_table(&page, NULL, bench_layer_table(document));
    const report_provenance from = {.seed = json_string_value(json_object_get(provenance, "seed")),
                                    .command =
                                        json_string_value(json_object_get(provenance, "command"))};
    report_html_provenance(&page, &from);
    report_html_finish(&page, out);
}
