/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a test program's output stay whole and in order when ctest reads both of its streams
 * from one pipe: tools/test.sh counts test functions by these lines, and a program that crashes
 * keeps its last ones.
 */
#include <stdio.h>

__attribute__((constructor)) static void buffer_stdout_by_line(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}
