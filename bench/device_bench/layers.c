/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/op.h"
#include "report/report_json.h"
#include "samples.h"

enum { least_rounds = 5, most_rounds = 64 };

/* A kernel of a layer, in seconds an image. */
typedef struct row {
    const meso_profile_row *profile; /* of the first round */
    bench_samples seconds;
} row;

/* What is known of kernels by their names. */
typedef struct kernel_class {
    const char *pattern; /* fnmatch */
    int products; /* how often it does the multiply-adds of its layers: backward, for data and for
                     weights */
    enum { MOVES_UNKNOWN, MOVES_PLAIN, MOVES_BLOCK, MOVES_PIXELS } moves; /* see bytes_of */
} kernel_class;

static const kernel_class *class_of(const char *kernel)
{
    static const kernel_class classes[] = {{"conv_forward", 1, MOVES_PLAIN},
                                           {"dense_forward", 1, MOVES_PLAIN},
                                           {"*_backward_data", 1, MOVES_UNKNOWN},
                                           {"*_backward_weights", 1, MOVES_UNKNOWN},
                                           {"conv_rows", 1, MOVES_UNKNOWN},
                                           {"first_block", 1, MOVES_PIXELS},
                                           {"first_u8_forward", 1, MOVES_PIXELS},
                                           {"first_*ward", 1, MOVES_UNKNOWN},
                                           {"block_*_backward", 2, MOVES_UNKNOWN},
                                           {"block_*", 1, MOVES_BLOCK},
                                           {"head", 1, MOVES_UNKNOWN},
                                           {"train_head", 3, MOVES_UNKNOWN},
                                           {"*_forward", 0, MOVES_PLAIN},
                                           {"*", 0, MOVES_UNKNOWN}};
    const kernel_class *found = classes;
    while (fnmatch(found->pattern, kernel, 0) != 0)
        found++;
    return found;
}

static size_t layer_at(const meso_net *net, const char *name, meso_layer_info *info)
{
    size_t i, n = meso_net_n_layers(net);
    for (i = 0; i < n; i++) {
        meso_net_layer(net, i, info);
        if (strcmp(info->name, name) == 0)
            break;
    }
    return i;
}

/* Multiply-adds of an image that the span's kernel does: its layer's own, and those of layers
 * between the span before it and its own, which a fused kernel does along. NaN: none. */
static double multiply_adds_of(const meso_net *net, const char *before, const meso_profile_row *p)
{
    meso_layer_info info;
    double sum = 0;
    size_t first = before ? layer_at(net, before, &info) + 1 : 0;
    size_t last = layer_at(net, p->span, &info);
    int products = class_of(p->kernel)->products;
    if (last == meso_net_n_layers(net) || products == 0)
        return NAN;
    for (size_t i = first < last ? first : last; i <= last; i++) {
        meso_net_layer(net, i, &info);
        sum += products * (double)info.multiply_adds;
    }
    return sum > 0 ? sum : NAN;
}

static double floats_of(const meso_net *net, size_t layer)
{
    return (double)meso_shape_size(net->layers[layer].shape);
}

/* Bytes of an image that a forward kernel has to read and write at least: what comes in, as
 * 8-bit pixels or floats, and what goes out; a fused block's output is that of its pool. NaN: not
 * known. */
static double bytes_of(const meso_net *net, const meso_profile_row *p)
{
    const meso_layer *layer = meso_net_find(net, p->span);
    int moves = class_of(p->kernel)->moves, fused = moves != MOVES_PLAIN;
    double in = 0;
    if (!layer || moves == MOVES_UNKNOWN)
        return NAN;
    size_t from = (size_t)(layer - net->layers), to = from;
    while (fused && to + 1 < net->n_layers && net->layers[to].op != &meso_op_max_pool)
        to++;
    while (fused && from > 0 && net->layers[from].op != &meso_op_max_pool)
        from--;
    if (fused)
        in = floats_of(net, from) * (moves == MOVES_PIXELS ? 1 : sizeof(float));
    for (size_t i = 0; !fused && i < layer->n_inputs; i++)
        in += floats_of(net, layer->inputs[i]) * sizeof(float);
    return in + floats_of(net, to) * sizeof(float);
}

/* The span before this row's that another layer has. */
static const char *span_before(const meso_profile_row *rows, size_t i)
{
    for (size_t k = i; k-- > 0;)
        if (strcmp(rows[k].span, rows[i].span) != 0)
            return rows[k].span;
    return NULL;
}

static json_t *row_json(const bench_work *work, const meso_profile_row *rows, size_t i,
                        const bench_samples *seconds, double calls)
{
    const meso_net *net = meso_model_net(work->model);
    return json_pack("{s:s s:s s:o s:o s:o s:b s:o}", "layer", rows[i].span, "kernel",
                     rows[i].kernel, "launches",
                     report_json_number((double)rows[i].n_launches / calls), "multiply_adds",
                     report_json_number(multiply_adds_of(net, span_before(rows, i), &rows[i])),
                     "bytes", report_json_number(bytes_of(net, &rows[i])), "host_timer",
                     rows[i].host_timer, "samples", bench_samples_json(seconds));
}

/* One round: calls under the profiler, as many as make a sample. */
static meso_status take_round(bench_work *work, size_t batch, size_t calls, meso_profile_row **rows,
                              size_t *n, meso_error *error)
{
    meso_status status = meso_device_profile(work->device, 1);
    for (size_t i = 0; i < calls && status == MESO_OK; i++)
        MESO_TRY(bench_work_call(work, batch, error));
    if (status == MESO_OK)
        status = meso_device_get_profile(work->device, rows, n);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(work->device));
out:
    return status;
}

meso_status bench_layers_run(bench_work *work, size_t batch, double seconds, json_t **layers,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_profile_row *first = NULL, *rows = NULL;
    bench_samples *samples = NULL;
    size_t n_first, n, calls = batch < 8 ? 8 / batch : 1;
    const double end = meso_seconds() + seconds;
    *layers = json_array();
    MESO_TRY(take_round(work, batch, calls, &first, &n_first, error)); /* queues warm up */
    samples = calloc(n_first + 1, sizeof *samples);
    MESO_REQUIRE_MEMORY(samples, error);
    for (size_t i = 0; i < n_first; i++)
        MESO_REQUIRE(bench_samples_reserve(&samples[i], most_rounds), error, MESO_ERROR_MEMORY,
                     "out of memory");
    for (int r = 0; r < least_rounds || (meso_seconds() < end && r < most_rounds); r++) {
        free(rows);
        rows = NULL;
        MESO_TRY(take_round(work, batch, calls, &rows, &n, error));
        MESO_REQUIRE(n == n_first, error, MESO_ERROR_INTERNAL, "calls launch different kernels");
        for (size_t i = 0; i < n; i++)
            bench_samples_add(&samples[i], rows[i].seconds / (double)(calls * batch));
    }
    for (size_t i = 0; i < n_first; i++)
        json_array_append_new(*layers, row_json(work, first, i, &samples[i], (double)calls));
out:
    meso_device_profile(work->device, 0);
    for (size_t i = 0; samples && i < n_first; i++)
        bench_samples_free(&samples[i]);
    free(samples);
    free(first);
    free(rows);
    return status;
}
