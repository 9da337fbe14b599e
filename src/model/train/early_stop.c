/* SPDX-License-Identifier: Apache-2.0
 *
 * Best epoch and early stopping, by the rules of Keras' ModelCheckpoint and EarlyStopping.
 */
#include <string.h>

#include "base/error.h"
#include "mesocl/train.h"
#include "model/train/settings.h"

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

meso_status meso_early_stop_parse(const char *text, meso_early_stop *stop, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_setting settings[] = {
        {"patience", 0, 1e9, 1, 0}, {"min_delta", 0, 1e9, 0, 0}, {"restore_best", 0, 1, 1, 0}};
    double patience;
    *stop = (meso_early_stop){0};
    if (strcmp(text, "off") == 0)
        return MESO_OK;
    if (meso_read_number(text, &patience)) { /* a number alone is the patience */
        char full[64];
        MESO_REQUIRE(strlen(text) < 32, error, MESO_ERROR_ARGUMENT, "early stop: \"%.32s…\"", text);
        strcat(strcpy(full, "patience="), text);
        MESO_TRY(meso_settings_parse("early stop", full, settings, 3, error));
    } else {
        MESO_TRY(meso_settings_parse("early stop", text, settings, 3, error));
    }
    *stop =
        (meso_early_stop){1, (size_t)settings[0].value, settings[1].value, (int)settings[2].value};
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
