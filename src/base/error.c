/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "version.h"

/* One row per status: its name and the exit code of a program that ends with it (sysexits.h). */
static const struct {
    const char *name;
    int exit_code;
} status_rows[] = {
    [MESO_OK] = {"ok", 0},
    [MESO_ERROR_ARGUMENT] = {"bad argument", 2},
    [MESO_ERROR_DATA] = {"bad data", 65},
    [MESO_ERROR_NO_INPUT] = {"no input", 66},
    [MESO_ERROR_NO_DEVICE] = {"no device", 69},
    [MESO_ERROR_DEVICE] = {"device error", 70},
    [MESO_ERROR_MEMORY] = {"out of memory", 70},
    [MESO_ERROR_CREATE] = {"cannot create", 73},
    [MESO_ERROR_IO] = {"I/O error", 74},
    [MESO_ERROR_CANCELLED] = {"cancelled", 130},
    [MESO_ERROR_INTERNAL] = {"internal error", 70},
    [MESO_ERROR_DEVICE_MEMORY] = {"out of device memory", 70},
};
enum { n_status_rows = sizeof status_rows / sizeof status_rows[0] };

const char *meso_status_name(meso_status status)
{
    return (unsigned)status < n_status_rows ? status_rows[status].name : "unknown status";
}

int meso_status_exit_code(meso_status status)
{
    return (unsigned)status < n_status_rows ? status_rows[status].exit_code : 70;
}

const char *meso_version(void)
{
#define TEXT_OF(major, minor, patch) #major "." #minor "." #patch
#define TEXT(major, minor, patch) TEXT_OF(major, minor, patch)
    return TEXT(MESO_VERSION_MAJOR, MESO_VERSION_MINOR, MESO_VERSION_PATCH);
}

const char *meso_commit(void)
{
    return MESO_COMMIT;
}

meso_status meso_fail(meso_error *error, meso_status status, const char *format, ...)
{
    if (error) {
        va_list arguments;
        error->status = status;
        va_start(arguments, format);
        vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
    }
    return status;
}

void meso_error_clear(meso_error *error)
{
    if (error) {
        error->status = MESO_OK;
        error->text[0] = '\0';
    }
}
