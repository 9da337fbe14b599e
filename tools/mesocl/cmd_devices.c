/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl devices: what OpenCL offers on this machine.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "commands.h"
#include "common.h"
#include "drivers.h"
#include "report/report_json.h"
#include "runtime/tuning.h"

static void print_bytes(const char *title, uint64_t bytes)
{
    if (bytes >= (uint64_t)1 << 30)
        printf("    %-16s %.1f GiB\n", title, (double)bytes / (1 << 30));
    else
        printf("    %-16s %.0f KiB\n", title, (double)bytes / 1024);
}

/* What `mesocl tune` has measured; "" where it has not. */
static void describe_tuning(const json_t *document, const meso_device_info *d, char text[256])
{
    size_t n, n_other;
    const char *other;
    *text = '\0';
    meso_tuning_count(document, d, &n, &n_other, &other);
    if (n > 0)
        snprintf(text, 256, "%zu row%s of mesocl tune", n, n == 1 ? "" : "s");
    else if (n_other > 0)
        snprintf(text, 256, "ignored: measured with driver %.80s; run mesocl tune again",
                 MESO_PRINTABLE(other));
}

static void print_device(const meso_device_info *list, size_t i, const json_t *tuning)
{
    char tuned[256];
    const meso_device_info *d = &list[i];
    printf("%u:%u  %-5s %s\n", d->platform, d->index, meso_device_type_name(d->type), d->name);
    if (d->same_as >= 0)
        printf("    the same hardware as %u:%u\n", list[d->same_as].platform,
               list[d->same_as].index);
    if (d->unusable[0])
        printf("    unusable: %s\n", d->unusable);
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
    describe_tuning(tuning, d, tuned);
    if (*tuned)
        printf("    %-16s %s\n", "tuning", tuned);
}

static json_t *device_json(const meso_device_info *d, const json_t *tuning)
{
    char tuned[256];
    describe_tuning(tuning, d, tuned);
    return json_pack(
        "{s:i s:i s:s s:s s:s s:s s:s s:s s:s s:i s:i s:i s:I s:I s:I s:I s:o s:s s:s}", "platform",
        (int)d->platform, "index", (int)d->index, "type", meso_device_type_name(d->type), "name",
        d->name, "platform_name", d->platform_name, "vendor", d->vendor, "driver", d->driver,
        "version", d->version, "opencl_c", d->opencl_c, "compute_units", (int)d->compute_units,
        "clock_mhz", (int)d->clock_mhz, "vector_width", (int)d->vector_width, "max_work_group",
        (json_int_t)d->max_work_group, "global_memory_bytes", (json_int_t)d->global_memory_bytes,
        "max_buffer_bytes", (json_int_t)d->max_buffer_bytes, "local_memory_bytes",
        (json_int_t)d->local_memory_bytes, "same_as",
        d->same_as < 0 ? json_null() : json_integer(d->same_as), "tuning", tuned, "unusable",
        d->unusable);
}

/* Without any .icd file there is one row, what the loader says, and its file is null. */
static json_t *drivers_json(const tool_drivers *drivers)
{
    json_t *rows = json_array();
    for (size_t i = 0; rows && i < drivers->n; i++) {
        const tool_driver *row = &drivers->rows[i];
        json_t *file = row->file ? meso_json_text(row->file) : json_null();
        if (row->n_devices == 0)
            json_array_append_new(rows, json_pack("{s:O s:o}", "file", file, "reason",
                                                  meso_json_text(row->error.text)));
        json_decref(file);
    }
    return rows;
}

static int print_json(const tool_drivers *drivers)
{
    json_t *devices = json_array(), *tuning = meso_tuning_read();
    meso_text out = {0};
    for (size_t i = 0; i < drivers->n_matches; i++)
        json_array_append_new(devices, device_json(&drivers->devices[drivers->matches[i]], tuning));
    json_decref(tuning);
    report_json_put(json_pack("{s:i s:o s:o}", "schema", 1, "devices", devices,
                              "drivers_without_device", drivers_json(drivers)),
                    &out);
    return tool_print(&out);
}

static void print_text(const tool_drivers *drivers)
{
    json_t *tuning = meso_tuning_read();
    for (size_t i = 0; i < drivers->n_matches; i++)
        print_device(drivers->devices, drivers->matches[i], tuning);
    json_decref(tuning);
    for (size_t i = 0; i < drivers->n; i++) {
        const tool_driver *row = &drivers->rows[i];
        if (row->n_devices == 0)
            printf("-:-  none  %s\n    %s\n", MESO_PRINTABLE(row->file),
                   MESO_PRINTABLE(row->error.text));
    }
}

/* The devices that selector means, then the drivers that have none; JSON also where there is no
 * device at all. */
static int list_devices(const char *selector, int json)
{
    tool_drivers drivers;
    meso_error error = {0};
    meso_status status = tool_drivers_find(&drivers, &error);
    if (status == MESO_OK)
        status = tool_drivers_ask(&drivers, selector, 0, &error);
    int end = status == MESO_OK ? 0 : tool_fail(&error);
    if (json && drivers.n > 0 && (status == MESO_OK || drivers.n_devices == 0))
        end = print_json(&drivers) ? 70 : end;
    else if (status == MESO_OK)
        print_text(&drivers);
    tool_drivers_free(&drivers);
    return end;
}

static const char about[] =
    "Lists every OpenCL device with its limits and driver. Each driver is queried in\n"
    "a process of its own, for at most 5 seconds: one that crashes or hangs is listed\n"
    "with the reason.";

static const char examples[] = "mesocl devices\n"
                               "mesocl devices --device gpu --json";

int cmd_devices(int argc, char **argv)
{
    const char *selector = "all";
    int json = 0;
    const tool_option options[] = {OPT_DEVICES(selector, "all"), OPT_JSON(json), OPT_END};
    const tool_command_line line = {"devices", "[options]", about, options, examples, 0, 0};
    int end = tool_options_parse(&line, &argc, argv);
    return end >= 0 ? end : list_devices(selector, json);
}
