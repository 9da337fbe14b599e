/* SPDX-License-Identifier: Apache-2.0
 *
 * What `mesocl faces` finds, as lines for people, a JSON document and a CSV table.
 */
#ifndef MESO_TOOLS_FACES_OUTPUT_H
#define MESO_TOOLS_FACES_OUTPUT_H

#include "face/boxes.h"
#include "mesocl/dataset.h"
#include "report/report_json.h"
#include "report/report_provenance.h"
#include "report/report_table.h"

typedef struct faces_picture {
    const char *path;
    const char *reason; /* why there is no face; NULL: there is one */
    int width, height;  /* 0: the picture was refused */
    face_list faces;
} faces_picture;

void faces_text(const faces_picture *picture, meso_text *out);
json_t *faces_json(const faces_picture *picture); /* NULL: out of memory */

/* A row for each face, or one of a picture without. */
report_table faces_table(void);
void faces_add_rows(const faces_picture *picture, report_table *table);

#endif
