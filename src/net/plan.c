/* SPDX-License-Identifier: Apache-2.0
 *
 * Net → buffers and steps. Which tensors share a buffer is found by a walk over the layers: a
 * buffer is free again behind the last layer that reads it (linear-scan allocation, as for
 * registers).
 */
#include "net/plan.h"

#include <stdlib.h>

enum { max_slots = MESO_MAX_LAYERS };

/* What liveness decided for one layer's output. */
typedef struct placement {
    const meso_plan_block *block; /* that writes it; NULL: the layer's plain kernels */
    int absent;    /* nobody writes it: it stays inside a block, or blocks alone read the picture */
    size_t source; /* the layer whose kernels write it: itself, or behind dropouts the one before
                      them */
    size_t last_use; /* the last layer that reads it */
    int pad;
    size_t slot;
} placement;

typedef struct layout {
    placement places[MESO_MAX_LAYERS];
    size_t slot_floats[max_slots]; /* for one image */
    size_t n_slots;
} layout;

struct meso_plan {
    meso_device *device;
    const meso_net *net;
    meso_buffer *params;            /* [n_params] */
    const meso_plan_blocks *blocks; /* NULL: none */
    layout layout;
    size_t max_batch; /* of what follows */
    meso_buffer slots[max_slots];
    meso_products *products;  /* layers that are computed as such; NULL: none */
    meso_buffer pixels;       /* the input as the host gives it */
    meso_buffer result;       /* a layer's output as the host takes it; as large as was asked for */
    size_t n;                 /* images at work */
    const meso_buffer *input; /* pixels, or a caller's */
    int is_float;
    const meso_buffer *direct; /* in the place of the slot of layer direct_of; NULL: none */
    size_t direct_of;
};

/* Who writes each tensor, who reads it last, and how many zeros its readers want around it. */
static void find_uses(const meso_net *net, const meso_plan_blocks *blocks, placement *places)
{
    for (size_t i = 0; i < net->n_layers; i++) {
        const meso_layer *layer = &net->layers[i];
        const meso_plan_block *block = blocks ? blocks->of[i] : NULL;
        if (block) {
            places[i] = (placement){.source = i, .last_use = i, .absent = i != block->last};
            if (i == block->last) {
                places[i].block = block;
                places[places[block->source].source].last_use = i;
            }
            continue;
        }
        int is_alias = layer->n_inputs > 0 && !layer->op->forward;
        int halo = layer->op->halo ? layer->op->halo(layer) : 0;
        places[i] = (placement){.source = is_alias ? places[layer->inputs[0]].source : i,
                                .last_use = i,
                                .absent = i == 0 && blocks};
        for (size_t k = 0; k < layer->n_inputs; k++) {
            placement *source = &places[places[layer->inputs[k]].source];
            source->last_use = i;
            source->absent = 0;
            source->pad = halo > source->pad ? halo : source->pad;
        }
    }
}

static void assign_slots(const meso_net *net, const meso_plan_blocks *blocks, layout *l)
{
    size_t busy_until[max_slots] = {0};
    find_uses(net, blocks, l->places);
    l->n_slots = 0;
    for (size_t i = 0; i < net->n_layers; i++) {
        placement *place = &l->places[i];
        if (place->source != i || place->absent)
            continue;
        meso_tensor_view view = meso_tensor_of(net->layers[i].shape, place->pad, NULL);
        size_t floats = meso_tensor_size(&view), best = l->n_slots;
        /* The free slot that fits best: the smallest that is large enough, else the largest. */
        for (size_t s = 0; s < l->n_slots; s++) {
            if (busy_until[s] >= i)
                continue;
            size_t have = l->slot_floats[s], other = best < l->n_slots ? l->slot_floats[best] : 0;
            int better = have >= floats ? other < floats || have < other : have > other;
            if (best == l->n_slots || better)
                best = s;
        }
        if (best == l->n_slots)
            l->slot_floats[l->n_slots++] = 0;
        if (l->slot_floats[best] < floats)
            l->slot_floats[best] = floats;
        busy_until[best] = place->last_use;
        place->slot = best;
    }
}

uint64_t meso_net_activation_bytes(const meso_net *net, size_t n)
{
    uint64_t floats = 0;
    layout *l = calloc(1, sizeof *l);
    if (!l)
        return 0;
    assign_slots(net, NULL, l);
    for (size_t s = 0; s < l->n_slots; s++)
        floats += l->slot_floats[s];
    free(l);
    return floats * sizeof(float) * n;
}

meso_tensor_view meso_plan_view(const meso_plan *plan, size_t i)
{
    const size_t source = plan->layout.places[i].source;
    const placement *place = &plan->layout.places[source];
    const int direct = plan->direct && source == plan->direct_of;
    return meso_tensor_of(plan->net->layers[i].shape, place->pad,
                          direct ? plan->direct : &plan->slots[place->slot]);
}

static meso_step make_step(const meso_plan *plan, size_t i)
{
    const meso_layer *layer = &plan->net->layers[i];
    meso_step step = {
        .net = plan->net, .layer = layer, .n = plan->n, .output = meso_plan_view(plan, i)};
    for (size_t k = 0; k < layer->n_inputs; k++)
        step.inputs[k] = meso_plan_view(plan, layer->inputs[k]);
    for (size_t k = 0; k < layer->n_params; k++)
        step.params[k] = &plan->params[layer->first_param + k];
    return step;
}

/* Other ways to compute a layer, each checked where the device will use it. */
static meso_status find_variants(meso_plan *plan)
{
    MESO_CHECK(meso_products_create(plan->device, plan->net, plan->max_batch, &plan->products));
    for (size_t i = 0; plan->products && i < plan->net->n_layers; i++) {
        const meso_step step = make_step(plan, i);
        if (!plan->layout.places[i].block && !plan->layout.places[i].absent)
            MESO_CHECK(meso_products_add(plan->products, &step));
    }
    return MESO_OK;
}

static meso_status upload_params(meso_plan *plan, const float *const *params)
{
    const meso_net *net = plan->net;
    plan->params = calloc(net->n_params + 1, sizeof *plan->params);
    MESO_DEMAND_MEMORY(plan->params, meso_device_error_slot(plan->device));
    for (size_t i = 0; i < net->n_params; i++)
        MESO_CHECK(meso_buffer_create_filled(
            plan->device, params[i], sizeof(float) * net->params[i].n_values, &plan->params[i]));
    return MESO_OK;
}

meso_status meso_plan_create(meso_device *device, const meso_net *net, const float *const *params,
                             const meso_plan_blocks *blocks, meso_plan **plan)
{
    meso_status status = MESO_OK;
    meso_plan *p = calloc(1, sizeof *p);
    MESO_REQUIRE_MEMORY(p, meso_device_error_slot(device));
    p->device = device;
    p->net = net;
    p->blocks = blocks;
    assign_slots(net, blocks, &p->layout);
    MESO_TRY(upload_params(p, params));
    *plan = p;
    p = NULL;
out:
    meso_plan_close(p);
    return status;
}

static void give_back(meso_plan *plan)
{
    for (size_t s = 0; s < plan->layout.n_slots; s++)
        meso_buffer_release(&plan->slots[s]);
    meso_products_close(plan->products);
    plan->products = NULL;
    meso_buffer_release(&plan->pixels);
    meso_buffer_release(&plan->result);
    plan->max_batch = 0;
}

meso_status meso_plan_reserve(meso_plan *plan, size_t n)
{
    meso_status status = MESO_OK;
    const size_t floats = sizeof(float) * n;
    if (n > 0 && n <= plan->max_batch)
        return MESO_OK;
    give_back(plan);
    if (n == 0)
        return MESO_OK;
    for (size_t s = 0; s < plan->layout.n_slots; s++)
        MESO_TRY(meso_buffer_create(plan->device, floats * plan->layout.slot_floats[s],
                                    &plan->slots[s]));
    MESO_TRY(meso_buffer_create(plan->device, floats * meso_shape_size(plan->net->layers[0].shape),
                                &plan->pixels));
    plan->max_batch = n;
    MESO_TRY(find_variants(plan));
out:
    if (status != MESO_OK)
        give_back(plan);
    return status;
}

void meso_plan_close(meso_plan *plan)
{
    if (!plan)
        return;
    give_back(plan);
    for (size_t i = 0; plan->params && i < plan->net->n_params; i++)
        meso_buffer_release(&plan->params[i]);
    free(plan->params);
    free(plan);
}

void meso_plan_describe(const meso_plan *plan, char text[MESO_PRODUCTS_TEXT])
{
    meso_products_describe(plan->products, text);
}

int meso_plan_tuning(const meso_plan *plan, const meso_tuning_family *family, int *values)
{
    if (family == &meso_tuning_clblast)
        meso_products_tuning(plan->products, values);
    return family == &meso_tuning_clblast;
}

/* Errors go to the device. */
static meso_status take(meso_plan *plan, const meso_pictures *pictures)
{
    plan->n = pictures->n;
    plan->is_float = pictures->is_float;
    plan->input = pictures->values ? &plan->pixels : pictures->buffer;
    if (!pictures->values)
        return MESO_OK;
    return meso_buffer_write(plan->device, &plan->pixels, 0, pictures->values,
                             meso_pictures_bytes(pictures, plan->net->layers[0].shape));
}

static meso_status unpack(meso_plan *plan, const meso_tensor_view *out)
{
    const size_t global[3] = {(size_t)out->shape.w, (size_t)out->shape.h,
                              plan->n * (size_t)out->shape.c};
    if (!plan->is_float)
        return meso_launch(
            plan->device, MESO_KERNEL_UNPACK_U8, global,
            MESO_ARGS(plan->input, plan->net->layers[0].set.input.divide, MESO_VIEW(out)));
    return meso_launch(plan->device, MESO_KERNEL_UNPACK_F32, global,
                       MESO_ARGS(plan->input, MESO_VIEW(out)));
}

/* A whole block. */
static meso_status run_block(meso_plan *plan, const meso_plan_block *block)
{
    const meso_tensor_view pixels = {.buffer = plan->input};
    const meso_tensor_view in = block->source ? meso_plan_view(plan, block->source) : pixels;
    const meso_tensor_view out = meso_plan_view(plan, block->last);
    const meso_plan_input kind = block->source    ? MESO_PLAN_TENSOR
                                 : plan->is_float ? MESO_PLAN_FLOATS
                                                  : MESO_PLAN_PIXELS;
    meso_device_span(plan->device, block->name);
    MESO_CHECK(plan->blocks->enqueue(plan->blocks, block, kind, &in, &out, plan->n));
    return meso_tensor_zero_pad(plan->device, &out, plan->n);
}

/* One layer's kernels, then the zeros around what they wrote. */
static meso_status run_layer(meso_plan *plan, size_t i)
{
    const placement *place = &plan->layout.places[i];
    const meso_layer *layer = &plan->net->layers[i];
    const meso_step step = make_step(plan, i);
    meso_status status;
    if (place->source != i || place->absent)
        return MESO_OK;
    if (place->block)
        return run_block(plan, place->block);
    meso_device_span(plan->device, layer->name);
    if (meso_products_has(plan->products, layer))
        status = meso_products_forward(plan->products, &step);
    else if (layer->op->forward)
        status = meso_op_forward(plan->device, &step);
    else
        status = unpack(plan, &step.output);
    return status == MESO_OK ? meso_tensor_zero_pad(plan->device, &step.output, plan->n) : status;
}

/* Flattening is also the way from the tensor layout to the host's. */
static meso_status flatten(const meso_plan *plan, size_t last, const meso_buffer *results)
{
    const meso_tensor_view from = meso_plan_view(plan, last);
    const int size = (int)meso_shape_size(from.shape);
    const meso_tensor_view to = meso_tensor_of((meso_shape){size, 1, 1}, 0, results);
    return meso_launch(plan->device, MESO_KERNEL_FLATTEN_FORWARD,
                       MESO_GLOBAL(from.shape.w, from.shape.h, plan->n * (size_t)from.shape.c),
                       MESO_ARGS(MESO_VIEW(&from), MESO_VIEW(&to)));
}

/* Layers first … last, whose output comes to `results` as [n][height][width][channels]: where it
 * lies so as a tensor, too, the last kernel writes it there. */
static meso_status run_layers(meso_plan *plan, size_t first, size_t last,
                              const meso_buffer *results)
{
    meso_status status = MESO_OK;
    const meso_tensor_view out = meso_plan_view(plan, last);
    const size_t source = plan->layout.places[last].source;
    if (out.shape.h == 1 && out.shape.w == 1 && out.pad == 0 && source >= first) {
        plan->direct = results;
        plan->direct_of = source;
    }
    for (size_t i = first; i <= last; i++)
        MESO_TRY(run_layer(plan, i));
    if (!plan->direct)
        MESO_TRY(flatten(plan, last, results));
out:
    plan->direct = NULL;
    meso_device_span(plan->device, NULL);
    return status;
}

meso_status meso_plan_start(meso_plan *plan, const meso_pictures *pictures, size_t last,
                            const meso_buffer *results, float *out, meso_event *done)
{
    const size_t size = meso_shape_size(plan->net->layers[last].shape);
    MESO_CHECK(meso_plan_reserve(plan, pictures->n));
    MESO_CHECK(take(plan, pictures));
    MESO_CHECK(run_layers(plan, 0, last, results));
    MESO_CHECK(
        meso_buffer_read_start(plan->device, results, out, sizeof(float) * plan->n * size, done));
    return meso_device_flush(plan->device);
}

meso_status meso_plan_run(meso_plan *plan, const meso_pictures *pictures, size_t first, size_t last,
                          float *out)
{
    const size_t size = meso_shape_size(plan->net->layers[last].shape);
    if (first == 0) {
        MESO_CHECK(meso_plan_reserve(plan, pictures->n));
        MESO_CHECK(take(plan, pictures));
    } else { /* the zeros that a fused part does not write */
        plan->n = pictures->n;
        meso_tensor_view given = meso_plan_view(plan, first - 1);
        MESO_CHECK(meso_tensor_zero_pad(plan->device, &given, plan->n));
    }
    MESO_CHECK(
        meso_buffer_grow(plan->device, sizeof(float) * plan->max_batch * size, &plan->result));
    MESO_CHECK(run_layers(plan, first, last, &plan->result));
    return meso_buffer_read(plan->device, &plan->result, 0, out, sizeof(float) * plan->n * size);
}
