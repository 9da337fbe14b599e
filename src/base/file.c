/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/text.h"

static meso_file_fault fault_of_errno(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return MESO_FILE_VANISHED;
    case EACCES:
    case EPERM:
        return MESO_FILE_PERMISSION;
    case ENXIO: /* a socket, or a device that is not there */
        return MESO_FILE_NOT_REGULAR;
    default:
        return MESO_FILE_IO;
    }
}

static meso_status status_of_fault(meso_file_fault fault)
{
    static const meso_status rows[] = {
        [MESO_FILE_OK] = MESO_OK,
        [MESO_FILE_VANISHED] = MESO_ERROR_NO_INPUT,
        [MESO_FILE_PERMISSION] = MESO_ERROR_NO_INPUT,
        [MESO_FILE_NOT_REGULAR] = MESO_ERROR_NO_INPUT,
        [MESO_FILE_TOO_LARGE] = MESO_ERROR_DATA,
        [MESO_FILE_IO] = MESO_ERROR_IO,
        [MESO_FILE_MEMORY] = MESO_ERROR_MEMORY,
    };
    return rows[fault];
}

/* Reads what is behind fd into a buffer that starts at the size fstat gave and grows if the file
 * did. */
static meso_file_fault read_all(int fd, size_t expected, size_t limit, char **bytes, size_t *n)
{
    size_t capacity = expected + 1;
    char *buffer = malloc(capacity + 1);
    size_t filled = 0;
    if (!buffer)
        return MESO_FILE_MEMORY;
    for (;;) {
        ssize_t got = read(fd, buffer + filled, capacity - filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(buffer);
            return MESO_FILE_IO;
        }
        filled += (size_t)got;
        if (got == 0)
            break;
        if (filled > limit) {
            free(buffer);
            return MESO_FILE_TOO_LARGE;
        }
        if (filled == capacity) {
            char *larger = realloc(buffer, 2 * capacity + 1);
            if (!larger) {
                free(buffer);
                return MESO_FILE_MEMORY;
            }
            buffer = larger;
            capacity *= 2;
        }
    }
    buffer[filled] = '\0';
    *bytes = buffer;
    *n = filled;
    return MESO_FILE_OK;
}

size_t meso_file_head(const char *path, void *bytes, size_t n)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got =
        fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? read(fd, bytes, n) : 0;
    if (fd >= 0)
        close(fd);
    return got > 0 ? (size_t)got : 0;
}

static meso_file_fault read_file(const char *path, size_t limit, char **bytes, size_t *n)
{
    struct stat info;
    /* O_NONBLOCK: opening a FIFO without a writer would wait for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    meso_file_fault fault = MESO_FILE_OK;
    if (fd < 0)
        return fault_of_errno(errno);
    if (fstat(fd, &info) != 0)
        fault = MESO_FILE_IO;
    else if (!S_ISREG(info.st_mode))
        fault = MESO_FILE_NOT_REGULAR;
    else if ((uintmax_t)info.st_size > limit)
        fault = MESO_FILE_TOO_LARGE;
    else
        fault = read_all(fd, (size_t)info.st_size, limit, bytes, n);
    int code = errno;
    close(fd);
    errno = code;
    return fault;
}

meso_status meso_file_read(const char *path, size_t limit, void **bytes, size_t *n,
                           meso_file_fault *fault, meso_error *error)
{
    char *buffer = NULL;
    errno = 0;
    meso_file_fault found = read_file(path, limit, &buffer, n);
    if (fault)
        *fault = found;
    switch (found) {
    case MESO_FILE_OK:
        *bytes = buffer;
        return MESO_OK;
    case MESO_FILE_NOT_REGULAR:
        return meso_fail(error, MESO_ERROR_NO_INPUT, "%s: not a regular file",
                         MESO_PRINTABLE(path));
    case MESO_FILE_TOO_LARGE:
        return meso_fail(error, MESO_ERROR_DATA, "%s: larger than the limit of %zu bytes",
                         MESO_PRINTABLE(path), limit);
    case MESO_FILE_MEMORY:
        return meso_fail(error, MESO_ERROR_MEMORY, "%s: out of memory", MESO_PRINTABLE(path));
    default:
        return meso_fail(error, status_of_fault(found), "%s: %s", MESO_PRINTABLE(path),
                         strerror(errno));
    }
}

static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        bytes += written;
        n -= (size_t)written;
    }
    return 0;
}

/* The folder that a file is in, or is to be made in; to free(). */
static char *folder_of(const char *path)
{
    char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash)
        slash[slash == folder] = '\0';
    else if (folder && *folder)
        memcpy(folder, ".", 2);
    return folder;
}

/* A rename is on disk only once its folder is. Some file systems cannot sync a folder: not an
 * error. */
static void sync_folder_of(const char *path)
{
    char *folder = folder_of(path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

meso_status meso_file_check_output(const char *path, meso_error *error)
{
    meso_status status = MESO_OK;
    struct stat info;
    char *target = realpath(path, NULL), *folder = folder_of(target ? target : path);
    MESO_REQUIRE_MEMORY(folder, error);
    if (stat(path, &info) == 0) {
        MESO_REQUIRE(!S_ISDIR(info.st_mode), error, MESO_ERROR_CREATE,
                     "%s: cannot create: a folder is called so", MESO_PRINTABLE(path));
        MESO_REQUIRE(access(path, W_OK) == 0, error, MESO_ERROR_CREATE, "%s: cannot write: %s",
                     MESO_PRINTABLE(path), strerror(errno));
        if (!S_ISREG(info.st_mode))
            goto out;
    }
    errno = stat(folder, &info) != 0 ? errno : S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
    MESO_REQUIRE(errno == 0 && access(folder, W_OK | X_OK) == 0, error, MESO_ERROR_CREATE,
                 "%s: cannot create: %s", MESO_PRINTABLE(path), strerror(errno));
out:
    free(target);
    free(folder);
    return status;
}

meso_status meso_file_write(const char *path, const void *bytes, size_t n, meso_error *error)
{
    meso_status status = MESO_OK;
    int fd = -1;
    int created = 0;
    meso_text temporary = {0};
    struct stat info;
    char *linked = realpath(path, NULL);
    const char *target = linked ? linked : path;

    /* A pipe, a terminal or /dev/null is written in place: there is nothing to replace. */
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        fd = open(path, O_WRONLY | O_CLOEXEC);
        MESO_REQUIRE(fd >= 0, error, MESO_ERROR_CREATE, "%s: cannot write: %s",
                     MESO_PRINTABLE(path), strerror(errno));
        MESO_REQUIRE(write_all(fd, bytes, n) == 0, error, MESO_ERROR_IO, "%s: %s",
                     MESO_PRINTABLE(path), strerror(errno));
        goto out;
    }
    meso_text_format(&temporary, "%s.%ld.tmp", target, (long)getpid());
    MESO_REQUIRE_MEMORY(!temporary.out_of_memory, error);
    fd = open(temporary.bytes, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    MESO_REQUIRE(fd >= 0, error, MESO_ERROR_CREATE, "%s: cannot create: %s", MESO_PRINTABLE(path),
                 strerror(errno));
    created = 1;
    MESO_REQUIRE(write_all(fd, bytes, n) == 0 && fsync(fd) == 0, error, MESO_ERROR_IO,
                 "%s: cannot write: %s", MESO_PRINTABLE(path), strerror(errno));
    int closed = close(fd);
    fd = -1;
    MESO_REQUIRE(closed == 0 && rename(temporary.bytes, target) == 0, error, MESO_ERROR_IO,
                 "%s: cannot write: %s", MESO_PRINTABLE(path), strerror(errno));
    created = 0;
    sync_folder_of(target);
out:
    if (fd >= 0)
        close(fd);
    if (created)
        unlink(temporary.bytes);
    meso_text_free(&temporary);
    free(linked);
    return status;
}

meso_status meso_file_write_text(const char *path, meso_text *text, meso_error *error)
{
    meso_status status = text->out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory")
                                             : meso_file_write(path, text->bytes ? text->bytes : "",
                                                               text->length, error);
    meso_text_free(text);
    return status;
}

meso_status meso_file_append(const char *path, const void *bytes, size_t n, meso_error *error)
{
    meso_status status = MESO_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
    MESO_REQUIRE(fd >= 0, error, MESO_ERROR_CREATE, "%s: cannot create: %s", MESO_PRINTABLE(path),
                 strerror(errno));
    off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0 || write_all(fd, bytes, n) != 0) {
        int code = errno;
        int is_torn = end >= 0 && ftruncate(fd, end) != 0;
        status = meso_fail(error, MESO_ERROR_IO, "%s: cannot write: %s%s", MESO_PRINTABLE(path),
                           strerror(code), is_torn ? "; its last bytes may be cut off" : "");
    }
out:
    if (fd >= 0)
        close(fd);
    return status;
}

meso_status meso_folder_make(const char *path, meso_error *error)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return MESO_OK;
    return meso_fail(error, MESO_ERROR_CREATE, "%s: cannot make this folder: %s",
                     MESO_PRINTABLE(path), strerror(errno));
}

void meso_hash_hex(const void *bytes, size_t n, char hex[33])
{
    XXH128_hash_t hash = XXH3_128bits(bytes, n);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

uint64_t meso_hash_64(const void *bytes, size_t n)
{
    return XXH3_64bits(bytes, n);
}
