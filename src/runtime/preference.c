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

size_t meso_preference_find(const meso_device_info *list, size_t n)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    void *bytes = NULL;
    size_t n_bytes, i = n;
    meso_error ignored;
    meso_preference_path(device_file, path);
    if (!*path)
        return n;
    if (meso_file_read(path, largest_file, &bytes, &n_bytes, NULL, &ignored) == MESO_OK) {
        char *rest = NULL, *platform = strtok_r(bytes, "\n", &rest);
        const char *device = strtok_r(NULL, "\n", &rest);
        for (i = 0; platform && device && i < n; i++)
            if (strcmp(list[i].platform_name, platform) == 0 && strcmp(list[i].name, device) == 0)
                break;
    }
    free(bytes);
    return i < n ? i : n;
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

meso_status meso_preference_write(const char *platform, const char *device,
                                  char path[MESO_PREFERENCE_PATH_SIZE], meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text text = {0};
    meso_text_format(&text, "%s\n%s\n", platform, device);
    MESO_REQUIRE_MEMORY(text.bytes && !text.out_of_memory, error);
    MESO_TRY(meso_preference_save(device_file, text.bytes, text.length, path, error));
out:
    meso_text_free(&text);
    return status;
}
