/* SPDX-License-Identifier: Apache-2.0
 *
 * The forms of a report on datasets that the command line chooses: text, Markdown, HTML; JSON, CSV.
 */
#ifndef MESO_TOOLS_DATASET_OUTPUT_H
#define MESO_TOOLS_DATASET_OUTPUT_H

#include <jansson.h>

#include "dataset_inputs.h"
#include "report/report_writer.h"

typedef struct db_output {
    int json, csv, markdown;
    const char *html;
} db_output;

#define DB_OUTPUT_OPTIONS(o, csv_text)                                           \
    OPT_JSON((o).json), OPT_FORM("csv", 0, (o).csv, csv_text),                   \
        OPT_FORM("markdown", 0, (o).markdown, "Markdown on stdout: the report"), \
        OPT_REPORT("html", 0, (o).html, "FILE", "write a page with the report and charts")

/* How each form is made of what a command has found. */
typedef struct db_told {
    const char *title;
    void (*report)(report_writer *writer, const void *found);
    json_t *(*json)(const void *found, const report_provenance *provenance);
    void (*csv)(const void *found, meso_text *out);
} db_told;

/* Prints the chosen form and writes the page. Errors: MEMORY, as of meso_file_write. */
meso_status db_output_put(const db_output *output, const db_told *told, const void *found,
                          const report_provenance *provenance, meso_error *error);

#endif
