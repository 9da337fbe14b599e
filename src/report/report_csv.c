/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_csv.h"

#include "base/csv_field.h"

void report_csv_text(const char *field, meso_text *out)
{
    meso_csv_field(field, out);
}
