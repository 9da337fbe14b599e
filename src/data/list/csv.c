/* SPDX-License-Identifier: Apache-2.0 */
#include "data/list/csv.h"

#include <string.h>

#include "base/text.h"

void meso_csv_start(meso_csv *csv, char *text, size_t n, const char *name)
{
    *csv = (meso_csv){
        .name = name, .separator = ',', .next = text, .end = text + n, .line = 1, .next_line = 1};
    text[n] = '\0';
}

static meso_status fail(const meso_csv *csv, size_t line, const char *what, meso_error *error)
{
    return meso_fail(error, MESO_ERROR_DATA, "%s:%zu: %s", MESO_PRINTABLE(csv->name), line, what);
}

void meso_csv_find_separator(meso_csv *csv)
{
    size_t best = 0;
    /* Nothing but a separator: a line's end taken for one would lead past the text. */
    if (csv->end - csv->next >= 5 && strncmp(csv->next, "sep=", 4) == 0 && csv->next[4] &&
        strchr(",;\t|", csv->next[4])) {
        csv->separator = csv->next[4];
        csv->next += strcspn(csv->next, "\n");
        return;
    }
    for (const char *candidate = ",;\t"; *candidate; candidate++) {
        size_t found = 0;
        for (const char *p = csv->next; p < csv->end && *p != '\n'; p++)
            found += *p == *candidate;
        if (found > best) {
            best = found;
            csv->separator = *candidate;
        }
    }
}

/* Does a field end at p? After its text only a separator, a line's end or the file's end may stand.
 */
static int ends_field(const meso_csv *csv, const char *p)
{
    return p == csv->end || *p == csv->separator || *p == '\n' ||
           (*p == '\r' && p + 1 < csv->end && p[1] == '\n');
}

/* "…" with "" for a quote. Unquoted text is never longer, so it is written over the quoted. */
static meso_status quoted_field(meso_csv *csv, char **stop, char **after, meso_error *error)
{
    size_t opened = csv->next_line;
    char *to = csv->next, *from = csv->next + 1;
    for (;; from++) {
        if (from == csv->end)
            return fail(csv, opened, "a quoted field never ends", error);
        if (*from == '"' && (from + 1 == csv->end || from[1] != '"'))
            break;
        from += *from == '"';
        csv->next_line += *from == '\n';
        *to++ = *from;
    }
    if (!ends_field(csv, from + 1))
        return fail(csv, csv->next_line, "text behind a closing quote", error);
    *stop = to;
    *after = from + 1;
    return MESO_OK;
}

static meso_status plain_field(meso_csv *csv, char **stop, char **after, meso_error *error)
{
    char *p = csv->next;
    for (; !ends_field(csv, p); p++)
        if (*p == '"')
            return fail(csv, csv->next_line, "a quote inside a field that does not begin with one",
                        error);
    *stop = *after = p;
    return MESO_OK;
}

/* Reads the field at next; *last tells that the record ends with it. */
static meso_status take_field(meso_csv *csv, int *last, meso_error *error)
{
    char *start = csv->next, *stop = NULL, *after = NULL;
    MESO_DEMAND(csv->n_fields < meso_csv_max_fields, error, MESO_ERROR_DATA,
                "%s:%zu: more than %d fields", MESO_PRINTABLE(csv->name), csv->line,
                meso_csv_max_fields);
    if (start < csv->end && *start == '"')
        MESO_CHECK(quoted_field(csv, &stop, &after, error));
    else
        MESO_CHECK(plain_field(csv, &stop, &after, error));
    *last = after == csv->end || *after != csv->separator;
    csv->next_line += *last && after < csv->end;
    if (after < csv->end)
        after += *after == '\r' ? 2 : 1;
    *stop = '\0';
    if (memchr(start, '\0', (size_t)(stop - start)))
        MESO_CHECK(fail(csv, csv->line, "a NUL byte", error));
    csv->fields[csv->n_fields++] = start;
    csv->next = after;
    return MESO_OK;
}

meso_status meso_csv_next(meso_csv *csv, meso_error *error)
{
    csv->n_fields = 0;
    while (csv->next < csv->end && (*csv->next == '\n' || strncmp(csv->next, "\r\n", 2) == 0)) {
        csv->next += *csv->next == '\r' ? 2 : 1;
        csv->next_line++;
    }
    csv->line = csv->next_line;
    for (int last = csv->next == csv->end; !last;) {
        meso_status status = take_field(csv, &last, error);
        if (status != MESO_OK)
            return status;
    }
    return MESO_OK;
}
