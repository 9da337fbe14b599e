/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/preference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

enum { largest_file = 1 << 16 };
static const char device_file[] = "device";

/* The folder; "" where the environment names none. */
static void find_folder(char path[MESO_PREFERENCE_PATH_SIZE])
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && *config == '/')
        snprintf(path, MESO_PREFERENCE_PATH_SIZE, "%s/mesocl", config);
    else if (home && *home == '/')
        snprintf(path, MESO_PREFERENCE_PATH_SIZE, "%s/.config/mesocl", home);
    else
        *path = '\0';
}

void meso_preference_path(const char *name, char path[MESO_PREFERENCE_PATH_SIZE])
{
    find_folder(path);
    size_t n = strlen(path);
    if (n > 0)
        snprintf(path + n, MESO_PREFERENCE_PATH_SIZE - n, "/%s", name);
}

/* The device's file, to be freed; NULL: there is none. */
static char *read_device_file(void)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    void *bytes = NULL;
    size_t n_bytes;
    meso_error ignored;
    meso_preference_path(device_file, path);
    if (*path)
        meso_file_read(path, largest_file, &bytes, &n_bytes, NULL, &ignored);
    return bytes;
}

static int is(const meso_device_info *info, const char *platform, const char *device)
{
    return platform && device && strcmp(info->platform_name, platform) == 0 &&
           strcmp(info->name, device) == 0;
}

size_t meso_preference_find(const meso_device_info *list, size_t n)
{
    char *bytes = read_device_file(), *rest = bytes;
    const char *platform = strsep(&rest, "\n"), *device = strsep(&rest, "\n");
    size_t i = 0;
    while (i < n && !is(&list[i], platform, device))
        i++;
    free(bytes);
    return i;
}

double meso_preference_rate(const meso_device_info *device, const char *net)
{
    double best = 0;
    char *bytes = read_device_file(), *rest = bytes;
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *of = strsep(&line, "\t"), *number = strsep(&line, "\t");
        const char *platform = strsep(&line, "\t");
        const double rate = number ? strtod(number, NULL) : 0;
        if (strcmp(of, net) == 0 && is(device, platform, line) && rate > best)
            best = rate;
    }
    free(bytes);
    return best;
}

void meso_preference_add_rate(meso_text *rates, const char *net, double rate, const char *platform,
                              const char *device)
{
    meso_text_format(rates, "%s\t%.1f\t%s\t%s\n", net, rate, platform, device);
}

/* The folder and the one above it: ~/.config need not be there yet. */
static void make_folders(const char *path)
{
    char parent[MESO_PREFERENCE_PATH_SIZE];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent) {
        *slash = '\0';
        mkdir(parent, 0700);
    }
    mkdir(path, 0700); /* a failure shows when the file is written */
}

/* The path of a file, with the folders above it. */
static meso_status make_room(const char *name, char path[MESO_PREFERENCE_PATH_SIZE],
                             meso_error *error)
{
    find_folder(path);
    MESO_DEMAND(*path, error, MESO_ERROR_CREATE,
                "neither XDG_CONFIG_HOME nor HOME says where preferences are kept");
    make_folders(path);
    meso_preference_path(name, path);
    return MESO_OK;
}

meso_status meso_preference_check(meso_error *error)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    MESO_CHECK(make_room(device_file, path, error));
    return meso_file_check_output(path, error);
}

meso_status meso_preference_save(const char *name, const char *bytes, size_t n,
                                 char path[MESO_PREFERENCE_PATH_SIZE], meso_error *error)
{
    MESO_CHECK(make_room(name, path, error));
    return meso_file_write(path, bytes, n, error);
}

meso_status meso_preference_write(const char *platform, const char *device, const char *rates,
                                  char path[MESO_PREFERENCE_PATH_SIZE], meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text text = {0};
    meso_text_format(&text, "%s\n%s\n%s", platform, device, rates);
    MESO_REQUIRE_MEMORY(text.bytes && !text.out_of_memory, error);
    MESO_TRY(meso_preference_save(device_file, text.bytes, text.length, path, error));
out:
    meso_text_free(&text);
    return status;
}
