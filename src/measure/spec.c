/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/spec.h"

#include <stdlib.h>
#include <string.h>

int bench_spec_read_batches(const char *text, bench_spec *spec)
{
    spec->n_batches = 0;
    while (spec->n_batches < BENCH_MAX_CASES) {
        char *end;
        size_t digits = strspn(text, "0123456789");
        unsigned long batch = strtoul(text, &end, 10);
        if (digits == 0 || digits > 4 || batch < 1 || batch > BENCH_LARGEST_BATCH)
            return 0;
        spec->batches[spec->n_batches++] = batch;
        if (*end == '\0')
            return 1;
        if (*end != ',')
            return 0;
        text = end + 1;
    }
    return 0;
}

json_t *bench_spec_json(const bench_spec *spec)
{
    json_t *batches = json_array();
    for (size_t i = 0; i < spec->n_batches; i++)
        json_array_append_new(batches, json_integer((json_int_t)spec->batches[i]));
    return json_pack("{s:s s:s s:i s:i s:i s:i s:i s:i s:f s:o}", "net", spec->net, "device",
                     spec->device, "train", spec->train, "path", spec->path, "layers", spec->layers,
                     "check", spec->check, "check_only", spec->check_only, "threads",
                     (int)spec->n_threads, "seconds", spec->seconds, "batches", batches);
}

meso_status bench_spec_unpack(json_t *document, bench_spec *spec, meso_error *error)
{
    int path, n_threads;
    json_t *batches, *batch;
    size_t i;
    *spec = (bench_spec){0};
    MESO_DEMAND(json_unpack(document, "{s:s s:s s:i s:i s:i s:i s:i s:i s:f s:o}", "net",
                            &spec->net, "device", &spec->device, "train", &spec->train, "path",
                            &path, "layers", &spec->layers, "check", &spec->check, "check_only",
                            &spec->check_only, "threads", &n_threads, "seconds", &spec->seconds,
                            "batches", &batches) == 0 &&
                    json_array_size(batches) <= BENCH_MAX_CASES,
                error, MESO_ERROR_INTERNAL, "not a specification of device_bench");
    spec->path = (meso_path)path;
    spec->n_threads = (unsigned)n_threads;
    json_array_foreach (batches, i, batch)
        spec->batches[spec->n_batches++] = (size_t)json_integer_value(batch);
    return MESO_OK;
}
