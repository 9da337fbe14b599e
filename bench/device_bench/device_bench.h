/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands of device_bench, one file each (cmd_<name>.c), as in tools/mesocl.
 */
#ifndef MESO_BENCH_DEVICE_BENCH_H
#define MESO_BENCH_DEVICE_BENCH_H

#define BENCH_SCHEMA "mesocl.device_bench/3"

int bench_cmd_all(int argc, char **argv);
int bench_cmd_net(int argc, char **argv);
int bench_cmd_ops(int argc, char **argv);
int bench_cmd_compare(int argc, char **argv);
int bench_cmd_ab(int argc, char **argv);

#endif
