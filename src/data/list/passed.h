/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies in a folder of images and is not taken: counted, so that nothing is left out in
 * silence.
 */
#ifndef MESO_DATA_PASSED_H
#define MESO_DATA_PASSED_H

#include <jansson.h>

#include "base/text.h"
#include "data/list/builder.h"

/* Counts n things of one kind and name in the builder's dataset. Errors: MEMORY. */
meso_status meso_passed_add(meso_list_builder *builder, meso_passed_kind kind, const char *name,
                            size_t n, meso_error *error);

/* Counts a file that is no image by its name. Errors: MEMORY. */
meso_status meso_passed_file(meso_list_builder *builder, const char *name, meso_error *error);

/* What systems and programs leave beside files, such as "@eaDir", and every hidden name: the
 * pattern that it fits. NULL: it is none of these. */
const char *meso_passed_system(const char *name);

/* Is it an image by its ending, of a format that this build reads? */
int meso_passed_is_image(const char *name);

/* "3 .avif (formats that are not read); 1 .csv, 2 .txt (not images)"; nothing where there is
 * nothing. */
void meso_passed_say(const meso_dataset *dataset, meso_text *out);

/* The same of what meso_passed_json made; NULL is nothing. */
void meso_passed_say_json(const json_t *list, meso_text *out);

/* A list of {kind, name, n}. NULL: out of memory. */
json_t *meso_passed_json(const meso_dataset *dataset);

#endif
