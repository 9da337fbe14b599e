/* SPDX-License-Identifier: Apache-2.0
 *
 * weights/: each file fits the built-in net of its name, and weights/README.md tells its program,
 * pictures, seed and epochs as the file itself does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "mesocl/mesocl.h"

static const char *of(const meso_weights *weights, const char *key)
{
    const char *value = meso_weights_get(weights, key);
    if (!value)
        fail_msg("no %s", key);
    return value;
}

/* The part of weights/README.md below the file's heading. */
static char *section_of(const char *name)
{
    void *bytes = NULL;
    size_t n;
    meso_error error = {0};
    char heading[64];
    if (meso_file_read("weights/README.md", 1 << 20, &bytes, &n, NULL, &error) != MESO_OK)
        fail_msg("%s", error.text);
    snprintf(heading, sizeof heading, "\n## %s.safetensors\n", name);
    char *section = strstr(bytes, heading);
    if (!section)
        fail_msg("weights/README.md has no section for %s", name);
    char *end = strstr(section + 1, "\n## ");
    char *copy = strndup(section, end ? (size_t)(end - section) : strlen(section));
    free(bytes);
    return copy;
}

static void require(const char *section, const char *wanted)
{
    if (!strstr(section, wanted))
        fail_msg("weights/README.md does not say %s: %s", wanted, section);
}

static void check(const char *name)
{
    char path[64], wanted[64];
    meso_weights *weights = NULL;
    meso_net *net = NULL;
    meso_error error = {0};
    snprintf(path, sizeof path, "weights/%s.safetensors", name);
    if (meso_weights_read(path, &weights, &error) != MESO_OK ||
        meso_net_open(name, &net, &error) != MESO_OK ||
        meso_weights_check(weights, net, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_string_equal(of(weights, "mesocl.net_name"), name);
    char *section = section_of(name);
    require(section, of(weights, "mesocl.train.data_hash"));

    const char *commit = strchr(of(weights, "mesocl.program"), '(');
    assert_non_null(commit);
    snprintf(wanted, sizeof wanted, "commit %.*s", (int)strcspn(commit + 1, ")"), commit + 1);
    require(section, wanted);

    json_t *config = json_loads(of(weights, "mesocl.train.config"), 0, NULL);
    static const char *const numbers[] = {"seed", "epochs", "batch"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const json_t *value = json_object_get(config, numbers[i]);
        snprintf(wanted, sizeof wanted, "--%s %d ", numbers[i], (int)json_integer_value(value));
        require(section, wanted);
    }
    snprintf(wanted, sizeof wanted, "every=%d,",
             (int)json_integer_value(json_object_get(config, "schedule_every")));
    require(section, wanted);
    snprintf(wanted, sizeof wanted, "| **%d** | %s |",
             (int)json_integer_value(json_object_get(config, "seed")),
             of(weights, "mesocl.train.epoch"));
    require(section, wanted); /* the row of the seed that is shipped */

    json_decref(config);
    free(section);
    meso_net_close(net);
    meso_weights_close(weights);
}

static void meso4(void **state)
{
    (void)state;
    check("meso4");
}

static void mesoinception4(void **state)
{
    (void)state;
    check("mesoinception4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(meso4), cmocka_unit_test(mesoinception4)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
