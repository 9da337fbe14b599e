/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a net's text comes from: the built-in ones, files, another net.
 */
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/file.h"
#include "base/text.h"
#include "net/net.h"

enum { max_net_file_bytes = 1 << 20 };

const char *meso_net_builtin_name(size_t i)
{
    for (size_t k = 0; k <= i; k++)
        if (!meso_embedded_nets[k].name)
            return NULL;
    return meso_embedded_nets[i].name;
}

const char *meso_net_builtin_text(size_t i)
{
    return meso_net_builtin_name(i) ? meso_embedded_nets[i].text : NULL;
}

meso_status meso_net_open(const char *name_or_path, meso_net **net, meso_error *error)
{
    void *text = NULL;
    size_t n;
    for (size_t i = 0; meso_net_builtin_name(i); i++)
        if (strcmp(meso_net_builtin_name(i), name_or_path) == 0)
            return meso_net_parse(meso_net_builtin_text(i), name_or_path, net, error);
    meso_status status = meso_file_read(name_or_path, max_net_file_bytes, &text, &n, NULL, error);
    if (status == MESO_ERROR_NO_INPUT) {
        meso_text known = {0};
        for (size_t i = 0; meso_net_builtin_name(i); i++)
            meso_text_format(&known, "%s%s", i ? ", " : "", meso_net_builtin_name(i));
        meso_fail(error, status, "%s: neither a built-in net (%s) nor a readable .net file",
                  MESO_PRINTABLE(name_or_path), known.bytes ? known.bytes : "");
        meso_text_free(&known);
    }
    if (status == MESO_OK && strlen(text) != n)
        status = meso_fail(
            error, MESO_ERROR_DATA,
            "%s: no .net text, for it holds a NUL byte (of a model: mesocl inspect --text)",
            MESO_PRINTABLE(name_or_path));
    if (status == MESO_OK)
        status = meso_net_parse(text, name_or_path, net, error);
    free(text);
    return status;
}

meso_status meso_net_copy(const meso_net *net, meso_net **copy, meso_error *error)
{
    return meso_net_parse(net->text, net->name, copy, error);
}
