/* SPDX-License-Identifier: Apache-2.0
 *
 * Options that are told as "key=value,key=value": what may stand there. schedule.c and
 * early_stop.c have the tables, with offsets in the struct that each fills.
 */
#ifndef MESO_MODEL_SETTINGS_H
#define MESO_MODEL_SETTINGS_H

#include "base/fields.h"

#define MESO_SCHEDULE_WORDS "constant|exponential|epochs|iterations"

enum { MESO_N_SCHEDULE_FIELDS = 3, MESO_N_EARLY_STOP_FIELDS = 3 };
extern const meso_field meso_schedule_fields[MESO_N_SCHEDULE_FIELDS];
extern const meso_field meso_early_stop_fields[MESO_N_EARLY_STOP_FIELDS];

#endif
