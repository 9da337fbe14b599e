/* SPDX-License-Identifier: Apache-2.0
 *
 * How a failure travels: a function returns a meso_status and leaves a sentence in a meso_error
 * that its caller passes down (the object's own, or the one a user gave; NULL is allowed
 * everywhere).
 */
#ifndef MESO_BASE_ERROR_H
#define MESO_BASE_ERROR_H

#include "mesocl/status.h"

/* Stores the status and the printf-formatted sentence in *error (if not NULL); returns status. */
meso_status meso_fail(meso_error *error, meso_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void meso_error_clear(meso_error *error);

/* Functions that hold nothing return a failure at once: CHECK forwards it, DEMAND fails with a
 * sentence unless the condition holds. */
#define MESO_CHECK(call)                    \
    do {                                    \
        const meso_status failure = (call); \
        if (failure != MESO_OK)             \
            return failure;                 \
    } while (0)

#define MESO_DEMAND(condition, error, code, ...)            \
    do {                                                    \
        if (!(condition))                                   \
            return meso_fail((error), (code), __VA_ARGS__); \
    } while (0)

/* A NULL from an allocator. */
#define MESO_DEMAND_MEMORY(had, error) MESO_DEMAND(had, error, MESO_ERROR_MEMORY, "out of memory")

/* Functions that have something to release go to their `out:` label, with the failure in a local
 * `status`: TRY forwards it. */
#define MESO_TRY(call)         \
    do {                       \
        status = (call);       \
        if (status != MESO_OK) \
            goto out;          \
    } while (0)

/* Fails with a sentence unless the condition holds. */
#define MESO_REQUIRE(condition, error, code, ...)             \
    do {                                                      \
        if (!(condition)) {                                   \
            status = meso_fail((error), (code), __VA_ARGS__); \
            goto out;                                         \
        }                                                     \
    } while (0)

#define MESO_REQUIRE_MEMORY(had, error) MESO_REQUIRE(had, error, MESO_ERROR_MEMORY, "out of memory")

#endif
