/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "child.h"
#include "clip.h"
#include "common.h"
#include "decoders.h"
#include "drivers.h"
#include "options.h"
#include "report/report_json.h"
#include "result_folder.h"

#ifdef __clang__
#define MESO_COMPILER "clang " __clang_version__
#else
#define MESO_COMPILER "gcc " __VERSION__
#endif

static const tool_cli_command *find_command(const tool_cli *cli, const char *name)
{
    for (const tool_cli_command *row = cli->commands; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static void print_overview(const tool_cli *cli, FILE *out)
{
    fprintf(out, "Usage: %s COMMAND [options] ...\n\n%s\n\nCommands:\n", cli->name, cli->about);
    for (const tool_cli_command *row = cli->commands; row->name; row++)
        if (row->summary)
            fprintf(out, "  %-10s %s\n", row->name, row->summary);
    fprintf(out,
            "\n%s COMMAND --help   options and examples of a command\n"
            "%s --version        version, decoders, compiler; --json for programs\n\n",
            cli->name, cli->name);
    fprintf(out, "%s",
            "Exit codes: 0 ok, 1 the answer is no, 2 wrong command line,\n"
            "64 bad --progress-fd, 65 bad data, 66 no input, 69 no usable device,\n"
            "70 internal or device error, 73 cannot create a file, 74 reading or writing\n"
            "failed, 75 interrupted and can be resumed, 125 a command that ab runs failed,\n"
            "130 interrupted.\n");
}

/* --version [--json] */
static int version(int argc, char **argv)
{
    int json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !json)
        return tool_options_usage_error("--version", "only --json may follow");
    if (!json) {
        printf("%s %s (%s)\ndecoders: %s\nclips: %s\ncompiler: %s\n", tool_program_name,
               meso_version(), meso_commit(), meso_image_decoders(), clip_decoder(), MESO_COMPILER);
        return 0;
    }
    meso_text out = {0};
    report_json_put(json_pack("{ssssssssss}", "version", meso_version(), "commit", meso_commit(),
                              "decoders", meso_image_decoders(), "clips", clip_decoder(),
                              "compiler", MESO_COMPILER),
                    &out);
    return tool_print(&out);
}

static int unknown_command(const char *name)
{
    fprintf(stderr, "%s: there is no command \"%s\"; try: %s --help\n", tool_program_name,
            MESO_PRINTABLE(name), tool_program_name);
    return 2;
}

/* help [COMMAND] is COMMAND --help. */
static int help(const tool_cli *cli, int argc, char **argv)
{
    if (argc < 2) {
        print_overview(cli, stdout);
        return 0;
    }
    const tool_cli_command *row = find_command(cli, argv[1]);
    if (!row)
        return unknown_command(argv[1]);
    char *arguments[] = {argv[1], "--help", NULL};
    return row->function(2, arguments);
}

/* Options without a command, or nothing at all. */
static int run_default(const tool_cli *cli, int argc, char **argv)
{
    char name[32];
    snprintf(name, sizeof name, "%s", cli->default_command);
    argv[0] = name;
    return find_command(cli, name)->function(argc, argv);
}

static int run(const tool_cli *cli, int argc, char **argv)
{
    if (argc < 2 && !cli->default_command) {
        print_overview(cli, stderr);
        return 2;
    }
    const char *name = argc < 2 ? "" : argv[1];
    if (strcmp(name, "--version") == 0)
        return version(argc - 1, argv + 1);
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(cli, argc - 1, argv + 1);
    if (cli->default_command && (*name == '-' || argc < 2))
        return run_default(cli, argc, argv);
    const tool_cli_command *row = find_command(cli, name);
    return row ? row->function(argc - 1, argv + 1) : unknown_command(name);
}

/* A standard stream that the caller closed would give its number to the next file that is opened,
 * and messages would go into it. The wrong direction makes its use fail as it should. */
static void open_missing_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(74);
}

/* A reader that has seen enough (| head) is no news; a full disk is. Both end with 74, unless
 * something worse has happened. */
static int finish_stdout(int code)
{
    int error = tool_stdout_error();
    if (error == 0)
        return code;
    if (error != EPIPE)
        fprintf(stderr, "%s: cannot write to standard output: %s\n", tool_program_name,
                strerror(error));
    return code == 0 ? 74 : code;
}

int tool_cli_main(const tool_cli *cli, int argc, char **argv)
{
    tool_program_name = cli->name;
    open_missing_streams();
    signal(SIGPIPE, SIG_IGN); /* a write to a closed pipe fails with EPIPE instead of killing us */
    signal(SIGXFSZ, SIG_IGN); /* and one past the file-size limit with EFBIG */
    tool_child_offer("list", tool_child_list);
    tool_child_offer("selftest", tool_child_selftest);
    int code;
    if (tool_child_main(argc, argv, &code))
        return code;
    decoders_start();
    code = finish_stdout(run(cli, argc, argv));
    decoders_stop();
    tool_result_leave();
    tool_driver_crash_end();
    return code;
}
