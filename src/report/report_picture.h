/* SPDX-License-Identifier: Apache-2.0
 *
 * Small grey pictures in HTML reports, drawn as SVG: nothing that a page would have to load.
 */
#ifndef MESO_REPORT_PICTURE_H
#define MESO_REPORT_PICTURE_H

#include <stdint.h>

#include "report/report_html.h"

typedef struct report_picture {
    const char *caption;
    const uint8_t *grey; /* [height][width] */
    unsigned width, height;
} report_picture;

/* Pictures and charts that follow each other stand side by side where there is room. */
void report_html_picture(report_html *page, const report_picture *picture);

#endif
