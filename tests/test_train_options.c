/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of training options: what changes a result stands in it, and is set through
 * config.json, the command lines of `mesocl train` and `dataset_bench run`, and a study's variant
 * alike, with one range and one sentence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "harness_run.h"
#include "model/train/train_options.h"
#include "study/plan/study_plan.h"
#include "study_run.h"
#include "train_command.h"

#define EACH_ROW(row)                                           \
    for (const meso_train_option *row = meso_train_option_rows; \
         row < meso_train_option_rows + meso_n_train_option_rows; row++)

/* ---- the four ways ---- */

/* Each takes a value as JSON; where that is none of the option, error has the sentence. */
typedef meso_status way(const meso_train_option *row, const json_t *value,
                        meso_train_options *options, meso_error *error);

static json_t *kept; /* owns the strings of what was read last */

static void keep(json_t *document)
{
    json_decref(kept);
    kept = document;
}

static meso_status by_config(const meso_train_option *row, const json_t *value,
                             meso_train_options *options, meso_error *error)
{
    const meso_train_options usual = MESO_TRAIN_OPTIONS_INIT;
    *options = usual;
    keep(meso_train_config_json(options));
    if (row->parse && row->parts) { /* config.json has the parts one by one */
        meso_train_options parsed = usual;
        if (row->parse(json_string_value(value), &parsed, NULL) == MESO_OK) {
            keep(meso_train_config_json(&parsed));
            return meso_train_config_read(kept, options, error);
        }
    }
    if (strcmp(row->field.key, "early_stop") == 0) /* a number alone is its patience */
        json_object_set_new(kept, "early_stop_patience",
                            json_loads(json_string_value(value), JSON_DECODE_ANY, NULL));
    else
        json_object_set(kept, row->field.key, (json_t *)value);
    return meso_train_config_read(kept, options, error);
}

static const char *text_of(const json_t *value, char out[64])
{
    if (json_is_string(value))
        return json_string_value(value);
    out[json_dumpb(value, out, 63, JSON_ENCODE_ANY)] = '\0';
    return out;
}

/* Is it a wrong command line? What comes behind it is not. */
static int is_wrong(const char *program, const char *const *words, meso_error *error)
{
    harness_result r = harness_run(&(harness_command){.program = program, .argv = words});
    const int wrong = r.code == 2 && strstr(r.err, "; try: ");
    if (wrong)
        meso_fail(error, MESO_ERROR_ARGUMENT, "%s", r.err);
    harness_forget(&r);
    return wrong;
}

static void write_word(const meso_train_option *row, const json_t *value, char word[128])
{
    char text[64];
    if (json_is_boolean(value))
        snprintf(word, 128, "--%s", row->name);
    else
        snprintf(word, 128, "--%s=%s", row->name, text_of(value, text));
}

static meso_status by_command_line(const meso_train_option *row, const json_t *value,
                                   meso_train_options *options, meso_error *error)
{
    char word[128];
    train_command command = TRAIN_COMMAND_INIT;
    const int has_data = strcmp(row->field.key, "manifest") != 0;
    const char *words[] = {"train", "-o", "run", word, has_data ? "none" : NULL, NULL};
    write_word(row, value, word);
    if (is_wrong(NULL, words, error))
        return MESO_ERROR_ARGUMENT;
    assert_int_equal(train_command_parse(&command, 4 + has_data, (char **)words), -1);
    *options = command.options;
    return MESO_OK;
}

static meso_status by_study_command(const meso_train_option *row, const json_t *value,
                                    meso_train_options *options, meso_error *error)
{
    char word[128];
    db_run_options command = {.overrides = json_object()};
    study_plan plan;
    const char *words[] = {"run", "--train=a=x", "--test=t=z", "-o", "s", word, NULL};
    write_word(row, value, word);
    if (is_wrong(DATASET_BENCH_PROGRAM, words, error))
        return MESO_ERROR_ARGUMENT;
    assert_int_equal(db_run_options_parse(6, (char **)words, &command), -1);
    assert_int_equal(db_run_options_plan(&command, &plan, NULL), MESO_OK);
    *options = plan.variants[0].options;
    keep(json_incref(plan.document));
    study_plan_free(&plan);
    db_run_options_free(&command);
    return MESO_OK;
}

static meso_status by_variant(const meso_train_option *row, const json_t *value,
                              meso_train_options *options, meso_error *error)
{
    study_plan plan;
    json_t *document = json_pack("{s:{s:s}, s:{s:s}, s:{s:{s:O}}}", "train", "a", "x", "test", "t",
                                 "z", "variants", "v", row->field.key, value);
    meso_status status = study_plan_take(json_incref(document), "plan", "", &plan, error);
    if (status == MESO_OK) {
        *options = plan.variants[0].options;
        study_plan_free(&plan);
    }
    keep(document);
    return status;
}

/* ---- values ---- */

/* One that the option takes and has not by itself, and one that it does not take, with the reason.
 */
typedef struct sample {
    const char *key, *good, *bad, *sentence;
} sample;

static const sample samples[] = {
    {"augment", "\"rotation=7\"", "\"rotation=-1\"", "takes a number from 0 to 360, not \"-1\""},
    {"schedule", "\"epochs,every=7,rate=0.5\"", "\"never\"",
     "takes one of constant|exponential|epochs|iterations, not \"never\""},
    {"early_stop", "\"patience=3,min_delta=0.5,restore_best=1\"", "\"-1\"",
     "takes a whole number from 0 to 1e+15, not \"-1\""},
    {"seed", "7", "\"x\"", "takes a whole number, not \"x\""},
};

static void sample_of(const meso_train_option *row, json_t **good, json_t **bad, char *sentence)
{
    const meso_field *f = &row->field;
    size_t n = 0;
    const char *word = f->words ? meso_word_at(f->words, 1, &n) : NULL;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        if (strcmp(samples[i].key, f->key) == 0) {
            *good = json_loads(samples[i].good, JSON_DECODE_ANY, NULL);
            *bad = json_loads(samples[i].bad, JSON_DECODE_ANY, NULL);
            strcpy(sentence, samples[i].sentence);
            return;
        }
    *good = *bad = NULL;
    switch (f->kind) {
    case MESO_FIELD_TEXT:
        *good = json_string("/some/thing");
        break;
    case MESO_FIELD_WHOLE:
        *good = json_integer(7);
        *bad = json_integer((json_int_t)f->high + 1);
        sprintf(sentence, "takes a whole number from %.15g to %.15g, not \"%.0f\"", f->low, f->high,
                f->high + 1);
        break;
    case MESO_FIELD_REAL:
        *good = json_real(0.5);
        *bad = json_integer(-1);
        sprintf(sentence, "takes a number from %.15g to %.15g, not \"-1\"", f->low, f->high);
        break;
    case MESO_FIELD_SWITCH:
        *good = json_true();
        break;
    case MESO_FIELD_CHOICE:
        *good = json_stringn(word, n);
        *bad = json_string("none of them");
        sprintf(sentence, "takes one of %s, not \"none of them\"", f->words);
        break;
    }
}

/* All that the row fills, in the words of config.json. */
static json_t *values_of(const meso_train_option *row, const meso_train_options *options)
{
    json_t *values = json_object();
    const char *base = (const char *)options;
    json_object_set_new(values, row->field.key, meso_field_to_json(&row->field, base));
    for (size_t p = 0; p < row->n_parts; p++)
        json_object_set_new(values, row->parts[p].key,
                            meso_field_to_json(&row->parts[p], base + row->field.offset));
    return values;
}

static void try_way(const char *name, way *set, const meso_train_option *row, const json_t *good,
                    const json_t *expected, const json_t *bad, const char *sentence)
{
    meso_train_options options;
    meso_error error = {0};
    if (set(row, good, &options, &error) != MESO_OK)
        fail_msg("%s of %s: %s", row->field.key, name, error.text);
    json_t *values = values_of(row, &options);
    if (!json_equal(values, (json_t *)expected))
        fail_msg("%s of %s: %s instead of %s", row->field.key, name,
                 json_dumps(values, JSON_COMPACT), json_dumps(expected, JSON_COMPACT));
    json_decref(values);
    if (!bad)
        return;
    if (set(row, bad, &options, &error) == MESO_OK)
        fail_msg("%s of %s: took what it should not", row->field.key, name);
    if (!strstr(error.text, sentence))
        fail_msg("%s of %s: \"%s\" does not say \"%s\"", row->field.key, name, error.text,
                 sentence);
}

static void every_option_by_every_way(void **state)
{
    size_t n_varied = 0;
    (void)state;
    EACH_ROW(row)
    {
        const meso_train_options usual = MESO_TRAIN_OPTIONS_INIT;
        meso_train_options options = usual;
        json_t *good = NULL, *bad = NULL;
        char sentence[256];
        sample_of(row, &good, &bad, sentence);
        assert_int_equal(meso_train_option_from_json(row, good, &options, NULL), MESO_OK);
        json_t *expected = values_of(row, &options), *before = values_of(row, &usual);
        assert_false(json_equal(expected, before));    /* so that it is seen to arrive */
        const int as_text = row->parse && !row->parts; /* config.json keeps it; the run reads it */
        try_way("config.json", by_config, row, good, expected, as_text ? NULL : bad, sentence);
        if (row->name)
            try_way("the command line", by_command_line, row, good, expected, bad, sentence);
        if (!row->fixed) {
            try_way("a variant", by_variant, row, good, expected, bad, sentence);
            try_way("dataset_bench run", by_study_command, row, good, expected, bad, sentence);
        }
        n_varied += !row->fixed;
        json_decref(good);
        json_decref(bad);
        json_decref(expected);
        json_decref(before);
    }
    assert_true(n_varied >= 25);
    keep(NULL);
}

static void what_cannot_vary_says_why(void **state)
{
    (void)state;
    EACH_ROW(row)
    {
        meso_train_options options;
        meso_error error = {0};
        json_t *value = json_integer(1);
        if (row->fixed) {
            assert_int_equal(by_variant(row, value, &options, &error), MESO_ERROR_DATA);
            if (!strstr(error.text, row->fixed) || !strstr(error.text, row->field.key))
                fail_msg("%s: \"%s\"", row->field.key, error.text);
        }
        json_decref(value);
    }
    const meso_train_option part = {.field = {.key = "schedule_rate"}};
    meso_train_options options;
    meso_error error = {0};
    json_t *value = json_real(0.1);
    assert_int_equal(by_variant(&part, value, &options, &error), MESO_ERROR_DATA);
    assert_non_null(strstr(error.text, "variants.v.schedule_rate: is a setting of schedule"));
    json_decref(value);
    keep(NULL);
}

/* ---- nothing is left out ---- */

static void mark(unsigned char *taken, size_t offset, size_t bytes)
{
    memset(taken + offset, 1, bytes);
}

/* Bytes of the options that no row fills belong to what changes no result, or are padding: four
 * bytes in front of a member of eight. */
static void every_member_is_in_the_table(void **state)
{
    static const size_t bytes[] = {[MESO_FIELD_TEXT] = sizeof(char *),
                                   [MESO_FIELD_WHOLE] = 8,
                                   [MESO_FIELD_REAL] = 8,
                                   [MESO_FIELD_SWITCH] = sizeof(int),
                                   [MESO_FIELD_CHOICE] = sizeof(int)};
    unsigned char taken[sizeof(meso_train_options)] = {0};
    const meso_field *field;
    size_t shift;
    (void)state;
#define NO_INFLUENCE(member) \
    mark(taken, offsetof(meso_train_options, member), sizeof((meso_train_options *)0)->member)
    NO_INFLUENCE(struct_bytes);
    NO_INFLUENCE(run);
    NO_INFLUENCE(n_threads);
    NO_INFLUENCE(n_lanes);
    NO_INFLUENCE(cache_bytes);
    for (size_t i = 0; (field = meso_train_option_field(i, &shift)); i++)
        mark(taken, shift + field->offset, bytes[field->kind]);
    for (size_t i = 0; i < sizeof taken; i++)
        if (!taken[i] && (i % 8 < 4 || (i % 8 == 4 && !taken[i - 1])))
            fail_msg("byte %zu of meso_train_options is in no row", i);
}

/* What --help offers is in the table, or changes no result, or is another word for a row. */
static void every_word_is_in_the_table(void **state)
{
    static const char others[] =
        "output|force|resume|device|json|cache-mb|threads|progress-fd|help|no-fuse|"
        "aug-compat";
    harness_result r = harness_run(&(harness_command){.words = "train --help"});
    size_t n = 0, n_named = 0;
    (void)state;
    for (const char *at = strstr(r.out, "Options:"); (at = strstr(at, "\n  ")); at++) {
        char name[32];
        if (strncmp(at, "\n      --", 9) != 0 && strncmp(at + 5, ", --", 4) != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 9, " \n"), at + 9);
        n++;
        if (meso_word_find(others, name) < 0 && !meso_train_option_find(name))
            fail_msg("--%s is not in the table", name);
    }
    EACH_ROW(row)
    {
        n_named += row->name != NULL;
    }
    assert_int_equal(n, n_named + 11);
    harness_forget(&r);
}

/* The guide names each option that a study's variant can have. */
static void the_guide_names_what_varies(void **state)
{
    void *text = NULL;
    size_t n;
    (void)state;
    assert_int_equal(meso_file_read("docs/studies.md", 1 << 20, &text, &n, NULL, NULL), MESO_OK);
    EACH_ROW(row)
    {
        char word[64];
        snprintf(word, sizeof word, "`%s`", row->field.key);
        if (!row->fixed && !strstr(text, word))
            fail_msg("docs/studies.md does not name %s", word);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_option_by_every_way, harness_enter_folder,
                                        harness_leave_folder),
        cmocka_unit_test(what_cannot_vary_says_why), cmocka_unit_test(every_member_is_in_the_table),
        cmocka_unit_test(every_word_is_in_the_table),
        cmocka_unit_test(the_guide_names_what_varies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
