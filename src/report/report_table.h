/* SPDX-License-Identifier: Apache-2.0
 *
 * A table: columns that say how they are written, rows of cells, and one writer for each format.
 *
 *   REPORT_TABLE(table, COLUMN_TEXT("file", "File"), COLUMN_NUMBER("p_fake", "P(fake)", 4));
 *   REPORT_ROW(&table, "a.jpg", 0.25);
 *   report_table_text(&table, &out);
 *
 * Cells are added from left to right, row by row. A failed allocation is remembered, and what is
 * written from the table fails. Text for people (text, Markdown) is
 * rounded to the column's digits and shows control characters and bytes that are no UTF-8 as \xNN;
 * machine formats (CSV, JSON) get nine significant digits and every byte.
 */
#ifndef MESO_REPORT_TABLE_H
#define MESO_REPORT_TABLE_H

#include <stddef.h>

#include <jansson.h>

#include "base/each.h"
#include "base/text.h"

typedef enum report_align { REPORT_LEFT, REPORT_RIGHT } report_align;

typedef enum report_kind {
    REPORT_TEXT,
    REPORT_NUMBER, /* a double; NaN is "n/a" for people, empty in CSV, null in JSON */
    REPORT_COUNT   /* a whole number */
} report_kind;

typedef struct report_column {
    const char *key;   /* name in CSV and JSON */
    const char *title; /* what people read */
    report_align align;
    report_kind kind;
    int digits; /* behind the point, of a NUMBER for people */
} report_column;

typedef struct report_cell {
    const char *text; /* of a TEXT column; NULL is an empty cell (null in JSON) */
    double number;
} report_cell;

typedef struct report_table {
    const report_column *columns; /* the caller's; outlive the table */
    size_t n_columns;
    report_cell *cells; /* [rows][n_columns] */
    size_t n_cells, capacity;
    int out_of_memory;
} report_table;

/* clang-format off */
#define COLUMN_TEXT(key, title) {key, title, REPORT_LEFT, REPORT_TEXT, 0}
#define COLUMN_COUNT(key, title) {key, title, REPORT_RIGHT, REPORT_COUNT, 0}
#define COLUMN_NUMBER(key, title, digits) {key, title, REPORT_RIGHT, REPORT_NUMBER, digits}
/* clang-format on */

/* An empty table with an array of columns. */
#define REPORT_TABLE_OF(array) \
    ((report_table){.columns = (array), .n_columns = sizeof(array) / sizeof *(array)})

/* Declares an empty table with these columns. */
#define REPORT_TABLE(table, ...)                                  \
    static const report_column table##_columns[] = {__VA_ARGS__}; \
    report_table table = REPORT_TABLE_OF(table##_columns)

/* Adds the next cells, of a row or of a part of one: texts, counts and numbers. */
#define REPORT_ROW(table, ...)                                                            \
    report_table_add(table, (const report_cell[]){MESO_EACH(REPORT_CELL, __VA_ARGS__)},   \
                     sizeof((const report_cell[]){MESO_EACH(REPORT_CELL, __VA_ARGS__)}) / \
                         sizeof(report_cell))
#define REPORT_CELL(value) \
    _Generic((value), char *: report_text, const char *: report_text, void *: report_text, \
             report_cell: report_same, default: report_value)(value)
static inline report_cell report_text(const char *text)
{
    return (report_cell){.text = text};
}
static inline report_cell report_value(double value)
{
    return (report_cell){.number = value};
}
static inline report_cell report_same(report_cell cell)
{
    return cell;
}

/* The next n cells; text is copied, NULL leaves a cell empty. */
void report_table_add(report_table *table, const report_cell *values, size_t n);
void report_table_free(report_table *table); /* frees the cells; the columns are the caller's */

size_t report_table_rows(const report_table *table); /* whole ones */

/* Appends a cell as people read it: rounded, its control characters escaped. */
void report_table_show(const report_table *table, size_t row, size_t column, meso_text *out);

/* Writers append to out. Only whole rows are written. */
void report_table_text(const report_table *table, meso_text *out);
void report_table_markdown(const report_table *table, meso_text *out);
void report_table_csv(const report_table *table, meso_text *out);
json_t *report_table_json(const report_table *table); /* an array of objects; NULL: out of memory */

#endif
