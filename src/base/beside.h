/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are installed with this code, wherever that was moved to.
 */
#ifndef MESO_BASE_BESIDE_H
#define MESO_BASE_BESIDE_H

#include "base/text.h"

/* Looks for `name` in `places`, folders that end in '/' and are relative to the folder of the
 * program, then to that of the library that the array lies in, where it is a shared one. mode: as
 * of access(). Returns 0 where it is in none, or memory ran out. */
int meso_find_beside(const char *const *places, size_t n_places, const char *name, int mode,
                     meso_text *path);

#endif
