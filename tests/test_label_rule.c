/* SPDX-License-Identifier: Apache-2.0
 *
 * One rule for a label (meso_is_real), whichever command says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/weights.h"

/* What mesocl prints to stdout; to be freed. */
static char *run(const char *words)
{
    const harness_command command = {.words = words};
    harness_result result = harness_run(&command);
    if (result.code != 0)
        fail_msg("mesocl %s\nended with %d:\n%s", words, result.code, result.err);
    char *out = strdup(result.out);
    harness_forget(&result);
    return out;
}

/* A net whose last layer is 0 gives exactly 0.5 for everything: fake, whoever says it. */
static void half_is_fake_everywhere(void **state)
{
    static const char *const last[] = {"dense2.kernel", "dense2_bias.bias"};
    meso_weights *weights = NULL;
    (void)state;
    meso_device_close(harness_device());
    for (unsigned i = 0; i < 6; i++) {
        char path[32];
        snprintf(path, sizeof path, "set/%s/%u.ppm", i < 3 ? "Fake" : "real", i);
        harness_put_picture(path, 16, i * 0x3a1f57);
    }
    free(run("init meso4 -o w.safetensors"));
    assert_int_equal(meso_weights_read("w.safetensors", &weights, NULL), MESO_OK);
    for (int i = 0; i < 2; i++) {
        const meso_tensor *tensor = meso_weights_find(weights, last[i]);
        memset(tensor->values, 0, tensor->n_values * sizeof *tensor->values);
    }
    assert_int_equal(meso_weights_write(weights, "half.safetensors", NULL), MESO_OK);
    meso_weights_close(weights);
    static const struct {
        const char *words, *expected;
    } rows[] = {
        {"predict -w half.safetensors set/real", "fake  0.500000  0.500000  set/real/3.ppm\n"
                                                 "fake  0.500000  0.500000  set/real/4.ppm\n"
                                                 "fake  0.500000  0.500000  set/real/5.ppm\n"},
        {"predict -w half.safetensors --csv set/real", "set/real/3.ppm,fake,0.5,0.5,,"},
        {"predict -w half.safetensors --jsonl set/real", "\"label\": \"fake\""},
        {"predict -w half.safetensors --threshold 0.49 set/real", "real  0.500000  0.500000"},
        {"evaluate -w half.safetensors set", "3 of 6 images correct"},
        {"evaluate -w half.safetensors set --json",
         "\"recall_fake\": 1.0,\n  \"recall_real\": 0.0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = run(rows[i].words);
        if (!strstr(text, rows[i].expected))
            fail_msg("mesocl %s: no '%s' in\n%s", rows[i].words, rows[i].expected, text);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        half_is_fake_everywhere, harness_enter_folder, harness_leave_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
