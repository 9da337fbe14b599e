/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of tuning that `mesocl tune` measured for this user: tuning.json in the folder of
 * preferences,
 *
 *   {"schema": "mesocl.tuning/1", "rows": [{"platform": …, "device": …, "driver": …, "family": …,
 *    "net": …, "values": {"chunk": 2, …}, "evidence": {…}}]}
 *
 * A row holds for one device with one version of its driver. One that was made for another version,
 * lacks a value or has one that its family does not know is as if it were not there: the shipped
 * sizes then count. So does a file that is no such document.
 */
#ifndef MESO_RUNTIME_TUNING_H
#define MESO_RUNTIME_TUNING_H

#include <jansson.h>

#include "base/error.h"
#include "mesocl/device.h"

enum { MESO_MAX_TUNABLES = 8, MESO_MAX_CHOICES = 8 };
#define MESO_TUNING_SCHEMA "mesocl.tuning/1"

typedef struct meso_tunable {
    const char *name; /* NULL ends a family's */
    size_t n;
    int choices[MESO_MAX_CHOICES];
} meso_tunable;

/* Kernels that are tuned together. */
typedef struct meso_tuning_family {
    const char *name;
    int by_net; /* 1: a row is for one net, by its name; 0: for all */
    meso_tunable tunables[MESO_MAX_TUNABLES];
} meso_tuning_family;

extern const meso_tuning_family meso_tuning_lanes; /* queues of a CPU */
extern const meso_tuning_family meso_tuning_plain; /* work-groups of plain inference */
extern const meso_tuning_family
    meso_tuning_clblast; /* layers as products: from how many terms of a sum on; 0: none */

size_t meso_tuning_n(const meso_tuning_family *family);

/* The document; a new reference. NULL: there is none. */
json_t *meso_tuning_read(void);

/* Writes it, and its file's path. Errors: CREATE, IO, MEMORY. */
meso_status meso_tuning_write(const json_t *document, char *path, meso_error *error);

/* From now on this document stands for the user's file, which is not read; {} for the shipped
 * sizes. For the tuner, which measures rows before it writes them. */
void meso_tuning_replace(json_t *document);

/* The row of the device, in the document. 0: it has none. net: NULL where the family is not by net.
 */
int meso_tuning_find(const json_t *document, const meso_device_info *device,
                     const meso_tuning_family *family, const char *net,
                     int values[MESO_MAX_TUNABLES]);

/* The same in meso_tuning_read(). */
int meso_tuning_of(const meso_device_info *device, const meso_tuning_family *family,
                   const char *net, int values[MESO_MAX_TUNABLES]);

/* A row into the document, in the place of the device's old one; takes the reference of evidence.
 * 0: out of memory. */
int meso_tuning_put(json_t *document, const meso_device_info *device,
                    const meso_tuning_family *family, const char *net, const int *values,
                    json_t *evidence);

/* Takes all rows of a device out, whatever the driver. How many there were. */
size_t meso_tuning_remove(json_t *document, const meso_device_info *device);

/* How many rows the device has in the document, for its driver and for others, one of which is
 * *other (the document's). */
void meso_tuning_count(const json_t *document, const meso_device_info *device, size_t *n,
                       size_t *n_other, const char **other);

/* {"chunk": 2, …} and back; 0 where it is not a row of the family. */
json_t *meso_tuning_values_json(const meso_tuning_family *family, const int *values);
int meso_tuning_values(const json_t *object, const meso_tuning_family *family,
                       int values[MESO_MAX_TUNABLES]);

#endif
