/* SPDX-License-Identifier: Apache-2.0
 *
 * Things that belong together, joined pair by pair (union-find). A set is told by its smallest
 * member.
 */
#ifndef MESO_BASE_FOREST_H
#define MESO_BASE_FOREST_H

#include <stddef.h>

typedef struct meso_forest {
    size_t *parent; /* [n]; free() it */
} meso_forest;

/* n things, each on its own. parent is NULL where memory is out. */
meso_forest meso_forest_create(size_t n);

size_t meso_forest_root(const meso_forest *forest, size_t i);

/* Returns whether they were apart. */
int meso_forest_join(const meso_forest *forest, size_t a, size_t b);

#endif
