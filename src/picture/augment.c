/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches the kernels of cl/picture/augment.cl. On CPUs a picture at a time, so that what one
 * kernel wrote is still in the cache when the next reads it.
 */
#include "picture/augment.h"

#include <stdlib.h>

#include "runtime/program.h"

enum {
    band_rows = 16,    /* of a work-group */
    group_items = 128, /* at most, where a work-group is more than one */
    cached_images = 1 /* in a launch on a CPU; elsewhere: */,
    device_images = 1024
};

typedef enum kernel_id {
    WORDS,
    AFFINE,
    FINISH,
    FINISH_BYTES,
    UNPACK,
    SUMS,
    STANDARDIZE,
    N_KERNELS
} kernel_id;

static const struct {
    const char *name, *kinds;
} kernel_rows[N_KERNELS] = {
    [WORDS] = {"augment_words", "bbi"},
    [AFFINE] = {"augment_affine", "bbbbi"},
    [FINISH] = {"augment_finish", "bbbbbi"},
    [FINISH_BYTES] = {"augment_finish_bytes", "bbbbbi"},
    [UNPACK] = {"augment_unpack", "bbbi"},
    [SUMS] = {"augment_sums", "bbii"},
    [STANDARDIZE] = {"augment_standardize", "bbbi"},
};

/* What the pictures of a launch pass through; each lane has its own. */
typedef struct scratch {
    meso_buffer words, moved, range, sums;
} scratch;

struct meso_augment {
    meso_device *device;
    meso_augment_settings settings;
    size_t height, width, bands, chunk;
    size_t items; /* of a work-group */
    meso_program program;
    meso_kernel kernels[N_KERNELS];
    meso_buffer constants;
    scratch lanes[MESO_MAX_LANES + 1]; /* the last: of the whole device */
    size_t n_lanes;
};

static size_t stride_of(const meso_augment *a)
{
    return (a->width + 1 + 15) / 16 * 16;
}

static void define(meso_text *source, const char *name, size_t value)
{
    meso_text_format(source, "#define %s %zu\n", name, value);
}

static meso_status make_kernel(meso_augment *a, size_t i)
{
    size_t most = 0;
    const char *name = kernel_rows[i].name;
    MESO_CHECK(meso_program_group_kernel(a->device, &a->program, name, kernel_rows[i].kinds,
                                         MESO_GLOBAL(a->items, 1, 1), &a->kernels[i], &most));
    MESO_DEMAND(most >= a->items, meso_device_error_slot(a->device), MESO_ERROR_DEVICE,
                "the kernel %s cannot have work-groups of %zu work-items", name, a->items);
    return MESO_OK;
}

static meso_status build(meso_augment *a)
{
    meso_status status = MESO_OK;
    const meso_augment_settings *s = &a->settings;
    meso_text source = {0};
    const char *text;
    define(&source, "HEIGHT", a->height);
    define(&source, "WIDTH", a->width);
    define(&source, "BAND", band_rows);
    define(&source, "STRIDE", stride_of(a));
    define(&source, "ITEMS", a->items);
    define(&source, "BRIGHTNESS", s->brightness_high != 0);
    define(&source, "STRETCH",
           s->brightness_high == 0 || s->compat == MESO_AUGMENT_KERAS29 ? 0
           : s->compat == MESO_AUGMENT_KP112                            ? 1
                                                                        : 2);
    define(&source, "CHANNEL_SHIFT", s->channel_shift != 0);
    define(&source, "CENTER", s->samplewise_center != 0);
    define(&source, "SCALE", s->samplewise_std != 0);
    define(&source, "FEATURES", s->featurewise_center || s->featurewise_std);
    text = a->items > 1 ? "augment_items" : "augment_rows";
    meso_text_add(&source,
                  a->items > 1 ? "typedef float4 pixels_t;\n" : "typedef float16 pixels_t;\n");
    MESO_TRY(meso_source_add(&source, "augment", meso_device_error_slot(a->device)));
    MESO_TRY(meso_source_add(&source, text, meso_device_error_slot(a->device)));
    MESO_TRY(meso_program_build(a->device, &source, &a->program));
    for (size_t i = 0; i < N_KERNELS; i++)
        if (i != FINISH_BYTES || meso_augment_gives_pixels(a))
            MESO_TRY(make_kernel(a, i));
out:
    meso_text_free(&source);
    return status;
}

/* In the order of cl/picture/augment.cl. */
static meso_status upload_constants(meso_augment *a, double divide)
{
    const meso_augment_settings *s = &a->settings;
    float constants[7] = {(float)(1 / divide)};
    for (int c = 0; c < 3; c++) {
        constants[1 + c] = s->featurewise_center ? (float)s->mean[c] : 0;
        constants[4 + c] = s->featurewise_std ? (float)(1 / (s->std[c] + 1e-6)) : 1;
    }
    return meso_buffer_create_filled(a->device, constants, sizeof constants, &a->constants);
}

static meso_status make_scratch(meso_augment *a, scratch *s)
{
    const size_t per_band = a->chunk * a->bands * sizeof(float);
    if (a->settings.samplewise_center || a->settings.samplewise_std)
        MESO_CHECK(meso_buffer_create(a->device, 2 * per_band, &s->sums));
    if (!meso_augment_is_random(&a->settings))
        return MESO_OK;
    MESO_CHECK(meso_buffer_create(
        a->device, a->chunk * (a->height + 1) * stride_of(a) * sizeof(uint32_t), &s->words));
    MESO_CHECK(meso_buffer_create(a->device, 8 * per_band, &s->range));
    return meso_buffer_create(a->device, a->chunk * a->height * a->width * 3 * sizeof(float),
                              &s->moved);
}

meso_status meso_augment_open(meso_device *device, const meso_augment_settings *settings,
                              unsigned height, unsigned width, double divide, size_t max_images,
                              meso_augment **augment)
{
    meso_status status = MESO_OK;
    const int along_rows = meso_device_has_vectors(device);
    meso_augment *a = calloc(1, sizeof *a);
    MESO_REQUIRE_MEMORY(a, meso_device_error_slot(device));
    a->device = device;
    a->settings = *settings;
    a->height = height;
    a->width = width;
    a->bands = (height + band_rows - 1) / band_rows;
    a->chunk = along_rows ? cached_images : device_images;
    a->items = along_rows ? 1 : group_items;
    while (a->items > meso_device_get_info(device)->max_work_group && a->items > 1)
        a->items /= 2;
    if (a->chunk > max_images)
        a->chunk = max_images ? max_images : 1;
    a->n_lanes = meso_device_n_lanes(device, 0);
    MESO_TRY(build(a));
    MESO_TRY(upload_constants(a, divide));
    for (size_t i = 0; i <= a->n_lanes; i++)
        MESO_TRY(make_scratch(a, &a->lanes[i]));
    *augment = a;
    a = NULL;
out:
    meso_augment_close(a);
    return status;
}

void meso_augment_close(meso_augment *augment)
{
    if (!augment)
        return;
    for (size_t i = 0; i <= augment->n_lanes; i++) {
        meso_buffer_release(&augment->lanes[i].words);
        meso_buffer_release(&augment->lanes[i].moved);
        meso_buffer_release(&augment->lanes[i].range);
        meso_buffer_release(&augment->lanes[i].sums);
    }
    meso_buffer_release(&augment->constants);
    for (size_t i = 0; i < N_KERNELS; i++)
        meso_kernel_release(&augment->kernels[i]);
    meso_program_release(&augment->program);
    free(augment);
}

/* Where a launch reads and writes. */
typedef struct task {
    const meso_augment *augment;
    const scratch *scratch;
    meso_arg pixels, draws, out, constants, first;
    size_t n;
    kernel_id finish;
} task;

static meso_status launch(const task *t, kernel_id kernel, const meso_arg *args, size_t n_args)
{
    return meso_launch_kernel(t->augment->device, &t->augment->kernels[kernel],
                              MESO_GLOBAL(t->augment->bands * t->augment->items, t->n, 1), args,
                              n_args);
}

static meso_status draw_pictures(const task *t)
{
    const meso_arg words = meso_arg_buffer(&t->scratch->words);
    const meso_arg moved = meso_arg_buffer(&t->scratch->moved);
    const meso_arg range = meso_arg_buffer(&t->scratch->range);
    MESO_CHECK(launch(t, WORDS, MESO_ARGS(t->pixels, words, t->first)));
    MESO_CHECK(launch(t, AFFINE, MESO_ARGS(words, t->draws, moved, range, t->first)));
    return launch(t, t->finish, MESO_ARGS(moved, t->draws, range, t->constants, t->out, t->first));
}

static meso_status standardize(const task *t)
{
    const meso_arg sums = meso_arg_buffer(&t->scratch->sums);
    for (int which = 0; which <= t->augment->settings.samplewise_std; which++)
        MESO_CHECK(launch(t, SUMS, MESO_ARGS(t->out, sums, which, t->first)));
    return launch(t, STANDARDIZE, MESO_ARGS(t->out, sums, t->constants, t->first));
}

static task make_task(const meso_augment *a, const meso_buffer *pixels, const meso_buffer *draws,
                      const meso_buffer *out)
{
    const int lane = meso_device_lane(a->device);
    task t = {.augment = a,
              .scratch = &a->lanes[lane == MESO_WHOLE_DEVICE ? a->n_lanes : (size_t)lane],
              .pixels = meso_arg_buffer(pixels),
              .out = meso_arg_buffer(out),
              .constants = meso_arg_buffer(&a->constants),
              .finish = FINISH};
    if (draws)
        t.draws = meso_arg_buffer(draws);
    return t;
}

static void next_chunk(task *t, size_t first, size_t n)
{
    t->n = n < t->augment->chunk ? n : t->augment->chunk;
    t->first = meso_arg_int((int)first);
}

meso_status meso_augment_enqueue(const meso_augment *augment, const meso_buffer *pixels,
                                 size_t first, size_t n, const meso_buffer *draws,
                                 const meso_buffer *out)
{
    const meso_augment_settings *s = &augment->settings;
    task t = make_task(augment, pixels, draws, out);
    for (size_t i = 0; i < n; i += t.n) {
        next_chunk(&t, first + i, n - i);
        if (draws && meso_augment_is_random(s))
            MESO_CHECK(draw_pictures(&t));
        else
            MESO_CHECK(launch(&t, UNPACK, MESO_ARGS(t.pixels, t.out, t.constants, t.first)));
        if (s->samplewise_center || s->samplewise_std)
            MESO_CHECK(standardize(&t));
    }
    return MESO_OK;
}

int meso_augment_gives_pixels(const meso_augment *augment)
{
    meso_augment_settings normalization;
    return augment->settings.brightness_high != 0 &&
           !meso_augment_normalization(&augment->settings, &normalization);
}

meso_status meso_augment_enqueue_pixels(const meso_augment *augment, const meso_buffer *pixels,
                                        size_t first, size_t n, const meso_buffer *draws,
                                        const meso_buffer *out)
{
    task t = make_task(augment, pixels, draws, out);
    t.finish = FINISH_BYTES;
    for (size_t i = 0; i < n; i += t.n) {
        next_chunk(&t, first + i, n - i);
        MESO_CHECK(draw_pictures(&t));
    }
    return MESO_OK;
}
