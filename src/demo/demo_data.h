/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets of drawn faces (drawing.h), with faults planted and listed, so that what finds faults
 * can be shown and tested.
 */
#ifndef MESO_STUDY_DEMO_DATA_H
#define MESO_STUDY_DEMO_DATA_H

#include <stddef.h>

#include "demo/drawing.h"

/* A dataset <name>/{Fake,Real}, and how many duplicates are in it, beyond n_per_class. */
typedef struct study_demo_set {
    const char *name;
    const char *about; /* one line for README.txt */
    study_style style;
    int quality[2];     /* of JPEG: fakes, reals */
    size_t n_exact;     /* the same file again, in its class */
    size_t n_near;      /* encoded anew at quality 50 to 95, scaled by 0.5 to 2, mirrored */
    size_t n_conflicts; /* a fake's file in Real */
    size_t n_leaks;     /* a file of the first set, in its class */
} study_demo_set;

/* control, clear, faint, shortcut: one to test with, one like it, one weaker, lit and compressed
 * otherwise, with duplicates and leaks, and one whose classes differ in JPEG quality. Plants are in
 * percent of the pictures of a set. */
enum { STUDY_N_DEMO_SETS = 4 };
extern const study_demo_set study_demo_sets[STUDY_N_DEMO_SETS];

typedef struct study_demo_options {
    const char *folder; /* made where it is missing; must be empty */
    const study_demo_set *sets;
    size_t n_sets;
    size_t n_per_class; /* pictures drawn */
    unsigned side;
    uint64_t seed;
    /* Any value but 0 stops (CANCELLED). NULL is allowed. */
    int (*progress)(size_t n_done, size_t n, void *user);
    void *user;
} study_demo_options;

/* Writes the sets, README.txt, and planted.csv: kind (exact, near, conflict, leak), file, source,
 * below the folder. Errors: ARGUMENT (more plants than pictures), CREATE (the folder is not empty
 * or cannot be made), IO, MEMORY, CANCELLED. */
meso_status study_demo_write(const study_demo_options *options, meso_error *error);

#endif
