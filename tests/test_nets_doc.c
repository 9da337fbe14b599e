/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/nets.md has a heading for every op of the op table, with each of its keys below, and none
 * besides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "net/op/op.h"

static char *document(void)
{
    void *bytes = NULL;
    size_t n;
    meso_error error = {0};
    if (meso_file_read("docs/nets.md", 1 << 20, &bytes, &n, NULL, &error) != MESO_OK)
        fail_msg("%s", error.text);
    return bytes;
}

static void every_op_is_described(void **state)
{
    (void)state;
    char *text = document();
    for (size_t i = 0; meso_op_at(i); i++) {
        const meso_op *op = meso_op_at(i);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "\n### %s\n", op->name);
        const char *section = strstr(text, wanted);
        if (!section)
            fail_msg("docs/nets.md has no section for %s", op->name);
        const char *end = strstr(section + 1, "\n### ");
        for (size_t k = 0; op->keys && op->keys[k].name; k++) {
            snprintf(wanted, sizeof wanted, "`%s`", op->keys[k].name);
            const char *found = strstr(section, wanted);
            if (!found || (end && found > end))
                fail_msg("docs/nets.md: %s does not name its key %s", op->name, op->keys[k].name);
        }
    }
    free(text);
}

static void every_section_is_an_op(void **state)
{
    (void)state;
    char *text = document();
    for (char *section = strstr(text, "\n### "); section; section = strstr(section, "\n### ")) {
        section += strlen("\n### ");
        size_t length = strcspn(section, "\n");
        section[length] = '\0';
        if (!meso_op_find(section))
            fail_msg("docs/nets.md describes %s, which is no op", section);
        section[length] = '\n';
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_is_described),
        cmocka_unit_test(every_section_is_an_op),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
