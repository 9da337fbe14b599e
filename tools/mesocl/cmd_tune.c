/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl tune: measures which sizes of the kernels are the fastest on a device.
 */

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
    meso_error error = {0};
    meso_status status = tool_drivers_find(&drivers, &error);
    if (status != MESO_OK)
        return tool_fail(&error);
    MESO_TRY(tool_drivers_ask(&drivers, selector, 1, &error));
    if (reset)
        MESO_TRY(tune_reset(&drivers.devices[drivers.matches[0]], &error));
    else
        MESO_TRY(tune_device(&drivers, drivers.matches[0], options, &error));
out:
    tool_drivers_free(&drivers);
    if (status == MESO_OK)
        return 0;
    int code = tool_fail(&error);
    return status == MESO_ERROR_CANCELLED ? resumable : code;
}

static const char about[] =
    "Measures which kernel sizes are the fastest on a device, and writes them to\n"
    "tuning.json in the folder of preferences, where every program finds them. They\n"
    "hold for this device with this version of its driver. Each candidate must first\n"
    "agree with the plain kernels; only sizes that are faster than the shipped ones\n"
    "beyond doubt replace them. Leave the machine idle meanwhile. Ctrl-C ends with\n"
    "75; the same command continues, also after a crash.";

static const char examples[] = "mesocl tune --device 0:0\n"
                               "mesocl tune --net mesoinception4 --time-limit 3600\n"
                               "mesocl tune --device gpu --reset";

int cmd_tune(int argc, char **argv)
{
    const char *selector = NULL, *net = "meso4";
    uint64_t batch = default_batch, seconds = default_seconds;
    int reset = 0;
    const tool_option options[] = {
        OPT_DEVICE(selector),
        OPT_INPUT(
            "net", 0, net, "NET",
            "a built-in net or a .net file, for which the fused kernels are tuned; default meso4"),
        OPT_COUNT("batch", 'b', batch, "N", 1, 4096, "images at once; default 32"),
        OPT_COUNT("time-limit", 0, seconds, "SECONDS", 1, 1000000,
                  "for the search; the last comparisons take a minute more; default 780"),
        OPT_FLAG("reset", 0, reset, "forget the device's rows, and do nothing else"),
        OPT_PROGRESS,
        OPT_END};
    const tool_command_line line = {"tune", "[options]", about, options, examples, 0, 0};
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    tool_interrupt_catch();
    return tune(selector,
                &(tune_options){
                    .net = net, .batch = (size_t)batch, .seconds = (double)seconds, .of_each = 4},
                reset);
}
