/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_device.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && strcmp(value, "1") == 0;
}

meso_device *harness_device(void)
{
    meso_device *device = NULL;
    meso_error error;
    meso_status status = meso_device_open(NULL, &device, &error);
    if (status == MESO_ERROR_NO_DEVICE && !is_set("MESO_REQUIRE_DEVICE"))
        skip();
    if (status != MESO_OK)
        fail_msg("%s", error.text);
    return device;
}

const char *harness_data(const char *path)
{
    static char full[4096];
    const char *root = getenv("MESO_TEST_DATA");
    snprintf(full, sizeof full, "%s/%s", root && *root ? root : "../shared/data", path);
    if (access(full, R_OK) != 0) {
        if (is_set("MESO_REQUIRE_DATA"))
            fail_msg("%s is missing and MESO_REQUIRE_DATA is set", full);
        skip();
    }
    return full;
}

void harness_fill(meso_random *random, float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = i % 8 == 7 ? (float)((double)meso_random_below(random, 3) - 1) / 2
                               : (float)meso_random_uniform(random, -1, 1);
}

void harness_close(double got, double expected, double tolerance, const char *format, ...)
{
    char place[256];
    va_list arguments;
    if (fabs(got - expected) <= tolerance)
        return;
    va_start(arguments, format);
    vsnprintf(place, sizeof place, format, arguments);
    va_end(arguments);
    fail_msg("%s: %.9g, expected %.9g ± %.2g, off by %.2g", place, got, expected, tolerance,
             fabs(got - expected));
}
