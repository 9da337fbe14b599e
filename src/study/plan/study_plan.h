/* SPDX-License-Identifier: Apache-2.0
 *
 * What a study is to do: which sets train, which sets test, how. A JSON document, written by hand
 * (study.json) or by the command line:
 *
 *   {"train": {"of": "openforensics/Train", "dfdc": {"path": "dfdc/Train", "group": "^([a-z]+)"}},
 *    "test": {"control": "openforensics/Test"},
 *    "variants": {"scratch": {"epochs": 10},
 *                 "tuned": {"init": "df.safetensors", "freeze": "conv*"}},
 *    "seeds": 3}
 *
 * Reading is strict: a key that is not known, a value of another kind or out of range is refused by
 * its place in the document ("variants.tuned.epoch").
 */
#ifndef MESO_STUDY_STUDY_PLAN_H
#define MESO_STUDY_STUDY_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "mesocl/train.h"

enum { STUDY_MAX_SETS = 64, STUDY_MAX_SEEDS = 100 };

/* A dataset: a folder, or a manifest where the path is a file. Strings are the document's. */
typedef struct study_source {
    const char *name;        /* letters, digits, - and _: it becomes a part of file names */
    const char *path;        /* from the document's folder; absolute once resolved */
    const char *group;       /* NULL or as in meso_dataset_options */
    const char *fake, *real; /* likewise */
} study_source;

/* A way of training. Its keys are those of model/train/train_options.h that can vary; lr may stand
 * for learning_rate. Of the options, data, seed and run are the job's. */
typedef struct study_variant {
    const char *name; /* as above */
    meso_train_options options;
} study_variant;

typedef struct study_plan {
    study_source train[STUDY_MAX_SETS], test[STUDY_MAX_SETS];
    study_variant variants[STUDY_MAX_SETS];
    size_t n_train, n_test, n_variants;
    uint64_t seeds[STUDY_MAX_SEEDS];
    size_t n_seeds;
    int protocol;       /* 1: that of the published study */
    int equalize;       /* the same number of images of each class from every training set */
    uint64_t limit;     /* at most so many images of each class of a training set; 0: all */
    int keep_leaks;     /* test images that leak from the training set count, too */
    const char *device; /* a selector; what it matches evaluates, the first of it trains. A list of
                           numbers, "0:0,1:0": see study_plan_device */
    uint64_t resamples; /* of the bootstrap */
    json_t *document;   /* owns every string; what was left out has its default in it */
} study_plan;

/* Takes a document over, also on an error. `where` is what messages call it; paths that are not
 * absolute are resolved from `folder`. "protocol": "ucla" gives the defaults of the published
 * dataset study: one epoch, batches of 64. Errors: ARGUMENT, DATA (with the place), MEMORY. */
meso_status study_plan_take(json_t *document, const char *where, const char *folder,
                            study_plan *plan, meso_error *error);

/* What holds where neither a variant nor the plan says otherwise. */
meso_train_options study_training_usual(int protocol);

/* Reads a file; folder is the file's. Keys of overrides (NULL: none) replace those of the file.
 * Errors: as above, NO_INPUT, IO. */
meso_status study_plan_read(const char *path, json_t *overrides, study_plan *plan,
                            meso_error *error);

void study_plan_free(study_plan *plan); /* zeroed is allowed */

/* Sets are numbered with the training sets first. */
const study_source *study_plan_source(const study_plan *plan, size_t set);

/* How many images of each class a training set gives at most, of n_images[n_train] that there are;
 * SIZE_MAX: all. */
void study_plan_per_class(const study_plan *plan, size_t n_images[][2], size_t per_class[2]);

/* Jobs: one for each training set, variant and seed. All training sets with the first seed come
 * first, so that a study that is cut short compares like with like. */
typedef struct study_job {
    size_t train, variant, seed; /* positions in the plan */
} study_job;
size_t study_plan_n_jobs(const study_plan *plan);
study_job study_plan_job(const study_plan *plan, size_t index);

/* Of a list of numbers the one for job i of n devices is i mod n, whenever it runs, and stands in
 * out; else the selector as it is. */
enum { STUDY_DEVICE_SIZE = 32 };
const char *study_plan_device(const study_plan *plan, size_t index, char out[STUDY_DEVICE_SIZE]);

/* "of.scratch.1": name of a job, with the seed itself. */
#define STUDY_JOB_NAME_SIZE 192
void study_job_name(const study_plan *plan, study_job job, char name[STUDY_JOB_NAME_SIZE]);

#endif
