/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl devices: what OpenCL offers on this machine.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "common.h"
#include "mesocl/mesocl.h"

static void print_bytes(const char *title, uint64_t bytes)
{
    if (bytes >= (uint64_t)1 << 30)
        printf("    %-16s %.1f GiB\n", title, (double)bytes / (1 << 30));
    else
        printf("    %-16s %.0f KiB\n", title, (double)bytes / 1024);
}

static void print_device(const meso_device_info *list, size_t i)
{
    const meso_device_info *d = &list[i];
    printf("%u:%u  %-5s %s\n", d->platform, d->index, meso_device_type_name(d->type), d->name);
    if (d->same_as >= 0)
        printf("    the same hardware as %u:%u\n", list[d->same_as].platform,
               list[d->same_as].index);
    printf("    %-16s %s\n", "platform", d->platform_name);
    printf("    %-16s %s\n", "vendor", d->vendor);
    printf("    %-16s %s\n", "driver", d->driver);
    printf("    %-16s %s, %s\n", "version", d->version, d->opencl_c);
    printf("    %-16s %u", "compute units", d->compute_units);
    if (d->clock_mhz > 0)
        printf(" at up to %u MHz", d->clock_mhz);
    printf("\n    %-16s %u floats\n", "vector", d->vector_width);
    printf("    %-16s %zu work-items\n", "work-group", d->max_work_group);
    print_bytes("memory", d->global_memory_bytes);
    print_bytes("largest buffer", d->max_buffer_bytes);
    print_bytes("local memory", d->local_memory_bytes);
}

static json_t *device_json(const meso_device_info *d)
{
    return json_pack(
        "{s:i s:i s:s s:s s:s s:s s:s s:s s:s s:i s:i s:i s:I s:I s:I s:I s:o}", "platform",
        (int)d->platform, "index", (int)d->index, "type", meso_device_type_name(d->type), "name",
        d->name, "platform_name", d->platform_name, "vendor", d->vendor, "driver", d->driver,
        "version", d->version, "opencl_c", d->opencl_c, "compute_units", (int)d->compute_units,
        "clock_mhz", (int)d->clock_mhz, "vector_width", (int)d->vector_width, "max_work_group",
        (json_int_t)d->max_work_group, "global_memory_bytes", (json_int_t)d->global_memory_bytes,
        "max_buffer_bytes", (json_int_t)d->max_buffer_bytes, "local_memory_bytes",
        (json_int_t)d->local_memory_bytes, "same_as",
        d->same_as < 0 ? json_null() : json_integer(d->same_as));
}

static int print_json(const meso_device_info *list, const size_t *matches, size_t n)
{
    json_t *devices = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(devices, device_json(&list[matches[i]]));
    json_t *document = json_pack("{s:i s:o}", "schema", 1, "devices", devices);
    int written = document && json_dumpf(document, stdout, JSON_INDENT(2)) == 0;
    json_decref(document);
    putchar('\n');
    return written ? 0 : 70;
}

int meso_cmd_devices(int argc, char **argv)
{
    const char *selector = "all";
    int json = 0;
    const meso_option options[] = {MESO_OPTION_DEVICE(selector), MESO_OPTION_JSON(json),
                                   MESO_OPTIONS_END};
    const meso_command_line line = {"devices",
                                    "[options]",
                                    "Lists every OpenCL device with its limits and driver.",
                                    options,
                                    "mesocl devices\nmesocl devices --device gpu --json",
                                    0,
                                    0};
    char **operands;
    size_t n_operands, n, n_matches;
    meso_device_info *list = NULL;
    size_t *matches = NULL;
    meso_error error;
    int end = meso_options_parse(&line, argc, argv, &operands, &n_operands);
    if (end >= 0)
        return end;
    if (meso_device_list(&list, &n, &error) != MESO_OK)
        return meso_tool_fail(&error);
    matches = calloc(n, sizeof *matches);
    if (!matches) {
        free(list);
        return 70;
    }
    if (meso_device_match(list, n, selector, matches, &n_matches, &error) != MESO_OK)
        end = meso_tool_fail(&error);
    else if (json)
        end = print_json(list, matches, n_matches);
    else
        for (size_t i = 0; i < n_matches; i++)
            print_device(list, matches[i]);
    free(matches);
    free(list);
    return end < 0 ? 0 : end;
}
