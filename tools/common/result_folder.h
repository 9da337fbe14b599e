/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders that commands make: a result never mixes with another one, and replaces, where --force is
 * given, only one of its own kind, in which nothing stands but what a command wrote. The old one is
 * set aside and goes when the new one is there; if none comes, it is put back. By the next command
 * that names the folder, where this one was killed.
 */
#ifndef MESO_TOOLS_RESULT_FOLDER_H
#define MESO_TOOLS_RESULT_FOLDER_H

#include "base/text.h"
#include "mesocl/status.h"

extern int tool_force; /* --force */

typedef struct tool_result {
    const char *what;   /* "a split" */
    const char *remedy; /* "choose another folder" */
    /* Appends the names below the folder that such a result may have, as patterns of fnmatch(3),
     * each with a NUL behind it. Errors: those of a folder that holds none. NULL: what
     * tool_result_end has listed. */
    meso_status (*names)(const char *folder, meso_text *names, meso_error *error);
} tool_result;

/* Puts back, and says so, what a killed command set aside beside this path, or removes the rest. */
void tool_result_recover(const char *path);

/* May a command make its result there? Errors: CREATE. */
meso_status tool_result_check(const char *folder, const tool_result *result, meso_error *error);

/* The same once more, right before the first file is written; sets aside what is to be replaced. */
meso_status tool_result_begin(const char *folder, const tool_result *result, meso_error *error);

/* What was begun is there: lists its files, if the result has no names of its own, and removes what
 * it replaces. Errors: CREATE, IO. */
meso_status tool_result_end(meso_error *error);

/* At the end of the program: where what was begun is not there, removes the rest of it and puts
 * back what was set aside. */
void tool_result_leave(void);

#endif
