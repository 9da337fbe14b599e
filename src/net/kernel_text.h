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

void meso_kernel_define(meso_text *source, const char *name, int value);
void meso_kernel_undefine(meso_text *source, const char *const *names); /* NULL ends them */
/* A file of cl/, as meso_source_add, and the end of the names that stand in front of it. */
meso_status meso_kernel_add(meso_text *source, const char *file, const char *const *names,
                            meso_error *error);
/* ACTIVATE(v), of `vec` by LARGER and SMALLER. */
void meso_kernel_define_activation(meso_text *source, const meso_layer *layer);

#endif
