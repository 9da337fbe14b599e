/* SPDX-License-Identifier: Apache-2.0
 *
 * What is planted among drawn pictures is found, and nothing else is: 500 pictures, or 5000 where
 * MESO_FULL=1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/list/csv.h"
#include "demo/demo_data.h"
#include "harness_device.h"
#include "harness_run.h"
#include "study/result/study_findings.h"

static int is_full(void)
{
    const char *full = getenv("MESO_FULL");
    return full && strcmp(full, "1") == 0;
}

static void write_sets(const study_demo_set *sets, size_t n_sets, size_t n_per_class, unsigned side)
{
    const study_demo_options options = {.folder = "drawn",
                                        .sets = sets,
                                        .n_sets = n_sets,
                                        .n_per_class = n_per_class,
                                        .side = side,
                                        .seed = 3};
    meso_error error;
    if (study_demo_write(&options, &error) != MESO_OK)
        fail_msg("%s", error.text);
}

static void scan(meso_device *device, const char *path, study_dataset *dataset)
{
    study_scan_options options = STUDY_SCAN_OPTIONS_INIT;
    meso_dataset files = MESO_INIT(meso_dataset);
    meso_error error;
    options.device = device;
    if (meso_dataset_open(path, NULL, &files, &error) != MESO_OK ||
        study_scan(path, path, &files, &options, dataset, &error) != MESO_OK)
        fail_msg("%s", error.text);
}

/* The image whose path ends so. */
static size_t find(const study_dataset *dataset, const char *name)
{
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        const char *path = dataset->files.items[i].path;
        if (strlen(path) > strlen(name) && strcmp(path + strlen(path) - strlen(name), name) == 0)
            return i;
    }
    fail_msg("no file %s", name);
    return 0;
}

static int has_pair(const study_pairs *pairs, size_t a, size_t b, int near)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (((pairs->pairs[i].a == a && pairs->pairs[i].b == b) ||
             (pairs->pairs[i].a == b && pairs->pairs[i].b == a)) &&
            (pairs->pairs[i].kind == STUDY_NEAR) == near)
            return 1;
    return 0;
}

typedef struct tally {
    size_t planted[4], found[4]; /* exact, near, conflict, leak */
} tally;

/* Goes through planted.csv. */
static void count_found(const study_dataset *control, const study_dataset *faulty,
                        const study_facts *facts, tally *t)
{
    static const char *const kinds[4] = {"exact", "near", "conflict", "leak"};
    void *text = NULL;
    size_t n;
    meso_csv csv;
    assert_int_equal(meso_file_read("drawn/planted.csv", 1 << 24, &text, &n, NULL, NULL), MESO_OK);
    meso_csv_start(&csv, text, n, "planted.csv");
    assert_int_equal(meso_csv_next(&csv, NULL), MESO_OK);
    while (meso_csv_next(&csv, NULL) == MESO_OK && csv.n_fields > 0) {
        int kind = 0;
        while (strcmp(csv.fields[0], kinds[kind]) != 0)
            kind++;
        size_t file = find(faulty, csv.fields[1]);
        size_t source = find(kind == 3 ? control : faulty, csv.fields[2]);
        t->planted[kind]++;
        t->found[kind] +=
            (size_t)(kind == 3 ? has_pair(&facts->pairs[0].leaks, source, file, 0)
                               : has_pair(&facts->sets[1].duplicates, source, file, kind == 1));
    }
    free(text);
}

/* Each fault is a finding with its number, and the sets are not taken for each other. */
static void check_findings(const study_facts *facts, const tally *t)
{
    study_findings findings;
    size_t n_conflicts = 0, n_leaks = 0;
    assert_int_equal(study_findings_create(facts, &findings, NULL), MESO_OK);
    for (size_t i = 0; i < findings.n; i++) {
        const study_finding *f = &findings.rows[i];
        if (f->kind == STUDY_LABEL_CONFLICT) {
            assert_true(f->set == 1 && f->other == STUDY_NO_SET);
            assert_int_equal(f->number[0], t->planted[2]);
            n_conflicts++;
        }
        if (f->kind == STUDY_LEAKAGE) {
            assert_true(f->set == 0 && f->other == 1);
            assert_int_equal(f->number[0], t->planted[3]);
            n_leaks++;
        }
        assert_true(f->kind != STUDY_IMBALANCE && f->kind != STUDY_REFUSED);
    }
    assert_true(n_conflicts == 1 && n_leaks == 1);
    study_findings_free(&findings);
}

static void planted_faults_are_found_and_no_others(void **state)
{
    const size_t scale = is_full() ? 10 : 1;
    const study_demo_set sets[2] = {
        {"control", "", {1, 0, 1, 5}, {92, 92}, 0, 0, 0, 0},
        {"faulty", "", {0.3, 0, 1, 5}, {85, 85}, 20 * scale, 20 * scale, 5 * scale, 10 * scale}};
    meso_device *device = harness_device();
    const study_facts_options options = {.n_train = 1, .n_resamples = 20};
    study_dataset sets_scanned[2], *control = &sets_scanned[0], *faulty = &sets_scanned[1];
    study_facts facts;
    tally t = {{0}, {0}};
    meso_error error;
    (void)state;
    write_sets(sets, 2, 250 * scale, 96);
    scan(device, "drawn/control", control);
    scan(device, "drawn/faulty", faulty);
    assert_int_equal(study_facts_create(sets_scanned, 2, &options, &facts, &error), MESO_OK);
    count_found(control, faulty, &facts, &t);

    printf("exact %zu of %zu, near %zu of %zu, conflicts %zu of %zu, leaks %zu of %zu\n",
           t.found[0], t.planted[0], t.found[1], t.planted[1], t.found[2], t.planted[2], t.found[3],
           t.planted[3]);
    assert_int_equal(t.planted[0], 20 * scale);
    assert_int_equal(t.found[0], t.planted[0]);
    assert_true((double)t.found[1] >= 0.99 * (double)t.planted[1]);
    assert_int_equal(t.found[2], t.planted[2]);
    assert_int_equal(t.found[3], t.planted[3]);

    /* Nothing else: conflicts are the same file in both classes, so they are counted there, too. */
    const size_t *pairs = facts.sets[1].n_duplicates, *leaks = facts.pairs[0].n_leaks;
    assert_int_equal(pairs[STUDY_SAME_FILE] + pairs[STUDY_SAME_PIXELS],
                     t.planted[0] + t.planted[2]);
    assert_int_equal(facts.sets[1].n_conflicts, t.planted[2]);
    assert_int_equal(leaks[STUDY_SAME_FILE], t.planted[3]);
    assert_int_equal(leaks[STUDY_SAME_PIXELS], 0);
    size_t false_near = pairs[STUDY_NEAR] - t.found[1] + leaks[STUDY_NEAR];
    printf("false near pairs: %zu of %zu images\n", false_near, faulty->files.n_items);
    assert_true((double)false_near <= 0.001 * (double)faulty->files.n_items);
    check_findings(&facts, &t);

    study_facts_free(&facts);
    study_dataset_free(control);
    study_dataset_free(faulty);
    meso_device_close(device);
}

/* Reals and fakes drawn alike, encoded differently. */
static void a_planted_shortcut_comes_first(void **state)
{
    const study_demo_set set = {"quality", "", {0, 0, 1, 5}, {70, 95}, 0, 0, 0, 0};
    meso_device *device = harness_device();
    study_dataset dataset;
    const study_facts_options options = {.n_resamples = 200};
    study_facts facts;
    meso_error error;
    int seen = 0;
    (void)state;
    write_sets(&set, 1, 60, 64);
    scan(device, "drawn/quality", &dataset);
    assert_int_equal(study_facts_create(&dataset, 1, &options, &facts, &error), MESO_OK);
    const study_shortcut *shortcuts = facts.sets[0].shortcuts;
    assert_true(shortcuts[0].warn);
    for (size_t i = 0; i < facts.sets[0].n_shortcuts && shortcuts[i].warn; i++)
        if (shortcuts[i].property == STUDY_JPEG_QUALITY) {
            seen = 1;
            assert_true(shortcuts[i].auc >= 0.99);
            assert_true(shortcuts[i].real_is_higher);
            assert_true(i < 4); /* beside others that follow from it */
        }
    assert_true(seen);
    study_facts_free(&facts);
    study_dataset_free(&dataset);
    meso_device_close(device);
}

/* Both classes drawn and encoded alike: no property may be called a shortcut. */
static void nothing_is_found_where_nothing_is(void **state)
{
    const study_demo_set set = {"alike", "", {0, 0, 1, 5}, {90, 90}, 0, 0, 0, 0};
    meso_device *device = harness_device();
    study_dataset dataset;
    const study_facts_options options = {.n_resamples = 200};
    study_facts facts;
    meso_error error;
    (void)state;
    write_sets(&set, 1, 100, 64);
    scan(device, "drawn/alike", &dataset);
    for (size_t i = 0; i < dataset.files.n_items;
         i++) /* fakes differ in their eyes: labels by lot */
        dataset.files.items[i].label = (meso_label)(dataset.images[i].file_hash[0] & 1);
    dataset.n_usable[0] = dataset.n_usable[1] = dataset.files.n_class[0] =
        dataset.files.n_class[1] = 0;
    for (size_t i = 0; i < dataset.files.n_items; i++) {
        dataset.n_usable[dataset.files.items[i].label]++;
        dataset.files.n_class[dataset.files.items[i].label]++;
    }
    assert_int_equal(study_facts_create(&dataset, 1, &options, &facts, &error), MESO_OK);
    for (size_t i = 0; i < facts.sets[0].n_shortcuts; i++)
        assert_false(facts.sets[0].shortcuts[i].warn);
    for (int v = 0; v < STUDY_N_VIEWS; v++)
        assert_false(study_is_shortcut(facts.sets[0].view_interval[v]));
    assert_int_equal(facts.sets[0].duplicates.n, 0);
    study_facts_free(&facts);
    study_dataset_free(&dataset);
    meso_device_close(device);
}

#define IN_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, harness_enter_folder, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {IN_FOLDER(planted_faults_are_found_and_no_others),
                                       IN_FOLDER(a_planted_shortcut_comes_first),
                                       IN_FOLDER(nothing_is_found_where_nothing_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
