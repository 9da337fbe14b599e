/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints of a run: checkpoint-<number>.safetensors in its folder, numbers rising, the last two
 * kept. Each bears the hash of all its bytes.
 */
#ifndef MESO_MODEL_CHECKPOINT_H
#define MESO_MODEL_CHECKPOINT_H

#include <stdint.h>

#include "base/text.h"
#include "mesocl/weights.h"

/* Writes the set, to which it adds metadata, as checkpoint `number`; then removes those before
 * number − 1. Errors: CREATE, IO (all older ones stay), DATA, MEMORY. */
meso_status meso_checkpoint_write(const char *folder, uint64_t number, meso_weights *set,
                                  meso_error *error);

/* Reads the one of the highest number that is whole. Of others a sentence each is added to notes,
 * with a line break. Errors: NO_INPUT (there is none), DATA (none is whole), MEMORY. */
meso_status meso_checkpoint_read(const char *folder, meso_weights **set, uint64_t *number,
                                 meso_text *notes, meso_error *error);

/* Is there any? */
int meso_checkpoint_exists(const char *folder);

#endif
