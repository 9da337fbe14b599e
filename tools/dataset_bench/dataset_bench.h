/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands of dataset_bench, one file each (cmd_<name>.c), as in tools/mesocl.
 */
#ifndef MESO_TOOLS_DATASET_BENCH_H
#define MESO_TOOLS_DATASET_BENCH_H

int db_cmd_stats(int argc, char **argv);
int db_cmd_check(int argc, char **argv);
int db_cmd_split(int argc, char **argv);
int db_cmd_demo_data(int argc, char **argv);
int db_cmd_run(int argc, char **argv);
int db_cmd_report(int argc, char **argv);
int db_cmd_study_job(int argc, char **argv); /* of run; not listed */

#endif
