/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_classification.h"

#include <string.h>

#include "report/report_number.h"

static void add_name(const char *name, size_t width, meso_text *out)
{
    size_t length = report_width(name);
    meso_text_format(out, "%*s%s ", (int)(width > length ? width - length : 0), "", name);
}

static size_t name_width(const report_class *rows, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++)
        width = report_width(rows[i].name) > width ? report_width(rows[i].name) : width;
    return width;
}

static void add_cell(double value, meso_text *out)
{
    char number[REPORT_NUMBER_SIZE];
    meso_text_format(out, " %9s", report_fixed(value, 2, number));
}

static void add_row(const report_class *row, size_t width, meso_text *out)
{
    add_name(row->name, width, out);
    add_cell(row->precision, out);
    add_cell(row->recall, out);
    add_cell(row->f1, out);
    meso_text_format(out, " %9zu\n", row->support);
}

void report_classification(const report_class *classes, size_t n_classes, double accuracy,
                           const report_class *averages, size_t n_averages, meso_text *out)
{
    size_t width = name_width(classes, n_classes, strlen("weighted avg"));
    size_t total = 0;
    add_name("", width, out);
    meso_text_format(out, " %9s %9s %9s %9s\n\n", "precision", "recall", "f1-score", "support");
    for (size_t i = 0; i < n_classes; i++) {
        add_row(&classes[i], width, out);
        total += classes[i].support;
    }
    meso_text_add(out, "\n");
    add_name("accuracy", width, out);
    meso_text_format(out, " %9s %9s", "", "");
    add_cell(accuracy, out);
    meso_text_format(out, " %9zu\n", total);
    for (size_t i = 0; i < n_averages; i++)
        add_row(&averages[i], width, out);
}
