/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/op/op.h"
#include "report/report_json.h"

enum { most_calls = 256 }; /* of a round: each launch keeps an event */

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
                                           {"tile_head_*", 1, MOVES_UNKNOWN},
                                           {"tile_*_of_pixels", 1, MOVES_PIXELS},
                                           {"tile_*", 1, MOVES_BLOCK},
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

static json_t *row_json(const bench_layers *layers, size_t i)
{
    const meso_net *net = layers->work->net;
    const meso_profile_row *rows = layers->first;
    return json_pack(
        "{s:s s:s s:o s:o s:o s:b s:o}", "layer", rows[i].span, "kernel", rows[i].kernel,
        "launches", meso_json_number((double)rows[i].n_launches / (double)layers->calls),
        "multiply_adds", meso_json_number(multiply_adds_of(net, span_before(rows, i), &rows[i])),
        "bytes", meso_json_number(bytes_of(net, &rows[i])), "host_timer", rows[i].host_timer,
        "samples", bench_samples_json(&layers->samples[i]));
}

/* Calls under the profiler. */
static meso_status take_round(const bench_layers *layers, meso_profile_row **rows, size_t *n,
                              meso_error *error)
{
    bench_work *work = layers->work;
    meso_status status = meso_device_profile(work->device, layers->mode);
    for (size_t i = 0; i < layers->calls && status == MESO_OK; i++) {
        status = meso_device_mark_call(work->device);
        if (status == MESO_OK)
            MESO_TRY(bench_work_call(work, layers->batch, error));
    }
    if (status == MESO_OK)
        status = meso_device_mark_call(work->device);
    if (status == MESO_OK)
        status = meso_device_get_profile(work->device, rows, n);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(work->device));
out:
    meso_device_profile(work->device, MESO_PROFILE_OFF);
    return status;
}

static int any_host_timer(const meso_profile_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].host_timer)
            return 1;
    return 0;
}

meso_status bench_layers_open(bench_work *work, size_t batch, size_t calls, size_t n_rounds,
                              bench_layers *layers, meso_error *error)
{
    meso_status status = MESO_OK;
    *layers = (bench_layers){.work = work,
                             .batch = batch,
                             .calls = calls < most_calls ? calls : most_calls,
                             .mode = MESO_PROFILE_RUNNING};
    MESO_TRY(take_round(layers, &layers->first, &layers->n, error));
    if (any_host_timer(layers->first, layers->n))
        layers->mode = MESO_PROFILE_ALONE; /* the host's clock needs a launch for itself */
    layers->samples = calloc(layers->n + 1, sizeof *layers->samples);
    MESO_REQUIRE_MEMORY(layers->samples, error);
    for (size_t i = 0; i < layers->n; i++)
        MESO_REQUIRE(bench_samples_reserve(&layers->samples[i], n_rounds), error, MESO_ERROR_MEMORY,
                     "out of memory");
    for (int i = 0; i < MESO_N_IDLE; i++)
        MESO_REQUIRE(bench_samples_reserve(&layers->idle[i], n_rounds), error, MESO_ERROR_MEMORY,
                     "out of memory");
out:
    return status;
}

meso_status bench_layers_round(bench_layers *layers, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_profile_row *rows = NULL;
    const double images = (double)(layers->calls * layers->batch);
    double idle[MESO_N_IDLE];
    size_t n;
    MESO_TRY(take_round(layers, &rows, &n, error));
    MESO_REQUIRE(n == layers->n, error, MESO_ERROR_INTERNAL, "calls launch different kernels");
    if (layers->mode == MESO_PROFILE_RUNNING && any_host_timer(rows, n))
        goto out; /* times are lacking */
    for (size_t i = 0; i < n; i++)
        bench_samples_add(&layers->samples[i], rows[i].seconds / images);
    meso_device_get_idle(layers->work->device, idle);
    for (int i = 0; i < MESO_N_IDLE && isfinite(idle[i]); i++)
        bench_samples_add(&layers->idle[i], idle[i] / images);
out:
    free(rows);
    return status;
}

json_t *bench_layers_json(const bench_layers *layers)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < layers->n; i++)
        json_array_append_new(rows, row_json(layers, i));
    return rows;
}

json_t *bench_layers_idle_json(const bench_layers *layers)
{
    static const char *const names[MESO_N_IDLE] = {[MESO_IDLE_BEFORE] = "before the first kernel",
                                                   [MESO_IDLE_BETWEEN] = "between kernels",
                                                   [MESO_IDLE_AFTER] = "after the last kernel"};
    json_t *rows = json_array();
    for (int i = 0; i < MESO_N_IDLE && layers->idle[i].n > 0; i++)
        json_array_append_new(rows, json_pack("{s:s s:s s:i s:n s:n s:b s:o}", "layer",
                                              "launches and waiting", "kernel", names[i],
                                              "launches", 0, "multiply_adds", "bytes", "host_timer",
                                              0, "samples", bench_samples_json(&layers->idle[i])));
    return rows;
}

void bench_layers_close(bench_layers *layers)
{
    for (size_t i = 0; layers->samples && i < layers->n; i++)
        bench_samples_free(&layers->samples[i]);
    for (int i = 0; i < MESO_N_IDLE; i++)
        bench_samples_free(&layers->idle[i]);
    free(layers->samples);
    free(layers->first);
    *layers = (bench_layers){0};
}
