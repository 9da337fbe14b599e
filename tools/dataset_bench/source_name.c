/* SPDX-License-Identifier: Apache-2.0 */
#include "source_name.h"

#include <string.h>

/* Steps back over one part of a path and the slashes before it. */
static size_t part_before(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] != '/')
        end--;
    return end;
}

static size_t without_slashes(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] == '/')
        end--;
    return end;
}

const char *db_source_name(const char *operand, meso_text *name)
{
    size_t n = strcspn(operand, "=/");
    if (operand[n] == '=' && n > 0) {
        meso_text_add_n(name, operand, n);
        return operand + n + 1;
    }
    size_t end = without_slashes(operand, strlen(operand));
    size_t begin = part_before(operand, end);
    begin = part_before(operand, without_slashes(operand, begin));
    if (end == begin) /* "/", or nothing */
        meso_text_add(name, operand);
    else
        meso_text_add_n(name, operand + begin, end - begin);
    return operand;
}
