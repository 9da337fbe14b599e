/* SPDX-License-Identifier: Apache-2.0
 *
 * How mesocl-video ends early: with a sentence on stderr, by calls that its filter leaves it.
 */
#ifndef MESO_VIDEO_REFUSE_H
#define MESO_VIDEO_REFUSE_H

#include <stddef.h>

enum { EXIT_BAD_DATA = 65, EXIT_NO_INPUT = 66, EXIT_INTERNAL = 70, EXIT_NOT_WRITTEN = 74 };

/* "reason: sentence"; 65. */
_Noreturn void refuse(const char *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A sentence and this exit code. */
_Noreturn void die(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory ran out: a file that asks for so much is not read. */
_Noreturn void refuse_memory(void);

/* malloc() that never fails, nor overflows. */
void *need_memory(size_t n, size_t size);

/* All n bytes to stdout. */
void put(const void *bytes, size_t n);

#endif
