/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "mesocl/selftest.h"
#include "model/weights/weights.h"
#include "net/net.h"
#include "runtime/tuning.h"

/* Calls go through at least so many pictures in turn: 12 MB of 256 × 256, more than a core's own
 * caches hold, as when pictures come from a decoder. */
enum { least_pictures = 64, page_bytes = 4096, grid_points = 7 };

/* So small that thousands of steps on random classes do not drive a net to certainty. */
static const double learning_rate = 1e-5;

static size_t largest_batch(const bench_spec *spec)
{
    size_t largest = 1;
    for (size_t i = 0; i < spec->n_batches; i++)
        if (spec->batches[i] > largest)
            largest = spec->batches[i];
    return largest;
}

static meso_status open_model(const bench_work *work, const meso_model_options *options,
                              meso_model **model, meso_error *error)
{
    return meso_names_weights(work->spec->net)
               ? meso_model_open(work->device, work->spec->net, options, model, error)
               : meso_model_random(work->device, work->given, BENCH_SEED, options, model, error);
}

static meso_status open_trainer(const bench_work *work, meso_path path, meso_trainer **trainer,
                                meso_error *error)
{
    const meso_trainer_options options = {.settings.max_batch = largest_batch(work->spec),
                                          .settings.loss = MESO_LOSS_MSE,
                                          .settings.optimizer = MESO_OPTIMIZER_ADAM,
                                          .settings.beta1 = 0.9,
                                          .settings.beta2 = 0.999,
                                          .settings.epsilon = 1e-7,
                                          .settings.bn_momentum = 0.99,
                                          .settings.seed = BENCH_SEED,
                                          .path = path,
                                          .settings.n_lanes = work->spec->n_threads};
    return meso_trainer_open(work->device, work->weights, &options, trainer, error);
}

static meso_shape picture_shape(const bench_work *work)
{
    return work->net->layers[0].shape;
}

/* One picture [height][width][3]: random colours at grid points, bilinear between them, and some
 * noise. Of noise alone, trained nets are so sure that every answer is 0 or 1, and a comparison of
 * answers says nothing. */
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

static size_t picture_bytes(const bench_work *work)
{
    return (size_t)3 * picture_shape(work).w * picture_shape(work).h;
}

static meso_status draw_pictures(bench_work *work, meso_error *error)
{
    meso_random random = {BENCH_SEED};
    size_t largest = largest_batch(work->spec);
    work->n_pictures = largest > least_pictures ? largest : least_pictures;
    size_t bytes = work->n_pictures * picture_bytes(work);
    work->pixels = aligned_alloc(page_bytes, (bytes + page_bytes - 1) / page_bytes * page_bytes);
    work->classes = calloc(work->n_pictures, 1);
    work->p = calloc(work->n_pictures, sizeof *work->p);
    MESO_DEMAND_MEMORY(work->pixels && work->classes && work->p, error);
    for (size_t i = 0; i < work->n_pictures; i++) {
        draw_picture(&random, (unsigned)picture_shape(work).w, (unsigned)picture_shape(work).h,
                     work->pixels + i * picture_bytes(work));
        work->classes[i] = (uint8_t)meso_random_below(&random, 2);
    }
    return MESO_OK;
}

meso_status bench_work_open(const bench_spec *spec, meso_device *device, bench_work *work,
                            meso_error *error)
{
    meso_status status = MESO_OK;
    const meso_model_options options = {.struct_bytes = sizeof options,
                                        .max_batch = largest_batch(spec),
                                        .path = spec->path,
                                        .n_lanes = spec->n_threads};
    *work = (bench_work){.spec = spec, .device = device};
    if (!meso_names_weights(spec->net))
        MESO_TRY(meso_net_open(spec->net, &work->given, error));
    if (spec->train) {
        MESO_TRY(meso_names_weights(spec->net)
                     ? meso_weights_read(spec->net, &work->weights, error)
                     : meso_weights_random(work->given, BENCH_SEED, &work->weights, error));
        MESO_TRY(open_trainer(work, spec->path, &work->trainer, error));
        work->net = meso_trainer_net(work->trainer);
    } else {
        MESO_TRY(open_model(work, &options, &work->model, error));
        work->net = meso_model_net(work->model);
    }
    MESO_TRY(draw_pictures(work, error));
out:
    if (status != MESO_OK)
        bench_work_close(work);
    return status;
}

static meso_status predict(const bench_work *work, meso_model *model, size_t first, size_t n,
                           meso_probability *p, meso_error *error)
{
    meso_error reason;
    meso_status status = meso_predict_rgb8(
        model, work->pixels + first * picture_bytes(work), n, (unsigned)picture_shape(work).w,
        (unsigned)picture_shape(work).h, (size_t)3 * picture_shape(work).w, p, &reason);
    return status == MESO_OK ? status
                             : meso_fail(error, status, "%s: %s", work->spec->net, reason.text);
}

static meso_status step(const bench_work *work, meso_trainer *trainer, size_t first, size_t n,
                        double *loss, meso_error *error)
{
    meso_step_result result;
    const meso_train_batch batch = {.pixels = work->pixels + first * picture_bytes(work),
                                    .classes = work->classes + first,
                                    .n = n};
    meso_status status = meso_trainer_step(trainer, &batch, learning_rate, &result);
    if (status != MESO_OK)
        return meso_fail(error, status, "%s: %s", work->spec->net, meso_trainer_error(trainer));
    *loss = result.loss;
    return status;
}

meso_status bench_work_call(bench_work *work, size_t batch, meso_error *error)
{
    if (work->next + batch > work->n_pictures)
        work->next = 0;
    size_t first = work->next;
    work->next += batch;
    return work->trainer ? step(work, work->trainer, first, batch, &work->loss, error)
                         : predict(work, work->model, first, batch, work->p, error);
}

meso_model_info bench_work_info(const bench_work *work)
{
    meso_model_info info = {.net_name = meso_net_name(work->net), .tuning = "", .clblast = ""};
    if (work->model) {
        info = *meso_model_get_info(work->model);
    } else {
        info.n_lanes = meso_trainer_n_lanes(work->trainer);
        memcpy(info.weights_hash, meso_weights_hash(work->weights), sizeof info.weights_hash);
    }
    return info;
}

const char *bench_work_path(const bench_work *work)
{
    return work->trainer ? meso_trainer_path(work->trainer)
                         : meso_path_name(bench_work_info(work).path);
}

static meso_status require_known_answers(meso_device *device, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_selftest_row *rows = NULL;
    size_t n, n_failed;
    MESO_TRY(meso_selftest(device, &rows, sizeof *rows, &n, &n_failed, error));
    MESO_REQUIRE(n_failed == 0, error, MESO_ERROR_DEVICE,
                 "%zu of %zu known answers are wrong, so it is not timed; see mesocl selftest",
                 n_failed, n);
out:
    meso_free(rows);
    return status;
}

/* Remembers the difference, and refuses one that is too large. */
static meso_status agree(bench_work *work, size_t batch, double got, double expected,
                         meso_error *error)
{
    double difference = fabs(got - expected);
    MESO_DEMAND(
        difference <= BENCH_TOLERANCE, error, MESO_ERROR_DEVICE,
        "a batch of %zu differs by %.3g from the plain path (tolerance %g), so it is not timed",
        batch, difference, BENCH_TOLERANCE);
    work->difference = fmax(work->difference, difference);
    return MESO_OK;
}

static meso_status require_same_predictions(bench_work *work, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_model *plain = NULL;
    const meso_model_options options = {
        .struct_bytes = sizeof options, .max_batch = 1, .path = MESO_PATH_PLAIN};
    size_t n = largest_batch(work->spec);
    json_t *shipped = json_object(); /* nothing that the user's rows choose */
    meso_probability *expected = calloc(n, sizeof *expected);
    MESO_REQUIRE_MEMORY(expected, error);
    meso_tuning_replace(shipped);
    MESO_TRY(open_model(work, &options, &plain, error));
    MESO_TRY(predict(work, plain, 0, n, expected, error));
    for (size_t k = 0; k < work->spec->n_batches; k++) {
        size_t batch = work->spec->batches[k];
        MESO_TRY(predict(work, work->model, 0, batch, work->p, error));
        for (size_t i = 0; i < batch; i++)
            MESO_TRY(agree(work, batch, work->p[i].real, expected[i].real, error));
    }
out:
    meso_tuning_replace(NULL);
    json_decref(shipped);
    meso_model_close(plain);
    free(expected);
    return status;
}

/* Losses of the first steps: the second shows what the first one did to the weights. */
static meso_status require_same_losses(bench_work *work, meso_error *error)
{
    enum { n_steps = 2 };
    meso_status status = MESO_OK;
    meso_trainer *timed = NULL, *plain = NULL;
    double got = NAN, expected = NAN;
    for (size_t k = 0; k < work->spec->n_batches; k++) {
        size_t batch = work->spec->batches[k];
        MESO_TRY(open_trainer(work, MESO_PATH_FUSED, &timed, error));
        MESO_TRY(open_trainer(work, MESO_PATH_PLAIN, &plain, error));
        for (int i = 0; i < n_steps; i++) {
            MESO_TRY(step(work, timed, 0, batch, &got, error));
            MESO_TRY(step(work, plain, 0, batch, &expected, error));
            MESO_TRY(agree(work, batch, got, expected, error));
        }
        meso_trainer_close(timed);
        meso_trainer_close(plain);
        timed = plain = NULL;
    }
out:
    meso_trainer_close(timed);
    meso_trainer_close(plain);
    return status;
}

meso_status bench_work_check(bench_work *work, meso_error *error)
{
    MESO_CHECK(require_known_answers(work->device, error));
    if (!work->trainer)
        MESO_CHECK(require_same_predictions(work, error));
    else if (work->spec->path != MESO_PATH_PLAIN)
        MESO_CHECK(require_same_losses(work, error));
    return MESO_OK;
}

void bench_work_close(bench_work *work)
{
    meso_trainer_close(work->trainer);
    meso_model_close(work->model);
    meso_weights_close(work->weights);
    meso_net_close(work->given);
    free(work->pixels);
    free(work->classes);
    free(work->p);
    *work = (bench_work){0};
}
