/* SPDX-License-Identifier: Apache-2.0
 *
 * A network is text: one line per layer, `name = op input … key=value …`, '#' starts a comment.
 *
 *   image = input height=256 width=256 channels=3 divide=255
 *   conv1 = conv image filters=8 window=3x3 stride=1x1 dilation=1x1 pad=same
 *   …
 *
 * docs/nets.md lists every op with its keys; nets/ holds the built-in texts. A net has no weights
 * and needs no device. It never changes after parsing and may be shared by threads.
 */
#ifndef MESOCL_NET_H
#define MESOCL_NET_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct meso_net meso_net;

/* Parses text, NUL-terminated. name stands before the line number in messages ("meso4.net:7: …").
 * Errors: DATA (unknown op or key, missing key, forward reference, duplicate name, shapes that do
 * not fit), MEMORY. */
MESO_API meso_status meso_net_parse(const char *text, const char *name, meso_net **net,
                                    meso_error *error);

/* A built-in net by name ("meso4"), or the .net file at that path.
 * Errors: those of meso_net_parse, NO_INPUT (neither a net's name nor a readable file). */
MESO_API meso_status meso_net_open(const char *name_or_path, meso_net **net, meso_error *error);
MESO_API void meso_net_close(meso_net *net); /* NULL is allowed */

/* Name and text of built-in net i, NULL past the last. */
MESO_API const char *meso_net_builtin_name(size_t i);
MESO_API const char *meso_net_builtin_text(size_t i);

MESO_API const char *meso_net_name(const meso_net *net);
MESO_API const char *meso_net_text(const meso_net *net);
MESO_API size_t meso_net_n_layers(const meso_net *net);

/* One layer as `mesocl inspect` prints it. Counts are for one image. Start from
 * MESO_INIT(meso_layer_info). */
typedef struct meso_layer_info {
    size_t struct_bytes;
    const char *name;
    const char *op;
    unsigned channels, height, width; /* of the output; a vector has height = width = 1 */
    uint64_t parameters;              /* trained by gradient */
    uint64_t statistics;              /* moving mean and variance of batch norm */
    uint64_t multiply_adds;           /* of convolutions and dense layers */
    uint64_t output_bytes;            /* float32, without padding */
} meso_layer_info;

/* Layer i, from 0. Errors: ARGUMENT (no such layer). */
MESO_API meso_status meso_net_layer(const meso_net *net, size_t i, meso_layer_info *info,
                                    meso_error *error);

/* Device memory of activations for a batch of n images on the plain path, in bytes (buffers are
 * shared by layers that are never needed at the same time). */
MESO_API uint64_t meso_net_activation_bytes(const meso_net *net, size_t n);

#ifdef __cplusplus
}
#endif
#endif
