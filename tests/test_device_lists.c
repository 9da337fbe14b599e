/* SPDX-License-Identifier: Apache-2.0
 *
 * Several devices: what a list and "each" mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness_run.h"
#include "runtime/device_list.h"
#include "runtime/preference.h"
#include "runtime/tuning.h"

#define HOST "host processor"
#define CARD "pci 3:0.0"

/* A list that no machine has: a card, the host's processor and a small GPU, each shown twice, and
 * one GPU more. */
#define DEVICE(p, i, t, n, on, at)                                                              \
    {                                                                                           \
        .platform = (p), .index = (i), .type = MESO_DEVICE_##t, .name = n, .platform_name = on, \
        .driver = "v1", .hardware = at                                                          \
    }
static const meso_device_info machine[] = {
    DEVICE(0, 0, CPU, "Zeta 9", "One", HOST),
    DEVICE(0, 1, DGPU, "Big Card", "One", CARD),
    DEVICE(1, 0, DGPU, "Big Card (open)", "Two", CARD),
    DEVICE(2, 0, CPU, "zeta, 8 lanes", "Three", HOST),
    DEVICE(2, 1, IGPU, "Iris", "Three", ""),
    DEVICE(3, 1, IGPU, "Iris", "Four", ""),
    DEVICE(3, 2, IGPU, "Iris", "Four", ""),
};
enum { n_machine = sizeof machine / sizeof machine[0] };

static void assert_means(const char *selector, const char *expected, meso_status expected_status)
{
    size_t matches[n_machine], n = 0;
    char found[n_machine + 1] = "";
    meso_error error = {0};
    const meso_status status =
        meso_device_match(machine, sizeof *machine, n_machine, selector, matches, &n, &error);
    for (size_t k = 0; k < n; k++)
        found[k] = (char)('0' + matches[k]);
    if (status != expected_status || (status == MESO_OK && strcmp(found, expected) != 0))
        fail_msg("'%s': %s (%s), expected %s", selector, found, error.text, expected);
    if (status != MESO_OK && !strstr(error.text, expected))
        fail_msg("'%s': \"%s\" does not say \"%s\"", selector, error.text, expected);
}

static void a_list_keeps_its_order_and_names_single_devices(void **state)
{
    (void)state;
    assert_means("1:0,0:0", "20", MESO_OK);
    assert_means("big card (open),zeta 9,3:2", "206", MESO_OK);
    assert_means("zeta, 8", "3", MESO_OK); /* a name that has a comma */
    assert_means("0:0,iris", "'iris' means more than one device, 2:1 and 3:1", MESO_ERROR_ARGUMENT);
    assert_means("0:0,zeta 9", "a second time", MESO_ERROR_ARGUMENT);
    assert_means("0:0,7:7", "no device matches '7:7'", MESO_ERROR_NO_DEVICE);
    assert_means("0:0,", "no device matches ''", MESO_ERROR_NO_DEVICE);
    setenv("MESO_DEVICE", "3:1,0:1", 1);
    assert_means("auto", "51", MESO_OK);
    assert_true(meso_device_is_list("auto") && !meso_device_is_list("0:0"));
    unsetenv("MESO_DEVICE");
    assert_false(meso_device_is_list("auto"));
    assert_true(meso_device_is_list("each") && meso_device_is_list("0:0,1:0"));
}

static void each_counts_hardware_once(void **state)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    (void)state;
    assert_means("each", "0146", MESO_OK);
    assert_int_equal(meso_preference_write("Three", "zeta, 8 lanes", "", path, NULL), MESO_OK);
    assert_means("each", "3146", MESO_OK);
    json_t *tuning = json_object();
    const int values[MESO_MAX_TUNABLES] = {0};
    assert_true(
        meso_tuning_put(tuning, &machine[2], &meso_tuning_plain, NULL, values, json_object()));
    assert_true(meso_tuning_put(tuning, &machine[0], &meso_tuning_plain, NULL, values,
                                json_object())); /* a preference counts more */
    meso_tuning_replace(tuning);
    assert_means("each", "3246", MESO_OK);
}

/* A preference of the user's is none of ours. */
static int enter(void **state)
{
    char here[4096];
    return harness_enter_folder(state) || setenv("XDG_CONFIG_HOME", getcwd(here, sizeof here), 1) ||
           unsetenv("MESO_DEVICE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_its_order_and_names_single_devices),
        cmocka_unit_test(each_counts_hardware_once),
    };
    return cmocka_run_group_tests(tests, enter, harness_leave_folder);
}
