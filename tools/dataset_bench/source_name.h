/* SPDX-License-Identifier: Apache-2.0
 *
 * Operands that are datasets: DIR, or NAME=DIR where the report shall call it otherwise.
 */
#ifndef MESO_TOOLS_SOURCE_NAME_H
#define MESO_TOOLS_SOURCE_NAME_H

#include "base/text.h"

/* Appends the name: what stands before "=", if it holds no "/", else the last two parts of the
 * path ("openforensics/Train"). Returns the path, a part of the operand. */
const char *db_source_name(const char *operand, meso_text *name);

#endif
