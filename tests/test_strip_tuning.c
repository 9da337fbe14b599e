/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of tuning that MesoCL ships: each can be read, and stands on a record in
 * docs/benchmarks/.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/embedded.h"
#include "base/file.h"
#include "net/strip/strip.h"
#include "runtime/tuning.h"

enum { largest_record = 1 << 20 };

/* The one row for whatever nobody measured. */
static const char generic[] = "any";

static const meso_embedded *find_file(const char *name)
{
    const meso_embedded *file = meso_embedded_tunings;
    while (file->name && strcmp(file->name, name) != 0)
        file++;
    if (!file->name)
        fail_msg("no tune/%s.json", name);
    return file;
}

static void all_files_are_rows(void **state)
{
    const meso_strip_tuning *rows;
    meso_error error;
    size_t n = 0;
    (void)state;
    if (meso_strip_shipped(&rows, &error) != MESO_OK)
        fail_msg("%s", error.text);
    while (meso_embedded_tunings[n].name)
        n++;
    assert_int_equal(n, MESO_N_STRIP_TUNINGS);
    for (size_t i = 0; i < n; i++) {
        int expected[MESO_MAX_TUNABLES], got[MESO_MAX_TUNABLES];
        const meso_embedded *file = find_file(rows[i].name);
        json_t *row = json_loadb(file->text, file->length, 0, NULL);
        assert_true(
            meso_tuning_values(json_object_get(row, "values"), &meso_tuning_fused, expected));
        meso_strip_tuning_values(&meso_tuning_fused, &rows[i], got);
        assert_memory_equal(got, expected, sizeof *got * meso_tuning_n(&meso_tuning_fused));
        json_decref(row);
    }
    assert_string_equal(rows[n - 1].name, generic);
    assert_string_equal(rows[n - 1].condition, "1");
}

static const char *text_of(const json_t *evidence, const char *key)
{
    const char *text = json_string_value(json_object_get(evidence, key));
    if (!text || !*text)
        fail_msg("the evidence lacks %s", key);
    return text;
}

/* The record was made with this row, there and then, and its medians are the evidence's. */
static void check_evidence(const char *name, const json_t *evidence)
{
    static const char *const keys[] = {"platform", "device", "driver", "date", "commit"};
    const char *path = text_of(evidence, "record");
    json_t *rates = json_object_get(evidence, "images_per_s"), *rate;
    char threads[16], used[32];
    const char *batch;
    void *bytes;
    size_t n;
    meso_error error;
    if (meso_file_read(path, largest_record, &bytes, &n, NULL, &error) != MESO_OK)
        fail_msg("%s", error.text);
    snprintf(used, sizeof used, "\"tuning\": \"%s\"", name);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!strstr(bytes, text_of(evidence, keys[i])) || !strstr(bytes, used))
            fail_msg("%s: another %s, or another row than %s", path, keys[i], name);
    json_t *record = json_loadb(bytes, n, 0, NULL);
    snprintf(threads, sizeof threads, "%d",
             (int)json_integer_value(json_object_get(evidence, "threads")));
    const json_t *ours = json_object_get(json_object_get(record, "ours"), threads);
    assert_true(json_object_size(rates) > 0);
    json_object_foreach (rates, batch, rate) {
        const double median =
            json_number_value(json_object_get(json_object_get(ours, batch), "median"));
        if (!(fabs(json_number_value(rate) - median) <= 0.5))
            fail_msg("%s, batch %s: %g in the record", name, batch, median);
    }
    json_decref(record);
    free(bytes);
}

static void rows_were_measured(void **state)
{
    (void)state;
    for (const meso_embedded *file = meso_embedded_tunings; file->name; file++) {
        json_t *row = json_loadb(file->text, file->length, 0, NULL);
        if (strcmp(file->name, generic) != 0)
            check_evidence(file->name, json_object_get(row, "evidence"));
        json_decref(row);
    }
}

/* A text with one part of it put in the place of another; NULL: left out from there on. */
static void refuses_what_is_no_row(void **state)
{
    static const char *const changes[][2] = {{"\"fused\"", "\"plain\""},
                                             {"\"fused\"", "7"},
                                             {"\"lanes\": 4", "\"lanes\": 5"},
                                             {"\"lanes\": 4,", ""},
                                             {"\"lanes\"", "\"chunk\""},
                                             {"\"lanes\": 4", "\"lanes\": \"4\""},
                                             {"\"values\"", "\"rows\""},
                                             {"\"method_5\": 2", "\"method_5\": 3"},
                                             {"}", NULL}};
    const meso_embedded *file = find_file(generic);
    meso_strip_tuning row;
    (void)state;
    assert_true(meso_strip_read_tuning(file->text, file->length, &row));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char text[1024];
        const char *from = changes[i][0], *to = changes[i][1], *at = strstr(file->text, from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - file->text), file->text, to ? to : "",
                 to ? at + strlen(from) : "");
        if (meso_strip_read_tuning(text, strlen(text), &row))
            fail_msg("%s in the place of %s was taken", to ? to : "the end", from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_files_are_rows),
        cmocka_unit_test(rows_were_measured),
        cmocka_unit_test(refuses_what_is_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
