/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report_picture.h"

#include "report/report_markup.h"

void report_html_picture(report_html *page, const report_picture *picture)
{
    meso_text *out = &page->body;
    if (!page->in_charts)
        meso_text_add(out, "<div class=\"charts\">\n");
    page->in_charts = 1;
    meso_text_add(out, "<figure><figcaption>");
    report_markup(picture->caption, out);
    meso_text_format(out,
                     "</figcaption><svg class=\"picture\" role=\"img\" viewBox=\"0 0 %u %u\" "
                     "shape-rendering=\"crispEdges\">\n",
                     picture->width, picture->height);
    for (unsigned y = 0; y < picture->height; y++)
        for (unsigned x = 0; x < picture->width; x++) {
            unsigned v = picture->grey[y * picture->width + x];
            meso_text_format(out,
                             "<rect x=\"%u\" y=\"%u\" width=\"1\" height=\"1\" "
                             "fill=\"#%02x%02x%02x\"/>",
                             x, y, v, v, v);
        }
    meso_text_add(out, "</svg></figure>\n");
}
