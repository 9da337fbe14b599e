/* SPDX-License-Identifier: Apache-2.0
 *
 * Two paths of training in which each layer is kernels of its own: all layers forward, the loss,
 * all backward, the optimiser. The work is a list of tasks.
 *
 * On the plain path most are done image by image; a few need the whole batch (batch norm's mean and
 * variance), and all lanes wait for them. Between two of those each lane takes its images through
 * all tasks in small chunks, so that what a layer writes is still in the cache when the next one
 * reads it. Lanes own whole groups of images: sums over a group are made by one lane in the order
 * of the images, whatever the number of lanes.
 *
 * The parallel path, for GPUs, does each task for the whole batch at once, by kernels with
 * work-groups of many work-items, in one queue, and waits for the results alone.
 */
#include <stdlib.h>

#include "net/train/train_params.h"
#include "net/train/train_plan.h"

/* chunk_images: measured on MesoInception-4, where 2 are a fifth faster than 8 (which leave the
 * cache) and than 1 (which is all launches). */
enum { max_tasks = 6 * MESO_MAX_LAYERS, chunk_images = 2, max_together = 3 };

typedef enum task_kind { TASK_UNPACK, TASK_FORWARD, TASK_LOSS, TASK_BACKWARD } task_kind;

typedef struct task {
    task_kind kind;
    size_t layer;
    meso_train_part part; /* NULL: the op's forward */
    int once;             /* for the whole batch */
} task;

typedef struct run {
    meso_device *device;
    const meso_net *net;
    meso_train_settings settings;
    meso_train_plan plan;
    size_t n_lanes;
    size_t items; /* of a work-group on the parallel path, 0 on the plain one */
    task tasks[max_tasks];
    size_t n_tasks, n_forward; /* forward's come first */
    meso_train_params params;
    meso_buffer values[MESO_MAX_LAYERS]; /* by the source of a tensor */
    meso_buffer gradients[MESO_MAX_LAYERS];
    meso_buffer saved[MESO_MAX_LAYERS];
    meso_buffer classes, results; /* results: [image] of loss and 1 where it is right */
    float *host_results;
    /* of the step under way */
    const meso_train_input *input;
    uint64_t step;
    double momentum;
} run;

static void add_task(run *r, task_kind kind, size_t layer, meso_train_part part, int once)
{
    r->tasks[r->n_tasks++] = (task){kind, layer, part, once};
}

static void add_parts(run *r, task_kind kind, size_t layer, const meso_train_parts *parts)
{
    const int frozen = r->settings.frozen[layer];
    if (parts->measure && !frozen)
        add_task(r, kind, layer, parts->measure, 0);
    if (parts->combine && !frozen)
        add_task(r, kind, layer, parts->combine, 1);
    if (parts->apply)
        add_task(r, kind, layer, parts->apply, 0);
}

static void add_forward(run *r, size_t i)
{
    const meso_fused_pair *pair = r->plan.places[i].pair;
    meso_train_parts parts = r->net->layers[i].op->train;
    if (r->plan.places[i - 1].pair)
        return; /* the layer in front does it */
    if (pair && pair->forward)
        parts.apply = pair->forward;
    if (parts.apply)
        add_parts(r, TASK_FORWARD, i, &parts);
    else
        add_task(r, TASK_FORWARD, i, NULL, 0);
}

/* A layer that goes backward together with the next one. */
static const meso_fused_pair *backward_pair(const run *r, size_t i)
{
    const meso_fused_pair *pair = r->plan.places[i].pair;
    return pair && pair->backward.apply && !r->settings.frozen[i] ? pair : NULL;
}

static void add_backward(run *r, size_t i)
{
    const meso_fused_pair *pair = backward_pair(r, i);
    meso_train_parts parts = r->net->layers[i].op->backward;
    if (backward_pair(r, i - 1))
        return; /* the layer in front does it */
    if (pair) {
        parts.measure = pair->backward.measure;
        parts.apply = pair->backward.apply;
    }
    add_parts(r, TASK_BACKWARD, i, &parts);
}

static void list_tasks(run *r)
{
    add_task(r, TASK_UNPACK, 0, NULL, 0);
    for (size_t i = 1; i <= r->plan.logits; i++)
        if (r->plan.places[i].used)
            add_forward(r, i);
    r->n_forward = r->n_tasks;
    add_task(r, TASK_LOSS, r->plan.logits, NULL, 0);
    for (size_t i = r->plan.logits + 1; i-- > 1;)
        if (r->plan.places[i].used && r->plan.places[i].trained)
            add_backward(r, i);
}

static meso_tensor_view value_of(const run *r, size_t layer, size_t first)
{
    const size_t source = r->plan.places[layer].source;
    meso_tensor_view view =
        meso_tensor_of(r->net->layers[layer].shape, r->plan.places[source].pad, &r->values[source]);
    view.first = (int)first;
    return view;
}

/* buffer NULL where the layer's output needs no gradient. */
static meso_tensor_view gradient_of(const run *r, size_t layer, size_t first)
{
    const int slot = r->plan.places[r->plan.places[layer].source].slot;
    meso_tensor_view view = meso_tensor_of(r->net->layers[layer].shape,
                                           slot == MESO_NO_SLOT ? 0 : r->plan.slots[slot].pad,
                                           slot == MESO_NO_SLOT ? NULL : &r->gradients[slot]);
    view.first = (int)first;
    return view;
}

static meso_train_step step_of(const run *r, size_t i, size_t first, size_t n)
{
    const meso_layer *layer = &r->net->layers[i];
    meso_train_step s = {.step = {.net = r->net, .layer = layer, .n = n},
                         .first = first,
                         .batch = r->input->n,
                         .items = r->items,
                         .saved = &r->saved[i],
                         .frozen = r->settings.frozen[i],
                         .seed = r->settings.seed,
                         .step_number = r->step,
                         .momentum = r->momentum,
                         .biased_variance = r->settings.bn_biased_variance};
    s.step.output = value_of(r, i, first);
    s.d_output = gradient_of(r, i, first);
    for (size_t k = 0; k < layer->n_inputs; k++) {
        s.step.inputs[k] = value_of(r, layer->inputs[k], first);
        s.d_inputs[k] = gradient_of(r, layer->inputs[k], first);
        s.add[k] = r->plan.places[i].add[k];
    }
    for (size_t k = 0; k < layer->n_params; k++) {
        const meso_train_param *param = &r->params.of[layer->first_param + k];
        s.step.params[k] = &param->value;
        s.d_params[k] = param->is_trained ? &param->gradient : NULL;
    }
    return s;
}

/* The layer's, and those of the layers that it does along. */
static void make_steps(const run *r, size_t i, size_t first, size_t n,
                       meso_train_step steps[max_together])
{
    steps[0] = step_of(r, i, first, n);
    for (size_t k = 1; k < max_together && r->plan.places[i + k - 1].pair; k++) {
        steps[k] = step_of(r, i + k, first, n);
        steps[k - 1].next = &steps[k];
    }
}

static meso_status unpack(run *r, size_t first, size_t n)
{
    const meso_tensor_view out = value_of(r, 0, first);
    const size_t global[3] = {(size_t)out.shape.w, (size_t)out.shape.h, n * (size_t)out.shape.c};
    const meso_train_step t = {.items = r->items};
    if (r->input->is_float)
        return meso_launch(r->device, MESO_KERNEL_UNPACK_F32, global,
                           MESO_ARGS(r->input->pixels, MESO_VIEW(&out)));
    return meso_train_launch(
        r->device, &t, MESO_KERNEL_UNPACK_TRAIN, MESO_GLOBAL(out.shape.h, n, 1),
        MESO_ARGS(r->input->pixels, r->net->layers[0].set.input.divide, MESO_VIEW(&out)));
}

static meso_status loss(run *r, size_t first, size_t n)
{
    const meso_tensor_view logits = value_of(r, r->plan.logits, first);
    const meso_tensor_view d = gradient_of(r, r->plan.logits, first);
    const meso_train_step t = {.items = r->items};
    const size_t items = r->items ? r->items : 1;
    return meso_train_launch(r->device, &t, MESO_KERNEL_LOSS,
                             MESO_GLOBAL((n + items - 1) / items, 1, 1),
                             MESO_ARGS(MESO_VIEW(&logits), &r->classes, r->settings.loss,
                                       (int)r->input->n, MESO_VIEW(&d), &r->results));
}

static meso_status do_task(run *r, const task *t, size_t first, size_t n)
{
    const meso_layer *layer = &r->net->layers[t->layer];
    meso_device_span(r->device, layer->name);
    if (t->kind == TASK_UNPACK)
        return unpack(r, first, n);
    if (t->kind == TASK_LOSS)
        return loss(r, first, n);
    meso_train_step steps[max_together];
    make_steps(r, t->layer, first, n, steps);
    return t->part ? t->part(r->device, &steps[0]) : meso_op_forward(r->device, &steps[0].step);
}

/* The images of a lane: whole groups, but for the last one. */
static meso_share share_of(const run *r, size_t lane)
{
    const size_t n = r->input->n;
    return meso_train_images(meso_lane_share(lane, r->n_lanes, meso_train_groups(n, 0)), n);
}

/* Tasks [from, to), none of which is `once`, for every image. Chunk by chunk over all lanes, so
 * that none waits for another's queue to be filled. */
static meso_status do_images(run *r, size_t from, size_t to)
{
    /* Devices without vectors have no such cache, and llvmpipe counts a work-item's turns. */
    const size_t chunk = meso_device_has_vectors(r->device) ? chunk_images : 1;
    for (size_t done = 0; done < r->input->n; done += chunk)
        for (size_t l = 0; l < r->n_lanes; l++) {
            const meso_share own = share_of(r, l);
            if (done >= own.n)
                continue;
            meso_device_use_lane(r->device, (int)l);
            for (size_t t = from; t < to; t++)
                MESO_CHECK(do_task(r, &r->tasks[t], own.first + done,
                                   own.n - done < chunk ? own.n - done : chunk));
            MESO_CHECK(meso_device_flush(r->device));
        }
    return MESO_OK;
}

/* The first n tasks, each for the whole batch. */
static meso_status do_batch(run *r, size_t n)
{
    meso_device_use_lane(r->device, 0);
    for (size_t t = 0; t < n; t++)
        MESO_CHECK(do_task(r, &r->tasks[t], 0, r->input->n));
    return MESO_OK;
}

/* The first n tasks, lane by lane, and waits. */
static meso_status do_tasks(run *r, size_t n)
{
    if (r->items)
        return do_batch(r, n);
    for (size_t t = 0; t < n;) {
        size_t end = t;
        while (end < n && !r->tasks[end].once)
            end++;
        MESO_CHECK(do_images(r, t, end));
        MESO_CHECK(meso_device_finish_lanes(r->device, r->n_lanes));
        for (t = end; t < n && r->tasks[t].once; t++) {
            meso_device_use_lane(r->device, 0);
            MESO_CHECK(do_task(r, &r->tasks[t], 0, r->input->n));
            MESO_CHECK(meso_device_finish(r->device));
        }
    }
    return MESO_OK;
}

static meso_status create_buffers(run *r)
{
    const size_t batch = sizeof(float) * r->settings.max_batch;
    for (size_t i = 0; i <= r->plan.logits; i++) {
        const meso_layer *layer = &r->net->layers[i];
        const meso_tensor_view view = value_of(r, i, 0);
        if (r->plan.places[i].used && r->plan.places[i].source == i &&
            !meso_train_is_passed_on(&r->plan, i)) {
            MESO_CHECK(
                meso_buffer_create(r->device, batch * meso_tensor_size(&view), &r->values[i]));
            MESO_CHECK(meso_buffer_zero(r->device, &r->values[i]));
        }
        if (layer->op->saved)
            MESO_CHECK(meso_buffer_create(
                r->device, sizeof(float) * layer->op->saved(layer, r->settings.max_batch),
                &r->saved[i]));
    }
    for (size_t s = 0; s < r->plan.n_slots; s++) {
        meso_tensor_view view = meso_tensor_of(r->plan.slots[s].shape, r->plan.slots[s].pad, NULL);
        MESO_CHECK(
            meso_buffer_create(r->device, batch * meso_tensor_size(&view), &r->gradients[s]));
        MESO_CHECK(meso_buffer_zero(r->device, &r->gradients[s]));
    }
    MESO_CHECK(meso_buffer_create(r->device, r->settings.max_batch, &r->classes));
    MESO_CHECK(meso_buffer_create(r->device, 2 * batch, &r->results));
    r->host_results = malloc(2 * batch);
    MESO_DEMAND_MEMORY(r->host_results, meso_device_error_slot(r->device));
    return MESO_OK;
}

static void close_run(void *self)
{
    run *r = self;
    if (!r)
        return;
    for (size_t i = 0; i < MESO_MAX_LAYERS; i++) {
        meso_buffer_release(&r->values[i]);
        meso_buffer_release(&r->gradients[i]);
        meso_buffer_release(&r->saved[i]);
    }
    meso_buffer_release(&r->classes);
    meso_buffer_release(&r->results);
    meso_train_params_release(&r->params);
    free(r->host_results);
    free(r);
}

static meso_status create_run(meso_device *device, const meso_net *net,
                              const meso_train_settings *settings, size_t items, void **self)
{
    meso_status status = MESO_OK;
    run *r = calloc(1, sizeof *r);
    MESO_REQUIRE_MEMORY(r, meso_device_error_slot(device));
    r->device = device;
    r->net = net;
    r->settings = *settings;
    r->items = items;
    r->n_lanes = items ? 1 : meso_device_n_lanes(device, settings->n_lanes);
    meso_train_plan_make(net, settings->frozen, net->layers[net->n_layers - 1].inputs[0], &r->plan);
    list_tasks(r);
    meso_device_use_lane(device, 0);
    MESO_TRY(meso_train_params_create(device, net, settings, r->items, &r->params));
    MESO_TRY(create_buffers(r));
    *self = r;
    r = NULL;
out:
    meso_device_use_lane(device, MESO_WHOLE_DEVICE);
    close_run(r);
    return status;
}

static meso_status create_plain(meso_device *device, const meso_net *net,
                                const meso_train_settings *settings, void **self)
{
    return create_run(device, net, settings, 0, self);
}

/* The parallel kernels hold a column of a window in local memory. */
static int fits_parallel(const meso_net *net)
{
    for (size_t i = 0; i < net->n_layers; i++)
        if (net->layers[i].op == &meso_op_conv &&
            net->layers[i].set.conv.window.size[0] > MESO_TRAIN_WINDOW)
            return 0;
    return 1;
}

meso_status meso_train_parallel_create(meso_device *device, const meso_net *net,
                                       const meso_train_settings *settings, void **self)
{
    size_t items;
    *self = NULL;
    meso_device_use_lane(device, 0);
    meso_status status = meso_device_fit_groups(device, MESO_PROGRAM_PARALLEL, &items);
    meso_device_use_lane(device, MESO_WHOLE_DEVICE);
    if (status != MESO_OK || items < MESO_TRAIN_COLUMNS || !fits_parallel(net))
        return status;
    return create_run(device, net, settings, items, self);
}

/* CPUs whose drivers know vectors are faster along rows. */
static meso_status create_parallel(meso_device *device, const meso_net *net,
                                   const meso_train_settings *settings, void **self)
{
    *self = NULL;
    return meso_device_has_vectors(device)
               ? MESO_OK
               : meso_train_parallel_create(device, net, settings, self);
}

static meso_status copy(void *self, const meso_train_values *values, meso_train_way way)
{
    const run *r = self;
    return meso_train_params_copy(&r->params, values, way);
}

static void sum_results(const run *r, meso_train_result *result)
{
    *result = (meso_train_result){0};
    for (size_t i = 0; i < r->input->n; i++) {
        result->loss += r->host_results[2 * i] / (double)r->input->n;
        result->n_correct += r->host_results[2 * i + 1] > 0;
    }
}

static meso_status step(void *self, const meso_train_input *input, uint64_t number,
                        double learning_rate, meso_train_result *result)
{
    run *r = self;
    meso_status status = MESO_OK;
    r->input = input;
    r->step = number;
    r->momentum = 1 - r->settings.bn_momentum;
    meso_device_use_lane(r->device, 0);
    MESO_TRY(meso_buffer_write(r->device, &r->classes, 0, input->classes, input->n));
    MESO_TRY(do_tasks(r, r->n_tasks));
    meso_device_use_lane(r->device, 0);
    MESO_TRY(meso_train_params_update(&r->params, &r->settings, r->items,
                                      meso_train_groups(input->n, r->items), number,
                                      learning_rate));
    MESO_TRY(
        meso_buffer_read(r->device, &r->results, 0, r->host_results, 2 * sizeof(float) * input->n));
    sum_results(r, result);
out:
    meso_device_span(r->device, NULL);
    meso_device_use_lane(r->device, MESO_WHOLE_DEVICE);
    return status;
}

static meso_status statistics(void *self, const meso_train_input *input, double rate)
{
    run *r = self;
    r->input = input;
    r->step = 0; /* no dropout */
    r->momentum = rate;
    meso_status status = do_tasks(r, r->n_forward);
    if (status == MESO_OK && r->items)
        status = meso_device_finish(r->device);
    meso_device_span(r->device, NULL);
    meso_device_use_lane(r->device, MESO_WHOLE_DEVICE);
    return status;
}

#define PATH(path_name, path_create)                                          \
    {                                                                         \
        .name = path_name, .create = path_create, .copy = copy, .step = step, \
        .statistics = statistics, .close = close_run                          \
    }
const meso_train_path meso_train_plain = PATH("plain", create_plain);
const meso_train_path meso_train_parallel = PATH("parallel", create_parallel);
