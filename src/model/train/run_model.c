/* SPDX-License-Identifier: Apache-2.0
 *
 * The model of a run: its weights with the metadata of their origin.
 */
#include <stdio.h>
#include <stdlib.h>

#include "model/train/run.h"
#include "model/train/train_options.h"
#include "model/weights/weights.h"

/* The options without what may differ between two runs that give the same model: above all where
 * files lay. */
static char *config_text(const meso_run *run)
{
    json_t *config = json_copy(run->config);
    for (size_t i = 0; i < meso_n_train_option_rows; i++)
        if (meso_train_option_rows[i].apart)
            json_object_del(config, meso_train_option_rows[i].field.key);
    char *text = config ? json_dumps(config, JSON_COMPACT) : NULL;
    json_decref(config);
    return text;
}

meso_status meso_run_weights(meso_run *run, meso_weights **weights, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_weights *w = NULL;
    char program[128], settings[MESO_AUGMENT_TEXT_SIZE], *config = config_text(run);
    snprintf(program, sizeof program, "mesocl %s (%s)", meso_version(), meso_commit());
    MESO_REQUIRE_MEMORY(config, error);
    MESO_TRY(meso_weights_create(&w, error));
    status = meso_trainer_get(run->trainer, w);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(run->trainer));
    MESO_TRY(meso_weights_set(w, "mesocl.source", "trained by MesoCL", error));
    MESO_TRY(meso_weights_set(w, "mesocl.program", program, error));
    MESO_TRY(meso_weights_set(w, "mesocl.train.data_hash", run->train.contents->hash, error));
    MESO_TRY(meso_weights_set(w, MESO_KEY_CONFIG, config, error));
    MESO_TRY(meso_weights_set(w, MESO_KEY_EPOCH, "0", error));
    if (run->has_normalization)
        MESO_TRY(meso_weights_set(w, "mesocl.normalization",
                                  meso_augment_format(&run->normalization, settings), error));
    MESO_TRY(meso_weights_set(w, MESO_KEY_REESTIMATED, "no", error));
    *weights = w;
    w = NULL;
out:
    free(config);
    meso_weights_close(w);
    return status;
}
