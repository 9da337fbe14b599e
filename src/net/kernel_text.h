/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands in front of a template of cl/ and behind it: definitions that make a kernel of it.
 */
#ifndef MESO_NET_KERNEL_TEXT_H
#define MESO_NET_KERNEL_TEXT_H

#include "base/text.h"
#include "net/net.h"

/* A float constant to the last bit. */
#define MESO_FLOAT_CONSTANT "%af"
#define MESO_FLOAT_VALUE(x) ((double)(float)(x))

typedef struct meso_definition {
    const char *name;
    int value;
} meso_definition;

/* MESO_DEFINE(source, {"TAPS", 3}, {"POOL", 2}) */
#define MESO_DEFINE(source, ...)                                       \
    meso_kernel_define(source, (const meso_definition[]){__VA_ARGS__}, \
                       sizeof((const meso_definition[]){__VA_ARGS__}) / sizeof(meso_definition))
void meso_kernel_define(meso_text *source, const meso_definition *definitions, size_t n);

/* Undefines what is defined in bytes [from, to) of the text. */
void meso_kernel_end(meso_text *source, size_t from, size_t to);
/* A file of cl/, as meso_source_add, and the end of what is defined in front of it since `from`. */
meso_status meso_kernel_add(meso_text *source, size_t from, const char *file, meso_error *error);
/* ACTIVATE(v), of `vec` by LARGER and SMALLER. */
void meso_kernel_define_activation(meso_text *source, const meso_layer *layer);

#endif
