/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what mesocl-h5import sends, which has looked at a hostile file.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "model/keras/keras_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const meso_keras_options options = {NULL, "fake,real", "fuzz"};
    meso_keras_file *file = NULL;
    meso_weights *weights = NULL;
    meso_keras_found found;
    meso_error error = {0};
    if (meso_keras_parse(bytes, n, &file, &error) == MESO_OK)
        meso_keras_import(file, &options, &weights, &found, &error);
    meso_weights_close(weights);
    meso_keras_close(file);
    return 0;
}
