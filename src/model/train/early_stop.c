/* SPDX-License-Identifier: Apache-2.0
 *
 * Best epoch and early stopping, by the rules of Keras' ModelCheckpoint and EarlyStopping.
 */
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "mesocl/train.h"
#include "model/train/train_options.h"

const char *meso_monitor_name(meso_monitor monitor)
{
    static const char *const names[MESO_MONITOR_N] = {
        [MESO_MONITOR_AUTO] = "auto",
        [MESO_MONITOR_LOSS] = "loss",
        [MESO_MONITOR_ACCURACY] = "accuracy",
        [MESO_MONITOR_VAL_LOSS] = "val_loss",
        [MESO_MONITOR_VAL_ACCURACY] = "val_accuracy",
        [MESO_MONITOR_VAL_AUC] = "val_auc",
    };
    return names[monitor];
}

const meso_field meso_early_stop_fields[MESO_N_EARLY_STOP_FIELDS] = {
    MESO_FIELD(meso_early_stop, "early_stop_patience", WHOLE, patience, 0, 1e15, NULL),
    MESO_FIELD(meso_early_stop, "early_stop_min_delta", REAL, min_delta, 0, 1e9, NULL),
    MESO_FIELD(meso_early_stop, "early_stop_restore_best", SWITCH, restore_best, 0, 0, NULL),
};

meso_status meso_early_stop_parse(const char *text, meso_early_stop *stop, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    *stop = (meso_early_stop){0};
    if (strcmp(text, "off") == 0)
        return MESO_OK;
    stop->on = 1;
    if (strchr(text, '='))
        return meso_fields_from_list("early stop", text, meso_early_stop_fields,
                                     MESO_N_EARLY_STOP_FIELDS, strlen("early_stop_"), stop, error);
    status = meso_field_from_text(&meso_early_stop_fields[0], text, stop, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "early stop: patience %s", why.text);
out:
    return status;
}

/* Strictly, and NaN never is. */
static int is_better(meso_monitor_mode mode, double value, double than, double delta)
{
    return mode == MESO_MODE_MAX ? value - delta > than : value + delta < than;
}

int meso_early_stop_update(meso_early_stop_state *watch, const meso_early_stop *rule, size_t epoch,
                           double value, int *stop)
{
    int is_number = value == value;
    int best = is_number && (!watch->any || is_better(watch->mode, value, watch->best, 0));
    int improved = is_number && (!watch->any ||
                                 is_better(watch->mode, value, watch->reference, rule->min_delta));
    if (best) {
        watch->best = value;
        watch->best_epoch = epoch;
    }
    watch->waited++;
    if (improved) {
        watch->reference = value;
        watch->waited = 0;
    }
    watch->any |= is_number;
    *stop = rule->on && watch->waited >= rule->patience && epoch > 1;
    return best;
}
