/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of kernels share: the device under test, seeded data, and comparisons that NaN cannot
 * pass.
 */
#ifndef MESO_TESTS_HARNESS_DEVICE_H
#define MESO_TESTS_HARNESS_DEVICE_H

#include "base/random.h"
#include "runtime/device.h"

/* The device that MESO_DEVICE or "auto" means. Without one the test is skipped, or fails where
 * MESO_REQUIRE_DEVICE=1. Never NULL on return. */
meso_device *harness_device(void);

/* The file at `path` below the reference data (MESO_TEST_DATA, default ../shared/data), in a static
 * buffer. Without the data the test is skipped, or fails where MESO_REQUIRE_DATA=1. */
const char *harness_data(const char *path);

/* n values in [−1, 1); every eighth is one of −0.5, 0, 0.5, so that ties and zeros come up. */
void harness_fill(meso_random *random, float *values, size_t n);

/* Fails the test with the place in the text unless |got − expected| ≤ tolerance; NaN never is. */
void harness_close(double got, double expected, double tolerance, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
