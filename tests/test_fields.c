/* SPDX-License-Identifier: Apache-2.0
 *
 * Members of a struct ⇄ text and JSON by base/fields.h: every kind there and back, and the
 * sentences for what a field does not take.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fields.h"

typedef struct thing {
    const char *text;
    uint64_t whole, any;
    double real;
    int on, choice;
} thing;

#define AT(member) offsetof(thing, member)
static const meso_field fields[] = {
    {"the_text", MESO_FIELD_TEXT, AT(text), 0, 0, NULL, 0},
    {"the_whole", MESO_FIELD_WHOLE, AT(whole), 1, 9, NULL, 0},
    {"the_any", MESO_FIELD_WHOLE, AT(any), 0, 0, NULL, 0},
    {"the_real", MESO_FIELD_REAL, AT(real), 0, 1, NULL, 0},
    {"the_on", MESO_FIELD_SWITCH, AT(on), 0, 0, NULL, 0},
    {"the_choice", MESO_FIELD_CHOICE, AT(choice), 0, 0, "one|two|three", 0},
};
enum { n_fields = sizeof fields / sizeof fields[0], whole = 1, any, real, on, choice };

static const thing sample = {"x \"y\"", 7, UINT64_MAX, 0.1 + 0.2, 1, 2};

static void json_gives_the_same_bits(void **state)
{
    (void)state;
    thing again = {0};
    json_t *document = meso_fields_to_json(fields, n_fields, &sample);
    char *text = json_dumps(document, JSON_COMPACT);
    assert_string_equal(text, "{\"the_text\":\"x \\\"y\\\"\",\"the_whole\":7,\"the_any\":-1,"
                              "\"the_real\":0.30000000000000004,\"the_on\":\"yes\","
                              "\"the_choice\":\"three\"}");
    free(text);
    assert_int_equal(meso_fields_from_json(fields, n_fields, document, &again, NULL), MESO_OK);
    assert_string_equal(again.text, sample.text);
    assert_true(again.whole == 7 && again.any == UINT64_MAX && again.real == sample.real);
    assert_true(again.on == 1 && again.choice == 2);
    meso_error error = {0};
    json_object_del(document, "the_real");
    assert_int_equal(meso_fields_from_json(fields, n_fields, document, &again, &error),
                     MESO_ERROR_DATA);
    assert_string_equal(error.text, "the_real is missing");
    json_decref(document);
    const thing not_finite = {.real = NAN}, no_word = {.choice = 3};
    json_t *none = meso_field_to_json(&fields[real], &not_finite);
    assert_true(json_is_null(none));
    assert_int_equal(meso_field_from_json(&fields[real], none, &again, NULL), MESO_ERROR_ARGUMENT);
    json_decref(none);
    assert_null(meso_field_to_json(&fields[choice], &no_word));
}

static void texts_are_read(void **state)
{
    static const struct {
        int field;
        const char *text;
        double value; /* NaN: refused */
    } rows[] = {{whole, "1", 1},      {whole, "09", 9},   {whole, "0", NAN},
                {whole, "10", NAN},   {whole, "-1", NAN}, {whole, "1.0", NAN},
                {whole, "1e0", NAN},  {whole, "", NAN},   {any, "18446744073709551616", NAN},
                {real, "1e-3", 1e-3}, {real, "1", 1},     {real, "1.1", NAN},
                {real, "nan", NAN},   {real, "0,5", NAN}, {real, "0x1p0", NAN},
                {real, " 1", NAN},    {on, "yes", 1},     {on, "no", 0},
                {on, "true", 1},      {on, "false", 0},   {on, "1", 1},
                {on, "0", 0},         {on, "2", NAN},     {choice, "one", 0},
                {choice, "three", 2}, {choice, "", NAN},  {choice, "one|two", NAN},
                {choice, "thre", NAN}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        thing t = {.whole = 5, .any = 5, .real = 0.5, .on = 5, .choice = 5};
        const thing before = t;
        const int good = !isnan(rows[i].value);
        meso_status status = meso_field_from_text(&fields[rows[i].field], rows[i].text, &t, NULL);
        if (status != (good ? MESO_OK : MESO_ERROR_ARGUMENT))
            fail_msg("%s \"%s\": status %d", fields[rows[i].field].key, rows[i].text, status);
        const double values[] = {0, (double)t.whole, (double)t.any, t.real, t.on, t.choice};
        if (good && values[rows[i].field] != rows[i].value)
            fail_msg("\"%s\" was read as %g", rows[i].text, values[rows[i].field]);
        if (!good)
            assert_memory_equal(&t, &before, sizeof t);
    }
}

/* What JSON has in place of a value, by the words that text gets. */
static void sentences_are_the_same(void **state)
{
    static const struct {
        int field;
        const char *text, *json, *sentence;
    } rows[] = {
        {whole, "0", "0", "takes a whole number from 1 to 9, not \"0\""},
        {whole, "x", "\"x\"", "takes a whole number from 1 to 9, not \"x\""},
        {any, "1.5", "1.5", "takes a whole number, not \"1.5\""},
        {real, "2", "2", "takes a number from 0 to 1, not \"2\""},
        {on, "2", "2", "takes yes or no, not \"2\""},
        {choice, "four", "\"four\"", "takes one of one|two|three, not \"four\""},
        {choice, "\033[", "\"\\u001b[\"", "takes one of one|two|three, not \"\\x1B[\""},
        {0, NULL, "[1,{}]", "takes a text, not \"[1,{}]\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        thing t = {0};
        meso_error error = {0};
        json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        if (rows[i].text) {
            meso_field_from_text(&fields[rows[i].field], rows[i].text, &t, &error);
            assert_string_equal(error.text, rows[i].sentence);
        }
        assert_int_equal(meso_field_from_json(&fields[rows[i].field], value, &t, &error),
                         MESO_ERROR_ARGUMENT);
        assert_string_equal(error.text, rows[i].sentence);
        json_decref(value);
    }
}

static void values_are_checked(void **state)
{
    static const thing bad[] = {[whole] = {.whole = 10},
                                [real] = {.real = NAN},
                                [on] = {.on = 0},
                                [choice] = {.choice = -1}};
    (void)state;
    assert_int_equal(meso_field_check(&fields[whole], &bad[whole], NULL), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_field_check(&fields[real], &bad[real], NULL), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_field_check(&fields[choice], &bad[choice], NULL), MESO_ERROR_ARGUMENT);
    for (size_t i = 0; i < n_fields; i++)
        assert_int_equal(meso_field_check(&fields[i], &sample, NULL), MESO_OK);
}

typedef struct row {
    double before, numbers[3], behind;
    uint64_t counts[1];
} row;

static void arrays(void **state)
{
    static const meso_field numbers = MESO_FIELD_ARRAY(row, "numbers", REAL, numbers, double);
    static const meso_field counts = MESO_FIELD_ARRAY(row, "counts", WHOLE, counts, uint64_t);
    static const char *const bad[] = {"1:2", "1:2:3:4", "1:2:x", "1:2:", "", "1::3"};
    (void)state;
    row r = {0}, again = {0};
    meso_error error = {0};
    assert_int_equal(meso_field_from_text(&numbers, "0.25:-1:1e3", &r, NULL), MESO_OK);
    assert_true(r.numbers[0] == 0.25 && r.numbers[1] == -1 && r.numbers[2] == 1000);
    r.numbers[1] = NAN;
    r.counts[0] = 7;
    json_t *list = meso_field_to_json(&numbers, &r), *one = meso_field_to_json(&counts, &r);
    assert_true(json_array_size(list) == 3 && json_is_null(json_array_get(list, 1)));
    assert_int_equal(json_integer_value(json_array_get(one, 0)), 7); /* a list of one */
    assert_int_equal(meso_field_from_json(&numbers, list, &again, NULL), MESO_OK);
    assert_int_equal(meso_field_from_json(&counts, one, &again, NULL), MESO_OK);
    assert_true(again.numbers[0] == 0.25 && isnan(again.numbers[1]) && again.counts[0] == 7);
    assert_int_equal(meso_field_from_json(&numbers, one, &again, &error), MESO_ERROR_ARGUMENT);
    assert_string_equal(error.text, "takes 3 numbers with : between, not \"[7]\"");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (meso_field_from_text(&numbers, bad[i], &r, NULL) != MESO_ERROR_ARGUMENT)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_true(r.before == 0 && r.behind == 0 && again.before == 0 && again.behind == 0);
    json_decref(list);
    json_decref(one);
}

static void lists(void **state)
{
    static const struct {
        const char *text, *sentence;
    } bad[] = {{"whole=0", "it: whole takes a whole number from 1 to 9, not \"0\""},
               {"real", "it: real takes a number from 0 to 1, not \"\""},
               {"that=1", "it has no setting \"that\"; it has whole, any, real, on"}};
    (void)state;
    thing t = {0};
    meso_error error = {0};
    assert_int_equal(
        meso_fields_from_list("it", "real=0.5,whole=3,on=1", fields + 1, 4, 4, &t, NULL), MESO_OK);
    assert_true(t.real == 0.5 && t.whole == 3 && t.on == 1 && t.any == 0);
    assert_int_equal(meso_fields_from_list("it", "", NULL, 0, 4, &t, NULL), MESO_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(meso_fields_from_list("it", bad[i].text, fields + 1, 4, 4, &t, &error),
                         MESO_ERROR_ARGUMENT);
        assert_string_equal(error.text, bad[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(json_gives_the_same_bits),
                                       cmocka_unit_test(texts_are_read),
                                       cmocka_unit_test(sentences_are_the_same),
                                       cmocka_unit_test(values_are_checked),
                                       cmocka_unit_test(lists),
                                       cmocka_unit_test(arrays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
