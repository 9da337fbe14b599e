/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of all commands of all programs, read from their --help: one name has one meaning,
 * one letter has one name. What differs for a reason stands in `allowed` below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_run.h"

static const struct allowed {
    const char *name, *reason;
} allowed[] = {
    {"batch", "device_bench net takes several sizes, other commands one"},
    {"csv", "evaluate and faces print for people, so their table needs a FILE"},
    {"group", "a study has several sets: NAME=PATTERN"},
    {"output", "some commands write a FILE, others a FOLDER"},
    {"no-fuse", "a short form of --path plain"},
};

/* One option of one command, as its --help shows it. */
typedef struct shown {
    char command[48], letter, name[32], argument[80], meaning[160];
} shown;

enum { most_rows = 640 };
static shown rows[most_rows];
static size_t n_rows;

static int is_allowed(const char *name)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (strcmp(allowed[i].name, name) == 0)
            return 1;
    return 0;
}

/* The first two words of the help: what the option means, without its details. */
static void take_meaning(const char *help, char meaning[160])
{
    char first[64] = "", second[64] = "";
    sscanf(help, " %63s %63s", first, second);
    snprintf(meaning, 160, "%s %s", first, second);
    meaning[strcspn(meaning, ";:,")] = '\0';
}

/* "  -x, --name ARGUMENT  help", where the help may begin on the next line. */
static const char *take_option(const char *command, const char *line)
{
    enum { help_column = 25 };
    shown *row = &rows[n_rows];
    const char *end = line + strcspn(line, "\n");
    const char *name = strstr(line, "--") + 2;
    size_t n = strcspn(name, " \n");
    assert_true(n_rows < most_rows && n < sizeof row->name);
    snprintf(row->command, sizeof row->command, "%s", command);
    row->letter = line[2] == '-' ? line[3] : '\0';
    snprintf(row->name, sizeof row->name, "%.*s", (int)n, name);
    if (name[n] == ' ' && name[n + 1] != ' ' && name + n + 1 - line < help_column)
        snprintf(row->argument, sizeof row->argument, "%.*s", (int)strcspn(name + n + 1, " \n"),
                 name + n + 1);
    int has_help = end - line > help_column && line[help_column - 1] == ' ' &&
                   line + help_column > name + n + strlen(row->argument);
    take_meaning(has_help ? line + help_column : end, row->meaning);
    n_rows += strcmp(row->name, "help") != 0;
    return end;
}

static void take_command(const char *program, const char *program_name, const char *name)
{
    char words[64], command[48];
    snprintf(words, sizeof words, "%s --help", name);
    snprintf(command, sizeof command, "%s %s", program_name, name);
    harness_result help = harness_run(&(harness_command){.program = program, .words = words});
    const char *line = strstr(help.out, "\nOptions:\n");
    assert_non_null(line);
    for (line += 10; line[0] == ' '; line += strcspn(line, "\n") + 1)
        if (strncmp(line, "      --", 8) == 0 || (line[2] == '-' && line[4] == ','))
            take_option(command, line);
    harness_forget(&help);
}

static int read_all(void **state)
{
    static const char *const programs[][2] = {{NULL, "mesocl"},
                                              {DATASET_BENCH_PROGRAM, "dataset_bench"},
                                              {DEVICE_BENCH_PROGRAM, "device_bench"}};
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        harness_result overview =
            harness_run(&(harness_command){.program = programs[p][0], .words = "--help"});
        const char *line = strstr(overview.out, "Commands:\n") + 10;
        for (; line[0] == ' '; line += strcspn(line, "\n") + 1) {
            char name[32];
            if (line[2] != ' ' && sscanf(line, "%31s", name) == 1)
                take_command(programs[p][0], programs[p][1], name);
        }
        harness_forget(&overview);
    }
    return 0;
}

static void one_name_has_one_meaning(void **state)
{
    (void)state;
    assert_true(n_rows > 200); /* as many options as there are at least */
    for (size_t i = 0; i < n_rows; i++)
        for (size_t k = 0; k < i; k++) {
            const shown *a = &rows[k], *b = &rows[i];
            if (strcmp(a->name, b->name) != 0)
                continue;
            if (a->letter != b->letter)
                fail_msg("--%s is -%c in %s and -%c in %s", a->name, a->letter, a->command,
                         b->letter, b->command);
            if (!is_allowed(a->name) &&
                (strcmp(a->argument, b->argument) != 0 || strcmp(a->meaning, b->meaning) != 0))
                fail_msg("--%s: \"%s %s\" in %s, \"%s %s\" in %s", a->name, a->argument, a->meaning,
                         a->command, b->argument, b->meaning, b->command);
        }
}

static void one_letter_has_one_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_rows; i++)
        for (size_t k = 0; k < i; k++)
            if (rows[i].letter && rows[i].letter == rows[k].letter &&
                strcmp(rows[i].name, rows[k].name) != 0)
                fail_msg("-%c is --%s in %s and --%s in %s", rows[i].letter, rows[k].name,
                         rows[k].command, rows[i].name, rows[i].command);
}

/* No second name: no help that is the name of another option. */
static void one_thing_has_one_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_rows; i++)
        if (!is_allowed(rows[i].name) && strncmp(rows[i].meaning, "--", 2) == 0)
            fail_msg("--%s of %s is %s", rows[i].name, rows[i].command, rows[i].meaning);
}

/* What is allowed is needed: a row whose reason has gone is taken out. */
static void every_exception_is_needed(void **state)
{
    (void)state;
    for (size_t e = 0; e < sizeof allowed / sizeof allowed[0]; e++) {
        const shown *first = NULL;
        int needed = 0;
        for (size_t i = 0; i < n_rows; i++) {
            if (strcmp(rows[i].name, allowed[e].name) != 0)
                continue;
            first = first ? first : &rows[i];
            needed |= strcmp(first->argument, rows[i].argument) != 0 ||
                      strcmp(first->meaning, rows[i].meaning) != 0 ||
                      strncmp(rows[i].meaning, "--", 2) == 0;
        }
        if (!needed)
            fail_msg("--%s needs no exception (%s)", allowed[e].name, allowed[e].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_name_has_one_meaning),
        cmocka_unit_test(one_letter_has_one_name),
        cmocka_unit_test(one_thing_has_one_name),
        cmocka_unit_test(every_exception_is_needed),
    };
    return cmocka_run_group_tests(tests, read_all, NULL);
}
