/* SPDX-License-Identifier: Apache-2.0
 *
 * Lanes × chunks: each lane takes a share of the images and brings a few at a time through all
 * blocks, in scratch buffers of its own that stay in its core's cache.
 */
#include "net/strip/strip_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/op/op.h"
#include "runtime/program.h"

/* What the kernels of one block read beside pictures. */
typedef struct block_params {
    meso_buffer filters, affine;
} block_params;

/* pixels, n, logits, four of the head, the picture; then output, filters and affine of each block
 */
enum { MESO_MAX_CHAIN_ARGS = 8 + 3 * MESO_MAX_BLOCKS };

/* Strip tensors of a chunk: [0] the packed picture, [i + 1] the output of block i. */
typedef struct scratch {
    meso_buffer tensors[MESO_MAX_BLOCKS + 1];
} scratch;

struct meso_strip_run {
    meso_device *device;
    const meso_net *net;
    meso_strip_plan plan;
    meso_program program;
    char names[MESO_MAX_BLOCKS][32];
    meso_kernel blocks[MESO_MAX_BLOCKS];
    meso_kernel first_block, pack_u8, pack_f32, end; /* end: the head, or the way to planar */
    block_params params[MESO_MAX_BLOCKS];
    meso_buffer head[4];                 /* hidden kernel and bias, output kernel and bias */
    scratch scratch[MESO_MAX_LANES + 1]; /* [n_lanes]: of the whole device */
    size_t n_lanes;
    meso_buffer logits; /* [n][outputs] */
    meso_kernel chain;  /* where the device has one lane for several cores */
    size_t n_workers;   /* its work-items; 0: no chain */
    char chain_kinds[MESO_MAX_CHAIN_ARGS + 1];
};

const meso_strip_plan *meso_strip_get_plan(const meso_strip_run *run)
{
    return &run->plan;
}

size_t meso_strip_n_lanes(const meso_strip_run *run)
{
    return run->n_lanes;
}

/* A buffer of zeros: kernels never write the rows of zeros around a tensor. */
static meso_status create_zeros(meso_device *device, size_t bytes, meso_buffer *buffer)
{
    MESO_CHECK(meso_buffer_create(device, bytes, buffer));
    return meso_buffer_zero(device, buffer);
}

static meso_status upload_block(meso_strip_run *run, size_t i, const float *const *params)
{
    meso_status status = MESO_OK;
    meso_error *error = meso_device_error_slot(run->device);
    const meso_block *block = &run->plan.blocks[i].layers;
    size_t n;
    float *filters = NULL, *affine = NULL;
    /* The picture's units are those of 8-bit pixels: the first filters are divided in their place.
     */
    double divide = i == 0 ? run->net->layers[0].set.input.divide : 1;
    meso_strip_params(block, params, divide, &filters, &n, &affine);
    MESO_REQUIRE_MEMORY(filters && affine, error);
    MESO_TRY(meso_buffer_create_filled(run->device, filters, n * sizeof(float),
                                       &run->params[i].filters));
    MESO_TRY(meso_buffer_create_filled(run->device, affine,
                                       4 * (size_t)block->conv->shape.c * sizeof(float),
                                       &run->params[i].affine));
out:
    free(filters);
    free(affine);
    return status;
}

static meso_status upload_head(meso_strip_run *run, const float *const *params)
{
    meso_status status = MESO_OK;
    const meso_head *head = &run->plan.head;
    const meso_layer *const layers[] = {head->hidden, head->hidden_bias, head->output,
                                        head->output_bias};
    float *hidden = meso_strip_hidden(&run->plan, meso_block_param(params, head->hidden, 0));
    MESO_REQUIRE_MEMORY(hidden, meso_device_error_slot(run->device));
    for (size_t i = 0; i < 4; i++)
        MESO_TRY(meso_buffer_create_filled(
            run->device, i ? meso_block_param(params, layers[i], 0) : hidden,
            run->net->params[layers[i]->first_param].n_values * sizeof(float), &run->head[i]));
out:
    free(hidden);
    return status;
}

static meso_status make_kernels(meso_strip_run *run)
{
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
            MESO_CHECK(meso_program_kernel(run->device, &run->program, rows[i].name, rows[i].kinds,
                                           rows[i].kernel));
    for (size_t i = 0; i < run->plan.n_blocks; i++) {
        snprintf(run->names[i], sizeof run->names[i], "block_%zu", i);
        MESO_CHECK(meso_program_kernel(run->device, &run->program, run->names[i], "bbbb",
                                       &run->blocks[i]));
    }
    if (run->n_workers > 0) {
        memset(run->chain_kinds, 'b', 8 + 3 * run->plan.n_blocks);
        run->chain_kinds[1] = 'i';
        MESO_CHECK(meso_program_kernel(run->device, &run->program, "chain", run->chain_kinds,
                                       &run->chain));
    }
    return MESO_OK;
}

/* A queue over several cores pays for each launch with their waking and waiting: on two cores,
 * Intel's runtime brought 0.58 to 0.95 of PoCL's images kernel by kernel, and as many with a chain.
 */
static size_t count_workers(const meso_device *device)
{
    const size_t n = meso_device_get_info(device)->compute_units;
    return meso_device_n_lanes(device, 0) > 1 || n == 1 ? 0
           : n < MESO_MAX_LANES                         ? n
                                                        : MESO_MAX_LANES;
}

meso_status meso_strip_build(meso_device *device, const meso_net *net,
                             const meso_strip_tunings *tunings, meso_strip_writer *writer,
                             meso_program *program, meso_strip_plan *plan)
{
    meso_status status = MESO_OK;
    meso_text source = {0};
    meso_strip_plan *plans = calloc(tunings->n, sizeof *plans);
    MESO_REQUIRE_MEMORY(plans, meso_device_error_slot(device));
    for (size_t i = 0; i < tunings->n; i++)
        meso_strip_find(net, &tunings->rows[i], &plans[i]);
    meso_text_format(&source, "#define NATIVE_WIDTH %u\n#define CHAIN %d\n",
                     meso_device_get_info(device)->vector_width, count_workers(device) > 0);
    MESO_TRY(
        meso_strip_source(net, plans, tunings->n, writer, &source, meso_device_error_slot(device)));
    MESO_TRY(meso_program_build(device, &source, program));
    for (size_t i = 0; i < tunings->n; i++) {
        char name[32];
        int taken;
        snprintf(name, sizeof name, "row_%s", plans[i].tuning.name);
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
    size_t chunk = (size_t)run->plan.tuning.chunk;
    size_t floats = sizeof(float) * (chunk > run->n_workers ? chunk : run->n_workers);
    int lanes = run->plan.tuning.lanes;
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

meso_status meso_strip_create(meso_device *device, const meso_net *net, const float *const *params,
                              size_t n_lanes, const meso_strip_tunings *tunings,
                              meso_strip_run **run)
{
    meso_status status = MESO_OK;
    meso_strip_run *r = calloc(1, sizeof *r);
    *run = NULL;
    MESO_REQUIRE_MEMORY(r, meso_device_error_slot(device));
    r->device = device;
    r->net = net;
    r->n_lanes = meso_device_n_lanes(device, n_lanes);
    MESO_TRY(meso_strip_build(device, net, tunings, meso_strip_write, &r->program, &r->plan));
    if (r->plan.n_blocks == 0)
        goto out;
    r->n_workers = meso_strip_covers_net(&r->plan) ? count_workers(device) : 0;
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
    meso_kernel_release(&run->chain);
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

/* Of the launch to come, which does block i of n images. */
static void tell_cost(const meso_strip_run *run, size_t i, size_t n, size_t value_bytes)
{
    const meso_block *layers = &run->plan.blocks[i].layers;
    meso_device_cost(run->device, (double)n * meso_block_multiply_adds(run->net, layers),
                     (double)n * meso_block_bytes(layers, value_bytes));
}

/* The picture into the first block's output, from pixels if its kernel takes them. */
static meso_status enqueue_first(meso_strip_run *run, const scratch *s, const task *t, int first,
                                 size_t n)
{
    const meso_strip_block *block = &run->plan.blocks[0];
    const size_t height = (size_t)block->in.shape.h;
    const meso_arg to = meso_arg_buffer(&s->tensors[0]);
    meso_device_span(run->device, block->layers.conv->name);
    if (!t->is_float && meso_strip_takes_pixels(&run->plan)) {
        tell_cost(run, 0, n, 1);
        return meso_launch_kernel(run->device, &run->first_block,
                                  MESO_GLOBAL(meso_strip_first_items(&run->plan), n, 1),
                                  MESO_ARGS(t->pixels, &s->tensors[1], &run->params[0].filters,
                                            &run->params[0].affine, first));
    }
    if (t->is_float)
        MESO_CHECK(meso_launch_kernel(
            run->device, &run->pack_f32, MESO_GLOBAL(height, n, 1),
            MESO_ARGS(t->pixels, to, first, run->net->layers[0].set.input.divide)));
    else
        MESO_CHECK(meso_launch_kernel(run->device, &run->pack_u8, MESO_GLOBAL(height, n, 1),
                                      MESO_ARGS(t->pixels, to, first)));
    tell_cost(run, 0, n, sizeof(float));
    return meso_launch_kernel(
        run->device, &run->blocks[0], MESO_GLOBAL(meso_strip_items(block), n, 1),
        MESO_ARGS(to, &s->tensors[1], &run->params[0].filters, &run->params[0].affine));
}

/* Images first … first + n − 1, n ≤ chunk, through all blocks on the lane in use. */
static meso_status enqueue_chunk(meso_strip_run *run, const scratch *s, const task *t, int first,
                                 size_t n)
{
    const meso_strip_block *last = &run->plan.blocks[run->plan.n_blocks - 1];
    const meso_arg from = meso_arg_buffer(&s->tensors[run->plan.n_blocks]);
    MESO_CHECK(enqueue_first(run, s, t, first, n));
    for (size_t i = 1; i < run->plan.n_blocks; i++) {
        const meso_strip_block *block = &run->plan.blocks[i];
        meso_device_span(run->device, block->layers.conv->name);
        tell_cost(run, i, n, sizeof(float));
        MESO_CHECK(meso_launch_kernel(run->device, &run->blocks[i],
                                      MESO_GLOBAL(meso_strip_items(block), n, 1),
                                      MESO_ARGS(&s->tensors[i], &s->tensors[i + 1],
                                                &run->params[i].filters, &run->params[i].affine)));
    }
    meso_device_span(run->device, run->net->layers[run->plan.last].name);
    if (run->plan.head.flatten) {
        meso_device_cost(run->device,
                         (double)n * meso_head_multiply_adds(run->net, &run->plan.head), NAN);
        MESO_CHECK(meso_launch_kernel(run->device, &run->end, MESO_GLOBAL(n, 1, 1),
                                      MESO_ARGS(from, &run->head[0], &run->head[1], &run->head[2],
                                                &run->head[3], t->logits, first)));
    } else {
        MESO_CHECK(meso_launch_kernel(
            run->device, &run->end,
            MESO_GLOBAL(last->out.shape.h / (last->out.two_halves ? 2 : 1), n, 1),
            MESO_ARGS(from, MESO_VIEW(t->planar), first)));
    }
    return meso_device_flush(run->device);
}

/* A chain is for enough 8-bit pictures to keep all cores at work. Profiles are of single blocks. */
static int is_chained(const meso_strip_run *run, int is_float, size_t n)
{
    return run->n_workers > 0 && !is_float && n >= run->n_workers &&
           !meso_device_is_profiled(run->device);
}

/* All n images in one launch on the lane in use. */
static meso_status enqueue_chain(meso_strip_run *run, const scratch *s, const meso_buffer *pixels,
                                 size_t n, const meso_buffer *logits)
{
    meso_arg args[MESO_MAX_CHAIN_ARGS];
    size_t k = 0;
    args[k++] = meso_arg_buffer(pixels);
    args[k++] = meso_arg_int((int)n);
    args[k++] = meso_arg_buffer(logits);
    for (size_t i = 0; i < 4; i++)
        args[k++] = meso_arg_buffer(&run->head[i]);
    args[k++] = meso_arg_buffer(&s->tensors[0]);
    for (size_t i = 0; i < run->plan.n_blocks; i++) {
        args[k++] = meso_arg_buffer(&s->tensors[i + 1]);
        args[k++] = meso_arg_buffer(&run->params[i].filters);
        args[k++] = meso_arg_buffer(&run->params[i].affine);
    }
    MESO_CHECK(
        meso_launch_kernel(run->device, &run->chain, MESO_GLOBAL(run->n_workers, 1, 1), args, k));
    return meso_device_flush(run->device);
}

/* How n images are shared out: by lane, or, where there are fewer images than lanes, each one over
 * the whole device, whose work-groups are rows. */
typedef struct shares {
    size_t n;  /* of them */
    int whole; /* 1: one share, on the queue of the whole device */
} shares;

static shares share_out(const meso_strip_run *run, size_t n)
{
    int whole = n < run->n_lanes && run->n_lanes == meso_device_n_lanes(run->device, 0);
    return (shares){whole ? 1 : run->n_lanes, whole};
}

static int share_lane(const shares *s, size_t i)
{
    return s->whole ? MESO_WHOLE_DEVICE : (int)i;
}

meso_status meso_strip_reserve(meso_strip_run *run, size_t n)
{
    const size_t units = (size_t)run->plan.head.output->set.dense.units;
    return meso_buffer_grow(run->device, n * sizeof(float) * units, &run->logits);
}

meso_status meso_strip_enqueue(meso_strip_run *run, const meso_buffer *pixels, int is_float,
                               size_t n, const meso_tensor_view *planar)
{
    meso_status status = MESO_OK;
    const task t = {pixels, is_float, planar, &run->logits};
    const shares s = share_out(run, n);
    size_t chunk = (size_t)run->plan.tuning.chunk, longest = (n + s.n - 1) / s.n;
    if (run->plan.head.flatten)
        MESO_TRY(meso_strip_reserve(run, n));
    if (is_chained(run, is_float, n)) {
        meso_device_use_lane(run->device, 0);
        MESO_TRY(enqueue_chain(run, &run->scratch[0], pixels, n, &run->logits));
        goto out;
    }
    /* Chunk by chunk over all lanes, so that none waits for another's queue to be filled. */
    for (size_t done = 0; done < longest; done += chunk)
        for (size_t i = 0; i < s.n; i++) {
            const meso_share own = meso_lane_share(i, s.n, n);
            if (done >= own.n)
                continue;
            meso_device_use_lane(run->device, share_lane(&s, i));
            MESO_TRY(enqueue_chunk(run, &run->scratch[s.whole ? run->n_lanes : i], &t,
                                   (int)(own.first + done),
                                   own.n - done < chunk ? own.n - done : chunk));
        }
out:
    meso_device_span(run->device, NULL);
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}

meso_status meso_strip_start(meso_strip_run *run, const meso_buffer *pixels, int is_float, size_t n,
                             const meso_buffer *results, float *logits, meso_event *done)
{
    meso_status status = MESO_OK;
    const task t = {pixels, is_float, NULL, results};
    size_t chunk = (size_t)run->plan.tuning.chunk;
    size_t outputs = (size_t)run->plan.head.output->set.dense.units;
    const scratch *own = &run->scratch[meso_device_lane(run->device)];
    if (is_chained(run, is_float, n))
        MESO_TRY(enqueue_chain(run, own, pixels, n, results));
    else
        for (size_t i = 0; i < n; i += chunk)
            MESO_TRY(enqueue_chunk(run, own, &t, (int)i, n - i < chunk ? n - i : chunk));
    MESO_TRY(
        meso_buffer_read_start(run->device, results, logits, n * outputs * sizeof(float), done));
    MESO_TRY(meso_device_flush(run->device));
out:
    meso_device_span(run->device, NULL);
    return status;
}

meso_status meso_strip_logits(meso_strip_run *run, size_t n, float *logits)
{
    meso_status status = MESO_OK;
    const shares s = share_out(run, n);
    size_t outputs = (size_t)run->plan.head.output->set.dense.units;
    /* A blocking read behind a lane's own work is all the waiting there is. */
    for (size_t i = 0; i < s.n; i++) {
        const meso_share own = meso_lane_share(i, s.n, n);
        meso_device_use_lane(run->device, share_lane(&s, i));
        MESO_TRY(meso_buffer_read(run->device, &run->logits, own.first * outputs * sizeof(float),
                                  logits + own.first * outputs, own.n * outputs * sizeof(float)));
    }
out:
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}
