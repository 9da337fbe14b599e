/* SPDX-License-Identifier: Apache-2.0
 *
 * What is timed: calls that predict a batch of 8-bit pictures in memory, or train a net on one.
 */
#ifndef MESO_BENCH_WORK_H
#define MESO_BENCH_WORK_H

#include "measure/spec.h"
#include "mesocl/model.h"
#include "model/train/trainer.h"

/* The timed path may differ from the plain one by as much as its goldens may (tests): in a
 * probability, or in the loss of a step. */
#define BENCH_TOLERANCE 5e-6

typedef struct bench_work {
    const bench_spec *spec;
    meso_device *device;
    meso_model *model;       /* of a prediction */
    meso_trainer *trainer;   /* of training */
    meso_net *given;         /* of seeded weights; NULL: the net that the weight file carries */
    meso_weights *weights;   /* of training */
    const meso_net *net;     /* the model's or the trainer's */
    double difference;       /* largest from the plain path */
    size_t n_pictures, next; /* the picture with which the next call begins */
    uint8_t *pixels;         /* [n_pictures][height][width][3] */
    uint8_t *classes;        /* [n_pictures] */
    meso_probability *p;     /* of the last call's pictures */
    double loss;             /* of the last step */
} bench_work;

/* Opens the net and draws pictures. The spec must outlive the work. */
meso_status bench_work_open(const bench_spec *spec, meso_device *device, bench_work *work,
                            meso_error *error);

/* Refuses with DEVICE to time a device that computes wrong: known answers, then every batch size as
 * it will be timed against the plain path. */
meso_status bench_work_check(bench_work *work, meso_error *error);

meso_status bench_work_call(bench_work *work, size_t batch, meso_error *error);

/* The model's own, or as much of it as a trainer has. */
meso_model_info bench_work_info(const bench_work *work);
const char *bench_work_path(const bench_work *work); /* what computes */
void bench_work_close(bench_work *work);             /* a zeroed one is allowed */

#endif
