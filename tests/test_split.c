/* SPDX-License-Identifier: Apache-2.0
 *
 * Training and validation sides: which images, how many, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "data/list/split.h"

enum { max_items = 400 };

static meso_dataset_item items[max_items];
static char groups[max_items][24];

/* n_fake + n_real images; with per_group > 0 so many in a row share a group, numbered through both
 * classes, so that the group at the border has images of both. */
static meso_dataset make(size_t n_fake, size_t n_real, size_t per_group)
{
    for (size_t i = 0; i < n_fake + n_real; i++) {
        items[i] = (meso_dataset_item){"x.jpg", i < n_fake ? MESO_FAKE : MESO_REAL, NULL, NULL};
        if (per_group == 0)
            continue;
        snprintf(groups[i], sizeof groups[i], "g%zu", i / per_group);
        items[i].group = groups[i];
    }
    return (meso_dataset){.items = items, .n_items = n_fake + n_real, .n_class = {n_fake, n_real}};
}

/* Every position on one side, ascending. */
static void check_partition(const meso_dataset *dataset, const meso_split *split)
{
    unsigned char seen[max_items] = {0};
    assert_int_equal(split->n_train + split->n_validation, dataset->n_items);
    for (size_t i = 0; i < split->n_train; i++) {
        assert_true(i == 0 || split->train[i] > split->train[i - 1]);
        seen[split->train[i]]++;
    }
    for (size_t i = 0; i < split->n_validation; i++) {
        assert_true(i == 0 || split->validation[i] > split->validation[i - 1]);
        seen[split->validation[i]]++;
    }
    for (size_t i = 0; i < dataset->n_items; i++)
        assert_int_equal(seen[i], 1);
}

static size_t count_validation(const meso_dataset *dataset, const meso_split *split, int label)
{
    size_t n = 0;
    for (size_t i = 0; i < split->n_validation; i++)
        n += dataset->items[split->validation[i]].label == (meso_label)label;
    return n;
}

static void takes_blocks_as_keras_does(void **state)
{
    const meso_dataset dataset = make(11, 29, 0);
    static const size_t first[] = {0, 1, 11, 12, 13, 14, 15}, last[] = {9, 10, 35, 36, 37, 38, 39};
    meso_split split;
    (void)state;
    assert_int_equal(meso_split_make(&dataset, MESO_SPLIT_FIRST, 0.2, 1, &split, NULL), MESO_OK);
    check_partition(&dataset, &split);
    assert_int_equal(split.n_validation, 7); /* int(2.2) + int(5.8) */
    assert_memory_equal(split.validation, first, sizeof first);
    meso_split_free(&split);
    assert_int_equal(meso_split_make(&dataset, MESO_SPLIT_LAST, 0.2, 1, &split, NULL), MESO_OK);
    check_partition(&dataset, &split);
    assert_memory_equal(split.validation, last, sizeof last);
    meso_split_free(&split);
    assert_int_equal(meso_split_make(&dataset, MESO_SPLIT_LAST, 0, 1, &split, NULL), MESO_OK);
    assert_int_equal(split.n_train, 40);
    meso_split_free(&split);
}

static void draws_by_the_seed(void **state)
{
    const meso_dataset dataset = make(50, 150, 0);
    meso_split a, b, c;
    (void)state;
    assert_int_equal(meso_split_make(&dataset, MESO_SPLIT_RANDOM, 0.3, 1, &a, NULL), MESO_OK);
    assert_int_equal(meso_split_make(&dataset, MESO_SPLIT_RANDOM, 0.3, 1, &b, NULL), MESO_OK);
    assert_int_equal(meso_split_make(&dataset, MESO_SPLIT_RANDOM, 0.3, 2, &c, NULL), MESO_OK);
    check_partition(&dataset, &a);
    assert_int_equal(count_validation(&dataset, &a, MESO_FAKE), 15);
    assert_int_equal(count_validation(&dataset, &a, MESO_REAL), 45);
    assert_memory_equal(a.validation, b.validation, 60 * sizeof *a.validation);
    assert_memory_not_equal(a.validation, c.validation, 60 * sizeof *a.validation);
    meso_split_free(&a);
    meso_split_free(&b);
    meso_split_free(&c);
}

/* No group on both sides, and each class near its share. */
static void keeps_groups_together(void **state)
{
    const meso_dataset dataset = make(120, 240, 7);
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        unsigned char side[max_items] = {0};
        meso_split split;
        assert_int_equal(meso_split_make(&dataset, MESO_SPLIT_GROUP, 0.25, seed, &split, NULL),
                         MESO_OK);
        check_partition(&dataset, &split);
        for (size_t i = 0; i < split.n_validation; i++)
            side[split.validation[i]] = 1;
        for (size_t i = 1; i < dataset.n_items; i++)
            if (strcmp(groups[i], groups[i - 1]) == 0)
                assert_int_equal(side[i], side[i - 1]);
        for (int label = 0; label < 2; label++) {
            double wanted = 0.25 * (double)dataset.n_class[label];
            double off = (double)count_validation(&dataset, &split, label) - wanted;
            if (!(off <= 7 && off >= -7))
                fail_msg("seed %d class %d: off by %g", (int)seed, label, off);
        }
        meso_split_free(&split);
    }
}

static void refuses(const meso_dataset *dataset, meso_split_kind kind, double fraction,
                    meso_status wanted, const char *words)
{
    meso_split split = {0};
    meso_error error;
    assert_int_equal(meso_split_make(dataset, kind, fraction, 1, &split, &error), wanted);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" does not say \"%s\"", error.text, words);
    assert_null(split.train);
}

static void refuses_what_leaves_nothing(void **state)
{
    (void)state;
    const meso_dataset small = make(4, 100, 0), one = make(0, 10, 0);
    for (int kind = MESO_SPLIT_FIRST; kind <= MESO_SPLIT_RANDOM; kind++)
        refuses(&small, (meso_split_kind)kind, 0.2, MESO_ERROR_DATA,
                "none of the 4 images of the class fake for validation");
    refuses(&small, MESO_SPLIT_GROUP, 0.2, MESO_ERROR_DATA, "group");
    refuses(&small, MESO_SPLIT_FIRST, 1, MESO_ERROR_ARGUMENT, "below 1");
    refuses(&small, MESO_SPLIT_FIRST, -0.1, MESO_ERROR_ARGUMENT, "at least 0");
    refuses(&one, MESO_SPLIT_FIRST, 0.2, MESO_ERROR_DATA, "no images of the class fake");
    const meso_dataset together = make(10, 10, 20);
    refuses(&together, MESO_SPLIT_GROUP, 0.4, MESO_ERROR_DATA, "for validation");
    const meso_dataset all = make(10, 10, 20);
    refuses(&all, MESO_SPLIT_GROUP, 0.9, MESO_ERROR_DATA, "for training");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_blocks_as_keras_does), cmocka_unit_test(draws_by_the_seed),
        cmocka_unit_test(keeps_groups_together), cmocka_unit_test(refuses_what_leaves_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
