/* SPDX-License-Identifier: Apache-2.0
 *
 * How this program and a decoder of pictures speak: by a slot in memory that both have, and a byte
 * each way on a socket, which says that the other side has done its part. What is larger than a
 * half of the slot goes through it piece by piece.
 */
#ifndef MESO_TOOLS_DECODER_SLOT_H
#define MESO_TOOLS_DECODER_SLOT_H

#include <limits.h>
#include <stdint.h>
#include <unistd.h>

#include "mesocl/status.h"

enum { DECODER_PIECE = 1 << 20, DECODER_SOCKET = 3, DECODER_FORMAT_SIZE = 8 };

typedef struct decoder_question {
    uint64_t n; /* bytes of the file */
    uint64_t max_pixels;
    uint32_t width, height; /* as meso_image_options */
    int32_t exif_orient;
    char name[PATH_MAX]; /* "": none */
} decoder_question;

typedef struct decoder_answer {
    int32_t status, refusal;
    uint32_t width, height, file_width, file_height;
    int32_t exif_orientation, suspect;
    char format[DECODER_FORMAT_SIZE];
    char text[MESO_ERROR_TEXT_SIZE];
} decoder_answer;

typedef struct decoder_slot {
    decoder_question question;
    decoder_answer answer;
    uint8_t in[DECODER_PIECE];  /* the file */
    uint8_t out[DECODER_PIECE]; /* its pixels */
} decoder_slot;

/* From one slot to the next: whole pages, so that a decoder can give the others away. */
static inline size_t decoder_stride(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (sizeof(decoder_slot) + page - 1) / page * page;
}

static inline decoder_slot *decoder_slot_of(void *slots, size_t i)
{
    return (decoder_slot *)((char *)slots + i * decoder_stride());
}

/* The bytes of piece i of n bytes. */
static inline size_t decoder_piece(size_t n, size_t i)
{
    const size_t left = n - i * DECODER_PIECE;
    return left < DECODER_PIECE ? left : DECODER_PIECE;
}

#endif
