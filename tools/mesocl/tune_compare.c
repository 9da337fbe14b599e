/* SPDX-License-Identifier: Apache-2.0 */
#include "tune.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_builder.h"
#include "child.h"
#include "measure/samples.h"
#include "measure/work.h"
#include "model/model_tuning.h"
#include "net/strip/strip.h"
#include "net/tile/tile.h"
#include "runtime/clblast.h"

/* The smallest and the largest of six are a 95 % interval of the median. */
enum { least_rounds = 6, most_rounds = 200, hopeless_rounds = 3 };
static const double round_seconds = 0.05;
static const double final_seconds = 60; /* of a net that needs seconds for a picture */
static const double hopeless = 0.8;     /* a candidate so slow in its first rounds is given up */

/* A device with the work on it. */
typedef struct side {
    bench_spec spec;
    meso_device *device;
    bench_work work;
} side;

/* Opens what `rows` says, a document of tuning. */
static meso_status open_side(const json_t *job, json_t *rows, int plain, side *s, meso_error *error)
{
    s->spec = (bench_spec){.net = json_string_value(json_object_get(job, "net")),
                           .device = json_string_value(json_object_get(job, "device")),
                           .train = json_is_true(json_object_get(job, "train")),
                           .path = plain ? MESO_PATH_PLAIN : MESO_PATH_FUSED,
                           .n_batches = 1};
    s->spec.batches[0] = (size_t)json_integer_value(json_object_get(job, "batch"));
    meso_tuning_replace(rows);
    tool_child_announce(TUNE_PATIENCE);
    MESO_CHECK(meso_device_open(s->spec.device, &s->device, error));
    return bench_work_open(&s->spec, s->device, &s->work, error);
}

static void close_side(side *s)
{
    bench_work_close(&s->work);
    meso_device_close(s->device);
    *s = (side){0};
}

static meso_status call(side *s, meso_error *error)
{
    return bench_work_call(&s->work, s->spec.batches[0], error);
}

/* The largest difference in a probability, or in the loss of a step. */
static double difference(const side *a, const side *b)
{
    double largest = 0;
    if (a->work.trainer)
        return fabs(a->work.loss - b->work.loss);
    for (size_t i = 0; i < a->spec.batches[0]; i++) {
        double d = fabs(a->work.p[i].real - b->work.p[i].real);
        if (!(d <= largest))
            largest = d;
    }
    return largest;
}

/* The candidate against the plain kernels; the second step of training shows what the first one did
 * to the weights. *reason is the answer where it is wrong. */
static meso_status verify(const json_t *job, side *candidate, json_t **reason, meso_error *error)
{
    meso_status status = MESO_OK;
    side plain = {0};
    json_t *shipped = json_object();
    MESO_TRY(open_side(job, shipped, 1, &plain, error));
    for (int i = plain.spec.train ? 0 : 1; i < 2 && !*reason; i++) {
        MESO_TRY(call(&plain, error));
        tool_child_announce(TUNE_PATIENCE);
        MESO_TRY(call(candidate, error));
        double d = difference(candidate, &plain);
        if (!(d <= BENCH_TOLERANCE))
            *reason = json_sprintf("wrong: differs by %.3g from the plain kernels", d);
    }
out:
    close_side(&plain);
    json_decref(shipped);
    return status;
}

/* Seconds of one call, measured over as many as fill a round. */
static meso_status time_round(side *s, double *seconds, meso_error *error)
{
    tool_child_announce(TUNE_PATIENCE);
    const double started = meso_seconds();
    double now = started;
    int n = 0;
    for (; n == 0 || now - started < round_seconds; n++) {
        MESO_CHECK(call(s, error));
        now = meso_seconds();
    }
    *seconds = (now - started) / n;
    return MESO_OK;
}

/* The median's 95 % interval, by the order of the rounds: no shape of their noise is assumed. */
static void find_interval(const bench_samples *ratios, double *low, double *high)
{
    const double n = (double)ratios->n, k = fmax(0, floor((n - 1.96 * sqrt(n)) / 2));
    *low = bench_samples_quantile(ratios, k / (n - 1));
    *high = bench_samples_quantile(ratios, 1 - k / (n - 1));
}

static int is_decided(const bench_samples *ratios)
{
    double low, high;
    if (ratios->n < least_rounds)
        return ratios->n >= hopeless_rounds && bench_samples_summary(ratios).max < hopeless;
    find_interval(ratios, &low, &high);
    return low > 1 || high < 1;
}

/* In turns, the one that begins changing from round to round. */
static meso_status time_both(const json_t *job, side *base, side *candidate, json_t **answer,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t rounds = (size_t)json_integer_value(json_object_get(job, "rounds"));
    const double seconds_each = json_number_value(json_object_get(job, "seconds"));
    const double end = meso_seconds() + (rounds ? final_seconds : seconds_each);
    const double batch = (double)base->spec.batches[0];
    double seconds[2], low, high;
    bench_samples ratios = {0}, speeds = {0};
    MESO_REQUIRE_MEMORY(bench_samples_reserve(&ratios, most_rounds) &&
                            bench_samples_reserve(&speeds, most_rounds),
                        error);
    MESO_TRY(call(base, error)); /* drivers finish compiling at the first one */
    while (ratios.n < least_rounds || meso_seconds() < end) {
        if (rounds ? ratios.n == rounds : ratios.n == most_rounds || is_decided(&ratios))
            break;
        const size_t first = ratios.n % 2;
        side *const both[] = {base, candidate};
        for (size_t i = 0; i < 2; i++)
            MESO_TRY(time_round(both[(first + i) % 2], &seconds[(first + i) % 2], error));
        bench_samples_add(&ratios, seconds[0] / seconds[1]);
        bench_samples_add(&speeds, batch / seconds[1]);
    }
    find_interval(&ratios, &low, &high);
    *answer = json_pack("{s:o s:o s:o s:I s:o}", "ratio",
                        meso_json_number(bench_samples_summary(&ratios).median), "low",
                        meso_json_number(low), "high", meso_json_number(high), "rounds",
                        (json_int_t)ratios.n, "images_per_s",
                        meso_json_number(bench_samples_summary(&speeds).median));
out:
    bench_samples_free(&ratios);
    bench_samples_free(&speeds);
    return status;
}

static meso_status compare(const json_t *job, json_t **answer, meso_error *error)
{
    meso_status status = MESO_OK;
    const int plain = json_is_true(json_object_get(job, "plain"));
    side base = {0}, candidate = {0};
    json_t *reason = NULL;
    MESO_TRY(open_side(job, json_object_get(job, "candidate"), plain, &candidate, error));
    const meso_model_info info = bench_work_info(&candidate.work);
    if (strncmp(info.clblast, "switched off", strlen("switched off")) == 0)
        reason = json_sprintf("CLBlast is %s", info.clblast);
    else
        MESO_TRY(verify(job, &candidate, &reason, error));
    if (reason) {
        *answer = json_pack("{s:o}", "reason", reason);
        goto out;
    }
    MESO_TRY(open_side(job, json_object_get(job, "base"), plain, &base, error));
    MESO_TRY(time_both(job, &base, &candidate, answer, error));
out:
    close_side(&base);
    close_side(&candidate);
    return status;
}

static void add(json_t *rows, const meso_tuning_family *family, const int *values)
{
    json_object_set_new(rows, family->name, meso_tuning_values_json(family, values));
}

/* The rows that are there without any of the user's. */
static meso_status list_shipped(json_t *job, json_t **answer, meso_error *error)
{
    meso_status status = MESO_OK;
    side s = {0};
    int values[MESO_MAX_TUNABLES];
    json_t *shipped = json_object();
    *answer = json_object();
    MESO_TRY(open_side(job, shipped, 0, &s, error));
    const meso_device_info *info = meso_device_get_info(s.device);
    if (info->type == MESO_DEVICE_CPU && info->compute_units > 1) {
        values[0] = meso_device_n_lanes(s.device, 0) > 1;
        add(*answer, &meso_tuning_lanes, values);
    }
    values[0] = (int)meso_device_group_size(s.device, MESO_PROGRAM_PLAIN);
    add(*answer, &meso_tuning_plain, values);
    if (meso_model_tuning(s.work.model, &meso_tuning_clblast, values) && meso_clblast_load())
        add(*answer, &meso_tuning_clblast, values);
    if (meso_model_tuning(s.work.model, &meso_tuning_tiles, values))
        add(*answer, &meso_tuning_tiles, values);
    if (meso_model_tuning(s.work.model, &meso_tuning_fused, values)) {
        add(*answer, &meso_tuning_fused, values);
        close_side(&s);
        json_object_set_new(job, "train", json_true());
        MESO_TRY(open_side(job, shipped, 0, &s, error));
        if (*meso_trainer_tuning(s.work.trainer))
            add(*answer, &meso_tuning_fused_training, values);
    }
out:
    close_side(&s);
    json_decref(shipped);
    return status;
}

meso_status tune_child(json_t *question, json_t **answer, meso_error *error)
{
    meso_status status = json_object_get(question, "candidate")
                             ? compare(question, answer, error)
                             : list_shipped(question, answer, error);
    meso_tuning_replace(NULL);
    return status;
}
