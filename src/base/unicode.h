/* SPDX-License-Identifier: Apache-2.0
 *
 * Text files as other programs write them, as UTF-8; and names that are written in two ways: "é"
 * is one character (NFC), or on macOS an "e" and an accent (NFD).
 */
#ifndef MESO_BASE_UNICODE_H
#define MESO_BASE_UNICODE_H

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* Takes the byte order mark off *text, whose n bytes a NUL follows, and turns UTF-16 (which a mark
 * tells) into UTF-8. *text is from malloc() and may be another one afterwards. Errors: DATA
 * ("name: …": half a character), MEMORY. */
meso_status meso_to_utf8(char **text, size_t *n, const char *name, meso_error *error);

/* Where there is no file of that path, but one whose names are written the other way, *path becomes
 * that. Without utf8proc at build time it stays. */
void meso_path_as_on_disk(meso_text *path);

/* Are they the same name, whichever way it is written? */
int meso_same_name(const char *a, const char *b);

#endif
