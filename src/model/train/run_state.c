/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints of a run: the trainer's weights and moments as tensors, options and state as JSON in
 * the metadata. Random numbers are counted, not stored: seed, epoch, step and picture give them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/train/checkpoint.h"
#include "model/train/run.h"
#include "model/train/train_config.h"
#include "model/weights/weights.h"

static const char state_prefix[] = "state.";

/* ---- what must be the same when a run is gone on with ------------------------------------------
 */

static void program_text(char text[128])
{
    snprintf(text, 128, "%s (%s)", meso_version(), meso_commit());
}

/* The names stand in messages: "the … of this run". */
static json_t *identity_json(const meso_run *run)
{
    char program[128], device[512];
    const meso_device_info *info = meso_device_get_info(run->device);
    program_text(program);
    snprintf(device, sizeof device, "%s, driver %s", info->name, info->driver);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "program", program, "device",
                     device, "start", run->options.init ? meso_weights_hash(run->start) : "random",
                     "kernels", meso_trainer_path(run->trainer), "tuning row", run->tuning,
                     "arithmetic", run->arithmetic, "training pictures", run->train.contents->hash,
                     "validation pictures",
                     run->validation.dataset ? run->validation.contents->hash : "none");
}

static meso_status check_identity(const meso_run *run, const json_t *then, meso_error *error)
{
    meso_status status = MESO_OK;
    const char *key;
    json_t *value, *now = identity_json(run);
    MESO_REQUIRE_MEMORY(now, error);
    json_object_foreach(now, key, value)
    {
        const char *old = json_string_value(json_object_get(then, key));
        MESO_REQUIRE(
            old && strcmp(old, json_string_value(value)) == 0, error, MESO_ERROR_DATA,
            "%s: cannot be gone on with: its %s: %s, now: %s; the result would not be what "
            "the run was to give",
            MESO_PRINTABLE(run->options.run), key, old ? MESO_PRINTABLE(old) : "not known",
            json_string_value(value));
    }
out:
    json_decref(now);
    return status;
}

/* ---- state ⇄ JSON ------------------------------------------------------------------------------
 */

typedef struct number {
    const char *key;
    size_t offset;
} number;

static const number counts[] = {
    {"checkpoint", offsetof(meso_run_state, checkpoint)},
    {"epoch", offsetof(meso_run_state, epoch)},
    {"position", offsetof(meso_run_state, position)},
    {"step", offsetof(meso_run_state, step)},
    {"n_correct", offsetof(meso_run_state, n_correct)},
    {"n_images", offsetof(meso_run_state, n_images)},
    {"best_epoch", offsetof(meso_run_state, early_stop.best_epoch)},
    {"waited", offsetof(meso_run_state, early_stop.waited)},
};
static const number flags[] = {
    {"trained", offsetof(meso_run_state, trained)},
    {"done", offsetof(meso_run_state, done)},
    {"stopped_early", offsetof(meso_run_state, stopped_early)},
    {"any", offsetof(meso_run_state, early_stop.any)},
};
static const number reals[] = {
    {"rate", offsetof(meso_run_state, rate)},
    {"loss_sum", offsetof(meso_run_state, loss_sum)},
    {"seconds", offsetof(meso_run_state, seconds)},
    {"best", offsetof(meso_run_state, early_stop.best)},
    {"reference", offsetof(meso_run_state, early_stop.reference)},
};
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "best_epoch and waited are read as uint64_t");

#define EACH(row, table) \
    for (const number *row = table; row < table + sizeof table / sizeof table[0]; row++)

static json_t *state_json(const meso_run_state *state)
{
    const char *at = (const char *)state;
    json_t *json = json_object();
    int failed = 0;
    EACH (row, counts)
        failed |= json_object_set_new(
            json, row->key, json_integer((json_int_t) * (const uint64_t *)(at + row->offset)));
    EACH (row, flags)
        failed |=
            json_object_set_new(json, row->key, json_integer(*(const int *)(at + row->offset)));
    EACH (row, reals)
        failed |=
            json_object_set_new(json, row->key, json_real(*(const double *)(at + row->offset)));
    if (!failed)
        return json;
    json_decref(json);
    return NULL;
}

/* 0 where a key is missing. */
static int read_state(const json_t *json, meso_run_state *state)
{
    char *at = (char *)state;
    int ok = 1;
    EACH (row, counts) {
        const json_t *value = json_object_get(json, row->key);
        ok &= json_is_integer(value);
        *(uint64_t *)(at + row->offset) = (uint64_t)json_integer_value(value);
    }
    EACH (row, flags) {
        const json_t *value = json_object_get(json, row->key);
        ok &= json_is_integer(value);
        *(int *)(at + row->offset) = (int)json_integer_value(value);
    }
    EACH (row, reals) {
        const json_t *value = json_object_get(json, row->key);
        ok &= json_is_number(value);
        *(double *)(at + row->offset) = json_number_value(value);
    }
    return ok;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static meso_status set_json(meso_weights *set, const char *key, json_t *json, meso_error *error)
{
    meso_status status = MESO_OK;
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    MESO_REQUIRE_MEMORY(text, error);
    MESO_TRY(meso_weights_set(set, key, text, error));
out:
    free(text);
    return status;
}

static meso_status add_state(meso_run *run, meso_weights *set, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *state = NULL;
    MESO_TRY(meso_weights_create(&state, error));
    status = meso_trainer_save_state(run->trainer, state);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(run->trainer));
    for (size_t i = 0; i < state->n_tensors; i++) {
        const meso_tensor *tensor = &state->tensors[i];
        char name[256];
        snprintf(name, sizeof name, "%s%s", state_prefix, tensor->name);
        MESO_TRY(meso_weights_add(set, name, tensor->dims, tensor->n_dims, tensor->values, error));
    }
    for (size_t i = 0; i < state->n_metadata; i++)
        MESO_TRY(meso_weights_set(set, state->metadata[i].key, state->metadata[i].value, error));
out:
    meso_weights_close(state);
    return status;
}

meso_status meso_run_checkpoint(meso_run *run, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *set = NULL;
    json_t *json = NULL;
    MESO_TRY(meso_run_flush(run, error));
    run->state.checkpoint++;
    MESO_TRY(meso_weights_create(&set, error));
    status = meso_trainer_get(run->trainer, set);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(run->trainer));
    MESO_TRY(add_state(run, set, error));
    MESO_TRY(set_json(set, MESO_KEY_CONFIG, run->config, error));
    json =
        json_pack("{s:o, s:o}", "state", state_json(&run->state), "identity", identity_json(run));
    MESO_TRY(set_json(set, MESO_KEY_STATE, json, error));
    MESO_TRY(meso_checkpoint_write(run->options.run, run->state.checkpoint, set, error));
    run->last_checkpoint = meso_seconds();
    run->result->resumable = 1;
out:
    json_decref(json);
    meso_weights_close(set);
    return status;
}

/* ---- restoring ---------------------------------------------------------------------------------
 */

/* A checkpoint's tensors as the two sets that the trainer gave. */
static meso_status split_set(const meso_weights *set, meso_weights *weights, meso_weights *state,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    size_t n = strlen(state_prefix);
    for (size_t i = 0; i < set->n_tensors; i++) {
        const meso_tensor *tensor = &set->tensors[i];
        int is_state = strncmp(tensor->name, state_prefix, n) == 0;
        MESO_TRY(meso_weights_add(is_state ? state : weights, tensor->name + (is_state ? n : 0),
                                  tensor->dims, tensor->n_dims, tensor->values, error));
    }
    for (size_t i = 0; i < set->n_metadata; i++) {
        MESO_TRY(meso_weights_set(weights, set->metadata[i].key, set->metadata[i].value, error));
        MESO_TRY(meso_weights_set(state, set->metadata[i].key, set->metadata[i].value, error));
    }
out:
    return status;
}

meso_status meso_run_restore(meso_run *run, const meso_weights *checkpoint, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *weights = NULL, *state = NULL;
    const char *text = meso_weights_get(checkpoint, MESO_KEY_STATE);
    json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    MESO_REQUIRE(json && read_state(json_object_get(json, "state"), &run->state), error,
                 MESO_ERROR_DATA, "%s: its checkpoint lacks the run's state",
                 MESO_PRINTABLE(run->options.run));
    MESO_TRY(check_identity(run, json_object_get(json, "identity"), error));
    MESO_TRY(meso_weights_create(&weights, error));
    MESO_TRY(meso_weights_create(&state, error));
    MESO_TRY(split_set(checkpoint, weights, state, error));
    MESO_TRY(meso_trainer_load_state(run->trainer, weights, state, error));
    run->result->resumable = 1;
    run->last_checkpoint = meso_seconds();
out:
    json_decref(json);
    meso_weights_close(weights);
    meso_weights_close(state);
    return status;
}
