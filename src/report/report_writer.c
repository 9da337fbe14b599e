/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

void report_writer_section(report_writer *writer, const char *title)
{
    if (writer->form == REPORT_AS_HTML)
        report_html_section(&writer->page, title);
    else if (writer->form == REPORT_AS_MARKDOWN)
        meso_text_format(&writer->out, "\n## %s\n\n", title);
    else
        meso_text_format(&writer->out, "%s== %s\n", writer->out.length ? "\n" : "", title);
}

void report_writer_paragraph(report_writer *writer, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0) {
        writer->out.out_of_memory = 1;
        return;
    }
    if (writer->form == REPORT_AS_HTML)
        report_html_paragraph(&writer->page, text);
    else
        meso_text_format(&writer->out, "%s\n%s", text,
                         writer->form == REPORT_AS_MARKDOWN ? "\n" : "");
    free(text);
}

void report_writer_table(report_writer *writer, const char *caption, report_table *table)
{
    int markdown = writer->form == REPORT_AS_MARKDOWN;
    writer->out.out_of_memory |= table->out_of_memory;
    if (writer->form == REPORT_AS_HTML && table->n_cells > 0) {
        report_html_table(&writer->page, caption, table);
    } else if (table->n_cells > 0) {
        if (caption)
            meso_text_format(&writer->out, "\n%s\n%s", caption, markdown ? "\n" : "");
        (markdown ? report_table_markdown : report_table_text)(table, &writer->out);
        meso_text_add(&writer->out, markdown ? "\n" : "");
    }
    report_table_free(table);
}

void report_writer_finish(report_writer *writer, const report_provenance *provenance)
{
    const char *fence = writer->form == REPORT_AS_MARKDOWN ? "```\n" : "";
    report_writer_section(writer, "Where these figures come from");
    if (writer->form == REPORT_AS_HTML) {
        report_html_provenance(&writer->page, provenance);
        report_html_finish(&writer->page, &writer->out);
    } else {
        meso_text_add(&writer->out, fence);
        report_provenance_text(provenance, &writer->out);
        meso_text_add(&writer->out, fence);
    }
}

static int stdout_is_kept;

void report_keep_stdout(void)
{
    stdout_is_kept = 1;
}

meso_status report_put(meso_text *text, const char *file, meso_error *error)
{
    meso_status status = MESO_OK;
    if (file && strcmp(file, "-") != 0)
        return meso_file_write_text(file, text, error);
    if (text->out_of_memory)
        status = meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    else /* main() says if it failed */
        fwrite(text->bytes, 1, text->length, !file && stdout_is_kept ? stderr : stdout);
    meso_text_free(text);
    return status;
}
