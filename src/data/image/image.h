/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading apart from decoding, for those who check or keep the bytes.
 */
#ifndef MESO_DATA_IMAGE_H
#define MESO_DATA_IMAGE_H

#include "mesocl/image.h"

/* The first half of meso_image_load: the file's bytes, to free(), within the limit for files. */
meso_status meso_image_read(const char *path, void **bytes, size_t *n, meso_refusal *refusal,
                            meso_error *error);

/* Is a file of this ending (small letters, no dot) an image that this build reads? */
int meso_image_reads(const char *ending);

#endif
