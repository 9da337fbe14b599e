/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON from files, with want of memory noticed, which jansson alone does not always do.
 */
#ifndef MESO_MODEL_JSON_LOAD_H
#define MESO_MODEL_JSON_LOAD_H

#include <jansson.h>

#include "mesocl/status.h"

/* Duplicate keys are refused. *json is the caller's, NULL on failure. Errors: DATA (*fault says
 * why; NULL is allowed), MEMORY; the sentence is the caller's. */
meso_status meso_json_load(const char *bytes, size_t n, json_t **json, json_error_t *fault);

#endif
