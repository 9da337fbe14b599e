/* SPDX-License-Identifier: Apache-2.0
 *
 * The document for people.
 */
#ifndef MESO_BENCH_OUTPUT_H
#define MESO_BENCH_OUTPUT_H

#include <jansson.h>

#include "base/text.h"

typedef enum bench_format { BENCH_TEXT, BENCH_MARKDOWN, BENCH_CSV } bench_format;

/* What stands in the rows: whole nets, every layer of them, or what was checked. */
typedef enum bench_rows { BENCH_NETS, BENCH_LAYERS, BENCH_CHECKS } bench_rows;

/* Devices and their peaks stand below text and Markdown of what was timed. */
void bench_output_table(const json_t *document, bench_rows rows, bench_format format,
                        meso_text *out);

/* All of it as one HTML page, with a roofline for each device. */
void bench_output_page(const json_t *document, meso_text *out);

#endif
