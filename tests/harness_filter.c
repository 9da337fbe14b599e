/* SPDX-License-Identifier: Apache-2.0
 *
 * MESO_TEST='name*' runs the test functions whose names match (* and ?) and no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void filter_by_name(void)
{
    const char *names = getenv("MESO_TEST");
    if (names && *names)
        cmocka_set_test_filter(names);
}
