/* SPDX-License-Identifier: Apache-2.0
 *
 * Known answers for a user's device. The expected values come from the double-precision reference
 * of the test suite, which checks this table (tests/test_golden.c).
 */
#include "mesocl/selftest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/structs.h"
#include "mesocl/model.h"
#include "model/selftest_inputs.h"

enum { weights_seed = 1 };

/* A net's rows on a path: predictions of two pictures, and two steps of training on both. */
enum { n_inputs = 2, n_tests = n_inputs + 1 };
static const char *const inputs[n_tests] = {"ramp", "smooth", "training"};

static const struct {
    const char *net;
    double expected[n_tests];
} answers[] = {
    {"meso1", {0.4500116825, 0.5001163499, 0.1449065545}},
    {"meso4", {0.4869661806, 0.5098688655, 0.0333054212}},
    {"meso4_elu", {0.4300319691, 0.4334847521, 1.0520162769}},
    {"meso4_leaky", {0.4752331362, 0.5030121191, 0.9103285070}},
    {"mesoinception4", {0.3991460709, 0.4130920398, 2.9426605262}},
};
enum { n_answers = sizeof answers / sizeof answers[0] };

const double meso_selftest_rate = 3e-4;
const meso_trainer_options meso_selftest_training = {.settings.max_batch = MESO_SELFTEST_PICTURES,
                                                     .settings.loss = MESO_LOSS_BCE,
                                                     .settings.optimizer = MESO_OPTIMIZER_SGD,
                                                     .settings.beta1 = 0.9,
                                                     .settings.beta2 = 0.999,
                                                     .settings.epsilon = 1e-7,
                                                     .settings.bn_momentum = 0.99};

void meso_selftest_draw(const char *input, meso_shape shape, float *values)
{
    for (int y = 0; y < shape.h; y++)
        for (int x = 0; x < shape.w; x++)
            for (int c = 0; c < shape.c; c++) {
                int ramp = (31 * y + 17 * x + 59 * c) % 256;
                int smooth = (y + 2 * x + 40 * c) / 3 % 256;
                *values++ = (float)(input[0] == 'r' ? ramp : smooth) / 255.0f;
            }
}

static void judge(meso_selftest_row *row, double got, double tolerance)
{
    row->got = got;
    row->passed = fabs(got - row->expected) <= tolerance;
}

static void run_input(meso_model *model, meso_selftest_row *row)
{
    meso_probability p;
    meso_error error;
    const meso_shape shape = meso_model_net(model)->layers[0].shape;
    float *input = malloc(meso_shape_size(shape) * sizeof *input);
    if (!input) {
        snprintf(row->detail, sizeof row->detail, "out of memory");
        return;
    }
    meso_selftest_draw(row->input, shape, input);
    if (meso_predict_f32(model, input, 1, &p, &error) == MESO_OK) {
        judge(row, p.real, MESO_SELFTEST_TOLERANCE);
    } else {
        snprintf(row->detail, sizeof row->detail, "%.255s", error.text);
    }
    free(input);
}

/* The predictions of one net on one path; what goes wrong is said in their detail. Returns 0 where
 * the net has no kernels for this path. */
static int run_predictions(meso_device *device, meso_path path, meso_selftest_row *rows)
{
    meso_net *net = NULL;
    meso_model *model = NULL;
    meso_error error = {0};
    meso_model_info info = {.path = path};
    const meso_model_options options = {
        .struct_bytes = sizeof options, .max_batch = 1, .path = path};
    if (meso_net_open(rows[0].net, &net, &error) == MESO_OK &&
        meso_model_random(device, net, weights_seed, &options, &model, &error) == MESO_OK)
        info = *meso_model_get_info(model);
    for (size_t i = 0; i < n_inputs && info.path == path; i++) {
        if (model) {
            snprintf(rows[i].detail, sizeof rows[i].detail, "%s%.240s",
                     *info.clblast ? "CLBlast: " : "", info.clblast);
            run_input(model, &rows[i]);
        } else
            snprintf(rows[i].detail, sizeof rows[i].detail, "%.255s", error.text);
    }
    meso_model_close(model);
    meso_net_close(net);
    return info.path == path;
}

static meso_status train(meso_device *device, const meso_weights *start,
                         const meso_trainer_options *options, meso_selftest_row *row, int *had,
                         meso_error *error)
{
    meso_status status = MESO_OK;
    static const uint8_t classes[MESO_SELFTEST_PICTURES] = {0, 1};
    meso_trainer *trainer = NULL;
    meso_step_result result = {0};
    float *values = NULL;
    MESO_TRY(meso_trainer_open(device, start, options, &trainer, error));
    row->path = meso_trainer_path(trainer); /* the fastest there is may be the parallel one */
    *had = options->path == MESO_PATH_PLAIN || strcmp(row->path, "plain") != 0;
    if (!*had)
        goto out;
    const meso_shape shape = meso_trainer_net(trainer)->layers[0].shape;
    const size_t size = meso_shape_size(shape);
    values = malloc(MESO_SELFTEST_PICTURES * size * sizeof *values);
    MESO_REQUIRE_MEMORY(values, error);
    for (size_t i = 0; i < MESO_SELFTEST_PICTURES; i++)
        meso_selftest_draw(inputs[i], shape, values + i * size);
    const meso_train_batch batch = {
        .values = values, .classes = classes, .n = MESO_SELFTEST_PICTURES};
    for (int step = 0; step < MESO_SELFTEST_STEPS; step++)
        MESO_TRY(meso_trainer_step(trainer, &batch, meso_selftest_rate, &result));
    judge(row, result.loss, MESO_SELFTEST_TRAINING_TOLERANCE);
out:
    if (trainer && status != MESO_OK && !*error->text)
        meso_fail(error, status, "%s", meso_trainer_error(trainer));
    meso_trainer_close(trainer);
    free(values);
    return status;
}

/* As run_predictions, of the row "training". */
static int run_training(meso_device *device, meso_path path, meso_selftest_row *row)
{
    meso_net *net = NULL;
    meso_weights *start = NULL;
    meso_error error = {0};
    meso_trainer_options options = meso_selftest_training;
    int had = path != MESO_PATH_EXACT; /* predictions alone have it */
    options.path = path;
    if (had && (meso_net_open(row->net, &net, &error) != MESO_OK ||
                meso_weights_random(net, weights_seed, &start, &error) != MESO_OK ||
                train(device, start, &options, row, &had, &error) != MESO_OK))
        snprintf(row->detail, sizeof row->detail, "%.255s", error.text);
    meso_weights_close(start);
    meso_net_close(net);
    return had;
}

static void begin_rows(meso_selftest_row rows[n_tests], size_t net, meso_path path)
{
    for (size_t k = 0; k < n_tests; k++)
        rows[k] = (meso_selftest_row){.net = answers[net].net,
                                      .path = meso_path_name(path),
                                      .input = inputs[k],
                                      .expected = answers[net].expected[k],
                                      .got = NAN};
}

meso_status meso_selftest(meso_device *device, meso_selftest_row **rows, size_t stride, size_t *n,
                          size_t *n_failed, meso_error *error)
{
    meso_status status = MESO_OK;
    static const meso_path paths[] = {MESO_PATH_FUSED, MESO_PATH_EXACT, MESO_PATH_PLAIN};
    enum { n_paths = sizeof paths / sizeof paths[0] };
    meso_selftest_row *r = calloc(n_answers * n_paths * n_tests, sizeof *r);
    MESO_REQUIRE_MEMORY(r, error);
    *n = *n_failed = 0;
    for (size_t i = 0; i < n_answers * n_paths; i++) {
        const meso_path path = paths[i % n_paths];
        begin_rows(r + *n, i / n_paths, path);
        const int predicts = run_predictions(device, path, r + *n);
        const int trains = run_training(device, path, r + *n + n_inputs);
        if (!predicts) /* the rows that are there lie behind one another */
            r[*n] = r[*n + n_inputs];
        *n += (size_t)(n_inputs * predicts + trains);
    }
    for (size_t i = 0; i < *n; i++)
        *n_failed += !r[i].passed;
    MESO_TRY(meso_struct_array(r, sizeof *r, *n, stride, "meso_selftest_row", rows, error));
out:
    free(r);
    return status;
}
