/* SPDX-License-Identifier: Apache-2.0 */
#include "model/weights/json_load.h"

#include <errno.h>

/* jansson (2.14) does not look whether it could store a string's next byte: without memory for it
 * the string lacks it, and all seems well. Two readings that lose the same have no memory left for
 * their values either. */
meso_status meso_json_load(const char *bytes, size_t n, json_t **json, json_error_t *fault)
{
    errno = 0; /* malloc() sets it */
    *json = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, fault);
    meso_status status = *json ? MESO_OK : errno == ENOMEM ? MESO_ERROR_MEMORY : MESO_ERROR_DATA;
    json_t *again = *json ? json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (*json && !json_equal(*json, again)) {
        json_decref(*json);
        *json = NULL;
        status = MESO_ERROR_MEMORY;
    }
    json_decref(again);
    return status;
}
