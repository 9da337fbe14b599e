/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdlib.h>

enum { first_capacity = 64 };

void *meso_grow(void *array, size_t n, size_t *capacity, size_t element_bytes)
{
    if (n < *capacity)
        return array;
    const size_t more = *capacity ? 2 * *capacity : first_capacity;
    void *larger = realloc(array, more * element_bytes);
    if (larger)
        *capacity = more;
    return larger;
}
