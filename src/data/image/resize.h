/* SPDX-License-Identifier: Apache-2.0
 *
 * The sink that a decoder feeds with rows: it turns the picture and picks the pixels that the
 * result needs, so that memory does not grow with the picture.
 */
#ifndef MESO_DATA_RESIZE_H
#define MESO_DATA_RESIZE_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

/* Where the rows of a picture go: turned and sampled into out. */
typedef struct meso_rows {
    uint8_t *out; /* [out_height][out_width][3] */
    int borrowed; /* out is the caller's memory */
    unsigned out_width;
    unsigned out_height;
    unsigned in_width;
    int direct;          /* out is the picture itself: decoders write into it */
    uint8_t *line_block; /* one source row and a byte before it, unless direct */
    uint32_t *row_of;    /* [n_rows] source row of each step along the row axis, ascending */
    uint32_t *column_of; /* [n_columns] source byte offset of each step along the column axis */
    unsigned n_rows;
    unsigned n_columns;
    uint8_t *start;     /* where step (0, 0) is in out */
    ptrdiff_t row_step; /* bytes in out from one step to the next */
    ptrdiff_t column_step;
    unsigned y;    /* the next source row */
    unsigned next; /* the next step along the row axis */
} meso_rows;

/* Prepares rows for a picture of width × height that orientation (EXIF, 1–8) turns, and that is
 * then resized to out_width × out_height (0: as turned), into memory of that size (NULL: its own).
 * Errors: MEMORY (rows is then empty). */
meso_status meso_rows_begin(meso_rows *rows, unsigned width, unsigned height, int orientation,
                            unsigned out_width, unsigned out_height, uint8_t *into);
uint8_t *meso_rows_take(meso_rows *rows);                /* out if it is rows' own, else NULL */
uint8_t *meso_rows_buffer(meso_rows *rows);              /* for the next row, in_width × 3 bytes */
void meso_rows_put(meso_rows *rows, const uint8_t *rgb); /* that buffer, or the caller's own row */
void meso_rows_end(meso_rows *rows);                     /* frees all that was not taken */

#endif
