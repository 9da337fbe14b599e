/* SPDX-License-Identifier: Apache-2.0
 *
 * Known answers: whether this device, with this driver, computes what it should.
 */
#ifndef MESOCL_SELFTEST_H
#define MESOCL_SELFTEST_H

#include <stddef.h>

#include "mesocl/device.h"
#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One known answer: a built-in net with seeded random weights on computed pictures, by one path. */
typedef struct meso_selftest_row {
    size_t struct_bytes;
    const char *net;   /* "meso4" */
    const char *path;  /* "fused", "exact", "plain", in training "parallel" too; a path that the
                         device or net has not is left out */
    const char *input; /* "ramp", "smooth": a picture to predict; "training": two steps on both; see
                          src/model/selftest_inputs.h */
    double expected;   /* by the double-precision reference: P(real); of "training" the loss */
    double got;        /* NaN where the device failed */
    int passed;        /* |got − expected| is within the tolerance of its kind */
    char detail[256];  /* why it failed; what CLBlast computes; "" */
} meso_selftest_row;

/* Float arithmetic stays below this in any order of sums; a mistake in a kernel does not. */
#define MESO_SELFTEST_TOLERANCE 2e-6
/* Of losses in training: those reach 3, and batch norm of two pictures amplifies rounding. */
#define MESO_SELFTEST_TRAINING_TOLERANCE 1e-5

/* Runs every known answer. *rows is the caller's, to meso_free(); stride is sizeof **rows;
 * *n_failed counts rows that did not pass. A row that fails is no error of the call. Errors:
 * MEMORY. */
MESO_API meso_status meso_selftest(meso_device *device, meso_selftest_row **rows, size_t stride,
                                   size_t *n, size_t *n_failed, meso_error *error);

#ifdef __cplusplus
}
#endif
#endif
