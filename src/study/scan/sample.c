/* SPDX-License-Identifier: Apache-2.0 */
#include "study/scan/study_scan.h"

#include "base/random.h"

/* Algorithm S (Knuth, volume 2, 3.4.2): each file is taken with the chance that leaves every set of
 * n equally likely. */
void study_sample(meso_dataset *files, size_t n, uint64_t seed)
{
    meso_random random = {seed};
    size_t seen[2] = {0}, taken[2] = {0}, kept = 0;
    const size_t n_class[2] = {files->n_class[0], files->n_class[1]};
    for (size_t i = 0; i < files->n_items; i++) {
        meso_label label = files->items[i].label;
        size_t wanted = n < n_class[label] ? n : n_class[label];
        if (meso_random_below(&random, n_class[label] - seen[label]++) < wanted - taken[label]) {
            taken[label]++;
            files->items[kept++] = files->items[i];
        }
    }
    files->n_items = kept;
    files->n_class[0] = taken[0];
    files->n_class[1] = taken[1];
}
