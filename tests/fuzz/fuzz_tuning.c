/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the user's rows of tuning.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "net/strip/strip.h"
#include "runtime/tuning.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const meso_tuning_family *const families[] = {
        &meso_tuning_lanes, &meso_tuning_plain, &meso_tuning_fused, &meso_tuning_fused_training};
    meso_device_info device = {.platform_name = "p", .name = "d", .driver = "1"};
    meso_strip_tuning row;
    int values[MESO_MAX_TUNABLES];
    size_t here, elsewhere;
    const char *driver;
    json_t *document = json_loadb((const char *)bytes, n, 0, NULL);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (meso_tuning_find(document, &device, families[i], "n", values) && families[i]->by_net)
            meso_strip_tune(families[i], values, &row);
    meso_tuning_count(document, &device, &here, &elsewhere, &driver);
    if (meso_tuning_remove(document, &device) < here + elsewhere)
        abort(); /* a row without a driver is removed, too */
    json_decref(document);
    return 0;
}
