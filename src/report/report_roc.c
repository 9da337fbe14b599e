/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_roc.h"

#include <math.h>

#include "report/report_number.h"

/* The square of the curve inside the picture, in SVG units. */
enum { width = 600, height = 664, left = 76, top = 84, side = 500, title_characters = 46 };

/* Colours stand twice, light and dark, and nowhere else. No CSS variables: not all viewers know
 * them. */
static const char style[] =
    "<style>\n"
    "text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }\n"
    "text.title { font-size: 17px; font-weight: 600; }\n"
    ".page { fill: #ffffff; } .ink { fill: #1c2330; } .soft { fill: #5a6475; }\n"
    ".grid { stroke: #e4e8ee; fill: none; } .frame { stroke: #98a2b3; fill: none; }\n"
    ".chance { stroke: #98a2b3; stroke-dasharray: 5 5; }\n"
    ".area { fill: #2563eb; fill-opacity: 0.09; }\n"
    ".curve { stroke: #2563eb; stroke-width: 2.4; stroke-linejoin: round; fill: none; }\n"
    ".mark { fill: #dc6803; } .eer { fill: #dc6803; stroke: #ffffff; stroke-width: 1.6; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    ".page { fill: #14171c; } .ink { fill: #e8ebf0; } .soft { fill: #a2acba; }\n"
    ".grid { stroke: #272d36; } .frame, .chance { stroke: #667085; }\n"
    ".area { fill: #6ea8fe; fill-opacity: 0.12; } .curve { stroke: #6ea8fe; }\n"
    ".mark { fill: #fdb022; } .eer { fill: #fdb022; stroke: #14171c; }\n"
    "}\n"
    "</style>\n";

/* The end of a title that is too long: of a path, the end tells more. */
static const char *title_end(const char *title, meso_text *out)
{
    size_t n = report_width(title);
    if (n <= title_characters)
        return title;
    meso_text_add(out, "…");
    for (; n > title_characters; n--)
        title += meso_utf8_length(title);
    return title;
}

static void add_title(const char *title, meso_text *out)
{
    meso_text printable = {0};
    meso_text_add_printable(&printable, title);
    if (printable.out_of_memory) {
        out->out_of_memory = 1;
        return;
    }
    meso_text_add(out, "<title>ROC: ");
    report_markup_printable(printable.bytes, out);
    meso_text_format(out, "</title>\n<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", width,
                     height);
    meso_text_format(out, "<text class=\"title ink\" x=\"%d\" y=\"34\">", left);
    report_markup_printable(title_end(printable.bytes, out), out);
    meso_text_add(out, "</text>\n");
    meso_text_free(&printable);
}

/* "AUC 0.9621 (95 %: 0.9570–0.9668) ● EER 0.1012 at P(real) = 0.4210" under the title. */
static void add_caption(const report_roc *roc, meso_text *out)
{
    char a[REPORT_NUMBER_SIZE], b[REPORT_NUMBER_SIZE];
    meso_text_format(out,
                     "<text class=\"soft\" x=\"%d\" y=\"60\">AUC <tspan class=\"ink\">%s</tspan>",
                     left, report_fixed(roc->auc, 4, a));
    if (isfinite(roc->auc_low) && isfinite(roc->auc_high))
        meso_text_format(out, " (95 %%: %s–%s)", report_fixed(roc->auc_low, 4, a),
                         report_fixed(roc->auc_high, 4, b));
    meso_text_format(out, "</text>\n<text class=\"soft\" x=\"%d\" y=\"60\" text-anchor=\"end\">",
                     left + side);
    meso_text_format(out,
                     "<tspan class=\"mark\">●</tspan> EER <tspan class=\"ink\">%s</tspan> at "
                     "P(real) = %s</text>\n",
                     report_fixed(roc->eer, 4, a), report_fixed(roc->eer_threshold, 4, b));
}

/* Grid lines and numbers at 0, 0.2, … 1 on both axes. */
static void add_axes(meso_text *out)
{
    for (int i = 0; i <= 5; i++) {
        int at = side * i / 5;
        meso_text_format(out, "<path class=\"grid\" d=\"M%d %dv%dM%d %dh%d\"/>\n", left + at, top,
                         side, left, top + at, side);
        const char *text = (const char *const[]){"0", "0.2", "0.4", "0.6", "0.8", "1"}[i];
        meso_text_format(
            out, "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
            left + at, top + side + 22, text);
        meso_text_format(out,
                         "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
                         left - 10, top + side - at + 4, text);
    }
    meso_text_format(out, "<path class=\"chance\" d=\"M%d %dl%d %d\"/>\n", left, top + side, side,
                     -side);
    meso_text_format(out,
                     "<text class=\"ink\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">"
                     "False positive rate (fakes called real)</text>\n",
                     left + side / 2, top + side + 52);
    meso_text_format(out,
                     "<text class=\"ink\" transform=\"translate(26 %d) rotate(-90)\" "
                     "text-anchor=\"middle\">True positive rate (reals called real)</text>\n",
                     top + side / 2);
}

static void add_coordinates(double x, double y, meso_text *out)
{
    char a[REPORT_NUMBER_SIZE], b[REPORT_NUMBER_SIZE];
    meso_text_format(out, "%s %s", report_fixed(left + side * x, 2, a),
                     report_fixed(top + side * (1 - y), 2, b));
}

static void add_path(const report_roc *roc, meso_text *out)
{
    for (size_t i = 0; i < roc->n_points; i++) {
        meso_text_add(out, i ? "L" : "M");
        add_coordinates(roc->points[i].false_positive_rate, roc->points[i].true_positive_rate, out);
    }
}

/* The area goes on to the lower right corner. */
static void add_curve(const report_roc *roc, meso_text *out)
{
    char x[REPORT_NUMBER_SIZE], y[REPORT_NUMBER_SIZE];
    meso_text_add(out, "<path class=\"area\" d=\"");
    add_path(roc, out);
    meso_text_format(out, "V%dH%dZ\"/>\n", top + side, left);
    meso_text_format(out, "<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
                     left, top, side, side);
    meso_text_add(out, "<path class=\"curve\" d=\"");
    add_path(roc, out);
    meso_text_add(out, "\"/>\n");
    if (isfinite(roc->eer)) /* misses are 1 − true positives, so the point lies at (eer, 1 − eer) */
        meso_text_format(out, "<circle class=\"eer\" cx=\"%s\" cy=\"%s\" r=\"5.5\"/>\n",
                         report_fixed(left + side * roc->eer, 2, x),
                         report_fixed(top + side * roc->eer, 2, y));
}

void report_roc_svg(const report_roc *roc, meso_text *out)
{
    meso_text_format(out,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" "
                     "height=\"%d\" viewBox=\"0 0 %d %d\">\n",
                     width, height, width, height);
    meso_text_add(out, style);
    add_title(roc->title, out);
    add_caption(roc, out);
    add_axes(out);
    add_curve(roc, out);
    meso_text_add(out, "</svg>\n");
}
