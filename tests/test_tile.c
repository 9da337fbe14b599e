/* SPDX-License-Identifier: Apache-2.0
 *
 * Fused kernels for GPUs (cl/tile_*.cl) against the double-precision reference, on whatever device
 * there is: every element within the bound of tests/reference_bound.c, poison where nothing
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

#include "base/text.h"
#include "harness_device.h"
#include "harness_layer.h"
#include "harness_tensor.h"
#include "net/op/op.h"
#include "net/tile/tile.h"
#include "reference_bound.h"

enum { most_images = 5, most_branches = 5 };

/* Of an inception block. reduced: filters of the 1 × 1 convolution in front; 0: none. */
typedef struct branch {
    int reduced, filters, dilation;
} branch;

typedef struct tile_case {
    meso_tile_kind kind;
    meso_tile_tuning row;
    meso_plan_input input;
    int channels, height, width;
    int taps, pool, filters;
    branch branches[most_branches + 1]; /* filters 0 ends them */
    int units, outputs;
    const char *pad; /* of the pool */
    const char *op, *keys;
} tile_case;

/* A case's net, its parameters and its kernel. */
typedef struct opened {
    meso_net *net;
    float **params;
    meso_tile_run *tiles;
    const meso_tile_block *block;
} opened;

static const branch lists[][most_branches + 1] = {
    {{0, 1, 1}, {4, 4, 1}, {4, 4, 2}, {2, 2, 3}}, /* MesoInception-4's */
    {{3, 5, 3}, {0, 3, 1}, {1, 1, 2}},
    {{5, 6, 2}, {3, 9, 1}},
    {{0, 2, 1}, {0, 4, 1}, {2, 3, 3}, {2, 1, 3}, {1, 2, 1}},
    {{0, 5, 1}, {0, 1, 1}},
};

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

static void add_branches(const tile_case *c, const char *from, meso_text *text)
{
    meso_text ends = {0};
    for (int i = 0; c->branches[i].filters; i++) {
        const branch *b = &c->branches[i];
        if (b->reduced)
            meso_text_format(text,
                             "r%d = conv %s filters=%d window=1 stride=1 dilation=1 pad=same\n"
                             "rb%d = bias r%d\nra%d = %s rb%d %s\n",
                             i, from, b->reduced, i, i, i, c->op, i, c->keys);
        if (b->reduced)
            meso_text_format(text, "c%d = conv ra%d", i, i);
        else
            meso_text_format(text, "c%d = conv %s", i, from);
        meso_text_format(text,
                         " filters=%d window=%d stride=1 dilation=%d pad=same\nb%d = bias c%d\n"
                         "a%d = %s b%d %s\n",
                         b->filters, b->reduced ? 3 : 1, b->dilation, i, i, i, c->op, i, c->keys);
        meso_text_format(&ends, " a%d", i);
    }
    meso_text_format(text, "act = concat%s\n", ends.bytes);
    meso_text_free(&ends);
}

/* The layer that is read: for a tensor another one behind the picture. */
static size_t source_of(const tile_case *c)
{
    return c->input == MESO_PLAN_TENSOR;
}

static meso_net *make_net(const tile_case *c)
{
    const char *from = source_of(c) ? "before" : "image";
    meso_text text = {0};
    meso_net *net;
    meso_error error;
    meso_text_format(&text, "image = input height=%d width=%d channels=%d divide=%d\n%s", c->height,
                     c->width, c->channels, c->input == MESO_PLAN_PIXELS ? 255 : 1,
                     source_of(c) ? "before = relu image\n" : "");
    if (c->kind == MESO_TILE_BLOCK)
        meso_text_format(&text,
                         "block = conv %s filters=%d window=%d stride=1 dilation=1 pad=same\n"
                         "bias = bias block\nact = %s bias %s\n",
                         from, c->filters, c->taps, c->op, c->keys);
    if (c->kind == MESO_TILE_INCEPTION)
        add_branches(c, from, &text);
    if (c->kind == MESO_TILE_HEAD)
        meso_text_format(&text,
                         "flat = flatten %s\ndrop1 = dropout flat rate=0.5\n"
                         "hidden = dense drop1 units=%d\nhidden_bias = bias hidden\n"
                         "act = %s hidden_bias %s\ndrop2 = dropout act rate=0.5\n"
                         "output = dense drop2 units=%d\noutput_bias = bias output\n",
                         from, c->units, c->op, c->keys, c->outputs);
    else
        meso_text_format(&text,
                         "norm = batch_norm act epsilon=1e-12\n"
                         "pool = max_pool norm window=%d stride=%d pad=%s\n",
                         c->pool, c->pool, c->pad);
    if (meso_net_parse(text.bytes, "case", &net, &error) != MESO_OK)
        fail_msg("%s\n%s", text.bytes, error.text);
    meso_text_free(&text);
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

static opened open_case(const tile_case *c, meso_random *random)
{
    opened o = {.net = make_net(c)};
    o.params = make_params(o.net, random);
    check(meso_tile_create(device, o.net, (const float *const *)o.params, &c->row, &o.tiles));
    if (o.tiles)
        o.block = (const meso_tile_block *)meso_tile_blocks(o.tiles)->of[o.net->n_layers - 1];
    if (!o.block || o.block->kind != c->kind ||
        meso_tile_n_layers(o.tiles) != o.net->n_layers - 1 - source_of(c))
        fail_msg("%s\nnot fused", o.net->text);
    return o;
}

static meso_status enqueue(const opened *o, meso_plan_input kind, const meso_tensor_view *in,
                           const meso_tensor_view *out, size_t n)
{
    const meso_plan_blocks *blocks = meso_tile_blocks(o->tiles);
    return blocks->enqueue(blocks, &o->block->part, kind, in, out, n);
}

static void close_case(opened *o)
{
    meso_tile_close(o->tiles);
    for (size_t i = 0; i < o->net->n_params; i++)
        free(o->params[i]);
    free(o->params);
    meso_net_close(o->net);
}

/* Pictures as the host gives them; the same values in `images`. */
static void draw_pictures(const tile_case *c, size_t n_values, meso_random *random, double *images,
                          meso_buffer *buffer)
{
    float *floats = malloc(n_values * sizeof *floats);
    uint8_t *bytes = malloc(n_values);
    const int is_float = c->input == MESO_PLAN_FLOATS;
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
    if (c->input == MESO_PLAN_TENSOR) {
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

static reference_bounded copy_bounded(const reference_bounded *from)
{
    const size_t size = from->n * meso_shape_size(from->value.shape);
    reference_bounded copy = {from->n, reference_tensor_new(from->value.shape, from->n),
                              reference_tensor_new(from->value.shape, from->n)};
    memcpy(copy.value.value, from->value.value, size * sizeof(double));
    memcpy(copy.value.magnitude, from->value.magnitude, size * sizeof(double));
    memcpy(copy.bound.value, from->bound.value, size * sizeof(double));
    return copy;
}

static reference_bounded concat_bounded(const meso_layer *layer, const reference_bounded *of)
{
    reference_bounded out = {.n = of[layer->inputs[0]].n};
    reference_tensor values[most_branches], bounds[most_branches];
    for (size_t i = 0; i < layer->n_inputs; i++) {
        values[i] = of[layer->inputs[i]].value;
        bounds[i] = of[layer->inputs[i]].bound;
    }
    reference_op(layer, values, NULL, out.n, &out.value);
    reference_op(layer, bounds, NULL, out.n, &out.bound);
    return out;
}

/* What the last layer gives for this output of layer `source`, which is freed. */
static reference_bounded expect(const opened *o, size_t source, reference_bounded input)
{
    const size_t n_layers = o->net->n_layers;
    reference_bounded *of = calloc(n_layers, sizeof *of);
    assert_non_null(of);
    of[source] = input;
    for (size_t i = source + 1; i < n_layers; i++) {
        const meso_layer *layer = &o->net->layers[i];
        const float *const *params = (const float *const *)o->params + layer->first_param;
        of[i] = layer->op == &meso_op_concat ? concat_bounded(layer, of)
                                             : copy_bounded(&of[layer->inputs[0]]);
        if (layer->op != &meso_op_concat)
            reference_bounded_op(layer, params, MESO_STRIP_DIRECT, FLT_EPSILON, &of[i]);
    }
    const reference_bounded last = of[n_layers - 1];
    for (size_t i = 0; i < n_layers - 1; i++)
        reference_bounded_free(&of[i]);
    free(of);
    return last;
}

static void run_batches(const opened *o, const tile_case *c, const harness_tensor *input,
                        const reference_bounded *expected)
{
    static const size_t batches[] = {5, 1, 3};
    const meso_tile_block *b = o->block;
    /* A value's bound takes the place of its magnitude. */
    reference_tensor bounded = {expected->value.shape, expected->value.value,
                                expected->bound.value};
    char text[2048];
    snprintf(text, sizeof text,
             "%sinput %d, group %d x %d x %d, %d filters, %d channels at a time, local %d",
             o->net->text, (int)c->input, b->group_x, b->group_y, b->images, b->filters,
             b->channels, b->local);
    meso_tensor_view in = input->view;
    in.buffer = &input->buffer;
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        harness_tensor out =
            harness_tensor_poisoned(device, bounded.shape, (int)(turn + i) % 2, most_images);
        out.view.buffer = &out.buffer;
        check(enqueue(o, c->input, &in, &out.view, batches[i]));
        harness_tensor_compare(device, &out, &bounded, batches[i], 1 / (double)FLT_EPSILON, text);
        harness_tensor_free(&out);
    }
}

static void run_case(const tile_case *c)
{
    meso_random random = {turn + 1};
    reference_bounded input;
    opened o = open_case(c, &random);
    harness_tensor on_device = make_input(c, o.net->layers[0].shape, &random, &input);
    reference_bounded expected = expect(&o, source_of(c), input);
    run_batches(&o, c, &on_device, &expected);
    reference_bounded_free(&expected);
    harness_tensor_free(&on_device);
    close_case(&o);
}

/* Everything that is not what a case is about takes its turn: with steps without a common divisor
 * the combinations differ from case to case. */
static tile_case make_case(meso_tile_kind kind, int taps, int pool)
{
    static const int channels[] = {1, 2, 3, 5, 8, 12, 16}, filters[] = {8, 3, 16, 1, 24};
    static const int widths[] = {16, 4, 8, 32}, items[] = {128, 16, 64, 256, 32};
    static const int of_item[] = {8, 4, 16}, at_once[] = {4, 1, 8, 2};
    static const int units[] = {16, 5, 32, 1}, outputs[] = {1, 2, 40};
    /* What pools of both sizes take without rows of padding above. */
    static const int sides[] = {16, 31, 4, 64, 23, 8, 36, 67, 12, 3, 127};
    const size_t n_sides = quick || kind == MESO_TILE_HEAD ? 6 : sizeof sides / sizeof sides[0];
    tile_case c = {.kind = kind,
                   .taps = taps,
                   .pool = pool,
                   .row = {widths[turn % 4], items[turn % 5], of_item[turn % 3],
                           at_once[turn / 2 % 4], (int)(turn / 3 % 2)},
                   .input = (meso_plan_input)(turn % MESO_PLAN_N_INPUTS),
                   .channels = channels[turn % 7],
                   .filters = filters[turn % 5],
                   .units = units[turn % 4],
                   .outputs = outputs[turn % 3],
                   .height = sides[turn % n_sides],
                   .width = sides[turn / 2 % n_sides],
                   .pad = turn % 2 ? "same" : "valid",
                   .op = activations[turn % 6].op,
                   .keys = activations[turn % 6].keys};
    memcpy(c.branches, lists[turn % (sizeof lists / sizeof lists[0])], sizeof c.branches);
    if (kind == MESO_TILE_HEAD)
        c.input = MESO_PLAN_TENSOR;
    else if (strcmp(c.pad, "valid") == 0) { /* no fewer than a window */
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

static const struct {
    const char *name;
    meso_tile_kind kind;
    int taps, pool;
} kinds[] = {
    {"3x3, pool 2", MESO_TILE_BLOCK, 3, 2},   {"5x5, pool 2", MESO_TILE_BLOCK, 5, 2},
    {"3x3, pool 4", MESO_TILE_BLOCK, 3, 4},   {"5x5, pool 4", MESO_TILE_BLOCK, 5, 4},
    {"inception", MESO_TILE_INCEPTION, 3, 2}, {"head", MESO_TILE_HEAD, 0, 0},
};
enum { n_kinds = sizeof kinds / sizeof kinds[0] };

static void test_kind(void **state)
{
    const size_t i = (size_t)(uintptr_t)*state;
    const size_t n = quick ? 2 : getenv("MESO_FULL") ? 200 : 12;
    open_device(41 * i);
    for (size_t k = 0; k < n; k++, turn++) {
        const tile_case c = make_case(kinds[i].kind, kinds[i].taps, kinds[i].pool);
        run_case(&c);
    }
    meso_device_close(device);
}

/* Colour pictures of bytes, whose pixels come four at a time where rows are whole words. */
static void reads_words(void **state)
{
    static const struct {
        int taps, pool, height, width;
        meso_tile_tuning row;
    } rows[] = {
        {3, 2, 20, 36, {8, 32, 4, 4, 1}},  {5, 2, 18, 64, {16, 128, 8, 4, 0}},
        {3, 4, 8, 12, {4, 64, 4, 8, 1}},   {5, 4, 36, 8, {16, 128, 16, 4, 1}},
        {3, 2, 6, 34, {16, 128, 8, 4, 1}}, {5, 2, 16, 16, {4, 128, 8, 2, 1}},
    };
    (void)state;
    open_device(5);
    for (size_t i = 0; i < (quick ? 2 : sizeof rows / sizeof rows[0]); i++, turn++) {
        tile_case c = make_case(MESO_TILE_BLOCK, rows[i].taps, rows[i].pool);
        c.row = rows[i].row;
        c.input = MESO_PLAN_PIXELS;
        c.channels = 3;
        c.height = rows[i].height;
        c.width = rows[i].width;
        run_case(&c);
    }
    meso_device_close(device);
}

/* The kernel's answer to one picture of floats, or tensor without zeros around. */
static void run_one(const tile_case *c, const float *values, size_t n_values, float *got,
                    size_t n_got)
{
    meso_random random = {1};
    opened o = open_case(c, &random);
    meso_buffer from, to;
    check(meso_buffer_create(device, n_values * sizeof *values, &from));
    check(meso_buffer_write(device, &from, 0, values, n_values * sizeof *values));
    check(meso_buffer_create(device, n_got * sizeof *got, &to));
    const meso_tensor_view in = meso_tensor_of(o.net->layers[0].shape, 0, &from);
    const meso_tensor_view out = meso_tensor_of(o.net->layers[o.block->part.last].shape, 0, &to);
    assert_int_equal(meso_tensor_size(&out), n_got);
    check(enqueue(&o, c->input, &in, &out, 1));
    check(meso_buffer_read(device, &to, 0, got, n_got * sizeof *got));
    meso_buffer_release(&from);
    meso_buffer_release(&to);
    close_case(&o);
}

/* A NaN in the picture reaches every window that sees it, whatever stands beside it. */
static void keeps_nan(void **state)
{
    enum { side = 8, bad_y = 3, bad_x = 4, pooled = side / 2, most_filters = 11 };
    static const struct {
        meso_tile_kind kind;
        int n_filters, apart[most_filters]; /* pixels between the taps of a filter's window */
    } rows[] = {{MESO_TILE_BLOCK, 4, {1, 1, 1, 1}},
                {MESO_TILE_INCEPTION, 11, {0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3}}};
    float picture[side * side] = {0}, got[most_filters][pooled][pooled];
    (void)state;
    open_device(0);
    picture[bad_y * side + bad_x] = NAN;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        tile_case c = make_case(rows[r].kind, 3, 2);
        c.row = meso_tile_shipped(0);
        c.input = MESO_PLAN_FLOATS;
        c.channels = 1;
        c.filters = rows[r].n_filters;
        c.height = c.width = side;
        memcpy(c.branches, lists[0], sizeof c.branches);
        run_one(&c, picture, side * side, got[0][0], (size_t)rows[r].n_filters * pooled * pooled);
        for (int k = 0; k < rows[r].n_filters; k++)
            for (int i = 0; i < pooled * pooled; i++) {
                int seen = 0;
                for (int y = i / pooled * 2; y < i / pooled * 2 + 2; y++)
                    for (int x = i % pooled * 2; x < i % pooled * 2 + 2; x++)
                        seen |= (abs(y - bad_y) == rows[r].apart[k] || y == bad_y) &&
                                (abs(x - bad_x) == rows[r].apart[k] || x == bad_x);
                if ((isnan(got[k][i / pooled][i % pooled]) != 0) != seen)
                    fail_msg("kind %d, filter %d, window %d: %g", (int)rows[r].kind, k, i,
                             (double)got[k][i / pooled][i % pooled]);
            }
    }
    meso_device_close(device);
}

static void head_keeps_nan(void **state)
{
    enum { n_inputs = 3 * 4 * 4 };
    float values[n_inputs] = {0}, got[40];
    (void)state;
    open_device(2);
    tile_case c = make_case(MESO_TILE_HEAD, 0, 0);
    c.channels = 3;
    c.height = c.width = 4;
    for (int i = 0; i < 2; i++) {
        run_one(&c, values, n_inputs, got, (size_t)c.outputs);
        for (int k = 0; k < c.outputs; k++)
            assert_int_equal(isnan(got[k]) != 0, i);
        values[n_inputs - 2] = NAN;
    }
    meso_device_close(device);
}

int main(int argc, char **argv)
{
    enum { n_others = 3 };
    struct CMUnitTest tests[n_kinds + n_others] = {cmocka_unit_test(keeps_nan),
                                                   cmocka_unit_test(head_keeps_nan),
                                                   cmocka_unit_test(reads_words)};
    quick = argc == 2 && strcmp(argv[1], "quick") == 0;
    for (size_t i = 0; i < n_kinds; i++)
        tests[i + n_others] = (struct CMUnitTest){
            .name = kinds[i].name, .test_func = test_kind, .initial_state = (void *)(uintptr_t)i};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
