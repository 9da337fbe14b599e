/* SPDX-License-Identifier: Apache-2.0 */
#include "refuse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* stdio would ask what kind of file it writes to. */
static _Noreturn void end(int code, const char *reason, const char *format, va_list arguments)
{
    char text[512], line[600];
    vsnprintf(text, sizeof text, format, arguments);
    int n = snprintf(line, sizeof line, "%s%s\n", reason, text);
    _exit(write(STDERR_FILENO, line, (size_t)n) == n ? code : EXIT_NOT_WRITTEN);
}

void refuse(const char *reason, const char *format, ...)
{
    char start[64];
    va_list arguments;
    snprintf(start, sizeof start, "%s: ", reason);
    va_start(arguments, format);
    end(EXIT_BAD_DATA, start, format, arguments);
}

void die(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    end(code, "", format, arguments);
}

void refuse_memory(void)
{
    refuse("too_large", "it asks for more memory than the decoder of clips may have");
}

void *need_memory(size_t n, size_t size)
{
    void *memory = n <= SIZE_MAX / size ? malloc(n * size + 1) : NULL;
    if (!memory)
        refuse_memory();
    return memory;
}

void put(const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        ssize_t written = write(STDOUT_FILENO, p, n);
        if (written < 0 && errno != EINTR)
            die(EXIT_NOT_WRITTEN, "cannot write: %s", strerror(errno));
        if (written > 0) {
            p += written;
            n -= (size_t)written;
        }
    }
}
