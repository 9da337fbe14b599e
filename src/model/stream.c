/* SPDX-License-Identifier: Apache-2.0
 *
 * Slots of pixels. On CPUs each is computed by one lane, so that slots run side by side and a
 * picture's data stay in one core's cache. On GPUs a slot is copied to the device while another is
 * computed there.
 */
#include "mesocl/stream.h"

#include <stdlib.h>

#include "model/model.h"

enum { page_bytes = 4096 }; /* from such an address on every driver takes the memory as it is */

typedef enum slot_state { SLOT_FREE, SLOT_MAPPED, SLOT_SUBMITTED } slot_state;

typedef struct stream_slot {
    slot_state state;
    uint8_t *pixels;           /* [batch][height][width][3] */
    float *logits;             /* [batch][n_outputs], whole when `done` is */
    size_t n;                  /* images submitted */
    meso_buffer view, results; /* the device's sides of pixels and logits */
    meso_buffer floats;        /* normalized pictures, where the model has a normalization */
    meso_buffer mapped, copy;  /* on a GPU: what pixels is mapped from, and the device's copy */
    meso_event done;
} stream_slot;

struct meso_stream {
    meso_model *model;
    stream_slot *slots;
    size_t n_slots, batch, image_bytes;
    size_t next; /* where map looks first: slots in turn are lanes in turn */
};

static meso_status device_failed(const meso_stream *stream, meso_status status, meso_error *error)
{
    return meso_fail(error, status, "%s", meso_device_error(stream->model->device));
}

/* On a GPU pixels are where it copies from fastest. */
static meso_status make_pixels(const meso_stream *stream, stream_slot *s)
{
    meso_device *device = stream->model->device;
    const size_t bytes = stream->batch * stream->image_bytes;
    void *memory = NULL;
    if (stream->model->about.copies) {
        MESO_CHECK(meso_buffer_create_mapped(device, bytes, &s->mapped, &memory));
        s->pixels = memory;
        MESO_CHECK(meso_buffer_create(device, bytes, &s->copy));
    } else {
        s->pixels = aligned_alloc(page_bytes, (bytes + page_bytes - 1) / page_bytes * page_bytes);
        MESO_DEMAND_MEMORY(s->pixels, meso_device_error_slot(device));
    }
    return MESO_OK;
}

static meso_status make_slot(meso_stream *stream, stream_slot *s, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model *model = stream->model;
    const size_t bytes = stream->batch * stream->image_bytes;
    const size_t logit_bytes = stream->batch * model->n_outputs * sizeof(float);
    const int starts = model->about.starts;
    s->logits = malloc(logit_bytes);
    MESO_REQUIRE_MEMORY(s->logits, error);
    status = make_pixels(stream, s);
    if (status == MESO_OK && starts)
        status = meso_buffer_create(model->device, logit_bytes, &s->results);
    if (status == MESO_OK && starts && model->normalization)
        status = meso_buffer_create(model->device, bytes * sizeof(float), &s->floats);
    if (status != MESO_OK)
        device_failed(stream, status, error);
out:
    return status;
}

meso_status meso_stream_open(meso_model *model, size_t n_slots, size_t batch, meso_stream **stream,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_stream *s = NULL;
    const meso_infer_about *about = &model->about;
    const size_t limit = SIZE_MAX / 2 / meso_shape_size(model->net->layers[0].shape);
    MESO_TRY(meso_net_require_scores(model->net, error));
    MESO_REQUIRE(n_slots <= limit && batch <= limit, error, MESO_ERROR_ARGUMENT,
                 "a stream of %zu slots of %zu pictures", n_slots, batch);
    s = calloc(1, sizeof *s);
    MESO_REQUIRE_MEMORY(s, error);
    s->model = model;
    s->n_slots = n_slots ? n_slots : about->n_slots;
    s->batch = batch                                  ? batch
               : model->max_batch > about->slot_batch ? about->slot_batch
                                                      : model->max_batch;
    s->image_bytes = meso_shape_size(model->net->layers[0].shape);
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    MESO_REQUIRE_MEMORY(s->slots, error);
    for (size_t i = 0; i < s->n_slots; i++)
        MESO_TRY(make_slot(s, &s->slots[i], error));
    *stream = s;
    s = NULL;
out:
    meso_stream_close(s);
    return status;
}

void meso_stream_close(meso_stream *stream)
{
    if (!stream)
        return;
    for (size_t i = 0; stream->slots && i < stream->n_slots; i++) {
        stream_slot *s = &stream->slots[i];
        meso_event_wait(stream->model->device, &s->done); /* nothing may read the pixels any more */
        meso_buffer_release(&s->view);
        meso_buffer_release(&s->results);
        meso_buffer_release(&s->floats);
        meso_buffer_release(&s->copy);
        if (s->mapped.memory)
            meso_buffer_release_mapped(stream->model->device, &s->mapped, s->pixels);
        else
            free(s->pixels);
        free(s->logits);
    }
    free(stream->slots);
    free(stream);
}

size_t meso_stream_n_slots(const meso_stream *stream)
{
    return stream->n_slots;
}

size_t meso_stream_batch(const meso_stream *stream)
{
    return stream->batch;
}

meso_status meso_stream_map(meso_stream *stream, size_t *slot, uint8_t **pixels, meso_error *error)
{
    for (size_t i = 0; i < stream->n_slots; i++) {
        size_t at = (stream->next + i) % stream->n_slots;
        if (stream->slots[at].state != SLOT_FREE)
            continue;
        stream->slots[at].state = SLOT_MAPPED;
        stream->next = at + 1;
        *slot = at;
        *pixels = stream->slots[at].pixels;
        return MESO_OK;
    }
    return meso_fail(error, MESO_ERROR_ARGUMENT,
                     "all %zu slots of the stream are in use: wait for one", stream->n_slots);
}

/* The slot of that number; NULL and an error where it is not in that state. */
static stream_slot *find_slot(meso_stream *stream, size_t number, slot_state state,
                              meso_error *error)
{
    static const char *const names[] = {"free", "mapped", "submitted"};
    if (number >= stream->n_slots)
        meso_fail(error, MESO_ERROR_ARGUMENT, "no slot %zu: the stream has %zu", number,
                  stream->n_slots);
    else if (stream->slots[number].state != state)
        meso_fail(error, MESO_ERROR_ARGUMENT, "slot %zu is %s, not %s", number,
                  names[stream->slots[number].state], names[state]);
    else
        return &stream->slots[number];
    return NULL;
}

/* The driver is told of the pixels anew each time: it may have kept a copy of what they were. */
static meso_status upload(meso_stream *stream, stream_slot *s)
{
    const size_t bytes = s->n * stream->image_bytes;
    return stream->model->about.copies
               ? meso_buffer_write_ahead(stream->model->device, &s->copy, s->pixels, bytes)
               : meso_buffer_wrap(stream->model->device, s->pixels, bytes, &s->view);
}

/* On the slot's lane; where pictures are copied, the copy goes beside what the device computes. */
static meso_status start(meso_stream *stream, stream_slot *s, size_t slot, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model *model = stream->model;
    const meso_infer_about *about = &model->about;
    const meso_buffer *pixels = about->copies ? &s->copy : &s->view;
    meso_pictures pictures = {.buffer = pixels, .n = s->n};
    if (!about->copies)
        meso_device_use_lane(model->device, (int)(slot % about->n_lanes));
    MESO_TRY(upload(stream, s));
    if (model->normalization) {
        pictures = (meso_pictures){.buffer = &s->floats, .is_float = 1, .n = s->n};
        MESO_TRY(meso_augment_enqueue(model->normalization, pixels, 0, s->n, NULL, &s->floats));
    }
    MESO_TRY(model->infer.kind->start(model->infer.run, &pictures, model->logits, &s->results,
                                      s->logits, &s->done));
out:
    meso_device_use_lane(model->device, MESO_WHOLE_DEVICE);
    if (status != MESO_OK) {
        device_failed(stream, status, error);
        meso_device_finish_all(model->device); /* nothing may read the pixels any more */
        meso_event_wait(model->device, &s->done);
        meso_buffer_release(&s->view);
    }
    return status;
}

/* Where a slot cannot be started: all at once, in batches. */
static meso_status compute(meso_stream *stream, stream_slot *s, meso_error *error)
{
    meso_model *model = stream->model;
    meso_status status = MESO_OK;
    for (size_t i = 0; i < s->n && status == MESO_OK; i += model->max_batch)
        status = meso_model_logits(model, s->pixels + i * stream->image_bytes,
                                   s->n - i < model->max_batch ? s->n - i : model->max_batch,
                                   s->logits + i * model->n_outputs, error);
    return status;
}

meso_status meso_stream_submit(meso_stream *stream, size_t slot, size_t n, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_model *model = stream->model;
    meso_error reason;
    stream_slot *s = find_slot(stream, slot, SLOT_MAPPED, error);
    if (!s)
        return MESO_ERROR_ARGUMENT;
    MESO_REQUIRE(n <= stream->batch, error, MESO_ERROR_ARGUMENT,
                 "%zu pictures do not fit a slot of %zu", n, stream->batch);
    s->n = n;
    /* Pictures that are copied need room in the device's memory. */
    const int starts =
        model->about.starts && n > 0 && (!model->about.copies || n <= model->batch_that_fits);
    status = starts ? start(stream, s, slot, &reason) : MESO_ERROR_DEVICE_MEMORY;
    if (status == MESO_ERROR_DEVICE_MEMORY)
        status = compute(stream, s, &reason);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", reason.text);
    s->state = SLOT_SUBMITTED;
out:
    return status;
}

meso_status meso_stream_wait(meso_stream *stream, size_t slot, meso_probability *p,
                             meso_error *error)
{
    meso_status status;
    stream_slot *s = find_slot(stream, slot, SLOT_SUBMITTED, error);
    if (!s)
        return MESO_ERROR_ARGUMENT;
    status = meso_event_wait(stream->model->device, &s->done);
    meso_buffer_release(&s->view);
    s->state = SLOT_FREE;
    if (status == MESO_ERROR_DEVICE_MEMORY) {
        meso_device_finish_all(stream->model->device);
        status = compute(stream, s, error);
    }
    return status == MESO_OK ? meso_model_finish(stream->model, s->logits, s->n, 0, p, error)
                             : device_failed(stream, status, error);
}
