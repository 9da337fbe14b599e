/* SPDX-License-Identifier: Apache-2.0
 *
 * The one EXIF field that matters here: orientation (tag 0x0112 of the first image file directory).
 * EXIF is a small TIFF file: byte order mark, 42, offset of a directory of 12-byte entries.
 */
#include "data/image/decode.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };

static uint32_t number(const uint8_t *p, unsigned bytes, int big_endian)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | p[big_endian ? i : bytes - 1 - i];
    return value;
}

int meso_exif_orientation(const uint8_t *bytes, size_t n)
{
    if (n >= 6 && memcmp(bytes, "Exif\0", 5) == 0) {
        bytes += 6;
        n -= 6;
    }
    if (n < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return 1;
    int big = bytes[0] == 'M';
    size_t at = number(bytes + 4, 4, big);
    if (at > n || n - at < 2)
        return 1;
    unsigned n_entries = number(bytes + at, 2, big);
    const uint8_t *entry = bytes + at + 2;
    for (; n_entries > 0 && bytes + n - entry >= ENTRY_BYTES; n_entries--, entry += ENTRY_BYTES) {
        unsigned type = number(entry + 2, 2, big);
        if (number(entry, 2, big) != TAG_ORIENTATION || (type != TYPE_SHORT && type != TYPE_LONG))
            continue;
        uint32_t value = number(entry + 8, type == TYPE_SHORT ? 2 : 4, big);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
