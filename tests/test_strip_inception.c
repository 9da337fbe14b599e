/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused inception blocks against the double-precision reference: branches of every kind in every
 * order, at every vector width, alone and with another block behind them.
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
#include "net/strip/strip_run.h"
#include "reference.h"

enum { n_images = 3, text_size = 8192, n_turns = 12 };

/* What stands behind the tested block: nothing, another of its kind, or a 5 × 5 block in halves. */
typedef enum follower { NOTHING, INCEPTION, HALVES, n_followers } follower;

typedef struct branch {
    int reduced, filters, dilation; /* reduced 0: one 1 × 1 convolution */
} branch;

typedef struct inception_case {
    meso_strip_tuning row;
    follower behind;
    int channels, height, width;
    const branch *branches; /* filters 0 ends them */
    const char *activation;
} inception_case;

static const branch lists[][6] = {
    {{0, 1, 1}, {4, 4, 1}, {4, 4, 2}, {2, 2, 3}}, /* MesoInception-4's */
    {{3, 5, 3}, {0, 3, 1}, {1, 1, 2}},
    {{8, 6, 2}, {16, 8, 1}},
    {{0, 2, 1}, {0, 4, 1}, {5, 3, 3}, {2, 1, 3}, {1, 2, 1}},
};
static const char *const activations[] = {"relu %s_bias", "leaky_relu %s_bias slope=0.1",
                                          "elu %s_bias alpha=1", "relu %s_bias cap=0.4"};

static meso_device *device;
static double worst_rms, worst_value; /* for the record */

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

static void add(char text[text_size], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(char text[text_size], const char *format, ...)
{
    size_t n = strlen(text);
    va_list list;
    va_start(list, format);
    vsnprintf(text + n, text_size - n, format, list);
    va_end(list);
}

static void add_conv(char text[text_size], const char *name, const char *from, int filters,
                     int taps, int dilation, const char *activation)
{
    add(text, "%s = conv %s filters=%d window=%d stride=1 dilation=%d pad=same\n", name, from,
        filters, taps, dilation);
    add(text, "%s_bias = bias %s\n%s_act = ", name, name, name);
    /* activation is from the table above */
    char line[128];
    const char *hole = strstr(activation, "%s");
    snprintf(line, sizeof line, "%.*s%s%s\n", (int)(hole - activation), activation, name, hole + 2);
    add(text, "%s", line);
}

static void add_pool(char text[text_size], const char *name, const char *from)
{
    add(text, "%s_norm = batch_norm %s epsilon=0.001\n", name, from);
    add(text, "%s_pool = max_pool %s_norm window=2 stride=2 pad=valid\n", name, name);
}

/* The convolutions stand in the text in another order than in the concat. */
static void add_inception(char text[text_size], const char *name, const char *from,
                          const branch *branches, const char *activation)
{
    char ends[256] = "", conv[64], reduce[64], reduce_end[80];
    int n = 0;
    while (n < 6 && branches[n].filters)
        n++;
    for (int i = n - 1; i >= 0; i--) {
        const branch *b = &branches[i];
        snprintf(conv, sizeof conv, "%s_%d", name, i);
        snprintf(reduce, sizeof reduce, "%s_%d_reduce", name, i);
        snprintf(reduce_end, sizeof reduce_end, "%s_act", reduce);
        if (b->reduced)
            add_conv(text, reduce, from, b->reduced, 1, 1, activation);
        add_conv(text, conv, b->reduced ? reduce_end : from, b->filters, b->reduced ? 3 : 1,
                 b->dilation, activation);
    }
    for (int i = 0; i < n; i++)
        snprintf(ends + strlen(ends), sizeof ends - strlen(ends), " %s_%d_act", name, i);
    add(text, "%s = concat%s\n", name, ends);
    add_pool(text, name, name);
}

static void write_net(const inception_case *c, char text[text_size])
{
    snprintf(text, text_size, "image = input height=%d width=%d channels=%d divide=1\n", c->height,
             c->width, c->channels);
    add_inception(text, "a", "image", c->branches, c->activation);
    if (c->behind == INCEPTION)
        add_inception(text, "b", "a_pool", lists[1], c->activation);
    if (c->behind == HALVES) {
        add_conv(text, "b", "a_pool", 8, 5, 1, c->activation);
        add_pool(text, "b", "b_act");
    }
}

/* Kernels of a size that keeps sums near 1, biases that relu() lets pass, gammas of both signs. */
static float **make_params(const meso_net *net, meso_random *random)
{
    float **params = calloc(net->n_params + 1, sizeof *params);
    assert_non_null(params);
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_param *p = &net->params[i];
        float size = p->n_dims == 4 ? 2 / sqrtf((float)(p->dims[0] * p->dims[1] * p->dims[2])) : 1;
        float *values = params[i] = calloc(p->n_values, sizeof **params);
        assert_non_null(values);
        harness_fill(random, values, p->n_values);
        for (size_t k = 0; k < p->n_values; k++) {
            values[k] *= size;
            if (p->kind == MESO_PARAM_VARIANCE)
                values[k] = fabsf(values[k]) + 0.25f;
        }
    }
    return params;
}

/* The first n images; values in the reference's order. */
static void run(meso_strip_run *strips, const meso_buffer *input, size_t n, meso_shape shape,
                float *got)
{
    meso_tensor_view view = meso_tensor_of(shape, 0, NULL);
    meso_buffer buffer = {0};
    size_t bytes = n * meso_tensor_size(&view) * sizeof(float);
    float *host = malloc(bytes), *to = got;
    assert_non_null(host);
    memset(host, 0xff, bytes); /* NaN */
    check(meso_buffer_create(device, bytes, &buffer));
    check(meso_buffer_write(device, &buffer, 0, host, bytes));
    view.buffer = &buffer;
    check(meso_strip_enqueue(strips, input, 1, n, &view));
    check(meso_device_finish_all(device));
    check(meso_buffer_read(device, &buffer, 0, host, bytes));
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < shape.c; c++)
            for (int y = 0; y < shape.h; y++, to += shape.w)
                memcpy(to,
                       host + i * meso_tensor_size(&view) + (size_t)c * meso_tensor_plane(&view) +
                           (size_t)y * (size_t)view.row_stride,
                       (size_t)shape.w * sizeof *to);
    meso_buffer_release(&buffer);
    free(host);
}

/* All within 2e-6 of the output's rms for each block, and none further off than ten times that: a
 * mistake at the edge of a strip or of the picture is 1000 times larger. */
static void compare(const float *got, const reference_tensor *expected, size_t n, size_t n_blocks,
                    const char *what)
{
    const size_t n_values = n * meso_shape_size(expected->shape);
    const double tolerance = 2e-6 * (double)n_blocks;
    double error = 0, energy = 0;
    for (size_t i = 0; i < n_values; i++) {
        error += ((double)got[i] - expected->value[i]) * ((double)got[i] - expected->value[i]);
        energy += expected->value[i] * expected->value[i];
    }
    const double rms = sqrt(energy / (double)n_values);
    if (!(sqrt(error / energy) <= tolerance))
        fail_msg("%s: rms error %.2e of the output's rms", what, sqrt(error / energy));
    for (size_t i = 0; i < n_values; i++) {
        double off = fabs((double)got[i] - expected->value[i]) / rms;
        if (!(off <= 10 * tolerance))
            fail_msg("%s: value %zu is %.9g, expected %.9g", what, i, (double)got[i],
                     expected->value[i]);
        worst_value = fmax(worst_value, off);
    }
    worst_rms = fmax(worst_rms, sqrt(error / energy));
}

static double *draw_images(meso_shape shape, meso_random *random, meso_buffer *buffer)
{
    const size_t n = n_images * meso_shape_size(shape);
    double *images = malloc(n * sizeof *images);
    float *floats = malloc(n * sizeof *floats);
    assert_true(images && floats);
    harness_fill(random, floats, n);
    for (size_t i = 0; i < n; i++)
        images[i] = (double)floats[i];
    check(meso_buffer_create(device, n * sizeof *floats, buffer));
    check(meso_buffer_write(device, buffer, 0, floats, n * sizeof *floats));
    free(floats);
    return images;
}

static void run_case(const inception_case *c, uint64_t seed)
{
    char text[text_size], what[256];
    meso_random random = {seed};
    meso_net *net;
    meso_error error;
    meso_strip_run *strips;
    meso_buffer input;
    reference_tensor expected;
    size_t n_blocks = c->behind == NOTHING ? 1 : 2;
    write_net(c, text);
    snprintf(what, sizeof what, "%d lanes, method %d, follower %d, %d x %d x %d, %s, list %d",
             c->row.lanes, c->row.method_3, c->behind, c->channels, c->height, c->width,
             c->activation, (int)(c->branches - lists[0]) / 6);
    if (meso_net_parse(text, "case", &net, &error) != MESO_OK)
        fail_msg("%s\n%s", text, error.text);
    float **params = make_params(net, &random);
    check(meso_strip_create(device, net, (const float *const *)params, 2,
                            &(meso_strip_tunings){{c->row}, 1}, &strips));
    if (!strips || meso_strip_get_plan(strips)->n_blocks != n_blocks ||
        meso_strip_get_plan(strips)->blocks[n_blocks - 1].in.two_halves != (c->behind == HALVES))
        fail_msg("%s: not fused", what);
    double *images = draw_images(net->layers[0].shape, &random, &input);
    reference_net(net, (const float *const *)params, images, n_images, net->n_layers - 1,
                  &expected);
    float *got = malloc(n_images * meso_shape_size(expected.shape) * sizeof *got);
    assert_non_null(got);
    for (size_t n = n_images; n > 0; n--) {
        run(strips, &input, n, expected.shape, got);
        compare(got, &expected, n, n_blocks, what);
    }
    free(got);
    free(images);
    reference_tensor_free(&expected);
    meso_buffer_release(&input);
    meso_strip_close(strips);
    for (size_t i = 0; i < net->n_params; i++)
        free(params[i]);
    free(params);
    meso_net_close(net);
}

/* What a case is not about takes its turn. */
static inception_case make_case(int lanes, int turn)
{
    static const int channels[] = {3, 1, 11, 4, 16}, heights[] = {2, 1, 3, 5, 8};
    const int phases[n_followers] = {turn % 2 ? 8 : 6, 8, 4};
    static const meso_strip_method methods[] = {MESO_STRIP_WINOGRAD_YX, MESO_STRIP_DIRECT,
                                                MESO_STRIP_WINOGRAD_Y};
    follower behind = (follower)(turn % n_followers);
    return (inception_case){
        .row = {.name = "forced",
                .condition = "1",
                .lanes = lanes,
                .accumulators = lanes == 16 ? 16 : 8,
                .first_filters = 2,
                .first_tile_rows = 1 + turn % 4,
                .chunk = 1 + turn % 2,
                .method_3 = methods[turn / 3 % 3],
                .method_5 = MESO_STRIP_WINOGRAD_YX},
        .behind = behind,
        .channels = channels[turn % 5],
        .height = behind == NOTHING ? 8 * heights[turn % 5] : 16 * heights[turn % 5],
        .width = phases[behind] * lanes,
        .branches = lists[turn % 4],
        .activation = activations[turn / 2 % 4],
    };
}

static void test_width(void **state)
{
    int lanes = (int)(intptr_t)*state;
    device = harness_device();
    if (meso_device_get_info(device)->type != MESO_DEVICE_CPU)
        skip();
    worst_rms = worst_value = 0;
    for (int turn = 0; turn < n_turns; turn++) {
        inception_case c = make_case(lanes, turn + lanes);
        run_case(&c, (uint64_t)(turn + 1));
    }
    print_message("largest rms error %.1e of the output's, of one value %.1e of it\n", worst_rms,
                  worst_value);
    meso_device_close(device);
}

/* Nets that look like it and are not: one piece of the text is another. */
static void test_other_nets(void **state)
{
    static const struct {
        const char *from, *to;
        size_t n_blocks;
    } edits[] = {
        {"", "", 1},
        {"dilation=3", "dilation=4", 0},
        {"window=3", "window=5", 0},
        {"a_0_act = relu a_0_bias", "a_0_act = relu a_0_bias cap=1", 0},
        {"a_2_reduce_act = relu a_2_reduce_bias", "a_2_reduce_act = elu a_2_reduce_bias alpha=1",
         0},
        {"concat a_0_act", "concat image a_0_act", 0},
        {"window=2 stride=2", "window=4 stride=4", 0},
        {"a_norm = batch_norm a", "x = relu a\na_norm = batch_norm x", 0},
        {"height=16", "height=12", 0},
        {"width=128", "width=120", 0},
        {"width=128", "width=48", 0}, /* three phases: the window would reach over a strip */
    };
    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        inception_case c = make_case(16, 1);
        char text[text_size], edited[text_size + 64];
        meso_net *net;
        meso_error error;
        meso_strip_plan plan;
        c.behind = NOTHING;
        c.height = 16;
        c.branches = lists[0];
        c.activation = activations[0];
        write_net(&c, text);
        const char *at = strstr(text, edits[i].from);
        assert_non_null(at);
        snprintf(edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, edits[i].to,
                 at + strlen(edits[i].from));
        if (meso_net_parse(edited, "edited", &net, &error) != MESO_OK)
            fail_msg("%s\n%s", edited, error.text);
        meso_strip_find(net, &c.row, &plan);
        if (plan.n_blocks != edits[i].n_blocks)
            fail_msg("'%s' for '%s': %zu blocks fused", edits[i].to, edits[i].from, plan.n_blocks);
        meso_net_close(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_nets),
        {"4 lanes", test_width, NULL, NULL, (void *)4},
        {"8 lanes", test_width, NULL, NULL, (void *)8},
        {"16 lanes", test_width, NULL, NULL, (void *)16},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
