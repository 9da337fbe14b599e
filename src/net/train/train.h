/* SPDX-License-Identifier: Apache-2.0
 *
 * What can compute a training step: the plain path (train_plain.c), one kernel for each layer and
 * direction, the same with kernels for GPUs, and whatever else fills in this table. A path holds
 * weights and moments on the device; src/model/train/trainer.c chooses it and keeps the count of
 * steps.
 *
 * The same seed gives the same bits on any number of lanes: sums over a batch are made in groups of
 * MESO_TRAIN_GROUP images (on the parallel path, of one), in the order of the images, and the
 * groups are added in order.
 */
#ifndef MESO_NET_TRAIN_H
#define MESO_NET_TRAIN_H

#include "mesocl/train.h"
#include "net/net.h"
#include "net/op/op.h"
#include "runtime/device.h"

/* items: of a work-group on the parallel path, 0 elsewhere. */
static inline size_t meso_train_groups(size_t n_images, size_t items)
{
    const size_t group = meso_train_group(items);
    return (n_images + group - 1) / group;
}

/* The images of a share of the groups. */
static inline meso_share meso_train_images(meso_share groups, size_t n_images)
{
    const size_t first = groups.first * MESO_TRAIN_GROUP, most = groups.n * MESO_TRAIN_GROUP;
    const size_t left = first < n_images ? n_images - first : 0;
    return (meso_share){first, most < left ? most : left};
}

/* Fixed for a run. */
typedef struct meso_train_settings {
    size_t max_batch; /* images of the largest step */
    size_t n_lanes;   /* at most so many; 0: all */
    meso_loss loss;
    meso_optimizer optimizer;
    double beta1, beta2, epsilon; /* Adam: 0.9, 0.999, 1e-7 */
    double momentum;              /* SGD */
    double bn_momentum;           /* of moving statistics: 0.99 */
    int bn_biased_variance; /* 0: moving variance N/(N−1)-corrected as Keras 2; 1: as Keras 3 */
    uint64_t seed;          /* of dropout */
    const unsigned char *frozen; /* by layer; outlives the run */
} meso_train_settings;

typedef struct meso_train_input {
    const meso_buffer *pixels; /* [n][height][width][channels] at the net's size */
    int is_float;              /* 0: 8-bit, divided as the net says */
    const uint8_t *classes;    /* [n], on the host */
    size_t n;
} meso_train_input;

/* Host arrays in the net's order of parameters; a list may be NULL: not wanted. Moments of
 * parameters that are not trained are not touched. */
typedef struct meso_train_values {
    float *const *params;
    float *const *first;  /* Adam's m, SGD's velocity */
    float *const *second; /* Adam's v */
    float *const *rest;   /* what rounding took from params */
} meso_train_values;

typedef enum meso_train_way { MESO_FROM_DEVICE, MESO_TO_DEVICE } meso_train_way;

typedef struct meso_train_result {
    double loss; /* mean over the batch */
    size_t n_correct;
} meso_train_result;

typedef struct meso_train_path {
    const char *name;
    /* *run is NULL where this path cannot train this net on this device. settings are copied, the
     * net outlives the run. Errors go to the device, here and below. */
    meso_status (*create)(meso_device *device, const meso_net *net,
                          const meso_train_settings *settings, void **run);
    meso_status (*copy)(void *run, const meso_train_values *values, meso_train_way way);
    /* One step, waited for; `step` counts from 1 and seeds dropout. The input is read before it
     * returns. */
    meso_status (*step)(void *run, const meso_train_input *input, uint64_t step,
                        double learning_rate, meso_train_result *result);
    /* Batch norm's moving statistics move by `rate` towards the batch's; nothing is trained. */
    meso_status (*statistics)(void *run, const meso_train_input *input, double rate);
    const char *(*tuning)(const void *run); /* the tuning row's name; NULL: the path has none */
    void (*close)(void *run);               /* NULL is allowed */
} meso_train_path;

extern const meso_train_path meso_train_plain, meso_train_parallel;

/* The parallel path on a device that it is not chosen for; *run is NULL where its work-groups are
 * too small. */
meso_status meso_train_parallel_create(meso_device *device, const meso_net *net,
                                       const meso_train_settings *settings, void **run);

/* 1 for a parameter that the optimiser changes. */
static inline int meso_train_is_trained(const meso_train_settings *settings,
                                        const meso_param *param)
{
    return !settings->frozen[param->layer] && param->kind != MESO_PARAM_MEAN &&
           param->kind != MESO_PARAM_VARIANCE;
}

#endif
