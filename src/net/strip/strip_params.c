/* SPDX-License-Identifier: Apache-2.0
 *
 * A fused block's parameters as its kernel takes them.
 */
#include <stdlib.h>
#include <string.h>

#include "net/strip/strip.h"

/* scale, shift, sign of each filter, and which filters are negated. */
static void fold_norm(const meso_block *block, const float *const *params, float *affine,
                      int *negate)
{
    const size_t n = (size_t)block->conv->shape.c;
    for (size_t k = 0; k < n; k++) {
        double shift, scale = meso_block_fold_norm(block->norm, params, k, &shift);
        negate[k] = scale < 0;
        affine[n + k] = (float)scale;
        affine[2 * n + k] = (float)shift;
        affine[3 * n + k] = negate[k] ? -1 : 1;
    }
}

size_t meso_strip_n_branch_values(const meso_block_branch *branch)
{
    const meso_block_conv *reduce = &branch->reduce;
    return meso_strip_n_filter_values(&branch->conv) +
           (reduce->layer ? meso_strip_n_filter_values(reduce) + (size_t)reduce->layer->shape.c
                          : 0);
}

/* Filters and bias of the convolution in front, if any, then filters. Returns the end. */
static float *write_branch(const meso_block_branch *branch, const float *const *params,
                           const int *negate, double divide, float *to)
{
    const meso_block_conv *conv = &branch->conv, *reduce = &branch->reduce;
    if (reduce->layer) {
        size_t n = (size_t)reduce->layer->shape.c;
        meso_strip_filters(reduce, meso_block_param(params, reduce->layer, 0), NULL, divide, to);
        to += meso_strip_n_filter_values(reduce);
        memcpy(to, meso_block_param(params, reduce->bias, 0), n * sizeof *to);
        to += n;
        divide = 1;
    }
    meso_strip_filters(conv, meso_block_param(params, conv->layer, 0), negate, divide, to);
    return to + meso_strip_n_filter_values(conv);
}

void meso_strip_params(const meso_block *block, const float *const *params, double divide,
                       float **filters, size_t *n_filters, float **affine)
{
    const meso_block_branch *branches = block->branches;
    const size_t n = (size_t)block->conv->shape.c;
    int *negate = calloc(n, sizeof *negate);
    *n_filters = 0;
    for (size_t i = 0; i < block->n_branches; i++)
        *n_filters += meso_strip_n_branch_values(&branches[i]);
    *affine = calloc(4 * n, sizeof **affine);
    *filters = negate && *affine ? calloc(*n_filters, sizeof **filters) : NULL;
    if (*filters) {
        float *to = *filters;
        size_t k = 0;
        fold_norm(block, params, *affine, negate);
        for (size_t i = 0; i < block->n_branches; i++) {
            const meso_block_conv *conv = &branches[i].conv;
            size_t count = (size_t)conv->layer->shape.c;
            memcpy(*affine + k, meso_block_param(params, conv->bias, 0), count * sizeof **affine);
            to = write_branch(&branches[i], params, negate + k, divide, to);
            k += count;
        }
    }
    free(negate);
}

float *meso_strip_hidden(const meso_strip_plan *plan, const float *kernel)
{
    const meso_strip_shape *in = &plan->blocks[plan->n_blocks - 1].out;
    const meso_shape s = in->shape;
    const size_t units = (size_t)plan->head.hidden->set.dense.units;
    float *out = calloc(meso_shape_size(s) * units, sizeof *out);
    for (int c = 0; out && c < s.c; c++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++) {
                size_t from = ((size_t)y * (size_t)s.w + (size_t)x) * (size_t)s.c + (size_t)c;
                size_t to = meso_strip_offset(in, plan->tuning.lanes, c, y, x);
                for (size_t u = 0; u < units; u++)
                    out[to * units + u] = kernel[from * units + u];
            }
    return out;
}
