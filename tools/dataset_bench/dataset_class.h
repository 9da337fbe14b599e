/* SPDX-License-Identifier: Apache-2.0
 *
 * The classes of several datasets, in the order that reports show them.
 */
#ifndef MESO_TOOLS_DATASET_CLASS_H
#define MESO_TOOLS_DATASET_CLASS_H

#include "data/list/labels.h"

/* A class of a dataset. Rows of tables and series of charts are these, in this order. */
#define BENCH_FOR_CLASSES(d, label, n) \
    for (size_t d = 0; d < (n); d++)   \
        for (int label = 0; label < 2; label++)

#endif
