/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/text.h"
#include "device_bench.h"

enum { largest_record = 64 << 20 };

/* The reader's place, for messages. */
typedef struct reader {
    const char *origin;
    bench_record *record;
    meso_error *error;
} reader;

/* Of one process: the slowest of the fastest tenth of its samples, which are sorted by it. What
 * else runs on a machine only adds time, in bursts that can outlast half the samples of a process.
 */
static double undisturbed(double *log_seconds, size_t n)
{
    meso_sort(log_seconds, n);
    return log_seconds[(n + 9) / 10 - 1];
}

/* Logarithms of a list of numbers, times `sign`; 0 where they are not all above 0. */
static int read_logs(const json_t *list, double sign, double *logs)
{
    size_t i;
    const json_t *value;
    json_array_foreach (list, i, value) {
        double number = json_number_value(value);
        if (!(number > 0) || !isfinite(number))
            return 0;
        logs[i] = sign * log(number);
    }
    return 1;
}

static double of_process(const json_t *list, double sign)
{
    size_t n = json_array_size(list);
    double *logs = n > 0 ? calloc(n, sizeof *logs) : NULL;
    double value = logs && read_logs(list, sign, logs) ? undisturbed(logs, n) : NAN;
    free(logs);
    return value;
}

/* `samples` is a list for each process. `sign` is −1 where they are rates. */
static meso_status add_measure(const reader *r, const char *name, const char *layer,
                               const json_t *samples, double sign)
{
    bench_measure *m = &r->record->measures[r->record->n];
    size_t processes = json_array_size(samples);
    const json_t *units = processes == 1 ? json_array_get(samples, 0) : samples;
    *m = (bench_measure){.n = json_array_size(units), .by_process = processes > 1};
    MESO_DEMAND(m->n > 0, r->error, MESO_ERROR_DATA, "%s: %s has no samples",
                MESO_PRINTABLE(r->origin), MESO_PRINTABLE(name));
    r->record->n++;
    m->name = strdup(name);
    m->layer = layer ? strdup(layer) : NULL;
    m->log_seconds = calloc(m->n, sizeof *m->log_seconds);
    MESO_DEMAND_MEMORY(m->name && (m->layer || !layer) && m->log_seconds, r->error);
    int right = m->by_process || read_logs(units, sign, m->log_seconds);
    for (size_t i = 0; m->by_process && i < m->n; i++) {
        m->log_seconds[i] = of_process(json_array_get(units, i), sign);
        right &= isfinite(m->log_seconds[i]) != 0;
    }
    MESO_DEMAND(right, r->error, MESO_ERROR_DATA, "%s: %s has a sample that is not above 0",
                MESO_PRINTABLE(r->origin), MESO_PRINTABLE(name));
    return MESO_OK;
}

static meso_status add_result(const reader *r, const json_t *result)
{
    meso_status status = MESO_OK;
    meso_text name = {0}, layer_name = {0};
    const char *net, *direction, *path, *device;
    int batch, threads;
    const json_t *samples, *layers, *layer;
    size_t i;
    MESO_REQUIRE(json_unpack((json_t *)result, "{s:s s:s s:s s:s s:i s:i s:o s:o}", "net", &net,
                             "direction", &direction, "path", &path, "device", &device, "batch",
                             &batch, "threads", &threads, "samples", &samples, "layers",
                             &layers) == 0,
                 r->error, MESO_ERROR_DATA, "%s: a result lacks what identifies it",
                 MESO_PRINTABLE(r->origin));
    meso_text_format(&name, "%s %s, %s, batch %d, threads %d, on %s", net, direction, path, batch,
                     threads, device);
    MESO_REQUIRE_MEMORY(name.bytes, r->error);
    MESO_TRY(add_measure(r, name.bytes, NULL, samples, -1));
    json_array_foreach (layers, i, layer) {
        const char *of, *kernel;
        MESO_REQUIRE(json_unpack((json_t *)layer, "{s:s s:s s:o}", "layer", &of, "kernel", &kernel,
                                 "samples", &samples) == 0,
                     r->error, MESO_ERROR_DATA, "%s: %s has a layer without name or samples",
                     MESO_PRINTABLE(r->origin), name.bytes);
        layer_name.length = 0;
        meso_text_format(&layer_name, "%s %s", of, kernel);
        MESO_REQUIRE_MEMORY(layer_name.bytes, r->error);
        MESO_TRY(add_measure(r, name.bytes, layer_name.bytes, samples, 1));
    }
out:
    meso_text_free(&name);
    meso_text_free(&layer_name);
    return status;
}

static meso_status add_failures(const reader *r, const json_t *failures)
{
    const json_t *failure;
    size_t i;
    r->record->failures = json_array();
    MESO_DEMAND_MEMORY(r->record->failures, r->error);
    json_array_foreach (failures, i, failure) {
        const char *device, *net, *direction, *reason;
        MESO_DEMAND(json_unpack((json_t *)failure, "{s:s s:s s:s s:s}", "device", &device, "net",
                                &net, "direction", &direction, "reason", &reason) == 0,
                    r->error, MESO_ERROR_DATA, "%s: a failure lacks what identifies it",
                    MESO_PRINTABLE(r->origin));
        json_array_append_new(r->record->failures,
                              json_sprintf("%s %s on %s: %s", net, direction, device, reason));
    }
    return MESO_OK;
}

static size_t count_measures(const json_t *results)
{
    size_t n = 0, i;
    const json_t *result;
    json_array_foreach (results, i, result)
        n += 1 + json_array_size(json_object_get(result, "layers"));
    return n;
}

meso_status bench_record_parse(const char *text, size_t n, const char *origin, bench_record *record,
                               meso_error *error)
{
    meso_status status = MESO_OK;
    json_error_t where;
    const reader r = {origin, record, error};
    json_t *document = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
    const json_t *results = json_object_get(document, "results"), *result;
    const char *schema = json_string_value(json_object_get(document, "schema"));
    size_t i;
    *record = (bench_record){0};
    MESO_REQUIRE(document, error, MESO_ERROR_DATA, "%s: line %d: %s", MESO_PRINTABLE(origin),
                 where.line, where.text);
    MESO_REQUIRE(schema && strcmp(schema, BENCH_SCHEMA) == 0 && json_is_array(results), error,
                 MESO_ERROR_DATA, "%s: not a record of device_bench with the schema %s",
                 MESO_PRINTABLE(origin), BENCH_SCHEMA);
    record->measures = calloc(count_measures(results) + 1, sizeof *record->measures);
    MESO_REQUIRE_MEMORY(record->measures, error);
    json_array_foreach (results, i, result)
        MESO_TRY(add_result(&r, result));
    MESO_TRY(add_failures(&r, json_object_get(document, "failures")));
    MESO_REQUIRE(record->n > 0, error, MESO_ERROR_DATA, "%s: no results", MESO_PRINTABLE(origin));
out:
    json_decref(document);
    return status;
}

meso_status bench_record_read(const char *path, bench_record *record, meso_error *error)
{
    void *bytes = NULL;
    size_t n;
    *record = (bench_record){0};
    meso_status status = meso_file_read(path, largest_record, &bytes, &n, NULL, error);
    if (status == MESO_OK)
        status = bench_record_parse(bytes, n, path, record, error);
    free(bytes);
    return status;
}

const bench_measure *bench_record_find(const bench_record *record, const char *name,
                                       const char *layer)
{
    for (size_t i = 0; i < record->n; i++) {
        const bench_measure *m = &record->measures[i];
        if (strcmp(m->name, name) == 0 && !m->layer == !layer &&
            (!layer || strcmp(m->layer, layer) == 0))
            return m;
    }
    return NULL;
}

void bench_measure_reduce(bench_measure *measure)
{
    double sum = 0;
    for (size_t i = 0; i < measure->n; i++)
        sum += measure->log_seconds[i];
    measure->log_seconds[0] = measure->by_process ? sum / (double)measure->n
                                                  : undisturbed(measure->log_seconds, measure->n);
    measure->n = 1;
    measure->by_process = 1;
}

void bench_record_free(bench_record *record)
{
    for (size_t i = 0; i < record->n; i++) {
        free(record->measures[i].name);
        free(record->measures[i].layer);
        free(record->measures[i].log_seconds);
    }
    free(record->measures);
    json_decref(record->failures);
    *record = (bench_record){0};
}
