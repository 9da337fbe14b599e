/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused blocks for GPUs (cl/tile_block.cl) against the double-precision reference, on whatever
 * device there is: every element within the bound of tests/reference_bound.c, poison where nothing
 * may be read, poison and a guard where nothing may be written.
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
#include "harness_tensor.h"
#include "net/op.h"
#include "net/tile.h"
#include "reference_bound.h"

enum { most_images = 5, text_size = 1024 };

typedef struct tile_case {
    meso_tile_tuning row;
    meso_tile_input input;
    int taps, pool, channels, filters, height, width;
    const char *pad; /* of the pool */
    const char *op, *keys;
} tile_case;

static const struct {
    const char *op, *keys;
} activations[] = {{"relu", ""},       {"leaky_relu", "slope=0.1"}, {"relu", "cap=2"},
                   {"elu", "alpha=1"}, {"leaky_relu", "slope=1.7"}, {"elu", "alpha=0.3"}};

static meso_device *device;
static size_t turn;
static int quick; /* a few cases of each kind: for tools/zoo.sh and Oclgrind */

static void check(meso_status status)
{
    if (status != MESO_OK)
        fail_msg("%s", meso_device_error(device));
}

/* Where the block reads a tensor, another layer stands between the picture and it. */
static meso_net *make_net(const tile_case *c)
{
    char text[text_size];
    meso_net *net;
    meso_error error;
    snprintf(text, sizeof text,
             "image = input height=%d width=%d channels=%d divide=%d\nbefore = relu image\n"
             "block = conv %s filters=%d window=%d stride=1 dilation=1 pad=same\n"
             "bias = bias block\nact = %s bias %s\nnorm = batch_norm act epsilon=1e-12\n"
             "pool = max_pool norm window=%d stride=%d pad=%s\n",
             c->height, c->width, c->channels, c->input == MESO_TILE_PIXELS ? 255 : 1,
             c->input == MESO_TILE_TENSOR ? "before" : "image", c->filters, c->taps, c->op, c->keys,
             c->pool, c->pool, c->pad);
    if (meso_net_parse(text, "case", &net, &error) != MESO_OK)
        fail_msg("%s\n%s", text, error.text);
    return net;
}

static float **make_params(const meso_net *net, meso_random *random)
{
    float **params = calloc(net->n_params + 1, sizeof *params);
    assert_non_null(params);
    for (size_t i = 0; i < net->n_params; i++) {
        params[i] = calloc(net->params[i].n_values, sizeof **params);
        assert_non_null(params[i]);
        harness_block_param(&net->params[i], random, turn, params[i]);
    }
    return params;
}

/* Pictures as the host gives them; the same values in `images`. */
static void draw_pictures(const tile_case *c, size_t n_values, meso_random *random, double *images,
                          meso_buffer *buffer)
{
    float *floats = malloc(n_values * sizeof *floats);
    uint8_t *bytes = malloc(n_values);
    const int is_float = c->input == MESO_TILE_FLOATS;
    assert_true(floats && bytes);
    harness_fill(random, floats, n_values);
    for (size_t i = 0; i < n_values; i++) {
        bytes[i] = (uint8_t)meso_random_below(random, 256);
        images[i] = is_float ? (double)floats[i] : bytes[i] / 255.0;
    }
    const size_t size = is_float ? n_values * sizeof *floats : n_values;
    check(meso_buffer_create(device, size, buffer));
    check(meso_buffer_write(device, buffer, 0, is_float ? (void *)floats : bytes, size));
    free(floats);
    free(bytes);
}

/* The block's input on the device, and as the reference takes it. */
static harness_tensor make_input(const tile_case *c, meso_shape shape, meso_random *random,
                                 reference_bounded *exact)
{
    const size_t n_values = most_images * meso_shape_size(shape);
    double *images = calloc(n_values, sizeof *images);
    harness_tensor input = {0};
    assert_non_null(images);
    if (c->input == MESO_TILE_TENSOR) {
        *exact = reference_bounded_input(shape, images, most_images);
        reference_tensor_free(&exact->value);
        input =
            harness_tensor_random(device, shape, (int)turn % 3, most_images, random, &exact->value);
    } else {
        draw_pictures(c, n_values, random, images, &input.buffer);
        *exact = reference_bounded_input(shape, images, most_images);
    }
    free(images);
    return input;
}

static void describe(const tile_case *c, const meso_tile_block *b, char text[256])
{
    snprintf(text, 256,
             "%dx%d window, pool %d %s, %d -> %d channels, %d x %d, %s %s, input %d, group %d x %d "
             "x %d, %d filters, %d channels at a time, local %d",
             c->taps, c->taps, c->pool, c->pad, c->channels, c->filters, c->height, c->width, c->op,
             c->keys, (int)c->input, b->group_x, b->group_y, b->images, b->filters, b->channels,
             b->local);
}

static void run_batches(meso_tile_run *tiles, const tile_case *c, const harness_tensor *input,
                        const reference_bounded *expected, const meso_net *net)
{
    static const size_t batches[] = {5, 1, 3};
    const meso_tile_block *block = meso_tile_of(tiles, net->n_layers - 1);
    /* A value's bound takes the place of its magnitude. */
    reference_tensor bounded = {expected->value.shape, expected->value.value,
                                expected->bound.value};
    char text[256];
    describe(c, block, text);
    meso_tensor_view in = input->view;
    in.buffer = &input->buffer;
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        harness_tensor out =
            harness_tensor_poisoned(device, bounded.shape, (int)(turn + i) % 2, most_images);
        out.view.buffer = &out.buffer;
        check(meso_tile_enqueue(tiles, block, c->input, &in, &out.view, batches[i]));
        harness_tensor_compare(device, &out, &bounded, batches[i], 1 / (double)FLT_EPSILON, text);
        harness_tensor_free(&out);
    }
}

static void run_case(const tile_case *c)
{
    meso_random random = {turn + 1};
    meso_net *net = make_net(c);
    const meso_layer *last = &net->layers[net->n_layers - 1];
    meso_tile_run *tiles;
    reference_bounded expected;
    float **params = make_params(net, &random);
    check(meso_tile_create(device, net, (const float *const *)params, &c->row, &tiles));
    if (!tiles)
        fail_msg("%d x %d, pool %d: nothing was fused", c->height, c->width, c->pool);
    harness_tensor input = make_input(c, net->layers[0].shape, &random, &expected);
    for (const meso_layer *layer = last - 4; layer <= last; layer++)
        reference_bounded_op(layer, (const float *const *)params + layer->first_param,
                             MESO_STRIP_DIRECT, FLT_EPSILON, &expected);
    run_batches(tiles, c, &input, &expected, net);
    reference_bounded_free(&expected);
    harness_tensor_free(&input);
    meso_tile_close(tiles);
    for (size_t i = 0; i < net->n_params; i++)
        free(params[i]);
    free(params);
    meso_net_close(net);
}

/* Everything that is not what a case is about takes its turn: with steps without a common divisor
 * the combinations differ from case to case. */
static tile_case make_case(int taps, int pool)
{
    static const int channels[] = {1, 2, 3, 5, 8, 12, 16}, filters[] = {8, 3, 16, 1, 24};
    static const int widths[] = {16, 4, 8, 32}, items[] = {128, 16, 64, 256, 32};
    static const int of_item[] = {8, 4, 16}, at_once[] = {4, 1, 8, 2};
    /* What pools of both sizes take without rows of padding above. */
    static const int sides[] = {16, 31, 4, 64, 23, 8, 36, 67, 12, 3, 127};
    const int n_sides = quick ? 6 : sizeof sides / sizeof sides[0];
    tile_case c = {.taps = taps,
                   .pool = pool,
                   .row = {widths[turn % 4], items[turn % 5], of_item[turn % 3],
                           at_once[turn / 2 % 4], (int)(turn / 3 % 2)},
                   .input = (meso_tile_input)(turn % MESO_TILE_N_INPUTS),
                   .channels = channels[turn % 7],
                   .filters = filters[turn % 5],
                   .height = sides[turn % (size_t)n_sides],
                   .width = sides[turn / 2 % (size_t)n_sides],
                   .pad = turn % 2 ? "same" : "valid",
                   .op = activations[turn % 6].op,
                   .keys = activations[turn % 6].keys};
    if (strcmp(c.pad, "valid") == 0) { /* no fewer than a window */
        c.height = c.height < pool ? pool : c.height + (int)turn % 2;
        c.width = c.width < pool ? pool : c.width + (int)(turn / 3 % 3);
    }
    return c;
}

static void open_device(size_t first_turn)
{
    const size_t least_group = 16;
    device = harness_device();
    if (meso_device_get_info(device)->max_work_group < least_group)
        skip(); /* nothing is fused there */
    turn = first_turn;
}

static void test_blocks(void **state)
{
    const size_t i = (size_t)(uintptr_t)*state;
    const size_t n = quick ? 2 : getenv("MESO_FULL") ? 200 : 12;
    open_device(41 * i);
    for (size_t k = 0; k < n; k++, turn++) {
        const tile_case c = make_case(i % 2 ? 5 : 3, i / 2 ? 4 : 2);
        run_case(&c);
    }
    meso_device_close(device);
}

/* A NaN in the picture reaches every window that sees it, whatever stands beside it. */
static void keeps_nan(void **state)
{
    enum { side = 8, bad = 3 * side + 4 };
    tile_case c = {.row = meso_tile_shipped,
                   .input = MESO_TILE_FLOATS,
                   .taps = 3,
                   .pool = 2,
                   .channels = 1,
                   .filters = 4,
                   .height = side,
                   .width = side,
                   .pad = "valid",
                   .op = "relu",
                   .keys = ""};
    float picture[side * side] = {0}, got[4 * side * side / 4];
    (void)state;
    open_device(0);
    meso_random random = {1};
    meso_net *net = make_net(&c);
    float **params = make_params(net, &random);
    meso_tile_run *tiles;
    meso_buffer from, to;
    picture[bad] = NAN;
    check(meso_tile_create(device, net, (const float *const *)params, &c.row, &tiles));
    assert_non_null(tiles);
    check(meso_buffer_create(device, sizeof picture, &from));
    check(meso_buffer_write(device, &from, 0, picture, sizeof picture));
    check(meso_buffer_create(device, sizeof got, &to));
    const meso_tensor_view in = {.buffer = &from};
    const meso_tensor_view out = meso_tensor_of(net->layers[net->n_layers - 1].shape, 0, &to);
    check(meso_tile_enqueue(tiles, meso_tile_of(tiles, net->n_layers - 1), c.input, &in, &out, 1));
    check(meso_buffer_read(device, &to, 0, got, sizeof got));
    for (int k = 0; k < 4; k++)
        for (int y = 0; y < side / 2; y++)
            for (int x = 0; x < side / 2; x++) /* rows 2 to 4, columns 3 to 5 see it */
                assert_int_equal(isnan(got[(k * side / 2 + y) * side / 2 + x]) != 0,
                                 (y == 1 || y == 2) && (x == 1 || x == 2));
    meso_buffer_release(&from);
    meso_buffer_release(&to);
    meso_tile_close(tiles);
    for (size_t i = 0; i < net->n_params; i++)
        free(params[i]);
    free(params);
    meso_net_close(net);
    meso_device_close(device);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"3x3, pool 2", "5x5, pool 2", "3x3, pool 4", "5x5, pool 4"};
    struct CMUnitTest tests[5] = {cmocka_unit_test(keeps_nan)};
    quick = argc == 2 && strcmp(argv[1], "quick") == 0;
    for (size_t i = 0; i < 4; i++)
        tests[i + 1] = (struct CMUnitTest){
            .name = names[i], .test_func = test_blocks, .initial_state = (void *)(uintptr_t)i};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
