/* SPDX-License-Identifier: Apache-2.0
 *
 * dataset_bench as a program: figures known to the last digit, traps in real datasets, documents
 * against their schemas, hostile names, exit codes.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_schema.h"

static int enter(void **state)
{
    char path[PATH_MAX];
    const char *where = getenv("MESO_TEST_DATA");
    if (realpath(where && *where ? where : "../shared/data", path))
        setenv("MESO_TEST_DATA", path, 1); /* the folder is left below */
    if (realpath("docs/schema", path))
        setenv("MESO_SCHEMAS", path, 1);
    if (harness_enter_folder(state) != 0)
        return -1;
    setenv("MESO_CACHE_DIR", "cache", 1);
    return 0;
}

static harness_result run(const char *words, int code)
{
    const harness_command command = {.program = DATASET_BENCH_PROGRAM, .words = words};
    harness_result result = harness_run(&command);
    if (result.code != code)
        fail_msg("dataset_bench %s\nended with %d instead of %d:\n%s%s", words, result.code, code,
                 result.out, result.err);
    return result;
}

static json_t *run_json(const char *words, const char *schema)
{
    harness_result result = run(words, 0);
    json_error_t error;
    json_t *document = json_loads(result.out, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        fail_msg("dataset_bench %s: line %d: %s\n%s", words, error.line, error.text, result.out);
    harness_check_schema(document, schema);
    harness_forget(&result);
    return document;
}

static const json_t *dig(const json_t *value, const char *path)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *word = strtok(copy, "."); word; word = strtok(NULL, ".")) {
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(word))
                                     : json_object_get(value, word);
        if (!value)
            fail_msg("no %s", path);
    }
    return value;
}

static double number(const json_t *value, const char *path)
{
    const json_t *found = dig(value, path);
    if (!json_is_number(found))
        fail_msg("%s is no number", path);
    return json_number_value(found);
}

static size_t count(const json_t *value, const char *path)
{
    return (size_t)number(value, path);
}

static void require_device(void)
{
    meso_device_close(harness_device());
}

/* A dataset of drawn colours: n pictures of each class, all different. */
static void put_dataset(const char *name, unsigned n)
{
    for (unsigned i = 0; i < 2 * n; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s/%02u.ppm", name, i < n ? "Fake" : "Real", i % n);
        harness_put_picture(path, 40, 0x010203u + i * 0x050709u);
    }
}

/* NAME=FOLDER names a folder, unless there is one that is called so. */
static void a_folder_with_an_equals_sign(void **state)
{
    (void)state;
    require_device();
    put_dataset("y", 2);
    put_dataset("z=y", 3);
    json_t *named = run_json("stats x=y --json", "dataset_bench_stats");
    assert_string_equal(json_string_value(dig(named, "datasets.0.name")), "x");
    assert_int_equal(count(named, "datasets.0.classes.fake.n"), 2);
    json_decref(named);
    json_t *folder = run_json("stats z=y --json", "dataset_bench_stats");
    assert_string_equal(json_string_value(dig(folder, "datasets.0.name")), "z=y");
    assert_int_equal(count(folder, "datasets.0.classes.fake.n"), 3);
    json_decref(folder);
}

/* ---- figures ---- */

/* By OpenCV, Pillow and scikit-image, of the first 1000 files of each class by name: as printed. */
static void the_studys_statistics_to_the_last_digit(void **state)
{
    static const char *const lines[] = {
        "fake     1000  120.839  95.707  84.062      20.425     101.900    7.438\n",
        "real     1000  118.295  99.119  89.381      20.038     103.748    7.342\n",
        "fake     1000  34.139  31.748  33.000       7.953      31.461    0.380\n",
        "real     1000  37.005  35.447  36.685       8.287      34.980    0.483\n"};
    char words[PATH_MAX + 64];
    (void)state;
    snprintf(words, sizeof words, "stats of=%s --limit 1000 --study --no-cache",
             harness_data("datasets/openforensics/Train"));
    require_device();
    harness_result result = run(words, 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(result.out, lines[i]))
            fail_msg("no line %s in\n%s", lines[i], result.out);
    harness_forget(&result);
}

/* Brightness is a rounded weighted sum of the channels, so their means must agree: on every set. */
static void brightness_agrees_with_the_channels(void **state)
{
    static const char *const sets[] = {"openforensics/Test", "dfdc/Train", "stylegan/Train",
                                       "mesonet/Train", "mesonet/Validation"};
    char words[6 * PATH_MAX] = "stats --study --json --no-cache --limit 100 --draw 5";
    (void)state;
    harness_data("datasets");
    require_device();
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char path[64];
        snprintf(path, sizeof path, "datasets/%s", sets[i]);
        strcat(strcat(words, " "), harness_data(path));
    }
    json_t *document = run_json(words, "dataset_bench_stats");
    assert_int_equal(json_array_size(dig(document, "datasets")), 5);
    for (size_t i = 0; i < 10; i++) {
        char path[64];
        snprintf(path, sizeof path, "datasets.%zu.classes.%s.mean", i / 2, i % 2 ? "real" : "fake");
        const json_t *mean = dig(document, path);
        double sum =
            19595 * number(mean, "r") + 38470 * number(mean, "g") + 7471 * number(mean, "b");
        harness_close(number(mean, "brightness"), sum / 65536, 0.01, "%s", path);
    }
    json_decref(document);
}

/* ---- traps in real datasets ---- */

static int is_warned(const json_t *document, const char *kind, const char *dataset,
                     const char *said)
{
    const json_t *warnings = dig(document, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const json_t *row = json_array_get(warnings, i);
        if (strcmp(json_string_value(dig(row, "kind")), kind) == 0 &&
            strcmp(json_string_value(dig(row, "dataset")), dataset) == 0 &&
            strstr(json_string_value(dig(row, "text")), said))
            return 1;
    }
    return 0;
}

/* Six of its reals are duplicates; two stand in its Test, too; its classes are framed
 * differently. */
static void traps_of_openforensics(void **state)
{
    char words[2 * PATH_MAX + 64], test[PATH_MAX];
    (void)state;
    snprintf(test, sizeof test, "%s", harness_data("datasets/openforensics/Test"));
    snprintf(words, sizeof words, "check of=%s --against test=%s --json --resamples 100",
             harness_data("datasets/openforensics/Train"), test);
    require_device();
    json_t *document = run_json(words, "dataset_bench_check");
    assert_int_equal(count(document, "datasets.0.counts.same_file"), 6);
    assert_int_equal(count(document, "leaks.0.counts.same_file"), 2);
    assert_true(is_warned(document, "duplicate", "of", "duplicate pairs: 6 (6 same file"));
    assert_true(is_warned(document, "leak", "of", "2 same file"));
    assert_true(is_warned(document, "framing", "of", "linear classifier"));
    json_decref(document);
}

/* The finer quantisation table is on 53 % of reals and 17 % of fakes; every second frame of videos
 * is there, in order. */
static void traps_of_mesonet(void **state)
{
    char words[PATH_MAX + 64];
    (void)state;
    snprintf(words, sizeof words, "check m=%s --limit 800 --json --resamples 100 --no-cache",
             harness_data("datasets/mesonet/Train"));
    require_device();
    json_t *document = run_json(words, "dataset_bench_check");
    assert_true(is_warned(document, "shortcut", "m", "from JPEG quality alone"));
    assert_true(is_warned(document, "near_duplicate", "m", "neighbouring frames"));
    json_decref(document);
}

/* dfdc's own manifest lies above the folder of its files; otherwise it is taken as it is. */
static void put_manifest_of_dfdc(void)
{
    char command[3 * PATH_MAX], root[PATH_MAX];
    snprintf(root, sizeof root, "%s", harness_data("datasets/dfdc/Train"));
    snprintf(command, sizeof command, "sed '2,$s|^|%s/|' '%s' > dfdc.csv", root,
             harness_data("datasets/dfdc/manifest.csv"));
    assert_int_equal(system(command), 0);
}

static void recordings_of_dfdc_in_both_classes(void **state)
{
    (void)state;
    harness_data("datasets/dfdc/manifest.csv");
    require_device();
    put_manifest_of_dfdc();
    json_t *document = run_json("check dfdc=dfdc.csv --group group_original --json --resamples 20 "
                                "--no-cache",
                                "dataset_bench_check");
    const json_t *both = dig(document, "datasets.0.recordings.in_both_classes");
    assert_int_equal(json_array_size(both), 79);
    assert_true(is_warned(document, "recording_in_both_classes", "dfdc", "split by recording"));
    json_decref(document);

    /* The split keeps each recording on one side. */
    harness_result result = run(
        "split dfdc.csv --group group_original --test-split 0.2 --seed 3 -o parts --no-cache", 0);
    harness_forget(&result);
    document = run_json("check train=parts/train.csv --against test=parts/test.csv --json "
                        "--resamples 20 --no-cache",
                        "dataset_bench_check");
    assert_int_equal(count(document, "leaks.0.shared_recordings"), 0);
    assert_int_equal(count(document, "leaks.0.counts.same_file"), 0);
    json_decref(document);
}

/* ---- names, codes, caches ---- */

static char *read_text(const char *path)
{
    void *bytes = NULL;
    size_t n;
    assert_int_equal(meso_file_read(path, 1 << 26, &bytes, &n, NULL, NULL), MESO_OK);
    return bytes;
}

/* In no form of the report does a name become more than a name. */
static void names_stay_names(void **state)
{
    static const char *const names[] = {"<script>alert(1)<", "=cmd|'x'!A1", "\033[31mred\nline",
                                        "\xff\xfe.raw",      "|a*b_`c`",    "\u202egpj.exe"};
    char path[128];
    (void)state;
    require_device();
    put_dataset("set", 4);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "set/Fake/%s.ppm", names[i]);
        harness_put_picture(path, 40, 0x405060u);
        snprintf(path, sizeof path, "set/Fake/%s.jpg", names[i]);
        harness_put(path, "no picture", 0);
    }
    harness_result text = run("check <b>x=set --list 50 --html page.html --thumbnails", 0);
    assert_null(strchr(text.out, '\033'));
    assert_non_null(strstr(text.out, "\\x1B[31mred\\x0Aline"));
    assert_non_null(strstr(text.out, "\\xFF\\xFE.raw"));
    assert_null(strchr(text.err, '\033'));
    assert_non_null(strstr(text.out, "\\xE2\\x80\\xAEgpj.exe"));
    assert_null(strstr(text.out, "\u202e"));
    harness_forget(&text);
    char *page = read_text("page.html");
    assert_null(strstr(page, "<script>alert"));
    assert_null(strstr(page, "<b>x"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(1)&lt;"));
    assert_null(strstr(page, "http://") && !strstr(page, "http://www.w3.org"));
    free(page);
    harness_result csv = run("check set --csv", 0);
    assert_null(strstr(csv.out, ",=cmd"));
    harness_forget(&csv);
    harness_result markdown = run("check set --markdown --list 50", 0);
    assert_null(strstr(markdown.out, "<script>"));
    assert_non_null(strstr(markdown.out, "\\<script\\>"));
    harness_forget(&markdown);
    json_decref(run_json("check set --json", "dataset_bench_check"));
    json_t *document = run_json("stats set --json", "dataset_bench_stats");
    assert_int_equal(count(document, "datasets.0.classes.fake.n"), 10);
    assert_int_equal(count(document, "datasets.0.classes.fake.n_refused"), 6);
    json_decref(document);
}

static void exit_codes(void **state)
{
    static const harness_row cases[] = {
        {"stats set", 0, "set: 6 images, 0 refused"},
        {"check set", 0, "set: 6 images"},
        {"check set --strict", 1, "set: 6 images"}, /* duplicates */
        {"stats", 2, "give a folder"},
        {"stats set --json --csv", 2, "exclude each other"},
        {"split set", 2, "-o FOLDER"},
        {"stats one", 65, "--real NAME or use a manifest"},
        {"stats two", 65, "choose with --fake NAME"},
        {"stats other/set ./other/set/", 65, "as in OTHER=./other/set/"},
        {"stats a=set a=other/set", 65, "both called \"a\""},
        {"stats bad", 65, "is unknown_format: is this the right folder"},
        {"split tiny --test-split 0.5 --group (.).ppm -o parts", 65, "cannot be split that way"},
        {"stats gone", 66, "gone"},
        {"stats set -d no-such-device", 69, "no-such-device"},
        {"demo-data set", 73, "is not empty"},
        {"stats set --html gone/x.html", 73, "gone/x.html"},
        {"stats set --cache set/Fake/00.ppm/x", 73, "--no-cache"},
    };
    (void)state;
    require_device();
    put_dataset("set", 3);
    put_dataset("other/set", 3);
    harness_put_picture("set/Real/again.ppm", 40, 0x010203u); /* a fake's */
    unlink("set/Real/00.ppm");
    harness_put_picture("one/fake/a.ppm", 4, 1);
    harness_put_picture("two/fake/a.ppm", 4, 1);
    harness_put_picture("two/df/a.ppm", 4, 1);
    harness_put_picture("two/real/a.ppm", 4, 1);
    harness_put_picture("tiny/fake/a.ppm", 4, 1);
    harness_put_picture("tiny/real/a.ppm", 4, 0x802010);
    harness_put("bad/fake/1.ppm", "no picture", 0);
    harness_put("bad/real/1.ppm", "", 0);
    harness_run_rows(DATASET_BENCH_PROGRAM, cases, sizeof cases / sizeof cases[0]);
}

static void one_duplicate_is_said(void **state)
{
    (void)state;
    require_device();
    put_dataset("set", 3);
    harness_put_picture("set/Real/again.ppm", 40, 0x010203u); /* a fake's */
    harness_result check = run("check set", 0);
    assert_non_null(strstr(check.out, "  duplicate pairs: 1 (1 same file, 0 same pixels)"));
    assert_non_null(
        strstr(check.out, "  1 duplicate and 0 near-duplicate pairs have different labels"));
    harness_forget(&check);
}

static void a_second_run_reads_what_changed(void **state)
{
    (void)state;
    require_device();
    put_dataset("set", 5);
    harness_result first = run("stats set --csv", 0);
    assert_non_null(strstr(first.err, "10 files read, 0 from the cache"));
    harness_result second = run("stats ./set/ --csv", 0);
    assert_non_null(strstr(second.err, "0 files read, 10 from the cache"));
    harness_put_picture("set/Real/02.ppm", 41, 0x336699);
    harness_put_picture("set/Real/05.ppm", 40, 0x336699);
    harness_result third = run("stats set --csv", 0);
    assert_non_null(strstr(third.err, "2 files read, 9 from the cache"));
    assert_string_not_equal(third.out, first.out);

    /* A sample does not forget the rest; a damaged cache is as good as none. */
    harness_result sample = run("stats set --csv --limit 2", 0);
    harness_forget(&sample);
    harness_result fourth = run("stats set --csv", 0);
    assert_non_null(strstr(fourth.err, "0 files read, 11 from the cache"));
    assert_string_equal(fourth.out, third.out);
    assert_int_equal(system("for f in cache/*.scan; do printf x | dd of=$f bs=1 seek=300 "
                            "conv=notrunc status=none; done"),
                     0);
    harness_result fifth = run("stats set --csv", 0);
    assert_non_null(strstr(fifth.err, "11 files read, 0 from the cache"));
    assert_string_equal(fifth.out, third.out);
    harness_forget(&first);
    harness_forget(&second);
    harness_forget(&third);
    harness_forget(&fourth);
    harness_forget(&fifth);
}

/* The same seed draws the same files; the lists of a split are manifests. */
static void a_split_is_reproducible(void **state)
{
    (void)state;
    require_device();
    harness_result drawn = run("demo-data demo --count 20 --side 64", 0);
    harness_forget(&drawn);
    harness_result a = run("split demo/clear --test-split 0.25 --seed 7 -o a", 0);
    harness_result b = run("split demo/clear --test-split 0.25 --seed 7 -o b --links", 0);
    harness_result c = run("split demo/clear --test-split 0.25 --seed 8 -o c", 0);
    char *list_a = read_text("a/test.csv"), *list_b = read_text("b/test.csv");
    char *list_c = read_text("c/test.csv");
    assert_string_equal(list_a, list_b);
    assert_string_not_equal(list_a, list_c);
    assert_non_null(strstr(a.out, "test      5     5"));
    json_t *lists = run_json("stats a/train.csv a/test.csv --json", "dataset_bench_stats");
    json_t *links = run_json("stats b/train b/test --json", "dataset_bench_stats");
    assert_int_equal(count(lists, "datasets.1.classes.real.n"), 5);
    assert_int_equal(count(lists, "datasets.0.classes.fake.n"), 15);
    harness_close(number(lists, "datasets.0.classes.fake.mean.r"),
                  number(links, "datasets.0.classes.fake.mean.r"), 1e-9, "the same files");
    json_decref(lists);
    json_decref(links);
    harness_result d = run("split demo/clear --absolute -o d", 0);
    char *list_d = read_text("d/test.csv");
    assert_non_null(strstr(list_a, "\n../demo/clear/Fake/"));
    assert_non_null(strstr(list_d, "\n/"));
    assert_null(strstr(list_d, "../"));
    /* The pictures move, and what a split has written moves with them. */
    mkdir("moved", 0777);
    assert_int_equal(rename("demo", "moved/demo") + rename("a", "moved/a") + rename("b", "moved/b"),
                     0);
    lists = run_json("stats moved/a/train.csv moved/b/train --json", "dataset_bench_stats");
    assert_int_equal(count(lists, "datasets.0.classes.fake.n"), 15);
    assert_int_equal(count(lists, "datasets.1.classes.fake.n"), 15);
    json_decref(lists);
    harness_forget(&d);
    free(list_d);
    free(list_a);
    free(list_b);
    free(list_c);
    harness_forget(&a);
    harness_forget(&b);
    harness_forget(&c);
}

/* FaceForensics++ as it lies on disks: a pair and its forgeries stay on one side. */
static void a_layout_is_recognised(void **state)
{
    static const char *const words[] = {"split ff --layout ffpp --test-split 0.5 -o a --no-cache",
                                        "split ff --test-split 0.5 -o b --no-cache"};
    (void)state;
    require_device();
    for (unsigned i = 0; i < 8; i++) {
        char path[96];
        snprintf(path, sizeof path, "ff/original_sequences/youtube/c23/faces/%03u/1.ppm", i);
        harness_put_picture(path, 40, 0x010203u + i * 0x050709u);
        snprintf(path, sizeof path, "ff/manipulated_sequences/FaceSwap/c23/faces/%03u_%03u/1.ppm",
                 i, i ^ 1);
        harness_put_picture(path, 40, 0x060203u + i * 0x050709u);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        harness_result split = run(words[i], 0);
        assert_non_null(strstr(split.err, "dataset_bench: ff: laid out as FaceForensics++\n"));
        assert_non_null(strstr(split.out, "test      4     4            2"));
        harness_forget(&split);
    }
    harness_result folders = run("split ff --layout folders -o c --no-cache", 65);
    assert_non_null(strstr(folders.err, "no folder is named like a class of fake images"));
    harness_forget(&folders);
    harness_result manifest = run("split a/train.csv --layout dfdc -o c --no-cache", 2);
    assert_non_null(strstr(manifest.err, "a layout says itself what is fake and real"));
    harness_forget(&manifest);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_studys_statistics_to_the_last_digit),
        IN_FOLDER(brightness_agrees_with_the_channels),
        IN_FOLDER(a_folder_with_an_equals_sign),
        IN_FOLDER(traps_of_openforensics),
        IN_FOLDER(traps_of_mesonet),
        IN_FOLDER(recordings_of_dfdc_in_both_classes),
        IN_FOLDER(names_stay_names),
        IN_FOLDER(exit_codes),
        IN_FOLDER(one_duplicate_is_said),
        IN_FOLDER(a_second_run_reads_what_changed),
        IN_FOLDER(a_split_is_reproducible),
        IN_FOLDER(a_layout_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
