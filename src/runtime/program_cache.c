/* SPDX-License-Identifier: Apache-2.0
 *
 * A file <hash of the key>.program holds a magic word, the hash of the key and of the rest, and
 * what the driver made for one device; sub-devices are given the same.
 *
 * A driver may crash on what it made itself, say after the processor has changed below it. So
 * beside a file that is being loaded stands a mark, locked by the process that loads. A mark that
 * nobody locks is of a process that has died: for a day the program is compiled.
 */
#include "runtime/program_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { most_files = 64, most_bytes = 1 << 26, a_day = 86400, n_most = MESO_MAX_LANES + 1 };

typedef struct header {
    char magic[8];
    uint64_t rest;
    char key[33];
} header;
static const char magic[8] = "MESOPRG1";
static const char ending[] = ".program";

/* Drivers that were seen to compile anew in each process, 7 to 14 s. PoCL, NVIDIA and Mesa keep
 * what they have compiled themselves, and some of them crash on a binary. */
static int keeps_none(const meso_device_info *info)
{
    static const char *const platforms[] = {"Intel(R) OpenCL"};
    for (size_t i = 0; i < sizeof platforms / sizeof platforms[0]; i++)
        if (info->type == MESO_DEVICE_CPU && strcmp(info->platform_name, platforms[i]) == 0)
            return 1;
    return 0;
}

/* The folder, made with the two above it; empty where there is none. */
static void find_folder(meso_text *path)
{
    static const char *const places[][2] = {
        {"MESO_CACHE_DIR", ""}, {"XDG_CACHE_HOME", "/mesocl"}, {"HOME", "/.cache/mesocl"}};
    const char *base = NULL;
    size_t i = 0;
    for (; i < sizeof places / sizeof places[0] && !(base && *base == '/'); i++)
        base = getenv(places[i][0]);
    if (!base || *base != '/')
        return;
    meso_text_format(path, "%s%s/programs", base, places[i - 1][1]);
    for (char *at = path->bytes + strlen(base); at && at[0]; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(path->bytes, 0700); /* a failure shows when a file is written */
        *at = '/';
        if (!strchr(at + 1, '/'))
            break;
    }
    mkdir(path->bytes, 0700);
}

void meso_program_cache_find(const meso_device_info *info, const char *options,
                             const meso_text *source, meso_text *path)
{
    meso_text key = {0};
    char hex[33];
    if (!keeps_none(info))
        return;
    meso_text_format(&key, "%s\n%s\n%s\n%s\n%s\n", info->platform_name, info->name, info->driver,
                     info->version, options);
    meso_text_add_n(&key, source->bytes, source->length);
    if (!key.out_of_memory) {
        find_folder(path);
        meso_hash_hex(key.bytes, key.length, hex);
        if (path->length > 0)
            meso_text_format(path, "/%s%s", hex, ending);
    }
    meso_text_free(&key);
}

/* The hash in a path. */
static const char *key_of(const meso_text *path)
{
    return path->bytes + path->length - strlen(ending) - 32;
}

static int is_whole(const meso_text *path, const void *bytes, size_t n, header *head)
{
    if (n <= sizeof *head)
        return 0;
    memcpy(head, bytes, sizeof *head);
    return memcmp(head->magic, magic, sizeof magic) == 0 &&
           memcmp(head->key, key_of(path), 32) == 0 &&
           head->rest == meso_hash_64((const char *)bytes + sizeof *head, n - sizeof *head);
}

/* Returns the mark's file; -1 where there can be none, -2 where a process died in loading. */
static int set_mark(const char *mark)
{
    const int fd = open(mark, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) {
        flock(fd, LOCK_SH);
        return fd;
    }
    struct stat info;
    const int old = errno == EEXIST ? open(mark, O_RDWR | O_CLOEXEC) : -1;
    const int is_dead = old >= 0 && flock(old, LOCK_EX | LOCK_NB) == 0;
    if (is_dead && fstat(old, &info) == 0 && info.st_mtime + a_day < time(NULL) &&
        futimens(old, NULL) == 0)
        return old;
    if (old >= 0)
        close(old);
    return is_dead ? -2 : -1;
}

static cl_program build_from(meso_device *device, const unsigned char *bytes, size_t n,
                             const cl_device_id *ids, cl_uint n_ids, const char *options)
{
    size_t sizes[n_most];
    const unsigned char *all[n_most];
    cl_int code, codes[n_most];
    for (cl_uint i = 0; i < n_ids; i++) {
        sizes[i] = n;
        all[i] = bytes;
    }
    cl_program program =
        clCreateProgramWithBinary(device->context, n_ids, ids, sizes, all, codes, &code);
    if (program && code == CL_SUCCESS &&
        clBuildProgram(program, n_ids, ids, options, NULL, NULL) == CL_SUCCESS)
        return program;
    if (program)
        clReleaseProgram(program);
    return NULL;
}

cl_program meso_program_cache_load(meso_device *device, const meso_text *path,
                                   const cl_device_id *ids, cl_uint n_ids, const char *options)
{
    cl_program program = NULL;
    void *bytes = NULL;
    size_t n = 0;
    header head;
    meso_text mark = {0};
    if (path->length == 0 ||
        meso_file_read(path->bytes, most_bytes, &bytes, &n, NULL, NULL) != MESO_OK)
        return NULL;
    meso_text_format(&mark, "%s.try", path->bytes);
    if (!mark.out_of_memory && is_whole(path, bytes, n, &head)) {
        const int fd = set_mark(mark.bytes);
        if (fd != -2)
            program = build_from(device, (unsigned char *)bytes + sizeof head, n - sizeof head, ids,
                                 n_ids, options);
        if (fd >= 0) {
            unlink(mark.bytes);
            close(fd);
        }
    }
    meso_text_free(&mark);
    free(bytes);
    return program;
}

/* What the driver made for a device, behind room for the header. */
static void *take_binary(cl_program program, cl_device_id id, size_t *n)
{
    cl_uint n_ids = 0;
    cl_device_id ids[n_most];
    size_t sizes[n_most] = {0};
    unsigned char *all[n_most] = {NULL}, *bytes = NULL;
    if (clGetProgramInfo(program, CL_PROGRAM_NUM_DEVICES, sizeof n_ids, &n_ids, NULL) ||
        n_ids > n_most ||
        clGetProgramInfo(program, CL_PROGRAM_DEVICES, n_ids * sizeof ids[0], ids, NULL) ||
        clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, n_ids * sizeof sizes[0], sizes, NULL))
        return NULL;
    cl_uint i = 0;
    while (i < n_ids && ids[i] != id)
        i++;
    *n = i < n_ids ? sizes[i] : 0;
    if (*n > 0 && *n < most_bytes)
        bytes = calloc(1, sizeof(header) + *n);
    if (bytes) {
        all[i] = bytes + sizeof(header);
        if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, n_ids * sizeof all[0], all, NULL)) {
            free(bytes);
            bytes = NULL;
        }
    }
    return bytes;
}

static int is_program(const struct dirent *entry)
{
    const size_t n = strlen(entry->d_name);
    return n > strlen(ending) && strcmp(entry->d_name + n - strlen(ending), ending) == 0;
}

/* One more file: the oldest goes where there are too many. */
static void make_room(const meso_text *path)
{
    struct dirent **entries = NULL;
    time_t oldest = 0;
    int which = -1;
    char *slash = strrchr(path->bytes, '/');
    *slash = '\0';
    const int folder = open(path->bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int n = scandir(path->bytes, &entries, is_program, NULL);
    *slash = '/';
    for (int i = 0; i < n; i++) {
        struct stat info;
        if (fstatat(folder, entries[i]->d_name, &info, 0) == 0 &&
            (which < 0 || info.st_mtime < oldest)) {
            oldest = info.st_mtime;
            which = i;
        }
    }
    if (n >= most_files && which >= 0)
        unlinkat(folder, entries[which]->d_name, 0);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    if (folder >= 0)
        close(folder);
}

void meso_program_cache_store(const meso_text *path, cl_program program, cl_device_id id)
{
    header head = {0};
    size_t n = 0;
    void *bytes = path->length > 0 ? take_binary(program, id, &n) : NULL;
    if (!bytes)
        return;
    memcpy(head.magic, magic, sizeof magic);
    memcpy(head.key, key_of(path), 32);
    head.rest = meso_hash_64((char *)bytes + sizeof head, n);
    memcpy(bytes, &head, sizeof head);
    make_room(path);
    meso_file_write(path->bytes, bytes, sizeof head + n, NULL); /* else it is compiled again */
    free(bytes);
}
