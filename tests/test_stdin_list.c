/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of paths on standard input, as Windows writes them. Unix' own: test_predict.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_run.h"
#include "stdin_list.h"

/* Reads the text as standard input; what the list then holds. */
static void expect_list(const char *text, size_t n_bytes, const char *const *paths)
{
    char stdin_name[] = "-", *const operands[] = {stdin_name};
    tool_path_list list;
    meso_error error = {0};
    size_t n = 0;
    harness_put("input", text, n_bytes);
    assert_non_null(freopen("input", "r", stdin));
    if (tool_path_list_read(operands, 1, 0, &list, &error) != MESO_OK)
        fail_msg("%s", error.text);
    for (; paths[n]; n++) {
        assert_true(n < list.n);
        assert_string_equal(list.paths[n], paths[n]);
    }
    assert_int_equal(list.n, n);
    tool_path_list_free(&list);
}
#define EXPECT(text, ...) \
    expect_list(text, sizeof text - 1, (const char *const[]){__VA_ARGS__, NULL})

static void lists_of_windows(void **state)
{
    (void)state;
    EXPECT("a.png\r\nb c.png\r\n", "a.png", "b c.png");
    EXPECT("a.png\r\n\r\nb.png", "a.png", "b.png");
    EXPECT("\xEF\xBB\xBF"
           "a.png\n",
           "a.png");
    EXPECT("\xFF\xFE"
           "a\0\r\0\n\0\xE4\0\r\0\n\0",
           "a", "\xC3\xA4");
    /* A name may end with a CR: then not all lines do. */
    EXPECT("odd\r\nb.png\n", "odd\r", "b.png");
    EXPECT("a.png", "a.png");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        lists_of_windows, harness_enter_folder, harness_leave_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
