/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of files → scores: the loader's threads decode while the device computes the batch before.
 */
#include "mesocl/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "data/loader.h"
#include "model/model.h"

/* Files that wait for their batch, in list order: pictures, and refusals between them. */
typedef struct waiting_file {
    meso_file_score score;
    char detail[MESO_ERROR_TEXT_SIZE];
} waiting_file;

typedef struct run {
    meso_model *model;
    unsigned width, height;
    size_t batch;
    uint8_t *pixels;     /* [batch][height][width][3] */
    meso_probability *p; /* [batch] */
    size_t n_pictures;   /* in pixels */
    waiting_file *files; /* [max_files] */
    size_t n_files, max_files;
    meso_file_score_callback callback;
    void *user;
} run;

/* Scores what waits and reports all of it, even if the callback asks to stop: the work is done. */
static meso_status flush(run *r)
{
    size_t picture = 0;
    int stop = 0;
    meso_status status = MESO_OK;
    if (r->n_pictures > 0)
        MESO_TRY(meso_predict_rgb8(r->model, r->pixels, r->n_pictures, r->width, r->height,
                                   3 * (size_t)r->width, r->p));
    for (size_t i = 0; i < r->n_files; i++) {
        waiting_file *file = &r->files[i];
        if (file->score.refusal == MESO_IMAGE_OK)
            file->score.p = r->p[picture++];
        file->score.detail = file->detail;
        stop |= r->callback(&file->score, r->user) != 0;
    }
    MESO_REQUIRE(!stop, &r->model->error, MESO_ERROR_CANCELLED, "stopped on request");
    r->n_files = r->n_pictures = 0;
out:
    return status;
}

/* Text behind "prefix: ", or all of it where it does not start so. */
static const char *behind(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

static void append(run *r, const meso_loaded *loaded, const char *path)
{
    const meso_image *image = &loaded->image;
    size_t picture_bytes = 3 * (size_t)r->width * r->height;
    waiting_file *file = &r->files[r->n_files++];
    file->detail[0] = '\0';
    file->score =
        (meso_file_score){.index = loaded->index, .path = path, .refusal = loaded->refusal};
    if (loaded->refusal != MESO_IMAGE_OK) {
        /* Path and reason have places of their own: the detail is the rest of the sentence. */
        const char *detail = behind(loaded->error.text, MESO_PRINTABLE(path));
        detail = behind(detail, meso_refusal_name(loaded->refusal));
        snprintf(file->detail, sizeof file->detail, "%s", detail);
        return;
    }
    file->score.suspect = image->suspect;
    file->score.exif_turned = image->exif_orientation != 1;
    memcpy(r->pixels + r->n_pictures++ * picture_bytes, image->rgb, picture_bytes);
}

static meso_status score_all(run *r, meso_loader *loader, const char *const *paths)
{
    const meso_loaded *loaded;
    meso_status status = MESO_OK;
    for (;;) {
        MESO_TRY(meso_loader_next(loader, &loaded, &r->model->error));
        if (!loaded)
            break;
        append(r, loaded, paths[loaded->index]);
        if (r->n_pictures == r->batch || r->n_files == r->max_files)
            MESO_TRY(flush(r));
    }
    MESO_TRY(flush(r));
out:
    return status;
}

static meso_loader_options loader_options(const run *r, const char *const *paths, size_t n,
                                          const meso_score_options *options)
{
    meso_loader_options o = {.paths = paths,
                             .n = n,
                             .n_threads = options->n_threads,
                             .n_slots = 2 * r->batch,
                             .image = MESO_IMAGE_OPTIONS_INIT};
    o.image.width = r->width;
    o.image.height = r->height;
    o.image.max_pixels = options->max_pixels;
    o.image.exif_orient = options->exif_orient;
    return o;
}

meso_status meso_score_files(meso_model *model, const char *const *paths, size_t n,
                             const meso_score_options *options, meso_file_score_callback callback,
                             void *user)
{
    const meso_score_options defaults = MESO_SCORE_OPTIONS_INIT;
    const meso_score_options *given = options ? options : &defaults;
    meso_loader *loader = NULL;
    meso_model_info info;
    meso_status status = MESO_OK;
    meso_model_get_info(model, &info);
    run r = {.model = model,
             .width = info.width,
             .height = info.height,
             .batch = given->batch ? given->batch : info.max_batch,
             .callback = callback,
             .user = user};
    meso_error_clear(&model->error);
    r.max_files = 2 * r.batch; /* a run of refusals is reported before the next picture comes */
    r.pixels = malloc(r.batch * 3 * info.width * info.height);
    r.p = calloc(r.batch, sizeof *r.p);
    r.files = calloc(r.max_files, sizeof *r.files);
    MESO_REQUIRE_MEMORY(r.pixels, &model->error);
    MESO_REQUIRE_MEMORY(r.p, &model->error);
    MESO_REQUIRE_MEMORY(r.files, &model->error);
    const meso_loader_options o = loader_options(&r, paths, n, given);
    MESO_TRY(meso_loader_start(&o, &loader, &model->error));
    MESO_TRY(score_all(&r, loader, paths));
out:
    meso_loader_stop(loader);
    free(r.files);
    free(r.p);
    free(r.pixels);
    return status;
}
