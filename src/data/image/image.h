/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading apart from decoding, for those who check or keep the bytes; decoding apart from this
 * process, for programs.
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

/* What meso_image_decode is made of: all of `options` is there, max_pixels filled in; `image` is
 * written on success, `refusal` always. */
typedef meso_status meso_image_decoder(const void *bytes, size_t n, const char *name,
                                       const meso_image_options *options, meso_image *image,
                                       meso_refusal *refusal, meso_error *error);

/* The decoder itself, in this process. */
meso_image_decoder meso_image_decode_here;

/* From now on every picture is decoded by this one, on any thread. Before any thread is started. */
void meso_image_decode_elsewhere(meso_image_decoder *decoder);

/* The format's name as meso_image has it, which lives for ever; NULL: there is no such format. */
const char *meso_image_format(const char *name);

/* Is a file of this ending (small letters, no dot) an image that this build reads? */
int meso_image_reads(const char *ending);

#endif
