/* SPDX-License-Identifier: Apache-2.0
 *
 * A run's options as JSON: in config.json for people, in every checkpoint and model of the run for
 * those who resume it.
 */
#ifndef MESO_MODEL_TRAIN_CONFIG_H
#define MESO_MODEL_TRAIN_CONFIG_H

#include <jansson.h>

#include "mesocl/train.h"

/* Those that have an influence on the result, and the command line; NULL: out of memory. */
json_t *meso_train_config_json(const meso_train_options *options);

/* Fills options, which start from MESO_TRAIN_OPTIONS_INIT. Its strings are the document's. Errors:
 * DATA (names the key). */
meso_status meso_train_config_read(const json_t *document, meso_train_options *options,
                                   meso_error *error);

/* Ranges, and what excludes what. Errors: ARGUMENT. */
meso_status meso_train_config_check(const meso_train_options *options, meso_error *error);

#endif
