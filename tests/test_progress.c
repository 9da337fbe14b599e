/* SPDX-License-Identifier: Apache-2.0
 *
 * The line of the progress bar.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"

static void shows_count_rate_and_time_left(void **state)
{
    const tool_progress progress = {.what = "images", .total = 1000};
    char line[256];
    (void)state;
    tool_progress_format(&progress, 100, 2, 80, line, sizeof line);
    assert_string_equal(line,
                        "[###...........................] 100/1000 images  50/s  0:00:18 left");
    tool_progress_format(&progress, 0, 0, 80, line, sizeof line);
    assert_string_equal(line, "[..............................] 0/1000 images");
    tool_progress_format(&progress, 1000, 400, 80, line, sizeof line);
    assert_string_equal(line,
                        "[##############################] 1000/1000 images  2.5/s  0:00:00 left");
}

static void fits_narrow_terminals(void **state)
{
    const tool_progress progress = {.what = "images", .total = 1000000};
    char line[256];
    (void)state;
    tool_progress_format(&progress, 1, 3600, 60, line, sizeof line);
    assert_string_equal(line, "1/1000000 images  0.0/s  99:59:59 left");
    for (int columns = 10; columns < 100; columns++) {
        tool_progress_format(&progress, 500000, 100, columns, line, sizeof line);
        assert_true((int)strlen(line) < columns);
    }
}

/* ctest's stderr is no terminal. */
static void is_quiet_without_a_terminal(void **state)
{
    tool_progress progress;
    (void)state;
    tool_progress_start(&progress, "images", 10);
    if (progress.on)
        skip();
    tool_progress_update(&progress, 5);
    assert_int_equal(progress.width, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows_count_rate_and_time_left),
                                       cmocka_unit_test(fits_narrow_terminals),
                                       cmocka_unit_test(is_quiet_without_a_terminal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
