/* SPDX-License-Identifier: Apache-2.0
 *
 * One report for people in three forms: text, Markdown, a page of HTML. A report is told once, to a
 * writer; the form is the writer's.
 */
#ifndef MESO_TOOLS_WRITER_H
#define MESO_TOOLS_WRITER_H

#include "mesocl/status.h"
#include "report/report_html.h"

typedef enum bench_form { BENCH_TEXT, BENCH_MARKDOWN, BENCH_HTML } bench_form;

/* Starts from {.form, .page.title}. */
typedef struct bench_writer {
    bench_form form;
    report_html page; /* of HTML */
    meso_text out;    /* whole after bench_writer_finish */
} bench_writer;

void bench_section(bench_writer *writer, const char *title);
void bench_paragraph(bench_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void bench_table(bench_writer *writer, const char *caption, const report_table *table);

/* The last section, and the end. Errors: MEMORY. */
meso_status bench_writer_finish(bench_writer *writer, const report_provenance *provenance,
                                meso_error *error);

/* Prints the text or Markdown, or writes the page to a file; frees it. Errors: as of
 * meso_file_write. */
meso_status bench_writer_put(bench_writer *writer, const char *file, meso_error *error);

#endif
