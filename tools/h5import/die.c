/* SPDX-License-Identifier: Apache-2.0 */
#include "h5import.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void die(int exit_code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    /* Not exit(): HDF5's handlers would walk the file that has just been found bad. */
    _exit(exit_code);
}

json_t *need(json_t *json)
{
    if (!json)
        die(70, "out of memory");
    return json;
}

json_t *text_of(const char *text)
{
    json_t *json = json_string(text);
    if (!json)
        die(65, "damaged: the name or text '%s' is not UTF-8", shown(text));
    return json;
}

void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, need(value)) != 0)
        die(70, "out of memory");
}

const char *shown(const char *name)
{
    static char rings[4][128];
    static unsigned next;
    char *out = rings[next++ % 4];
    size_t i = 0;
    for (; name[i] && i + 1 < sizeof rings[0]; i++)
        out[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
    out[i] = '\0';
    return out;
}
