/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints of a run: the trainer's weights and moments as tensors, options and state as JSON in
 * the metadata. Random numbers are counted, not stored: seed, epoch, step and picture give them.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fields.h"
#include "model/train/run.h"
#include "model/train/run_folder.h"
#include "model/weights/weights.h"

static const char state_prefix[] = "state.";

/* ---- what must be the same when a run is resumed ---- */

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
    json_object_foreach (now, key, value) {
        const char *old = json_string_value(json_object_get(then, key));
        MESO_REQUIRE(
            old && strcmp(old, json_string_value(value)) == 0, error, MESO_ERROR_DATA,
            "%s: cannot be resumed: %s was %s and is now %s, which would change the result",
            MESO_PRINTABLE(run->options.run), key, old ? MESO_PRINTABLE(old) : "unknown",
            json_string_value(value));
    }
out:
    json_decref(now);
    return status;
}

/* ---- state ⇄ JSON ---- */

#define STATE(key, kind, member) MESO_FIELD(meso_run_state, key, kind, member, 0, 0, NULL)

static const meso_field state_fields[] = {
    STATE("checkpoint", WHOLE, checkpoint),
    STATE("epoch", WHOLE, epoch),
    STATE("position", WHOLE, position),
    STATE("step", WHOLE, step),
    STATE("n_correct", WHOLE, n_correct),
    STATE("n_images", WHOLE, n_images),
    STATE("best_epoch", WHOLE, early_stop.best_epoch),
    STATE("waited", WHOLE, early_stop.waited),
    STATE("trained", SWITCH, trained),
    STATE("done", SWITCH, done),
    STATE("stopped_early", SWITCH, stopped_early),
    STATE("any", SWITCH, early_stop.any),
    STATE("rate", REAL, rate),
    STATE("loss_sum", REAL, loss_sum),
    STATE("seconds", REAL, seconds),
    STATE("best", REAL, early_stop.best),
    STATE("reference", REAL, early_stop.reference),
};
enum { n_state_fields = sizeof state_fields / sizeof state_fields[0] };

/* ---- writing ---- */

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
    json = json_pack("{s:o, s:o}", "state",
                     meso_fields_to_json(state_fields, n_state_fields, &run->state), "identity",
                     identity_json(run));
    MESO_TRY(set_json(set, MESO_KEY_STATE, json, error));
    MESO_TRY(meso_checkpoint_write(run->options.run, run->state.checkpoint, set, error));
    run->last_checkpoint = meso_seconds();
    run->result.resumable = 1;
out:
    json_decref(json);
    meso_weights_close(set);
    return status;
}

/* ---- restoring ---- */

/* A checkpoint's tensors as the two sets that the trainer gave. */
static meso_status split_set(const meso_weights *set, meso_weights *weights, meso_weights *state,
                             meso_error *error)
{
    size_t n = strlen(state_prefix);
    for (size_t i = 0; i < set->n_tensors; i++) {
        const meso_tensor *tensor = &set->tensors[i];
        int is_state = strncmp(tensor->name, state_prefix, n) == 0;
        MESO_CHECK(meso_weights_add(is_state ? state : weights, tensor->name + (is_state ? n : 0),
                                    tensor->dims, tensor->n_dims, tensor->values, error));
    }
    for (size_t i = 0; i < set->n_metadata; i++) {
        MESO_CHECK(meso_weights_set(weights, set->metadata[i].key, set->metadata[i].value, error));
        MESO_CHECK(meso_weights_set(state, set->metadata[i].key, set->metadata[i].value, error));
    }
    return MESO_OK;
}

meso_status meso_run_restore(meso_run *run, const meso_weights *checkpoint, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *weights = NULL, *state = NULL;
    const char *text = meso_weights_get(checkpoint, MESO_KEY_STATE);
    json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    MESO_REQUIRE(json && meso_fields_from_json(state_fields, n_state_fields,
                                               json_object_get(json, "state"), &run->state,
                                               NULL) == MESO_OK,
                 error, MESO_ERROR_DATA, "%s: its checkpoint lacks the run's state",
                 MESO_PRINTABLE(run->options.run));
    MESO_TRY(check_identity(run, json_object_get(json, "identity"), error));
    MESO_TRY(meso_weights_create(&weights, error));
    MESO_TRY(meso_weights_create(&state, error));
    MESO_TRY(split_set(checkpoint, weights, state, error));
    MESO_TRY(meso_trainer_load_state(run->trainer, weights, state, error));
    run->result.resumable = 1;
    run->last_checkpoint = meso_seconds();
out:
    json_decref(json);
    meso_weights_close(weights);
    meso_weights_close(state);
    return status;
}
