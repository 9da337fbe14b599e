/* SPDX-License-Identifier: Apache-2.0
 *
 * The document as tables, for output.c and page.c.
 */
#ifndef MESO_BENCH_OUTPUT_ROWS_H
#define MESO_BENCH_OUTPUT_ROWS_H

#include <jansson.h>

#include "report/report_table.h"

/* The caller frees them. */
report_table bench_net_table(const json_t *document, int for_page);
report_table bench_layer_table(const json_t *document);
report_table bench_device_table(const json_t *document);

#endif
