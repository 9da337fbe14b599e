/* SPDX-License-Identifier: Apache-2.0 */
#include "study/scan/scan_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { n_coefficients = 64 };

/* The luminance table of JPEG's Annex K (ITU-T T.81, table K.1), in zigzag order. */
static const uint8_t annex_k[n_coefficients] = {
    16, 11, 12,  14,  12,  10, 16, 14,  13,  14,  18,  17,  16, 19,  24,  40,
    26, 24, 22,  22,  24,  49, 35, 37,  29,  40,  58,  51,  61, 60,  57,  51,
    56, 55, 64,  72,  92,  78, 64, 68,  87,  69,  55,  56,  80, 109, 81,  87,
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99};

/* What libjpeg makes of it for a quality (jcparam.c, jpeg_quality_scaling). */
static unsigned scaled(int k, int quality)
{
    int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    int value = (annex_k[k] * scale + 50) / 100;
    return (unsigned)(value < 1 ? 1 : value > 255 ? 255 : value);
}

static double nearest_quality(const unsigned table[n_coefficients])
{
    unsigned best = ~0u;
    int quality = 0;
    for (int q = 1; q <= 100; q++) {
        unsigned distance = 0;
        for (int k = 0; k < n_coefficients; k++)
            distance += (unsigned)abs((int)table[k] - (int)scaled(k, q));
        if (distance <= best) { /* of equals the finer: 1 is what tables near 100 are clipped to */
            best = distance;
            quality = q;
        }
    }
    return quality;
}

static unsigned big16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* A DQT segment may hold several tables; table 0 is the luminance's in all but odd files. */
static void read_tables(const uint8_t *p, size_t n, study_file_facts *facts)
{
    while (n > 0) {
        unsigned wide = p[0] >> 4 ? 2 : 1, values[n_coefficients];
        size_t size = 1 + n_coefficients * wide;
        if (n < size)
            return;
        for (int k = 0; k < n_coefficients; k++)
            values[k] = wide == 2 ? big16(p + 1 + 2 * k) : p[1 + k];
        if ((p[0] & 15) == 0)
            facts->jpeg_quality = nearest_quality(values);
        p += size;
        n -= size;
    }
}

/* A start of frame: precision, height, width, components of (id, sampling factors, table). */
static void read_frame(const uint8_t *p, size_t n, study_file_facts *facts)
{
    if (n < 6 || p[5] != 3 || n < 6 + 3 * 3)
        return;
    double luma = (p[7] >> 4) * (double)(p[7] & 15);
    double chroma = (p[10] >> 4) * (double)(p[10] & 15);
    if (luma > 0 && chroma > 0)
        facts->chroma = luma / chroma;
}

static int is_frame(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* Markers up to the first scan. */
static void read_jpeg(const uint8_t *bytes, size_t n, study_file_facts *facts)
{
    for (size_t at = 2; at + 4 <= n && bytes[at] == 0xFF;) {
        uint8_t marker = bytes[at + 1];
        size_t length = big16(bytes + at + 2);
        if (marker == 0xFF) { /* padding */
            at++;
            continue;
        }
        if (marker == 0xDA || length < 2 || length > n - at - 2)
            return;
        const uint8_t *body = bytes + at + 4;
        if (marker == 0xDB)
            read_tables(body, length - 2, facts);
        else if (is_frame(marker))
            read_frame(body, length - 2, facts);
        else if (marker == 0xE1 && length >= 8 && memcmp(body, "Exif\0", 5) == 0)
            facts->exif = 1;
        at += 2 + length;
    }
}

static size_t size_at(const uint8_t *p, int big_endian)
{
    size_t size = 0;
    for (int i = 0; i < 4; i++)
        size = size << 8 | p[big_endian ? i : 3 - i];
    return size;
}

/* Is there a chunk of that name? A PNG's has its size before its name and a checksum behind it, a
 * RIFF's its size behind the name and even padding. */
static int has_chunk(const uint8_t *bytes, size_t n, size_t at, int png, const char *name)
{
    while (at + 8 <= n) {
        size_t size = size_at(bytes + at + (png ? 0 : 4), png);
        if (memcmp(bytes + at + (png ? 4 : 0), name, 4) == 0)
            return 1;
        size_t step = 8 + (png ? size + 4 : size + size % 2);
        if (step > n - at)
            return 0;
        at += step;
    }
    return 0;
}

void study_file_facts_read(const uint8_t *bytes, size_t n, study_file_facts *facts)
{
    *facts = (study_file_facts){NAN, NAN, 0};
    if (n >= 4 && bytes[0] == 0xFF && bytes[1] == 0xD8)
        read_jpeg(bytes, n, facts);
    else if (n >= 8 && memcmp(bytes, "\x89PNG", 4) == 0)
        facts->exif = has_chunk(bytes, n, 8, 1, "eXIf");
    else if (n >= 12 && memcmp(bytes, "RIFF", 4) == 0)
        facts->exif = has_chunk(bytes, n, 12, 0, "EXIF");
}
