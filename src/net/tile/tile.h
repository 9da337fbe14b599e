/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused kernels for GPUs, on planar tensors. tile_find.c finds the layers and sizes the
 * work-groups, tile_params.c orders the parameters, tile_source.c writes the program, tile_run.c
 * runs it. What is not fused stays with the plain kernels: both have one layout, so they mix freely
 * in a plan.
 */
#ifndef MESO_NET_TILE_H
#define MESO_NET_TILE_H

#include "base/text.h"
#include "net/block/block.h"
#include "net/plan.h"
#include "runtime/tuning.h"

/* One row of tuning: everything about the tile kernels that depends on the device. */
typedef struct meso_tile_tuning {
    int width;    /* work-items of a work-group side by side; each has 2 × 2 pixels */
    int items;    /* work-items of a work-group */
    int filters;  /* that a work-item computes: 4, 8 or 16 */
    int channels; /* in local memory at a time */
    int local;    /* 1: much is in local memory: a block's filters, all branches of an inception
                     block; 0: filters are __constant, branches come in passes of `channels` */
} meso_tile_tuning;

meso_tile_tuning meso_tile_shipped(unsigned vendor); /* CL_DEVICE_VENDOR_ID; 0: of no maker */
/* For so few pictures that the row leaves compute units without work: smaller work-groups of
 * work-items that compute fewer filters. */
meso_tile_tuning meso_tile_few(const meso_tile_tuning *row);
extern const meso_tuning_family meso_tuning_tiles;

/* What a kernel computes. */
typedef enum meso_tile_kind {
    MESO_TILE_BLOCK,     /* convolution, bias, activation, batch norm, max-pool */
    MESO_TILE_INCEPTION, /* the same with dilated branches in the convolution's place */
    MESO_TILE_HEAD,      /* flatten, dense, bias, activation, dense, bias */
    MESO_TILE_N_KINDS
} meso_tile_kind;

/* The files of cl/ that hold them; kernels are named after them. */
extern const char *const meso_tile_templates[MESO_TILE_N_KINDS];

/* Layers whose kernel fits the device. */
typedef struct meso_tile_block {
    meso_plan_block part; /* stands first: what the plan knows of it */
    meso_tile_kind kind;
    meso_block layers; /* of a head the activation alone */
    meso_head head;
    meso_shape in;
    int taps;                     /* an inception block's: of its widest window, gaps included */
    int wide, high;               /* work-items for an image */
    int group_x, group_y, images; /* of a work-group */
    int filters, filter_groups;   /* of a work-item; how many of them there are */
    int channels; /* in local memory at a time, at most; an inception block's: of 1 × 1 filters */
    int stride;   /* floats from a row of a tile to the next */
    int local;    /* filters in local memory */
    size_t found_at; /* the layer whose limits it keeps */
} meso_tile_block;

/* What a block may have: work-items of a work-group, local memory, __constant filters. */
typedef struct meso_tile_limits {
    size_t items, local_bytes, constant_bytes;
} meso_tile_limits;

/* Finds every block of the net that fits the limits, in order; at most MESO_MAX_BLOCKS. limits
 * [n_layers]: of a block that is found at that layer. */
size_t meso_tile_find(const meso_net *net, const meso_tile_tuning *tuning,
                      const meso_tile_limits *limits, meso_tile_block blocks[MESO_MAX_BLOCKS]);

/* Channels of an inception block's 1 × 1 filters that are in local memory in one pass: of the
 * branches from `first` on, *reduced in all. Returns the first branch of the next pass. */
size_t meso_tile_pass(const meso_tile_block *block, size_t first, int *reduced);
int meso_tile_all_reduced(const meso_tile_block *block); /* of all passes */

/* Vectors of `filters` floats that the kernel keeps pixels in. */
size_t meso_tile_scratch(const meso_tile_block *block);

/* How many filters of a branch, from its filter k on, a work-item computes together. */
static inline int meso_tile_together(const meso_tile_block *block, const meso_block_branch *branch,
                                     int k)
{
    const int left = branch->conv.layer->shape.c - k;
    return left < block->filters ? left : block->filters;
}

/* The kernel's two buffers of parameters. A block's: filters [filter group][channel][row][column]
 * [filter], and the affine [bias, scale, shift, sign][filter], both with zeros for filters that the
 * last group lacks. The others': cl/tile/tile_inception.cl and cl/tile/tile_head.cl. */
typedef struct meso_tile_params {
    float *filters, *affine;
    size_t n_filters, n_affine;
} meso_tile_params;

/* Floats of an inception block's filters. */
size_t meso_tile_n_inception_values(const meso_tile_block *block);

/* The caller frees both, also where one is NULL: out of memory. */
meso_tile_params meso_tile_make_params(const meso_tile_block *block, const float *const *params);

/* The kernel `name` for that kind of input. Errors: INTERNAL. */
meso_status meso_tile_write(meso_text *source, const meso_net *net, const meso_tile_block *block,
                            meso_plan_input input, const char *name, meso_error *error);

typedef struct meso_tile_run meso_tile_run;

/* Finds, compiles and uploads. params: the net's, on the host. only: this row, for tests; NULL: the
 * user's, else the shipped one. *run is NULL where nothing can be fused. Errors go to the device.
 */
meso_status meso_tile_create(meso_device *device, const meso_net *net, const float *const *params,
                             const meso_tile_tuning *only, meso_tile_run **run);
void meso_tile_close(meso_tile_run *run); /* NULL is allowed */

/* For a plan of the net. Each of them is the `part` of a meso_tile_block. */
const meso_plan_blocks *meso_tile_blocks(const meso_tile_run *run);

const char *meso_tile_tuning_name(const meso_tile_run *run); /* holds a measured row's values */
size_t meso_tile_n_layers(const meso_tile_run *run);         /* of all blocks */
void meso_tile_tuning_values(const meso_tile_run *run, int *values);

#endif
