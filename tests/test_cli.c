/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl as a program, as far as no device is needed: command lines, exit codes, output that cannot
 * be written, machines without OpenCL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness_run.h"

typedef struct row {
    const char *words;
    int code;
    const char *part; /* of stdout where code is 0, else of stderr */
} row;

/* Exactly the code; the sentence where it belongs, and the other stream empty. */
static void check_rows(const row *rows, size_t n, const char *const *environment)
{
    for (size_t i = 0; i < n; i++) {
        const harness_command command = {.words = rows[i].words, .environment = environment};
        harness_result result = harness_run(&command);
        const char *said = rows[i].code ? result.err : result.out;
        const char *other = rows[i].code ? result.out : result.err;
        if (result.code != rows[i].code || !strstr(said, rows[i].part) || *other)
            fail_msg("mesocl %s\nended with %d instead of %d, or does not say \"%s\":\n%s%s",
                     rows[i].words, result.code, rows[i].code, rows[i].part, result.out,
                     result.err);
        harness_forget(&result);
    }
}
#define CHECK_ROWS(rows, environment) check_rows(rows, sizeof(rows) / sizeof *(rows), environment)

static void shows_help(void **state)
{
    static const row rows[] = {
        {"--help", 0, "Commands:"},
        {"-h", 0, "Exit codes:"},
        {"help", 0, "predict"},
        {"help predict", 0, "Usage: mesocl predict"},
        {"predict --help", 0, "Examples:\n  mesocl predict"},
        {"predict -h", 0, "--threshold P"},
        {"predict --help --csv file", 0, "Options:"},
        {"devices --help", 0, "Usage: mesocl devices"},
        {"selftest --help", 0, "Usage: mesocl selftest"},
        {"inspect --help", 0, "Usage: mesocl inspect"},
        {"convert --help", 0, "Usage: mesocl convert"},
        {"init --help", 0, "Usage: mesocl init"},
        {"--version", 0, "decoders: libjpeg"},
        {"--version --json", 0, "\"commit\""},
    };
    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void refuses_wrong_command_lines(void **state)
{
    static const row rows[] = {
        {"", 2, "Usage: mesocl COMMAND"},
        {"nonsense", 2, "no command \"nonsense\"; try: mesocl --help"},
        {"help nonsense", 2, "no command \"nonsense\""},
        {"--version --xml", 2, "--json"},
        {"predict", 2, "try: mesocl predict --help"},
        {"predict no_such_file", 66, "no_such_file"},
        {"predict -w", 2, "--weights needs a value (FILE)"},
        {"predict -w w", 2, "nothing is given"},
        {"predict --no-such file", 2, "unknown option \"--no-such\"; try: mesocl predict --help"},
        {"predict -w w -x file", 2, "unknown option \"-x\""},
        {"predict -w w --json=1 file", 2, "--json takes no value"},
        {"predict -w w --batch 0 file", 2, "--batch takes a whole number from 1 to 4096"},
        {"predict -w w --batch -1 file", 2, "not \"-1\""},
        {"predict -w w --batch 8x file", 2, "not \"8x\""},
        {"predict -w w --batch= file", 2, "--batch"},
        {"predict -w w --threads 1e3 file", 2, "--threads"},
        {"predict -w w --threads 99999999999999999999 file", 2, "--threads"},
        {"predict -w w --max-pixels 0x10 file", 2, "--max-pixels"},
        {"predict -w w --threshold 1.5 file", 2, "--threshold takes a number from 0 to 1"},
        {"predict -w w --threshold 0,5 file", 2, "not \"0,5\""},
        {"predict -w w --threshold nan file", 2, "--threshold"},
        {"predict -w w --json --csv file", 2, "exclude each other"},
        {"predict -w w --csv --jsonl file", 2, "exclude each other"},
        {"devices --nonsense", 2, "try: mesocl devices --help"},
        {"selftest --nonsense", 2, "try: mesocl selftest --help"},
        {"inspect", 2, "try: mesocl inspect --help"},
        {"convert", 2, "try: mesocl convert --help"},
        {"init meso4", 2, "try: mesocl init --help"},
    };
    (void)state;
    CHECK_ROWS(rows, NULL);
}

static void refuses_where_nothing_is_to_read(void **state)
{
    static const row rows[] = {
        {"predict -w w.safetensors empty", 66, "no images in empty"},
        {"predict -w w.safetensors empty text", 66, "no images in empty"},
        {"predict -w w.safetensors -", 66, "no files are given"},
        {"predict -w w.safetensors -0 -", 66, "no files are given"},
        {"inspect gone.net", 66, "gone.net"},
        {"convert gone.h5 -o x.safetensors", 66, "gone.h5"},
        {"init gone.net -o x.safetensors", 66, "gone.net"},
    };
    (void)state;
    mkdir("empty", 0777);
    harness_put("text/readme.txt", "no picture", 0);
    CHECK_ROWS(rows, NULL);
}

/* The sentences say what to install or what there is. */
static void says_where_no_device_is(void **state)
{
    static const char *const folders[] = {"OCL_ICD_VENDORS=/nonexistent",
                                          "OCL_ICD_VENDORS=no-vendors"};
    static const row rows[] = {
        {"predict -w w.safetensors a.ppm", 69, "install"},
        {"predict -w w.safetensors --json a.ppm", 69, "install"},
        {"predict -w w.safetensors --device gpu a.ppm", 69, "install"},
        {"devices", 69, "install"},
        {"selftest", 69, "install"},
    };
    (void)state;
    mkdir("no-vendors", 0777);
    harness_put_picture("a.ppm", 4, 0);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        const char *const environment[] = {folders[i], NULL};
        CHECK_ROWS(rows, environment);
    }
}

/* A list of lines with NUL bytes in it was made for -0. */
static void notices_a_list_with_nul(void **state)
{
    const harness_command command = {
        .words = "predict -w w -", .input = "a.ppm\0b.ppm", .n_input = 12};
    (void)state;
    harness_result result = harness_run(&command);
    assert_int_equal(result.code, 65);
    assert_non_null(strstr(result.err, "give -0"));
    harness_forget(&result);
}

static void output_that_cannot_be_written(void **state)
{
    static const struct {
        harness_stdout to;
        const char *sentence;
    } rows[] = {
        {HARNESS_CLOSED, "mesocl: cannot write to standard output: Bad file descriptor\n"},
        {HARNESS_FULL, "mesocl: cannot write to standard output: No space left on device\n"},
        {HARNESS_LEFT, ""}}; /* whoever reads has seen enough: no news */
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const harness_command command = {.words = "predict --help", .to = rows[i].to};
        harness_result result = harness_run(&command);
        assert_int_equal(result.code, 74);
        assert_string_equal(result.err, rows[i].sentence);
        harness_forget(&result);
    }
}

static void version_is_json(void **state)
{
    const harness_command command = {.words = "--version --json"};
    const char *version, *commit, *decoders, *clips, *compiler;
    (void)state;
    harness_result result = harness_run(&command);
    json_t *document = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_unpack(document, "{ssssssssss!}", "version", &version, "commit", &commit,
                                 "decoders", &decoders, "clips", &clips, "compiler", &compiler),
                     0);
    assert_true(strlen(version) >= 5 && *commit && *compiler);
    assert_non_null(strstr(decoders, "libpng"));
    assert_true(strcmp(clips, "none") == 0 || strstr(clips, "libavcodec"));
    json_decref(document);
    harness_forget(&result);
}

/* Bytes of an argument that could drive a terminal come out escaped. */
static void messages_are_printable(void **state)
{
    static const char *const hostile[] = {"predict", "-w", "w", "--\x1b[31m\nred", "f", NULL};
    static const char *const command_name[] = {"\x1b]0;title\x07", NULL};
    const char *const *const rows[] = {hostile, command_name};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const harness_command command = {.argv = rows[i]};
        harness_result result = harness_run(&command);
        assert_int_equal(result.code, 2);
        assert_null(strchr(result.err, '\x1b'));
        assert_non_null(strstr(result.err, "\\x1B"));
        assert_ptr_equal(strchr(result.err, '\n'), result.err + strlen(result.err) - 1);
        harness_forget(&result);
    }
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(shows_help),
        IN_FOLDER(refuses_wrong_command_lines),
        IN_FOLDER(refuses_where_nothing_is_to_read),
        IN_FOLDER(says_where_no_device_is),
        IN_FOLDER(notices_a_list_with_nul),
        IN_FOLDER(output_that_cannot_be_written),
        IN_FOLDER(version_is_json),
        IN_FOLDER(messages_are_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
