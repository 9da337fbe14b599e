/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a net; what is accepted is copied, and can be asked for its sizes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "mesocl/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    meso_net *net = NULL;
    meso_layer_info info = MESO_INIT(meso_layer_info);
    meso_error error = {0};
    char *text = malloc(n + 1);
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    if (meso_net_parse(text, "fuzz", &net, &error) == MESO_OK) {
        for (size_t i = 0; i < meso_net_n_layers(net); i++)
            meso_net_layer(net, i, &info, NULL);
        meso_net_activation_bytes(net, 8);
    } else if (!error.text[0]) {
        abort();
    }
    meso_net_close(net);
    free(text);
    return 0;
}
