/* SPDX-License-Identifier: Apache-2.0 */
#include "result_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <libgen.h>
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

/* What --force replaces stands beside the folder under the first name while the new one is not
 * there, then under the second one while it is removed; so a process that is killed leaves the one
 * or the other. Behind the name is a number. */
static const char old_name[] = ".mesocl_old.", gone_name[] = ".mesocl_gone.";

static struct {
    const tool_result *result; /* NULL: nothing was begun */
    char *folder, *aside;      /* aside: what --force replaces, NULL where there was nothing */
    int lock;                  /* of aside */
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

static void remove_all(const char *folder)
{
    nftw(folder, remove_file, n_descriptors, FTW_DEPTH | FTW_PHYS);
}

/* The folder beside another one; the caller frees it. NULL: out of memory. */
static char *beside(const char *folder, const char *name, long number)
{
    meso_text path = {0};
    meso_text_format(&path, "%s%s%ld", folder, name, number);
    return path.bytes;
}

/* No kill from here on leaves a half of what was replaced under a name that means all of it. */
static void remove_aside(const char *folder, const char *aside, long number)
{
    char *gone = beside(folder, gone_name, number);
    if (gone && rename(aside, gone) == 0)
        remove_all(gone);
    free(gone);
}

/* What a killed process set aside comes back; what it had made of the new one is kept, too. */
static void put_back(const char *folder, const char *aside, long number)
{
    char *unfinished = beside(folder, ".unfinished.", number);
    struct stat info;
    if (unfinished && stat(folder, &info) == 0 && rmdir(folder) != 0 &&
        rename(folder, unfinished) != 0) {
        free(unfinished);
        return;
    }
    const int kept = unfinished && stat(unfinished, &info) == 0;
    if (rename(aside, folder) == 0)
        fprintf(stderr,
                "%s: %s: a command that was replacing it was killed: what it held before is "
                "back%s%s\n",
                tool_program_name, folder, kept ? ", what the command had written is in " : "",
                kept ? unfinished : "");
    free(unfinished);
}

/* The number behind a name beside the folder called `stem`; 0: it is not such a name. */
static long number_of(const char *entry, const char *stem, const char *name)
{
    const size_t n_stem = strlen(stem), n_name = strlen(name);
    char *end;
    if (strncmp(entry, stem, n_stem) != 0 || strncmp(entry + n_stem, name, n_name) != 0)
        return 0;
    const long number = strtol(entry + n_stem + n_name, &end, 10);
    return *end ? 0 : number;
}

static void recover(const char *folder, const char *entry)
{
    const char *stem = strrchr(folder, '/');
    stem = stem ? stem + 1 : folder;
    const long old = number_of(entry, stem, old_name), gone = number_of(entry, stem, gone_name);
    char *aside = old > 0    ? beside(folder, old_name, old)
                  : gone > 0 ? beside(folder, gone_name, gone)
                             : NULL;
    if (aside && !is_busy(aside) && !is_busy(folder)) {
        if (gone > 0)
            remove_all(aside);
        else
            put_back(folder, aside, old);
    }
    free(aside);
}

void tool_result_recover(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode))
        return;
    char *real = realpath(path, NULL), *folder = real ? real : strdup(path);
    for (size_t n = folder ? strlen(folder) : 0; n > 1 && folder[n - 1] == '/';)
        folder[--n] = '\0';
    char *copy = folder ? strdup(folder) : NULL;
    struct dirent **entries = NULL;
    const int n = copy ? scandir(dirname(copy), &entries, NULL, NULL) : 0;
    for (int i = 0; i < n; i++) {
        recover(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    free(copy);
    free(folder);
}

static void forget(void)
{
    if (begun.aside)
        close(begun.lock);
    free(begun.folder);
    free(begun.aside);
    memset(&begun, 0, sizeof begun);
}

static meso_status set_aside(const char *folder, meso_error *error)
{
    meso_status status = MESO_OK;
    char *aside = beside(folder, old_name, (long)getpid());
    MESO_REQUIRE_MEMORY(aside, error);
    begun.lock = open(folder, O_RDONLY | O_CLOEXEC);
    flock(begun.lock, LOCK_SH | LOCK_NB); /* this process is alive */
    MESO_REQUIRE(rename(folder, aside) == 0, error, MESO_ERROR_CREATE,
                 "%s: cannot be renamed while it is replaced: %s", MESO_PRINTABLE(folder),
                 strerror(errno));
    begun.aside = aside;
    return MESO_OK;
out:
    if (aside)
        close(begun.lock);
    free(aside);
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
        remove_aside(begun.folder, begun.aside, (long)getpid());
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
        remove_all(begun.folder);
        if (begun.aside && rename(begun.aside, begun.folder) != 0)
            fprintf(stderr, "%s: what was in %s is in %s now: %s\n", tool_program_name,
                    begun.folder, begun.aside, strerror(errno));
    }
    meso_text_free(&names);
    forget();
}
