/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of training that change its result: one table for config.json, the command line of
 * `mesocl train` and the variants of a study (train_options.c, schedule.c, early_stop.c,
 * train_config.c).
 */
#ifndef MESO_MODEL_TRAIN_OPTIONS_H
#define MESO_MODEL_TRAIN_OPTIONS_H

#include <jansson.h>

#include "base/fields.h"
#include "mesocl/train.h"

typedef struct meso_train_option {
    meso_field field; /* in meso_train_options; the key is that of config.json */
    const char *name; /* --name of the command line; NULL: it has none */
    char letter;
    const char *argument, *help; /* as in an option table of the programs */
    const char *fixed;           /* why a study's variant cannot have it; NULL: it can */
    int is_path;
    int apart; /* it may differ between two runs that give the same model */

    /* An option that is told as one text and fills several members: how it is read, and the others,
     * whose offsets count from the field. The text stays the caller's. */
    meso_status (*parse)(const char *text, meso_train_options *options, meso_error *error);
    const meso_field *parts;
    size_t n_parts;
} meso_train_option;

extern const meso_train_option meso_train_option_rows[];
extern const size_t meso_n_train_option_rows;

/* By its key or its name; NULL: there is none. */
const meso_train_option *meso_train_option_find(const char *key);

/* Takes a value as it is typed. Errors: ARGUMENT; the sentence lacks the option's name, but for
 * those that parse. */
meso_status meso_train_option_from_text(const meso_train_option *option, const char *text,
                                        meso_train_options *options, meso_error *error);
meso_status meso_train_option_from_json(const meso_train_option *option, const json_t *value,
                                        meso_train_options *options, meso_error *error);

/* Every field of config.json in its order, parts included; *shift is to be added to where the
 * options begin. NULL behind the last. */
const meso_field *meso_train_option_field(size_t i, size_t *shift);

/* Options that are told as "key=value,key=value": what may stand there, with offsets in the struct
 * that each fills. */
#define MESO_SCHEDULE_WORDS "constant|exponential|epochs|iterations"

enum { MESO_N_SCHEDULE_FIELDS = 3, MESO_N_EARLY_STOP_FIELDS = 3 };
extern const meso_field meso_schedule_fields[MESO_N_SCHEDULE_FIELDS];
extern const meso_field meso_early_stop_fields[MESO_N_EARLY_STOP_FIELDS];

/* A run's options as JSON: in config.json for people, in every checkpoint and model of the run for
 * those who resume it.
 * Those that have an influence on the result, and the command line; NULL: out of memory. */
json_t *meso_train_config_json(const meso_train_options *options);

/* Fills options, which start from MESO_TRAIN_OPTIONS_INIT. Its strings are the document's. Errors:
 * DATA (names the key). */
meso_status meso_train_config_read(const json_t *document, meso_train_options *options,
                                   meso_error *error);

/* Ranges, and what excludes what. Errors: ARGUMENT. */
meso_status meso_train_config_check(const meso_train_options *options, meso_error *error);

#endif
