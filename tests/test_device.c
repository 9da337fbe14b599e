/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices: which ones a selector means, what a launch refuses, what a profile says.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "harness_device.h"
#include "harness_run.h"
#include "runtime/device_list.h"

/* A list that no machine has: two platforms, four devices. */
static const meso_device_info machine[] = {
    {.platform = 0, .index = 0, .type = MESO_DEVICE_CPU, .name = "Zeta 9", .platform_name = "One"},
    {.platform = 0, .index = 1, .type = MESO_DEVICE_IGPU, .name = "Iris", .platform_name = "One"},
    {.platform = 1,
     .index = 0,
     .type = MESO_DEVICE_DGPU,
     .name = "Big Card",
     .platform_name = "Two"},
    {.platform = 1,
     .index = 1,
     .type = MESO_DEVICE_DGPU,
     .name = "Old Card",
     .platform_name = "Two"},
};
enum { n_machine = sizeof machine / sizeof machine[0] };

static void test_selectors(void **state)
{
    static const struct {
        const char *selector, *environment;
        const char *expected; /* positions */
    } rows[] = {
        {NULL, NULL, "2"},    {"", NULL, "2"},       {"auto", NULL, "2"},   {"AUTO", NULL, "2"},
        {"cpu", NULL, "0"},   {"igpu", NULL, "1"},   {"dgpu", NULL, "23"},  {"gpu", NULL, "123"},
        {"GPU", NULL, "123"}, {"all", NULL, "0123"}, {"0", NULL, "01"},     {"1", NULL, "23"},
        {"1:1", NULL, "3"},   {"0:1", NULL, "1"},    {"card", NULL, "23"},  {"two", NULL, "23"},
        {"ris", NULL, "1"},   {NULL, "0:0", "0"},    {"auto", "iris", "1"}, {"cpu", "iris", "0"},
        {NULL, "auto", "2"},  {"1:7", NULL, ""},     {"7", NULL, ""},       {"1:", NULL, ""},
        {"0:1x", NULL, ""},   {"other", NULL, ""},   {"nothing", NULL, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t matches[n_machine], n = 0;
        char found[n_machine + 1] = "";
        meso_error error = {0};
        if (rows[i].environment)
            setenv("MESO_DEVICE", rows[i].environment, 1);
        else
            unsetenv("MESO_DEVICE");
        meso_status status = meso_device_match(machine, sizeof *machine, n_machine,
                                               rows[i].selector, matches, &n, &error);
        for (size_t k = 0; k < n; k++)
            found[k] = (char)('0' + matches[k]);
        if (strcmp(found, rows[i].expected) != 0)
            fail_msg("'%s': %s, expected %s", rows[i].selector ? rows[i].selector : "(none)", found,
                     rows[i].expected);
        assert_int_equal(status, n ? MESO_OK : MESO_ERROR_NO_DEVICE);
        if (n == 0) /* the sentence says what there is */
            assert_non_null(strstr(error.text, "1:0 Big Card (dgpu)"));
    }
    unsetenv("MESO_DEVICE");
}

/* The CPU trains, but for a device that was measured to be faster than the fastest CPU. */
static void test_choice_for_training(void **state)
{
    static const struct {
        const char *file, *net;
        size_t expected;
    } rows[] = {
        {"", "meso4", 0},
        {"Two\nBig Card\n", "meso4", 0},
        {"Two\nBig Card\nmeso4\t900.0\tOne\tZeta 9\nmeso4\t901.0\tTwo\tOld Card\n", "meso4", 3},
        {"Two\nBig Card\nmeso4\t900.0\tOne\tZeta 9\nmeso4\t901.0\tTwo\tOld Card\n", "other", 0},
        {"Two\nBig Card\nmeso4\t900.0\tOne\tZeta 9\nmeso4\t30.0\tTwo\tBig Card\n", "meso4", 0},
        {"Two\nBig Card\nmeso4\t901.0\tTwo\tBig Card\n", "meso4", 0}, /* than what? */
        {"Two\nBig Card\nmeso4\t900.0\tOne\tZeta 9\nmeso4\t901.0\tTwo\tGone\n", "meso4", 0},
        {"Two\nBig Card\nmeso4\nmeso4\tx\nmeso4\t1\tTwo\n\t\t\n", "meso4", 0},
    };
    (void)state;
    unsetenv("MESO_DEVICE");
    setenv("XDG_CONFIG_HOME", realpath(".", (char[PATH_MAX]){0}), 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char selector[32];
        size_t one;
        snprintf(selector, sizeof selector, "train:%s", rows[i].net);
        harness_put("mesocl/device", rows[i].file, 0);
        assert_int_equal(meso_device_match_one(machine, n_machine, selector, &one, NULL), MESO_OK);
        if (one != rows[i].expected)
            fail_msg("%zu: %s", i, machine[one].name);
        assert_int_equal(meso_device_leaves_gpu(machine, n_machine, selector, one), one == 0);
        assert_int_equal(meso_device_match_one(machine, n_machine, "auto", &one, NULL), MESO_OK);
        assert_int_equal(one, 2);
        assert_int_equal(meso_device_match_one(machine + 1, 1, selector, &one, NULL), MESO_OK);
        assert_int_equal(one, 0); /* there is no CPU */
    }
    meso_device_info broken[n_machine];
    size_t one;
    memcpy(broken, machine, sizeof broken);
    strcpy(broken[0].unusable, "no compiler"); /* the CPU and the first card */
    strcpy(broken[2].unusable, "no compiler");
    assert_int_equal(meso_device_match_one(broken, n_machine, "train:meso4", &one, NULL), MESO_OK);
    assert_int_equal(one, 3);
    assert_int_equal(meso_device_match_one(broken, 3, "auto", &one, NULL), MESO_OK);
    assert_int_equal(one, 1);
    setenv("MESO_DEVICE", "iris", 1);
    assert_int_equal(meso_device_match_one(machine, n_machine, "train:meso4", &one, NULL), MESO_OK);
    assert_int_equal(one, 1);
    unsetenv("MESO_DEVICE");
    unsetenv("XDG_CONFIG_HOME");
    assert_int_equal(meso_device_match_one(machine, 2, "auto", &one, NULL), MESO_OK);
    assert_int_equal(one, 0); /* a GPU that shares the CPU's memory comes behind it */
}

static void test_list(void **state)
{
    meso_device_info *list;
    size_t n;
    (void)state;
    meso_device_close(harness_device()); /* skips where there is none */
    assert_int_equal(meso_device_list(&list, sizeof *list, &n, NULL), MESO_OK);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        assert_true(list[i].name[0] && list[i].platform_name[0] && list[i].driver[0]);
        assert_true(list[i].compute_units > 0 && list[i].max_work_group > 0);
        assert_true(list[i].global_memory_bytes >= list[i].max_buffer_bytes);
        assert_true(list[i].max_buffer_bytes > 0);
        assert_true(list[i].same_as < (int)i);
    }
    meso_free(list);
}

static void test_launch_checks_its_arguments(void **state)
{
    meso_device *device = harness_device();
    meso_buffer buffer = {0};
    (void)state;
    assert_int_equal(meso_buffer_create(device, 64, &buffer), MESO_OK);
    assert_int_equal(
        meso_launch(device, MESO_KERNEL_ZERO_PAD, MESO_GLOBAL(1, 1, 1), MESO_ARGS(&buffer)),
        MESO_ERROR_INTERNAL);
    assert_non_null(strstr(meso_device_error(device), "zero_pad takes 2 arguments, not 1"));
    assert_int_equal(
        meso_launch(device, MESO_KERNEL_ZERO_PAD, MESO_GLOBAL(1, 1, 1), MESO_ARGS(1, 1)),
        MESO_ERROR_INTERNAL);
    assert_non_null(strstr(meso_device_error(device), "argument 0 is of kind b, not i"));
    meso_buffer_release(&buffer);
    meso_device_close(device);
}

/* Launches of one kernel under two spans are two rows; off, nothing is measured. */
static void test_profile(void **state)
{
    meso_device *device = harness_device();
    meso_buffer in = {0}, out = {0};
    meso_profile_row *rows;
    size_t n;
    const float zeros[64] = {0};
    const meso_arg t = {'t', {.t = {{1, 8, 8, 8, 0, 64, 64, 0}}}};
    static const char *const spans[] = {"first", "second", "second"};
    (void)state;
    assert_int_equal(meso_buffer_create(device, sizeof zeros, &in), MESO_OK);
    assert_int_equal(meso_buffer_create(device, sizeof zeros, &out), MESO_OK);
    assert_int_equal(meso_buffer_write(device, &in, 0, zeros, sizeof zeros), MESO_OK);
    for (int mode = MESO_PROFILE_RUNNING; mode >= MESO_PROFILE_OFF; mode--) {
        const int on = mode != MESO_PROFILE_OFF;
        assert_int_equal(meso_device_profile(device, (meso_profile_mode)mode, NULL), MESO_OK);
        for (size_t i = 0; i < 3; i++) {
            meso_device_span(device, spans[i]);
            if (i < 2)
                meso_device_cost(device, 10, 20);
            assert_int_equal(meso_launch(device, MESO_KERNEL_RELU_FORWARD, MESO_GLOBAL(8, 8, 1),
                                         MESO_ARGS(&in, t, meso_arg_float(1), &out, t)),
                             MESO_OK);
        }
        assert_int_equal(meso_device_get_profile(device, &rows, sizeof *rows, &n, NULL), MESO_OK);
        assert_int_equal(n, on ? 2 : 0);
        if (on) {
            assert_string_equal(rows[0].span, "first");
            assert_string_equal(rows[1].span, "second");
            assert_string_equal(rows[1].kernel, "relu_forward");
            assert_int_equal(rows[0].n_launches, 1);
            assert_int_equal(rows[1].n_launches, 2);
            assert_true(rows[0].multiply_adds == 10 && rows[0].bytes == 20);
            assert_true(isnan(rows[1].multiply_adds) && isnan(rows[1].bytes)); /* of one launch */
            /* As they run nothing but stamps can tell. */
            assert_true(rows[0].seconds < 60 &&
                        (rows[0].seconds > 0) ==
                            !(rows[0].host_timer && mode == MESO_PROFILE_RUNNING));
        }
        meso_free(rows);
    }
    meso_buffer_release(&in);
    meso_buffer_release(&out);
    meso_device_close(device);
}

enum { side = 128 }; /* of what is launched on */

/* Launches, and so long asleep before the first, between two pairs of them and behind the last. */
static void nap_and_launch(meso_device *device, const meso_buffer *buffer, const long nap_ms[])
{
    const meso_arg t = {'t', {.t = {{1, side, side, side, 0, side * side, side * side, 0}}}};
    for (int i = 0; i < MESO_N_IDLE; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000 * nap_ms[i]}, NULL);
        for (int k = 0; k < 2 && i != MESO_IDLE_AFTER; k++)
            assert_int_equal(meso_launch(device, MESO_KERNEL_RELU_FORWARD,
                                         MESO_GLOBAL(side, side, 1),
                                         MESO_ARGS(buffer, t, meso_arg_float(1), buffer, t)),
                             MESO_OK);
        assert_int_equal(meso_device_finish(device), MESO_OK);
    }
}

/* What a profile says of two calls with such naps: NULL: the parts are as they must be, else what
 * is wrong. *rest: of the time, over that in kernels, what neither parts nor launches account for;
 * 0 where the driver's stamps make no sense, so that nothing is known. */
static const char *measure_naps(meso_device *device, const meso_buffer *buffer,
                                const long naps[MESO_N_IDLE], double *rest)
{
    static char wrong[128];
    const double slack = 0.04;
    double idle[MESO_N_IDLE], busy = 0, sum = 0, began = 0;
    meso_profile_row *rows;
    size_t n;
    assert_int_equal(meso_device_profile(device, MESO_PROFILE_RUNNING, NULL), MESO_OK);
    for (int call = 0; call < 2; call++) {
        assert_int_equal(meso_device_mark_call(device, NULL), MESO_OK);
        began = call == 0 ? meso_seconds() : began;
        nap_and_launch(device, buffer, naps);
    }
    assert_int_equal(meso_device_mark_call(device, NULL), MESO_OK);
    const double wall = meso_seconds() - began;
    assert_int_equal(meso_device_get_profile(device, &rows, sizeof *rows, &n, NULL), MESO_OK);
    meso_device_get_idle(device, idle);
    for (size_t i = 0; i < n; i++)
        busy += rows[i].seconds;
    const int by_host = rows[0].host_timer;
    meso_free(rows);
    *rest = 0;
    if (by_host)
        return isnan(idle[MESO_IDLE_BETWEEN]) ? NULL : "idle times are made up";
    *wrong = '\0';
    for (int i = 0; i < MESO_N_IDLE; i++) {
        sum += idle[i];
        if (!(idle[i] > 2e-3 * naps[i] - slack) || (naps[i] == 0 && !(idle[i] < slack)))
            snprintf(wrong, sizeof wrong, "part %d has %g s", i, idle[i]);
    }
    if (!(fabs(sum + busy - wall) <= slack))
        snprintf(wrong, sizeof wrong, "a call's parts are %g s of %g", sum + busy, wall);
    *rest = fabs(sum + busy - wall) / busy;
    return *wrong ? wrong : NULL;
}

/* A delay shows in its own part of the call and in no other, and the parts and the launches add up
 * to the call. A busy machine adds delays of its own: one undisturbed try is enough. */
static void test_idle(void **state)
{
    enum { nap = 60, n_tries = 30 };
    static const long naps[][MESO_N_IDLE] = {{0}, {nap, 0, 0}, {0, nap, 0}, {0, 0, nap}};
    double nearest = 1;
    meso_device *device = harness_device();
    meso_buffer buffer = {0};
    (void)state;
    assert_int_equal(meso_buffer_create(device, side * side * sizeof(float), &buffer), MESO_OK);
    assert_int_equal(meso_buffer_zero(device, &buffer), MESO_OK);
    nap_and_launch(device, &buffer, naps[0]); /* which builds its program */
    for (size_t r = 0; r < sizeof naps / sizeof naps[0]; r++) {
        const char *wrong = "";
        for (int i = 0; wrong && i < n_tries; i++) {
            double rest;
            wrong = measure_naps(device, &buffer, naps[r], &rest);
            nearest = fmin(nearest, rest);
        }
        if (wrong)
            fail_msg("nap %zu: %s", r, wrong);
    }
    assert_true(nearest < 0.2); /* nothing is left out, and nothing counted twice */
    meso_buffer_release(&buffer);
    meso_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selectors),
        cmocka_unit_test_setup_teardown(test_choice_for_training, harness_enter_folder,
                                        harness_leave_folder),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_launch_checks_its_arguments),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
