/* SPDX-License-Identifier: Apache-2.0
 *
 * The line of the progress bar, and the channel of events.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "progress.h"

static void shows_count_rate_and_time_left(void **state)
{
    tool_progress progress = {.what = "images", .total = 1000, .done = 100};
    char line[256];
    (void)state;
    tool_progress_format(&progress, 2, 80, line, sizeof line);
    assert_string_equal(line, "[###...........................] 100/1000 images  50/s  0:18 left");
    progress.done = 0;
    tool_progress_format(&progress, 0, 80, line, sizeof line);
    assert_string_equal(line, "[..............................] 0/1000 images");
    progress.done = 1000;
    tool_progress_format(&progress, 400, 80, line, sizeof line);
    assert_string_equal(line,
                        "[##############################] 1000/1000 images  2.5/s  0:00 left");
    /* What was done before says nothing of the rate. */
    progress = (tool_progress){.what = "jobs", .total = 20, .before = 10, .done = 15};
    progress.subject = "one\nstudy";
    tool_progress_format(&progress, 50, 80, line, sizeof line);
    assert_string_equal(line, "[######################........] "
                              "15/20 jobs of one\\x0Astudy  0.1/s  0:50 left");
}

/* An epoch's bar tells the run's time. */
static void shows_the_part_of_a_whole(void **state)
{
    const tool_progress run = {.total = 2, .part = 0.5, .started = meso_seconds() - 50};
    const tool_progress epoch = {
        .what = "images", .head = "epoch 1/2", .whole = &run, .total = 64, .done = 32};
    char line[256];
    (void)state;
    tool_progress_format(&epoch, 16, 80, line, sizeof line);
    assert_string_equal(
        line, "epoch 1/2 [###############...............] 32/64 images  2.0/s  2:30 left");
    tool_progress_format(&epoch, 16, 60, line, sizeof line);
    assert_string_equal(line, "epoch 1/2 [########........] 32/64 images  2.0/s  2:30 left");
    tool_progress_format(&epoch, 16, 50, line, sizeof line);
    assert_string_equal(line, "epoch 1/2 32/64 images  2.0/s  2:30 left");
}

static void fits_narrow_terminals(void **state)
{
    tool_progress progress = {.what = "images", .total = 1000000, .done = 1};
    char line[256];
    (void)state;
    tool_progress_format(&progress, 3600, 60, line, sizeof line);
    assert_string_equal(line, "[..................] 1/1000000 images  0.0/s  99:59:59 left");
    progress.done = 500000;
    for (int columns = 10; columns < 100; columns++) {
        tool_progress_format(&progress, 100, columns, line, sizeof line);
        assert_true((int)strlen(line) < columns);
    }
}

/* ctest's stderr is no terminal. */
static void is_quiet_without_a_terminal(void **state)
{
    tool_progress progress = {.what = "images", .total = 10};
    (void)state;
    tool_progress_start(&progress);
    if (progress.on)
        skip();
    tool_progress_update(&progress, 5);
    assert_int_equal(progress.width, 0);
}

/* ---- the channel ---- */

/* Returns the reader's end. */
static int open_channel(void)
{
    int ends[2];
    char number[16];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    snprintf(number, sizeof number, "%d", ends[1]);
    assert_int_equal(tool_progress_open("test", number), -1);
    assert_true(tool_progress_is_open());
    return ends[0];
}

/* Forwarding a whole line tells whether the channel still takes it. */
static int is_open_after_a_line(void)
{
    meso_text line = {0};
    meso_text_add(&line, "{}\n");
    tool_progress_forward(NULL, &line);
    assert_int_equal(line.length, 0);
    meso_text_free(&line);
    return tool_progress_is_open();
}

static void events_are_few_and_whole(void **state)
{
    char bytes[1 << 16];
    (void)state;
    int end = open_channel();
    tool_progress progress = {
        .what = "images", .subject = "a \"set\"\xff", .total = 500000, .before = 3};
    tool_progress_start(&progress);
    for (size_t i = 4; i <= 500000; i++)
        tool_progress_update(&progress, i);
    tool_progress_end(&progress);
    tool_progress_end(&progress); /* no second one */
    ssize_t n = read(end, bytes, sizeof bytes - 1);
    assert_true(n > 0);
    bytes[n] = '\0';
    size_t n_lines = 0, n_ends = 0;
    json_t *event = NULL;
    for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n"), n_lines++) {
        json_decref(event);
        event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(event);
        assert_int_equal(json_object_size(event), 6);
        n_ends += strcmp(json_string_value(json_object_get(event, "event")), "end") == 0;
        if (n_lines == 0)
            assert_string_equal(json_string_value(json_object_get(event, "text")),
                                "3/500000 images of a \"set\"\\xFF");
    }
    assert_in_range(n_lines, 3, 100);
    assert_int_equal(n_ends, 1);
    assert_string_equal(json_string_value(json_object_get(event, "event")), "end");
    assert_int_equal(json_integer_value(json_object_get(event, "done")), 500000);
    assert_int_equal(json_number_value(json_object_get(event, "seconds_left")), 0);
    json_decref(event);
    close(end);
    assert_false(is_open_after_a_line()); /* the reader is gone */
    assert_false(tool_progress_is_open());
}

/* Lines come through whole, whatever pieces they arrive in; where there is no room they are let go
 * by, and the channel stays. */
static void lines_of_others_are_handed_on(void **state)
{
    static const char lines[] = "{\"a\":1}\n{\"b\":2}\n{\"c";
    char bytes[1 << 12];
    meso_text text = {0};
    size_t n_lines = 0;
    (void)state;
    int end = open_channel();
    for (size_t i = 0; lines[i]; i++) {
        meso_text_add_n(&text, &lines[i], 1);
        assert_int_equal(tool_progress_forward(NULL, &text), 1);
    }
    assert_string_equal(text.bytes, "{\"c");
    assert_int_equal(read(end, bytes, sizeof bytes), 16);
    assert_memory_equal(bytes, lines, 16);
    for (int i = 0; i < 100000; i++)
        assert_true(is_open_after_a_line());
    fcntl(end, F_SETFL, O_NONBLOCK);
    for (ssize_t n; (n = read(end, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            n_lines += bytes[i] == '\n';
    assert_in_range(n_lines, 1000, 99999);
    meso_text_free(&text);
    close(end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows_count_rate_and_time_left),
                                       cmocka_unit_test(shows_the_part_of_a_whole),
                                       cmocka_unit_test(fits_narrow_terminals),
                                       cmocka_unit_test(is_quiet_without_a_terminal),
                                       cmocka_unit_test(events_are_few_and_whole),
                                       cmocka_unit_test(lines_of_others_are_handed_on)};
    signal(SIGPIPE, SIG_IGN); /* as cli.c does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
