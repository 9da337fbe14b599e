/* SPDX-License-Identifier: Apache-2.0 */
#include "study/scan/property.h"

const study_property_row study_properties[STUDY_N_PROPERTIES] = {
    [STUDY_RED] = {"r", "R", 3, 0},
    [STUDY_GREEN] = {"g", "G", 3, 0},
    [STUDY_BLUE] = {"b", "B", 3, 0},
    [STUDY_CONTRAST] = {"contrast", "contrast %", 3, 0},
    [STUDY_BRIGHTNESS] = {"brightness", "brightness", 3, 0},
    [STUDY_ENTROPY] = {"entropy", "entropy", 3, 0},
    [STUDY_SHARPNESS] = {"sharpness", "sharpness", 1, 0},
    [STUDY_NOISE] = {"noise", "noise", 3, 0},
    [STUDY_COLOURFULNESS] = {"colourfulness", "colourfulness", 2, 0},
    [STUDY_SATURATION] = {"saturation", "saturation", 4, 0},
    [STUDY_BLOCKINESS] = {"blockiness", "blockiness", 4, 0},
    [STUDY_HIGH_FREQUENCY] = {"high_frequency", "high frequencies", 3, 0},
    [STUDY_WIDTH] = {"width", "width", 1, 1},
    [STUDY_HEIGHT] = {"height", "height", 1, 1},
    [STUDY_ASPECT] = {"aspect", "aspect", 4, 1},
    [STUDY_FILE_BYTES] = {"file_bytes", "file bytes", 0, 1},
    [STUDY_BITS_PER_PIXEL] = {"bits_per_pixel", "bits a pixel", 3, 1},
    [STUDY_JPEG_QUALITY] = {"jpeg_quality", "JPEG quality", 1, 1},
    [STUDY_CHROMA] = {"chroma_subsampling", "chroma subsampling", 2, 1},
    [STUDY_IS_JPEG] = {"is_jpeg", "is JPEG", 3, 1},
    [STUDY_EXIF] = {"exif", "has EXIF", 3, 1},
};
