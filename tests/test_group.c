/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of images that show several identities, as face swaps do: joined where they share one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/list/group.h"
#include "data/list/split.h"
#include "harness_run.h"

#define FAKE(group)                 \
    {                               \
        "x", MESO_FAKE, group, NULL \
    }
#define REAL(group)                 \
    {                               \
        "x", MESO_REAL, group, NULL \
    }

static meso_dataset dataset_of(meso_dataset_item *items, size_t n)
{
    return (meso_dataset){.items = items, .n_items = n};
}

/* What each item's group is called: "a a b". */
static void expect_groups(const meso_dataset *dataset, int classes_apart, const char *wanted)
{
    meso_groups groups;
    meso_text found = {0};
    meso_error error = {0};
    assert_int_equal(meso_groups_create(dataset, classes_apart, &groups, &error), MESO_OK);
    for (size_t i = 0; i < dataset->n_items; i++)
        meso_text_format(&found, "%s%s", i ? " " : "", groups.groups[groups.of_item[i]].name);
    assert_string_equal(found.bytes, wanted);
    meso_text_free(&found);
    meso_groups_free(&groups);
}

static void shared_identities_join(void **state)
{
    meso_dataset_item items[] = {FAKE("c|d"), FAKE("x"),      FAKE("d|e"), REAL("e"),
                                 REAL("x"),   REAL("|b||a|"), REAL("ab")};
    const meso_dataset dataset = dataset_of(items, 7);
    meso_groups groups;
    (void)state;
    expect_groups(&dataset, 0, "c|d x c|d c|d x |b||a| ab");
    expect_groups(&dataset, 1, "c|d x c|d e x |b||a| ab");
    assert_int_equal(meso_groups_create(&dataset, 0, &groups, NULL), MESO_OK);
    assert_int_equal(groups.n, 4);
    assert_int_equal(groups.n_in_both, 2);
    meso_groups_free(&groups);
}

/* A chain, in whatever order its links come. */
static void chains_are_one_group(void **state)
{
    enum { n_items = 200 };
    static char names[n_items][16];
    static meso_dataset_item items[n_items];
    meso_groups groups;
    (void)state;
    for (int i = 0; i < n_items; i++) {
        const int link = i * 77 % n_items;
        snprintf(names[i], sizeof names[i], "%d|%d", link, link + 1);
        items[i] = (meso_dataset_item)FAKE(names[i]);
    }
    const meso_dataset dataset = dataset_of(items, n_items);
    assert_int_equal(meso_groups_create(&dataset, 0, &groups, NULL), MESO_OK);
    assert_int_equal(groups.n, 1);
    assert_int_equal(groups.groups[0].n_class[MESO_FAKE], n_items);
    meso_groups_free(&groups);
}

static void two_datasets_share(void **state)
{
    meso_dataset_item left[] = {FAKE("a|b"), REAL("q")};
    meso_dataset_item right[] = {FAKE("c|b"), REAL("c"), REAL("z")};
    const meso_dataset a = dataset_of(left, 2), b = dataset_of(right, 3);
    meso_groups groups;
    (void)state;
    assert_int_equal(meso_groups_of_two(&a, &b, &groups, NULL), MESO_OK);
    assert_int_equal(groups.n, 3);
    assert_int_equal(groups.of_item[2], groups.of_item[0]);
    assert_int_equal(groups.of_item[3], groups.of_item[0]);
    meso_groups_free(&groups);
}

/* Every parenthesis that matches something. */
static void parentheses_are_identities(void **state)
{
    static const char *const files[] = {"r/fake/000_003.png", "r/fake/003_000.png",
                                        "r/fake/007_009.png", "r/real/000.png", "r/real/009.png"};
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_split split;
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        harness_put(files[i], "", 0);
    options.group = "([0-9]+)_?([0-9]*)\\.png";
    assert_int_equal(meso_dataset_open("r", &options, &dataset, NULL), MESO_OK);
    assert_string_equal(dataset.items[0].group, "000|003");
    assert_string_equal(dataset.items[3].group, "000");
    expect_groups(&dataset, 0, "000 000 007|009 000 007|009");
    assert_int_equal(meso_split_make(&dataset, MESO_SPLIT_GROUP, 0.5, 1, &split, NULL), MESO_OK);
    const int first = split.n_train == 3;
    assert_int_equal(split.n_train + split.n_validation, 5);
    assert_int_equal((first ? split.train : split.validation)[2], 3);
    assert_int_equal((first ? split.validation : split.train)[1], 4);
    meso_split_free(&split);
    meso_dataset_close(&dataset);
}

static void columns_are_identities(void **state)
{
    static const struct {
        const char *group, *said;
    } bad[] = {{"source,goal", "m.csv:1: no column is called goal"},
               {"hull", "m.csv:2: the group is empty"}};
    meso_dataset_options options = MESO_INIT(meso_dataset_options);
    meso_dataset dataset = MESO_INIT(meso_dataset);
    meso_error error = {0};
    (void)state;
    harness_put("m.csv",
                "file,label,Source,target,hull\n"
                "1.png,fake,a,b,\n2.png,real,b,,x\n3.png,real,c,,x\n",
                0);
    options.group = "source,target";
    assert_int_equal(meso_dataset_open("m.csv", &options, &dataset, NULL), MESO_OK);
    assert_string_equal(dataset.items[0].group, "a|b");
    expect_groups(&dataset, 0, "a|b a|b c");
    meso_dataset_close(&dataset);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.group = bad[i].group;
        assert_int_equal(meso_dataset_open("m.csv", &options, &dataset, &error), MESO_ERROR_DATA);
        if (!strstr(error.text, bad[i].said))
            fail_msg("%s: %s", bad[i].group, error.text);
    }
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_identities_join), cmocka_unit_test(chains_are_one_group),
        cmocka_unit_test(two_datasets_share),     IN_FOLDER(parentheses_are_identities),
        IN_FOLDER(columns_are_identities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
