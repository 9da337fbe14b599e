/* SPDX-License-Identifier: Apache-2.0
 *
 * A fused training run: made and released.
 */
#include "net/train/strip_train_run.h"

#include <stdio.h>
#include <stdlib.h>

static meso_status make_kernels(train_run *run)
{
    train_kernels *k = &run->kernels;
    const struct {
        const char *name, *kinds;
        meso_kernel *kernel;
    } rows[] = {
        {"first_u8_forward", "bbbbbi", &k->first_forward[0]},
        {"first_f32_forward", "bbbbbi", &k->first_forward[1]},
        {"first_u8_backward", "bbbbbbii", &k->first_backward[0]},
        {"first_f32_backward", "bbbbbbii", &k->first_backward[1]},
        {"train_head", "bbbbbbbiiiiii", &k->head},
        {"train_norm", "bbbiiifffiiii", &k->norm},
        {"train_norm_backward", "bbbiiifii", &k->norm_backward},
        {"train_moving", "bbiiiff", &k->moving},
        {"train_adam", "bbbbbbbiffff", &k->adam},
        {"train_sgd", "bbbbbbiff", &k->sgd},
        {"train_base", "bbiii", &k->base},
        {"train_filters_3", "bbbiiif", &k->filters_3},
        {"train_filters_5", "bbbbiiiii", &k->filters_5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        MESO_CHECK(meso_program_kernel(run->device, &run->program, rows[i].name, rows[i].kinds,
                                       rows[i].kernel));
    for (size_t i = 1; i < run->plan.n_blocks; i++) {
        train_block *b = &run->blocks[i];
        snprintf(b->forward_name, sizeof b->forward_name, "block_%zu_forward", i);
        snprintf(b->backward_name, sizeof b->backward_name, "block_%zu_backward", i);
        MESO_CHECK(meso_program_kernel(run->device, &run->program, b->forward_name, "bbbbbbbi",
                                       &k->forward[i]));
        MESO_CHECK(meso_program_kernel(run->device, &run->program, b->backward_name, "bbbbbbbbbiii",
                                       &k->backward[i]));
    }
    return MESO_OK;
}

static meso_status make_floats(train_run *run, size_t n, meso_buffer *buffer)
{
    MESO_CHECK(meso_buffer_create(run->device, n * sizeof(float), buffer));
    return meso_buffer_zero(run->device, buffer);
}

static meso_status make_block(train_run *run, size_t i)
{
    const meso_strip_block *shape = &run->plan.blocks[i];
    const int lanes = run->plan.tuning.lanes;
    train_block *b = &run->blocks[i];
    const size_t images = run->settings.max_batch, filters = (size_t)shape->layers.conv->shape.c,
                 channels = (size_t)shape->in.shape.c, points = i == 0 ? 36 : 64;
    b->norm_frozen = run->settings.frozen[shape->layers.norm - run->net->layers];
    b->n_sums = meso_strip_train_parts(&run->plan, i);
    b->n_gradient_sums = i + 1 < run->plan.n_blocks ? meso_strip_train_parts(&run->plan, i + 1) : 1;
    MESO_CHECK(make_floats(run, images * meso_strip_size(&shape->out, lanes), &b->raw));
    if (i > 0)
        MESO_CHECK(make_floats(run, images * meso_shape_size(shape->layers.conv->shape), &b->z));
    MESO_CHECK(make_floats(run, images * b->n_sums * 2 * filters, &b->sums));
    MESO_CHECK(make_floats(run, images * b->n_gradient_sums * 2 * filters, &b->gradient_sums));
    MESO_CHECK(make_floats(run, 3 * filters, &b->base));
    MESO_CHECK(make_floats(run, points * channels * filters, &b->filters));
    MESO_CHECK(make_floats(run, points * channels * filters, &b->back_filters));
    for (size_t lane = 0; lane < run->n_lanes; lane++)
        MESO_CHECK(make_floats(run, 7 * filters, train_norm(run, lane, i)));
    return MESO_OK;
}

/* 1 for each value that the optimiser changes. */
static meso_status upload_trained(train_run *run)
{
    meso_status status = MESO_OK;
    float *trained = calloc(run->n_values, sizeof *trained);
    MESO_REQUIRE_MEMORY(trained, meso_device_error_slot(run->device));
    for (size_t i = 0; i < run->net->n_params; i++) {
        const meso_param *p = &run->net->params[i];
        const size_t place = meso_strip_train_place(run->net, i);
        for (size_t k = 0; k < p->n_values; k++)
            trained[place + k] = (float)meso_train_is_trained(&run->settings, p);
    }
    MESO_TRY(
        meso_buffer_write(run->device, &run->trained, 0, trained, run->n_values * sizeof *trained));
out:
    free(trained);
    return status;
}

static meso_status make_buffers(train_run *run)
{
    meso_error *error = meso_device_error_slot(run->device);
    const size_t images = run->settings.max_batch;
    meso_buffer *const values[] = {&run->weights, &run->rest,    &run->first,
                                   &run->second,  &run->trained, &run->gradients};
    run->norms = calloc(run->n_lanes * run->plan.n_blocks, sizeof *run->norms);
    run->host_classes = calloc(images, sizeof *run->host_classes);
    run->host_answers = calloc(2 * images, sizeof *run->host_answers);
    MESO_DEMAND_MEMORY(run->norms && run->host_classes && run->host_answers, error);
    for (size_t i = 0; i < run->plan.n_blocks; i++)
        MESO_CHECK(make_block(run, i));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        MESO_CHECK(make_floats(run, run->n_values, values[i]));
    MESO_CHECK(make_floats(run, meso_train_groups(images, 0) * run->n_values, &run->partial));
    MESO_CHECK(make_floats(run, 2 * images, &run->answers));
    MESO_CHECK(make_floats(run, images, &run->classes));
    return upload_trained(run);
}

/* The lowest block with something to train, in itself or in front of it: the first of all that has.
 */
static size_t find_last_block(const train_run *run)
{
    for (size_t i = 0; i < run->net->n_params; i++)
        if (meso_train_is_trained(&run->settings, &run->net->params[i]))
            for (size_t b = 0; b < run->plan.n_blocks; b++)
                if (run->net->params[i].layer <=
                    (size_t)(run->plan.blocks[b].layers.norm - run->net->layers))
                    return b;
    return run->plan.n_blocks;
}

static void close_run(void *opaque)
{
    train_run *run = opaque;
    if (!run)
        return;
    meso_kernel *kernels = (meso_kernel *)&run->kernels; /* there is nothing else in it */
    meso_buffer *const buffers[] = {&run->weights, &run->rest,    &run->first,
                                    &run->second,  &run->trained, &run->gradients,
                                    &run->partial, &run->classes, &run->answers};
    for (size_t i = 0; i < sizeof run->kernels / sizeof *kernels; i++)
        meso_kernel_release(&kernels[i]);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        meso_buffer_release(buffers[i]);
    for (size_t i = 0; i < run->plan.n_blocks; i++) {
        train_block *b = &run->blocks[i];
        meso_buffer *const own[] = {&b->raw,  &b->z,       &b->sums,        &b->gradient_sums,
                                    &b->base, &b->filters, &b->back_filters};
        for (size_t j = 0; j < sizeof own / sizeof own[0]; j++)
            meso_buffer_release(own[j]);
        for (size_t lane = 0; lane < run->n_lanes && run->norms; lane++)
            meso_buffer_release(train_norm(run, lane, i));
    }
    meso_program_release(&run->program);
    free(run->norms);
    free(run->host_classes);
    free(run->host_answers);
    free(run);
}

meso_status meso_strip_train_create(meso_device *device, const meso_net *net,
                                    const meso_train_settings *settings,
                                    const meso_strip_tuning *only, void **opaque)
{
    meso_status status = MESO_OK;
    meso_strip_tunings tunings;
    train_run *run = NULL;
    *opaque = NULL;
    if (!meso_device_has_vectors(device))
        return MESO_OK;
    run = calloc(1, sizeof *run);
    MESO_REQUIRE_MEMORY(run, meso_device_error_slot(device));
    run->device = device;
    run->net = net;
    run->settings = *settings;
    run->n_lanes = meso_device_n_lanes(device, settings->n_lanes);
    run->n_values = meso_strip_train_place(net, net->n_params);
    if (only)
        tunings = (meso_strip_tunings){{*only}, 1};
    else
        MESO_TRY(meso_strip_choose(device, net, &meso_tuning_fused_training, &tunings));
    MESO_TRY(
        meso_strip_build(device, net, &tunings, meso_strip_train_write, &run->program, &run->plan));
    if (!meso_strip_train_fits(net, &run->plan, settings->loss))
        goto out;
    MESO_TRY(make_kernels(run));
    MESO_TRY(make_buffers(run));
    run->last_block = find_last_block(run);
    *opaque = run;
    run = NULL;
out:
    close_run(run);
    return status;
}

static const char *get_tuning(const void *opaque)
{
    const train_run *run = opaque;
    return run->plan.tuning.name;
}

static meso_status create(meso_device *device, const meso_net *net,
                          const meso_train_settings *settings, void **run)
{
    return meso_strip_train_create(device, net, settings, NULL, run);
}

const meso_train_path meso_train_fused = {.name = "fused",
                                          .create = create,
                                          .copy = meso_strip_train_copy,
                                          .step = meso_strip_train_step,
                                          .tuning = get_tuning,
                                          .statistics = meso_strip_train_statistics,
                                          .close = close_run};
