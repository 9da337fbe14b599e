/* SPDX-License-Identifier: Apache-2.0
 *
 * Scans of folders, class names, groups and manifests, on trees that the test builds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "harness_run.h"
#include "mesocl/dataset.h"

static void put(const char *path, const char *text)
{
    harness_put(path, text, 0);
}

static void put_all(const char *const *paths)
{
    for (; *paths; paths++)
        put(*paths, "");
}
#define PUT(...) put_all((const char *const[]){__VA_ARGS__, NULL})

static void expect_items(const meso_dataset *dataset, const char *const *paths)
{
    size_t n = 0;
    for (; paths[n] && n < dataset->n_items; n++)
        assert_string_equal(dataset->items[n].path, paths[n]);
    assert_null(paths[n]);
    assert_int_equal(n, dataset->n_items);
}
#define EXPECT_ITEMS(dataset, ...) expect_items(dataset, (const char *const[]){__VA_ARGS__, NULL})

/* Opens, and wants this status and this part of the sentence. */
static void expect_error(const char *root, const meso_dataset_options *options, meso_status wanted,
                         const char *part)
{
    meso_error error = {0};
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_status status = meso_dataset_open(root, options, &dataset, &error);
    if (status != wanted || !strstr(error.text, part))
        fail_msg("status %d, \"%s\" instead of %d, \"…%s…\"", status, error.text, wanted, part);
    assert_null(dataset.items);
    assert_null(dataset.storage);
}

static void finds_and_sorts(void **state)
{
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    PUT("r/Real/b.JPG", "r/Real/a/z.png", "r/Real/a-b.JFIF", "r/Real/notes.txt", "r/Real/.x.png",
        "r/Real/.cache/y.png", "r/Real/jpg", "r/DF/2.pgm", "r/DF/10.jpeg", "r/DF/folder.jpg/1.bmp",
        "r/other/c.png", "r/loose.png");
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "r/DF/10.jpeg", "r/DF/2.pgm", "r/DF/folder.jpg/1.bmp", "r/Real/a-b.JFIF",
                 "r/Real/a/z.png", "r/Real/b.JPG");
    assert_int_equal(dataset.n_class[MESO_FAKE], 3);
    assert_int_equal(dataset.n_class[MESO_REAL], 3);
    assert_int_equal(dataset.items[2].label, MESO_FAKE);
    assert_int_equal(dataset.items[3].label, MESO_REAL);
    assert_int_equal(dataset.n_groups, 0);
    assert_null(dataset.items[0].group);
    meso_dataset_close(&dataset);
}

static void keeps_the_first_of_each_class(void **state)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    PUT("r/fake/1.png", "r/fake/2.png", "r/fake/3.png", "r/real/1.png");
    options.max_per_class = 2;
    assert_int_equal(meso_dataset_open("r/", &options, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "r/fake/1.png", "r/fake/2.png", "r/real/1.png");
    assert_int_equal(dataset.n_class[MESO_FAKE], 2);
    meso_dataset_close(&dataset);
}

/* fake/up → r itself, fake/self → fake, fake/sub/back → real: no image may come twice in a class.
 */
static void loops_end(void **state)
{
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    PUT("r/fake/1.png", "r/fake/sub/2.png", "r/real/3.png");
    assert_int_equal(symlink(".", "r/fake/self"), 0);
    assert_int_equal(symlink("../../fake", "r/fake/sub/back"), 0);
    assert_int_equal(symlink("nowhere", "r/fake/gone.png"), 0);
    assert_int_equal(symlink("loop", "r/fake/loop"), 0);
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "r/fake/1.png", "r/fake/gone.png", "r/fake/sub/2.png", "r/real/3.png");
    assert_int_equal(dataset.n_unreadable, 0);
    meso_dataset_close(&dataset);
}

static void names_of_any_bytes(void **state)
{
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    PUT("r/fake/a\nb.png", "r/fake/\xff\xfe.png", "r/fake/\x1b[31m.png", "r/real/-rf.png",
        "r/real/=cmd().png", "r/real/A.png", "r/real/a.png");
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "r/fake/\x1b[31m.png", "r/fake/a\nb.png", "r/fake/\xff\xfe.png",
                 "r/real/-rf.png", "r/real/=cmd().png", "r/real/A.png", "r/real/a.png");
    meso_dataset_close(&dataset);
}

/* Folders as deep as they can be made: the walk ends, and what cannot be opened is counted. */
static void deep_folders_end(void **state)
{
    char name[251], start[4096];
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    PUT("r/fake/1.png", "r/real/1.png");
    assert_non_null(getcwd(start, sizeof start));
    memset(name, 'd', 250);
    name[250] = '\0';
    assert_int_equal(chdir("r/real"), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(mkdir(name, 0777), 0);
        assert_int_equal(chdir(name), 0);
    }
    assert_int_equal(chdir(start), 0);
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    assert_int_equal(dataset.n_items, 2);
    assert_int_equal(dataset.n_unreadable, 1);
    assert_non_null(strstr(dataset.unreadable, "too long"));
    meso_dataset_close(&dataset);
}

static void unreadable_folders(void **state)
{
    const char *paths[] = {"r/fake"};
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_error error = {0};
    (void)state;
    if (geteuid() == 0)
        skip(); /* root reads everything */
    PUT("r/fake/1.png", "r/fake/shut/2.png", "r/real/1.png");
    assert_int_equal(chmod("r/fake/shut", 0), 0);
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    assert_int_equal(dataset.n_items, 2);
    assert_int_equal(dataset.n_unreadable, 1);
    assert_non_null(strstr(dataset.unreadable, "r/fake/shut"));
    meso_dataset_close(&dataset);
    assert_int_equal(chmod("r/fake", 0), 0);
    expect_error("r", NULL, MESO_ERROR_NO_INPUT, "r/fake");
    assert_int_equal(meso_dataset_from_paths(paths, 1, &dataset, &error), MESO_ERROR_NO_INPUT);
    assert_non_null(strstr(error.text, "r/fake"));
    chmod("r/fake", 0777);
    chmod("r/fake/shut", 0777);
}

static void class_names(void **state)
{
    static const char *const names[][2] = {
        {"fake", "real"},        {"DF", "ORIGINAL"},         {"deepfake", "pristine"},
        {"Forged", "authentic"}, {"manipulated", "Genuine"}, {"synthetic", "human"},
        {"swap", "real"},        {"swapped", "real"},        {"AI", "real"},
        {"generated", "real"}};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char root[16], path[64];
        meso_dataset dataset = MESO_INIT(meso_dataset);
        for (int label = 0; label < 2; label++) {
            snprintf(path, sizeof path, "%zu/%s/%d.png", i, names[i][label], label);
            put(path, "");
        }
        snprintf(root, sizeof root, "%zu", i);
        assert_int_equal(meso_dataset_open(root, NULL, &dataset, NULL), MESO_OK);
        assert_non_null(strstr(dataset.items[0].path, names[i][0]));
        assert_int_equal(dataset.items[1].label, MESO_REAL);
        meso_dataset_close(&dataset);
    }
}

static void given_class_names(void **state)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    PUT("r/fake/1.png", "r/swap/2.png", "r/left/3.png", "r/real/4.png");
    expect_error("r", NULL, MESO_ERROR_DATA, "both \"fake\" and \"swap\"");
    options.fake = "swap";
    assert_int_equal(meso_dataset_open("r", &options, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "r/swap/2.png", "r/real/4.png");
    meso_dataset_close(&dataset);
    options.fake = "real"; /* against its usual meaning: the user's word counts */
    options.real = "left";
    assert_int_equal(meso_dataset_open("r", &options, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "r/real/4.png", "r/left/3.png");
    meso_dataset_close(&dataset);
    options.real = "Left";
    expect_error("r", &options, MESO_ERROR_DATA, "no class folder \"Left\"");
    options.real = "real";
    expect_error("r", &options, MESO_ERROR_ARGUMENT, "both classes");
}

static void bad_roots(void **state)
{
    (void)state;
    PUT("lone/fake/1.png", "half/fake/1.png", "half/real/notes.txt", "none/fake/x", "none/real/x",
        "file");
    expect_error("nowhere", NULL, MESO_ERROR_NO_INPUT, "No such file");
    expect_error("file", NULL, MESO_ERROR_DATA, "no column is called file");
    expect_error("", NULL, MESO_ERROR_ARGUMENT, "empty");
    expect_error(NULL, NULL, MESO_ERROR_ARGUMENT, "either a folder or a manifest");
    expect_error("lone", NULL, MESO_ERROR_DATA, "real images (folders: fake)");
    expect_error("half", NULL, MESO_ERROR_DATA, "class real");
    expect_error("none", NULL, MESO_ERROR_NO_INPUT, "none: no images");
}

static void groups(void **state)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    PUT("r/fake/ann_1.jpg", "r/fake/ann_2.jpg", "r/fake/sub/bob_1.jpg", "r/real/ann_7.jpg");
    options.group = "([^_/]+)_[0-9]+\\.jpg";
    assert_int_equal(meso_dataset_open("r", &options, &dataset, NULL), MESO_OK);
    assert_int_equal(dataset.n_groups, 3);
    assert_string_equal(dataset.items[0].group, "ann");
    assert_string_equal(dataset.items[2].group, "bob");
    assert_string_equal(dataset.items[3].group, "ann");
    meso_dataset_close(&dataset);
    options.group = "^([a-z]+)/"; /* the path below the class folder, not the whole path */
    expect_error("r", &options, MESO_ERROR_DATA, "ann_1.jpg");
    options.group = "([^_/]+";
    expect_error("r", &options, MESO_ERROR_ARGUMENT, "wrong");
    options.group = "[^_/]+";
    expect_error("r", &options, MESO_ERROR_ARGUMENT, "no parenthesis");
    options.group = "([0-9]*)";
    expect_error("r", &options, MESO_ERROR_DATA, "no group");
}

static void reads_manifests(void **state)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    put("m/list.csv", "\xEF\xBB\xBFlabel,note,File,group\r\n"
                      "real,x,b.png,g1\r\n"
                      "\r\n"
                      "fake,\"a \"\"quoted\"\", note\",\"sub/a,\nb.png\",g1\r\n"
                      "Deepfake,,/abs/c.png,g2");
    options.manifest = "m/list.csv";
    assert_int_equal(meso_dataset_open(NULL, &options, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "/abs/c.png", "m/sub/a,\nb.png", "m/b.png");
    meso_dataset_close(&dataset);
    assert_int_equal(meso_dataset_open("m/list.csv", NULL, &dataset, NULL), MESO_OK); /* the same */
    EXPECT_ITEMS(&dataset, "/abs/c.png", "m/sub/a,\nb.png", "m/b.png");
    assert_int_equal(dataset.n_groups, 3);
    assert_string_equal(dataset.items[0].group, "g2");
    meso_dataset_close(&dataset);

    put("plain.csv", "file,label\nx/ann_1.png,left\nx/ann_2.png,right\n");
    options.manifest = "plain.csv";
    options.fake = "left";
    options.real = "right";
    options.group = "/([a-z]+)_";
    assert_int_equal(meso_dataset_open(NULL, &options, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "x/ann_1.png", "x/ann_2.png");
    assert_string_equal(dataset.items[1].group, "ann");
    meso_dataset_close(&dataset);

    /* The column may have another name; one that is called group is then none of our business. */
    put("plain.csv", "file,group,label,Original\nx/1.png,a,left,bob\nx/2.png,b,right,bob\n");
    options.group = "original";
    assert_int_equal(meso_dataset_open(NULL, &options, &dataset, NULL), MESO_OK);
    assert_string_equal(dataset.items[0].group, "bob");
    assert_string_equal(dataset.items[1].group, "bob");
    meso_dataset_close(&dataset);
}

static const struct {
    const char *text, *part;
    meso_status status;
} bad_manifests[] = {
    {"", "m.csv:1: no column is called file", MESO_ERROR_DATA},
    {"file,class\n", "m.csv:1: no column is called label", MESO_ERROR_DATA},
    {"file,label,file\n", "m.csv:1: two columns are called file", MESO_ERROR_DATA},
    {"file,label\na.png,real\nb.png\n", "m.csv:3: 1 fields where the header has 2",
     MESO_ERROR_DATA},
    {"file,label\na.png,real,x\n", "m.csv:2: 3 fields", MESO_ERROR_DATA},
    {"file,label\n\n\na.png,0\n", "m.csv:4: the label \"0\"", MESO_ERROR_DATA},
    {"file,label\n,real\n", "m.csv:2: the file is empty", MESO_ERROR_DATA},
    {"file,label,group\na,real,\n", "m.csv:2: the group is empty", MESO_ERROR_DATA},
    {"file,label\n\"a\nb\",real\n\"c.png,real\n", "m.csv:4: a quoted field never ends",
     MESO_ERROR_DATA},
    {"file,label\n\"a\"b,real\n", "m.csv:2: text behind a closing quote", MESO_ERROR_DATA},
    {"file,label\na\"b,real\n", "m.csv:2: a quote inside", MESO_ERROR_DATA},
    {"file,label\na,real\nb,fake\na,fake\n", "m.csv: a is listed twice", MESO_ERROR_DATA},
    {"file,label\na,real\n", "class fake", MESO_ERROR_DATA},
    {"file,label\n", "no images", MESO_ERROR_NO_INPUT},
    {"\xEF\xBB\xBF", "m.csv:1: no column is called file", MESO_ERROR_DATA},
    {"\xFF\xFE"
     "f",
     "m.csv: half a character of UTF-16 at byte 2", MESO_ERROR_DATA},
    {"sep=\r\nfile,label\r\n", "m.csv:1: no column is called file", MESO_ERROR_DATA},
    {"sep=\r", "m.csv:1: no column is called file", MESO_ERROR_DATA},
    {"sep=\"\na\"b", "m.csv:1: a quote inside", MESO_ERROR_DATA},
    {"file;label\na;real\nb,fake\n", "m.csv:3: 1 fields where the header has 2", MESO_ERROR_DATA},
    {"file,label\ra,real\r", "m.csv:1: no column is called label", MESO_ERROR_DATA},
    {"file,\"label\na,real\n", "m.csv:1: a quoted field never ends", MESO_ERROR_DATA},
    {"file,label\na,unreal \n", "m.csv:2: the label \"unreal\"", MESO_ERROR_DATA},
    {"file,label\na,\x1b[31m\n", "m.csv:2: the label \"\\x1B[31m\"", MESO_ERROR_DATA},
    {"file,label\na,real\nb,fake\n\"a\",real\n", "m.csv: a is listed twice", MESO_ERROR_DATA},
    {"file,label\na,real\nb,fake\n./a,real\n", "m.csv: a is listed twice", MESO_ERROR_DATA},
    {"file,label\nx/a,real\nb,fake\nx//.///a,fake\n", "m.csv: x/a is listed twice",
     MESO_ERROR_DATA},
    {"file,label\n=cmd\x07,real\n=cmd\x07,fake\n", "m.csv: =cmd\\x07 is listed twice",
     MESO_ERROR_DATA},
    {"file,label,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
     "m.csv:1: more than 64 fields", MESO_ERROR_DATA},
};

static void refuses_manifests(void **state)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    (void)state;
    options.manifest = "m.csv";
    for (size_t i = 0; i < sizeof bad_manifests / sizeof bad_manifests[0]; i++) {
        put("m.csv", bad_manifests[i].text);
        expect_error(NULL, &options, bad_manifests[i].status, bad_manifests[i].part);
    }
}

static void refuses_columns_and_options(void **state)
{
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    (void)state;
    options.manifest = "m.csv";
    put("m.csv", "file,label,group\na,real,g\nb,fake,g\n");
    options.group = "(a|b)";
    expect_error(NULL, &options, MESO_ERROR_ARGUMENT, "column group");
    options.group = "gruop";
    expect_error(NULL, &options, MESO_ERROR_DATA, "m.csv:1: no column is called gruop");
    expect_error("m", &options, MESO_ERROR_ARGUMENT, "either");
    options.manifest = "gone.csv";
    expect_error(NULL, &options, MESO_ERROR_NO_INPUT, "gone.csv");

    harness_put("nul.csv", "file,label\na\0b,real\n", 20);
    options = (meso_dataset_options)MESO_INIT(meso_dataset_options);
    options.manifest = "nul.csv";
    expect_error(NULL, &options, MESO_ERROR_DATA, "nul.csv:2: a NUL byte");
}

/* A path is what it says: from the root, upwards, or longer than any file can be. What is wrong
 * with it shows when the file is opened. */
static void paths_of_manifests(void **state)
{
    enum { length = 100000 };
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_text text = {0};
    (void)state;
    meso_text_add(&text, "label,file\nfake,/a//../b.png\nreal,../../c.png\nreal,././/-rf\n"
                         "real,.hidden/./.x\nfake,d/");
    for (int i = 0; i < length; i++)
        meso_text_add(&text, "d");
    put("m/list.csv", text.bytes);
    meso_text_free(&text);
    options.manifest = "m/list.csv";
    assert_int_equal(meso_dataset_open(NULL, &options, &dataset, NULL), MESO_OK);
    assert_int_equal(dataset.n_items, 5);
    assert_string_equal(dataset.items[0].path, "/a/../b.png");
    assert_int_equal(strlen(dataset.items[1].path), strlen("m/d/") + length);
    assert_string_equal(dataset.items[2].path, "m/-rf");
    assert_string_equal(dataset.items[3].path, "m/../../c.png");
    assert_string_equal(dataset.items[4].path, "m/.hidden/.x");
    meso_dataset_close(&dataset);
    options.manifest = "m";
    expect_error(NULL, &options, MESO_ERROR_NO_INPUT, "m: not a regular file");
    assert_int_equal(mkfifo("pipe.csv", 0600), 0);
    options.manifest = "pipe.csv"; /* nobody writes to it */
    expect_error(NULL, &options, MESO_ERROR_NO_INPUT, "pipe.csv: not a regular file");
}

static void long_manifests(void **state)
{
    enum { n_lines = 1000000 };
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_text text = {0};
    (void)state;
    options.manifest = "m.csv";
    meso_text_add(&text, "file,label,group\n");
    for (int i = 0; i < n_lines; i++)
        meso_text_format(&text, "%d.png,%s,%d\n", i, i & 1 ? "fake" : "real", i / 10);
    harness_put("m.csv", text.bytes, text.length);
    double seconds = meso_seconds();
    assert_int_equal(meso_dataset_open(NULL, &options, &dataset, NULL), MESO_OK);
    print_message("%d lines in %.3f s\n", n_lines, meso_seconds() - seconds);
    assert_true(meso_seconds() - seconds < 30);
    assert_int_equal(dataset.n_items, n_lines);
    assert_int_equal(dataset.n_groups, n_lines / 10 * 2); /* each in both classes */
    meso_dataset_close(&dataset);
    meso_text_add(&text, "999999.png,fake,x\n");
    harness_put("m.csv", text.bytes, text.length);
    expect_error(NULL, &options, MESO_ERROR_DATA, "m.csv: 999999.png is listed twice");
    meso_text_add(&text, "1.png,fake\n");
    harness_put("m.csv", text.bytes, text.length);
    expect_error(NULL, &options, MESO_ERROR_DATA, "m.csv:1000003: 2 fields where the header has 3");
    meso_text_free(&text);
}

static void lists_from_paths(void **state)
{
    const char *paths[] = {"z.txt", "r", "gone.png", "r/b", "empty"};
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_error error = {0};
    (void)state;
    PUT("z.txt", "r/b/2.png", "r/a.png", "r/b-1.png", "r/readme");
    assert_int_equal(mkdir("empty", 0777), 0);
    assert_int_equal(meso_dataset_from_paths(paths, 5, &dataset, NULL), MESO_OK);
    EXPECT_ITEMS(&dataset, "z.txt", "r/a.png", "r/b-1.png", "r/b/2.png", "gone.png", "r/b/2.png");
    assert_int_equal(dataset.items[0].label, MESO_UNLABELLED);
    meso_dataset_close(&dataset);
    assert_int_equal(meso_dataset_from_paths(paths + 4, 1, &dataset, &error), MESO_ERROR_NO_INPUT);
    assert_non_null(strstr(error.text, "no images in empty"));
    assert_int_equal(meso_dataset_from_paths(paths, 0, &dataset, &error), MESO_ERROR_NO_INPUT);
}

/* The target is a million files in a minute; a fiftieth of them gets a fiftieth of it. */
static void many_files_quickly(void **state)
{
    enum { n_files = 20000 };
    meso_dataset dataset = MESO_INIT(meso_dataset);
    (void)state;
    mkdir("r", 0777);
    mkdir("r/fake", 0777);
    mkdir("r/real", 0777);
    for (int i = 0; i < n_files; i++) {
        char path[64];
        snprintf(path, sizeof path, "r/%s/%05d.png", i % 2 ? "fake" : "real", i);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    const clock_t began = clock(); /* of this process: others may be at work beside */
    assert_int_equal(meso_dataset_open("r", NULL, &dataset, NULL), MESO_OK);
    const double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
    print_message("%d files in %.3f s\n", n_files, seconds);
    assert_int_equal(dataset.n_items, n_files);
    assert_true(seconds < 60.0 / 50);
    meso_dataset_close(&dataset);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {IN_FOLDER(finds_and_sorts),
                                       IN_FOLDER(keeps_the_first_of_each_class),
                                       IN_FOLDER(loops_end),
                                       IN_FOLDER(names_of_any_bytes),
                                       IN_FOLDER(deep_folders_end),
                                       IN_FOLDER(unreadable_folders),
                                       IN_FOLDER(class_names),
                                       IN_FOLDER(given_class_names),
                                       IN_FOLDER(bad_roots),
                                       IN_FOLDER(groups),
                                       IN_FOLDER(reads_manifests),
                                       IN_FOLDER(refuses_manifests),
                                       IN_FOLDER(refuses_columns_and_options),
                                       IN_FOLDER(paths_of_manifests),
                                       IN_FOLDER(long_manifests),
                                       IN_FOLDER(lists_from_paths),
                                       IN_FOLDER(many_files_quickly)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
