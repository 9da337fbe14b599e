/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <stdio.h>

#include "base/error.h"
#include "mesocl/selftest.h"

meso_status tool_child_selftest(const char *argument, meso_text *answer, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_device *device = NULL;
    meso_selftest_row *rows = NULL;
    size_t n, n_failed;
    MESO_TRY(meso_device_open(argument, &device, error));
    MESO_TRY(meso_selftest(device, &rows, sizeof *rows, &n, &n_failed, error));
    for (size_t i = 0; i < n; i++) {
        tool_selftest_record record = {
            .expected = rows[i].expected, .got = rows[i].got, .passed = rows[i].passed};
        snprintf(record.net, sizeof record.net, "%s", rows[i].net);
        snprintf(record.path, sizeof record.path, "%s", rows[i].path);
        snprintf(record.input, sizeof record.input, "%s", rows[i].input);
        snprintf(record.detail, sizeof record.detail, "%s", rows[i].detail);
        meso_text_add_n(answer, (const char *)&record, sizeof record);
    }
out:
    meso_free(rows);
    meso_device_close(device);
    return status;
}
