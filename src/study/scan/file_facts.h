/* SPDX-License-Identifier: Apache-2.0
 *
 * What a file says of its making, without decoding it.
 */
#ifndef MESO_STUDY_FILE_FACTS_H
#define MESO_STUDY_FILE_FACTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct study_file_facts {
    double jpeg_quality; /* of libjpeg's scale, 1…100, whose luminance table is nearest; NaN */
    double chroma;       /* luma samples for each chroma sample: 1 is 4:4:4, 4 is 4:2:0; NaN */
    int exif;
} study_file_facts;

/* bytes: a whole JPEG, PNG or WebP file, sound or not; of others nothing is known. */
void study_file_facts_read(const uint8_t *bytes, size_t n, study_file_facts *facts);

#endif
