/* SPDX-License-Identifier: Apache-2.0
 *
 * A trainer's weights and moments as sets of tensors.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/trainer_object.h"

static const char step_key[] = "mesocl.train.step";

/* The moments that an optimiser keeps: what the tensors' names begin with. */
typedef struct moment_names {
    const char *first, *second; /* NULL: none */
} moment_names;

static moment_names names_of(meso_optimizer optimizer)
{
    static const moment_names names[] = {
        [MESO_OPTIMIZER_ADAM] = {"adam.m.", "adam.v."}, [MESO_OPTIMIZER_SGD] = {"sgd.v.", NULL}};
    return names[optimizer];
}

enum { name_size = sizeof((meso_param *)0)->name + 16 };

meso_status meso_trainer_get(meso_trainer *trainer, meso_weights *weights)
{
    meso_status status = MESO_OK;
    const meso_train_values values = {.params = trainer->params};
    status = trainer->path->get(trainer->run, &values);
    if (status != MESO_OK)
        return meso_trainer_device_failed(trainer, status);
    MESO_TRY(meso_weights_append(trainer->start, weights, &trainer->error));
    for (size_t i = 0; i < trainer->net->n_params; i++) {
        const meso_param *param = &trainer->net->params[i];
        memcpy(meso_weights_find(weights, param->name)->values, trainer->params[i],
               param->n_values * sizeof(float));
    }
out:
    return status;
}

static meso_status add_moment(meso_trainer *t, meso_weights *state, const char *prefix,
                              const meso_param *param, const float *values)
{
    char name[name_size];
    snprintf(name, sizeof name, "%s%s", prefix, param->name);
    return meso_weights_add(state, name, param->dims, param->n_dims, values, &t->error);
}

meso_status meso_trainer_save_state(meso_trainer *trainer, meso_weights *state)
{
    meso_status status = MESO_OK;
    const moment_names names = names_of(trainer->settings.optimizer);
    const meso_train_values values = {.first = trainer->first, .second = trainer->second};
    char steps[32];
    status = trainer->path->get(trainer->run, &values);
    if (status != MESO_OK)
        return meso_trainer_device_failed(trainer, status);
    for (size_t i = 0; i < trainer->net->n_params; i++) {
        const meso_param *param = &trainer->net->params[i];
        if (!meso_train_is_trained(&trainer->settings, param))
            continue;
        MESO_TRY(add_moment(trainer, state, names.first, param, trainer->first[i]));
        if (names.second)
            MESO_TRY(add_moment(trainer, state, names.second, param, trainer->second[i]));
    }
    snprintf(steps, sizeof steps, "%llu", (unsigned long long)trainer->steps);
    MESO_TRY(meso_weights_set(state, step_key, steps, &trainer->error));
out:
    return status;
}

static meso_status find_moment(const meso_weights *state, const char *prefix,
                               const meso_param *param, float *values, meso_error *error)
{
    meso_status status = MESO_OK;
    char name[name_size];
    snprintf(name, sizeof name, "%s%s", prefix, param->name);
    const meso_tensor *tensor = meso_weights_find(state, name);
    MESO_REQUIRE(tensor, error, MESO_ERROR_DATA, "the state of training lacks tensor %s", name);
    MESO_REQUIRE(tensor->n_values == param->n_values, error, MESO_ERROR_DATA,
                 "tensor %s has %zu values; the net needs %zu", name, tensor->n_values,
                 param->n_values);
    size_t bad = meso_first_not_finite(tensor->values, tensor->n_values);
    MESO_REQUIRE(bad == tensor->n_values, error, MESO_ERROR_DATA,
                 "tensor %s: value %zu is not finite", name, bad);
    memcpy(values, tensor->values, param->n_values * sizeof(float));
out:
    return status;
}

static meso_status read_steps(const meso_weights *state, uint64_t *steps, meso_error *error)
{
    meso_status status = MESO_OK;
    const char *text = meso_weights_get(state, step_key);
    char *end = NULL;
    MESO_REQUIRE(text, error, MESO_ERROR_DATA, "the state of training lacks %s", step_key);
    errno = 0;
    *steps = strtoull(text, &end, 10);
    MESO_REQUIRE(text[0] >= '0' && text[0] <= '9' && *end == 0 && errno == 0, error,
                 MESO_ERROR_DATA, "%s is no number of steps", step_key);
out:
    return status;
}

meso_status meso_trainer_load_state(meso_trainer *trainer, const meso_weights *weights,
                                    const meso_weights *state, meso_error *error)
{
    meso_status status = MESO_OK;
    uint64_t steps = 0;
    const moment_names names = names_of(trainer->settings.optimizer);
    const meso_train_values values = {trainer->params, trainer->first, trainer->second};
    MESO_TRY(meso_weights_check(weights, trainer->net, error));
    MESO_TRY(read_steps(state, &steps, error));
    for (size_t i = 0; i < trainer->net->n_params; i++) {
        const meso_param *param = &trainer->net->params[i];
        memcpy(trainer->params[i], meso_weights_find(weights, param->name)->values,
               param->n_values * sizeof(float));
        if (!meso_train_is_trained(&trainer->settings, param))
            continue;
        MESO_TRY(find_moment(state, names.first, param, trainer->first[i], error));
        if (names.second)
            MESO_TRY(find_moment(state, names.second, param, trainer->second[i], error));
    }
    status = trainer->path->set(trainer->run, &values);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(trainer->device));
    trainer->steps = steps;
out:
    return status;
}
