/* SPDX-License-Identifier: Apache-2.0
 *
 * A trainer's weights and moments as sets of tensors.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/train/trainer_object.h"

static const char step_key[] = "mesocl.train.step";

/* What an optimiser keeps of each parameter: how the tensors' names begin, and the trainer's array.
 */
typedef struct kept {
    const char *prefix;
    float **values;
} kept;
enum { max_kept = 3 };

/* Returns how many. */
static size_t list_kept(const meso_trainer *t, kept list[max_kept])
{
    const int adam = t->settings.optimizer == MESO_OPTIMIZER_ADAM;
    list[0] = (kept){adam ? "adam.rest." : "sgd.rest.", t->rest};
    list[1] = (kept){adam ? "adam.m." : "sgd.v.", t->first};
    list[2] = (kept){"adam.v.", t->second};
    return adam ? 3 : 2;
}

enum { name_size = sizeof((meso_param *)0)->name + 16 };

meso_status meso_trainer_get(meso_trainer *trainer, meso_weights *weights)
{
    meso_status status = MESO_OK;
    const meso_train_values values = {.params = trainer->params};
    status = trainer->path->copy(trainer->run, &values, MESO_FROM_DEVICE);
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
    kept list[max_kept];
    const size_t n_kept = list_kept(trainer, list);
    const meso_train_values values = {
        .first = trainer->first, .second = trainer->second, .rest = trainer->rest};
    char steps[32];
    status = trainer->path->copy(trainer->run, &values, MESO_FROM_DEVICE);
    if (status != MESO_OK)
        return meso_trainer_device_failed(trainer, status);
    for (size_t i = 0; i < trainer->net->n_params; i++) {
        const meso_param *param = &trainer->net->params[i];
        if (!meso_train_is_trained(&trainer->settings, param))
            continue;
        for (size_t k = 0; k < n_kept; k++)
            MESO_TRY(add_moment(trainer, state, list[k].prefix, param, list[k].values[i]));
    }
    snprintf(steps, sizeof steps, "%llu", (unsigned long long)trainer->steps);
    MESO_TRY(meso_weights_set(state, step_key, steps, &trainer->error));
out:
    return status;
}

static meso_status find_moment(const meso_weights *state, const char *prefix,
                               const meso_param *param, float *values, meso_error *error)
{
    char name[name_size];
    snprintf(name, sizeof name, "%s%s", prefix, param->name);
    const meso_tensor *tensor = meso_weights_find(state, name);
    MESO_DEMAND(tensor, error, MESO_ERROR_DATA, "the state of training lacks tensor %s", name);
    MESO_DEMAND(tensor->n_values == param->n_values, error, MESO_ERROR_DATA,
                "tensor %s has %zu values; the net needs %zu", name, tensor->n_values,
                param->n_values);
    size_t bad = meso_first_not_finite(tensor->values, tensor->n_values);
    MESO_DEMAND(bad == tensor->n_values, error, MESO_ERROR_DATA,
                "tensor %s: value %zu is not finite", name, bad);
    memcpy(values, tensor->values, param->n_values * sizeof(float));
    return MESO_OK;
}

static meso_status read_steps(const meso_weights *state, uint64_t *steps, meso_error *error)
{
    const char *text = meso_weights_get(state, step_key);
    char *end = NULL;
    MESO_DEMAND(text, error, MESO_ERROR_DATA, "the state of training lacks %s", step_key);
    errno = 0;
    *steps = strtoull(text, &end, 10);
    MESO_DEMAND(text[0] >= '0' && text[0] <= '9' && *end == 0 && errno == 0, error, MESO_ERROR_DATA,
                "%s is not a number of steps", step_key);
    return MESO_OK;
}

meso_status meso_trainer_load_state(meso_trainer *trainer, const meso_weights *weights,
                                    const meso_weights *state, meso_error *error)
{
    meso_status status = MESO_OK;
    uint64_t steps = 0;
    kept list[max_kept];
    const size_t n_kept = list_kept(trainer, list);
    const meso_train_values values = {trainer->params, trainer->first, trainer->second,
                                      trainer->rest};
    MESO_TRY(meso_weights_check(weights, trainer->net, error));
    MESO_TRY(read_steps(state, &steps, error));
    for (size_t i = 0; i < trainer->net->n_params; i++) {
        const meso_param *param = &trainer->net->params[i];
        memcpy(trainer->params[i], meso_weights_find(weights, param->name)->values,
               param->n_values * sizeof(float));
        if (!meso_train_is_trained(&trainer->settings, param))
            continue;
        for (size_t k = 0; k < n_kept; k++)
            MESO_TRY(find_moment(state, list[k].prefix, param, list[k].values[i], error));
    }
    status = trainer->path->copy(trainer->run, &values, MESO_TO_DEVICE);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(trainer->device));
    trainer->steps = steps;
out:
    return status;
}
