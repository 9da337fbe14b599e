/* SPDX-License-Identifier: Apache-2.0 */
#include "net_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "mesocl/selftest.h"

/* Calls go through at least so many pictures in turn: 12 MB of 256 × 256, more than a core's own
 * caches hold, as when pictures come from a decoder. */
enum { least_pictures = 64, grid_points = 7, least_rounds = 5, most_warm_up = 40 };

static const double sample_seconds = 0.1; /* the clock and the scheduler are finer than 1 % of it */
static const double stable = 0.03;        /* warm when two samples differ by less than this part */

static int ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

static meso_status open_model(const bench_net *bench, meso_device *device,
                              const meso_model_options *options, meso_model **model,
                              meso_error *error)
{
    meso_status status = MESO_OK;
    meso_net *net = NULL;
    if (ends_with(bench->name, ".safetensors"))
        return meso_model_open(device, bench->name, options, model, error);
    MESO_TRY(meso_net_open(bench->name, &net, error));
    MESO_TRY(meso_model_random(device, net, BENCH_SEED, options, model, error));
out:
    meso_net_close(net);
    return status;
}

static size_t largest_batch(const bench_net *bench)
{
    size_t largest = 0;
    for (size_t i = 0; i < bench->n_cases; i++)
        if (bench->cases[i].batch > largest)
            largest = bench->cases[i].batch;
    return largest;
}

static size_t picture_bytes(const bench_net *bench)
{
    return (size_t)3 * bench->info.width * bench->info.height;
}

/* One picture: random colours at grid points, bilinear between them, and some noise. Of noise
 * alone, trained nets are so sure that every answer is 0 or 1, and a comparison of answers says
 * nothing. */
static void draw_picture(meso_random *random, unsigned width, unsigned height, uint8_t *pixels)
{
    double grid[grid_points][grid_points][3];
    for (size_t i = 0; i < sizeof grid / sizeof(double); i++)
        (&grid[0][0][0])[i] = meso_random_uniform(random, 0, 256);
    for (unsigned y = 0; y < height; y++)
        for (unsigned x = 0; x < width; x++) {
            double gy = (double)y * (grid_points - 1) / height;
            double gx = (double)x * (grid_points - 1) / width;
            size_t row = (size_t)gy, column = (size_t)gx;
            double fy = gy - (double)row, fx = gx - (double)column;
            for (int c = 0; c < 3; c++) {
                double above = (1 - fx) * grid[row][column][c] + fx * grid[row][column + 1][c];
                double below =
                    (1 - fx) * grid[row + 1][column][c] + fx * grid[row + 1][column + 1][c];
                double value = (1 - fy) * above + fy * below + meso_random_uniform(random, -8, 8);
                *pixels++ = (uint8_t)fmin(fmax(value, 0), 255);
            }
        }
}

static meso_status draw_pictures(bench_net *bench, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_random random = {BENCH_SEED};
    size_t largest = largest_batch(bench);
    bench->n_pictures = largest > least_pictures ? largest : least_pictures;
    bench->pixels = malloc(bench->n_pictures * picture_bytes(bench));
    bench->p = calloc(bench->n_pictures, sizeof *bench->p);
    MESO_REQUIRE_MEMORY(bench->pixels, error);
    MESO_REQUIRE_MEMORY(bench->p, error);
    for (size_t i = 0; i < bench->n_pictures; i++)
        draw_picture(&random, bench->info.width, bench->info.height,
                     bench->pixels + i * picture_bytes(bench));
out:
    return status;
}

static meso_status predict(bench_net *bench, meso_model *model, size_t first, size_t n,
                           meso_probability *p, meso_error *error)
{
    meso_status status =
        meso_predict_rgb8(model, bench->pixels + first * picture_bytes(bench), n, bench->info.width,
                          bench->info.height, (size_t)3 * bench->info.width, p);
    return status == MESO_OK
               ? status
               : meso_fail(error, status, "%s: %s", bench->name, meso_model_error(model));
}

static meso_status require_known_answers(meso_device *device, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_selftest_row *rows = NULL;
    size_t n, n_failed;
    MESO_TRY(meso_selftest(device, &rows, &n, &n_failed, error));
    MESO_REQUIRE(n_failed == 0, error, MESO_ERROR_DEVICE,
                 "%s: %zu of %zu known answers are wrong, so it is not timed; see mesocl selftest",
                 meso_device_get_info(device)->name, n_failed, n);
out:
    free(rows);
    return status;
}

/* Every batch size as it will be timed, against the plain path one picture at a time. */
static meso_status require_agreement(bench_net *bench, meso_device *device, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model *plain = NULL;
    const meso_model_options options = {
        .struct_bytes = sizeof options, .max_batch = 1, .path = MESO_PATH_PLAIN};
    size_t n = largest_batch(bench);
    meso_probability *expected = calloc(n, sizeof *expected);
    MESO_REQUIRE_MEMORY(expected, error);
    MESO_TRY(open_model(bench, device, &options, &plain, error));
    MESO_TRY(predict(bench, plain, 0, n, expected, error));
    for (size_t k = 0; k < bench->n_cases; k++) {
        size_t batch = bench->cases[k].batch;
        MESO_TRY(predict(bench, bench->model, 0, batch, bench->p, error));
        for (size_t i = 0; i < batch; i++) {
            double difference = fabs(bench->p[i].real - expected[i].real);
            MESO_REQUIRE(difference <= BENCH_TOLERANCE, error, MESO_ERROR_DEVICE,
                         "%s: picture %zu of a batch of %zu differs by %.3g from the plain path "
                         "(tolerance %g), so %s is not timed",
                         meso_device_get_info(device)->name, i, batch, difference, BENCH_TOLERANCE,
                         bench->name);
            bench->difference = fmax(bench->difference, difference);
        }
    }
out:
    meso_model_close(plain);
    free(expected);
    return status;
}

/* One sample: n_calls calls through the pictures. */
static meso_status take_sample(bench_net *bench, const bench_case *c, double *seconds,
                               meso_error *error)
{
    meso_status status = MESO_OK;
    double started = meso_seconds();
    for (size_t i = 0; i < c->n_calls; i++) {
        if (bench->next + c->batch > bench->n_pictures)
            bench->next = 0;
        MESO_TRY(predict(bench, bench->model, bench->next, c->batch, bench->p, error));
        bench->next += c->batch;
    }
    *seconds = meso_seconds() - started;
out:
    return status;
}

/* Finds how many calls make a sample, then repeats it until two in a row agree. */
static meso_status warm_up(bench_net *bench, bench_case *c, meso_error *error)
{
    meso_status status = MESO_OK;
    double seconds, before = 0;
    for (c->n_calls = 1;; c->n_calls *= 2) {
        MESO_TRY(take_sample(bench, c, &seconds, error));
        if (seconds >= sample_seconds)
            break;
    }
    for (int i = 0; i < most_warm_up && fabs(seconds - before) > stable * seconds; i++) {
        before = seconds;
        MESO_TRY(take_sample(bench, c, &seconds, error));
    }
out:
    return status;
}

static meso_status run_round(bench_net *bench, meso_device *device, meso_error *error)
{
    meso_status status = MESO_OK;
    double seconds, gflops;
    for (size_t i = 0; i < bench->n_cases; i++) {
        bench_case *c = &bench->cases[i];
        MESO_TRY(take_sample(bench, c, &seconds, error));
        bench_samples_add(&c->images_per_s, (double)(c->batch * c->n_calls) / seconds);
    }
    status = bench_peak_measure(&bench->peak, &gflops);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(device));
    bench_samples_add(&bench->peak_gflops, gflops);
out:
    return status;
}

static meso_status prepare(bench_net *bench, meso_device *device, meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_model_options options = {.struct_bytes = sizeof options,
                                        .max_batch = largest_batch(bench),
                                        .path = bench->path,
                                        .n_lanes = bench->n_threads};
    meso_layer_info layer;
    MESO_TRY(open_model(bench, device, &options, &bench->model, error));
    meso_model_get_info(bench->model, &bench->info);
    const meso_net *net = meso_model_net(bench->model);
    for (size_t i = 0; i < meso_net_n_layers(net); i++) {
        meso_net_layer(net, i, &layer);
        bench->multiply_adds += (double)layer.multiply_adds;
    }
    MESO_TRY(draw_pictures(bench, error));
    MESO_TRY(require_known_answers(device, error));
    MESO_TRY(require_agreement(bench, device, error));
    status = bench_peak_open(device, bench->n_threads, &bench->peak);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_device_error(device));
    bench->peak_width = bench->peak.width;
out:
    return status;
}

meso_status bench_net_run(bench_net *bench, meso_device *device,
                          void (*round)(void *user, size_t done, size_t total), void *user,
                          meso_error *error)
{
    meso_status status = MESO_OK;
    MESO_TRY(prepare(bench, device, error));
    bench->n_rounds = (size_t)(bench->seconds / sample_seconds);
    if (bench->n_rounds < least_rounds)
        bench->n_rounds = least_rounds;
    MESO_REQUIRE(bench_samples_reserve(&bench->peak_gflops, bench->n_rounds), error,
                 MESO_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < bench->n_cases; i++) {
        MESO_REQUIRE(bench_samples_reserve(&bench->cases[i].images_per_s, bench->n_rounds), error,
                     MESO_ERROR_MEMORY, "out of memory");
        MESO_TRY(warm_up(bench, &bench->cases[i], error));
    }
    for (size_t i = 0; i < bench->n_rounds; i++) {
        MESO_TRY(run_round(bench, device, error));
        round(user, i + 1, bench->n_rounds);
    }
out:
    return status;
}

void bench_net_free(bench_net *bench)
{
    bench_peak_close(&bench->peak);
    bench_samples_free(&bench->peak_gflops);
    for (size_t i = 0; i < bench->n_cases; i++)
        bench_samples_free(&bench->cases[i].images_per_s);
    meso_model_close(bench->model);
    free(bench->pixels);
    free(bench->p);
    *bench = (bench_net){0};
}
