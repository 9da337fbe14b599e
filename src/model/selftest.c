/* SPDX-License-Identifier: Apache-2.0
 *
 * Known answers for a user's device. The expected values come from the double-precision reference
 * of the test suite, which checks this table (tests/test_golden.c).
 */
#include "mesocl/selftest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/structs.h"
#include "mesocl/model.h"
#include "model/selftest_inputs.h"

enum { weights_seed = 1 };

enum { n_inputs = 2 };
static const char *const inputs[n_inputs] = {"ramp", "smooth"};

static const struct {
    const char *net;
    double p_real[n_inputs];
} answers[] = {
    {"meso1", {0.4500116825, 0.5001163499}},          {"meso4", {0.4869661806, 0.5098688655}},
    {"meso4_elu", {0.4300319691, 0.4334847521}},      {"meso4_leaky", {0.4752331362, 0.5030121191}},
    {"mesoinception4", {0.3991460709, 0.4130920398}},
};
enum { n_answers = sizeof answers / sizeof answers[0] };

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
        row->got = p.real;
        row->passed = fabs(p.real - row->expected) <= MESO_SELFTEST_TOLERANCE;
    } else {
        snprintf(row->detail, sizeof row->detail, "%.255s", error.text);
    }
    free(input);
}

/* The rows of one net on one path; what goes wrong is said in their detail. Returns 0 where the net
 * has no kernels for this path. */
static int run_rows(meso_device *device, meso_path path, meso_selftest_row rows[n_inputs])
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

meso_status meso_selftest(meso_device *device, meso_selftest_row **rows, size_t stride, size_t *n,
                          size_t *n_failed, meso_error *error)
{
    meso_status status = MESO_OK;
    static const meso_path paths[] = {MESO_PATH_FUSED, MESO_PATH_EXACT, MESO_PATH_PLAIN};
    enum { n_paths = sizeof paths / sizeof paths[0] };
    meso_selftest_row *r = calloc(n_answers * n_paths * n_inputs, sizeof *r);
    MESO_REQUIRE_MEMORY(r, error);
    *n = *n_failed = 0;
    for (size_t i = 0; i < n_answers * n_paths; i++) {
        meso_path path = paths[i % n_paths];
        for (size_t k = 0; k < n_inputs; k++)
            r[*n + k] = (meso_selftest_row){.net = answers[i / n_paths].net,
                                            .path = meso_path_name(path),
                                            .input = inputs[k],
                                            .expected = answers[i / n_paths].p_real[k],
                                            .got = NAN};
        if (!run_rows(device, path, r + *n))
            continue;
        for (size_t k = 0; k < n_inputs; k++)
            *n_failed += !r[*n + k].passed;
        *n += n_inputs;
    }
    MESO_TRY(meso_struct_array(r, sizeof *r, *n, stride, "meso_selftest_row", rows, error));
out:
    free(r);
    return status;
}
