/* SPDX-License-Identifier: Apache-2.0
 *
 * One report for people in three forms: text, Markdown, a page of HTML. A report is told once, to a
 * writer; the form is the writer's.
 */
#ifndef MESO_REPORT_WRITER_H
#define MESO_REPORT_WRITER_H

#include "mesocl/status.h"
#include "report/report_html.h"

typedef enum report_form { REPORT_AS_TEXT, REPORT_AS_MARKDOWN, REPORT_AS_HTML } report_form;

/* Starts from {.form, .page.title}. */
typedef struct report_writer {
    report_form form;
    report_html page; /* of HTML */
    meso_text out;    /* whole after report_writer_finish */
} report_writer;

void report_writer_section(report_writer *writer, const char *title);
void report_writer_paragraph(report_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Writes a table, if it has rows, and frees its cells. caption may be NULL. */
void report_writer_table(report_writer *writer, const char *caption, report_table *table);

/* The last section, and the end: out is whole. */
void report_writer_finish(report_writer *writer, const report_provenance *provenance);

/* Prints a text, or writes it to a file ("-": standard output), and frees it. Errors: MEMORY where
 * it is incomplete; as of meso_file_write. */
meso_status report_put(meso_text *text, const char *file, meso_error *error);

/* From now on standard output belongs to the file "-": other texts go to stderr. */
void report_keep_stdout(void);

#endif
