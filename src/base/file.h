/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files: read with a limit, write atomically. And files that grow.
 */
#ifndef MESO_BASE_FILE_H
#define MESO_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "mesocl/status.h"

/* Why a file could not be read, in the order it is found out. */
typedef enum meso_file_fault {
    MESO_FILE_OK,
    MESO_FILE_VANISHED,    /* ENOENT, ENOTDIR */
    MESO_FILE_PERMISSION,  /* EACCES, EPERM */
    MESO_FILE_NOT_REGULAR, /* a folder, FIFO, socket, device */
    MESO_FILE_TOO_LARGE,   /* over the limit */
    MESO_FILE_IO,          /* anything else */
    MESO_FILE_MEMORY
} meso_file_fault;

/* Reads the regular file at path whole, at most limit bytes, never blocking on a FIFO. *bytes is
 * the caller's, to free(), with a NUL behind its *n bytes. Errors: NO_INPUT (vanished, permission,
 * not_regular), DATA (too large), IO, MEMORY; *fault (NULL is allowed) says which. */
meso_status meso_file_read(const char *path, size_t limit, void **bytes, size_t *n,
                           meso_file_fault *fault, meso_error *error);

/* Could meso_file_write write there? For before the work whose result it is. Errors: CREATE. */
meso_status meso_file_check_output(const char *path, meso_error *error);

/* The first bytes of a regular file, at most n; returns how many, 0 where it cannot be read. */
size_t meso_file_head(const char *path, void *bytes, size_t n);

/* Writes n bytes to a temporary file beside path, syncs it, and renames it to path: other processes
 * see the old file or the new one, whole. A link stays; what it leads to is written. Errors: CREATE
 * (folder missing or not writable), IO. */
meso_status meso_file_write(const char *path, const void *bytes, size_t n, meso_error *error);

/* The same of a text, which it frees. Errors: also MEMORY, where the text is incomplete. */
meso_status meso_file_write_text(const char *path, meso_text *text, meso_error *error);

/* Writes n bytes at the end of the file at path, which it creates if there is none. On an error the
 * file is as long as before. Errors: CREATE, IO. */
meso_status meso_file_append(const char *path, const void *bytes, size_t n, meso_error *error);

/* Makes a folder, unless it is there. Errors: CREATE. */
meso_status meso_folder_make(const char *path, meso_error *error);

/* XXH3-128 of n bytes as 32 hex digits and a NUL. */
void meso_hash_hex(const void *bytes, size_t n, char hex[33]);

/* XXH3-64 of n bytes. */
uint64_t meso_hash_64(const void *bytes, size_t n);

#endif
