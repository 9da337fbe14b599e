/* SPDX-License-Identifier: Apache-2.0
 *
 * NEAREST, as Pillow: output i takes input ⌊(2i+1)·in / (2·out)⌋. The same map serves a resize in
 * memory and the sink that picks pixels out of a picture while it is decoded.
 */
#include "data/image/resize.h"

#include <stdlib.h>
#include <string.h>

#include "mesocl/image.h"

/* Walks through ⌊(2i+1)·in / (2·out)⌋ for i = 0, 1, … by additions: a division per pixel would cost
 * more than the copy. */
typedef struct nearest {
    uint64_t at;   /* the current index */
    uint64_t rest; /* its remainder, of 2·out */
    uint64_t whole;
    uint64_t part;
    uint64_t full;
} nearest;

static nearest nearest_first(uint64_t in, uint64_t out)
{
    return (nearest){.at = in / (2 * out),
                     .rest = in % (2 * out),
                     .whole = in / out,
                     .part = 2 * (in % out),
                     .full = 2 * out};
}

static inline void nearest_step(nearest *walk)
{
    walk->at += walk->whole;
    walk->rest += walk->part;
    if (walk->rest >= walk->full) {
        walk->rest -= walk->full;
        walk->at++;
    }
}

void meso_resize_nearest_rgb8(const uint8_t *in, unsigned in_width, unsigned in_height,
                              size_t row_stride, uint8_t *out, unsigned out_width,
                              unsigned out_height)
{
    nearest row = nearest_first(in_height, out_height);
    for (unsigned y = 0; y < out_height; y++, nearest_step(&row)) {
        const uint8_t *from = in + row.at * row_stride;
        nearest column = nearest_first(in_width, out_width);
        for (unsigned x = 0; x < out_width; x++, nearest_step(&column), out += 3)
            memcpy(out, from + 3 * column.at, 3);
    }
}

/* The map of one axis in ascending order of its source index, times scale. A flipped axis is walked
 * from its end. */
static uint32_t *axis_map(unsigned in, unsigned out, int flip, uint32_t scale)
{
    uint32_t *map = malloc(out * sizeof *map);
    nearest walk = nearest_first(in, out);
    if (!map)
        return NULL;
    for (unsigned i = 0; i < out; i++, nearest_step(&walk)) {
        uint32_t source = (uint32_t)walk.at;
        map[flip ? out - 1 - i : i] = (flip ? in - 1 - source : source) * scale;
    }
    return map;
}

/* How EXIF stores a picture: swap: its rows are the shown picture's columns; then which of the
 * stored axes run backwards. Index 0 is not used. */
static const struct {
    unsigned char swap, flip_rows, flip_columns;
} turns[9] = {{0},       {0},       {0, 0, 1}, {0, 1, 1}, {0, 1, 0},
              {1, 0, 0}, {1, 1, 0}, {1, 1, 1}, {1, 0, 1}};

static meso_status prepare_maps(meso_rows *rows, unsigned width, unsigned height, int orientation)
{
    ptrdiff_t line = (ptrdiff_t)rows->out_width * 3;
    int swap = turns[orientation].swap;
    int flip_rows = turns[orientation].flip_rows;
    int flip_columns = turns[orientation].flip_columns;
    rows->n_rows = swap ? rows->out_width : rows->out_height;
    rows->n_columns = swap ? rows->out_height : rows->out_width;
    rows->row_step = swap ? 3 : line;
    rows->column_step = swap ? line : 3;
    rows->row_of = axis_map(height, rows->n_rows, flip_rows, 1);
    rows->column_of = axis_map(width, rows->n_columns, flip_columns, 3);
    rows->line_block = malloc((size_t)width * 3 + 1);
    rows->start = rows->out;
    if (flip_rows) {
        rows->start += (rows->n_rows - 1) * rows->row_step;
        rows->row_step = -rows->row_step;
    }
    if (flip_columns) {
        rows->start += (rows->n_columns - 1) * rows->column_step;
        rows->column_step = -rows->column_step;
    }
    return rows->row_of && rows->column_of && rows->line_block ? MESO_OK : MESO_ERROR_MEMORY;
}

meso_status meso_rows_begin(meso_rows *rows, unsigned width, unsigned height, int orientation,
                            unsigned out_width, unsigned out_height, uint8_t *into)
{
    int swap = turns[orientation].swap;
    unsigned turned_width = swap ? height : width, turned_height = swap ? width : height;
    memset(rows, 0, sizeof *rows);
    rows->in_width = width;
    rows->out_width = out_width ? out_width : turned_width;
    rows->out_height = out_height ? out_height : turned_height;
    rows->direct = orientation == 1 && rows->out_width == width && rows->out_height == height;
    rows->borrowed = into != NULL;
    rows->out = into ? into : malloc((size_t)rows->out_width * rows->out_height * 3);
    if (rows->out && (rows->direct || prepare_maps(rows, width, height, orientation) == MESO_OK))
        return MESO_OK;
    meso_rows_end(rows);
    return MESO_ERROR_MEMORY;
}

/* A line starts at an odd address: into aligned memory libjpeg-turbo stores past the cache, and
 * reading the line back then takes longer than decoding it did. */
uint8_t *meso_rows_buffer(meso_rows *rows)
{
    return rows->direct ? rows->out + (size_t)rows->y * rows->in_width * 3 : rows->line_block + 1;
}

static void put_step(const meso_rows *rows, const uint8_t *rgb)
{
    /* Copies of the members: for all the compiler knows, a store through to might change them. */
    const uint32_t *column_of = rows->column_of;
    unsigned n_columns = rows->n_columns;
    ptrdiff_t step = rows->column_step;
    uint8_t *to = rows->start + (ptrdiff_t)rows->next * rows->row_step;
    for (unsigned i = 0; i < n_columns; i++, to += step)
        memcpy(to, rgb + column_of[i], 3);
}

void meso_rows_put(meso_rows *rows, const uint8_t *rgb)
{
    if (rows->direct && rgb != meso_rows_buffer(rows))
        memcpy(meso_rows_buffer(rows), rgb, (size_t)rows->in_width * 3);
    for (; rows->next < rows->n_rows && rows->row_of[rows->next] == rows->y; rows->next++)
        put_step(rows, rgb);
    rows->y++;
}

uint8_t *meso_rows_take(meso_rows *rows)
{
    uint8_t *out = rows->borrowed ? NULL : rows->out;
    rows->out = NULL;
    return out;
}

void meso_rows_end(meso_rows *rows)
{
    free(meso_rows_take(rows));
    free(rows->line_block);
    free(rows->row_of);
    free(rows->column_of);
    rows->line_block = NULL;
    rows->row_of = rows->column_of = NULL;
}
