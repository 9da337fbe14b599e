/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of the self-test as it comes from a child (child.h): one device, named as the child's
 * argument [0].
 */
#ifndef MESO_TOOLS_SELFTEST_CHILD_H
#define MESO_TOOLS_SELFTEST_CHILD_H

#include "base/text.h"
#include "mesocl/status.h"

typedef struct tool_selftest_record {
    char net[32], path[16], input[16], detail[256];
    double expected, got;
    int passed;
} tool_selftest_record;

/* The work "selftest" of a child: tool_selftest_record, as many as there are; argument: device. */
meso_status tool_child_selftest(const char *argument, meso_text *answer, meso_error *error);

#endif
