/* SPDX-License-Identifier: Apache-2.0
 *
 * Public structs that begin with struct_bytes, as programs built against another version's headers
 * give and take them (mesocl/status.h says the rules).
 */
#ifndef MESO_BASE_STRUCTS_H
#define MESO_BASE_STRUCTS_H

#include <stddef.h>

#include "mesocl/status.h"

/* Copies a caller's struct over *own, [bytes] long, which holds the defaults; given NULL: none.
 * Errors: ARGUMENT (no size, or something set that this version does not know). */
meso_status meso_struct_read(void *own, size_t bytes, const void *given, const char *type,
                             meso_error *error);

/* Whether a result can be written to *result, a caller's struct. Errors: ARGUMENT. */
meso_status meso_struct_check(const void *result, const char *type, meso_error *error);

/* Writes *own, [bytes] long, to a struct that was checked: what there is room for, then zeros. */
void meso_struct_write(void *result, const void *own, size_t bytes);

/* The same for n rows to an array of its own, which *array (a pointer of any kind) becomes. Errors:
 * ARGUMENT, MEMORY. */
meso_status meso_struct_array(const void *rows, size_t bytes, size_t n, size_t stride,
                              const char *type, void *array, meso_error *error);

/* All zero but struct_bytes. */
void meso_struct_clear(void *result);

#endif
