/* SPDX-License-Identifier: Apache-2.0
 *
 * Slots of pixels. On CPUs each is computed by one lane, so that slots run side by side and a
 * picture's data stay in one core's cache. On GPUs a slot is copied to the device while another is
 * computed there, or read where it lies if that is the device's memory, too.
 */
#include "mesocl/stream.h"

#include <stdlib.h>

#include "model/model.h"

enum { page_bytes = 4096 }; /* from such an address on every driver takes the memory as it is */

typedef enum slot_state { SLOT_FREE, SLOT_MAPPED, SLOT_SUBMITTED } slot_state;

typedef struct stream_slot {
    slot_state state;
    uint8_t *pixels;           /* [batch][height][width][3]; NULL: only the device has them */
    float *logits;             /* [batch][n_outputs], whole when `done` is */
    size_t n;                  /* images submitted */
    meso_buffer view, results; /* the device's sides of pixels and logits */
    meso_buffer floats;        /* normalized pictures, where the model has a normalization */
    /* On a GPU: what pixels and logits are mapped from; the device's copy of pixels. */
    meso_buffer mapped, answers, copy;
    meso_event done, back; /* back: pixels are mapped again */
} stream_slot;

struct meso_stream {
    meso_model *model;
    stream_slot *slots;
    size_t n_slots, batch, image_bytes;
    int shares;  /* the device's memory is the host's: what is mapped is not copied */
    size_t next; /* where map looks first: slots in turn are lanes in turn */
};

static meso_status device_failed(const meso_stream *stream, meso_status status, meso_error *error)
{
    return meso_fail(error, status, "%s", meso_device_error(stream->model->device));
}

/* On a GPU pixels and logits are where it copies from and to fastest. */
static meso_status make_memory(const meso_stream *stream, stream_slot *s)
{
    meso_device *device = stream->model->device;
    const size_t bytes = stream->batch * stream->image_bytes;
    const size_t logit_bytes = stream->batch * stream->model->n_outputs * sizeof(float);
    void *pixels = NULL, *logits = NULL;
    if (stream->model->about.copies) {
        MESO_CHECK(meso_buffer_create_mapped(device, bytes, &s->mapped, &pixels));
        s->pixels = pixels;
        MESO_CHECK(meso_buffer_create_mapped(device, logit_bytes, &s->answers, &logits));
        s->logits = logits;
        return stream->shares ? MESO_OK : meso_buffer_create(device, bytes, &s->copy);
    }
    s->pixels = aligned_alloc(page_bytes, (bytes + page_bytes - 1) / page_bytes * page_bytes);
    s->logits = malloc(logit_bytes);
    MESO_DEMAND_MEMORY(s->pixels && s->logits, meso_device_error_slot(device));
    return MESO_OK;
}

static void forget_memory(const meso_stream *stream, stream_slot *s)
{
    if (s->mapped.memory)
        meso_buffer_release_mapped(stream->model->device, &s->mapped, s->pixels);
    else
        free(s->pixels);
    if (s->answers.memory)
        meso_buffer_release_mapped(stream->model->device, &s->answers, s->logits);
    else if (!stream->model->about.copies)
        free(s->logits);
    meso_buffer_release(&s->copy);
}

static meso_status make_slot(meso_stream *stream, stream_slot *s, meso_error *error)
{
    meso_model *model = stream->model;
    const size_t bytes = stream->batch * stream->image_bytes;
    const size_t logit_bytes = stream->batch * model->n_outputs * sizeof(float);
    const int starts = model->about.starts;
    meso_status status = make_memory(stream, s);
    if (status == MESO_OK && starts)
        status = meso_buffer_create(model->device, logit_bytes, &s->results);
    if (status == MESO_OK && starts && model->normalization)
        status = meso_buffer_create(model->device, bytes * sizeof(float), &s->floats);
    if (status != MESO_OK)
        device_failed(stream, status, error);
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
    const meso_device_type type = meso_device_get_info(model->device)->type;
    s->shares = type == MESO_DEVICE_CPU || type == MESO_DEVICE_IGPU;
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

/* For all that a submitted slot has enqueued. */
static meso_status wait_for(const meso_stream *stream, stream_slot *s)
{
    const meso_status status = meso_event_wait(stream->model->device, &s->done);
    const meso_status back = meso_event_wait(stream->model->device, &s->back);
    return status == MESO_OK ? back : status;
}

void meso_stream_close(meso_stream *stream)
{
    if (!stream)
        return;
    for (size_t i = 0; stream->slots && i < stream->n_slots; i++) {
        stream_slot *s = &stream->slots[i];
        wait_for(stream, s); /* nothing may read the pixels any more */
        meso_buffer_release(&s->view);
        meso_buffer_release(&s->results);
        meso_buffer_release(&s->floats);
        forget_memory(stream, s);
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

/* Maps pixels again that only the device has. */
static meso_status map_start(const meso_stream *stream, stream_slot *s)
{
    void *memory = s->pixels;
    meso_status status = MESO_OK;
    if (!s->pixels)
        status = meso_buffer_map_start(stream->model->device, &s->mapped, &memory, &s->back);
    s->pixels = memory;
    return status;
}

meso_status meso_stream_map(meso_stream *stream, size_t *slot, uint8_t **pixels, meso_error *error)
{
    for (size_t i = 0; i < stream->n_slots; i++) {
        size_t at = (stream->next + i) % stream->n_slots;
        stream_slot *s = &stream->slots[at];
        if (s->state != SLOT_FREE)
            continue;
        s->state = SLOT_MAPPED;
        stream->next = at + 1;
        *slot = at;
        *pixels = s->pixels;
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

/* Where the kernels read the pixels of a slot. */
static const meso_buffer *pixels_of(const meso_stream *stream, const stream_slot *s)
{
    return !stream->model->about.copies ? &s->view : stream->shares ? &s->mapped : &s->copy;
}

/* Where nothing is copied, the driver is told of the pixels anew each time: it may have kept a copy
 * of what they were. */
static meso_status upload(meso_stream *stream, stream_slot *s)
{
    meso_device *device = stream->model->device;
    const size_t bytes = s->n * stream->image_bytes;
    if (!stream->model->about.copies)
        return meso_buffer_wrap(device, s->pixels, bytes, &s->view);
    if (!stream->shares)
        return meso_buffer_write_ahead(device, &s->copy, s->pixels, bytes);
    MESO_CHECK(meso_buffer_unmap(device, &s->mapped, s->pixels));
    s->pixels = NULL;
    return MESO_OK;
}

/* What `start` has begun comes to nothing. */
static void give_up(const meso_stream *stream, stream_slot *s)
{
    meso_device_finish_all(stream->model->device); /* nothing may read the pixels any more */
    if (map_start(stream, s) != MESO_OK)
        s->pixels = NULL;
    wait_for(stream, s);
    meso_buffer_release(&s->view);
}

/* On the slot's lane; where pictures are copied, the copy goes beside what the device computes. */
static meso_status start(meso_stream *stream, stream_slot *s, size_t slot, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model *model = stream->model;
    const meso_infer_about *about = &model->about;
    const meso_buffer *pixels = pixels_of(stream, s);
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
    MESO_TRY(map_start(stream, s));
out:
    meso_device_use_lane(model->device, MESO_WHOLE_DEVICE);
    if (status != MESO_OK) {
        device_failed(stream, status, error);
        give_up(stream, s);
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

meso_status meso_model_wait_slot(meso_stream *stream, size_t slot, size_t first,
                                 meso_probability *p, meso_error *error)
{
    meso_status status;
    stream_slot *s = find_slot(stream, slot, SLOT_SUBMITTED, error);
    if (!s)
        return MESO_ERROR_ARGUMENT;
    status = wait_for(stream, s);
    meso_buffer_release(&s->view);
    s->state = SLOT_FREE;
    if (status == MESO_ERROR_DEVICE_MEMORY) {
        meso_device_finish_all(stream->model->device);
        status = compute(stream, s, error);
    }
    return status == MESO_OK ? meso_model_finish(stream->model, s->logits, s->n, first, p, error)
                             : device_failed(stream, status, error);
}

meso_status meso_stream_wait(meso_stream *stream, size_t slot, meso_probability *p,
                             meso_error *error)
{
    return meso_model_wait_slot(stream, slot, 0, p, error);
}
