/* SPDX-License-Identifier: Apache-2.0
 *
 * How a net's output is computed: a row for each way, as for training (net/train/train.h). infer.c
 * chooses a row; who has one asks it, and never which one it is.
 */
#ifndef MESO_NET_INFER_H
#define MESO_NET_INFER_H

#include "mesocl/model.h"
#include "net/plan.h"
#include "runtime/tuning.h"

typedef struct meso_infer_settings {
    const float *const *params; /* the net's in its order, on the host; read while it is created */
    size_t n_lanes;             /* at most so many, 0 for all */
    size_t last;                /* the layer whose output is wanted */
} meso_infer_settings;

/* What a run is, and how it likes to be asked. */
typedef struct meso_infer_about {
    const char *tuning; /* its tuning row's name; "": none */
    char clblast[MESO_PRODUCTS_TEXT];
    size_t n_fused_layers, n_lanes;
    int any_layer; /* `last` of a call may be any layer; else it is that of the settings */
    size_t batch;  /* images at once */
    /* Of streams, whose pictures come in slots, one after another. */
    int starts;     /* `start` can be called */
    int copies;     /* pictures are copied to the device first, beside what it computes; else each
                       slot is computed by one lane */
    size_t n_slots; /* that keep it at work */
    size_t slot_batch, most_in_slot;
} meso_infer_about;

/* What computes: strips, or a plan. */
typedef struct meso_infer_kind {
    /* *run is NULL where this net cannot be computed so on this device. The net outlives the run.
     * Errors go to the device, here and below. */
    meso_status (*create)(meso_device *device, const meso_net *net,
                          const meso_infer_settings *settings, meso_path path, void **run);
    /* Room for n images at once, where there is less; 0: for none. The next two make it, too. */
    meso_status (*reserve)(void *run, size_t n);
    /* The output of layer `last`, [n][height][width][channels], when it returns. */
    meso_status (*compute)(void *run, const meso_pictures *pictures, size_t last, float *out);
    /* The same without waiting, from a buffer that work on the lane in use fills. The output passes
     * through `results` and is in `out` when `done` has been waited for; until then all of these
     * must stay. */
    meso_status (*start)(void *run, const meso_pictures *pictures, size_t last,
                         const meso_buffer *results, float *out, meso_event *done);
    void (*describe)(const void *run, meso_infer_about *about);
    /* The values of the family's row that the run goes by; 0: the family is none of its own. */
    int (*tuning)(const void *run, const meso_tuning_family *family, int *values);
    void (*close)(void *run); /* NULL is allowed */
} meso_infer_kind;

extern const meso_infer_kind meso_infer_strips; /* strip/strip_infer.c */

typedef struct meso_infer {
    meso_path path;
    const meso_infer_kind *kind;
    void *run;
} meso_infer;

/* By the path that is wanted, else by plain kernels. */
meso_status meso_infer_open(meso_device *device, const meso_net *net, meso_path wanted,
                            const meso_infer_settings *settings, meso_infer *infer);
void meso_infer_close(meso_infer *infer); /* an empty one is allowed; empties it */

#endif
