/* SPDX-License-Identifier: Apache-2.0
 *
 * .net texts: what is refused and with which sentence, and what the built-in nets come to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "harness_run.h"
#include "mesocl/net.h"
#include "net/net.h"

#define IMAGE "i = input height=8 width=8 channels=3 divide=255\n"
#define CONV "filters=2 window=3 stride=1 dilation=1 pad=same"

static const struct {
    const char *text;
    const char *sentence; /* part of what is said, with the place */
} refusals[] = {
    {"", "t.net: no layers"},
    {"# nothing\n\n", "t.net: no layers"},
    {"i = input", "t.net:1: input needs the key 'height'"},
    {IMAGE "i = relu i", "t.net:2: the name 'i' is taken"},
    {IMAGE "j = input height=8 width=8 channels=3 divide=255",
     "t.net:2: the first layer must be the input"},
    {"r = relu i", "t.net:1: the first layer must be the input, and no other may be"},
    {IMAGE "x = frobnicate i", "t.net:2: unknown op 'frobnicate'"},
    {IMAGE "x = relu i cup=6", "t.net:2: relu has no key 'cup'"},
    {IMAGE "x = relu i cap=6 cap=6", "t.net:2: key 'cap' stands twice"},
    {IMAGE "x = relu cap=6", "t.net:2: relu takes at least 1 input"},
    {IMAGE "x = relu i i", "t.net:2: relu takes at most 1 inputs"},
    {IMAGE "x = relu y\ny = relu i", "t.net:2: no layer 'y' above this line"},
    {IMAGE "x = relu x", "t.net:2: no layer 'x' above this line"},
    {IMAGE "x = relu cap=6 i", "t.net:2: input 'i' comes after a key"},
    {IMAGE "x relu i", "t.net:2: expected `name = op"},
    {IMAGE "9x = relu i", "t.net:2: '9x' is not a name"},
    {IMAGE "x-y = relu i", "t.net:2: 'x-y' is not a name"},
    {IMAGE "x = relu i cap=nan", "t.net:2: cap=nan: must be a number"},
    {IMAGE "x = relu i cap=inf", "t.net:2: cap=inf: must be a number"},
    {IMAGE "x = relu i cap=0x10", "t.net:2: cap=0x10: must be a number"},
    {IMAGE "x = relu i cap=1,5", "t.net:2: cap=1,5: must be a number"},
    {IMAGE "x = relu i cap=-1", "t.net:2: cap=-1: must be a number from 0"},
    {IMAGE "x = relu i cap=", "t.net:2: cap=: must be a number"},
    {IMAGE "x = batch_norm i epsilon=0", "t.net:2: epsilon=0: must be a number from 1e-12"},
    {IMAGE "x = dropout i rate=1", "t.net:2: rate=1: must be a number from 0"},
    {IMAGE "x = conv i filters=0 window=3 stride=1 dilation=1 pad=same",
     "filters=0: must be a whole"},
    {IMAGE "x = conv i filters=2.5 window=3 stride=1 dilation=1 pad=same", "filters=2.5: must be"},
    {IMAGE "x = conv i filters=99999999999 window=3 stride=1 dilation=1 pad=same",
     "must be a whole"},
    {IMAGE "x = conv i filters=2 window=3x stride=1 dilation=1 pad=same",
     "window=3x: must be N or"},
    {IMAGE "x = conv i filters=2 window=3x3x3 stride=1 dilation=1 pad=same",
     "window=3x3x3: must be"},
    {IMAGE "x = conv i filters=2 window=3 stride=0 dilation=1 pad=same", "stride=0: must be N or"},
    {IMAGE "x = conv i filters=2 window=3 stride=1 dilation=1 pad=full", "pad=full: must be same"},
    {IMAGE "x = conv i filters=2 window=9 stride=1 dilation=1 pad=valid",
     "does not fit a height of 8"},
    {IMAGE "x = conv i filters=2 window=1x5 stride=1 dilation=3 pad=valid",
     "does not fit a width of 8"},
    {IMAGE "x = max_pool i window=2 stride=2 pad=2",
     "t.net:2: pad must be smaller than the window"},
    {IMAGE "x = dense i units=4", "t.net:2: takes a vector, but the input is 3 channels of 8 x 8"},
    {IMAGE "x = softmax i", "t.net:2: takes a vector"},
    {IMAGE "x = max_pool i window=2 stride=2 pad=same\ny = concat i x",
     "t.net:3: inputs of 8 x 8 and"},
    {IMAGE "x = relu i \xC3\xA4", "t.net:2: a character that is not plain ASCII"},
    {IMAGE "x = relu\vi", "t.net:2: a character that is not plain ASCII"},
    {IMAGE "x = relu i cap=1e999", "t.net:2: cap=1e999: must be a number"},
    {IMAGE "x = leaky_relu i slope=1e7", "t.net:2: slope=1e7: must be a number from -1e+06"},
    {IMAGE "x = conv i " CONV " =3", "t.net:2: conv has no key ''"},
    {IMAGE "x == relu i", "t.net:2: expected `name = op"},
    {IMAGE "x = relu i\n\n# y\nx = relu i", "t.net:5: the name 'x' is taken"},
    {IMAGE "a = concat i i i i i i i i i i i i i i i i i",
     "t.net:2: concat takes at most 16 inputs"},
    {IMAGE "a = concat i i i i i i i i i i i i i i i i i i i i i i i", "t.net:2: more than 24"},
    {"\xEF\xBB\xBF" IMAGE, "t.net:1: a character that is not plain ASCII"},
    {"\xFF\xFEi\0", "t.net:1: a character that is not plain ASCII"},
    {"PK\3\4", "t.net:1: a character that is not plain ASCII"},
    {"i = input height=1048577 width=8 channels=3 divide=255", "height=1048577: must be a whole"},
    {"i = input height=-8 width=8 channels=3 divide=255", "height=-8: must be a whole"},
    {"i = input height=18446744073709551624 width=8 channels=3 divide=255", "must be a whole"},
    {"i = input height=8 width=8 channels=3 divide=0", "divide=0: must be a number from 1e-06"},
    {IMAGE "x = conv i filters=1 window=65537 stride=1 dilation=1 pad=same",
     "window=65537: must be N or"},
    {IMAGE "x = conv i filters=1 window=65536 stride=1 dilation=65536 pad=same",
     "t.net:2: a window that reaches over 4294901761 does not fit"},
    {IMAGE "x = conv i filters=1 window=3 stride=65536 dilation=1 pad=65536",
     "t.net:2: input of 3 channels of 8 x 8 is too large with 65536 zeros around it"},
    /* 2^72 values, which is 0 in 64 bits; and 2^48. */
    {"i = input height=1 width=1 channels=1048576 divide=255\n"
     "x = conv i filters=1048576 window=65536 stride=1 dilation=1 pad=same",
     "t.net:2: input of 1048576 channels of 1 x 1 is too large with 32768 zeros"},
    {"i = input height=2 width=2 channels=65536 divide=255\n"
     "x = conv i filters=1048576 window=64 stride=1 dilation=1 pad=same",
     "t.net:2: x.kernel has too many values"},
    /* 8 · (2^29 − 1) + 16 channels, which is 8 in 32 bits. */
    {"i = input height=8191 width=65536 channels=1 divide=255\nf = flatten i\n"
     "p = global_avg_pool i\nd = dense p units=65535\nb = concat f d\n"
     "e = dense p units=16\nc = concat b b b b b b b b e",
     "t.net:7: output of 4294967304 channels is too large"},
    {"i = input height=70000 width=8 channels=3 divide=255", "is too large"},
    {"i = input height=60000 width=60000 channels=3 divide=255", "is too large"},
    {IMAGE "f = flatten i\nd = dense f units=1000000\ne = dense d units=1000000",
     "too many values"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        meso_net *net = NULL;
        meso_error error = {0};
        if (meso_net_parse(refusals[i].text, "t.net", &net, &error) != MESO_ERROR_DATA ||
            !strstr(error.text, refusals[i].sentence))
            fail_msg("%s\nsaid: %s\nexpected: %s", refusals[i].text, error.text,
                     refusals[i].sentence);
        assert_null(net);
    }
}

/* Parses a text that is made, not written; the sentence must hold `said`. */
static void expect_refused(meso_text *text, const char *said)
{
    meso_net *net = NULL;
    meso_error error = {0};
    assert_false(text->out_of_memory);
    if (meso_net_parse(text->bytes, "t.net", &net, &error) != MESO_ERROR_DATA ||
        !strstr(error.text, said))
        fail_msg("said: %s\nexpected: %s", error.text, said);
    assert_null(net);
    meso_text_free(text);
}

/* A million of anything is refused at the first that is too much, or read in linear time. */
static void test_a_million(void **state)
{
    enum { million = 1000000 };
    meso_text text = {0};
    (void)state;
    meso_text_add(&text, IMAGE);
    for (int i = 0; i < million; i++)
        meso_text_format(&text, "x%d = relu i\n", i);
    expect_refused(&text, "t.net:513: more than 512 layers");
    meso_text_add(&text, IMAGE);
    for (int i = 0; i < million; i++)
        meso_text_format(&text, "x%d = relu x%d\n", i, i + 1);
    expect_refused(&text, "t.net:2: no layer 'x1' above this line");
    for (int i = 0; i < million; i++)
        meso_text_add(&text, "#\r\n");
    meso_text_add(&text, "x");
    expect_refused(&text, "t.net:1000001: expected `name = op");
    for (int i = 0; i < million; i++)
        meso_text_add(&text, "=");
    expect_refused(&text, "t.net:1: longer than 1023 characters");
    meso_text_add(&text, "i = input height=");
    for (int i = 0; i < 900; i++)
        meso_text_add(&text, "0");
    meso_text_add(&text, "8x");
    expect_refused(&text, "t.net:1: height=000");
}

/* What only a file can hold. */
static void test_files(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *said;
    } rows[] = {
        {IMAGE "x = relu\0i\n", sizeof IMAGE + 10,
         "hostile.net: no .net text, for it holds a NUL byte (of a model: mesocl inspect --text)"},
        {"\0", 1,
         "hostile.net: no .net text, for it holds a NUL byte (of a model: mesocl inspect --text)"},
        {"", 0, "hostile.net: no layers"},
        {NULL, (1 << 20) + 1, "hostile.net: larger than the limit of 1048576 bytes"}};
    static const char zeros[(1 << 20) + 1];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_net *net = NULL;
        meso_error error = {0};
        const void *bytes = rows[i].bytes ? rows[i].bytes : zeros;
        assert_int_equal(meso_file_write("hostile.net", bytes, rows[i].n, NULL), MESO_OK);
        if (meso_net_open("hostile.net", &net, &error) != MESO_ERROR_DATA ||
            !strstr(error.text, rows[i].said))
            fail_msg("said: %s\nexpected: %s", error.text, rows[i].said);
        assert_null(net);
    }
}

/* Names, lines and nets just within their limits, and just beyond. */
static void test_limits(void **state)
{
    char name[MESO_NAME_SIZE + 2];
    (void)state;
    for (size_t length = MESO_NAME_SIZE - 1; length <= MESO_NAME_SIZE; length++) {
        char text[512];
        meso_net *net = NULL;
        memset(name, 'n', length);
        name[length] = '\0';
        snprintf(text, sizeof text, IMAGE "%s = relu i", name);
        assert_int_equal(meso_net_parse(text, "t", &net, NULL) == MESO_OK, length < MESO_NAME_SIZE);
        meso_net_close(net);
    }
    for (int n = MESO_MAX_LAYERS - 1; n <= MESO_MAX_LAYERS; n++) {
        meso_text text = {0};
        meso_net *net = NULL;
        meso_text_add(&text, IMAGE);
        for (int i = 0; i < n; i++)
            meso_text_format(&text, "x%d = relu i\n", i);
        assert_int_equal(meso_net_parse(text.bytes, "t", &net, NULL) == MESO_OK,
                         n < MESO_MAX_LAYERS);
        meso_net_close(net);
        meso_text_free(&text);
    }
    meso_text text = {0};
    meso_text_add(&text, IMAGE "# ");
    for (int i = 0; i < 1100; i++)
        meso_text_add(&text, "-");
    assert_int_equal(meso_net_parse(text.bytes, "t", NULL, NULL), MESO_ERROR_DATA);
    meso_text_free(&text);
}

static void test_layout_of_the_text_is_free(void **state)
{
    meso_net *net;
    (void)state;
    assert_int_equal(
        meso_net_parse("\r\n\ti = input divide=255 channels=3 width=8 height=8 # end\r\n"
                       "   c = conv i pad=2x1 dilation=1x2 stride=2 window=5x3 filters=4",
                       "t", &net, NULL),
        MESO_OK);
    meso_layer_info layer = MESO_INIT(meso_layer_info);
    meso_net_layer(net, 1, &layer, NULL);
    assert_string_equal(layer.op, "conv");
    assert_int_equal(layer.channels, 4);
    assert_int_equal(layer.height, 4); /* (8 + 2·2 − 5) / 2 + 1 */
    assert_int_equal(layer.width, 3);  /* (8 + 2·1 − 5) / 2 + 1 */
    assert_int_equal(layer.parameters, 5 * 3 * 3 * 4);
    assert_int_equal(layer.multiply_adds, 4 * 4 * 3 * 5 * 3 * 3);
    meso_net_close(net);
}

/* Against the published counts (Afchar et al. 2018, and the Keras models' summaries). */
static void test_built_in_nets(void **state)
{
    static const struct {
        const char *name;
        uint64_t parameters, statistics, multiply_adds; /* 0: not published */
    } nets[] = {{"meso1", 4621, 8, 0},
                {"meso4", 27977, 96, 60047376},
                {"meso4_elu", 27977, 96, 60047376},
                {"meso4_leaky", 27977, 96, 60047376},
                {"mesoinception4", 28615, 110, 57098256},
                {"vgg16", 134264641, 0, 0}};
    size_t n = 0;
    (void)state;
    while (meso_net_builtin_name(n))
        n++;
    assert_int_equal(n, sizeof nets / sizeof nets[0]);
    for (size_t i = 0; i < n; i++) {
        meso_net *net;
        meso_layer_info layer = MESO_INIT(meso_layer_info), sum = {0};
        assert_string_equal(meso_net_builtin_name(i), nets[i].name);
        assert_int_equal(meso_net_open(nets[i].name, &net, NULL), MESO_OK);
        assert_string_equal(meso_net_text(net), meso_net_builtin_text(i));
        for (size_t k = 0; k < meso_net_n_layers(net); k++) {
            meso_net_layer(net, k, &layer, NULL);
            sum.parameters += layer.parameters;
            sum.statistics += layer.statistics;
            sum.multiply_adds += layer.multiply_adds;
        }
        assert_int_equal(sum.parameters, nets[i].parameters);
        assert_int_equal(sum.statistics, nets[i].statistics);
        if (nets[i].multiply_adds)
            assert_int_equal(sum.multiply_adds, nets[i].multiply_adds);
        meso_net_close(net);
    }
    assert_null(meso_net_builtin_name(n));
    assert_null(meso_net_builtin_name(1000));
}

static void test_open_names_what_there_is(void **state)
{
    meso_net *net = NULL;
    meso_error error;
    (void)state;
    assert_int_equal(meso_net_open("no-such-net", &net, &error), MESO_ERROR_NO_INPUT);
    assert_non_null(strstr(error.text, "no-such-net"));
    assert_non_null(strstr(error.text, "mesoinception4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_million),
        cmocka_unit_test_setup_teardown(test_files, harness_enter_folder, harness_leave_folder),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_layout_of_the_text_is_free),
        cmocka_unit_test(test_built_in_nets),
        cmocka_unit_test(test_open_names_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
