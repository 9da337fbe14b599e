/* SPDX-License-Identifier: Apache-2.0 */
#include "stdin_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
#include "base/unicode.h"

static meso_status add(tool_path_list *list, const char *path, meso_error *error)
{
    const char **paths = meso_grow(list->paths, list->n, &list->capacity, sizeof *paths);
    if (!paths)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    list->paths = paths;
    list->paths[list->n++] = path;
    return MESO_OK;
}

static meso_status read_stdin(meso_text *text, meso_error *error)
{
    char block[1 << 16];
    size_t n;
    while ((n = fread(block, 1, sizeof block, stdin)) > 0)
        meso_text_add_n(text, block, n);
    if (ferror(stdin))
        return meso_fail(error, MESO_ERROR_IO, "cannot read standard input: %s", strerror(errno));
    meso_text_add(text, "");
    return text->out_of_memory ? meso_fail(error, MESO_ERROR_MEMORY, "out of memory") : MESO_OK;
}

/* Do all lines end with CRLF, as Windows writes them? One that does may be an odd name. */
static int is_of_windows(const char *text, size_t n)
{
    size_t n_lines = 0, n_returns = 0;
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\n') {
            n_lines++;
            n_returns += i > 0 && text[i - 1] == '\r';
        }
    return n_lines > 0 && n_returns == n_lines;
}

/* Splits list->text, whose n bytes end with a NUL, in place. */
static meso_status add_lines(tool_path_list *list, size_t n, int nul_separated, meso_error *error)
{
    if (!nul_separated)
        MESO_CHECK(meso_to_utf8(&list->text, &n, "the list on standard input", error));
    char *line = list->text, *end = list->text + n;
    const int windows = !nul_separated && is_of_windows(line, n);
    MESO_DEMAND(nul_separated || !memchr(line, '\0', n), error, MESO_ERROR_DATA,
                "the list on standard input holds NUL bytes; if they separate the names, give -0");
    while (line < end) {
        char *stop = memchr(line, nul_separated ? '\0' : '\n', (size_t)(end - line));
        if (!stop)
            stop = end;
        *stop = '\0';
        if (windows && stop > line && stop[-1] == '\r')
            stop[-1] = '\0';
        if (*line)
            MESO_CHECK(add(list, line, error));
        line = stop + 1;
    }
    return MESO_OK;
}

meso_status tool_path_list_read(char *const *operands, size_t n, int nul_separated,
                                tool_path_list *list, meso_error *error)
{
    meso_status status = MESO_OK;
    *list = (tool_path_list){0};
    for (size_t i = 0; i < n; i++) {
        if (strcmp(operands[i], "-") != 0) {
            MESO_TRY(add(list, operands[i], error));
        } else if (!list->text) { /* a second "-" finds stdin read */
            meso_text text = {0};
            status = read_stdin(&text, error);
            list->text = text.bytes;
            if (status == MESO_OK)
                status = add_lines(list, text.length, nul_separated, error);
            MESO_TRY(status);
        }
    }
out:
    if (status != MESO_OK)
        tool_path_list_free(list);
    return status;
}

void tool_path_list_free(tool_path_list *list)
{
    free(list->paths);
    free(list->text);
    *list = (tool_path_list){0};
}
