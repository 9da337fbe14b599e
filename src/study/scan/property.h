/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of one image, as numbers: the properties that datasets are compared by. One table
 * (property.c) names them for every report.
 */
#ifndef MESO_STUDY_PROPERTY_H
#define MESO_STUDY_PROPERTY_H

/* The study's own first, in its order; then those of the pixels, then those of the file. */
typedef enum study_property {
    STUDY_RED, /* mean, 0…255 */
    STUDY_GREEN,
    STUDY_BLUE,
    STUDY_CONTRAST,   /* 100 · mean of (max − min) / (max + min) in 5×5 on OpenCV's 8-bit L */
    STUDY_BRIGHTNESS, /* mean of Pillow's L, 0…255 */
    STUDY_ENTROPY,    /* bits, of all channels' values together */
    STUDY_SHARPNESS,
    STUDY_NOISE,
    STUDY_COLOURFULNESS,
    STUDY_SATURATION,
    STUDY_BLOCKINESS,
    STUDY_HIGH_FREQUENCY,
    STUDY_WIDTH,
    STUDY_HEIGHT,
    STUDY_ASPECT,
    STUDY_FILE_BYTES,
    STUDY_BITS_PER_PIXEL,
    STUDY_JPEG_QUALITY, /* NaN where the file is no JPEG */
    STUDY_CHROMA,       /* luma samples for each chroma sample: 1, 2, 4; NaN likewise */
    STUDY_IS_JPEG,      /* 1: the file is a JPEG, whatever its name */
    STUDY_EXIF,         /* 1: the file has EXIF data, 0: it has none */
    STUDY_N_PROPERTIES
} study_property;

enum { STUDY_N_PUBLISHED = STUDY_ENTROPY + 1 };

typedef struct study_property_row {
    const char *key;   /* "contrast": in JSON and CSV */
    const char *title; /* "Contrast, %": for people */
    int digits;        /* behind the point, for people */
    int of_file;       /* 1: of the file (size, tables, EXIF), which any re-encoding changes */
} study_property_row;

extern const study_property_row study_properties[STUDY_N_PROPERTIES];

#endif
