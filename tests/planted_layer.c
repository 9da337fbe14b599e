/* SPDX-License-Identifier: Apache-2.0
 *
 * An OpenCL layer (fault_layer/ says how one is loaded) that makes one kernel 5 % slower, its
 * answer unchanged: a second plane of work-items is launched, of which one in 20 (3 of the 64 that
 * tests/compare_runs.sh has) does the work of the first once more and the others return.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CL/cl_layer.h>

#define PUBLIC __attribute__((visibility("default")))
#define PLANTED "block_1"

static const char again[] =
    "\n    if (get_global_id(2) > 0 &&\n"
    "        (get_global_id(0) + get_global_id(1) * get_global_size(0)) % 20 != 10)\n"
    "        return;\n";

static const cl_icd_dispatch *next; /* of the loader or the next layer */

/* Behind the next brace that opens a body of the planted kernel, of which there is one for each
 * method in its template. `inside`: text is in the template. NULL: nowhere. */
static const char *next_body(const char *text, int *inside)
{
    static const char name[] = "#define NAME " PLANTED "\n", head[] = "KERNEL NAME(";
    for (;;) {
        const char *from = *inside ? text : strstr(text, name);
        const char *end = from ? strstr(from, "#undef NAME") : NULL;
        const char *at = from ? strstr(from, head) : NULL;
        if (!from || !end)
            return NULL;
        *inside = at && at < end;
        if (*inside)
            return strchr(at, '{') + 1;
        text = end;
    }
}

/* NULL where there is no such kernel. */
static char *plant(const char *text)
{
    size_t n = 0;
    int inside = 0;
    for (const char *at = text; (at = next_body(at, &inside));)
        n++;
    char *planted = n > 0 ? calloc(strlen(text) + n * sizeof again + 1, 1) : NULL;
    if (!planted)
        return NULL;
    char *to = planted;
    inside = 0;
    for (const char *at; (at = next_body(text, &inside)); text = at)
        to += sprintf(to, "%.*s%s", (int)(at - text), text, again);
    strcpy(to, text);
    return planted;
}

static cl_program CL_API_CALL my_clCreateProgramWithSource(cl_context context, cl_uint n,
                                                           const char **texts,
                                                           const size_t *lengths, cl_int *error)
{
    char *whole = n == 1 && lengths ? strndup(texts[0], lengths[0]) : NULL;
    char *planted = n == 1 ? plant(whole ? whole : texts[0]) : NULL;
    const char *text = planted;
    cl_program program = planted
                             ? next->clCreateProgramWithSource(context, 1, &text, NULL, error)
                             : next->clCreateProgramWithSource(context, n, texts, lengths, error);
    free(planted);
    free(whole);
    return program;
}

static cl_int CL_API_CALL my_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel,
                                                    cl_uint dims, const size_t *offset,
                                                    const size_t *global, const size_t *local,
                                                    cl_uint n_waits, const cl_event *waits,
                                                    cl_event *event)
{
    char name[64] = "";
    next->clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
    if (dims != 3 || strcmp(name, PLANTED) != 0)
        return next->clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, n_waits,
                                            waits, event);
    const size_t more[3] = {global[0], global[1], 2 * global[2]};
    return next->clEnqueueNDRangeKernel(queue, kernel, dims, offset, more, local, n_waits, waits,
                                        event);
}

PUBLIC CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint n, const cl_icd_dispatch *target,
                                                   cl_uint *n_mine, const cl_icd_dispatch **mine)
{
    static cl_icd_dispatch table;
    if (!target || !n_mine || !mine || n < sizeof table / sizeof(void *))
        return CL_INVALID_VALUE;
    next = target;
    table = *target;
    table.clCreateProgramWithSource = my_clCreateProgramWithSource;
    table.clEnqueueNDRangeKernel = my_clEnqueueNDRangeKernel;
    *n_mine = sizeof table / sizeof(void *);
    *mine = &table;
    return CL_SUCCESS;
}
