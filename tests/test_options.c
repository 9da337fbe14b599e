/* SPDX-License-Identifier: Apache-2.0
 *
 * The table-driven command line parser of tools/common/options.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "options.h"

typedef struct values {
    int flag, zero, choice;
    const char *text;
    uint64_t number, any;
    double real;
    char **operands;
    int n_operands;
} values;

/* Runs the parser on a blank-separated line; stdout and stderr go to /dev/null. */
static int parse(const char *words, values *v)
{
    static char copy[256];
    static char *argv[32];
    const tool_option options[] = {OPT_FLAG("flag", 'f', v->flag, "a flag"),
                                   OPT_FLAG("null", '0', v->zero, "another flag"),
                                   OPT_TEXT("text", 't', v->text, "FILE", "a text"),
                                   OPT_COUNT("number", 'n', v->number, "N", 1, 9, "1 to 9"),
                                   OPT_COUNT("any", 0, v->any, "N", 0, 0, "any"),
                                   OPT_REAL("real", 'r', v->real, "R", 0, 1, "0 to 1"),
                                   OPT_CHOICE("choice", 'c', v->choice, "one|two|three", "pick"),
                                   OPT_END};
    const tool_command_line line = {"try", "[options] FILE...", "About.", options, "mesocl try", 1,
                                    4};
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;

    fflush(NULL);
    int out = dup(1), err = dup(2);
    assert_non_null(freopen("/dev/null", "w", stdout));
    assert_non_null(freopen("/dev/null", "w", stderr));
    int end = tool_options_parse(&line, &argc, argv);
    v->operands = argv;
    v->n_operands = argc;
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    return end;
}

static void stores_every_kind(void **state)
{
    values v = {0};
    (void)state;
    assert_int_equal(
        parse("try a -f --text=x=y -n5 b --real 1e-3 --any 18446744073709551615 -c two -", &v), -1);
    assert_int_equal(v.flag, 1);
    assert_string_equal(v.text, "x=y");
    assert_int_equal(v.number, 5);
    assert_true(v.any == UINT64_MAX);
    assert_true(v.real == 1e-3);
    assert_int_equal(v.choice, 1);
    assert_int_equal(v.n_operands, 3);
    assert_string_equal(v.operands[0], "a");
    assert_string_equal(v.operands[1], "b");
    assert_string_equal(v.operands[2], "-");
}

static void letters_share_a_word(void **state)
{
    values v = {0};
    (void)state;
    assert_int_equal(parse("try -0ftname x", &v), -1);
    assert_int_equal(v.flag, 1);
    assert_int_equal(v.zero, 1);
    assert_string_equal(v.text, "name");
}

static void two_dashes_end_options(void **state)
{
    values v = {0};
    (void)state;
    assert_int_equal(parse("try -- -f --text --", &v), -1);
    assert_int_equal(v.flag, 0);
    assert_int_equal(v.n_operands, 3);
    assert_string_equal(v.operands[0], "-f");
    assert_string_equal(v.operands[2], "--");
}

static void help_ends_with_0(void **state)
{
    values v = {0};
    (void)state;
    assert_int_equal(parse("try --help", &v), 0);
    assert_int_equal(parse("try -fh", &v), 0);
}

static void refuses(void **state)
{
    static const char *const lines[] = {"try",
                                        "try a b c d e",
                                        "try a --unknown",
                                        "try a -x",
                                        "try a -fx",
                                        "try a --text",
                                        "try a -t",
                                        "try a --flag=1",
                                        "try a -n 0",
                                        "try a -n 10",
                                        "try a -n -1",
                                        "try a -n +1",
                                        "try a -n 1.0",
                                        "try a -n 0x1",
                                        "try a -n 1k",
                                        "try a --number=",
                                        "try a --any 18446744073709551616",
                                        "try a --real=",
                                        "try a --real nan",
                                        "try a --real inf",
                                        "try a --real 0x1p0",
                                        "try a --real 0,5",
                                        "try a --real 1.1",
                                        "try a --real -0.1",
                                        "try a --real 1e",
                                        "try a --real 1e999",
                                        "try a --choice four",
                                        "try a --choice one|two",
                                        "try a --choice=",
                                        "try a --tex=1",
                                        "try a --textual 1"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        values v = {0};
        int end = parse(lines[i], &v);
        if (end != 2)
            fail_msg("\"%s\" ended with %d instead of 2", lines[i], end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_every_kind), cmocka_unit_test(letters_share_a_word),
        cmocka_unit_test(two_dashes_end_options), cmocka_unit_test(help_ends_with_0),
        cmocka_unit_test(refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
