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
#include "mesocl/model.h"
#include "model/selftest_inputs.h"

enum { weights_seed = 1 };

static const struct {
    const char *net;
    const char *input;
    double p_real;
} answers[] = {
    {"meso1", "ramp", 0.4500116825},          {"meso1", "smooth", 0.5001163499},
    {"meso4", "ramp", 0.4869661806},          {"meso4", "smooth", 0.5098688655},
    {"meso4_elu", "ramp", 0.4300319691},      {"meso4_elu", "smooth", 0.4334847521},
    {"meso4_leaky", "ramp", 0.4752331362},    {"meso4_leaky", "smooth", 0.5030121191},
    {"mesoinception4", "ramp", 0.3991460709}, {"mesoinception4", "smooth", 0.4130920398},
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

/* One row on an open device; what goes wrong is said in row->detail. Returns 0 where the net has no
 * kernels for this path. */
static int run_row(meso_device *device, meso_path path, meso_selftest_row *row)
{
    meso_net *net = NULL;
    meso_model *model = NULL;
    float *input = NULL;
    meso_error error = {0};
    meso_probability p;
    meso_model_info info;
    int there = 1;
    const meso_model_options options = {
        .struct_bytes = sizeof options, .max_batch = 1, .path = path};
    row->got = NAN;
    if (meso_net_open(row->net, &net, &error) != MESO_OK ||
        meso_model_random(device, net, weights_seed, &options, &model, &error) != MESO_OK) {
        snprintf(row->detail, sizeof row->detail, "%.255s", error.text);
        goto out;
    }
    meso_model_get_info(model, &info);
    there = info.path == path;
    if (!there)
        goto out;
    meso_shape shape = net->layers[0].shape;
    input = malloc(meso_shape_size(shape) * sizeof *input);
    if (!input) {
        snprintf(row->detail, sizeof row->detail, "out of memory");
        goto out;
    }
    meso_selftest_draw(row->input, shape, input);
    if (meso_predict_f32(model, input, 1, &p) != MESO_OK) {
        snprintf(row->detail, sizeof row->detail, "%.255s", meso_model_error(model));
        goto out;
    }
    row->got = p.real;
    row->passed = fabs(p.real - row->expected) <= MESO_SELFTEST_TOLERANCE;
out:
    free(input);
    meso_model_close(model);
    meso_net_close(net);
    return there;
}

meso_status meso_selftest(meso_device *device, meso_selftest_row **rows, size_t *n,
                          size_t *n_failed, meso_error *error)
{
    meso_status status = MESO_OK;
    static const meso_path paths[] = {MESO_PATH_FUSED, MESO_PATH_EXACT, MESO_PATH_PLAIN};
    enum { n_paths = sizeof paths / sizeof paths[0] };
    meso_selftest_row *r = calloc(n_answers * n_paths, sizeof *r);
    MESO_REQUIRE_MEMORY(r, error);
    *n = *n_failed = 0;
    for (size_t i = 0; i < n_answers; i++)
        for (size_t k = 0; k < n_paths; k++) {
            meso_selftest_row *row = &r[*n];
            *row = (meso_selftest_row){.net = answers[i].net,
                                       .path = meso_path_name(paths[k]),
                                       .input = answers[i].input,
                                       .expected = answers[i].p_real};
            if (!run_row(device, paths[k], row))
                continue;
            *n_failed += !row->passed;
            ++*n;
        }
    *rows = r;
out:
    return status;
}
