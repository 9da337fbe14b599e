/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser of option tables, and the --help that is printed from the same rows.
 */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fields.h"
#include "base/text.h"
#include "outputs.h"
#include "report/report_provenance.h"

const char *tool_program_name = "mesocl";

enum { help_width = 79, help_column = 25 };

/* One command line while it is read. */
typedef struct parser {
    const tool_command_line *line;
    int argc;
    char **argv;
    int next;          /* position of the next word */
    size_t n_operands; /* moved to the front so far */
    int help;
} parser;

int tool_options_usage_error(const char *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s %s: ", tool_program_name, command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; try: %s %s --help\n", tool_program_name, command);
    return 2;
}

/* Prints an option's help broken between words; the cursor stands in its column. */
static void print_wrapped(const char *text)
{
    int at = help_column;
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (at + 1 + word > help_width) {
            printf("\n%*s", help_column, "");
            at = help_column;
        } else if (at > help_column) {
            putchar(' ');
            at++;
        }
        printf("%.*s", word, text);
        at += word;
        text += word + (text[word] == ' ');
    }
    putchar('\n');
}

static void print_option(const tool_option *option)
{
    int at = option->letter ? printf("  -%c, ", option->letter) : printf("      ");
    at += printf("--%s", option->name);
    if (option->argument)
        at += printf(" %s", option->argument);
    if (at >= help_column - 1) {
        printf("\n");
        at = 0;
    }
    printf("%*s", help_column - at, "");
    print_wrapped(option->help);
}

static void print_help(const tool_command_line *line)
{
    printf("Usage: %s %s %s\n\n%s\n\nOptions:\n", tool_program_name, line->name, line->usage,
           line->about);
    for (const tool_option *option = line->options; option->name; option++)
        print_option(option);
    printf("  -h, --help%*s\n\nExamples:\n", help_column - 12 + 9, "show this");
    for (const char *row = line->examples; *row; row += strcspn(row, "\n")) {
        row += *row == '\n';
        printf("  %.*s\n", (int)strcspn(row, "\n"), row);
    }
}

/* Stores an option's value; -1, or an exit code after a sentence. */
static int store(const parser *p, const tool_option *option, const char *text)
{
    static const meso_field_kind kinds[] = {[TOOL_OPTION_TEXT] = MESO_FIELD_TEXT,
                                            [TOOL_OPTION_UNSIGNED] = MESO_FIELD_WHOLE,
                                            [TOOL_OPTION_REAL] = MESO_FIELD_REAL,
                                            [TOOL_OPTION_CHOICE] = MESO_FIELD_CHOICE};
    tool_option_list *list = option->value.list;
    meso_error why = {0};
    if (option->kind == TOOL_OPTION_FLAG) {
        *option->value.flag = option->low != 0 ? (int)option->low : 1;
        return -1;
    }
    if (option->kind == TOOL_OPTION_LIST) {
        if (list->n == sizeof list->items / sizeof list->items[0])
            return tool_options_usage_error(p->line->name, "--%s is given more than %zu times",
                                            option->name, list->n);
        list->items[list->n++] = text;
        return -1;
    }
    if (option->kind == TOOL_OPTION_CALL)
        return option->value.call(p->line->name, text);
    const meso_field field = {.key = option->name,
                              .kind = kinds[option->kind],
                              .low = option->low,
                              .high = option->high,
                              .words = option->argument};
    if (meso_field_from_text(&field, text, option->value.flag, &why) != MESO_OK)
        return tool_options_usage_error(p->line->name, "--%s %s", option->name, why.text);
    return -1;
}

/* `attached` is the value that stands in the same word, or NULL: then the next word is taken. */
static int take_option(parser *p, const tool_option *option, const char *attached)
{
    if (option->kind == TOOL_OPTION_FLAG) {
        if (attached)
            return tool_options_usage_error(p->line->name, "--%s takes no value", option->name);
        return store(p, option, NULL);
    }
    if (!attached && p->next == p->argc)
        return tool_options_usage_error(p->line->name, "--%s needs a value (%s)", option->name,
                                        option->argument);
    return store(p, option, attached ? attached : p->argv[p->next++]);
}

static const tool_option *find_long(const parser *p, const char *name, size_t n)
{
    const tool_option *option = p->line->options;
    while (option->name && (strlen(option->name) != n || strncmp(option->name, name, n) != 0))
        option++;
    return option->name ? option : NULL;
}

/* --name, --name=value, --name value */
static int take_long(parser *p, const char *word)
{
    size_t n = strcspn(word, "=");
    if (strcmp(word, "help") == 0) {
        p->help = 1;
        return -1;
    }
    const tool_option *option = find_long(p, word, n);
    if (!option)
        return tool_options_usage_error(p->line->name, "unknown option \"--%s\"",
                                        MESO_PRINTABLE(word));
    return take_option(p, option, word[n] ? word + n + 1 : NULL);
}

/* -w FILE, -wFILE, -0v: flags may share a word, a value ends it. */
static int take_letters(parser *p, const char *letters)
{
    while (*letters) {
        const tool_option *option = p->line->options;
        while (option->name && option->letter != *letters)
            option++;
        if (!option->name && *letters == 'h') {
            p->help = 1;
            letters++;
            continue;
        }
        if (!option->name)
            return tool_options_usage_error(p->line->name, "unknown option \"-%s\"",
                                            MESO_PRINTABLE(letters));
        letters++;
        if (option->kind != TOOL_OPTION_FLAG)
            return take_option(p, option, *letters ? letters : NULL);
        store(p, option, NULL);
    }
    return -1;
}

static int take_words(parser *p)
{
    int options_ended = 0;
    while (p->next < p->argc) {
        char *word = p->argv[p->next++];
        int end = -1;
        if (options_ended || word[0] != '-' || word[1] == '\0')
            p->argv[p->n_operands++] = word; /* never ahead of p->next */
        else if (word[1] != '-')
            end = take_letters(p, word + 1);
        else if (word[2] != '\0')
            end = take_long(p, word + 2);
        else
            options_ended = 1;
        if (end >= 0)
            return end;
    }
    return -1;
}

static meso_text command;

const char *tool_command(void)
{
    return command.bytes;
}

int tool_options_parse(const tool_command_line *line, int *argc, char **argv)
{
    meso_text_free(&command);
    meso_text_format(&command, "%s ", tool_program_name);
    report_command_line(*argc, argv, &command);
    parser p = {line, *argc, argv, 1, 0, 0};
    int end = take_words(&p);
    if (end >= 0)
        return end;
    if (p.help) {
        print_help(line);
        return 0;
    }
    if (p.n_operands < line->min_operands)
        return tool_options_usage_error(
            line->name, "%s", p.n_operands ? "an operand is missing" : "nothing is given");
    if (p.n_operands > line->max_operands)
        return tool_options_usage_error(line->name, "\"%s\" is one operand too many",
                                        MESO_PRINTABLE(argv[line->max_operands]));
    *argc = (int)p.n_operands;
    meso_error error = {0};
    meso_status status = tool_outputs_check(line, argv, p.n_operands, &error);
    if (status == MESO_ERROR_ARGUMENT)
        return tool_options_usage_error(line->name, "%s", error.text);
    if (status != MESO_OK)
        fprintf(stderr, "%s: %s\n", tool_program_name, error.text);
    return status == MESO_OK ? -1 : meso_status_exit_code(status);
}
