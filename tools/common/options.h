/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines from a table. Each subcommand states its options once; parsing, ranges and --help
 * all come from that one table:
 *
 *   const char *weights = NULL;
 *   uint64_t batch = 0;
 *   const tool_option options[] = {
 *       OPT_TEXT("weights", 'w', weights, "FILE", "the model"),
 *       OPT_COUNT("batch", 'b', batch, "N", 1, 65536, "images at once"),
 *       OPT_END};
 *   const tool_command_line line = {"predict", "-w FILE [options] FILE...", about, options,
 *                                   examples, 1, SIZE_MAX};
 *   int end = tool_options_parse(&line, &argc, argv);
 *   if (end >= 0)
 *       return end;
 */
#ifndef MESO_TOOLS_OPTIONS_H
#define MESO_TOOLS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* What messages and --help call the program; tool_cli_main() sets it. */
extern const char *tool_program_name;

typedef enum tool_option_kind {
    TOOL_OPTION_FLAG,     /* int: set to 1, or to `low` where that is not 0 */
    TOOL_OPTION_TEXT,     /* const char *: points into argv */
    TOOL_OPTION_LIST,     /* tool_option_list: the same, may be given many times */
    TOOL_OPTION_UNSIGNED, /* uint64_t: decimal digits only */
    TOOL_OPTION_REAL,     /* double: decimal notation with a point, finite */
    TOOL_OPTION_CHOICE,   /* int: position of the word in the argument "a|b|c" */
    TOOL_OPTION_CALL      /* a function takes it; -1, or an exit code after a sentence */
} tool_option_kind;

/* What an option's value names; outputs.h says what follows from it. A switch that names a report
 * prints it to standard output. */
typedef enum tool_names {
    TOOL_NAMES_NOTHING,
    TOOL_NAMES_INPUT, /* FILE, FOLDER, NAME=FOLDER */
    TOOL_NAMES_REPORT,
    TOOL_NAMES_MODEL,
    TOOL_NAMES_RESULT /* a folder */
} tool_names;

/* Every value of an option that was given, in order. */
typedef struct tool_option_list {
    const char *items[64];
    size_t n;
} tool_option_list;

typedef struct tool_option {
    const char *name; /* without its dashes; NULL ends the table */
    char letter;      /* the short form, 0 for none */
    tool_option_kind kind;
    union {
        int *flag;
        const char **text;
        tool_option_list *list;
        uint64_t *number;
        double *real;
        int *choice;
        int (*call)(const char *command, const char *value);
    } value; /* where it is stored; left as it is where the option is not given */
    const char
        *argument;    /* what --help calls the value; of a choice its words, "a|b|c"; else NULL */
    const char *help; /* one sentence or two, without a line break */
    double low, high; /* smallest and largest number allowed; 0, 0: any */
    tool_names names;
    const struct tool_result *result; /* of a folder: its kind */
} tool_option;

/* Rows of a table. letter may be 0; low, high 0, 0 allow any number. */
/* clang-format off */
#define OPT_ROW(name, letter, kind, member, where, argument, low, high, names, result, help) \
    {name, letter, TOOL_OPTION_##kind, {.member = where}, argument, help, low, high, \
     TOOL_NAMES_##names, result}
#define OPT_SET(name, letter, where, value, help) \
    OPT_ROW(name, letter, FLAG, flag, (int *)&(where), NULL, value, 0, NOTHING, NULL, help)
#define OPT_FLAG(name, letter, where, help) \
    OPT_ROW(name, letter, FLAG, flag, &(where), NULL, 0, 0, NOTHING, NULL, help)
#define OPT_TEXT(name, letter, where, argument, help) \
    OPT_ROW(name, letter, TEXT, text, &(where), argument, 0, 0, NOTHING, NULL, help)
#define OPT_LIST(name, letter, where, argument, help) \
    OPT_ROW(name, letter, LIST, list, &(where), argument, 0, 0, NOTHING, NULL, help)
#define OPT_COUNT(name, letter, where, argument, low, high, help) \
    OPT_ROW(name, letter, UNSIGNED, number, &(where), argument, low, high, NOTHING, NULL, help)
#define OPT_REAL(name, letter, where, argument, low, high, help) \
    OPT_ROW(name, letter, REAL, real, &(where), argument, low, high, NOTHING, NULL, help)
#define OPT_CHOICE(name, letter, where, words, help) \
    OPT_ROW(name, letter, CHOICE, choice, (int *)&(where), words, 0, 0, NOTHING, NULL, help)
#define OPT_CALL(name, letter, function, argument, help) \
    OPT_ROW(name, letter, CALL, call, function, argument, 0, 0, NOTHING, NULL, help)
/* Those that name files and folders, and a report as a switch. */
#define OPT_FORM(name, letter, where, help) \
    OPT_ROW(name, letter, FLAG, flag, &(where), NULL, 0, 0, REPORT, NULL, help)
#define OPT_INPUT(name, letter, where, argument, help) \
    OPT_ROW(name, letter, TEXT, text, &(where), argument, 0, 0, INPUT, NULL, help)
#define OPT_INPUTS(name, letter, where, argument, help) \
    OPT_ROW(name, letter, LIST, list, &(where), argument, 0, 0, INPUT, NULL, help)
#define OPT_REPORT(name, letter, where, argument, help) \
    OPT_ROW(name, letter, TEXT, text, &(where), argument, 0, 0, REPORT, NULL, help)
#define OPT_MODEL(name, letter, where, argument, help) \
    OPT_ROW(name, letter, TEXT, text, &(where), argument, 0, 0, MODEL, NULL, help)
#define OPT_RESULT(name, letter, where, argument, result, help) \
    OPT_ROW(name, letter, TEXT, text, &(where), argument, 0, 0, RESULT, result, help)
#define OPT_END {NULL, 0, TOOL_OPTION_FLAG, {NULL}, NULL, NULL, 0, 0, TOOL_NAMES_NOTHING, NULL}
/* clang-format on */

typedef struct tool_command_line {
    const char *name;  /* of the subcommand */
    const char *usage; /* what follows the name in the usage line */
    const char *about; /* lines of at most 79 characters, printed as they are */
    const tool_option *options;
    const char *examples; /* one command a line, without indent */
    size_t min_operands, max_operands;
} tool_command_line;

/* Parses argv[1] … argv[argc - 1]; argv[0] is the subcommand. Options and operands may be mixed,
 * "--" ends options, "-" is an operand. Operands are moved to the front, in their order: afterwards
 * they are argv[0] … argv[argc - 1]. Returns -1: go on. Else the subcommand's exit code: 0 after
 * --help, 2 after a wrong command line (or that of a function of the table), 73 where an output
 * cannot be written (outputs.h), when one sentence stands on stderr. */
int tool_options_parse(const tool_command_line *line, int *argc, char **argv);

/* "PROGRAM COMMAND …" as it was typed, for reports: what tool_options_parse got last. */
const char *tool_command(void);

/* Says "PROGRAM COMMAND: SENTENCE; try: PROGRAM COMMAND --help" on stderr and returns exit code 2:
 * for what a table cannot express, such as two options that exclude each other. */
int tool_options_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
