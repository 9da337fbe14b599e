/* SPDX-License-Identifier: Apache-2.0
 *
 * The closed table of ops.
 */
#ifndef MESO_NET_OP_TABLE_H
#define MESO_NET_OP_TABLE_H

#include "net/op/op.h"

/* NULL where there is no op of that name. */
const meso_op *meso_op_find(const char *name);

/* Row i of the table, NULL past the last: for tests that walk it. */
const meso_op *meso_op_at(size_t i);

#endif
