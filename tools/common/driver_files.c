/* SPDX-License-Identifier: Apache-2.0
 *
 * Both loaders of Linux, ocl-icd and Khronos', take a folder of .icd files from OCL_ICD_VENDORS. So
 * that a process loads one driver alone, its file is linked into a folder of its own.
 */
#include "drivers.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static const char default_folder[] = "/etc/OpenCL/vendors";
static const char file_name[] = "driver.icd";

static int is_icd(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 4 && strcmp(entry->d_name + n - 4, ".icd") == 0;
}

/* Where the loader looks; NULL where the environment names something other than a folder. */
static const char *vendors_folder(void)
{
    static const char *const variables[] = {"OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH"};
    if (getenv("OCL_ICD_FILENAMES") && *getenv("OCL_ICD_FILENAMES"))
        return NULL;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *given = getenv(variables[i]);
        if (given && *given)
            return given;
    }
    return default_folder;
}

/* The first line, without the blanks around it. */
static char *read_library(const char *file)
{
    char line[PATH_MAX] = "";
    FILE *stream = fopen(file, "r");
    if (stream) {
        if (!fgets(line, sizeof line, stream))
            line[0] = '\0';
        fclose(stream);
    }
    char *start = line + strspn(line, " \t");
    start[strcspn(start, "\r\n")] = '\0';
    for (size_t n = strlen(start); n > 0 && (start[n - 1] == ' ' || start[n - 1] == '\t'); n--)
        start[n - 1] = '\0';
    return strdup(start);
}

/* <folder>/<number>/driver.icd → file. NULL where it cannot be made. */
static char *make_vendors(const char *folder, size_t number, const char *file)
{
    char path[PATH_MAX], link[PATH_MAX];
    snprintf(path, sizeof path, "%s/%zu", folder, number);
    int length = snprintf(link, sizeof link, "%s/%s", path, file_name);
    if (length >= (int)sizeof link || mkdir(path, 0700) != 0)
        return NULL;
    return symlink(file, link) == 0 ? strdup(path) : NULL;
}

static char *make_folder(void)
{
    const char *base = getenv("TMPDIR");
    char path[PATH_MAX];
    int length =
        snprintf(path, sizeof path, "%s/mesocl-drivers-XXXXXX", base && *base ? base : "/tmp");
    return length < (int)sizeof path && mkdtemp(path) ? strdup(path) : NULL;
}

/* A driver for each of n > 1 files. 0 where something could not be made. */
static int fill(tool_drivers *drivers, const char *folder, struct dirent **entries, size_t n)
{
    drivers->folder = make_folder();
    for (size_t i = 0; drivers->folder && i < n; i++) {
        char joined[PATH_MAX];
        tool_driver *row = &drivers->rows[drivers->n++];
        snprintf(joined, sizeof joined, "%s/%s", folder, entries[i]->d_name);
        row->file = realpath(joined, NULL);
        if (!row->file)
            row->file = strdup(joined); /* a dangling link: its row says so */
        row->library = row->file ? read_library(row->file) : NULL;
        row->vendors = row->file ? make_vendors(drivers->folder, i, row->file) : NULL;
        if (!row->library || !row->vendors)
            return 0;
    }
    return drivers->folder != NULL;
}

/* One row for all that the loader finds; `only` is the one file there is, or NULL. */
static int fill_one(tool_drivers *drivers, const char *folder, const struct dirent *only)
{
    char joined[PATH_MAX];
    tool_driver *row = &drivers->rows[0];
    drivers->n = 1;
    *row = (tool_driver){0};
    if (!only) {
        row->library = strdup("");
        return row->library != NULL;
    }
    snprintf(joined, sizeof joined, "%s/%s", folder, only->d_name);
    row->file = strdup(joined);
    row->library = read_library(joined);
    return row->file && row->library;
}

meso_status tool_driver_files_find(tool_drivers *drivers, meso_error *error)
{
    meso_status status = MESO_OK;
    struct dirent **entries = NULL;
    const char *folder = vendors_folder();
    int n = folder ? scandir(folder, &entries, is_icd, alphasort) : 0;
    *drivers = (tool_drivers){0};
    drivers->rows = calloc(n > 1 ? (size_t)n : 1, sizeof *drivers->rows);
    MESO_REQUIRE_MEMORY(drivers->rows, error);
    if (n < 2 || !fill(drivers, folder, entries, (size_t)n)) {
        tool_driver_files_free(drivers); /* without a temporary folder they are not kept apart */
        drivers->rows = calloc(1, sizeof *drivers->rows);
        MESO_REQUIRE_MEMORY(drivers->rows, error);
        MESO_REQUIRE_MEMORY(fill_one(drivers, folder, n == 1 ? entries[0] : NULL), error);
    }
out:
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return status;
}

static void remove_vendors(const char *vendors)
{
    char link[PATH_MAX];
    snprintf(link, sizeof link, "%s/%s", vendors, file_name);
    unlink(link);
    rmdir(vendors);
}

void tool_driver_files_free(tool_drivers *drivers)
{
    for (size_t i = 0; drivers->rows && i < drivers->n; i++) {
        if (drivers->rows[i].vendors)
            remove_vendors(drivers->rows[i].vendors);
        free(drivers->rows[i].vendors);
        free(drivers->rows[i].library);
        free(drivers->rows[i].file);
    }
    if (drivers->folder)
        rmdir(drivers->folder);
    free(drivers->folder);
    free(drivers->rows);
    drivers->rows = NULL;
    drivers->folder = NULL;
    drivers->n = 0;
}

void tool_driver_library_trouble(const char *library, char *text, size_t size)
{
    *text = '\0';
    if (!*library)
        return;
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle)
        snprintf(text, size, "%s", dlerror());
    else if (!dlsym(handle, "clGetExtensionFunctionAddress"))
        snprintf(text, size, "%s is not an OpenCL driver: it has no clGetExtensionFunctionAddress",
                 library);
}
