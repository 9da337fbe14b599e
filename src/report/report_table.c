/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/csv_field.h"
#include "report/report_json.h"
#include "report/report_number.h"

void report_table_add(report_table *table, const report_cell *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *copy = values[i].text ? strdup(values[i].text) : NULL;
        report_cell *cells =
            meso_grow(table->cells, table->n_cells, &table->capacity, sizeof *cells);
        table->out_of_memory |= !cells || (values[i].text && !copy);
        if (!cells) {
            free(copy);
            return;
        }
        table->cells = cells;
        table->cells[table->n_cells++] = (report_cell){copy, values[i].number};
    }
}

void report_table_free(report_table *table)
{
    for (size_t i = 0; i < table->n_cells; i++)
        free((char *)table->cells[i].text);
    free(table->cells);
    *table = (report_table){table->columns, table->n_columns, NULL, 0, 0, 0};
}

size_t report_table_rows(const report_table *table)
{
    return table->n_cells / table->n_columns;
}

static const report_cell *cell_at(const report_table *table, size_t row, size_t column)
{
    return &table->cells[row * table->n_columns + column];
}

/* ---- for people ---- */

void report_table_show(const report_table *table, size_t row, size_t column_number, meso_text *out)
{
    const report_column *column = &table->columns[column_number];
    const report_cell *cell = cell_at(table, row, column_number);
    char number[REPORT_NUMBER_SIZE];
    switch (column->kind) {
    case REPORT_TEXT:
        meso_text_add_printable(out, cell->text ? cell->text : "");
        break;
    case REPORT_NUMBER:
        meso_text_add(out, report_fixed(cell->number, column->digits, number));
        break;
    case REPORT_COUNT:
        meso_text_add(out, report_fixed(cell->number, 0, number));
        break;
    }
}

static void add_spaces(meso_text *out, size_t n)
{
    while (n-- > 0)
        meso_text_add_n(out, " ", 1);
}

static void add_aligned(const report_column *column, const char *shown, size_t width,
                        meso_text *out)
{
    size_t length = report_width(shown);
    size_t padding = width > length ? width - length : 0;
    if (column->align == REPORT_RIGHT)
        add_spaces(out, padding);
    meso_text_add(out, shown);
    if (column->align == REPORT_LEFT)
        add_spaces(out, padding);
}

/* Ends a line of cells without the blanks that would pad its last one. */
static void end_line(meso_text *out)
{
    while (!out->out_of_memory && out->length > 0 && out->bytes[out->length - 1] == ' ')
        out->length--;
    meso_text_add(out, "\n");
}

/* Titles go through the same code as cells: as the row before the first. */
#define TITLE_ROW ((size_t)-1)

static const char *shown_at(const report_table *table, size_t row, size_t column,
                            meso_text *scratch)
{
    if (row == TITLE_ROW)
        return table->columns[column].title;
    scratch->length = 0;
    meso_text_add(scratch, "");
    report_table_show(table, row, column, scratch);
    return scratch->bytes ? scratch->bytes : "";
}

static size_t column_width(const report_table *table, size_t column, meso_text *scratch)
{
    size_t width = 0;
    for (size_t i = TITLE_ROW; i + 1 <= report_table_rows(table); i++) {
        size_t length = report_width(shown_at(table, i, column, scratch));
        width = length > width ? length : width;
    }
    return width;
}

void report_table_text(const report_table *table, meso_text *out)
{
    meso_text scratch = {0};
    size_t *widths = calloc(table->n_columns, sizeof *widths);
    if (!widths) {
        out->out_of_memory = 1;
        return;
    }
    for (size_t c = 0; c < table->n_columns; c++)
        widths[c] = column_width(table, c, &scratch);
    for (size_t i = TITLE_ROW; i + 1 <= report_table_rows(table); i++) {
        for (size_t c = 0; c < table->n_columns; c++) {
            meso_text_add(out, c ? "  " : "");
            add_aligned(&table->columns[c], shown_at(table, i, c, &scratch), widths[c], out);
        }
        end_line(out);
    }
    out->out_of_memory |= scratch.out_of_memory | table->out_of_memory;
    meso_text_free(&scratch);
    free(widths);
}

/* Every character that Markdown or HTML inside it could take for markup. */
static void add_markdown(const char *shown, meso_text *out)
{
    for (; *shown; shown++) {
        if (strchr("\\`*_[]<>|#~&$", *shown))
            meso_text_add(out, "\\");
        meso_text_add_n(out, shown, 1);
    }
}

void report_table_markdown(const report_table *table, meso_text *out)
{
    meso_text scratch = {0};
    for (size_t i = TITLE_ROW; i + 1 <= report_table_rows(table); i++) {
        for (size_t c = 0; c < table->n_columns; c++) {
            meso_text_add(out, "| ");
            add_markdown(shown_at(table, i, c, &scratch), out);
            meso_text_add(out, " ");
        }
        meso_text_add(out, "|\n");
        for (size_t c = 0; i == TITLE_ROW && c < table->n_columns; c++)
            meso_text_add(out, table->columns[c].align == REPORT_RIGHT ? "| ---: " : "| --- ");
        if (i == TITLE_ROW)
            meso_text_add(out, "|\n");
    }
    out->out_of_memory |= scratch.out_of_memory | table->out_of_memory;
    meso_text_free(&scratch);
}

/* ---- for programs ---- */

void report_table_csv(const report_table *table, meso_text *out)
{
    out->out_of_memory |= table->out_of_memory;
    for (size_t c = 0; c < table->n_columns; c++) {
        meso_text_add(out, c ? "," : "");
        meso_csv_field(table->columns[c].key, out);
    }
    meso_text_add(out, MESO_CSV_END);
    for (size_t row = 0; row < report_table_rows(table); row++) {
        for (size_t c = 0; c < table->n_columns; c++) {
            const report_cell *cell = cell_at(table, row, c);
            char number[REPORT_NUMBER_SIZE];
            meso_text_add(out, c ? "," : "");
            if (table->columns[c].kind != REPORT_TEXT)
                meso_text_add(out, report_exact(cell->number, number));
            else if (cell->text)
                meso_csv_field(cell->text, out);
        }
        meso_text_add(out, MESO_CSV_END);
    }
}

static json_t *json_of_cell(const report_column *column, const report_cell *cell)
{
    switch (column->kind) {
    case REPORT_NUMBER:
        return meso_json_number(cell->number);
    case REPORT_COUNT:
        return json_integer((json_int_t)cell->number);
    default:
        return cell->text ? meso_json_text(cell->text) : json_null();
    }
}

json_t *report_table_json(const report_table *table)
{
    meso_builder rows = meso_build_list();
    rows.failed |= table->out_of_memory;
    for (size_t row = 0; row < report_table_rows(table); row++) {
        meso_builder object = meso_build_object();
        for (size_t c = 0; c < table->n_columns; c++)
            meso_build_set(&object, table->columns[c].key,
                           json_of_cell(&table->columns[c], cell_at(table, row, c)));
        meso_build_add(&rows, meso_build_end(&object));
    }
    return meso_build_end(&rows);
}
