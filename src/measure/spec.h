/* SPDX-License-Identifier: Apache-2.0
 *
 * What is to be measured, and its way as JSON into the process that measures it.
 */
#ifndef MESO_BENCH_SPEC_H
#define MESO_BENCH_SPEC_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "mesocl/model.h"

enum { BENCH_MAX_CASES = 16, BENCH_SEED = 1, BENCH_LARGEST_BATCH = 4096 };

/* Seconds. A driver compiles for minutes on a bad day; one that does nothing meanwhile hangs. */
enum { BENCH_PATIENCE = 150, BENCH_IDLE_LIMIT = 8 };

typedef struct bench_spec {
    const char *net;    /* a built-in net or a .net file (seeded weights), or a model */
    const char *device; /* a selector; in the child's own numbering there */
    int train;          /* 1: steps of training; 0: prediction */
    meso_path path;
    int layers;         /* 1: every kernel's time, too */
    int check;          /* 1: known answers first */
    int check_only;     /* 1: and nothing is timed */
    unsigned n_threads; /* cores of a CPU that may work; 0: all */
    double seconds;     /* for each batch size in one process */
    size_t batches[BENCH_MAX_CASES];
    size_t n_batches;
} bench_spec;

/* "1,8,32" into the batches; 0 where it is anything else. */
int bench_spec_read_batches(const char *text, bench_spec *spec);

json_t *bench_spec_json(const bench_spec *spec); /* NULL: out of memory */

/* Strings of the result are those of the document. Errors: INTERNAL. */
meso_status bench_spec_unpack(json_t *document, bench_spec *spec, meso_error *error);

#endif
