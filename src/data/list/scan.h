/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks a folder for images.
 */
#ifndef MESO_DATA_SCAN_H
#define MESO_DATA_SCAN_H

#include "data/list/builder.h"

/* Adds every image below folder, by its name's ending; all else is passed over and counted. Links
 * are followed; each folder is entered once, under the name that comes first, so loops end. A
 * folder that cannot be opened is counted in the dataset, `folder` itself included. Errors: MEMORY.
 */
meso_status meso_scan_folder(const char *folder, meso_label label, meso_list_builder *builder,
                             meso_error *error);

/* Counts what lies in root beside its two class folders. Errors: MEMORY. */
meso_status meso_scan_beside(const char *root, char *const folders[2], meso_list_builder *builder,
                             meso_error *error);

/* For scandir(): byte order whatever the locale, and no names that begin with a dot. */
struct dirent;
int meso_scan_by_name(const struct dirent **a, const struct dirent **b);
int meso_scan_not_hidden(const struct dirent *entry);

#endif
