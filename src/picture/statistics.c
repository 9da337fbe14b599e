/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures → records of counts, by cl/picture/statistics.cl. What the counts mean:
 * statistics_finish.c.
 */
#include "picture/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/program.h"

enum {
    slots_of_lane = 3,
    page_bytes = 4096,     /* from such an address on every driver takes memory as it is */
    band_pixels = 8 << 20, /* keeps a band's counters within 32 bits */
    rows_elsewhere = 16,   /* of a band, where pictures are not computed one on a core */
    scratch_rows = 14,     /* bytes of scratch for each pixel of a row */
    n_lightness = 2041,    /* Y is at most 2040 */
    band_bytes = 6 * sizeof(uint32_t),
    record_bytes = R_WORDS * sizeof(uint32_t)
};

/* A host array that grows, at an address that every driver takes. */
typedef struct block {
    void *memory;
    size_t bytes;
} block;

typedef struct slot {
    size_t lane, n, n_bands, pixel_bytes;
    block pixels, bands, records, pictures;
    meso_buffer pixel_view, band_view, device_records, scratch;
    meso_event done;
} slot;

struct meso_statistics {
    meso_device *device;
    int more;
    meso_program program;
    meso_kernel study, beyond;
    meso_buffer parts, lightness;
    slot *slots;
    size_t n_slots, n_lanes;
};

/* OpenCV's 8-bit RGB → L in its own integers (imgproc/src/color_lab.cpp): linear light of each
 * channel by a table, Y as a weighted sum, and the cube root by another table. */
static double linear_light(int value)
{
    double x = value / 255.0;
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

static double lab_root(int y)
{
    double x = y / 2040.0;
    return x >= 216.0 / 24389.0 ? cbrt(x) : x * 841.0 / 108.0 + 16.0 / 116.0;
}

static void make_tables(uint64_t parts[3 * 256], uint8_t lightness[n_lightness])
{
    static const unsigned y_weights[3] = {871, 2929, 296}, luma_weights[3] = {19595, 38470, 7471};
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++) {
            uint64_t y = y_weights[c] * (uint64_t)rint(2040 * linear_light(v));
            uint64_t luma = luma_weights[c] * (uint64_t)v;
            /* The roundings of both sums go in with the first channel. */
            parts[256 * c + v] = (y + (c == 0 ? 2048 : 0)) | (luma + (c == 0 ? 0x8000 : 0)) << 32;
        }
    for (int y = 0; y < n_lightness; y++)
        lightness[y] = (uint8_t)((296 * (int)rint(32768 * lab_root(y)) - 1336934 + 16384) >> 15);
}

static meso_status build(meso_statistics *s)
{
    meso_status status = MESO_OK;
    meso_error *error = meso_device_error_slot(s->device);
    meso_text source = {0};
#define DEFINE(name) meso_text_format(&source, "#define " #name " %d\n", (int)name)
    DEFINE(R_HISTOGRAM);
    DEFINE(R_CONTRAST);
    DEFINE(R_SATURATION);
    DEFINE(R_COPY);
    DEFINE(R_LUMA);
    DEFINE(R_EDGES);
    DEFINE(R_COLOURS);
    DEFINE(R_BLOCKS);
    DEFINE(R_WORDS);
    DEFINE(RUN_PIXELS);
#undef DEFINE
    meso_text_add(&source, "#define SCRATCH_STRIDE(width) (((width) + 4 + 15 + 63) / 64 * 64)\n");
    MESO_TRY(meso_source_add(&source, "statistics", error));
    MESO_TRY(meso_program_build(s->device, &source, &s->program));
    MESO_TRY(meso_program_kernel(s->device, &s->program, "count_study", "bbbbibb", &s->study));
    MESO_TRY(meso_program_kernel(s->device, &s->program, "count_more", "bbibb", &s->beyond));
out:
    meso_text_free(&source);
    return status;
}

static meso_status put_tables(meso_statistics *s)
{
    uint64_t parts[3 * 256];
    uint8_t lightness[n_lightness];
    make_tables(parts, lightness);
    MESO_CHECK(meso_buffer_create_filled(s->device, parts, sizeof parts, &s->parts));
    return meso_buffer_create_filled(s->device, lightness, sizeof lightness, &s->lightness);
}

meso_status meso_statistics_open(meso_device *device, int more, meso_statistics **statistics,
                                 meso_error *error)
{
    meso_status status = MESO_OK;
    meso_statistics *s = calloc(1, sizeof *s);
    MESO_REQUIRE_MEMORY(s, error);
    s->device = device;
    s->more = more;
    s->n_lanes = meso_device_n_lanes(device, 0);
    s->n_slots = slots_of_lane * s->n_lanes;
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    MESO_REQUIRE_MEMORY(s->slots, error);
    for (size_t i = 0; i < s->n_slots; i++)
        s->slots[i].lane = i % s->n_lanes;
    status = build(s);
    if (status == MESO_OK)
        status = put_tables(s);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(device));
    *statistics = s;
    s = NULL;
out:
    meso_statistics_close(s);
    return status;
}

static void release_views(slot *s)
{
    meso_buffer_release(&s->pixel_view);
    meso_buffer_release(&s->band_view);
}

void meso_statistics_close(meso_statistics *statistics)
{
    if (!statistics)
        return;
    for (size_t i = 0; statistics->slots && i < statistics->n_slots; i++) {
        slot *s = &statistics->slots[i];
        meso_event_wait(statistics->device, &s->done);
        release_views(s);
        meso_buffer_release(&s->device_records);
        meso_buffer_release(&s->scratch);
        free(s->pixels.memory);
        free(s->bands.memory);
        free(s->records.memory);
        free(s->pictures.memory);
    }
    meso_buffer_release(&statistics->parts);
    meso_buffer_release(&statistics->lightness);
    meso_kernel_release(&statistics->study);
    meso_kernel_release(&statistics->beyond);
    meso_program_release(&statistics->program);
    free(statistics->slots);
    free(statistics);
}

size_t meso_statistics_n_slots(const meso_statistics *statistics)
{
    return statistics->n_slots;
}

static meso_status grow(meso_statistics *s, block *b, size_t bytes)
{
    if (bytes <= b->bytes)
        return MESO_OK;
    bytes = (bytes + bytes / 4 + page_bytes) / page_bytes * page_bytes;
    free(b->memory);
    *b = (block){aligned_alloc(page_bytes, bytes), bytes};
    if (!b->memory)
        b->bytes = 0;
    MESO_DEMAND_MEMORY(b->memory, meso_device_error_slot(s->device));
    return MESO_OK;
}

static meso_status grow_buffer(meso_statistics *s, meso_buffer *buffer, size_t bytes)
{
    if (bytes <= buffer->bytes)
        return MESO_OK;
    meso_buffer_release(buffer);
    meso_status status = meso_buffer_create(s->device, bytes + bytes / 4, buffer);
    if (status != MESO_OK)
        *buffer = (meso_buffer){0};
    return status;
}

static unsigned rows_of_band(const meso_statistics *s, const meso_picture *picture)
{
    unsigned most = band_pixels / picture->width > 0 ? band_pixels / picture->width : 1;
    unsigned rows = s->n_lanes > 1 ? picture->height : rows_elsewhere;
    return rows < most ? rows : most;
}

static size_t stride_of(unsigned width)
{
    return ((size_t)width + 4 + 15 + 63) / 64 * 64;
}

/* Copies the pictures into the slot, without gaps, and lists their bands. *scratch: bytes. */
static meso_status take_pictures(meso_statistics *s, slot *to, const meso_picture *pictures,
                                 size_t n, size_t *scratch)
{
    size_t bytes = 0, n_bands = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned rows = rows_of_band(s, &pictures[i]);
        bytes += (size_t)pictures[i].width * pictures[i].height * 3;
        n_bands += (pictures[i].height + rows - 1) / rows;
    }
    MESO_CHECK(grow(s, &to->pixels, bytes));
    MESO_CHECK(grow(s, &to->bands, n_bands * band_bytes));
    MESO_CHECK(grow(s, &to->records, n_bands * record_bytes));
    MESO_CHECK(grow(s, &to->pictures, n * sizeof *pictures));
    memcpy(to->pictures.memory, pictures, n * sizeof *pictures);
    uint32_t *band = to->bands.memory;
    size_t at = 0;
    *scratch = 0;
    for (size_t i = 0; i < n; i++) {
        const meso_picture *p = &pictures[i];
        unsigned rows = rows_of_band(s, p);
        size_t picture_bytes = (size_t)p->width * p->height * 3;
        memcpy((uint8_t *)to->pixels.memory + at, p->rgb, picture_bytes);
        for (unsigned y = 0; y < p->height; y += rows, band += 6) {
            unsigned end = p->height - y > rows ? y + rows : p->height;
            const uint32_t row[6] = {(uint32_t)at, (uint32_t)*scratch, p->width, p->height, y, end};
            memcpy(band, row, sizeof row);
            *scratch += scratch_rows * stride_of(p->width);
        }
        at += picture_bytes;
    }
    to->n = n;
    to->n_bands = n_bands;
    to->pixel_bytes = bytes;
    return MESO_OK;
}

static meso_status launch(meso_statistics *s, slot *to)
{
    const size_t global[3] = {to->n_bands, 1, 1};
    const int n_bands = (int)to->n_bands;
    MESO_CHECK(
        meso_launch_kernel(s->device, &s->study, global,
                           MESO_ARGS(&to->pixel_view, &s->parts, &s->lightness, &to->band_view,
                                     n_bands, &to->scratch, &to->device_records)));
    if (s->more)
        MESO_CHECK(meso_launch_kernel(s->device, &s->beyond, global,
                                      MESO_ARGS(&to->pixel_view, &to->band_view, n_bands,
                                                &to->scratch, &to->device_records)));
    MESO_CHECK(meso_buffer_read_start(s->device, &to->device_records, to->records.memory,
                                      to->n_bands * record_bytes, &to->done));
    return meso_device_flush(s->device);
}

meso_status meso_statistics_submit(meso_statistics *statistics, size_t number,
                                   const meso_picture *pictures, size_t n)
{
    meso_status status = MESO_OK;
    meso_device *device = statistics->device;
    slot *to = &statistics->slots[number];
    size_t scratch;
    to->n = 0;
    if (n == 0)
        return MESO_OK;
    MESO_TRY(take_pictures(statistics, to, pictures, n, &scratch));
    MESO_TRY(grow_buffer(statistics, &to->scratch, scratch));
    MESO_TRY(grow_buffer(statistics, &to->device_records, to->n_bands * record_bytes));
    MESO_TRY(meso_buffer_wrap(device, to->pixels.memory, to->pixel_bytes, &to->pixel_view));
    MESO_TRY(meso_buffer_wrap(device, to->bands.memory, to->n_bands * band_bytes, &to->band_view));
    meso_device_use_lane(device, (int)to->lane);
    status = launch(statistics, to);
    if (status != MESO_OK)
        meso_device_finish(device); /* nothing may read the pixels any more */
    meso_device_use_lane(device, MESO_WHOLE_DEVICE);
out:
    if (status != MESO_OK) {
        meso_event_wait(device, &to->done);
        release_views(to);
    }
    return status;
}

meso_status meso_statistics_wait(meso_statistics *statistics, size_t number,
                                 meso_image_statistics *results)
{
    slot *from = &statistics->slots[number];
    const meso_picture *pictures = from->pictures.memory;
    const uint32_t *record = from->records.memory;
    meso_status status = meso_event_wait(statistics->device, &from->done);
    release_views(from);
    for (size_t i = 0; status == MESO_OK && i < from->n; i++) {
        unsigned rows = rows_of_band(statistics, &pictures[i]);
        size_t n_bands = (pictures[i].height + rows - 1) / rows;
        meso_statistics_finish(record, n_bands, pictures[i].width, pictures[i].height,
                               statistics->more, &results[i]);
        record += n_bands * R_WORDS;
    }
    from->n = 0;
    return status;
}
