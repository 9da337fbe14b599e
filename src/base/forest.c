/* SPDX-License-Identifier: Apache-2.0 */
#include "base/forest.h"

#include <stdlib.h>

meso_forest meso_forest_create(size_t n)
{
    meso_forest forest = {malloc((n + 1) * sizeof *forest.parent)};
    for (size_t i = 0; forest.parent && i < n; i++)
        forest.parent[i] = i;
    return forest;
}

size_t meso_forest_root(const meso_forest *forest, size_t i)
{
    while (forest->parent[i] != i) {
        forest->parent[i] = forest->parent[forest->parent[i]];
        i = forest->parent[i];
    }
    return i;
}

int meso_forest_join(const meso_forest *forest, size_t a, size_t b)
{
    a = meso_forest_root(forest, a);
    b = meso_forest_root(forest, b);
    forest->parent[a < b ? b : a] = a < b ? a : b;
    return a != b;
}
