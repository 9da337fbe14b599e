/* SPDX-License-Identifier: Apache-2.0
 *
 * device_bench: its subcommands in one table. How one is found and run: tools/common/cli.c.
 */
#include "device_bench.h"

#include <stddef.h>

#include "child.h"
#include "cli.h"
#include "measure.h"

static const tool_cli_command commands[] = {
    {"all", "every net on every device, ranked; the default command", bench_cmd_all},
    {"net", "images a second of one net, pixels in memory to probability, or in training",
     bench_cmd_net},
    {"ops", "every layer's time beside the device's peak, forward and backward", bench_cmd_ops},
    {"compare", "two records: is the second slower? exit code 1 if it is", bench_cmd_compare},
    {"ab", "two command lines in turns: is the second slower? exit code 1 if it is", bench_cmd_ab},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const tool_cli cli = {"device_bench", "Measures how fast OpenCL devices run MesoCL.",
                                 commands, "all"};
    tool_child_offer_json(BENCH_CHILD, bench_measure_child);
    return tool_cli_main(&cli, argc, argv);
}
