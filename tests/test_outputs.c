/* SPDX-License-Identifier: Apache-2.0
 *
 * Where every command writes and over what, by one table: outputs that cannot be written are told
 * before any work, inputs are kept, models and folders of results are replaced only by --force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_train.h"

#define MESOCL NULL
#define DATASET DATASET_BENCH_PROGRAM
#define DEVICE DEVICE_BENCH_PROGRAM
#define STUDY(set)                                                                          \
    "run --train a=" set " --test t=control --net tiny.net --seeds 1 --epochs 1 --batch 4 " \
    "--resamples 10 --jobs 1"
#define QUICK " --processes 1 --seconds 0.001"

enum kind { REPORT, MODEL, RESULT };

/* clang-format off */
static const struct writer {
    const char *program, *words;
    const char *option;    /* of the output; "": an operand */
    enum kind kind;
    const char *inputs[4]; /* files that it reads */
    const char *fails;     /* the same words with an input that is not there */
} writers[] = {
    {MESOCL, "init tiny.net", "--output", MODEL, {"tiny.net"}, NULL},
    {MESOCL, "convert w.h5", "--output", MODEL, {"w.h5"}, NULL},
    {MESOCL, "evaluate -w w.safetensors -m m.csv --resamples 9", "--csv", REPORT,
     {"w.safetensors", "m.csv", "data/fake/000.ppm"}, NULL},
    {MESOCL, "evaluate -w w.safetensors data --resamples 9", "--roc", REPORT,
     {"w.safetensors", "data/real/001.ppm"}, NULL},
    {MESOCL, "faces data/fake/000.ppm", "--csv", REPORT, {"data/fake/000.ppm"}, NULL},
    {MESOCL, "report run", "--output", REPORT, {"run/config.json", "run/best.safetensors"}, NULL},
    {MESOCL, "train data --net tiny.net --batch 4 --epochs 1", "--output", RESULT, {"tiny.net"},
     "train gone --net tiny.net --batch 4 --epochs 1"},
    {DATASET, "stats m.csv --study --no-cache", "--html", REPORT,
     {"m.csv", "data/fake/000.ppm"}, NULL},
    {DATASET, "stats set=m.csv --study --no-cache", "--images", REPORT, {"m.csv"}, NULL},
    {DATASET, "check data --against m.csv --no-cache --resamples 9", "--html", REPORT,
     {"m.csv", "data/real/001.ppm"}, NULL},
    {DATASET, "split m.csv --no-cache --test-split 0.5 --links", "--output", RESULT, {"m.csv"},
     "split gone --no-cache"},
    {DATASET, "demo-data --count 10 --side 32", "", RESULT, {NULL}, NULL},
    {DATASET, STUDY("data"), "--output", RESULT, {NULL}, STUDY("gone")},
    {DEVICE, "net tiny.net --batch 1" QUICK, "--html", REPORT, {"tiny.net"}, NULL},
    {DEVICE, "ops tiny.net" QUICK, "--html", REPORT, {"tiny.net"}, NULL},
    {DEVICE, "all" QUICK, "--html", REPORT, {NULL}, NULL},
};
/* clang-format on */
enum { n_writers = sizeof writers / sizeof writers[0] };

/* The command with its output, and more. */
static harness_result write_to(const struct writer *w, const char *path, const char *more)
{
    char words[512];
    snprintf(words, sizeof words, "%s %s %s %s", w->words, w->option, path, more);
    return harness_run(&(harness_command){.program = w->program, .words = words});
}

/* It must end with the code; where it is one of refusal, after one line and nothing else. */
static void expect(const struct writer *w, const char *path, const char *more, int code)
{
    harness_result r = write_to(w, path, more);
    const char *line = strchr(r.err, '\n');
    if (r.code != code || (code != 0 && (*r.out || !line || line[1])))
        fail_msg("%s %s %s %s\nended with %d instead of %d, or said more than why:\n%s%s", w->words,
                 w->option, path, more, r.code, code, r.out, r.err);
    harness_forget(&r);
}

/* Every file below a path, with its checksum; to free(). */
static char *sum_of(const char *path)
{
    char command[256], *text = calloc(1, 1 << 16);
    snprintf(command, sizeof command, "find %s -type f -exec cksum {} + -o -type l | sort", path);
    FILE *pipe = popen(command, "r");
    assert_true(text && pipe);
    assert_true(fread(text, 1, (1 << 16) - 1, pipe) > 0);
    assert_int_equal(pclose(pipe), 0);
    return text;
}

static void expect_sum(const char *path, char *before, const char *what)
{
    char *after = sum_of(path);
    if (strcmp(before, after) != 0)
        fail_msg("%s changed %s from\n%sto\n%s", what, path, before, after);
    free(before);
    free(after);
}

/* The table holds every option that names an output. */
static void every_writer_is_here(void **state)
{
    static const char *const programs[] = {MESOCL, DATASET, DEVICE};
    static const char *const shown[] = {"--output F", "--csv F", "--roc F", "--images F",
                                        "--html F"};
    size_t n = 1; /* demo-data */
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        harness_result overview =
            harness_run(&(harness_command){.program = programs[p], .words = "--help"});
        const char *line = strstr(overview.out, "Commands:\n") + 10;
        for (; *line == ' '; line = strchr(line, '\n') + 1) {
            char words[64] = "help ";
            if (line[2] == ' ' || sscanf(line, "%40s", words + 5) != 1)
                continue;
            harness_result help =
                harness_run(&(harness_command){.program = programs[p], .words = words});
            for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
                n += strstr(strstr(help.out, "Options:"), shown[i]) != NULL;
            harness_forget(&help);
        }
        harness_forget(&overview);
    }
    assert_int_equal(n, n_writers);
}

static void what_cannot_be_written_is_told_first(void **state)
{
    (void)state;
    mkdir("folder.safetensors", 0777);
    for (const struct writer *w = writers; w < writers + n_writers; w++) {
        expect(w, "gone/out.safetensors", "", 73);
        expect(w, "w.h5/out.safetensors", "", 73);
        expect(w, w->kind == RESULT ? "w.h5" : "folder.safetensors", "", 73);
    }
}

static void inputs_are_kept(void **state)
{
    (void)state;
    for (const struct writer *w = writers; w < writers + n_writers; w++)
        for (size_t i = 0; w->inputs[i]; i++) {
            const char *input = w->inputs[i], *force = w->kind == REPORT ? "" : "--force";
            char path[128], *before = sum_of(input);
            snprintf(path, sizeof path, "./%s", input);
            expect(w, path, force, 73);
            assert_int_equal(symlink(input, "symbolic"), 0);
            assert_int_equal(link(input, "hard"), 0);
            if (w->kind != RESULT)
                expect(w, "hard", force, 73);
            expect(w, "symbolic", force, 73);
            assert_int_equal(unlink("symbolic") + unlink("hard"), 0);
            expect_sum(input, before, w->words);
        }
}

/* And what is kept for later, which no option names. */
static void what_is_kept_is_told_first(void **state)
{
    static const char *const nowhere[] = {"XDG_CONFIG_HOME=/dev/null", NULL};
    static const struct {
        const char *program, *words, *said;
    } rows[] = {{MESOCL, "tune --net tiny.net --device cpu", "Not a directory"},
                {DEVICE, "all --pick" QUICK, "Not a directory"},
                {DATASET, "stats data --cache /dev/null", "Not a directory"},
                {DATASET, "check data --cache cache", "a folder is called so"}};
    (void)state;
    assert_int_equal(system(DATASET_BENCH_PROGRAM " stats data --cache cache >log 2>&1 && for f in "
                                                  "cache/*; do rm $f && mkdir $f; done"),
                     0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_result r = harness_run(&(harness_command){
            .program = rows[i].program, .words = rows[i].words, .environment = nowhere});
        if (r.code != 73 || *r.out || strchr(r.err, '\n')[1] || !strstr(r.err, rows[i].said))
            fail_msg("%s: %d\n%s%s", rows[i].words, r.code, r.out, r.err);
        harness_forget(&r);
    }
}

/* Nor an output by another one, nor an input that is in a folder to be replaced. */
static void one_file_is_one_output(void **state)
{
    static const harness_row mesocl[] = {
        {"evaluate -w w.safetensors data --csv x --roc ./x", 73, "--roc ./x is the same file as x"},
        {"evaluate -w w.safetensors data --json --csv -", 2, "exclude each other"},
        {"train data --net tiny.net --batch 4 --init run/best.safetensors --force -o run", 73,
         "--output run holds the input run/best.safetensors"},
        {"evaluate -w w.safetensors data --limit 1 --csv data/real/005.ppm", 73,
         "is a picture of the input data"},
        {"init tiny.net -o -", 2, "--output does not go to standard output"},
        {"train data -o -", 2, "--output does not go to standard output"},
    };
    static const harness_row dataset[] = {
        {"stats data --html x --images x", 73, "same file"},
        {"stats data --html - --csv", 2, "exclude each other"},
        {"split data -o -", 2, "--output does not go to standard output"},
        {"demo-data -", 73, "standard output is no folder"},
    };
    (void)state;
    harness_run_rows(MESOCL, mesocl, sizeof mesocl / sizeof mesocl[0]);
    harness_run_rows(DATASET, dataset, sizeof dataset / sizeof dataset[0]);
}

/* What is for people goes to stderr then. */
static void a_report_goes_to_stdout(void **state)
{
    static const struct {
        const char *words, *out, *err;
    } rows[] = {
        {"evaluate -w w.safetensors data --resamples 9 --csv -", "file,label,", "accuracy"},
        {"evaluate -w w.safetensors data --resamples 9 --roc -", "<svg", "accuracy"},
        {"report run -o -", "<!DOCTYPE html>", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        harness_result r = harness_run(&(harness_command){.words = rows[i].words});
        if (r.code != 0 || strncasecmp(r.out, rows[i].out, strlen(rows[i].out)) != 0 ||
            !strstr(r.err, rows[i].err) || strstr(r.out, "provenance\n"))
            fail_msg("%s: %d\n%s%s", rows[i].words, r.code, r.out, r.err);
        harness_forget(&r);
    }
    assert_true(access("-", F_OK) != 0);
}

static void a_model_is_replaced_by_force_alone(void **state)
{
    (void)state;
    for (const struct writer *w = writers; w < writers + n_writers; w++) {
        if (w->kind != MODEL)
            continue;
        harness_put("empty.safetensors", " ", 1);
        assert_int_equal(truncate("empty.safetensors", 0), 0);
        harness_put("photo.safetensors", "no model at all", 0);
        char *photo = sum_of("photo.safetensors");
        expect(w, "model.safetensors", "", 0);
        char *model = sum_of("model.safetensors");
        expect(w, "model.safetensors", "", 73);
        expect_sum("model.safetensors", model, w->words);
        expect(w, "model.safetensors", "--force", 0);
        expect(w, "empty.safetensors", "", 0);
        expect(w, "photo.safetensors", "--force", 73);
        expect_sum("photo.safetensors", photo, w->words);
        assert_int_equal(unlink("model.safetensors"), 0);
    }
}

/* Whole or not at all: a stranger's file stays, and so does the old result where the work fails. */
static void a_result_is_replaced_by_force_alone(void **state)
{
    (void)state;
    for (const struct writer *w = writers; w < writers + n_writers; w++) {
        if (w->kind != RESULT)
            continue;
        harness_put("out/mine.txt", "mine", 0);
        expect(w, "out", "", 73);
        expect(w, "out", "--force", 73);
        assert_int_equal(unlink("out/mine.txt"), 0);
        expect(w, "out", "", 0); /* an empty folder is as good as none */
        char *before = sum_of("out");
        expect(w, "out", "", 73);
        if (w->fails) {
            struct writer failing = *w;
            failing.words = w->fails;
            harness_result r = write_to(&failing, "out", "--force");
            if (r.code != 65 && r.code != 66)
                fail_msg("%s: %d\n%s", w->fails, r.code, r.err);
            harness_forget(&r);
        }
        expect_sum("out", before, w->words);
        expect(w, "out/", "--force", 0);
        harness_put("out/sub/mine.txt", "mine", 0);
        before = sum_of("out");
        expect(w, "out", "--force", 73);
        expect_sum("out", before, w->words);
        assert_int_equal(system("rm -r out && test -z \"$(ls | grep out)\""), 0);
    }
}

/* A second split does not mix with the first: nothing is in both parts. */
static void splits_do_not_mix(void **state)
{
    (void)state;
    const struct writer split = {DATASET,    "split data --no-cache --test-split 0.5 --links",
                                 "--output", RESULT,
                                 {NULL},     NULL};
    expect(&split, "parts", "--seed 0", 0);
    expect(&split, "parts", "--seed 5", 73);
    expect(&split, "parts", "--seed 5 --force", 0);
    assert_int_equal(system("for i in parts/*/*/*; do readlink -f $i; done | sort | uniq -d | "
                            "grep . && exit 1; test $(ls parts/*/*/* | wc -l) = 12"),
                     0);
}

/* Links in a class folder would be pictures of it; beside the two they are passed over. */
static void links_are_no_pictures_of_the_input(void **state)
{
    (void)state;
    for (const struct writer *w = writers; w < writers + n_writers; w++)
        if (strstr(w->words, "split"))
            expect(w, "data/fake/parts", "", 0); /* a manifest has no class folders */
    assert_int_equal(system("rm -r data/fake/parts"), 0);
    const struct writer split = {
        DATASET, "split data --no-cache --test-split 0.5", "--output", RESULT, {NULL}, NULL};
    expect(&split, "data/fake/parts", "--links", 73);
    expect(&split, "data/real/deeper/parts", "--links", 73);
    assert_true(access("data/fake/parts", F_OK) != 0);
    expect(&split, "data/parts", "--links", 0);
    expect(&split, "data/fake/parts", "", 0);
    assert_int_equal(system("rm -r data/parts data/fake/parts"), 0);
}

/* As processes leave them that are killed while they replace a folder, at each time. */
static void what_was_replaced_is_not_lost(void **state)
{
    static const struct writer split = {
        DATASET, "split data --no-cache --test-split 0.5", "--output", RESULT, {NULL}, NULL};
    static const struct {
        const char *left, *asked; /* commands of a shell, words */
        const char *program, *said, *after;
    } rows[] = {
        {"mv cut cut.mesocl_old.77", "split data --no-cache -o cut", DATASET, "is back",
         "test ! -e cut.unfinished.77"},
        {"mv cut cut.mesocl_old.77; mkdir cut", "stats a=cut/train.csv b=cut --no-cache", DATASET,
         "is back", "test ! -e cut.unfinished.77"},
        {"mv cut cut.mesocl_old.77; mkdir cut; echo >cut/train.csv",
         "split data --no-cache -o ./cut/ --force", DATASET, "cut.unfinished.77",
         "rm cut.unfinished.77/train.csv && rmdir cut.unfinished.77"},
        {"cp -r cut cut.mesocl_gone.77", "split data --no-cache -o cut", DATASET, "already",
         "true"},
        {"mv run run.mesocl_old.77; mkdir run; echo >run/lock", "report run -o r.html", MESOCL,
         "is in", "rm -r run.unfinished.77"},
        {"cp -r cut cut.mesocl_old.mine; cp -r cut cut.mesocl_gone.",
         "split data --no-cache -o cut", DATASET, "already", "rm -r cut.mesocl_*"},
    };
    (void)state;
    expect(&split, "cut", "", 0);
    char *run = sum_of("run"), *cut = sum_of("cut");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(system(rows[i].left), 0);
        harness_result r =
            harness_run(&(harness_command){.program = rows[i].program, .words = rows[i].asked});
        if (!strstr(r.err, rows[i].said))
            fail_msg("%s; %s: %d: %s", rows[i].left, rows[i].asked, r.code, r.err);
        harness_forget(&r);
        if (system(rows[i].after) != 0 || system("! ls | grep mesocl_") != 0)
            fail_msg("%s; %s: something is left", rows[i].left, rows[i].asked);
        expect_sum("run", strdup(run), rows[i].left);
        expect_sum("cut", strdup(cut), rows[i].left);
    }
    free(run);
    free(cut);
    assert_int_equal(system("rm -r cut r.html"), 0);
}

/* A link stays a link, and what it leads to is written. */
static void a_link_leads_to_the_file(void **state)
{
    struct stat info;
    (void)state;
    mkdir("elsewhere", 0777);
    harness_put("elsewhere/rows.csv", "old", 0);
    assert_int_equal(symlink("elsewhere/rows.csv", "rows.csv"), 0);
    expect(&writers[2], "rows.csv", "", 0);
    assert_true(lstat("rows.csv", &info) == 0 && S_ISLNK(info.st_mode));
    assert_true(stat("elsewhere/rows.csv", &info) == 0 && info.st_size > 50);
}

static int set_up(void **state)
{
    char tree[4096], keras[4200];
    void *bytes;
    size_t n;
    if (!getcwd(tree, sizeof tree) || harness_enter_folder(state) != 0)
        return -1;
    snprintf(keras, sizeof keras, "%s/tests/fixtures/keras2_sequential.h5", tree);
    meso_device_close(harness_device());
    harness_put_training(6);
    for (unsigned i = 0; i < 8; i++) {
        char path[64];
        snprintf(path, sizeof path, "control/%s/%u.ppm", i % 2 ? "real" : "fake", i);
        harness_put_stripes(path, i % 2, 50 + i);
    }
    if (system("(echo file,label; for f in data/*/*; do echo $f,$(basename $(dirname $f)); done) "
               "> m.csv") != 0 ||
        meso_file_read(keras, 1 << 24, &bytes, &n, NULL, NULL) != MESO_OK)
        return -1;
    harness_put("w.h5", bytes, n);
    free(bytes);
    free(harness_train("init tiny.net -o w.safetensors", 0));
    free(harness_train("train data --net tiny.net --batch 4 --epochs 1 -o run", 0));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_writer_is_here),
        cmocka_unit_test(what_cannot_be_written_is_told_first),
        cmocka_unit_test(what_is_kept_is_told_first),
        cmocka_unit_test(inputs_are_kept),
        cmocka_unit_test(one_file_is_one_output),
        cmocka_unit_test(a_report_goes_to_stdout),
        cmocka_unit_test(a_model_is_replaced_by_force_alone),
        cmocka_unit_test(a_result_is_replaced_by_force_alone),
        cmocka_unit_test(splits_do_not_mix),
        cmocka_unit_test(links_are_no_pictures_of_the_input),
        cmocka_unit_test(what_was_replaced_is_not_lost),
        cmocka_unit_test(a_link_leads_to_the_file),
    };
    return cmocka_run_group_tests(tests, set_up, harness_leave_folder);
}
