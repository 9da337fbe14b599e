/* SPDX-License-Identifier: Apache-2.0
 *
 * A step, stage by stage: every lane gets its share, and the lanes join before the next stage.
 */
#include <math.h>

#include "net/op/op.h"
#include "net/train/strip_train_run.h"

/* A lane's share. Forward any images, backward whole groups. */
typedef struct share {
    size_t lane;
    meso_share images, groups;
} share;

/* One stage: `enqueue` for each lane with its share, then all wait for each other. */
typedef meso_status stage(train_run *run, const meso_train_input *input, const share *s,
                          size_t block);

static meso_status run_stage(train_run *run, stage *enqueue, const meso_train_input *input,
                             size_t block, const char *span)
{
    meso_device_span(run->device, span);
    for (size_t lane = 0; lane < run->n_lanes; lane++) {
        const share s = {lane, meso_lane_share(lane, run->n_lanes, input->n),
                         meso_lane_share(lane, run->n_lanes, meso_train_groups(input->n, 0))};
        meso_device_use_lane(run->device, (int)lane);
        MESO_CHECK(enqueue(run, input, &s, block));
    }
    return meso_device_join_lanes(run->device, run->n_lanes);
}

/* Place of a layer's i-th parameter among the values. */
static meso_arg place_of(const train_run *run, const meso_layer *layer, size_t i)
{
    return meso_arg_int((int)meso_strip_train_place(run->net, layer->first_param + i));
}

static double n_pixels(const train_run *run, size_t block, size_t n)
{
    const meso_shape s = run->plan.blocks[block].layers.conv->shape;
    return (double)n * (double)s.h * (double)s.w;
}

/* The lane's own norm of a block from the sums of the stage before. */
static meso_status enqueue_norm(train_run *run, size_t lane, size_t block, size_t n)
{
    const train_block *b = &run->blocks[block];
    const meso_layer *norm = run->plan.blocks[block].layers.norm;
    const double reciprocal = 1 / n_pixels(run, block, n);
    const float high = (float)reciprocal;
    return meso_launch_kernel(
        run->device, &run->kernels.norm, MESO_GLOBAL(1, 1, 1),
        MESO_ARGS(&b->sums, &run->weights, train_norm(run, lane, block), (int)(n * b->n_sums),
                  norm->shape.c, b->norm_frozen, (double)high, reciprocal - (double)high,
                  norm->set.batch_norm.epsilon, place_of(run, norm, 0), place_of(run, norm, 1),
                  place_of(run, norm, 2), place_of(run, norm, 3)));
}

static meso_status enqueue_norm_backward(train_run *run, size_t lane, size_t block, size_t n)
{
    const train_block *b = &run->blocks[block];
    const meso_layer *norm = run->plan.blocks[block].layers.norm;
    return meso_launch_kernel(run->device, &run->kernels.norm_backward, MESO_GLOBAL(1, 1, 1),
                              MESO_ARGS(&b->gradient_sums, train_norm(run, lane, block),
                                        &run->gradients, (int)(n * b->n_gradient_sums),
                                        norm->shape.c, b->norm_frozen, 1 / n_pixels(run, block, n),
                                        place_of(run, norm, 0), place_of(run, norm, 1)));
}

/* Of the launch to come, which does `products` times the multiply-adds of a block's n images, and
 * moves bytes that are known for forward. */
static void tell_cost(const train_run *run, size_t block, size_t n, int products,
                      size_t value_bytes)
{
    const meso_block *layers = &run->plan.blocks[block].layers;
    meso_device_cost(run->device, products * (double)n * meso_block_multiply_adds(run->net, layers),
                     value_bytes ? (double)n * meso_block_bytes(layers, value_bytes) : NAN);
}

static meso_status forward(train_run *run, const meso_train_input *input, const share *s,
                           size_t block)
{
    const train_block *b = &run->blocks[block], *before = b - 1;
    const size_t items = meso_strip_train_parts(&run->plan, block);
    if (block == 0) {
        tell_cost(run, 0, s->images.n, 1, input->is_float ? sizeof(float) : 1);
        return meso_launch_kernel(run->device, &run->kernels.first_forward[input->is_float],
                                  MESO_GLOBAL(items, s->images.n, 1),
                                  MESO_ARGS(input->pixels, &b->raw, &b->filters, &b->base, &b->sums,
                                            (int)s->images.first));
    }
    MESO_CHECK(enqueue_norm(run, s->lane, block - 1, input->n));
    tell_cost(run, block, s->images.n, 1, sizeof(float));
    return meso_launch_kernel(
        run->device, &run->kernels.forward[block], MESO_GLOBAL(items, s->images.n, 1),
        MESO_ARGS(&before->raw, &b->z, &b->raw, &b->filters, &b->base,
                  train_norm(run, s->lane, block - 1), &b->sums, (int)s->images.first));
}

/* The last block's norm alone, where no head follows. */
static meso_status last_norm(train_run *run, const meso_train_input *input, const share *s,
                             size_t block)
{
    return enqueue_norm(run, s->lane, block, input->n);
}

static meso_status backward(train_run *run, const meso_train_input *input, const share *s,
                            size_t block)
{
    train_block *b = &run->blocks[block], *before = b - 1;
    const meso_arg next = meso_arg_buffer(&b->raw), filters = meso_arg_buffer(&b->filters),
                   base = meso_arg_buffer(&b->base),
                   norm = meso_arg_buffer(train_norm(run, s->lane, block)),
                   partial = meso_arg_buffer(&run->partial),
                   first_group = meso_arg_int((int)s->groups.first),
                   n = meso_arg_int((int)input->n);
    MESO_CHECK(enqueue_norm_backward(run, s->lane, block, input->n));
    /* The first block has no gradient of its input. */
    tell_cost(run, block, meso_train_images(s->groups, input->n).n, block == 0 ? 1 : 2, 0);
    if (block == 0)
        return meso_launch_kernel(
            run->device, &run->kernels.first_backward[input->is_float],
            MESO_GLOBAL(s->groups.n, 1, 1),
            MESO_ARGS(input->pixels, next, filters, base, norm, partial, first_group, n));
    return meso_launch_kernel(run->device, &run->kernels.backward[block],
                              MESO_GLOBAL(s->groups.n, 1, 1),
                              MESO_ARGS(&b->z, next, &before->raw, &b->back_filters, base, norm,
                                        train_norm(run, s->lane, block - 1), &before->gradient_sums,
                                        partial, first_group, n, block > run->last_block));
}

/* The head of step `step`; the stage's last argument carries it. */
static meso_status head(train_run *run, const meso_train_input *input, const share *s, size_t step)
{
    const size_t last = run->plan.n_blocks - 1;
    const train_block *b = &run->blocks[last];
    MESO_CHECK(enqueue_norm(run, s->lane, last, input->n));
    meso_device_cost(run->device,
                     3 * (double)meso_train_images(s->groups, input->n).n *
                         meso_head_multiply_adds(run->net, &run->plan.head),
                     NAN); /* forward, and both gradients */
    return meso_launch_kernel(
        run->device, &run->kernels.head, MESO_GLOBAL(s->groups.n, 1, 1),
        MESO_ARGS(&b->raw, &run->weights, train_norm(run, s->lane, last), &run->classes,
                  &run->partial, &b->gradient_sums, &run->answers, (int)s->groups.first,
                  (int)input->n, run->settings.loss == MESO_LOSS_BCE,
                  (int)(uint32_t)run->settings.seed, (int)(uint32_t)(run->settings.seed >> 32),
                  (int)(uint32_t)step));
}

static meso_status enqueue_moving(train_run *run, size_t n, double rate)
{
    for (size_t i = 0; i < run->plan.n_blocks; i++) {
        const meso_layer *norm = run->plan.blocks[i].layers.norm;
        const double pixels = n_pixels(run, i, n);
        const double correction =
            run->settings.bn_biased_variance || pixels < 2 ? 1 : pixels / (pixels - 1);
        if (run->blocks[i].norm_frozen)
            continue;
        MESO_CHECK(meso_launch_kernel(
            run->device, &run->kernels.moving, MESO_GLOBAL(norm->shape.c, 1, 1),
            MESO_ARGS(&run->weights, train_norm(run, 0, i), norm->shape.c, place_of(run, norm, 2),
                      place_of(run, norm, 3), rate, correction)));
    }
    return MESO_OK;
}

static meso_status enqueue_optimiser(train_run *run, size_t n, uint64_t step, double rate)
{
    const meso_train_settings *set = &run->settings;
    const size_t items = run->n_values / MESO_STRIP_VALUES_ALIGNED;
    const meso_arg weights = meso_arg_buffer(&run->weights), rest = meso_arg_buffer(&run->rest),
                   first = meso_arg_buffer(&run->first), trained = meso_arg_buffer(&run->trained),
                   gradients = meso_arg_buffer(&run->gradients),
                   partial = meso_arg_buffer(&run->partial),
                   n_groups = meso_arg_int((int)meso_train_groups(n, 0));
    if (set->optimizer == MESO_OPTIMIZER_SGD)
        return meso_launch_kernel(run->device, &run->kernels.sgd, MESO_GLOBAL(items, 1, 1),
                                  MESO_ARGS(weights, rest, first, trained, gradients, partial,
                                            n_groups, rate, set->momentum));
    const double alpha =
        rate * sqrt(1 - pow(set->beta2, (double)step)) / (1 - pow(set->beta1, (double)step));
    return meso_launch_kernel(run->device, &run->kernels.adam, MESO_GLOBAL(items, 1, 1),
                              MESO_ARGS(weights, rest, first, &run->second, trained, gradients,
                                        partial, n_groups, alpha, 1 - set->beta1, 1 - set->beta2,
                                        set->epsilon));
}

static meso_status prepare_block(train_run *run, size_t i)
{
    const meso_strip_block *block = &run->plan.blocks[i];
    const meso_block_conv *conv = meso_block_only_conv(&block->layers);
    const train_block *b = &run->blocks[i];
    const int filters = block->layers.conv->shape.c, channels = block->in.shape.c;
    const meso_arg weights = meso_arg_buffer(&run->weights), base = meso_arg_buffer(&b->base),
                   forward_filters = meso_arg_buffer(&b->filters),
                   at_once = meso_arg_int(conv->filter_block);
    MESO_CHECK(meso_launch_kernel(run->device, &run->kernels.base, MESO_GLOBAL(filters, 1, 1),
                                  MESO_ARGS(weights, base, filters, place_of(run, conv->bias, 0),
                                            place_of(run, block->layers.norm, 0))));
    if (i == 0)
        return meso_launch_kernel(
            run->device, &run->kernels.filters_3, MESO_GLOBAL(channels, filters / 8, 1),
            MESO_ARGS(weights, base, forward_filters, place_of(run, conv->layer, 0), filters,
                      at_once, run->net->layers[0].set.input.divide));
    return meso_launch_kernel(
        run->device, &run->kernels.filters_5, MESO_GLOBAL(channels, filters / 8, 1),
        MESO_ARGS(weights, base, forward_filters, &b->back_filters, place_of(run, conv->layer, 0),
                  channels, filters, at_once, meso_strip_train_back_block(&run->plan, i)));
}

meso_status meso_strip_train_prepare(train_run *run)
{
    for (size_t i = 0; i < run->plan.n_blocks; i++)
        MESO_CHECK(prepare_block(run, i));
    return MESO_OK;
}

static meso_status run_forward(train_run *run, const meso_train_input *input)
{
    MESO_CHECK(meso_device_join_lanes(run->device, run->n_lanes));
    for (size_t i = 0; i < run->plan.n_blocks; i++)
        MESO_CHECK(run_stage(run, forward, input, i, run->plan.blocks[i].layers.conv->name));
    return MESO_OK;
}

/* Mean loss and correct answers, in the order of the images. */
static meso_status read_answers(train_run *run, const meso_train_input *input,
                                meso_train_result *result)
{
    const float *answers = run->host_answers;
    MESO_CHECK(meso_buffer_read(run->device, &run->answers, 0, run->host_answers,
                                2 * input->n * sizeof *answers));
    *result = (meso_train_result){0};
    for (size_t i = 0; i < input->n; i++) {
        result->loss += (double)answers[2 * i + 1] / (double)input->n;
        result->n_correct += (answers[2 * i] > 0.5f) == (run->host_classes[i] != 0);
    }
    return MESO_OK;
}

meso_status meso_strip_train_step(void *opaque, const meso_train_input *input, uint64_t step,
                                  double learning_rate, meso_train_result *result)
{
    meso_status status = MESO_OK;
    train_run *run = opaque;
    for (size_t i = 0; i < input->n; i++)
        run->host_classes[i] = input->classes[i];
    run->last_n = input->n;
    meso_device_use_lane(run->device, 0);
    MESO_TRY(meso_buffer_write(run->device, &run->classes, 0, run->host_classes,
                               input->n * sizeof *run->host_classes));
    MESO_TRY(run_forward(run, input));
    MESO_TRY(run_stage(run, head, input, (size_t)step, run->plan.head.hidden->name));
    for (size_t i = run->plan.n_blocks; i-- > run->last_block;)
        MESO_TRY(run_stage(run, backward, input, i, run->plan.blocks[i].layers.conv->name));
    meso_device_use_lane(run->device, 0);
    meso_device_span(run->device, "optimiser");
    MESO_TRY(enqueue_optimiser(run, input->n, step, learning_rate));
    MESO_TRY(enqueue_moving(run, input->n, 1 - run->settings.bn_momentum));
    MESO_TRY(meso_strip_train_prepare(run));
    MESO_TRY(read_answers(run, input, result));
out:
    meso_device_span(run->device, NULL);
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}

meso_status meso_strip_train_statistics(void *opaque, const meso_train_input *input, double rate)
{
    meso_status status = MESO_OK;
    train_run *run = opaque;
    MESO_TRY(run_forward(run, input));
    MESO_TRY(run_stage(run, last_norm, input, run->plan.n_blocks - 1, NULL));
    meso_device_use_lane(run->device, 0);
    MESO_TRY(enqueue_moving(run, input->n, rate));
    MESO_TRY(meso_device_finish(run->device));
out:
    meso_device_span(run->device, NULL);
    meso_device_use_lane(run->device, MESO_WHOLE_DEVICE);
    return status;
}
