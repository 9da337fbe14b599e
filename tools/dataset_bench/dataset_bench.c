/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench: its subcommands in one table. How one is found and run: tools/common/cli.c.
 */
#include "dataset_bench.h"

#include <stddef.h>

#include "cli.h"

static const tool_cli_command commands[] = {
    {"stats", "statistics of the pictures of each class and dataset", db_cmd_stats},
    {"check", "unusable files, duplicates, label conflicts, leaks, shortcuts", db_cmd_check},
    {"split", "a part to train on and a part to test with, recordings kept together", db_cmd_split},
    {"demo-data", "draw three datasets and a control set, with faults planted", db_cmd_demo_data},
    {"run", "train on each dataset, test on each test set, compare", db_cmd_run},
    {"report", "the report of a study again, from what is stored", db_cmd_report},
    {"study-job", NULL, db_cmd_study_job},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const tool_cli cli = {"dataset_bench", "What is in datasets of real and fake images.",
                                 commands, NULL};
    return tool_cli_main(&cli, argc, argv);
}
