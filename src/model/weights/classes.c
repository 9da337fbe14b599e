/* SPDX-License-Identifier: Apache-2.0 */
#include "model/weights/weights.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "data/list/labels.h"

meso_status meso_classes_parse(const char *text, meso_status fault, meso_classes *classes,
                               meso_error *error)
{
    const meso_dataset_options usual_names = MESO_INIT(meso_dataset_options);
    const char *comma = strchr(text, ',');
    size_t n = comma ? (size_t)(comma - text) : 0;
    MESO_DEMAND(n > 0 && n < MESO_CLASS_NAME_SIZE && strlen(comma + 1) < MESO_CLASS_NAME_SIZE,
                error, fault, "class names '%s': expected two, as in fake,real",
                MESO_PRINTABLE(text));
    memcpy(classes->names[0], text, n);
    classes->names[0][n] = '\0';
    strcpy(classes->names[1], comma + 1);
    classes->real = meso_label_of(classes->names[1], &usual_names) == MESO_REAL;
    MESO_DEMAND(meso_label_of(classes->names[!classes->real], &usual_names) == MESO_FAKE &&
                    meso_label_of(classes->names[classes->real], &usual_names) == MESO_REAL,
                error, fault,
                "class names '%s': one must be a name for fake and one a name for real",
                MESO_PRINTABLE(text));
    return MESO_OK;
}
