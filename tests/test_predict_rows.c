/* SPDX-License-Identifier: Apache-2.0
 *
 * predict's rows in order of their scores and of recordings, its head on a terminal, its count.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness_device.h"
#include "harness_run.h"
#include "harness_schema.h"
#include "harness_train.h"

/* Six stripes of three recordings, and a file that is none. */
static int set_up(void **state)
{
    if (harness_enter_folder(state) != 0)
        return -1;
    meso_device_close(harness_device());
    harness_put("tiny.net", harness_tiny_net, 0);
    free(harness_train("init tiny.net --seed 2 -o w.safetensors", 0));
    for (unsigned i = 0; i < 6; i++) {
        char path[32];
        snprintf(path, sizeof path, "d/%c_%u.ppm", 'a' + (int)i / 2, i);
        harness_put_picture(path, 16, 0x334455 * (i + 1));
    }
    harness_put("d/a_x.jpg", "no picture", 0);
    return 0;
}

static json_t *predict(const char *options)
{
    char words[128];
    snprintf(words, sizeof words, "predict -w w.safetensors --json d %s", options);
    harness_result r = harness_run(&(harness_command){.words = words});
    assert_int_equal(r.code, 0);
    json_t *document = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    harness_forget(&r);
    return document;
}

static double p_fake(const json_t *row)
{
    return harness_number(row, "p_fake");
}

/* The refused one last; counted is what the rows say. */
static void likeliest_fakes_come_first(void **state)
{
    (void)state;
    json_t *document = predict("--sort");
    const json_t *images = json_object_get(document, "images");
    size_t n_fake = 0;
    assert_int_equal(json_array_size(images), 7);
    for (size_t i = 0; i < 6; i++) {
        const json_t *row = json_array_get(images, i);
        assert_true(i == 0 || p_fake(row) <= p_fake(json_array_get(images, i - 1)));
        n_fake += strcmp(json_string_value(json_object_get(row, "label")), "fake") == 0;
    }
    assert_true(p_fake(json_array_get(images, 0)) > p_fake(json_array_get(images, 5)));
    assert_non_null(json_object_get(json_array_get(images, 6), "error"));
    assert_int_equal(harness_number(document, "n_fake"), n_fake);
    assert_int_equal(harness_number(document, "n_real"), 6 - n_fake);
    json_decref(document);
}

static void a_recording_is_the_mean_of_its_images(void **state)
{
    (void)state;
    json_t *document = predict("--group d/([a-z])_");
    const json_t *images = json_object_get(document, "images");
    const json_t *groups = json_object_get(document, "groups");
    assert_int_equal(json_array_size(groups), 3);
    for (size_t g = 0; g < 3; g++) {
        const json_t *group = json_array_get(groups, g);
        const char name[] = {(char)('a' + (int)g), '\0'};
        double sum = 0;
        assert_string_equal(json_string_value(json_object_get(group, "group")), name);
        assert_int_equal(harness_number(group, "n"), 2);
        for (size_t i = 0; i < json_array_size(images); i++) {
            const json_t *row = json_array_get(images, i);
            if (json_string_value(json_object_get(row, "file"))[2] == *name &&
                json_object_get(row, "label"))
                sum += p_fake(row);
        }
        assert_true(fabs(p_fake(group) - sum / 2) <= 1e-7);
    }
    json_decref(document);
    harness_result csv = harness_run(
        &(harness_command){.words = "predict -w w.safetensors --csv d --sort --group d/([a-z])_"});
    assert_memory_equal(csv.out, "group,label,p_fake,p_real,n\r\n", 29);
    size_t n_lines = 0;
    for (const char *line = csv.out; *line; line = strchr(line, '\n') + 1)
        n_lines++;
    assert_int_equal(n_lines, 4);
    harness_forget(&csv);
}

static void refusals(void **state)
{
    static const harness_row rows[] = {
        {"predict -w w.safetensors d --group (x)", 65, "finds no group"},
        {"predict -w w.safetensors d --group (", 2, "is wrong"},
        {"predict -w w.safetensors d --group x", 2, "has no parenthesis"},
    };
    (void)state;
    harness_run_rows(NULL, rows, sizeof rows / sizeof rows[0]);
}

/* A terminal has a head, a pipe rows alone. */
static void a_terminal_has_a_head(void **state)
{
    static const char script[] = "/usr/bin/script";
    char line[4200];
    (void)state;
    if (access(script, X_OK) != 0)
        skip();
    snprintf(line, sizeof line, "%s predict -w w.safetensors d", harness_program());
    const char *const argv[] = {"-qec", line, "/dev/null", NULL};
    harness_result seen = harness_run(&(harness_command){.program = script, .argv = argv});
    if (!strstr(seen.out, "model tiny.net (w.safetensors), device "))
        fail_msg("%d: %s%s", seen.code, seen.out, seen.err);
    assert_non_null(strstr(seen.out, "label P(fake)   P(real)   file\r\n"));
    harness_forget(&seen);
    harness_result piped = harness_run(&(harness_command){.words = "predict -w w.safetensors d"});
    assert_null(strstr(piped.out, "label"));
    harness_forget(&piped);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(likeliest_fakes_come_first),
        IN_FOLDER(a_recording_is_the_mean_of_its_images),
        IN_FOLDER(refusals),
        IN_FOLDER(a_terminal_has_a_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
