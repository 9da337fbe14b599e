/* SPDX-License-Identifier: Apache-2.0
 *
 * What the metadata of weights says of their net.
 */
#include "base/error.h"
#include "base/text.h"
#include "model/weights/weights.h"
#include "net/net.h"

meso_status meso_weights_net(const meso_weights *weights, const char *file, meso_net **net,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    const char *text = meso_weights_get(weights, "mesocl.net");
    const char *name = meso_weights_get(weights, "mesocl.net_name");
    MESO_REQUIRE(text, error, MESO_ERROR_DATA,
                 "%s: no net in its metadata (mesocl.net): name one with --net, or convert the "
                 "original again",
                 MESO_PRINTABLE(file));
    status = meso_net_parse(text, name ? name : "net", net, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", MESO_PRINTABLE(file), why.text);
out:
    return status;
}

meso_status meso_weights_set_net(meso_weights *weights, const meso_net *net, meso_error *error)
{
    MESO_CHECK(meso_weights_set(weights, "mesocl.net", net->text, error));
    return meso_weights_set(weights, "mesocl.net_name", net->name, error);
}

const char *meso_weights_classes(const meso_weights *weights)
{
    const char *classes = meso_weights_get(weights, "mesocl.classes");
    return classes ? classes : MESO_USUAL_CLASSES;
}
