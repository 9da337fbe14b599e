/* SPDX-License-Identifier: Apache-2.0
 *
 * Operands, with "-" replaced by the list of paths that stdin holds.
 */
#ifndef MESO_TOOLS_STDIN_LIST_H
#define MESO_TOOLS_STDIN_LIST_H

#include <stddef.h>

#include "mesocl/status.h"

typedef struct tool_path_list {
    const char **paths;
    size_t n, capacity;
    char *text; /* what stdin held */
} tool_path_list;

/* Lines end with LF, or with NUL where nul_separated; empty lines are passed over, any other byte
 * is part of the name. Errors: IO, DATA (NUL bytes in a list of lines), MEMORY. */
meso_status tool_path_list_read(char *const *operands, size_t n, int nul_separated,
                                tool_path_list *list, meso_error *error);
void tool_path_list_free(tool_path_list *list);

#endif
