/* SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded by tools/mutate.sh: in what a program gives to OpenCL's compiler, each copy of the file
 * $MESO_MUTANT/old becomes $MESO_MUTANT/new. Says which way that went by files of its own there:
 * `used` where such a copy came by, `broken` where a program with it did not compile.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CL/cl.h>

#define PUBLIC __attribute__((visibility("default")))

static _Thread_local int is_mutant; /* the program that was created last */

static void path_of(const char *name, char path[4096])
{
    snprintf(path, 4096, "%s/%s", getenv("MESO_MUTANT"), name);
}

static char *read_text(const char *name)
{
    char path[4096];
    path_of(name, path);
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    if (!file || !text || fread(text, 1, (1 << 20) - 1, file) == 0)
        abort();
    fclose(file);
    return text;
}

static void mark(const char *name)
{
    char path[4096];
    path_of(name, path);
    FILE *file = fopen(path, "wb");
    if (file)
        fclose(file);
}

/* The text with each `old` in it replaced; NULL: there is none. */
static char *replace(const char *text, const char *old, const char *new)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, old)); at += strlen(old))
        n++;
    char *result = n > 0 ? calloc(strlen(text) + n * strlen(new) + 1, 1) : NULL;
    char *to = result;
    if (!result)
        return NULL;
    for (const char *at; (at = strstr(text, old)); text = at + strlen(old))
        to += sprintf(to, "%.*s%s", (int)(at - text), text, new);
    strcpy(to, text);
    return result;
}

PUBLIC cl_program clCreateProgramWithSource(cl_context context, cl_uint n, const char **texts,
                                            const size_t *lengths, cl_int *code)
{
    cl_program (*next)(cl_context, cl_uint, const char **, const size_t *, cl_int *);
    *(void **)&next = dlsym(RTLD_NEXT, "clCreateProgramWithSource");
    char *old = read_text("old"), *new = read_text("new");
    char *whole = lengths ? strndup(texts[0], lengths[0]) : strdup(texts[0]);
    char *mutant = n == 1 ? replace(whole, old, new) : NULL;
    const char *text = mutant;
    is_mutant = mutant != NULL;
    if (mutant)
        mark("used");
    cl_program program =
        mutant ? next(context, 1, &text, NULL, code) : next(context, n, texts, lengths, code);
    free(old);
    free(new);
    free(whole);
    free(mutant);
    return program;
}

PUBLIC cl_int clBuildProgram(cl_program program, cl_uint n, const cl_device_id *devices,
                             const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                             void *user)
{
    cl_int (*next)(cl_program, cl_uint, const cl_device_id *, const char *,
                   void(CL_CALLBACK *)(cl_program, void *), void *);
    *(void **)&next = dlsym(RTLD_NEXT, "clBuildProgram");
    const cl_int code = next(program, n, devices, options, notify, user);
    if (code != CL_SUCCESS && is_mutant)
        mark("broken");
    return code;
}
