/* SPDX-License-Identifier: Apache-2.0
 *
 * The lists that lie in datasets as they are published.
 */
#ifndef MESO_DATA_LAYOUT_LISTS_H
#define MESO_DATA_LAYOUT_LISTS_H

#include <jansson.h>

#include "base/error.h"

/* Each puts into listed, an object, a row for each name of the lists in root: "identity" is who
 * else belongs to it. Lists that are not there are none. Errors: DATA, IO, MEMORY. */

/* Identities of FaceForensics++: {"000": {"identity": "003"}}. */
meso_status meso_layout_pairs(const char *root, json_t *listed, meso_error *error);

/* Videos of Celeb-DF: {"Celeb-real/id0_0000": {}}. */
meso_status meso_layout_tested(const char *root, json_t *listed, meso_error *error);

/* Videos of DFDC: {"aaa": {"fake": true, "identity": "bbb"}}. */
meso_status meso_layout_metadata(const char *root, json_t *listed, meso_error *error);

#endif
