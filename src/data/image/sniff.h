/* SPDX-License-Identifier: Apache-2.0
 *
 * What a file is, by its first bytes.
 */
#ifndef MESO_DATA_SNIFF_H
#define MESO_DATA_SNIFF_H

#include <stddef.h>
#include <stdint.h>

typedef enum meso_format {
    MESO_FORMAT_UNKNOWN, /* not an image */
    MESO_FORMAT_OTHER,   /* an image of a format that MesoCL does not read */
    MESO_FORMAT_JPEG,
    MESO_FORMAT_PNG,
    MESO_FORMAT_BMP,
    MESO_FORMAT_PNM,
    MESO_FORMAT_WEBP,
    MESO_FORMAT_GIF,
    MESO_FORMAT_TIFF
} meso_format;

/* *what becomes a noun for messages ("a GIF image"), or NULL where nothing is known. */
meso_format meso_sniff(const uint8_t *bytes, size_t n, const char **what);

#endif
