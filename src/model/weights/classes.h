/* SPDX-License-Identifier: Apache-2.0
 *
 * "fake,real": what the outputs of a two-class net mean.
 */
#ifndef MESO_MODEL_CLASSES_H
#define MESO_MODEL_CLASSES_H

#include "mesocl/status.h"

enum { MESO_CLASS_NAME_SIZE = 64 };

typedef struct meso_classes {
    char names[2][MESO_CLASS_NAME_SIZE]; /* of classes 0 and 1; a sigmoid gives P(class 1) */
    int real;                            /* which of the two is real */
} meso_classes;

/* Two names with a comma between; by the rules of mesocl/dataset.h one must mean fake, one real.
 * Else it fails with the status `fault`: whose fault it is depends on where the text stands. */
meso_status meso_classes_parse(const char *text, meso_status fault, meso_classes *classes,
                               meso_error *error);

#endif
