/* SPDX-License-Identifier: Apache-2.0 */
#include "peak.h"

#include "base/clock.h"

enum { n_items = 64, n_chains = 12, n_tries = 5, groups_per_unit = 32, most_rounds = 1 << 28 };
enum { n_copies = 4, n_launches = 64, n_alone = 8, least_floats = 4 };

/* 32 MB of a CPU's memory. A GPU copies that in the time of a launch, half of it from its cache: it
 * gets 512 MB, or what fits a 64th of its memory twice. */
enum { cpu_copy_floats = 1 << 23, gpu_copy_floats = 1 << 27, small_part = 64 };

static const double launch_seconds = 0.01;

static const struct {
    meso_kernel_id kernel;
    int width;
} forms[] = {
    {MESO_KERNEL_PEAK_FLOAT4, 4}, {MESO_KERNEL_PEAK_FLOAT8, 8}, {MESO_KERNEL_PEAK_FLOAT16, 16}};
enum { n_forms = sizeof forms / sizeof forms[0] };

static meso_status run(const bench_peak *peak, double *seconds)
{
    double started = meso_seconds();
    MESO_CHECK(meso_launch(peak->device, forms[peak->form].kernel,
                           MESO_GLOBAL(n_items, peak->n_groups, 1),
                           MESO_ARGS(&peak->out, n_items, peak->rounds, 0.5, 0.5)));
    MESO_CHECK(meso_device_finish(peak->device));
    *seconds = meso_seconds() - started;
    return MESO_OK;
}

static meso_status measure_gflops(const bench_peak *peak, double *gflops)
{
    double seconds;
    meso_status status = run(peak, &seconds);
    if (status == MESO_OK)
        *gflops = 2e-9 * forms[peak->form].width * n_chains * n_items * peak->n_groups *
                  (double)peak->rounds / seconds;
    return status;
}

/* `floats` are copied by each of so many launches. */
static meso_status time_copies(const bench_peak *peak, int floats, int launches, double *seconds)
{
    double started = meso_seconds();
    for (int i = 0; i < launches; i++)
        MESO_CHECK(meso_launch(peak->device, MESO_KERNEL_PEAK_COPY, MESO_GLOBAL(floats / 4, 1, 1),
                               MESO_ARGS(&peak->from, &peak->to, floats / 4)));
    MESO_CHECK(meso_device_finish(peak->device));
    *seconds = meso_seconds() - started;
    return MESO_OK;
}

meso_status bench_peak_measure(bench_peak *peak, bench_peaks *peaks)
{
    double seconds, alone = 0;
    MESO_CHECK(measure_gflops(peak, &peaks->gflops));
    MESO_CHECK(time_copies(peak, peak->copy_floats, n_copies, &seconds));
    peaks->copy_gbs = 2e-9 * sizeof(float) * n_copies * peak->copy_floats / seconds;
    MESO_CHECK(time_copies(peak, least_floats, n_launches, &seconds));
    peaks->launch_us = 1e6 * seconds / n_launches;
    for (int i = 0; i < n_alone; i++) {
        MESO_CHECK(time_copies(peak, least_floats, 1, &seconds));
        alone += seconds;
    }
    peaks->launch_alone_us = 1e6 * alone / n_alone;
    return MESO_OK;
}

static int copy_floats_of(const meso_device_info *info)
{
    int floats = info->type == MESO_DEVICE_CPU ? cpu_copy_floats : gpu_copy_floats;
    while (floats > cpu_copy_floats &&
           2 * sizeof(float) * (uint64_t)floats > info->global_memory_bytes / small_part)
        floats /= 2;
    return floats;
}

/* As many rounds as launch_seconds allow; the first launch, which compiles, does not count. */
static meso_status calibrate(bench_peak *peak, int form)
{
    double seconds;
    peak->form = form;
    peak->width = forms[form].width;
    peak->rounds = 64;
    MESO_CHECK(run(peak, &seconds));
    for (;;) {
        MESO_CHECK(run(peak, &seconds));
        if (seconds >= launch_seconds || peak->rounds >= most_rounds)
            break;
        peak->rounds *= 2;
    }
    return MESO_OK;
}

/* The vector width with the fastest single launch; all widths are tried in turns. */
static meso_status choose_form(bench_peak *peak)
{
    bench_peak candidates[n_forms];
    double best = 0, gflops;
    for (int form = 0; form < n_forms; form++) {
        candidates[form] = *peak;
        MESO_CHECK(calibrate(&candidates[form], form));
    }
    for (int i = 0; i < n_tries * n_forms; i++) {
        MESO_CHECK(measure_gflops(&candidates[i % n_forms], &gflops));
        if (gflops > best) {
            best = gflops;
            *peak = candidates[i % n_forms];
        }
    }
    return MESO_OK;
}

meso_status bench_peak_open(meso_device *device, unsigned n_cores, bench_peak *peak)
{
    meso_status status = MESO_OK;
    const meso_device_info *info = meso_device_get_info(device);
    /* A group is never split over cores, so on a CPU the groups say how many work. */
    *peak = (bench_peak){.device = device,
                         .n_groups = info->type == MESO_DEVICE_CPU
                                         ? (int)n_cores
                                         : (int)info->compute_units * groups_per_unit,
                         .copy_floats = copy_floats_of(info)};
    const size_t copy_bytes = sizeof(float) * (size_t)peak->copy_floats;
    MESO_TRY(
        meso_buffer_create(device, sizeof(float) * n_items * (size_t)peak->n_groups, &peak->out));
    MESO_TRY(meso_buffer_create(device, copy_bytes, &peak->from));
    MESO_TRY(meso_buffer_create(device, copy_bytes, &peak->to));
    MESO_TRY(meso_buffer_zero(device, &peak->from));
    MESO_TRY(meso_buffer_zero(device, &peak->to));
    MESO_TRY(choose_form(peak));
out:
    if (status != MESO_OK)
        bench_peak_close(peak);
    return status;
}

void bench_peak_close(bench_peak *peak)
{
    meso_buffer_release(&peak->out);
    meso_buffer_release(&peak->from);
    meso_buffer_release(&peak->to);
}
