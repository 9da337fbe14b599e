/* SPDX-License-Identifier: Apache-2.0
 *
 * Which way up a picture is.
 */
#ifndef MESO_DATA_EXIF_H
#define MESO_DATA_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation (1–8) in n bytes of EXIF, with or without the "Exif" prefix; 1 where there is
 * none. */
int meso_exif_orientation(const uint8_t *bytes, size_t n);

#endif
