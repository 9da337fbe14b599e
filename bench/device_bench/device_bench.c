/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench: its subcommands in one table. How one is found and run: tools/common/cli.c.
 */
#include "device_bench.h"

#include <stddef.h>

#include "cli.h"

static const meso_cli_command commands[] = {
    {"net", "images a second of a whole net, pixels in memory to probability", bench_cmd_net},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const meso_cli cli = {"device_bench", "How fast an OpenCL device is at MesoCL's work.",
                                 commands};
    return meso_cli_main(&cli, argc, argv);
}
