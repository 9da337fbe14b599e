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

meso_status meso_train_params_copy(meso_device *device, const meso_net *net,
                                   const meso_train_param *params, const meso_train_values *values,
                                   meso_train_way way)
{
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_train_param *p = &params[i];
        const size_t bytes = sizeof(float) * net->params[i].n_values;
        const struct {
            float *const *list;
            const meso_buffer *buffer; /* may be empty */
        } pairs[] = {{values->params, &p->value},
                     {values->first, &p->first},
                     {values->second, &p->second},
                     {values->rest, &p->rest}};
        for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++)
            if (!pairs[k].list || !pairs[k].buffer->memory)
                continue;
            else if (way == MESO_TO_DEVICE)
                MESO_CHECK(meso_buffer_write(device, pairs[k].buffer, 0, pairs[k].list[i], bytes));
            else
                MESO_CHECK(meso_buffer_read(device, pairs[k].buffer, 0, pairs[k].list[i], bytes));
    }
    return MESO_OK;
}

meso_status meso_train_params_update(meso_device *device, const meso_net *net,
                                     const meso_train_param *params, const meso_train_settings *s,
                                     size_t n_groups, uint64_t step, double learning_rate)
{
    const double t = (double)step;
    const double alpha =
        learning_rate * sqrt(1 - pow(s->beta2, t)) / (1 - pow(s->beta1, t)); /* Keras' form */
    meso_device_span(device, "optimizer");
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_train_param *p = &params[i];
        const size_t n = net->params[i].n_values;
        const size_t blocks = (n + MESO_TRAIN_BLOCK - 1) / MESO_TRAIN_BLOCK;
        if (!p->is_trained)
            continue;
        if (s->optimizer == MESO_OPTIMIZER_ADAM)
            MESO_CHECK(meso_launch(device, MESO_KERNEL_ADAM, MESO_GLOBAL(blocks, 1, 1),
                                   MESO_ARGS(&p->gradient, (int)n_groups, (int)n, &p->value,
                                             &p->rest, &p->first, &p->second, alpha, 1 - s->beta1,
                                             1 - s->beta2, s->epsilon)));
        else
            MESO_CHECK(meso_launch(device, MESO_KERNEL_SGD, MESO_GLOBAL(blocks, 1, 1),
                                   MESO_ARGS(&p->gradient, (int)n_groups, (int)n, &p->value,
                                             &p->rest, &p->first, s->momentum, learning_rate)));
    }
    return MESO_OK;
}
