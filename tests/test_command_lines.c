/* SPDX-License-Identifier: Apache-2.0
 *
 * What holds for every subcommand of all three programs: help, wrong options, JSON or nothing on
 * stdout, output that cannot be written, and output for machines that does not depend on the
 * user's language or terminal. And that names of files stay names in all that a run of training
 * leaves behind. (Sentences of single commands: test_cli, test_device_bench, test_study …)
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "data/list/csv.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_train.h"

#define MESOCL NULL
#define DATASET DATASET_BENCH_PROGRAM
#define DEVICE DEVICE_BENCH_PROGRAM

/* clang-format off */
static const struct subcommand {
    const char *program, *program_name, *name;
    int has_json;
} subcommands[] = {
    {MESOCL, "mesocl", "devices", 1},
    {MESOCL, "mesocl", "selftest", 1},
    {MESOCL, "mesocl", "convert", 0},
    {MESOCL, "mesocl", "inspect", 1},
    {MESOCL, "mesocl", "init", 0},
    {MESOCL, "mesocl", "models", 1},
    {MESOCL, "mesocl", "predict", 1},
    {MESOCL, "mesocl", "faces", 1},
    {MESOCL, "mesocl", "evaluate", 1},
    {MESOCL, "mesocl", "train", 1},
    {MESOCL, "mesocl", "report", 0},
    {MESOCL, "mesocl", "tune", 0},
    {DATASET, "dataset_bench", "stats", 1},
    {DATASET, "dataset_bench", "check", 1},
    {DATASET, "dataset_bench", "split", 0},
    {DATASET, "dataset_bench", "demo-data", 0},
    {DATASET, "dataset_bench", "run", 0},
    {DATASET, "dataset_bench", "report", 0},
    {DEVICE, "device_bench", "all", 1},
    {DEVICE, "device_bench", "net", 1},
    {DEVICE, "device_bench", "ops", 1},
    {DEVICE, "device_bench", "compare", 1},
    {DEVICE, "device_bench", "ab", 1},
};
/* clang-format on */
enum { n_subcommands = sizeof subcommands / sizeof subcommands[0] };

static harness_result run(const char *program, const char *words)
{
    return harness_run(&(harness_command){.program = program, .words = words});
}

static void each_has_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_subcommands; i++) {
        const struct subcommand *s = &subcommands[i];
        char words[64], usage[64];
        snprintf(usage, sizeof usage, "Usage: %s %s ", s->program_name, s->name);
        snprintf(words, sizeof words, "%s --help", s->name);
        harness_result long_help = run(s->program, words);
        snprintf(words, sizeof words, "help %s", s->name);
        harness_result help = run(s->program, words);
        if (long_help.code != 0 || !strstr(long_help.out, usage) || *long_help.err)
            fail_msg("%s %s --help: %d\n%s", s->program_name, s->name, long_help.code,
                     long_help.err);
        assert_string_equal(long_help.out, help.out);
        assert_int_equal(strstr(long_help.out, "  --json") != NULL, s->has_json);
        harness_forget(&long_help);
        harness_forget(&help);
    }
}

/* The tables of the programs hold no subcommand that is not in the table above. */
static void each_is_known_here(void **state)
{
    static const char *const programs[] = {MESOCL, DATASET, DEVICE};
    size_t n = 0;
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        harness_result overview = run(programs[p], "--help");
        const char *line = strstr(overview.out, "Commands:\n");
        assert_non_null(line);
        for (line = strchr(line, '\n') + 1; *line == ' '; line = strchr(line, '\n') + 1)
            n += line[2] != ' '; /* not one that goes on */
        harness_forget(&overview);
    }
    assert_int_equal(n, n_subcommands);
}

/* An unknown option, a value where none belongs, none where one does: 2, a way to help, and
 * nothing on stdout, with --json neither. */
static void each_refuses_wrong_options(void **state)
{
    static const char *const options[] = {
        "--no-such-option", "-%", "--help=1", "---", "--=", "--\x1b[31m"};
    (void)state;
    for (size_t i = 0; i < n_subcommands; i++)
        for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
            const struct subcommand *s = &subcommands[i];
            char words[64], remedy[64];
            snprintf(words, sizeof words, "%s %s %s", s->name, s->has_json ? "--json" : "",
                     options[o]);
            snprintf(remedy, sizeof remedy, "%s %s --help\n", s->program_name, s->name);
            harness_result r = run(s->program, words);
            if (r.code != 2 || *r.out || !strstr(r.err, remedy) || strchr(r.err, '\x1b') ||
                strncmp(r.err, s->program_name, strlen(s->program_name)) != 0)
                fail_msg("%s %s: %d\n%s%s", s->program_name, words, r.code, r.out, r.err);
            harness_forget(&r);
        }
}

static int is_empty_or_json(const char *text)
{
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    int good = document || !*text;
    json_decref(document);
    return good;
}

/* What fails behind the command line: the code of the README, one sentence, empty stdout. */
static void errors_leave_stdout_empty(void **state)
{
    static const struct {
        const char *program, *words;
        int code;
    } rows[] = {
        {MESOCL, "inspect --json gone.net", 66},
        {MESOCL, "inspect --json bad.net", 65},
        {MESOCL, "predict --json -w gone.safetensors a.ppm", 66},
        {MESOCL, "predict --json -w bad.net a.ppm", 65},
        {MESOCL, "evaluate --json -w gone.safetensors gone", 66},
        {MESOCL, "train --json gone -o run", 66},
        {MESOCL, "train --json data --net bad.net -o run", 65},
        {MESOCL, "train --json data --batch 2 --net tiny.net -o a.ppm/run", 73},
        {MESOCL, "train --json", 2},
        {MESOCL, "train --json data --epochs -1 -o run", 2},
        {MESOCL, "train --json data --lr 0,1 -o run", 2},
        {MESOCL, "train --json data --lr nan -o run", 2},
        {MESOCL, "train --json data --val-split 1.5 -o run", 2},
        {MESOCL, "train --json data --optimizer rmsprop -o run", 2},
        {MESOCL, "train --json --resume gone", 66},
        {MESOCL, "report gone", 66},
        {DATASET, "stats --json gone", 66},
        {DATASET, "stats --json bad.net", 65},
        {DATASET, "check --json gone", 66},
        {DATASET, "check --json --against data", 2},
        {DATASET, "report gone", 66},
        {DEVICE, "compare --json gone.json gone.json", 66},
        {DEVICE, "compare --json bad.net bad.net", 65},
        {DEVICE, "net --json gone.net", 66},
        {DEVICE, "net --json bad.net", 65},
        {DEVICE, "ab --json --a true", 2},
    };
    static const char *const nothing[] = {"OCL_ICD_VENDORS=/nonexistent", NULL};
    (void)state;
    meso_device_close(harness_device());
    harness_put("bad.net", "x = nonsense\n", 0);
    harness_put_picture("a.ppm", 8, 1);
    harness_put_training(2);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_result r = run(rows[i].program, rows[i].words);
        if (r.code != rows[i].code || *r.out || !*r.err)
            fail_msg("%s\nended with %d instead of %d:\n%s%s", rows[i].words, r.code, rows[i].code,
                     r.out, r.err);
        harness_forget(&r);
    }
    for (size_t i = 0; i < n_subcommands; i++) { /* and where there is no device */
        char words[64];
        if (!subcommands[i].has_json || strcmp(subcommands[i].name, "ab") == 0 ||
            strcmp(subcommands[i].name, "models") == 0) /* which needs nothing */
            continue;
        snprintf(words, sizeof words, "%s --json", subcommands[i].name);
        const harness_command command = {
            .program = subcommands[i].program, .words = words, .environment = nothing};
        harness_result r = harness_run(&command);
        if (r.code == 0 || r.code > 125 || !is_empty_or_json(r.out))
            fail_msg("%s %s: %d\n%s%s", subcommands[i].program_name, words, r.code, r.out, r.err);
        harness_forget(&r);
    }
}

/* ---- output ---- */

/* What goes to stdout for machines, made from drawn pictures; no figure of time among it. */
static const struct output {
    const char *program, *words;
    int is_json;
} outputs[] = {
    {MESOCL, "inspect tiny.net", 0},
    {MESOCL, "inspect --json tiny.net", 1},
    {MESOCL, "predict -w w.safetensors --csv data", 0},
    {MESOCL, "evaluate -w w.safetensors --resamples 20 data", 0},
    {DATASET, "stats data --csv --no-cache", 0},
    {DATASET, "check data --csv --no-cache --resamples 20", 0},
};
enum { n_outputs = sizeof outputs / sizeof outputs[0] };

static void put_inputs(void)
{
    meso_device_close(harness_device());
    harness_put_training(6);
    free(harness_train("init tiny.net -o w.safetensors", 0));
}

static void language_and_terminal_change_nothing(void **state)
{
    static const char *const odd[] = {
        "LC_ALL=de_DE.UTF-8", "LANG=de_DE.UTF-8", "LANGUAGE=de", "COLUMNS=20", "LINES=5",
        "TERM=dumb",          "NO_COLOR=1",       NULL};
    (void)state;
    put_inputs();
    for (size_t i = 0; i < n_outputs; i++) {
        const harness_command command = {
            .program = outputs[i].program, .words = outputs[i].words, .environment = odd};
        harness_result plain = run(outputs[i].program, outputs[i].words);
        harness_result other = harness_run(&command);
        if (plain.code != 0)
            fail_msg("%s: %d\n%s", outputs[i].words, plain.code, plain.err);
        assert_true(*plain.out);
        assert_string_equal(plain.out, other.out);
        if (outputs[i].is_json) {
            json_t *document = json_loads(plain.out, JSON_REJECT_DUPLICATES, NULL);
            assert_non_null(document);
            json_decref(document);
        }
        harness_forget(&plain);
        harness_forget(&other);
    }
}

/* Help, and results that were hard to come by: a stdout that takes nothing is an error. */
static void lost_output_is_an_error(void **state)
{
    static const harness_stdout to[] = {HARNESS_CLOSED, HARNESS_FULL, HARNESS_LEFT};
    (void)state;
    put_inputs();
    for (size_t i = 0; i < n_subcommands + n_outputs; i++) {
        char words[256];
        int is_help = i < n_subcommands;
        const char *program = is_help ? subcommands[i].program : outputs[i - n_subcommands].program;
        if (is_help)
            snprintf(words, sizeof words, "%s --help", subcommands[i].name);
        else
            snprintf(words, sizeof words, "%s", outputs[i - n_subcommands].words);
        const harness_command command = {
            .program = program, .words = words, .to = to[is_help ? i % 3 : 1]};
        harness_result r = harness_run(&command);
        if (r.code != 74)
            fail_msg("%s to %d: %d\n%s", words, command.to, r.code, r.err);
        harness_forget(&r);
    }
}

/* ---- manifests ---- */

/* A manifest is taken wherever a folder is, and each command notices a picture that is no longer
 * the one whose hash stands there. */
static void a_manifest_stands_for_a_folder(void **state)
{
#define TRAIN " --net tiny.net --batch 4 --epochs 1 -o out"
    static const struct {
        const char *program, *words;
    } rows[] = {
        {MESOCL, "evaluate -w w.safetensors --resamples 9 parts/test.csv"},
        {MESOCL, "evaluate -w w.safetensors --resamples 9 -m parts/test.csv"},
        {MESOCL, "train parts/test.csv" TRAIN},
        {MESOCL, "train -m parts/test.csv" TRAIN},
        {MESOCL, "train parts/train.csv --val parts/test.csv" TRAIN},
        {DATASET, "stats parts/test.csv"},
        {DATASET, "stats x=parts/test.csv --study --no-cache"},
        {DATASET, "check data --against parts/test.csv --resamples 9"},
        {DATASET, "split parts/test.csv --test-split 0.5 -o out"},
        {DATASET, "run --train a=data --test t=parts/test.csv --keep-leaks --seeds 1" TRAIN},
    };
    static const char *const cache[] = {"XDG_CACHE_HOME=cache", NULL};
    static const char changed[] = "has changed since the manifest was written";
    (void)state;
    put_inputs();
    harness_result split = run(DATASET, "split data --test-split 0.5 --no-cache -o parts");
    assert_int_equal(split.code, 0);
    harness_forget(&split);
    for (int now = 0; now < 2; now++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            const harness_command command = {
                .program = rows[i].program, .words = rows[i].words, .environment = cache};
            harness_result r = harness_run(&command);
            if (r.code != (now ? 65 : 0) || (strstr(r.err, changed) != NULL) != now)
                fail_msg("%s: %d\n%s", rows[i].words, r.code, r.err);
            harness_forget(&r);
            assert_int_equal(system("rm -rf out"), 0);
        }
        /* Another picture takes the place of one in the list, with its name. */
        assert_int_equal(system("f=$(grep -o 'data/fake/[^,]*' parts/test.csv | head -1) && "
                                "sleep 0.01 && cp data/real/000.ppm $f"),
                         0);
    }
}

/* ---- names ---- */

static size_t n_escaped; /* pages with a name that had to be escaped */

static void expect_clean_file(const char *path)
{
    void *bytes = NULL;
    size_t n;
    const char *kind = strrchr(path, '.') ? strrchr(path, '.') : "";
    assert_int_equal(meso_file_read(path, 1 << 26, &bytes, &n, NULL, NULL), MESO_OK);
    /* CSV keeps a name's bytes, so that the file can be found by it; weights and events are not
     * text. */
    if ((strncmp(kind, ".json", 5) == 0 || strcmp(kind, ".html") == 0) && memchr(bytes, '\x1b', n))
        fail_msg("%s holds an ESC", path);
    if (strcmp(kind, ".json") == 0) {
        json_t *document = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL);
        if (!document)
            fail_msg("%s is no JSON", path);
        json_decref(document);
    } else if (strcmp(kind, ".html") == 0) {
        assert_null(strstr(bytes, "<script>alert"));
        n_escaped += strstr(bytes, "&lt;script&gt;alert") != NULL;
    } else if (strcmp(kind, ".csv") == 0) {
        meso_csv csv;
        meso_csv_start(&csv, bytes, n, path);
        do {
            assert_int_equal(meso_csv_next(&csv, NULL), MESO_OK);
            for (size_t i = 0; i < csv.n_fields; i++)
                assert_false(csv.fields[i][0] == '=');
        } while (csv.n_fields > 0);
    }
    free(bytes);
}

/* Pictures whose names are markup, a formula, a terminal's commands, lines, no text at all. */
static void names_stay_names_in_training(void **state)
{
    static const char *const names[] = {"<script>alert(1)<", "=cmd|x",  "\x1b[31mred\nline",
                                        "\xff\xfe",          "a,\"b\"", "-rf"};
    enum { n_names = sizeof names / sizeof names[0] };
    glob_t files = {0};
    (void)state;
    put_inputs();
    for (unsigned i = 0; i < 2 * n_names; i++) {
        char path[128];
        snprintf(path, sizeof path, "data/%s/%s.ppm", i % 2 ? "real" : "fake", names[i / 2]);
        harness_put_stripes(path, i % 2, 100 + i);
        snprintf(path, sizeof path, "data/fake/%s.%u.jpg", names[i / 2], i);
        harness_put(path, "no picture", 0);
    }
    free(harness_train(HARNESS_TRAIN "--epochs 1 --json -o =<script>alert(2)<", 0));
    harness_result trained = run(MESOCL, HARNESS_TRAIN "--epochs 1 -o run");
    assert_int_equal(trained.code, 0);
    assert_null(strchr(trained.out, '\x1b'));
    assert_null(strchr(trained.err, '\x1b'));
    harness_forget(&trained);
    free(harness_train("report run", 0));
    free(harness_train("report =<script>alert(2)<", 0));
    assert_int_equal(glob("run/*", 0, NULL, &files), 0);
    assert_int_equal(glob("=*/*", GLOB_APPEND, NULL, &files), 0);
    assert_true(files.gl_pathc >= 10);
    for (size_t i = 0; i < files.gl_pathc; i++)
        expect_clean_file(files.gl_pathv[i]);
    globfree(&files);
    assert_true(n_escaped > 0);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_help),
        cmocka_unit_test(each_is_known_here),
        cmocka_unit_test(each_refuses_wrong_options),
        IN_FOLDER(errors_leave_stdout_empty),
        IN_FOLDER(language_and_terminal_change_nothing),
        IN_FOLDER(lost_output_is_an_error),
        IN_FOLDER(a_manifest_stands_for_a_folder),
        IN_FOLDER(names_stay_names_in_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
