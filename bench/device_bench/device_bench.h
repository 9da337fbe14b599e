/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands of device_bench, one file each (cmd_<name>.c), as in tools/mesocl.
 */
#ifndef MESO_BENCH_DEVICE_BENCH_H
#define MESO_BENCH_DEVICE_BENCH_H

int bench_cmd_net(int argc, char **argv);

#endif
