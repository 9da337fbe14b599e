/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings by name: what belongs together, in whichever class it stands.
 */
#ifndef MESO_STUDY_GROUP_H
#define MESO_STUDY_GROUP_H

#include "data/list/group.h"
#include "study/scan/study_scan.h"

typedef meso_groups study_groups;
#define study_groups_create(files, groups, error) meso_groups_create((files), 0, (groups), (error))
#define study_groups_free meso_groups_free

#endif
