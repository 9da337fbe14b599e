/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl tune: measures which sizes of the kernels are the fastest on a device.
 */
#include <stdlib.h>

#include "base/error.h"
#include "commands.h"
#include "common.h"
#include "drivers.h"
#include "tune.h"

/* The last comparisons and what compiles at the end come on top: a quarter of an hour in all. */
enum { default_seconds = 780, default_batch = 32, resumable = 75 };

static int tune(const char *selector, const tune_options *options, int reset)
{
    tool_drivers drivers;
    size_t *matches = NULL, n_matches;
    meso_error error = {0};
    meso_status status = tool_drivers_find(&drivers, &error);
    if (status != MESO_OK)
        return tool_fail(&error);
    MESO_TRY(tool_drivers_ask(&drivers, 1, &error));
    matches = calloc(drivers.n_devices, sizeof *matches);
    MESO_REQUIRE_MEMORY(matches, &error);
    MESO_TRY(meso_device_match(drivers.devices, drivers.n_devices, selector, matches, &n_matches,
                               &error));
    if (reset)
        MESO_TRY(tune_reset(&drivers.devices[matches[0]], &error));
    else
        MESO_TRY(tune_device(&drivers, matches[0], options, &error));
out:
    free(matches);
    tool_drivers_free(&drivers);
    if (status == MESO_OK)
        return 0;
    int code = tool_fail(&error);
    return status == MESO_ERROR_CANCELLED ? resumable : code;
}

int cmd_tune(int argc, char **argv)
{
    const char *selector = NULL, *net = "meso4";
    uint64_t batch = default_batch, seconds = default_seconds;
    int reset = 0;
    const tool_option options[] = {
        MESO_OPTION_DEVICE(selector),
        {"net",
         '\0',
         MESO_OPTION_TEXT,
         {.text = &net},
         "NET",
         "a built-in net or a .net file, for which the fused kernels are tuned; default meso4",
         0,
         0},
        {"batch",
         'b',
         MESO_OPTION_UNSIGNED,
         {.number = &batch},
         "N",
         "images the device computes at once; default 32",
         1,
         4096},
        {"time-limit",
         '\0',
         MESO_OPTION_UNSIGNED,
         {.number = &seconds},
         "SECONDS",
         "for the search; the last comparisons take a minute more; default 780",
         1,
         1000000},
        {"reset",
         '\0',
         MESO_OPTION_FLAG,
         {.flag = &reset},
         NULL,
         "forget the device's rows, and do nothing else",
         0,
         0},
        MESO_OPTIONS_END};
    const tool_command_line line = {
        "tune",
        "[options]",
        "Measures which sizes of the kernels are the fastest on a device, and writes them to "
        "tuning.json in the folder of preferences, where every program finds them. They hold for "
        "this device with this version of its driver. Each candidate must first agree with the "
        "plain kernels; only what is faster than the shipped sizes beyond doubt replaces them. "
        "Leave the machine alone meanwhile.\n"
        "Ctrl-C ends with 75; the same command goes on, also after a crash.",
        options,
        "mesocl tune --device 0:0\nmesocl tune --net mesoinception4 --time-limit 3600\n"
        "mesocl tune --device gpu --reset",
        0,
        0};
    char **operands;
    size_t n_operands;
    int end = tool_options_parse(&line, argc, argv, &operands, &n_operands);
    if (end >= 0)
        return end;
    tool_interrupt_catch();
    return tune(selector,
                &(tune_options){
                    .net = net, .batch = (size_t)batch, .seconds = (double)seconds, .of_each = 4},
                reset);
}
