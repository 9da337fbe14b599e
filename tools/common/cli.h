/* SPDX-License-Identifier: Apache-2.0
 *
 * A program of subcommands: finds the subcommand in a table and runs it. What holds for all
 * programs is here: --version, help, and that output which did not reach stdout is an error.
 *
 * No part of the programs calls setlocale: numbers are read and written with a point everywhere.
 */
#ifndef MESO_TOOLS_CLI_H
#define MESO_TOOLS_CLI_H

typedef struct tool_cli_command {
    const char *name;                       /* NULL ends a table */
    const char *summary;                    /* NULL: not listed */
    int (*function)(int argc, char **argv); /* argv[0] is the subcommand's name; the exit code */
} tool_cli_command;

typedef struct tool_cli {
    const char *name; /* of the program */
    const char *about;
    const tool_cli_command *commands;
    const char *default_command; /* what no command means; NULL: an overview */
} tool_cli;

/* The whole of a main(). */
int tool_cli_main(const tool_cli *cli, int argc, char **argv);

#endif
