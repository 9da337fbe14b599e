/* SPDX-License-Identifier: Apache-2.0
 *
 * Status codes, error text, sizes of structs, memory, version.
 *
 * Every call that can fail returns a meso_status; results come back through pointer arguments and
 * are written only on MESO_OK unless a call says otherwise. The library never prints, exits or
 * aborts.
 *
 * The last argument of each of them is a meso_error, which may be NULL. A call that fails writes
 * the sentence that explains it there; a call that succeeds leaves it alone. So one meso_error
 * serves a whole program, in any order of calls.
 *
 * Structs grow in later versions, at their end. So that a program keeps working with a newer
 * library, without being compiled anew:
 *   - options and results begin with struct_bytes, their size as the program knows it. The program
 *     sets it, by MESO_INIT(type). The library reads and writes no more than that. What a newer
 *     program has room for and the library does not know stays zero in results; in options it must
 *     be zero, else the call returns ARGUMENT.
 *   - arrays that the library makes take a stride, sizeof *array, and array[i] is right for any
 *     version. Give them to meso_free().
 *   - what the library shows by a pointer, such as meso_file_score, has its own size there.
 *   - structs without struct_bytes, such as meso_probability, never change.
 */
#ifndef MESOCL_STATUS_H
#define MESOCL_STATUS_H

#include <stddef.h>

/* One source: CMakeLists.txt reads these three. */
#define MESO_VERSION_MAJOR 0
#define MESO_VERSION_MINOR 1
#define MESO_VERSION_PATCH 0
#define MESO_VERSION_NUMBER(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
/* What a program is compiled against: #if MESO_VERSION >= MESO_VERSION_NUMBER(0, 2, 0) */
#define MESO_VERSION MESO_VERSION_NUMBER(MESO_VERSION_MAJOR, MESO_VERSION_MINOR, MESO_VERSION_PATCH)

/* meso_image image = MESO_INIT(meso_image); for any struct with struct_bytes: the rest is zero. */
#ifdef __cplusplus
template <typename T> inline T meso_init()
{
    T all_zero = T();
    all_zero.struct_bytes = sizeof(T);
    return all_zero;
}
#define MESO_INIT(type) meso_init<type>()
#else
#define MESO_INIT(type)              \
    {                                \
        .struct_bytes = sizeof(type) \
    }
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(MESO_STATIC) || !defined(__GNUC__)
#define MESO_API
#else
#define MESO_API __attribute__((visibility("default")))
#endif

typedef enum meso_status {
    MESO_OK = 0,
    MESO_ERROR_ARGUMENT,     /* the call or the command line is wrong */
    MESO_ERROR_DATA,         /* a file's content is not what it must be */
    MESO_ERROR_NO_INPUT,     /* a file or folder is missing, unreadable or empty */
    MESO_ERROR_NO_DEVICE,    /* no OpenCL platform or no device that fits */
    MESO_ERROR_DEVICE,       /* an OpenCL call failed; the text names its code */
    MESO_ERROR_MEMORY,       /* host memory ran out */
    MESO_ERROR_CREATE,       /* an output file cannot be created */
    MESO_ERROR_IO,           /* reading or writing failed: disk full, device error */
    MESO_ERROR_CANCELLED,    /* a progress callback asked to stop */
    MESO_ERROR_INTERNAL,     /* a bug in MesoCL: please report it */
    MESO_ERROR_DEVICE_MEMORY /* an OpenCL device refused memory or resources, even for one image */
} meso_status;

#define MESO_ERROR_TEXT_SIZE 1024

/* One failure. text is a NUL-terminated UTF-8 sentence that names the file, value or OpenCL code
 * and, where there is one, the remedy; bytes of a file name that could disturb a terminal are
 * escaped. */
typedef struct meso_error {
    meso_status status;
    char text[MESO_ERROR_TEXT_SIZE];
} meso_error;

/* "ok", "bad data", …; never NULL. */
MESO_API const char *meso_status_name(meso_status status);

/* The exit code a program should end with: 0 ok, 2 argument, 65 data, 66 no input, 69 no device,
 * 70 device, device memory, memory or internal, 73 cannot create, 74 I/O, 130 cancelled (the codes
 * of sysexits.h). */
MESO_API int meso_status_exit_code(meso_status status);

/* Frees what a call says is to be freed so. NULL is allowed. */
MESO_API void meso_free(void *memory);

/* Of the library at run time: "0.1.0", and the commit it was built from ("unknown" outside a git
 * checkout). */
MESO_API const char *meso_version(void);
MESO_API const char *meso_commit(void);

#ifdef __cplusplus
}
#endif
#endif
