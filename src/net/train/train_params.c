/* SPDX-License-Identifier: Apache-2.0 */
#include "net/train/train_params.h"

#include <math.h>
#include <stdlib.h>

static meso_status create_one(meso_device *device, const meso_param *param, size_t n_groups,
                              int is_adam, meso_train_param *p)
{
    const size_t bytes = sizeof(float) * param->n_values;
    MESO_CHECK(meso_buffer_create(device, bytes, &p->value));
    if (!p->is_trained)
        return MESO_OK;
    MESO_CHECK(meso_buffer_create(device, bytes * n_groups, &p->gradient));
    meso_buffer *const zeros[] = {&p->rest, &p->first, is_adam ? &p->second : NULL};
    for (size_t i = 0; i < 3 && zeros[i]; i++) {
        MESO_CHECK(meso_buffer_create(device, bytes, zeros[i]));
        MESO_CHECK(meso_buffer_zero(device, zeros[i]));
    }
    return MESO_OK;
}

meso_status meso_train_params_create(meso_device *device, const meso_net *net,
                                     const meso_train_settings *settings, meso_train_param **params)
{
    meso_status status = MESO_OK;
    const size_t n_groups = meso_train_groups(settings->max_batch);
    meso_train_param *p = calloc(net->n_params + 1, sizeof *p);
    MESO_REQUIRE_MEMORY(p, meso_device_error_slot(device));
    for (size_t i = 0; i < net->n_params; i++) {
        p[i].is_trained = meso_train_is_trained(settings, &net->params[i]);
        MESO_TRY(create_one(device, &net->params[i], n_groups,
                            settings->optimizer == MESO_OPTIMIZER_ADAM, &p[i]));
    }
    *params = p;
    p = NULL;
out:
    meso_train_params_release(net, p);
    return status;
}

void meso_train_params_release(const meso_net *net, meso_train_param *params)
{
    for (size_t i = 0; params && i < net->n_params; i++) {
        meso_buffer_release(&params[i].value);
        meso_buffer_release(&params[i].gradient);
        meso_buffer_release(&params[i].first);
        meso_buffer_release(&params[i].rest);
        meso_buffer_release(&params[i].second);
    }
    free(params);
}

/* Each list of values with its buffer of parameter i; a buffer may be empty. */
typedef struct pairing {
    float *const *list;
    const meso_buffer *buffer;
} pairing;
enum { n_pairings = 4 };

static void pair(const meso_train_values *values, const meso_train_param *p, pairing *pairs)
{
    pairs[0] = (pairing){values->params, &p->value};
    pairs[1] = (pairing){values->first, &p->first};
    pairs[2] = (pairing){values->second, &p->second};
    pairs[3] = (pairing){values->rest, &p->rest};
}

meso_status meso_train_params_set(meso_device *device, const meso_net *net,
                                  const meso_train_param *params, const meso_train_values *values)
{
    pairing pairs[n_pairings];
    for (size_t i = 0; i < net->n_params; i++) {
        pair(values, &params[i], pairs);
        for (size_t k = 0; k < n_pairings; k++)
            if (pairs[k].list && pairs[k].buffer->memory)
                MESO_CHECK(meso_buffer_write(device, pairs[k].buffer, 0, pairs[k].list[i],
                                             sizeof(float) * net->params[i].n_values));
    }
    return MESO_OK;
}

meso_status meso_train_params_get(meso_device *device, const meso_net *net,
                                  const meso_train_param *params, const meso_train_values *values)
{
    pairing pairs[n_pairings];
    for (size_t i = 0; i < net->n_params; i++) {
        pair(values, &params[i], pairs);
        for (size_t k = 0; k < n_pairings; k++)
            if (pairs[k].list && pairs[k].buffer->memory)
                MESO_CHECK(meso_buffer_read(device, pairs[k].buffer, 0, pairs[k].list[i],
                                            sizeof(float) * net->params[i].n_values));
    }
    return MESO_OK;
}

meso_status meso_train_params_update(meso_device *device, const meso_net *net,
                                     const meso_train_param *params, const meso_train_settings *s,
                                     size_t n_groups, uint64_t step, double learning_rate)
{
    meso_status status = MESO_OK;
    const double t = (double)step;
    const double alpha =
        learning_rate * sqrt(1 - pow(s->beta2, t)) / (1 - pow(s->beta1, t)); /* Keras' form */
    meso_device_span(device, "optimizer");
    for (size_t i = 0; i < net->n_params && status == MESO_OK; i++) {
        const meso_train_param *p = &params[i];
        const size_t n = net->params[i].n_values;
        const size_t blocks = (n + MESO_TRAIN_BLOCK - 1) / MESO_TRAIN_BLOCK;
        if (!p->is_trained)
            continue;
        if (s->optimizer == MESO_OPTIMIZER_ADAM)
            status =
                meso_launch(device, MESO_KERNEL_ADAM, MESO_GLOBAL(blocks, 1, 1),
                            MESO_ARGS(meso_arg_buffer(&p->gradient), meso_arg_int((int)n_groups),
                                      meso_arg_int((int)n), meso_arg_buffer(&p->value),
                                      meso_arg_buffer(&p->rest), meso_arg_buffer(&p->first),
                                      meso_arg_buffer(&p->second), meso_arg_float(alpha),
                                      meso_arg_float(1 - s->beta1), meso_arg_float(1 - s->beta2),
                                      meso_arg_float(s->epsilon)));
        else
            status =
                meso_launch(device, MESO_KERNEL_SGD, MESO_GLOBAL(blocks, 1, 1),
                            MESO_ARGS(meso_arg_buffer(&p->gradient), meso_arg_int((int)n_groups),
                                      meso_arg_int((int)n), meso_arg_buffer(&p->value),
                                      meso_arg_buffer(&p->rest), meso_arg_buffer(&p->first),
                                      meso_arg_float(s->momentum), meso_arg_float(learning_rate)));
    }
    return status;
}
