/* SPDX-License-Identifier: Apache-2.0
 *
 * Lanes × chunks: each lane takes a share of the images and brings a few at a time through all
 * blocks, in scratch buffers of its own that stay in its core's cache.
 */
#include "net/strip_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/op.h"
#include "runtime/program.h"

/* What the kernels of one block read beside pictures. */
typedef struct block_params {
    meso_buffer filters, affine;
} block_params;

/* Strip tensors of a chunk: [0] the packed picture, [i + 1] the output of block i. */
typedef struct scratch {
    meso_buffer tensors[MESO_MAX_BLOCKS + 1];
} scratch;

struct meso_strip_run {
    meso_device *device;
    const meso_net *net;
    meso_strip_plan plan;
    meso_strip_tuned tuned; /* by the user, where there is such a row */
    meso_program program;
    char names[MESO_MAX_BLOCKS][32];
    meso_kernel blocks[MESO_MAX_BLOCKS];
    meso_kernel first_block, pack_u8, pack_f32, end; /* end: the head, or the way to planar */
    block_params params[MESO_MAX_BLOCKS];
    meso_buffer head[4];                 /* hidden kernel and bias, output kernel and bias */
    scratch scratch[MESO_MAX_LANES + 1]; /* [n_lanes]: of the whole device */
    size_t n_lanes;
    meso_buffer logits; /* [MESO_STRIP_MAX_IMAGES][outputs] */
};

const meso_strip_plan *meso_strip_get_plan(const meso_strip_run *run)
{
    return &run->plan;
}

size_t meso_strip_n_lanes(const meso_strip_run *run)
{
    return run->n_lanes;
}

/* A buffer with these values. */
static meso_status upload(meso_device *device, const void *values, size_t bytes,
                          meso_buffer *buffer)
{
    meso_status status = meso_buffer_create(device, bytes, buffer);
    return status == MESO_OK ? meso_buffer_write(device, buffer, 0, values, bytes) : status;
}

/* A buffer of zeros: kernels never write the rows of zeros around a tensor. */
static meso_status create_zeros(meso_device *device, size_t bytes, meso_buffer *buffer)
{
    meso_status status = meso_buffer_create(device, bytes, buffer);
    return status == MESO_OK ? meso_buffer_zero(device, buffer) : status;
}

static const float *param_of(const float *const *params, const meso_layer *layer, size_t i)
{
    return params[layer->first_param + i];
}

static meso_status upload_block(meso_strip_run *run, size_t i, const float *const *params)
{
    meso_status status = MESO_OK;
    meso_error *error = meso_device_error_slot(run->device);
    const meso_strip_block *block = &run->plan.blocks[i];
    size_t n;
    float *filters = NULL, *affine = NULL;
    /* The picture's units are those of 8-bit pixels: the first filters are divided in their place.
     */
    double divide = i == 0 ? run->net->layers[0].set.input.divide : 1;
    meso_strip_params(block, params, divide, &filters, &n, &affine);
    MESO_REQUIRE(filters && affine, error, MESO_ERROR_MEMORY, "out of memory");
    MESO_TRY(upload(run->device, filters, n * sizeof(float), &run->params[i].filters));
    MESO_TRY(upload(run->device, affine, 4 * (size_t)block->conv->shape.c * sizeof(float),
                    &run->params[i].affine));
out:
    free(filters);
    free(affine);
    return status;
}

/* The hidden layer's rows from Keras' order (row, column, channel) into the order of the last
 * strips. */
static float *permute_hidden(const meso_strip_run *run, const float *kernel)
{
    const meso_strip_shape *in = &run->plan.blocks[run->plan.n_blocks - 1].out;
    meso_shape s = in->shape;
    size_t units = (size_t)run->plan.head.hidden->set.dense.units;
    float *out = calloc(meso_shape_size(s) * units, sizeof *out);
    for (int c = 0; out && c < s.c; c++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++) {
                size_t from = ((size_t)y * (size_t)s.w + (size_t)x) * (size_t)s.c + (size_t)c;
                size_t to = meso_strip_place(in, run->plan.tuning->lanes, c, y, x);
                for (size_t u = 0; u < units; u++)
                    out[to * units + u] = kernel[from * units + u];
            }
    return out;
}

static meso_status upload_head(meso_strip_run *run, const float *const *params)
{
    meso_status status = MESO_OK;
    const meso_strip_head *head = &run->plan.head;
    const meso_layer *const layers[] = {head->hidden, head->hidden_bias, head->output,
                                        head->output_bias};
    float *hidden = permute_hidden(run, param_of(params, head->hidden, 0));
    MESO_REQUIRE_MEMORY(hidden, meso_device_error_slot(run->device));
    for (size_t i = 0; i < 4; i++)
        MESO_TRY(upload(run->device, i ? param_of(params, layers[i], 0) : hidden,
                        run->net->params[layers[i]->first_param].n_values * sizeof(float),
                        &run->head[i]));
    MESO_TRY(meso_buffer_create(
        run->device, MESO_STRIP_MAX_IMAGES * sizeof(float) * (size_t)head->output->set.dense.units,
        &run->logits));
out:
    free(hidden);
    return status;
}

static meso_status make_kernels(meso_strip_run *run)
{
    meso_status status = MESO_OK;
    const int head = run->plan.head.flatten != NULL;
    const struct {
        int wanted;
        const char *name, *kinds;
        meso_kernel *kernel;
    } rows[] = {
        {meso_strip_takes_pixels(&run->plan), "first_block", "bbbbi", &run->first_block},
        {run->plan.blocks[0].in.shape.c == 3, "strip_pack_u8", "bbi", &run->pack_u8},
        {1, "strip_pack_f32", "bbif", &run->pack_f32},
        {head, "head", "bbbbbbi", &run->end},
        {!head, "planar", "bbti", &run->end},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].wanted)
            MESO_TRY(meso_program_kernel(run->device, &run->program, rows[i].name, rows[i].kinds,
                                         rows[i].kernel));
    for (size_t i = 0; i < run->plan.n_blocks; i++) {
        snprintf(run->names[i], sizeof run->names[i], "block_%zu", i);
        MESO_TRY(meso_program_kernel(run->device, &run->program, run->names[i], "bbbb",
                                     &run->blocks[i]));
    }
out:
    return status;
}

int meso_strip_find_tuned(const meso_device *device, const meso_net *net,
                          const meso_tuning_family *family, meso_strip_tuned *tuned)
{
    int values[MESO_MAX_TUNABLES];
    int found = meso_tuning_of(meso_device_get_info(device), family, net->name, values);
    if (found)
        meso_strip_tune(family, values, tuned);
    return found;
}

meso_status meso_strip_build(meso_device *device, const meso_net *net, int exact,
                             const meso_strip_tuning *only, meso_strip_writer *writer,
                             meso_program *program, meso_strip_plan *plan)
{
    meso_status status = MESO_OK;
    meso_text source = {0};
    const meso_strip_tuning *rows = only ? only : meso_strip_tunings;
    const size_t n_rows = only ? 1 : meso_n_strip_tunings;
    meso_strip_plan *plans = calloc(n_rows, sizeof *plans);
    MESO_REQUIRE_MEMORY(plans, meso_device_error_slot(device));
    for (size_t i = 0; i < n_rows; i++)
        meso_strip_find(net, &rows[i], exact, &plans[i]);
    meso_text_format(&source, "#define NATIVE_WIDTH %u\n",
                     meso_device_get_info(device)->vector_width);
    MESO_TRY(
        meso_strip_source(net, plans, n_rows, writer, &source, meso_device_error_slot(device)));
    MESO_TRY(meso_program_build(device, &source, program));
    for (size_t i = 0; i < n_rows; i++) {
        char name[32];
        int taken;
        snprintf(name, sizeof name, "row_%s", plans[i].tuning->name);
        MESO_TRY(meso_program_has_kernel(device, program, name, &taken));
        if (taken) {
            *plan = plans[i];
            break;
        }
    }
out:
    meso_text_free(&source);
    free(plans);
    return status;
}

static meso_status make_scratch(meso_strip_run *run)
{
    meso_status status = MESO_OK;
    size_t floats = sizeof(float) * (size_t)run->plan.tuning->chunk;
    int lanes = run->plan.tuning->lanes;
    size_t n = run->n_lanes + (run->n_lanes > 1);
    for (size_t l = 0; l < n; l++) {
        meso_device_use_lane(run->device, l < run->n_lanes ? (int)l : MESO_WHOLE_DEVICE);
        MESO_TRY(create_zeros(run->device, floats * meso_strip_size(&run->plan.blocks[0].in, lanes),
                              &run->scratch[l].tensors[0]));
        for (size_t i = 0; i < run->plan.n_blocks; i++)
            MESO_TRY(create_zeros(run->device,
                                  floats * meso_strip_size(&run->plan.blocks[i].out, lanes),
                                  &run->scratch[l].tensors[i + 1]));
    }
out:
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}

/* Drivers that split our vectors into scalars, such as rusticl on llvmpipe, compile these kernels
 * for minutes, and gain nothing. */
static int pays(const meso_device_info *info)
{
    const unsigned least_vector = 4;
    return info->type == MESO_DEVICE_CPU && info->vector_width >= least_vector;
}

meso_status meso_strip_create(meso_device *device, const meso_net *net, const float *const *params,
                              int exact, size_t n_lanes, const meso_strip_tuning *only,
                              meso_strip_run **run)
{
    meso_status status = MESO_OK;
    meso_strip_run *r = NULL;
    *run = NULL;
    if (!only && !pays(meso_device_get_info(device)))
        return MESO_OK;
    r = calloc(1, sizeof *r);
    MESO_REQUIRE_MEMORY(r, meso_device_error_slot(device));
    r->device = device;
    r->net = net;
    r->n_lanes = meso_device_n_lanes(device);
    if (n_lanes > 0 && n_lanes < r->n_lanes)
        r->n_lanes = n_lanes;
    if (!only && meso_strip_find_tuned(device, net, &meso_tuning_fused, &r->tuned))
        only = &r->tuned.row;
    MESO_TRY(meso_strip_build(device, net, exact, only, meso_strip_write, &r->program, &r->plan));
    if (r->plan.n_blocks == 0)
        goto out;
    MESO_TRY(make_kernels(r));
    for (size_t i = 0; i < r->plan.n_blocks; i++)
        MESO_TRY(upload_block(r, i, params));
    if (r->plan.head.flatten)
        MESO_TRY(upload_head(r, params));
    MESO_TRY(make_scratch(r));
    *run = r;
    r = NULL;
out:
    meso_strip_close(r);
    return status;
}

void meso_strip_close(meso_strip_run *run)
{
    if (!run)
        return;
    for (size_t l = 0; l <= run->n_lanes; l++)
        for (size_t i = 0; i <= MESO_MAX_BLOCKS; i++)
            meso_buffer_release(&run->scratch[l].tensors[i]);
    for (size_t i = 0; i < MESO_MAX_BLOCKS; i++) {
        meso_buffer_release(&run->params[i].filters);
        meso_buffer_release(&run->params[i].affine);
        meso_kernel_release(&run->blocks[i]);
    }
    for (size_t i = 0; i < 4; i++)
        meso_buffer_release(&run->head[i]);
    meso_buffer_release(&run->logits);
    meso_kernel_release(&run->first_block);
    meso_kernel_release(&run->pack_u8);
    meso_kernel_release(&run->pack_f32);
    meso_kernel_release(&run->end);
    meso_program_release(&run->program);
    free(run);
}

/* What images are brought through the blocks: where they come from, and where the end puts its
 * results. */
typedef struct task {
    const meso_buffer *pixels;
    int is_float;
    const meso_tensor_view *planar; /* without a head */
    const meso_buffer *logits;      /* with one */
} task;

/* The picture into the first block's output, from pixels if its kernel takes them. */
static meso_status enqueue_first(meso_strip_run *run, const scratch *s, const task *t, int first,
                                 size_t n)
{
    meso_status status = MESO_OK;
    const meso_strip_block *block = &run->plan.blocks[0];
    const size_t height = (size_t)block->in.shape.h;
    const meso_arg to = meso_arg_buffer(&s->tensors[0]);
    meso_device_span(run->device, block->conv->name);
    if (!t->is_float && meso_strip_takes_pixels(&run->plan))
        return meso_launch_kernel(
            run->device, &run->first_block,
            MESO_GLOBAL(height / 4 / (size_t)run->plan.tuning->first_tile_rows, n, 1),
            MESO_ARGS(meso_arg_buffer(t->pixels), meso_arg_buffer(&s->tensors[1]),
                      meso_arg_buffer(&run->params[0].filters),
                      meso_arg_buffer(&run->params[0].affine), meso_arg_int(first)));
    if (t->is_float)
        MESO_TRY(
            meso_launch_kernel(run->device, &run->pack_f32, MESO_GLOBAL(height, n, 1),
                               MESO_ARGS(meso_arg_buffer(t->pixels), to, meso_arg_int(first),
                                         meso_arg_float(run->net->layers[0].set.input.divide))));
    else
        MESO_TRY(
            meso_launch_kernel(run->device, &run->pack_u8, MESO_GLOBAL(height, n, 1),
                               MESO_ARGS(meso_arg_buffer(t->pixels), to, meso_arg_int(first))));
    MESO_TRY(meso_launch_kernel(
        run->device, &run->blocks[0], MESO_GLOBAL(meso_strip_items(block), n, 1),
        MESO_ARGS(to, meso_arg_buffer(&s->tensors[1]), meso_arg_buffer(&run->params[0].filters),
                  meso_arg_buffer(&run->params[0].affine))));
out:
    return status;
}

/* Images first … first + n − 1, n ≤ chunk, through all blocks on the lane in use. */
static meso_status enqueue_chunk(meso_strip_run *run, const scratch *s, const task *t, int first,
                                 size_t n)
{
    meso_status status = MESO_OK;
    const meso_strip_block *last = &run->plan.blocks[run->plan.n_blocks - 1];
    const meso_arg from = meso_arg_buffer(&s->tensors[run->plan.n_blocks]);
    MESO_TRY(enqueue_first(run, s, t, first, n));
    for (size_t i = 1; i < run->plan.n_blocks; i++) {
        const meso_strip_block *block = &run->plan.blocks[i];
        meso_device_span(run->device, block->conv->name);
        MESO_TRY(meso_launch_kernel(
            run->device, &run->blocks[i], MESO_GLOBAL(meso_strip_items(block), n, 1),
            MESO_ARGS(meso_arg_buffer(&s->tensors[i]), meso_arg_buffer(&s->tensors[i + 1]),
                      meso_arg_buffer(&run->params[i].filters),
                      meso_arg_buffer(&run->params[i].affine))));
    }
    meso_device_span(run->device, run->net->layers[run->plan.last].name);
    if (run->plan.head.flatten)
        MESO_TRY(meso_launch_kernel(
            run->device, &run->end, MESO_GLOBAL(n, 1, 1),
            MESO_ARGS(from, meso_arg_buffer(&run->head[0]), meso_arg_buffer(&run->head[1]),
                      meso_arg_buffer(&run->head[2]), meso_arg_buffer(&run->head[3]),
                      meso_arg_buffer(t->logits), meso_arg_int(first))));
    else
        MESO_TRY(
            meso_launch_kernel(run->device, &run->end,
                               MESO_GLOBAL(last->out.shape.h / (last->out.halves ? 2 : 1), n, 1),
                               MESO_ARGS(from, meso_arg_buffer(t->planar->buffer),
                                         meso_arg_tensor(t->planar), meso_arg_int(first))));
    MESO_TRY(meso_device_flush(run->device));
out:
    return status;
}

/* How n images are shared out: by lane, or, where there are fewer images than lanes, each one over
 * the whole device, whose work-groups are rows. */
typedef struct shares {
    size_t n;  /* of them */
    int whole; /* 1: one share, on the queue of the whole device */
} shares;

static shares share_out(const meso_strip_run *run, size_t n)
{
    int whole = n < run->n_lanes && run->n_lanes == meso_device_n_lanes(run->device);
    return (shares){whole ? 1 : run->n_lanes, whole};
}

static int share_lane(const shares *s, size_t i)
{
    return s->whole ? MESO_WHOLE_DEVICE : (int)i;
}

/* Share i takes images [begin of i, begin of i + 1). */
static size_t share_begin(const shares *s, size_t i, size_t n)
{
    return i * n / s->n;
}

meso_status meso_strip_enqueue(meso_strip_run *run, const meso_buffer *pixels, int is_float,
                               size_t n, const meso_tensor_view *planar)
{
    meso_status status = MESO_OK;
    const task t = {pixels, is_float, planar, &run->logits};
    const shares s = share_out(run, n);
    size_t chunk = (size_t)run->plan.tuning->chunk, longest = (n + s.n - 1) / s.n;
    /* Chunk by chunk over all lanes, so that none waits for another's queue to be filled. */
    for (size_t done = 0; done < longest; done += chunk)
        for (size_t i = 0; i < s.n; i++) {
            size_t begin = share_begin(&s, i, n) + done, end = share_begin(&s, i + 1, n);
            if (begin >= end)
                continue;
            meso_device_use_lane(run->device, share_lane(&s, i));
            MESO_TRY(enqueue_chunk(run, &run->scratch[s.whole ? run->n_lanes : i], &t, (int)begin,
                                   end - begin < chunk ? end - begin : chunk));
        }
out:
    meso_device_span(run->device, NULL);
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}

meso_status meso_strip_start(meso_strip_run *run, size_t lane, const meso_buffer *pixels,
                             int is_float, size_t n, const meso_buffer *results, float *logits,
                             meso_event *done)
{
    meso_status status = MESO_OK;
    const task t = {pixels, is_float, NULL, results};
    size_t chunk = (size_t)run->plan.tuning->chunk;
    size_t outputs = (size_t)run->plan.head.output->set.dense.units;
    meso_device_use_lane(run->device, (int)lane);
    for (size_t i = 0; i < n; i += chunk)
        MESO_TRY(
            enqueue_chunk(run, &run->scratch[lane], &t, (int)i, n - i < chunk ? n - i : chunk));
    MESO_TRY(
        meso_buffer_read_start(run->device, results, logits, n * outputs * sizeof(float), done));
    MESO_TRY(meso_device_flush(run->device));
out:
    meso_device_span(run->device, NULL);
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}

meso_status meso_strip_wait(meso_strip_run *run)
{
    meso_status status = meso_device_finish(run->device);
    for (size_t l = 0; l < run->n_lanes && status == MESO_OK; l++) {
        meso_device_use_lane(run->device, (int)l);
        status = meso_device_finish(run->device);
    }
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}

meso_status meso_strip_logits(meso_strip_run *run, size_t n, float *logits)
{
    meso_status status = MESO_OK;
    const shares s = share_out(run, n);
    size_t outputs = (size_t)run->plan.head.output->set.dense.units;
    /* A blocking read behind a lane's own work is all the waiting there is. */
    for (size_t i = 0; i < s.n; i++) {
        size_t begin = share_begin(&s, i, n) * outputs, end = share_begin(&s, i + 1, n) * outputs;
        if (begin == end)
            continue;
        meso_device_use_lane(run->device, share_lane(&s, i));
        MESO_TRY(meso_buffer_read(run->device, &run->logits, begin * sizeof(float), logits + begin,
                                  (end - begin) * sizeof(float)));
    }
out:
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}
