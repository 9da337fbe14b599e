/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading apart from decoding, for those who check or keep the bytes.
 */
#ifndef MESO_DATA_IMAGE_H
#define MESO_DATA_IMAGE_H

#include "mesocl/image.h"

/* The first half of meso_image_load: the file's bytes, to free(), within the limit for files. hash:
 * what a manifest says of them; NULL: nothing. Errors: also DATA without a refusal where they are
 * others. */
meso_status meso_image_read(const char *path, const char *hash, void **bytes, size_t *n,
                            meso_refusal *refusal, meso_error *error);

/* meso_image_load of a file that a manifest says a hash of, or NULL. Errors: as above. */
meso_status meso_image_load_listed(const char *path, const char *hash,
                                   const meso_image_options *options, meso_image *image,
                                   meso_refusal *refusal, meso_error *error);

/* Has a file the hash that a manifest says? A picture that was exchanged is no picture to refuse:
 * what is measured would no longer be what the manifest describes. Errors: DATA. */
meso_status meso_image_check_hash(const char *path, const char *said, const char *found,
                                  meso_error *error);

/* Is a file of this ending (small letters, no dot) an image that this build reads? */
int meso_image_reads(const char *ending);

#endif
