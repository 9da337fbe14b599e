/* SPDX-License-Identifier: Apache-2.0
 *
 * Where figures come from: the part of every report that lets someone else get the same ones.
 */
#ifndef MESO_REPORT_PROVENANCE_H
#define MESO_REPORT_PROVENANCE_H

#include <jansson.h>

#include "base/text.h"

/* Strings are the caller's; NULL or "" means not known, and is left out. Program version and commit
 * are added by the writers. */
typedef struct report_provenance {
    const char *device; /* its name */
    const char *driver; /* its version */
    const char *platform;
    const char *decoders; /* meso_image_decoders() */
    const char *resize;   /* REPORT_RESIZE where pictures were resized */
    const char *net;
    const char *clblast;        /* what it computes of the net, or why it is switched off */
    const char *weights;        /* the file */
    const char *weights_hash;   /* XXH3-128 */
    const char *weights_sha256; /* of a file that is not ours */
    const char *dataset;
    const char *dataset_hash; /* XXH3-128 */
    const char *seed;         /* in decimal */
    const char *command;      /* as report_command_line() writes it */
} report_provenance;

#define REPORT_RESIZE "nearest (Pillow)"

json_t *report_provenance_json(const report_provenance *provenance); /* NULL: out of memory */
void report_provenance_text(const report_provenance *provenance, meso_text *out);

/* Calls take(key, value, user) for every field that is known, in the order of all reports; the
 * value is printable. Errors: 0, or -1 where memory ran out. */
int report_provenance_each(const report_provenance *provenance,
                           void (*take)(const char *key, const char *value, void *user),
                           void *user);

/* Appends the command line, printable, quoted so that a shell takes it again. */
void report_command_line(int argc, char *const *argv, meso_text *out);

#endif
