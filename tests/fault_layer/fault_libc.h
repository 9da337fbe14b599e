/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that runs out and disks that fail, on demand: fault_libc.c stands in for some functions of
 * the C library in the program that it is linked into, for all code of that program, libraries
 * included.
 */
#ifndef MESO_TESTS_FAULT_LIBC_H
#define MESO_TESTS_FAULT_LIBC_H

#include <stddef.h>

enum {
    FAULT_MEMORY = 1, /* malloc, calloc, realloc, aligned_alloc */
    FAULT_OPEN = 2,   /* for writing */
    FAULT_WRITE = 4,
    FAULT_FSYNC = 8,
    FAULT_RENAME = 16,
    FAULT_FILES = FAULT_OPEN | FAULT_WRITE | FAULT_FSYNC | FAULT_RENAME
};

typedef struct fault_plan {
    int kinds;       /* of the calls that are counted and may fail; 0: none */
    size_t fail_at;  /* call N fails; 0: none */
    int lost;        /* and so do all behind it */
    int own_code;    /* count calls of the program's own code alone, not of shared libraries */
    int error;       /* errno; of memory it is ENOMEM */
    int short_write; /* call N, if it is a write, writes half; the next one fails unless error is 0
                      */
} fault_plan;

/* From here on calls are counted, and live blocks from 0. */
void fault_begin(const fault_plan *plan);

typedef struct fault_result {
    size_t n_calls;
    int failed;  /* call N was made */
    long n_live; /* blocks allocated and not freed in between */
} fault_result;

fault_result fault_end(void);

/* 0 where memory cannot be made to run out: the address sanitizer has an allocator of its own. */
int fault_memory_works(void);

#endif
