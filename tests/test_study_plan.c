/* SPDX-License-Identifier: Apache-2.0
 *
 * Plans of studies: what is read from study.json, what is refused, and by which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness_run.h"
#include "study/plan/study_plan.h"

static meso_status take(const char *text, study_plan *plan, meso_error *error)
{
    json_error_t at;
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &at);
    if (!document)
        fail_msg("%s: %s", text, at.text);
    return study_plan_take(document, "study.json", "/somewhere", plan, error);
}

static void test_defaults(void **state)
{
    (void)state;
    study_plan plan;
    meso_error error = {0};
    if (take("{\"train\": {\"a\": \"x\", \"b\": {\"path\": \"/y\", \"group\": \"(g)\"}}, "
             "\"test\": {\"t\": \"z\"}}",
             &plan, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_int_equal(plan.n_train, 2);
    assert_string_equal(plan.train[0].path, "/somewhere/x");
    assert_string_equal(plan.train[1].path, "/y");
    assert_string_equal(plan.train[1].group, "(g)");
    assert_int_equal(plan.n_variants, 1);
    assert_string_equal(plan.variants[0].options.net, "meso4");
    assert_int_equal(plan.variants[0].options.epochs, 10);
    assert_int_equal(plan.n_seeds, 3);
    assert_true(plan.seeds[2] == 3 && plan.variants[0].options.batch == 32 && plan.equalize &&
                !plan.keep_leaks);
    assert_int_equal(study_plan_n_jobs(&plan), 6);
    char name[STUDY_JOB_NAME_SIZE];
    study_job_name(&plan, study_plan_job(&plan, 3), name);
    assert_string_equal(name, "b.scratch.2"); /* all sets with the first seed, then the next */

    /* What was filled in stands in the document: read again it is the same plan. */
    study_plan again;
    assert_int_equal(study_plan_take(json_deep_copy(plan.document), "again", "/", &again, &error),
                     MESO_OK);
    assert_true(json_equal(plan.document, again.document));
    assert_string_equal(again.train[0].path, "/somewhere/x");
    study_plan_free(&plan);
    study_plan_free(&again);
}

static void test_devices(void **state)
{
    static const struct {
        const char *device;
        size_t job;
        const char *expected;
    } rows[] = {
        {"0:0,12:1,2:0", 0, "0:0"}, {"0:0,12:1,2:0", 4, "12:1"},
        {"0:0,12:1,2:0", 5, "2:0"}, {"0:0", 7, "0:0"},
        {"all", 7, "all"},          {"llvmpipe (LLVM 15, 256", 1, "llvmpipe (LLVM 15, 256"}};
    char got[STUDY_DEVICE_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const study_plan plan = {.device = rows[i].device};
        assert_string_equal(study_plan_device(&plan, rows[i].job, got), rows[i].expected);
    }
}

static void test_protocol(void **state)
{
    (void)state;
    study_plan plan;
    assert_int_equal(take("{\"train\": {\"a\": \"x\"}, \"test\": {\"t\": \"z\"}, \"seeds\": [7], "
                          "\"protocol\": \"ucla\"}",
                          &plan, NULL),
                     MESO_OK);
    assert_true(plan.variants[0].options.batch == 64 && plan.variants[0].options.epochs == 1 &&
                plan.seeds[0] == 7);
    assert_int_equal(plan.variants[0].options.loss, MESO_LOSS_MSE);
    assert_string_equal(plan.variants[0].options.augment, "none");
    study_plan_free(&plan);
}

#define SETS "\"train\": {\"a\": \"x\"}, \"test\": {\"t\": \"z\"}"

/* What the plan says holds for variants that say nothing; paths of both kinds are found. */
static void test_variants(void **state)
{
    (void)state;
    study_plan plan;
    meso_error error = {0};
    if (take("{" SETS ", \"batch\": 16, \"loss\": \"bce\", \"variants\": {"
             "\"a\": {\"batch\": 8, \"learning_rate\": 0.5, \"init\": \"w.safetensors\"}, "
             "\"b\": {\"net\": \"my.net\", \"lr\": 0.25, \"early_stop\": \"3\"}}}",
             &plan, &error) != MESO_OK)
        fail_msg("%s", error.text);
    const meso_train_options *a = &plan.variants[0].options, *b = &plan.variants[1].options;
    assert_true(a->batch == 8 && b->batch == 16);
    assert_true(a->loss == MESO_LOSS_BCE && b->loss == MESO_LOSS_BCE);
    assert_true(a->learning_rate == 0.5 && b->learning_rate == 0.25);
    assert_true(!a->early_stop.on && b->early_stop.on && b->early_stop.patience == 3);
    assert_string_equal(a->net, "meso4");
    assert_string_equal(a->init, "/somewhere/w.safetensors");
    assert_string_equal(b->net, "/somewhere/my.net");
    const json_t *said = json_object_get(json_object_get(plan.document, "variants"), "a");
    assert_null(json_object_get(said, "lr")); /* no second word for the rate */
    assert_int_equal(json_integer_value(json_object_get(said, "epochs")), 10);
    study_plan_free(&plan);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words[2];
    } rows[] = {
        {"[]", {"the document", "takes an object"}},
        {"{}", {"train", "at least one"}},
        {"{\"train\": {\"a\": \"x\"}, \"test\": {}}", {"test:", "at least one"}},
        {"{\"train\": {\"a\": \"x\"}, \"test\": {\"a\": \"z\"}}", {"test.a", "has the same name"}},
        {"{\"train\": {\"a/b\": \"x\"}, \"test\": {\"t\": \"z\"}}", {"train:", "cannot be a name"}},
        {"{\"train\": {\"a\": {}}, \"test\": {\"t\": \"z\"}}", {"train.a.path", "missing"}},
        {"{\"train\": {\"a\": {\"folder\": \"x\"}}, \"test\": {\"t\": \"z\"}}",
         {"train.a.folder", "known are path"}},
        {"{" SETS ", \"sedes\": 3}", {"sedes: unknown key", "seeds"}},
        {"{" SETS ", \"variants\": {\"v\": {\"epoch\": 3}}}",
         {"variants.v.epoch: unknown key", "epochs"}},
        {"{" SETS ", \"variants\": {\"v\": {\"epochs\": -1}}}",
         {"variants.v.epochs", "whole number"}},
        {"{" SETS ", \"variants\": {\"v\": {\"epochs\": 1.5}}}",
         {"variants.v.epochs", "whole number"}},
        {"{" SETS ", \"variants\": {\"v\": {\"lr\": 0}}}", {"variants.v.lr", "takes a number"}},
        {"{" SETS ", \"variants\": {\"v\": {\"net\": 4}}}", {"variants.v.net", "takes a text"}},
        {"{" SETS ", \"variants\": {}}", {"variants", "at least one"}},
        {"{" SETS ", \"variants\": {\"v\": {\"lr\": 1, \"learning_rate\": 1}}}",
         {"variants.v.lr", "is learning_rate"}},
        {"{" SETS ", \"variants\": {\"v\": {\"seed\": 1}}}",
         {"variants.v.seed", "the study's seeds"}},
        {"{" SETS ", \"seeds\": 0}", {"seeds", "1 to 100"}},
        {"{" SETS ", \"seeds\": [1, 1]}", {"seeds[1]", "twice"}},
        {"{" SETS ", \"seeds\": [\"1\"]}", {"seeds[0]", "whole number"}},
        {"{" SETS ", \"loss\": \"mae\"}", {"loss", "takes one of mse|bce|cce, not \"mae\""}},
        {"{" SETS ", \"equalize\": 2}", {"equalize", "yes or no"}},
        {"{" SETS ", \"batch\": 0}", {"batch", "from 1 to"}}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        study_plan plan;
        meso_error error = {0};
        assert_int_equal(take(rows[i].text, &plan, &error), MESO_ERROR_DATA);
        for (int w = 0; w < 2; w++)
            if (!strstr(error.text, rows[i].words[w]))
                fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].text, error.text,
                         rows[i].words[w]);
    }
}

static void test_file(void **state)
{
    (void)state;
    study_plan plan;
    meso_error error = {0};
    harness_put("study.json", "{\"train\": {\"a\": \"x\"},\n \"test\": {\"t\": \"z\"}}", 0);
    json_t *overrides = json_pack("{s:i}", "seeds", 5);
    assert_int_equal(study_plan_read("study.json", overrides, &plan, &error), MESO_OK);
    assert_int_equal(plan.n_seeds, 5);
    assert_true(plan.train[0].path[0] == '/' && strstr(plan.train[0].path, "/x"));
    study_plan_free(&plan);
    json_decref(overrides);
    harness_put("twice.json", "{\"train\": {\"a\": \"x\",\n \"a\": \"y\"}}", 0);
    assert_int_equal(study_plan_read("twice.json", NULL, &plan, &error), MESO_ERROR_DATA);
    assert_non_null(strstr(error.text, "twice.json:2:"));
    assert_int_equal(study_plan_read("none.json", NULL, &plan, &error), MESO_ERROR_NO_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_protocol),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_refused),
        cmocka_unit_test_setup_teardown(test_file, harness_enter_folder, harness_leave_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
