/* SPDX-License-Identifier: Apache-2.0
 *
 * Text files as other programs write them, as UTF-8.
 */
#ifndef MESO_BASE_UNICODE_H
#define MESO_BASE_UNICODE_H

#include <stddef.h>

#include "base/error.h"

/* Takes the byte order mark off *text, whose n bytes a NUL follows, and turns UTF-16 (which a mark
 * tells) into UTF-8. *text is from malloc() and may be another one afterwards. Errors: DATA
 * ("name: …": half a character), MEMORY. */
meso_status meso_to_utf8(char **text, size_t *n, const char *name, meso_error *error);

#endif
