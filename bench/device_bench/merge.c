/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <math.h>

#include "base/random.h"
#include "measure/samples.h"
#include "report/report_json.h"

enum { n_resamples = 1000 };

/* It drifts where the last third of its samples differs by more from the first. */
static const double noisy = BENCH_NOISY, drifting = 0.05;

/* All numbers of lists [process][sample], without what is none. */
static bench_samples flatten(const json_t *lists)
{
    bench_samples all = {0};
    size_t n = 0, i, k;
    const json_t *list, *value;
    json_array_foreach (lists, i, list)
        n += json_array_size(list);
    if (n > 0 && bench_samples_reserve(&all, n))
        json_array_foreach (lists, i, list)
            json_array_foreach (list, k, value)
                if (json_is_number(value))
                    bench_samples_add(&all, json_number_value(value));
    return all;
}

static bench_summary summary_of(const json_t *lists)
{
    bench_samples all = flatten(lists);
    bench_summary summary = bench_samples_summary(&all);
    bench_samples_free(&all);
    return summary;
}

/* One resample: processes with replacement, then samples of each. */
static void resample(const json_t *lists, meso_random *random, bench_samples *out)
{
    size_t n = json_array_size(lists);
    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *list = json_array_get(lists, meso_random_below(random, n));
        size_t m = json_array_size(list);
        for (size_t k = 0; k < m && out->n < out->capacity; k++)
            bench_samples_add(
                out, json_number_value(json_array_get(list, meso_random_below(random, m))));
    }
}

/* 95 % percentile interval of the median by bootstrap. */
static void interval_of(const json_t *lists, double *low, double *high)
{
    meso_random random = {1};
    bench_samples all = flatten(lists), medians;
    *low = *high = NAN;
    if (all.n > 0 && bench_samples_reserve(&medians, n_resamples)) {
        for (int r = 0; r < n_resamples; r++) {
            resample(lists, &random, &all);
            bench_samples_add(&medians, bench_samples_summary(&all).median);
        }
        *low = bench_samples_quantile(&medians, 0.025);
        *high = bench_samples_quantile(&medians, 0.975);
        bench_samples_free(&medians);
    }
    bench_samples_free(&all);
}

/* [process] → [process][samples] of one key; of a member `key` of element i of the list `of`, if
 * that is not NULL. */
static json_t *gather(const json_t *processes, const char *of, size_t i, const char *key)
{
    json_t *lists = json_array(), *process;
    size_t p;
    json_array_foreach (processes, p, process) {
        const json_t *from = of ? json_array_get(json_object_get(process, of), i) : process;
        json_t *list = json_object_get(from, key);
        if (list)
            json_array_append(lists, list);
    }
    return lists;
}

/* The median over processes of a number of each. */
static double median_number(const json_t *processes, const char *of, size_t i, const char *key)
{
    json_t *numbers = gather(processes, of, i, key), *lists = json_pack("[O]", numbers);
    double median = summary_of(lists).median;
    json_decref(lists);
    json_decref(numbers);
    return median;
}

static void copy(meso_builder *row, const json_t *from, const char *const *keys)
{
    for (; *keys; keys++)
        if (json_object_get(from, *keys))
            meso_build_set(row, *keys, json_incref(json_object_get(from, *keys)));
}

/* Seconds an image of one kernel. peak: of the device; peak_alone: of what of it works for a launch
 * that is waited for. */
static json_t *layer_row(const json_t *first, json_t *samples, double peak, double peak_alone)
{
    static const char *const keys[] = {"layer", "kernel",     "launches", "multiply_adds",
                                       "bytes", "host_timer", NULL};
    meso_builder row = meso_build_object();
    double low, high, seconds = summary_of(samples).median;
    double gflops = 2e-9 * meso_json_number_of(first, "multiply_adds") / seconds;
    int alone = json_is_true(json_object_get(first, "host_timer"));
    interval_of(samples, &low, &high);
    copy(&row, first, keys);
    meso_build_number(&row, "us", 1e6 * seconds);
    meso_build_number(&row, "us_low", 1e6 * low);
    meso_build_number(&row, "us_high", 1e6 * high);
    meso_build_number(&row, "gflops", gflops);
    meso_build_number(&row, "share_of_peak", gflops / (alone ? peak_alone : peak));
    meso_build_number(&row, "gbs", 1e-9 * meso_json_number_of(first, "bytes") / seconds);
    meso_build_set(&row, "samples", samples);
    return meso_build_end(&row);
}

/* [process][row] → [process] samples of row l. */
static json_t *samples_of(const json_t *lists, size_t l)
{
    json_t *samples = json_array(), *rows;
    size_t p;
    json_array_foreach (lists, p, rows)
        json_array_append(samples, json_object_get(json_array_get(rows, l), "samples"));
    return samples;
}

/* Layers of case i, or what it takes beside them, by `key`. */
static json_t *layer_rows(const json_t *processes, size_t i, const char *key, double peak,
                          double peak_alone)
{
    json_t *rows = json_array(), *layers = gather(processes, "cases", i, key), *layer;
    size_t l;
    json_array_foreach (json_array_get(layers, 0), l, layer)
        json_array_append_new(rows, layer_row(layer, samples_of(layers, l), peak, peak_alone));
    json_decref(layers);
    return rows;
}

/* How much of an image's time these rows explain. NaN: there are none, or not all were timed as
 * they run. */
static double share_in(const json_t *rows, double images_per_s)
{
    const json_t *row;
    size_t l;
    double us = 0;
    json_array_foreach (rows, l, row)
        us +=
            json_is_true(json_object_get(row, "host_timer")) ? NAN : meso_json_number_of(row, "us");
    return l > 0 ? 1e-6 * us * images_per_s : NAN;
}

/* The largest median of a process: what the device can do where nothing else runs. NaN: none. */
static double peak_of(const json_t *peaks)
{
    double largest = NAN;
    json_t *list;
    size_t i;
    json_array_foreach (peaks, i, list) {
        json_t *lists = json_pack("[O]", list);
        largest = fmax(largest, summary_of(lists).median);
        json_decref(lists);
    }
    return largest;
}

/* *moved: by which part of it the peak spread or drifted; may be NULL. */
static json_t *flags_of(const json_t *peaks, double *moved)
{
    json_t *flags = json_array();
    bench_summary s = summary_of(peaks);
    bench_samples all = flatten(peaks);
    size_t third = all.n / 3;
    double most = (s.p90 - s.p10) / s.median;
    if (most > noisy)
        json_array_append_new(flags, json_string("noisy"));
    if (third > 0) {
        const bench_samples begin = {all.values, third, third};
        const bench_samples end = {all.values + all.n - third, third, third};
        double change = bench_samples_summary(&end).median / bench_samples_summary(&begin).median;
        if (fabs(change - 1) > drifting)
            json_array_append_new(flags, json_string("drift"));
        most = fmax(most, fabs(change - 1));
    }
    if (moved)
        *moved = most;
    bench_samples_free(&all);
    return flags;
}

static void add_rates(meso_builder *row, const json_t *samples, double batch, double multiply_adds,
                      double peak)
{
    bench_summary s = summary_of(samples);
    double low, high, gflops = 2e-9 * multiply_adds * s.median;
    interval_of(samples, &low, &high);
    meso_build_number(row, "images_per_s", s.median);
    meso_build_number(row, "images_per_s_low", low);
    meso_build_number(row, "images_per_s_high", high);
    meso_build_number(row, "images_per_s_min", s.min);
    meso_build_number(row, "images_per_s_p10", s.p10);
    meso_build_number(row, "images_per_s_p90", s.p90);
    meso_build_number(row, "images_per_s_max", s.max);
    meso_build_number(row, "latency_ms", 1e3 * batch / s.median);
    meso_build_number(row, "gflops", gflops);
    meso_build_number(row, "share_of_peak", gflops / peak);
}

/* The bound of the processor's ports, and the share of it, also as people read it. */
static void add_ports(meso_builder *row, const json_t *first, double peak, double images_per_s)
{
    const double bound = bench_port_bound(first, peak), share = images_per_s / bound;
    const int counted = isfinite(bench_port_bound(first, 1));
    meso_build_number(row, "port_bound_images_per_s", bound);
    meso_build_number(row, "share_of_ports", share);
    meso_build_set(row, "ports",
                   isfinite(share) ? json_sprintf("%.3f", share)
                                   : json_string(counted ? "not said" : "not counted"));
}

/* The peak that shares refer to; NaN, and why, where it moved: beside other work no share means
 * anything. */
static double peak_for_shares(const json_t *peaks, meso_builder *row)
{
    double moved;
    json_t *flags = flags_of(peaks, &moved);
    json_decref(flags);
    if (!(moved > noisy))
        return peak_of(peaks);
    meso_build_set(row, "share_not_said",
                   json_sprintf("the machine was busy: the peak moved by %.0f %%", 100 * moved));
    return NAN;
}

static json_t *result_row(const json_t *processes, size_t i, const json_t *peaks)
{
    static const char *const keys[] = {
        "device",  "type",         "driver",    "platform",      "net",
        "weights", "weights_hash", "direction", "path",          "tuning",
        "clblast", "lanes",        "threads",   "multiply_adds", NULL};
    static const char *const medians[] = {"latency_p50_ms", "latency_p90_ms", "latency_p99_ms",
                                          "joules_per_image"};
    const json_t *first = json_array_get(processes, 0);
    meso_builder row = meso_build_object();
    json_t *samples = gather(processes, "cases", i, "samples");
    double batch = meso_json_number_of(json_array_get(json_object_get(first, "cases"), i), "batch");
    double peak = peak_for_shares(peaks, &row), threads = meso_json_number_of(first, "threads");
    copy(&row, first, keys);
    meso_build_count(&row, "batch", (size_t)batch);
    add_rates(&row, samples, batch, meso_json_number_of(first, "multiply_adds"), peak);
    for (size_t m = 0; m < sizeof medians / sizeof medians[0]; m++)
        meso_build_number(&row, medians[m], median_number(processes, "cases", i, medians[m]));
    meso_build_number(&row, "largest_difference", meso_json_number_of(first, "largest_difference"));
    meso_build_number(&row, "open_seconds", median_number(processes, NULL, 0, "open_seconds"));
    meso_build_number(&row, "first_call_seconds",
                      median_number(processes, NULL, 0, "first_call_seconds"));
    meso_build_number(&row, "peak_gflops", peak_of(peaks));
    json_t *own_peaks = gather(processes, NULL, 0, "peak_samples");
    meso_build_set(&row, "flags", flags_of(own_peaks, NULL));
    json_decref(own_peaks);
    meso_build_count(&row, "processes", json_array_size(processes));
    meso_build_count(&row, "rounds", json_array_size(json_array_get(samples, 0)));
    meso_build_set(&row, "samples", samples);
    double peak_alone = meso_json_number_of(first, "lanes") > 1 ? peak / threads : peak;
    json_t *layers = layer_rows(processes, i, "layers", peak, peak_alone);
    json_t *launches = layer_rows(processes, i, "launches", peak, peak_alone);
    double speed = meso_json_number_of(row.json, "images_per_s");
    double in_kernels = share_in(layers, speed);
    add_ports(&row, first, peak, speed);
    meso_build_number(&row, "share_in_kernels", in_kernels);
    meso_build_number(&row, "share_explained", in_kernels + share_in(launches, speed));
    meso_build_number(&row, "kernels_images_per_s", speed / in_kernels);
    json_t *streams = gather(processes, "cases", i, "stream_samples");
    meso_build_number(&row, "stream_images_per_s", summary_of(streams).median);
    json_decref(streams);
    meso_build_set(&row, "layers", layers);
    meso_build_set(&row, "launches", launches);
    return meso_build_end(&row);
}

/* A device of which several nets were measured stands once, with the peaks of all. */
static void add_device(const json_t *processes, json_t *device_id, const json_t *peaks,
                       json_t *devices)
{
    double moved;
    static const char *const keys[] = {"device",         "type",    "driver",
                                       "platform",       "threads", "peak_vector_width",
                                       "energy_counter", NULL};
    const json_t *first = json_array_get(processes, 0), *device;
    size_t i;
    json_array_foreach (devices, i, device)
        if (json_equal(json_object_get(device, "device_id"), device_id))
            return;
    meso_builder row = meso_build_object();
    json_t *copies = gather(processes, NULL, 0, "copy_samples");
    json_t *launches = gather(processes, NULL, 0, "launch_samples");
    json_t *alone = gather(processes, NULL, 0, "launch_alone_samples");
    meso_build_set(&row, "device_id", json_incref(device_id));
    copy(&row, first, keys);
    meso_build_number(&row, "peak_gflops", peak_of(peaks));
    meso_build_number(&row, "copy_gbs", summary_of(copies).median);
    meso_build_number(&row, "launch_us", summary_of(launches).median);
    meso_build_number(&row, "launch_alone_us", summary_of(alone).median);
    meso_build_set(&row, "flags", flags_of(peaks, &moved));
    meso_build_number(&row, "peak_moved", moved);
    meso_build_set(&row, "peak_samples", json_incref((json_t *)peaks));
    json_array_append_new(devices, meso_build_end(&row));
    json_decref(copies);
    json_decref(launches);
    json_decref(alone);
}

void bench_merge(const json_t *processes, json_t *device_id, const json_t *peaks, json_t *document)
{
    json_t *results = json_object_get(document, "results");
    size_t n = json_array_size(json_object_get(json_array_get(processes, 0), "cases"));
    for (size_t i = 0; i < n; i++) {
        json_t *row = result_row(processes, i, peaks);
        json_object_set(row, "device_id", device_id);
        json_array_append_new(results, row);
    }
    add_device(processes, device_id, peaks, json_object_get(document, "devices"));
    json_decref(device_id);
}
