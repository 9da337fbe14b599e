/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells what a file is by its first bytes; its name says nothing.
 */
#include "data/image/sniff.h"

#include <string.h>

#include "data/image/decode.h"

/* First match wins. '?' stands for any byte. The rows of other formats exist for the
 * sentence that a user gets. */
static const struct {
    meso_format format;
    unsigned char length;
    const char *pattern;
    const char *what;
} signatures[] = {
    {MESO_FORMAT_JPEG, 2, "\xFF\xD8", "a JPEG image"},
    {MESO_FORMAT_PNG, 8, "\x89PNG\r\n\x1A\n", "a PNG image"},
    {MESO_FORMAT_WEBP, 12, "RIFF????WEBP", "a WebP image"},
    {MESO_FORMAT_GIF, 4, "GIF8", "a GIF image"},
    {MESO_FORMAT_TIFF, 4, "II*\0", "a TIFF image"},
    {MESO_FORMAT_TIFF, 4, "MM\0*", "a TIFF image"},
    {MESO_FORMAT_TIFF, 4, "II+\0", "a TIFF image"},
    {MESO_FORMAT_TIFF, 4, "MM\0+", "a TIFF image"},
    {MESO_FORMAT_OTHER, 12, "????ftypavif", "an AVIF image"},
    {MESO_FORMAT_OTHER, 12, "????ftyphei?", "a HEIF image"},
    {MESO_FORMAT_OTHER, 12, "????ftypmif1", "a HEIF image"},
    {MESO_FORMAT_OTHER, 8, "\0\0\0\x0CjP  ", "a JPEG 2000 image"},
    {MESO_FORMAT_OTHER, 4, "\xFF\x4F\xFF\x51", "a JPEG 2000 image"},
    {MESO_FORMAT_OTHER, 8, "\0\0\0\x0CJXL ", "a JPEG XL image"},
    {MESO_FORMAT_OTHER, 2, "\xFF\x0A", "a JPEG XL image"},
    {MESO_FORMAT_OTHER, 4, "8BPS", "a Photoshop image"},
    {MESO_FORMAT_OTHER, 4, "\0\0\1\0", "an icon"},
    {MESO_FORMAT_OTHER, 3, "P7\n", "a PAM image"},
    {MESO_FORMAT_OTHER, 2, "PF", "a PFM image"},
    {MESO_FORMAT_UNKNOWN, 8, "????ftyp", "a video"},
    {MESO_FORMAT_UNKNOWN, 12, "RIFF????AVI ", "a video"},
    {MESO_FORMAT_UNKNOWN, 4, "\x1A\x45\xDF\xA3", "a video"}, /* Matroska, WebM */
    {MESO_FORMAT_UNKNOWN, 4, "FLV\1", "a video"},
    {MESO_FORMAT_UNKNOWN, 4, "PK\3\4", "a ZIP archive"},
    {MESO_FORMAT_UNKNOWN, 2, "\x1F\x8B", "a gzip archive"},
    {MESO_FORMAT_UNKNOWN, 4, "%PDF", "a PDF document"},
    {MESO_FORMAT_UNKNOWN, 14, "<!DOCTYPE html", "a web page"},
    {MESO_FORMAT_UNKNOWN, 14, "<!doctype html", "a web page"},
    {MESO_FORMAT_UNKNOWN, 5, "<html", "a web page"},
    {MESO_FORMAT_UNKNOWN, 4, "<svg", "an SVG drawing"},
    {MESO_FORMAT_UNKNOWN, 19, "version https://git", "a Git LFS pointer (fetch it: git lfs pull)"},
};

static int matches(const uint8_t *bytes, size_t n, const char *pattern, size_t length)
{
    if (n < length)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (pattern[i] != '?' && bytes[i] != (uint8_t)pattern[i])
            return 0;
    return 1;
}

/* Two letters are weak evidence ("BMW is a car"), so the size of the second header must be possible
 * too. */
static int is_bmp(const uint8_t *bytes, size_t n)
{
    return n >= 2 && bytes[0] == 'B' && bytes[1] == 'M' &&
           (n < 18 || meso_little32(bytes + 14) <= 256);
}

static int is_pnm(const uint8_t *bytes, size_t n)
{
    return n >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           strchr(" \t\r\n#", bytes[2]) && bytes[2];
}

meso_format meso_sniff(const uint8_t *bytes, size_t n, const char **what)
{
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++)
        if (matches(bytes, n, signatures[i].pattern, signatures[i].length)) {
            *what = signatures[i].what;
            return signatures[i].format;
        }
    *what = NULL;
    return is_bmp(bytes, n)   ? MESO_FORMAT_BMP
           : is_pnm(bytes, n) ? MESO_FORMAT_PNM
                              : MESO_FORMAT_UNKNOWN;
}
