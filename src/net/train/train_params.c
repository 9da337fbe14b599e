/* SPDX-License-Identifier: Apache-2.0 */
#include "net/train/train_params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/op/op.h"

enum { part_floats = 1024 }; /* no device known aligns parts of a buffer to more than 4096 bytes */

static size_t aligned(size_t n)
{
    return (n + part_floats - 1) / part_floats * part_floats;
}

/* Values that a work-group of an optimiser changes. */
static size_t update_size(size_t items)
{
    return items ? items : MESO_TRAIN_BLOCK;
}

static size_t bands_of(const meso_train_params *p, size_t i, size_t items)
{
    return meso_train_bands(&p->net->layers[p->net->params[i].layer], items);
}

/* Lays the parameters out; *n_sums becomes the floats of `gradients`. */
static void place(meso_train_params *p, const meso_train_settings *settings, size_t n_groups,
                  size_t items, size_t *n_sums)
{
    *n_sums = 0;
    for (size_t i = 0; i < p->net->n_params; i++) {
        const meso_param *param = &p->net->params[i];
        meso_train_param *of = &p->of[i];
        of->is_trained = meso_train_is_trained(settings, param);
        of->place = p->n_values;
        of->sums = *n_sums;
        p->n_values += aligned(param->n_values);
        if (!of->is_trained)
            continue;
        *n_sums += aligned(param->n_values * n_groups * bands_of(p, i, items));
        p->n_updates += (param->n_values + update_size(items) - 1) / update_size(items);
    }
}

static meso_status make_updates(meso_train_params *p, size_t items)
{
    const size_t size = update_size(items);
    meso_status status = MESO_OK;
    size_t n = 0;
    cl_int(*rows)[5] = calloc(p->n_updates + 1, sizeof *rows);
    MESO_REQUIRE_MEMORY(rows, meso_device_error_slot(p->device));
    for (size_t i = 0; i < p->net->n_params; i++) {
        const size_t n_values = p->net->params[i].n_values;
        const meso_train_param *of = &p->of[i];
        for (size_t k = 0; of->is_trained && k < n_values; k += size, n++) {
            rows[n][0] = (cl_int)(of->place + k);
            rows[n][1] = (cl_int)(n_values - k < size ? n_values - k : size);
            rows[n][2] = (cl_int)n_values;
            rows[n][3] = (cl_int)bands_of(p, i, items);
            rows[n][4] = (cl_int)(of->sums + k);
        }
    }
    MESO_TRY(meso_buffer_create_filled(p->device, rows, n * sizeof *rows, &p->updates));
out:
    free(rows);
    return status;
}

static meso_status make_buffers(meso_train_params *p, size_t n_sums, size_t n_groups, size_t items,
                                int is_adam)
{
    const size_t bytes = p->n_values * sizeof(float);
    meso_buffer *const buffers[] = {&p->values, &p->rest, &p->first, is_adam ? &p->second : NULL};
    for (size_t i = 0; i < 4 && buffers[i]; i++) {
        MESO_CHECK(meso_buffer_create(p->device, bytes, buffers[i]));
        MESO_CHECK(meso_buffer_zero(p->device, buffers[i]));
    }
    MESO_DEMAND(n_sums <= UINT32_MAX, meso_device_error_slot(p->device), MESO_ERROR_ARGUMENT,
                "a batch of %zu groups of images has too many sums: take smaller batches",
                n_groups);
    MESO_CHECK(meso_buffer_create(p->device, n_sums * sizeof(float), &p->gradients));
    for (size_t i = 0; i < p->net->n_params; i++) {
        const size_t n = p->net->params[i].n_values;
        meso_train_param *of = &p->of[i];
        MESO_CHECK(meso_buffer_create_part(p->device, &p->values, of->place * sizeof(float),
                                           n * sizeof(float), &of->value));
        if (of->is_trained)
            MESO_CHECK(meso_buffer_create_part(p->device, &p->gradients, of->sums * sizeof(float),
                                               n * n_groups * bands_of(p, i, items) * sizeof(float),
                                               &of->gradient));
    }
    return MESO_OK;
}

meso_status meso_train_params_create(meso_device *device, const meso_net *net,
                                     const meso_train_settings *settings, size_t items,
                                     meso_train_params *params)
{
    const size_t n_groups = meso_train_groups(settings->max_batch, items);
    size_t n_sums;
    *params = (meso_train_params){.device = device, .net = net};
    params->of = calloc(net->n_params + 1, sizeof *params->of);
    MESO_DEMAND_MEMORY(params->of, meso_device_error_slot(device));
    place(params, settings, n_groups, items, &n_sums);
    params->host = calloc(params->n_values + 1, sizeof *params->host);
    MESO_DEMAND_MEMORY(params->host, meso_device_error_slot(device));
    MESO_CHECK(
        make_buffers(params, n_sums, n_groups, items, settings->optimizer == MESO_OPTIMIZER_ADAM));
    return make_updates(params, items);
}

void meso_train_params_release(meso_train_params *params)
{
    for (size_t i = 0; params->of && i < params->net->n_params; i++) {
        meso_buffer_release(&params->of[i].value);
        meso_buffer_release(&params->of[i].gradient);
    }
    meso_buffer *const buffers[] = {&params->values, &params->gradients, &params->first,
                                    &params->second, &params->rest,      &params->updates};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        meso_buffer_release(buffers[i]);
    free(params->of);
    free(params->host);
}

/* Between the host's arrays and the copy of a buffer. */
static void move(const meso_train_params *p, float *const *list, int only_trained,
                 meso_train_way way)
{
    for (size_t i = 0; i < p->net->n_params; i++) {
        float *own = p->host + p->of[i].place;
        const size_t bytes = p->net->params[i].n_values * sizeof(float);
        if (only_trained && !p->of[i].is_trained)
            continue;
        if (way == MESO_TO_DEVICE)
            memcpy(own, list[i], bytes);
        else
            memcpy(list[i], own, bytes);
    }
}

meso_status meso_train_params_copy(const meso_train_params *p, const meso_train_values *values,
                                   meso_train_way way)
{
    const size_t bytes = p->n_values * sizeof(float);
    const struct {
        float *const *list;
        const meso_buffer *buffer; /* may be empty */
    } pairs[] = {{values->params, &p->values},
                 {values->first, &p->first},
                 {values->second, &p->second},
                 {values->rest, &p->rest}};
    for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) {
        if (!pairs[k].list || !pairs[k].buffer->memory)
            continue;
        if (way == MESO_FROM_DEVICE)
            MESO_CHECK(meso_buffer_read(p->device, pairs[k].buffer, 0, p->host, bytes));
        move(p, pairs[k].list, k > 0, way);
        if (way == MESO_TO_DEVICE)
            MESO_CHECK(meso_buffer_write(p->device, pairs[k].buffer, 0, p->host, bytes));
    }
    return MESO_OK;
}

meso_status meso_train_params_update(const meso_train_params *p, const meso_train_settings *s,
                                     size_t items, size_t n_groups, uint64_t step,
                                     double learning_rate)
{
    const meso_train_step t = {.items = items};
    const size_t *groups = MESO_GLOBAL(p->n_updates, 1, 1);
    const double n = (double)step;
    const double alpha =
        learning_rate * sqrt(1 - pow(s->beta2, n)) / (1 - pow(s->beta1, n)); /* Keras' form */
    meso_device_span(p->device, "optimizer");
    if (s->optimizer == MESO_OPTIMIZER_ADAM)
        return meso_train_launch(p->device, &t, MESO_KERNEL_ADAM, groups,
                                 MESO_ARGS(&p->gradients, (int)n_groups, &p->updates, &p->values,
                                           &p->rest, &p->first, &p->second, alpha, 1 - s->beta1,
                                           1 - s->beta2, s->epsilon));
    return meso_train_launch(p->device, &t, MESO_KERNEL_SGD, groups,
                             MESO_ARGS(&p->gradients, (int)n_groups, &p->updates, &p->values,
                                       &p->rest, &p->first, s->momentum, learning_rate));
}
