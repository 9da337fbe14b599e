/* SPDX-License-Identifier: Apache-2.0
 *
 * Every fused kernel and method, at every vector width, against the double-precision reference.
 *
 * A block that does not begin at the picture, or whose output another block reads as halves, is
 * tested beside a helper: a direct block whose filters have a single 1, anywhere in the window, and
 * whose other layers change nothing. Helpers are exact, so that what the tested block reads is
 * known to the bit, and their shifts read the whole border that the tested block must have written.
 *
 * Required: rms error of a kernel within 2e-6 of its output's rms over its cases, of a single case
 * (one filter on a small picture may nearly cancel) within twice that, and every element within the
 * bound of tests/reference_bound.c, which follows each rounding through the method's transforms.
 */
#include <float.h>
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
#include "harness_layer.h"
#include "harness_model.h"
#include "net/op/op.h"
#include "net/strip/strip_run.h"
#include "reference_bound.h"

enum { most_images = 5, text_size = 2048, n_guard = 64 };

/* Where the tested block stands. */
typedef enum role { ALONE, BEFORE_HALVES, IN_HALVES, n_roles } role;

typedef struct block_case {
    meso_strip_tuning row;
    role role;
    int taps, pool, channels, filters, height, width; /* of the tested block and its input */
    int pixels;                                       /* 8-bit input instead of floats */
    const char *op, *keys;                            /* of the activation */
    int units, outputs;                               /* of the head; 0: none */
    size_t n_lanes;
} block_case;

static const double rms_limit = 2e-6;

static const struct {
    const char *op, *keys;
} activations[] = {{"relu", ""},       {"leaky_relu", "slope=0.1"}, {"relu", "cap=2"},
                   {"elu", "alpha=1"}, {"leaky_relu", "slope=1.7"}, {"elu", "alpha=0.3"}};

static meso_device *device;
static double worst_rms, worst_share; /* of a test: for the record */
static double sum_ratios, n_values;   /* of a test: Σ values · (rms error / rms)², Σ values */
static int quick;                     /* a few cases of each kind: for tools/zoo.sh */

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

/* Appends the five layers of a block. */
static void add_block(char text[text_size], const char *name, const char *from, int filters,
                      int taps, const char *op, const char *keys, int pool)
{
    size_t n = strlen(text);
    snprintf(text + n, text_size - n,
             "%s = conv %s filters=%d window=%d stride=1 dilation=1 pad=same\n"
             "%s_bias = bias %s\n%s_act = %s %s_bias %s\n%s_norm = batch_norm %s_act "
             "epsilon=1e-12\n%s_pool = max_pool %s_norm window=%d stride=%d pad=valid\n",
             name, from, filters, taps, name, name, name, op, name, keys, name, name, name, name,
             pool, pool);
}

/* The net of a case. The helper's window is the one that the tested block has not, so that the row
 * can give it the direct method. */
static void write_net(const block_case *c, char text[text_size])
{
    const int helper_taps = 8 - c->taps, scale = c->role == IN_HALVES ? 2 : 1;
    snprintf(text, text_size, "image = input height=%d width=%d channels=%d divide=%d\n",
             scale * c->height, scale * c->width,
             c->pixels              ? 3
             : c->role == IN_HALVES ? 2
                                    : c->channels,
             c->pixels ? 255 : 1);
    if (c->role == IN_HALVES)
        add_block(text, "copy", "image", c->channels, helper_taps, "leaky_relu", "slope=1", 2);
    add_block(text, "block", c->role == IN_HALVES ? "copy_pool" : "image", c->filters, c->taps,
              c->op, c->keys, c->pool);
    if (c->role == BEFORE_HALVES)
        add_block(text, "copy", "block_pool", 3, helper_taps, "leaky_relu", "slope=1", 2);
    size_t n = strlen(text);
    if (c->units)
        snprintf(text + n, text_size - n,
                 "flat = flatten block_pool\nd1 = dense flat units=%d\nd1_bias = bias d1\n"
                 "d1_act = %s d1_bias %s\ndrop = dropout d1_act rate=0.5\nd2 = dense drop "
                 "units=%d\nd2_bias = bias d2\n",
                 c->units, c->op, c->keys, c->outputs);
}

static int is_helper(const meso_layer *layer)
{
    return strncmp(layer->name, "copy", 4) == 0;
}

/* One parameter of a helper: filters with one 1 at a random place, corners first; norm that does
 * nothing. */
static void fill_helper(const meso_param *p, meso_random *random, float *values)
{
    if (p->kind == MESO_PARAM_GAMMA || p->kind == MESO_PARAM_VARIANCE)
        for (size_t i = 0; i < p->n_values; i++)
            values[i] = 1;
    if (p->kind != MESO_PARAM_KERNEL)
        return;
    for (size_t k = 0; k < p->dims[3]; k++) {
        size_t last = p->dims[0] - 1;
        size_t y = k % 4 < 2 ? k % 2 * last : meso_random_below(random, p->dims[0]);
        size_t x = k % 4 < 2 ? (k + k / 4) % 2 * last : meso_random_below(random, p->dims[1]);
        values[((y * p->dims[1] + x) * p->dims[2] + k % p->dims[2]) * p->dims[3] + k] = 1;
    }
}

static float **make_params(const meso_net *net, meso_random *random, size_t first_sign)
{
    float **params = calloc(net->n_params + 1, sizeof *params);
    assert_non_null(params);
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_param *p = &net->params[i];
        params[i] = calloc(p->n_values, sizeof **params);
        assert_non_null(params[i]);
        if (is_helper(&net->layers[p->layer]))
            fill_helper(p, random, params[i]);
        else
            harness_block_param(p, random, first_sign, params[i]);
    }
    return params;
}

static void free_params(const meso_net *net, float **params)
{
    for (size_t i = 0; i < net->n_params; i++)
        free(params[i]);
    free(params);
}

/* What comes out behind the last layer, and how far off it may be. */
static reference_bounded expect(const block_case *c, const meso_net *net, float *const *params,
                                const double *images)
{
    reference_bounded t = reference_bounded_input(net->layers[0].shape, images, most_images);
    for (size_t i = 1; i < net->n_layers; i++) {
        const meso_layer *layer = &net->layers[i];
        int helper = is_helper(layer);
        meso_strip_method method = helper         ? MESO_STRIP_DIRECT
                                   : c->taps == 3 ? c->row.method_3
                                                  : c->row.method_5;
        reference_bounded_op(layer, (const float *const *)params + layer->first_param, method,
                             helper ? 1e-4 * FLT_EPSILON : FLT_EPSILON, &t);
    }
    return t;
}

/* n images' planar tensor with zeros around and NaN in gaps, or their logits. */
typedef struct answer {
    meso_tensor_view view;
    meso_buffer buffer;
    float *host;
    size_t n_floats;
} answer;

static answer make_answer(meso_shape shape)
{
    answer a = {.view = meso_tensor_of(shape, 1, NULL)};
    a.view.row_stride += 3;
    a.n_floats = most_images * meso_tensor_size(&a.view) + n_guard;
    a.host = malloc(a.n_floats * sizeof *a.host);
    assert_non_null(a.host);
    check(meso_buffer_create(device, a.n_floats * sizeof *a.host, &a.buffer));
    return a;
}

static size_t place(const meso_tensor_view *v, size_t i, int c, int y, int x)
{
    return i * meso_tensor_size(v) + (size_t)c * meso_tensor_plane(v) +
           (size_t)(y + v->pad) * (size_t)v->row_stride + (size_t)(x + v->pad);
}

/* Runs the first n images; the values come in the reference's order. */
static void run(meso_strip_run *strips, const meso_buffer *input, int pixels, size_t n, answer *a,
                float *got)
{
    const meso_strip_plan *plan = meso_strip_get_plan(strips);
    const meso_shape s = a->view.shape;
    if (plan->head.flatten) {
        check(meso_strip_enqueue(strips, input, !pixels, n, NULL));
        check(meso_strip_logits(strips, n, got));
        return;
    }
    for (size_t i = 0; i < a->n_floats; i++)
        a->host[i] = NAN;
    check(meso_buffer_write(device, &a->buffer, 0, a->host, a->n_floats * sizeof *a->host));
    a->view.buffer = &a->buffer;
    check(meso_strip_enqueue(strips, input, !pixels, n, &a->view));
    check(meso_device_finish_all(device));
    check(meso_buffer_read(device, &a->buffer, 0, a->host, a->n_floats * sizeof *a->host));
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < s.c; c++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++) {
                    float *value = &a->host[place(&a->view, i, c, y, x)];
                    *got++ = *value;
                    *value = NAN;
                }
    for (size_t i = 0; i < a->n_floats; i++)
        if (!isnan(a->host[i]))
            fail_msg("float %zu outside the output was written", i);
}

static void compare(const float *got, const reference_bounded *expected, size_t n, const char *what)
{
    const meso_shape s = expected->value.shape;
    const size_t size = meso_shape_size(s), plane = (size_t)s.h * (size_t)s.w;
    double error = 0, energy = 0;
    for (size_t i = 0; i < n * size; i++) {
        double value = expected->value.value[i], difference = fabs((double)got[i] - value);
        double bound = expected->bound.value[i] + FLT_MIN;
        if (!(difference <= bound))
            fail_msg("%s: image %zu of %zu channel %zu row %zu column %zu: %.9g, expected %.9g ± "
                     "%.2g",
                     what, i / size, n, i % size / plane, i % plane / (size_t)s.w, i % (size_t)s.w,
                     (double)got[i], value, bound);
        worst_share = fmax(worst_share, difference / bound);
        error += difference * difference;
        energy += value * value;
    }
    if (!(sqrt(error) <= 2 * rms_limit * sqrt(energy)))
        fail_msg("%s: rms error %.2e of the output's rms", what, sqrt(error / energy));
    if (energy > 0) {
        worst_rms = fmax(worst_rms, sqrt(error / energy));
        sum_ratios += (double)(n * size) * error / energy;
        n_values += (double)(n * size);
    }
}

/* The rewrite pass must have done what the case is about. */
static void check_plan(const block_case *c, const meso_strip_plan *plan, const char *what)
{
    const size_t n_blocks = c->role == ALONE ? 1 : 2;
    const meso_strip_block *tested = &plan->blocks[c->role == IN_HALVES];
    if (plan->n_blocks != n_blocks || tested->in.two_halves != (c->role == IN_HALVES) ||
        tested->out.two_halves != (c->role != ALONE) ||
        (plan->head.flatten != NULL) != (c->units > 0) ||
        meso_block_only_conv(&tested->layers)->method !=
            (int)(c->taps == 3 ? c->row.method_3 : c->row.method_5))
        fail_msg("%s: not what this case is about: %zu blocks", what, plan->n_blocks);
}

static double *draw_images(const block_case *c, meso_shape shape, meso_random *random,
                           meso_buffer *buffer)
{
    const size_t n = most_images * meso_shape_size(shape);
    double *images = malloc(n * sizeof *images);
    float *floats = malloc(n * sizeof *floats);
    uint8_t *bytes = malloc(n);
    assert_true(images && floats && bytes);
    harness_fill(random, floats, n);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)meso_random_below(random, 256);
        images[i] = c->pixels ? bytes[i] / 255.0 : (double)floats[i];
    }
    const size_t size = c->pixels ? n : n * sizeof *floats;
    check(meso_buffer_create(device, size, buffer));
    check(meso_buffer_write(device, buffer, 0, c->pixels ? (void *)bytes : floats, size));
    free(floats);
    free(bytes);
    return images;
}

static void run_case(const block_case *c)
{
    static const size_t batches[] = {5, 1, 3, 2};
    static uint64_t seed = 1;
    char text[text_size], what[256];
    meso_random random = {seed++};
    meso_net *net;
    meso_error error;
    meso_strip_run *strips;
    meso_buffer input;
    write_net(c, text);
    snprintf(
        what, sizeof what,
        "%d lanes, role %d, %dx%d window, method %d, pool %d, %d -> %d channels, %d x %d, %s %s, "
        "%d accumulators, chunk %d",
        c->row.lanes, c->role, c->taps, c->taps, c->taps == 3 ? c->row.method_3 : c->row.method_5,
        c->pool, c->channels, c->filters, c->height, c->width, c->op, c->keys, c->row.accumulators,
        c->row.chunk);
    if (meso_net_parse(text, "case", &net, &error) != MESO_OK)
        fail_msg("%s\n%s", text, error.text);
    float **params = make_params(net, &random, seed);
    check(meso_strip_create(device, net, (const float *const *)params, c->n_lanes,
                            &(meso_strip_tunings){{c->row}, 1}, &strips));
    if (!strips)
        fail_msg("%s: nothing was fused", what);
    check_plan(c, meso_strip_get_plan(strips), what);
    double *images = draw_images(c, net->layers[0].shape, &random, &input);
    reference_bounded expected = expect(c, net, params, images);
    answer a = make_answer(expected.value.shape);
    float *got = malloc(most_images * meso_shape_size(expected.value.shape) * sizeof *got);
    assert_non_null(got);
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        run(strips, &input, c->pixels, batches[i], &a, got);
        compare(got, &expected, batches[i], what);
    }
    free(got);
    free(a.host);
    meso_buffer_release(&a.buffer);
    reference_bounded_free(&expected);
    free(images);
    meso_buffer_release(&input);
    meso_strip_close(strips);
    free_params(net, params);
    meso_net_close(net);
}

/* Everything that is not what a case is about takes its turn: with steps without a common divisor
 * the combinations differ from case to case. */
static block_case make_case(int lanes, int taps, meso_strip_method method, size_t turn)
{
    static const int channels[] = {1, 2, 3, 5, 8, 12, 16}, filters[] = {8, 3, 16, 1, 24};
    static const int accumulators[] = {16, 8, 32};
    return (block_case){
        .row = {.name = "forced",
                .condition = "1",
                .lanes = lanes,
                .accumulators = accumulators[turn % 3],
                .first_filters = 1 << turn % 3,
                .first_tile_rows = 1,
                .chunk = 1 + (int)(turn / 2 % 3),
                .method_3 = taps == 3 ? method : MESO_STRIP_DIRECT,
                .method_5 = taps == 5 ? method : MESO_STRIP_DIRECT},
        .taps = taps,
        .pool = 2,
        .channels = channels[turn % 7],
        .filters = filters[turn % 5],
        .op = activations[turn % 6].op,
        .keys = activations[turn % 6].keys,
        .n_lanes = 1 + turn % 2,
    };
}

static size_t turn;

/* Heights and widths that fit the role. */
static void fit_size(block_case *c)
{
    static const int heights[] = {1, 2, 3, 5}, widths[] = {1, 3, 2};
    c->height = 4 * heights[turn % 4];
    c->width = 4 * c->row.lanes * widths[turn % 3];
    if (c->role == IN_HALVES) {
        c->height = 8 * heights[turn % 2];
        c->width = 2 * c->row.lanes * widths[turn % 2];
    }
    if (c->role == BEFORE_HALVES) {
        c->height = c->pool * 8 * heights[turn % 2];
        c->width = c->pool * 2 * c->row.lanes * widths[turn / 2 % 2];
    }
}

static const struct {
    const char *name;
    int taps;
    meso_strip_method method;
} methods[] = {
    {"direct 3x3", 3, MESO_STRIP_DIRECT},           {"direct 5x5", 5, MESO_STRIP_DIRECT},
    {"winograd_y 3x3", 3, MESO_STRIP_WINOGRAD_Y},   {"winograd_y 5x5", 5, MESO_STRIP_WINOGRAD_Y},
    {"winograd_yx 3x3", 3, MESO_STRIP_WINOGRAD_YX}, {"winograd_yx 5x5", 5, MESO_STRIP_WINOGRAD_YX}};
enum { n_methods = sizeof methods / sizeof methods[0] };
static const int widths_of_vectors[] = {4, 8, 16};

static void open_device(size_t first_turn)
{
    device = harness_device();
    if (meso_device_get_info(device)->type != MESO_DEVICE_CPU)
        skip();
    turn = first_turn;
    worst_rms = worst_share = sum_ratios = n_values = 0;
}

static void close_device(void)
{
    meso_device_close(device);
    const double rms = sqrt(sum_ratios / n_values);
    print_message(
        "rms error %.1e of the output's, of one case %.1e, largest share of a bound %.2f\n", rms,
        worst_rms, worst_share);
    if (!(rms <= rms_limit))
        fail_msg("rms error %.2e of the output's rms", rms);
}

/* One method at one vector width: each role and pool. MESO_FULL=1: several turns of each. */
static void test_method(void **state)
{
    const size_t i = (size_t)(uintptr_t)*state, m = i % n_methods, n_kinds = 2 * n_roles;
    const size_t n_turns = quick ? 1 : getenv("MESO_FULL") ? 7 * n_kinds : n_kinds;
    open_device(5 * i);
    for (size_t t = 0; t < n_turns; t++, turn++) {
        size_t kind = quick ? i + i / n_kinds : t;
        block_case c =
            make_case(widths_of_vectors[i / n_methods], methods[m].taps, methods[m].method, turn);
        c.role = (role)(kind % n_roles);
        c.pool = kind / n_roles % 2 ? 4 : 2;
        fit_size(&c);
        run_case(&c);
    }
    close_device();
}

/* 8-bit pixels: through the first block's own kernel, whose unpacking has a fast way for strips of
 * 16 columns; and packed for the other blocks. quick: the first two. */
static void test_pixels(void **state)
{
    static const struct {
        int taps, pool, strips, tile_rows, height;
    } rows[] = {{3, 2, 16, 2, 24}, {5, 2, 4, 1, 8},   {3, 2, 4, 1, 12},
                {3, 2, 16, 4, 16}, {3, 2, 12, 4, 32}, {3, 4, 16, 1, 4}};
    const size_t n = quick ? 2 : sizeof rows / sizeof rows[0];
    (void)state;
    open_device(0);
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < n; i++, turn++) {
            block_case c =
                make_case(widths_of_vectors[l], rows[i].taps, MESO_STRIP_WINOGRAD_YX, turn);
            c.pixels = 1;
            c.channels = 3;
            c.pool = rows[i].pool;
            c.row.first_tile_rows = rows[i].tile_rows;
            c.height = rows[i].height;
            c.width = rows[i].strips * c.row.lanes;
            run_case(&c);
        }
    close_device();
}

/* The dense layers, behind a block as it lies, whole and in halves. */
static void test_head(void **state)
{
    (void)state;
    open_device(0);
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < (quick ? 1 : 3); i++, turn++) {
            block_case c = make_case(widths_of_vectors[l], 5, MESO_STRIP_DIRECT, turn);
            c.role = i < 2 ? IN_HALVES : ALONE;
            c.pool = i == 0 ? 4 : 2;
            c.filters = 8;
            c.units = 16 * (1 + (int)(turn % 2));
            c.outputs = 1 + (int)i;
            fit_size(&c);
            run_case(&c);
        }
    close_device();
}

int main(int argc, char **argv)
{
    static char names[3 * n_methods][64];
    struct CMUnitTest tests[3 * n_methods + 2] = {cmocka_unit_test(test_pixels),
                                                  cmocka_unit_test(test_head)};
    quick = argc == 2 && strcmp(argv[1], "quick") == 0;
    for (size_t i = 0; i < 3 * n_methods; i++) {
        snprintf(names[i], sizeof names[i], "%s, %d lanes", methods[i % n_methods].name,
                 widths_of_vectors[i / n_methods]);
        tests[i + 2] = (struct CMUnitTest){
            .name = names[i], .test_func = test_method, .initial_state = (void *)(uintptr_t)i};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
