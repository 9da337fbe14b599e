/* SPDX-License-Identifier: Apache-2.0 */
#include "base/beside.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int find(const char *self, const char *const *places, size_t n_places, const char *name,
                int mode, meso_text *path)
{
    const char *slash = strrchr(self, '/');
    for (size_t i = 0; slash && i < n_places; i++) {
        path->length = 0;
        meso_text_format(path, "%.*s%s%s", (int)(slash + 1 - self), self, places[i], name);
        char *real = path->out_of_memory ? NULL : realpath(path->bytes, NULL);
        path->length = 0;
        meso_text_add(path, real ? real : "");
        free(real);
        if (path->length > 0 && access(path->bytes, mode) == 0)
            return 1;
    }
    return 0;
}

int meso_find_beside(const char *const *places, size_t n_places, const char *name, int mode,
                     meso_text *path)
{
    char program[PATH_MAX];
    Dl_info library;
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = '\0';
    return find(program, places, n_places, name, mode, path) ||
           (dladdr((const void *)places, &library) != 0 &&
            find(library.dli_fname, places, n_places, name, mode, path));
}
