/* SPDX-License-Identifier: Apache-2.0
 *
 * The fused training step beside the plain one, at every vector width: pictures as wide as the
 * widths need, whole and in halves, batches that are no multiple of a group, gammas of any sign.
 *
 * Gradients are read from gradient descent's velocity behind one step at rate 1.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"
#include "net/op/op.h"
#include "net/strip/strip_run.h"
#include "net/train/strip_train_run.h"

enum { most_images = 13, text_size = 2048 };

/* Where the two paths' roundings lead: to different digits, and to the other of two nearly equal
 * pixels of a window. Seeds are such that the latter does not happen. */
static const double tolerance = 2e-5;

typedef struct train_case {
    int lanes, height, width, n;
    meso_loss loss;
    meso_optimizer optimizer;
    int is_float, zero_gamma;
    const char *freeze; /* layers whose names begin so; NULL: none */
    const char *hidden; /* the activation between the dense layers */
    const char *rates;  /* of dropout, two */
} train_case;

static meso_device *device;
static double worst; /* of a test: for the record */

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

/* Meso-4 at another size, with three blocks. */
static meso_net *make_net(const train_case *c)
{
    static const struct {
        int filters, window, pool;
    } blocks[] = {{8, 3, 2}, {8, 5, 2}, {16, 5, 4}};
    char text[text_size], from[16] = "image";
    double rates[2];
    meso_net *net;
    meso_error error;
    assert_int_equal(sscanf(c->rates, "%lf %lf", &rates[0], &rates[1]), 2);
    int n = snprintf(text, sizeof text, "image = input height=%d width=%d channels=3 divide=255\n",
                     c->height, c->width);
    for (int i = 0; i < 3; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "conv%d = conv %s filters=%d window=%d stride=1 dilation=1 pad=same\n"
                      "conv%d_bias = bias conv%d\nrelu%d = relu conv%d_bias\n"
                      "bn%d = batch_norm relu%d epsilon=0.001\n"
                      "pool%d = max_pool bn%d window=%d stride=%d pad=same\n",
                      i, from, blocks[i].filters, blocks[i].window, i, i, i, i, i, i, i, i,
                      blocks[i].pool, blocks[i].pool);
        snprintf(from, sizeof from, "pool%d", i);
    }
    snprintf(text + n, sizeof text - (size_t)n,
             "flat = flatten pool2\ndrop1 = dropout flat rate=%g\ndense1 = dense drop1 units=16\n"
             "dense1_bias = bias dense1\nhidden = %s\ndrop2 = dropout hidden rate=%g\n"
             "dense2 = dense drop2 units=1\ndense2_bias = bias dense2\np = sigmoid dense2_bias\n",
             rates[0], c->hidden, rates[1]);
    if (meso_net_parse(text, "case", &net, &error) != MESO_OK)
        fail_msg("%s\n%s", text, error.text);
    return net;
}

static float **make_arrays(const meso_net *net)
{
    float **arrays = calloc(net->n_params, sizeof *arrays);
    assert_non_null(arrays);
    for (size_t i = 0; i < net->n_params; i++)
        assert_non_null(arrays[i] = calloc(net->params[i].n_values, sizeof **arrays));
    return arrays;
}

static void free_arrays(const meso_net *net, float **arrays)
{
    for (size_t i = 0; i < net->n_params; i++)
        free(arrays[i]);
    free(arrays);
}

/* Glorot uniform kernels; three of ten gammas negative. */
static float **make_params(const meso_net *net, const train_case *c, meso_random *random)
{
    float **params = make_arrays(net);
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_param *p = &net->params[i];
        const double window = p->n_dims == 4 ? (double)(p->dims[0] * p->dims[1]) : 1;
        const double fan =
            window * (double)(p->n_dims > 1 ? p->dims[p->n_dims - 2] + p->dims[p->n_dims - 1] : 1);
        for (size_t k = 0; k < p->n_values; k++) {
            const double u = meso_random_uniform(random, -1, 1);
            params[i][k] = (float)(p->kind == MESO_PARAM_KERNEL ? u * sqrt(6 / fan)
                                   : p->kind == MESO_PARAM_GAMMA
                                       ? (k % 10 < 3 ? -1 : 1) * (0.5 + 0.5 * fabs(u))
                                   : p->kind == MESO_PARAM_VARIANCE ? 1 + u / 2
                                                                    : u / 8);
            if (c->zero_gamma && p->kind == MESO_PARAM_GAMMA && k % 4 == 1)
                params[i][k] = 0;
        }
    }
    return params;
}

/* Smooth pictures with noise; and some flat parts, where pixels of a window are equal. */
typedef struct pictures {
    meso_buffer buffer;
    uint8_t classes[most_images];
} pictures;

static pictures make_pictures(const train_case *c, meso_random *random)
{
    pictures p;
    const size_t n = most_images * (size_t)c->height * (size_t)c->width * 3;
    uint8_t *bytes = malloc(n);
    float *floats = malloc(n * sizeof *floats);
    assert_true(bytes && floats);
    for (size_t i = 0; i < n; i++) {
        const size_t x = i / 3 % (size_t)c->width, y = i / 3 / (size_t)c->width;
        const double wave =
            60 * sin(0.05 * (double)x + (double)(i % 3)) + 50 * cos(0.07 * (double)y);
        const int flat = x % 64 < 20 && y % 16 < 10;
        bytes[i] = flat ? 90 : (uint8_t)(128 + wave + meso_random_uniform(random, -15, 15));
        floats[i] = (float)bytes[i] / 255;
    }
    const size_t size = c->is_float ? n * sizeof *floats : n;
    check(meso_buffer_create(device, size, &p.buffer));
    check(meso_buffer_write(device, &p.buffer, 0, c->is_float ? (void *)floats : bytes, size));
    for (size_t i = 0; i < most_images; i++)
        p.classes[i] = i % 3 != 1;
    free(bytes);
    free(floats);
    return p;
}

static meso_strip_tuning row_of(int lanes)
{
    const meso_strip_tuning *rows;
    meso_error error;
    assert_int_equal(meso_strip_shipped(&rows, &error), MESO_OK);
    meso_strip_tuning row = rows[0];
    for (size_t i = 0; i < MESO_N_STRIP_TUNINGS; i++)
        if (rows[i].lanes == lanes)
            row = rows[i];
    row.condition = "1";
    row.first_tile_rows = 2;
    if (lanes == 4) { /* more filters side by side than in a shipped row */
        row.accumulators = 16;
        row.first_filters = 4;
    }
    return row;
}

/* What a path makes of the same start. */
typedef struct outcome {
    float **params, **first, **second;
    meso_train_result result;
} outcome;

static outcome train(const train_case *c, const meso_net *net, float *const *params,
                     const pictures *input, const meso_train_path *path, size_t n_lanes,
                     int n_steps, double rate)
{
    outcome o = {make_arrays(net), make_arrays(net), make_arrays(net), {0, 0}};
    unsigned char frozen[MESO_MAX_LAYERS] = {0};
    const meso_strip_tuning row = row_of(c->lanes);
    void *run;
    for (size_t i = 0; c->freeze && i < net->n_layers; i++)
        frozen[i] = strncmp(net->layers[i].name, c->freeze, strlen(c->freeze)) == 0;
    const meso_train_settings settings = {.max_batch = (size_t)c->n,
                                          .n_lanes = n_lanes,
                                          .loss = c->loss,
                                          .optimizer = c->optimizer,
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .epsilon = 1e-7,
                                          .bn_momentum = 0.99,
                                          .seed = 0x123456789abcdef,
                                          .frozen = frozen};
    const meso_train_input batch = {&input->buffer, c->is_float, input->classes, (size_t)c->n};
    const meso_train_values start = {.params = params};
    const meso_train_values end = {.params = o.params, .first = o.first, .second = o.second};
    if (path == &meso_train_fused)
        check(meso_strip_train_create(device, net, &settings, &row, &run));
    else
        check(path->create(device, net, &settings, &run));
    assert_non_null(run);
    check(path->copy(run, &start, MESO_TO_DEVICE));
    for (int i = 1; i <= n_steps; i++)
        check(path->step(run, &batch, (uint64_t)i, rate, &o.result));
    check(path->copy(run, &end, MESO_FROM_DEVICE));
    path->close(run);
    return o;
}

static void free_outcome(const meso_net *net, outcome *o)
{
    free_arrays(net, o->params);
    free_arrays(net, o->first);
    free_arrays(net, o->second);
}

/* ‖got − expected‖ / ‖expected‖. A single value may be the small rest of a sum of its images'
 * parts, which are near 0.1. */
static double distance(const float *got, const float *expected, size_t n)
{
    double error = 0, energy = n == 1 ? 0.1 * 0.1 : 0;
    for (size_t i = 0; i < n; i++) {
        const double difference = (double)got[i] - (double)expected[i];
        error += difference * difference;
        energy += (double)expected[i] * (double)expected[i];
    }
    return error > 0 ? sqrt(error / energy) : error;
}

static void compare(const meso_net *net, const outcome *got, const outcome *expected)
{
    harness_close(got->result.loss, expected->result.loss, 1e-5 * expected->result.loss, "loss");
    assert_int_equal(got->result.n_correct, expected->result.n_correct);
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_param *p = &net->params[i];
        const int moving = p->kind == MESO_PARAM_MEAN || p->kind == MESO_PARAM_VARIANCE;
        const double off = distance((moving ? got->params : got->first)[i],
                                    (moving ? expected->params : expected->first)[i], p->n_values);
        if (!(off <= tolerance))
            fail_msg("%s: relative error %.2e", p->name, off);
        worst = fmax(worst, off);
    }
}

static void run_case(const train_case *c, uint64_t seed)
{
    meso_random random = {seed};
    meso_net *net = make_net(c);
    float **params = make_params(net, c, &random);
    pictures input = make_pictures(c, &random);
    outcome plain = train(c, net, params, &input, &meso_train_plain, 0, 1, 1);
    outcome fused = train(c, net, params, &input, &meso_train_fused, 0, 1, 1);
    compare(net, &fused, &plain);
    free_outcome(net, &plain);
    free_outcome(net, &fused);
    meso_buffer_release(&input.buffer);
    free_arrays(net, params);
    meso_net_close(net);
}

static const char leaky[] = "leaky_relu dense1_bias slope=0.1", relu[] = "relu dense1_bias",
                  half[] = "0.5 0.5", none[] = "0 0";

static void open_device(void)
{
    device = harness_device();
    if (meso_device_get_info(device)->type != MESO_DEVICE_CPU)
        skip();
    worst = 0;
}

static void close_device(void)
{
    meso_device_close(device);
    print_message("largest relative error of a gradient %.1e\n", worst);
}

/* Each width, whole and in halves. */
static void test_gradients(void **state)
{
    static const train_case cases[] = {
        {16, 32, 256, 8, MESO_LOSS_BCE, MESO_OPTIMIZER_SGD, 0, 0, NULL, leaky, half},
        {16, 64, 128, 13, MESO_LOSS_MSE, MESO_OPTIMIZER_SGD, 0, 0, NULL, leaky, half},
        {8, 32, 128, 13, MESO_LOSS_MSE, MESO_OPTIMIZER_SGD, 0, 0, NULL, relu, "0.25 0"},
        {8, 32, 64, 8, MESO_LOSS_BCE, MESO_OPTIMIZER_SGD, 1, 0, NULL, leaky, "0 0.7"},
        {4, 48, 64, 5, MESO_LOSS_BCE, MESO_OPTIMIZER_SGD, 0, 0, NULL, leaky, half},
        {4, 32, 32, 1, MESO_LOSS_MSE, MESO_OPTIMIZER_SGD, 1, 0, NULL, relu, none},
    };
    (void)state;
    open_device();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run_case(&cases[i], i + 1);
    close_device();
}

/* A gamma of 0 makes all of a window equal: the first pixel counts. */
static void test_zero_gamma(void **state)
{
    static const train_case cases[] = {
        {16, 64, 128, 8, MESO_LOSS_BCE, MESO_OPTIMIZER_SGD, 0, 1, NULL, leaky, none},
        {8, 32, 128, 8, MESO_LOSS_BCE, MESO_OPTIMIZER_SGD, 0, 1, NULL, leaky, half},
    };
    (void)state;
    open_device();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run_case(&cases[i], 11 + i);
    close_device();
}

/* Frozen layers: as the plain path has it, and what is frozen stays to the bit. */
static void test_frozen(void **state)
{
    static const char *const frozen[] = {"bn", "conv", "dense", "bn1", "conv0"};
    (void)state;
    open_device();
    for (size_t i = 0; i < sizeof frozen / sizeof frozen[0]; i++) {
        const train_case c = {8, 32, 64,        9,     MESO_LOSS_MSE, MESO_OPTIMIZER_SGD,
                              0, 0,  frozen[i], leaky, half};
        run_case(&c, 21 + i);
    }
    close_device();
}

static int same(const meso_net *net, float *const *a, float *const *b)
{
    for (size_t i = 0; i < net->n_params; i++)
        if (memcmp(a[i], b[i], net->params[i].n_values * sizeof(float)) != 0)
            return 0;
    return 1;
}

static double rms(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum / (double)n);
}

/* Three steps of Adam, each of which moves a weight by up to 1e-3: the same bits on one lane and
 * two; and near the plain path. */
static void test_lanes(void **state)
{
    static const train_case cases[] = {
        {16, 64, 128, 13, MESO_LOSS_BCE, MESO_OPTIMIZER_ADAM, 0, 0, NULL, leaky, half},
        {4, 32, 64, 7, MESO_LOSS_MSE, MESO_OPTIMIZER_ADAM, 1, 0, NULL, leaky, half},
    };
    (void)state;
    open_device();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const train_case *c = &cases[i];
        meso_random random = {31 + i};
        meso_net *net = make_net(c);
        float **params = make_params(net, c, &random);
        pictures input = make_pictures(c, &random);
        outcome one = train(c, net, params, &input, &meso_train_fused, 1, 3, 1e-3);
        outcome two = train(c, net, params, &input, &meso_train_fused, 2, 3, 1e-3);
        outcome plain = train(c, net, params, &input, &meso_train_plain, 0, 3, 1e-3);
        assert_true(same(net, one.params, two.params) && same(net, one.first, two.first) &&
                    same(net, one.second, two.second));
        assert_true(one.result.loss == two.result.loss);
        for (size_t k = 0; k < net->n_params; k++)
            assert_true(rms(one.params[k], plain.params[k], net->params[k].n_values) < 1e-4);
        free_outcome(net, &one);
        free_outcome(net, &two);
        free_outcome(net, &plain);
        meso_buffer_release(&input.buffer);
        free_arrays(net, params);
        meso_net_close(net);
    }
    close_device();
}

/* A block's filters in Winograd's domain beside the host's, which are rounded once from double
 * precision: nearly all the same, none off by more than the last bit. */
static void check_filters(train_run *run, size_t block, float *const *params)
{
    const meso_strip_block *b = &run->plan.blocks[block];
    const meso_layer *norm = b->layers.norm;
    const meso_block_conv *conv = meso_block_only_conv(&b->layers);
    const size_t n = meso_strip_n_filter_values(conv);
    float *expected = malloc(n * sizeof *expected), *got = malloc(n * sizeof *got);
    int negate[MESO_STRIP_MAX_TRAINED_CHANNELS];
    size_t n_off = 0;
    assert_true(expected && got);
    for (int k = 0; k < conv->layer->shape.c; k++)
        negate[k] = params[norm->first_param][k] < 0;
    meso_strip_filters(conv, params[conv->layer->first_param], negate, block ? 1 : 255, expected);
    check(meso_buffer_read(device, &run->blocks[block].filters, 0, got, n * sizeof *got));
    for (size_t i = 0; i < n; i++) {
        harness_close(got[i], expected[i], 0x1p-23 * fabs((double)expected[i]),
                      "block %zu, filter value %zu", block, i);
        n_off += got[i] != expected[i];
    }
    if (!(n_off <= n / 50))
        fail_msg("block %zu: %zu of %zu filter values are not the nearest", block, n_off, n);
    free(expected);
    free(got);
}

/* What set has put there, get gives back; statistics go where the plain path has them. */
static void test_values(void **state)
{
    static const train_case c = {16, 64, 128,  13,    MESO_LOSS_BCE, MESO_OPTIMIZER_ADAM,
                                 0,  0,  NULL, leaky, half};
    const meso_train_path *const paths[] = {&meso_train_plain, &meso_train_fused};
    const unsigned char frozen[MESO_MAX_LAYERS] = {0};
    const meso_train_settings settings = {.max_batch = most_images, .frozen = frozen};
    meso_random random = {41};
    (void)state;
    open_device();
    meso_net *net = make_net(&c);
    float **start[4];
    for (size_t i = 0; i < 4; i++)
        start[i] = make_params(net, &c, &random);
    float **moved[2] = {make_arrays(net), make_arrays(net)};
    pictures input = make_pictures(&c, &random);
    const meso_train_input batch = {&input.buffer, 0, input.classes, most_images};
    for (size_t i = 0; i < 2; i++) {
        void *run;
        outcome got = {make_arrays(net), make_arrays(net), make_arrays(net), {0, 0}};
        float **rest = make_arrays(net);
        const meso_train_values from = {start[0], start[1], start[2], start[3]};
        const meso_train_values to = {got.params, got.first, got.second, rest};
        const meso_train_values after = {.params = moved[i]};
        check(paths[i]->create(device, net, &settings, &run));
        assert_non_null(run);
        check(paths[i]->copy(run, &from, MESO_TO_DEVICE));
        for (size_t k = 0; k < 3 && paths[i] == &meso_train_fused; k++)
            check_filters(run, k, start[0]);
        check(paths[i]->copy(run, &to, MESO_FROM_DEVICE));
        assert_true(same(net, got.params, start[0]));
        for (size_t k = 0; k < net->n_params; k++)
            if (meso_train_is_trained(&settings, &net->params[k])) {
                const size_t bytes = net->params[k].n_values * sizeof(float);
                assert_memory_equal(got.first[k], start[1][k], bytes);
                assert_memory_equal(got.second[k], start[2][k], bytes);
                assert_memory_equal(rest[k], start[3][k], bytes);
            }
        free_arrays(net, rest);
        check(paths[i]->statistics(run, &batch, 0.25));
        check(paths[i]->copy(run, &after, MESO_FROM_DEVICE));
        paths[i]->close(run);
        free_outcome(net, &got);
    }
    for (size_t k = 0; k < net->n_params; k++)
        assert_true(distance(moved[1][k], moved[0][k], net->params[k].n_values) < 1e-6);
    assert_false(same(net, moved[1], start[0]));
    for (size_t i = 0; i < 4; i++)
        free_arrays(net, start[i]);
    free_arrays(net, moved[0]);
    free_arrays(net, moved[1]);
    meso_buffer_release(&input.buffer);
    meso_net_close(net);
    close_device();
}

/* Nets of another shape are left to the plain path. */
static void test_refused(void **state)
{
    static const struct {
        const char *net;
        meso_loss loss;
        int fits;
    } rows[] = {{"meso4", MESO_LOSS_MSE, 1},       {"meso4_elu", MESO_LOSS_MSE, 0},
                {"meso4_leaky", MESO_LOSS_BCE, 0}, {"mesoinception4", MESO_LOSS_MSE, 0},
                {"meso1", MESO_LOSS_BCE, 0},       {"meso4", MESO_LOSS_CCE, 0}};
    const unsigned char frozen[MESO_MAX_LAYERS] = {0};
    (void)state;
    open_device();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const meso_train_settings settings = {
            .max_batch = 1, .loss = rows[i].loss, .frozen = frozen};
        meso_net *net;
        meso_error error;
        void *run;
        if (meso_net_open(rows[i].net, &net, &error) != MESO_OK)
            fail_msg("%s", error.text);
        check(meso_train_fused.create(device, net, &settings, &run));
        if ((run != NULL) != rows[i].fits)
            fail_msg("%s with loss %d: %s", rows[i].net, rows[i].loss, run ? "taken" : "not taken");
        meso_train_fused.close(run);
        meso_net_close(net);
    }
    close_device();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients), cmocka_unit_test(test_zero_gamma),
        cmocka_unit_test(test_frozen),    cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_values),    cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
