/* SPDX-License-Identifier: Apache-2.0
 *
 * What `device_bench --json` wrote, as the times that two runs are compared by.
 */
#ifndef MESO_BENCH_RECORD_H
#define MESO_BENCH_RECORD_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/* One thing that was timed. */
typedef struct bench_measure {
    char *name;          /* "meso4 predict, fused, batch 32, 2 threads, on DEVICE" */
    char *layer;         /* "conv2 block_1": of that; NULL: the whole of it */
    double *log_seconds; /* [n] natural logarithms, by process in the order they ran: of each, the
                            slowest of its fastest tenth of samples */
    size_t n;
    int by_process; /* 0: the record is of one process, and these are its samples */
} bench_measure;

typedef struct bench_record {
    bench_measure *measures;
    size_t n;
    json_t *failures; /* strings: "NET DIRECTION on DEVICE: REASON"; what could not be measured */
} bench_record;

/* Reads a document; `origin` is what messages call it. Errors: DATA (no JSON, another schema, a
 * time that is not above 0), MEMORY. *record is to be freed in any case. */
meso_status bench_record_parse(const char *text, size_t n, const char *origin, bench_record *record,
                               meso_error *error);

/* The same from a file. Errors: NO_INPUT, IO, too. */
meso_status bench_record_read(const char *path, bench_record *record, meso_error *error);

/* The measure of that name and layer (NULL: the whole), or NULL. */
const bench_measure *bench_record_find(const bench_record *record, const char *name,
                                       const char *layer);

/* Many values become one: processes their mean, samples that of their process. */
void bench_measure_reduce(bench_measure *measure);
void bench_record_free(bench_record *record);

#endif
