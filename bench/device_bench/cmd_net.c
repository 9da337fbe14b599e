/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench net: the command line, and the report as a table or JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "device_bench.h"
#include "drivers.h"
#include "mesocl/mesocl.h"
#include "net_bench.h"
#include "progress.h"
#include "report/report_json.h"
#include "report/report_table.h"

typedef struct arguments {
    const char *net, *batches, *device;
    uint64_t n_threads;
    double seconds;
    int no_fuse, json;
    meso_text command;
} arguments;

enum { largest_allowed_batch = 4096 };

static const report_column columns[] = {
    {"batch", "batch", REPORT_RIGHT, REPORT_COUNT, 0},
    {"images_per_s", "images/s", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"images_per_s_min", "min", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"images_per_s_p10", "p10", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"images_per_s_p90", "p90", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"latency_ms", "ms a call", REPORT_RIGHT, REPORT_NUMBER, 3},
    {"gflops", "GFLOP/s", REPORT_RIGHT, REPORT_NUMBER, 1},
    {"share_of_peak", "share of peak", REPORT_RIGHT, REPORT_NUMBER, 3},
};

static const char about[] =
    "Measures images a second, 8-bit pictures in memory to probability, for several batch sizes in "
    "turns. A built-in net or a .net file gets seeded weights. Nothing is timed before the device "
    "has given the known answers of mesocl selftest, and every batch size those of the plain "
    "path.\n\n"
    "GFLOP/s count the multiply-adds of the net's text as direct convolutions, whatever the "
    "kernels "
    "do instead; the share is that of the multiply-add peak measured in the same rounds on as many "
    "cores, and may exceed 1. Figures are medians.";

static const char examples[] = "device_bench net meso4\n"
                               "device_bench net meso4 --batch 1,32 --threads 1 --json\n"
                               "device_bench net mesoinception4_df.safetensors --seconds 10";

/* "1,8,32" → cases; 0 where it is anything else. */
static int read_batches(const char *text, bench_net *bench)
{
    while (bench->n_cases < BENCH_MAX_CASES) {
        char *end;
        size_t digits = strspn(text, "0123456789");
        unsigned long batch = strtoul(text, &end, 10);
        if (digits == 0 || digits > 4 || batch < 1 || batch > largest_allowed_batch)
            return 0;
        bench->cases[bench->n_cases++].batch = batch;
        if (*end == '\0')
            return 1;
        if (*end != ',')
            return 0;
        text = end + 1;
    }
    return 0;
}

static int parse(arguments *a, bench_net *bench, int argc, char **argv)
{
    const meso_option options[] = {
        {"batch",
         'b',
         MESO_OPTION_TEXT,
         {.text = &a->batches},
         "N,N,...",
         "images in a call, up to 16 sizes from 1 to 4096; default 1,8,32,64",
         0,
         0},
        {"threads",
         'j',
         MESO_OPTION_UNSIGNED,
         {.number = &a->n_threads},
         "N",
         "cores of a CPU device that may work; default: all",
         1,
         1024},
        MESO_OPTION_DEVICE(a->device),
        {"seconds",
         's',
         MESO_OPTION_REAL,
         {.real = &a->seconds},
         "S",
         "to measure each batch size, at least five rounds; default 3",
         0.001,
         3600},
        {"no-fuse",
         '\0',
         MESO_OPTION_FLAG,
         {.flag = &a->no_fuse},
         NULL,
         "the plain path: one kernel for each layer",
         0,
         0},
        {"json",
         '\0',
         MESO_OPTION_FLAG,
         {.flag = &a->json},
         NULL,
         "one JSON document: schema, provenance, peak_gflops, results with all samples",
         0,
         0},
        MESO_OPTIONS_END};
    const meso_command_line line = {
        "net", "NAME|FILE.net|FILE.safetensors [options]", about, options, examples, 1, 1};
    char **operands;
    size_t n_operands;
    int end = meso_options_parse(&line, argc, argv, &operands, &n_operands);
    if (end >= 0)
        return end;
    if (!read_batches(a->batches, bench))
        return meso_options_usage_error("net",
                                        "--batch takes up to %d numbers from 1 to %d with commas "
                                        "between, not \"%s\"",
                                        BENCH_MAX_CASES, largest_allowed_batch,
                                        MESO_PRINTABLE(a->batches));
    bench->name = operands[0];
    bench->seconds = a->seconds;
    bench->path = a->no_fuse ? MESO_PATH_PLAIN : MESO_PATH_FUSED;
    return -1;
}

/* Lanes limit the fused path; the plain one runs on all threads of the driver, and PoCL takes their
 * number from the environment before the first OpenCL call. */
static void limit_threads(uint64_t n)
{
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)n);
    setenv("POCL_MAX_PTHREAD_COUNT", number, 1);
}

static double gflops(const bench_net *bench, double images_per_s)
{
    return 2e-9 * bench->multiply_adds * images_per_s;
}

static int print_table(const bench_net *bench, const meso_device_info *device)
{
    meso_text out = {0};
    report_table table = {.columns = columns, .n_columns = sizeof columns / sizeof columns[0]};
    double peak = bench_samples_summary(&bench->peak_gflops).median;
    for (size_t i = 0; i < bench->n_cases; i++) {
        bench_summary s = bench_samples_summary(&bench->cases[i].images_per_s);
        report_table_add_count(&table, bench->cases[i].batch);
        report_table_add_number(&table, s.median);
        report_table_add_number(&table, s.min);
        report_table_add_number(&table, s.p10);
        report_table_add_number(&table, s.p90);
        report_table_add_number(&table, 1e3 * (double)bench->cases[i].batch / s.median);
        report_table_add_number(&table, gflops(bench, s.median));
        report_table_add_number(&table, gflops(bench, s.median) / peak);
    }
    meso_text_format(&out, "%s, %s path%s%s, on %s, threads: %u, lanes: %zu\n\n",
                     bench->info.net_name, meso_path_name(bench->info.path),
                     *bench->info.tuning ? " " : "", bench->info.tuning, device->name,
                     bench->n_threads, bench->info.n_lanes);
    report_table_text(&table, &out);
    meso_text_format(&out,
                     "\nmedians of %zu rounds; multiply-add peak %.1f GFLOP/s (float%d); "
                     "largest difference from the plain path %.2g\n",
                     bench->n_rounds, peak, bench->peak_width, bench->difference);
    int complete = out.bytes && !out.out_of_memory && !table.out_of_memory;
    if (complete)
        fputs(out.bytes, stdout);
    report_table_free(&table);
    meso_text_free(&out);
    return complete ? 0 : 70;
}

static json_t *samples_json(const bench_samples *samples)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < samples->n; i++)
        json_array_append_new(array, report_json_number(samples->values[i]));
    return array;
}

static json_t *result_json(const bench_net *bench, const bench_case *c, const char *device,
                           double peak)
{
    bench_summary s = bench_samples_summary(&c->images_per_s);
    double rate = gflops(bench, s.median);
    return json_pack(
        "{s:o s:s s:s s:s s:i s:I s:i s:o s:o s:o s:o s:o s:o s:o s:o s:I s:I s:o}", "device",
        report_json_text(device), "net", bench->info.net_name, "path",
        meso_path_name(bench->info.path), "tuning", bench->info.tuning, "lanes",
        (int)bench->info.n_lanes, "batch", (json_int_t)c->batch, "threads", (int)bench->n_threads,
        "images_per_s", report_json_number(s.median), "images_per_s_min", report_json_number(s.min),
        "images_per_s_p10", report_json_number(s.p10), "images_per_s_p90",
        report_json_number(s.p90), "images_per_s_max", report_json_number(s.max), "latency_ms",
        report_json_number(1e3 * (double)c->batch / s.median), "gflops", report_json_number(rate),
        "share_of_peak", report_json_number(rate / peak), "rounds", (json_int_t)bench->n_rounds,
        "calls_per_sample", (json_int_t)c->n_calls, "samples", samples_json(&c->images_per_s));
}

static int print_json(const bench_net *bench, const meso_device_info *device, const arguments *a)
{
    meso_text out = {0};
    char seed[24];
    snprintf(seed, sizeof seed, "%d", BENCH_SEED);
    int from_file = bench->info.weights_hash[0] != '\0';
    const report_provenance provenance = {.device = device->name,
                                          .driver = device->driver,
                                          .platform = device->platform_name,
                                          .net = bench->info.net_name,
                                          .weights = from_file ? bench->name : NULL,
                                          .weights_hash = bench->info.weights_hash,
                                          .seed = seed,
                                          .command = a->command.bytes};
    double peak = bench_samples_summary(&bench->peak_gflops).median;
    json_t *results = json_array();
    for (size_t i = 0; i < bench->n_cases; i++)
        json_array_append_new(results, result_json(bench, &bench->cases[i], device->name, peak));
    json_t *document = json_pack(
        "{s:s s:o s:o s:i s:o s:o s:o s:o}", "schema", "mesocl.device_bench/1", "provenance",
        report_provenance_json(&provenance), "peak_gflops", report_json_number(peak),
        "peak_vector_width", bench->peak_width, "peak_samples", samples_json(&bench->peak_gflops),
        "multiply_adds", report_json_number(bench->multiply_adds), "largest_difference",
        report_json_number(bench->difference), "results", results);
    if (document)
        report_json_write(document, REPORT_JSON_INDENTED, &out);
    json_decref(document);
    int complete = out.bytes && !out.out_of_memory;
    if (complete)
        fputs(out.bytes, stdout);
    meso_text_free(&out);
    return complete ? 0 : 70;
}

static void show_round(void *user, size_t done, size_t total)
{
    meso_progress *progress = user;
    progress->total = total;
    meso_progress_update(progress, done);
}

static int measure(bench_net *bench, const arguments *a)
{
    meso_device *device = NULL;
    meso_error error = {0};
    meso_progress progress = {0};
    int end;
    if (a->n_threads)
        limit_threads(a->n_threads);
    if (meso_tool_open_device(a->device, &device, &error) != MESO_OK)
        return meso_tool_fail(&error);
    const meso_device_info *info = meso_device_get_info(device);
    bench->n_threads = info->compute_units;
    meso_progress_start(&progress, "rounds", 0);
    meso_status status = bench_net_run(bench, device, show_round, &progress, &error);
    meso_progress_clear(&progress);
    if (status != MESO_OK)
        end = meso_tool_fail(&error);
    else
        end = a->json ? print_json(bench, info, a) : print_table(bench, info);
    bench_net_free(bench);
    meso_device_close(device);
    return end;
}

int bench_cmd_net(int argc, char **argv)
{
    arguments a = {.batches = "1,8,32,64", .seconds = 3};
    bench_net bench = {0};
    meso_command_text(argc, argv, &a.command);
    int end = parse(&a, &bench, argc, argv);
    if (end < 0)
        end = measure(&bench, &a);
    meso_text_free(&a.command);
    return end;
}
