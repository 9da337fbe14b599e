/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a weight file; what is accepted must be finite, and its net, if it has one, is read.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "mesocl/net.h"
#include "model/weights/weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    meso_weights *weights = NULL;
    meso_net *net = NULL;
    meso_error error = {0};
    if (meso_weights_create(&weights, &error) != MESO_OK)
        return 0;
    if (meso_safetensors_parse(bytes, n, weights, &error) == MESO_OK) {
        for (size_t i = 0; i < weights->n_tensors; i++) {
            const meso_tensor *t = &weights->tensors[i];
            if (meso_first_not_finite(t->values, t->n_values) != t->n_values)
                abort();
        }
        const char *text = meso_weights_get(weights, "mesocl.net");
        if (text && meso_net_parse(text, "net", &net, &error) == MESO_OK)
            meso_weights_check(weights, net, &error);
    } else if (!error.text[0]) {
        abort();
    }
    meso_net_close(net);
    meso_weights_close(weights);
    return 0;
}
