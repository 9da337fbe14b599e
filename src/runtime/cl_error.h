/* SPDX-License-Identifier: Apache-2.0
 *
 * Failed OpenCL calls.
 */
#ifndef MESO_RUNTIME_CL_ERROR_H
#define MESO_RUNTIME_CL_ERROR_H

#include "base/error.h"
#include "runtime/driver_call.h"

/* "CL_OUT_OF_RESOURCES"; "unknown OpenCL error" for a code that is in no header. */
const char *meso_cl_error_name(cl_int code);

/* DEVICE_MEMORY where less to do at once may help, else DEVICE. */
meso_status meso_cl_status(cl_int code);

/* Calls function(arguments…); a failure goes to `out:` and names function and code. */
#define MESO_CL(error, function, ...)             \
    do {                                          \
        cl_int code_ = function(__VA_ARGS__);     \
        MESO_REQUIRE_CL(code_, error, #function); \
    } while (0)

/* The same for a call that returns an object and its code through a pointer. */
#define MESO_REQUIRE_CL(code, error, function)                                               \
    MESO_REQUIRE((code) == CL_SUCCESS, error, meso_cl_status(code), "%s: %s (%d)", function, \
                 meso_cl_error_name(code), (int)(code))

#endif
