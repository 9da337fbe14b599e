/* SPDX-License-Identifier: Apache-2.0 */
#include "result_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "options.h"

enum { n_descriptors = 16, largest_index = 1 << 30 };
/* The kind, then the files, each with a NUL behind it. */
static const char index_name[] = ".mesocl";

int tool_force;

static struct {
    const tool_result *result; /* NULL: nothing was begun */
    char *folder, *aside;      /* aside: what --force replaces, NULL where there was nothing */
} begun;

/* ---- walks: nftw() takes no argument for its function ---- */

static struct {
    size_t prefix; /* of the folder and its slash */
    meso_text text;
    const char **names; /* sorted */
    size_t n;
    int patterns;
} walk;

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int is_named(const char *name)
{
    if (bsearch(&name, walk.names, walk.n, sizeof name, compare_names))
        return 1;
    for (size_t i = 0; walk.patterns && i < walk.n; i++)
        if (fnmatch(walk.names[i], name, FNM_PATHNAME | FNM_PERIOD) == 0)
            return 1;
    return 0;
}

/* What a killed process had not renamed yet belongs to the result, too. */
static size_t without_tmp(const char *name)
{
    size_t n = strlen(name), end = n;
    if (n < 4 || strcmp(name + n - 4, ".tmp") != 0)
        return n;
    for (n -= 4; n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9';)
        n--;
    return n > 0 && name[n - 1] == '.' ? n - 1 : end;
}

static int find_foreign(const char *path, const struct stat *info, int type, struct FTW *at)
{
    const char *name = path + walk.prefix;
    (void)info, (void)at;
    if (type == FTW_D)
        return 0;
    char *stem = strndup(name, without_tmp(name));
    int known = !stem || strcmp(name, index_name) == 0 || is_named(stem);
    free(stem);
    if (!known)
        meso_text_add(&walk.text, name);
    return !known;
}

static int list_file(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)at;
    if (type != FTW_D)
        meso_text_add_n(&walk.text, path + walk.prefix, strlen(path + walk.prefix) + 1);
    return 0;
}

static int remove_file(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path) != 0 && errno != ENOENT;
}

/* ---- what a folder holds ---- */

static meso_status listed(const char *folder, const tool_result *result, meso_text *names,
                          meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    void *bytes = NULL;
    size_t n = 0, kind = strlen(result->what) + 1;
    meso_text_format(&path, "%s/%s", folder, index_name);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    MESO_TRY(meso_file_read(path.bytes, largest_index, &bytes, &n, NULL, error));
    MESO_REQUIRE(n >= kind && memcmp(bytes, result->what, kind) == 0, error, MESO_ERROR_DATA,
                 "%s: not of %s", path.bytes, result->what);
    meso_text_add_n(names, (char *)bytes + kind, n - kind);
out:
    free(bytes);
    meso_text_free(&path);
    return status;
}

static meso_status names_of(const char *folder, const tool_result *result, meso_text *names,
                            meso_error *error)
{
    meso_status status =
        result->names ? result->names(folder, names, error) : listed(folder, result, names, error);
    return names->out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : status;
}

/* Refuses a folder in which there is more than the names. */
static meso_status check_names(const char *folder, const tool_result *result, meso_text *names,
                               meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = 0;
    for (size_t i = 0; i < names->length; i++)
        n += names->bytes[i] == '\0';
    walk.prefix = strlen(folder) + 1;
    walk.patterns = result->names != NULL;
    walk.text = (meso_text){0};
    walk.names = calloc(n + 1, sizeof *walk.names);
    walk.n = 0;
    MESO_REQUIRE_MEMORY(walk.names, error);
    for (const char *name = names->bytes; walk.n < n; name += strlen(name) + 1)
        walk.names[walk.n++] = name;
    qsort(walk.names, walk.n, sizeof *walk.names, compare_names);
    MESO_REQUIRE(nftw(folder, find_foreign, n_descriptors, FTW_PHYS) == 0, error, MESO_ERROR_CREATE,
                 "%s holds %s, which is no part of %s: --force does not remove it; move it away, "
                 "or choose another folder",
                 MESO_PRINTABLE(folder), walk.text.bytes ? MESO_PRINTABLE(walk.text.bytes) : "more",
                 result->what);
out:
    free(walk.names);
    meso_text_free(&walk.text);
    return status;
}

/* Does another process hold the lock of a run or a study there? */
static int is_busy(const char *folder)
{
    static const char *const locks[] = {"", "/lock"};
    int busy = 0;
    for (size_t i = 0; i < 2; i++) {
        meso_text path = {0};
        meso_text_format(&path, "%s%s", folder, locks[i]);
        int fd = path.out_of_memory ? -1 : open(path.bytes, O_RDONLY | O_CLOEXEC);
        busy |= fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        if (fd >= 0)
            close(fd);
        meso_text_free(&path);
    }
    return busy;
}

static int is_empty(const char *folder)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, NULL);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return n == 2; /* . and .. */
}

static meso_status check_old(const char *folder, const tool_result *result, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text names = {0};
    meso_error none = {0};
    status = names_of(folder, result, &names, &none);
    MESO_REQUIRE(status == MESO_OK, error, MESO_ERROR_CREATE,
                 "%s is not empty: choose a folder that is not there yet", MESO_PRINTABLE(folder));
    MESO_REQUIRE(tool_force, error, MESO_ERROR_CREATE,
                 "%s: already holds %s: %s, or replace it with --force", MESO_PRINTABLE(folder),
                 result->what, result->remedy);
    MESO_REQUIRE(!is_busy(folder), error, MESO_ERROR_CREATE, "%s: another process is working there",
                 MESO_PRINTABLE(folder));
    MESO_TRY(check_names(folder, result, &names, error));
out:
    meso_text_free(&names);
    return status;
}

/* ---- public ---- */

meso_status tool_result_check(const char *folder, const tool_result *result, meso_error *error)
{
    meso_status status = MESO_OK;
    struct stat info;
    char *path = strdup(folder);
    MESO_REQUIRE_MEMORY(path, error);
    MESO_REQUIRE(strcmp(folder, "-") != 0, error, MESO_ERROR_CREATE,
                 "standard output is no folder: give a name, such as ./-");
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';)
        path[--n] = '\0';
    if (stat(path, &info) != 0) {
        MESO_TRY(meso_file_check_output(path, error));
        goto out;
    }
    MESO_REQUIRE(S_ISDIR(info.st_mode), error, MESO_ERROR_CREATE, "%s: cannot create: not a folder",
                 MESO_PRINTABLE(folder));
    MESO_REQUIRE(access(path, R_OK | W_OK | X_OK) == 0, error, MESO_ERROR_CREATE,
                 "%s: cannot write there: %s", MESO_PRINTABLE(folder), strerror(errno));
    if (!is_empty(path))
        MESO_TRY(check_old(path, result, error));
out:
    free(path);
    return status;
}

static void forget(void)
{
    free(begun.folder);
    free(begun.aside);
    memset(&begun, 0, sizeof begun);
}

static meso_status set_aside(const char *folder, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text aside = {0};
    meso_text_format(&aside, "%s.replaced.%ld", folder, (long)getpid());
    MESO_REQUIRE_MEMORY(!aside.out_of_memory, error);
    MESO_REQUIRE(rename(folder, aside.bytes) == 0, error, MESO_ERROR_CREATE,
                 "%s: cannot be renamed while it is replaced: %s", MESO_PRINTABLE(folder),
                 strerror(errno));
    begun.aside = aside.bytes;
    return MESO_OK;
out:
    meso_text_free(&aside);
    return status;
}

meso_status tool_result_begin(const char *folder, const tool_result *result, meso_error *error)
{
    meso_status status = MESO_OK;
    char *real = realpath(folder, NULL), *name = real ? real : strdup(folder);
    MESO_REQUIRE_MEMORY(name, error);
    MESO_TRY(tool_result_check(folder, result, error));
    if (real && !is_empty(real))
        MESO_TRY(set_aside(real, error));
    begun.result = result;
    begun.folder = name;
    name = NULL;
out:
    free(name);
    return status;
}

static meso_status write_index(meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text path = {0};
    meso_text_format(&path, "%s/%s", begun.folder, index_name);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    walk.prefix = strlen(begun.folder) + 1;
    walk.text = (meso_text){0};
    meso_text_add_n(&walk.text, begun.result->what, strlen(begun.result->what) + 1);
    nftw(begun.folder, list_file, n_descriptors, FTW_PHYS);
    MESO_TRY(meso_file_write_text(path.bytes, &walk.text, error));
out:
    meso_text_free(&path);
    return status;
}

meso_status tool_result_end(meso_error *error)
{
    if (!begun.result)
        return MESO_OK;
    if (!begun.result->names)
        MESO_CHECK(write_index(error));
    if (begun.aside)
        nftw(begun.aside, remove_file, n_descriptors, FTW_DEPTH | FTW_PHYS);
    forget();
    return MESO_OK;
}

void tool_result_leave(void)
{
    meso_text names = {0};
    meso_error none = {0};
    if (begun.result && names_of(begun.folder, begun.result, &names, &none) == MESO_OK) {
        tool_result_end(&none);
    } else if (begun.aside || (begun.result && !begun.result->names)) {
        nftw(begun.folder, remove_file, n_descriptors, FTW_DEPTH | FTW_PHYS);
        if (begun.aside && rename(begun.aside, begun.folder) != 0)
            fprintf(stderr, "%s: what was in %s is in %s now: %s\n", tool_program_name,
                    begun.folder, begun.aside, strerror(errno));
    }
    meso_text_free(&names);
    forget();
}
