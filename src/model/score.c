/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of files → scores. Threads decode straight into the slots of a stream; this thread hands
 * full slots to the device and reports what comes back. The list is cut into groups of `batch`
 * files; each group has a slot, in turn.
 */
#include "mesocl/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/structs.h"
#include "base/text.h"
#include "data/batch/loader.h"
#include "mesocl/stream.h"
#include "model/model.h"

/* The files of one slot. */
typedef struct group {
    size_t slot;
    uint8_t *pixels;
    const meso_loaded **files; /* [batch] */
    size_t n_files, n_pictures;
} group;

typedef struct run {
    meso_model *model;
    const char *const *paths;
    size_t n, batch, picture_bytes;
    meso_stream *stream;
    group
        *groups; /* [n_groups], each with a slot; group g of the list takes the (g % n_groups)th */
    size_t n_groups;
    meso_loader *loader;
    meso_probability *p; /* [batch] */
    meso_file_score_callback callback;
    void *user;
    meso_error *error;
    double started;
    meso_score_timing timing;
} run;

static group *group_of(run *r, size_t g)
{
    return &r->groups[g % r->n_groups];
}

/* For decoding threads: file i's place, as if no file before it in its group were refused. */
static uint8_t *place(void *user, size_t i)
{
    run *r = user;
    return group_of(r, i / r->batch)->pixels + i % r->batch * r->picture_bytes;
}

/* Waits for the files of group g and hands its pictures to the device, without gaps between them.
 */
static meso_status submit(run *r, size_t g)
{
    group *to = group_of(r, g);
    size_t first = g * r->batch;
    to->n_files = r->n - first < r->batch ? r->n - first : r->batch;
    to->n_pictures = 0;
    for (size_t i = 0; i < to->n_files; i++) {
        MESO_CHECK(meso_loader_next(r->loader, &to->files[i], r->error));
        r->timing.decode += to->files[i]->seconds;
        if (to->files[i]->refusal != MESO_IMAGE_OK)
            continue;
        if (i != to->n_pictures)
            memcpy(to->pixels + to->n_pictures * r->picture_bytes,
                   to->pixels + i * r->picture_bytes, r->picture_bytes);
        to->n_pictures++;
    }
    return meso_stream_submit(r->stream, to->slot, to->n_pictures, r->error);
}

/* Text behind "prefix: ", or all of it where it does not start so. */
static const char *behind(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

/* p: of a file that was not refused. Returns the callback's answer. */
static int report_file(run *r, const meso_loaded *file, const meso_probability *p)
{
    const char *path = r->paths[file->index], *detail = "";
    meso_file_score score = {
        .struct_bytes = sizeof score, .index = file->index, .path = path, .refusal = file->refusal};
    if (file->refusal == MESO_IMAGE_OK) {
        score.p = *p;
        score.suspect = file->image.suspect;
        score.exif_turned = file->image.exif_orientation != 1;
    } else { /* path and reason have places of their own: the detail is the rest of the sentence */
        detail = behind(file->error.text, MESO_PRINTABLE(path));
        detail = behind(detail, meso_refusal_name(file->refusal));
    }
    score.detail = detail;
    if (file->index == 0)
        r->timing.first = meso_seconds() - r->started;
    return r->callback(&score, r->user);
}

/* Waits for group g's answers and reports all of it, even if the callback asks to stop: the work is
 * done. Then its slot goes back to the decoding threads. */
static meso_status report(run *r, size_t g)
{
    group *from = group_of(r, g);
    size_t picture = 0;
    int stop = 0;
    double started = meso_seconds();
    MESO_CHECK(meso_stream_wait(r->stream, from->slot, r->p, r->error));
    r->timing.compute += meso_seconds() - started;
    for (size_t i = 0; i < from->n_files; i++) {
        const meso_loaded *file = from->files[i];
        stop |= report_file(r, file, &r->p[picture]) != 0;
        picture += file->refusal == MESO_IMAGE_OK;
    }
    MESO_DEMAND(!stop, r->error, MESO_ERROR_CANCELLED, "stopped on request");
    MESO_CHECK(meso_stream_map(r->stream, &from->slot, &from->pixels, r->error));
    meso_loader_release(r->loader, from->n_files);
    return MESO_OK;
}

/* Two slots for each lane are with the device, so that it goes from one to the next; the others are
 * being filled. */
static meso_status score_all(run *r)
{
    const size_t total = (r->n + r->batch - 1) / r->batch;
    const size_t at_work = r->n_groups > 2 ? r->n_groups * 2 / 3 : 1;
    size_t n_submitted = 0, n_reported = 0;
    while (n_reported < total)
        if (n_submitted < total && n_submitted - n_reported < at_work)
            MESO_CHECK(submit(r, n_submitted++));
        else
            MESO_CHECK(report(r, n_reported++));
    return MESO_OK;
}

static meso_status start_loader(run *r, const meso_score_options *options)
{
    const meso_shape in = r->model->net->layers[0].shape;
    meso_loader_options o = {.paths = r->paths,
                             .hashes = options->hashes,
                             .n = r->n,
                             .n_threads = options->n_threads,
                             .n_slots = r->n_groups * r->batch,
                             .image = MESO_INIT(meso_image_options),
                             .place = place,
                             .user = r};
    o.image.width = (unsigned)in.w;
    o.image.height = (unsigned)in.h;
    o.image.max_pixels = options->max_pixels;
    o.image.exif_orient = options->exif_orient;
    return meso_loader_start(&o, &r->loader, r->error);
}

/* The stream, all of its slots mapped. */
static meso_status open_groups(run *r, size_t batch)
{
    const meso_infer_about *about = &r->model->about;
    if (batch > about->most_in_slot)
        batch = about->most_in_slot;
    if (about->copies && batch == 0 && r->n < r->model->max_batch) /* pinned memory is dear */
        batch = r->n;
    MESO_CHECK(meso_stream_open(r->model, 0, batch, &r->stream, r->error));
    r->batch = meso_stream_batch(r->stream);
    r->n_groups = meso_stream_n_slots(r->stream);
    r->groups = calloc(r->n_groups, sizeof *r->groups);
    r->p = calloc(r->batch, sizeof *r->p);
    MESO_DEMAND_MEMORY(r->groups, r->error);
    MESO_DEMAND_MEMORY(r->p, r->error);
    for (size_t g = 0; g < r->n_groups; g++) {
        r->groups[g].files = calloc(r->batch, sizeof *r->groups[g].files);
        MESO_DEMAND_MEMORY(r->groups[g].files, r->error);
        MESO_CHECK(meso_stream_map(r->stream, &r->groups[g].slot, &r->groups[g].pixels, r->error));
    }
    return MESO_OK;
}

static void close_run(run *r)
{
    meso_loader_stop(r->loader); /* before the memory that its threads write to */
    for (size_t g = 0; r->groups && g < r->n_groups; g++)
        free(r->groups[g].files);
    free(r->groups);
    free(r->p);
    meso_stream_close(r->stream);
}

meso_status meso_score_files(meso_model *model, const char *const *paths, size_t n,
                             const meso_score_options *options, meso_file_score_callback callback,
                             void *user, meso_error *error)
{
    meso_score_options o = MESO_INIT(meso_score_options);
    meso_status status = MESO_OK;
    run r = {.model = model,
             .paths = paths,
             .n = n,
             .picture_bytes = meso_shape_size(model->net->layers[0].shape),
             .callback = callback,
             .user = user,
             .error = error,
             .started = meso_seconds()};
    MESO_TRY(meso_struct_read(&o, sizeof o, options, "meso_score_options", error));
    if (o.timing)
        MESO_TRY(meso_struct_check(o.timing, "meso_score_timing", error));
    if (n == 0)
        goto out;
    MESO_TRY(open_groups(&r, o.batch));
    MESO_TRY(start_loader(&r, &o));
    MESO_TRY(score_all(&r));
out:
    close_run(&r);
    r.timing.total = meso_seconds() - r.started;
    if (o.timing && o.timing->struct_bytes)
        meso_struct_write(o.timing, &r.timing, sizeof r.timing);
    return status;
}

double meso_probability_rounded(meso_probability p)
{
    float e = (float)(p.fake / p.real); /* e^−z */
    return (double)(1.0f / (1.0f + e));
}
