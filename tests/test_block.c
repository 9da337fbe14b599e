/* SPDX-License-Identifier: Apache-2.0
 *
 * Which layers are found as a block or a head, without any device: those of Meso-4 and of
 * MesoInception-4, and small changes after which they are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "net/block/block.h"
#include "net/op/op.h"

static const char block_text[] =
    "image = input height=32 width=32 channels=3 divide=255\n"
    "conv = conv image filters=8 window=5 stride=1 dilation=1 pad=same\n"
    "bias = bias conv\n"
    "act = leaky_relu bias slope=0.1\n"
    "norm = batch_norm act epsilon=0.001\n"
    "pool = max_pool norm window=4 stride=4 pad=same\n"
    "flat = flatten pool\n"
    "drop = dropout flat rate=0.5\n"
    "hidden = dense drop units=16\n"
    "hidden_bias = bias hidden\n"
    "leaky = leaky_relu hidden_bias slope=0.1\n"
    "output = dense leaky units=2\n"
    "output_bias = bias output\n"
    "p = softmax output_bias\n";

static const char inception_text[] =
    "image = input height=32 width=32 channels=3 divide=255\n"
    "a = conv image filters=4 window=1 stride=1 dilation=1 pad=same\nab = bias a\naa = relu ab\n"
    "r = conv image filters=2 window=1 stride=1 dilation=1 pad=same\nrb = bias r\nra = relu rb\n"
    "b = conv ra filters=4 window=3 stride=1 dilation=3 pad=same\nbb = bias b\nba = relu bb\n"
    "both = concat ba aa\n"
    "norm = batch_norm both epsilon=0.001\n"
    "pool = max_pool norm window=2 stride=2 pad=same\n"
    "flat = flatten pool\nend = dense flat units=1\np = sigmoid end\n";

/* The net with `from` as `to`; NULL: as it is. */
static meso_net *make_net(const char *text, const char *from, const char *to)
{
    meso_net *net = NULL;
    meso_error error = {0};
    meso_text changed = {0};
    const char *at = from ? strstr(text, from) : text;
    assert_non_null(at);
    meso_text_add_n(&changed, text, (size_t)(at - text));
    meso_text_add(&changed, from ? to : "");
    meso_text_add(&changed, at + (from ? strlen(from) : 0));
    if (meso_net_parse(changed.bytes, "case", &net, &error) != MESO_OK)
        fail_msg("%s\n%s", changed.bytes, error.text);
    meso_text_free(&changed);
    return net;
}

static void blocks_of_one_convolution(void **state)
{
    static const struct {
        const char *from, *to;
        int found, taps, pool;
    } rows[] = {{NULL, NULL, 1, 5, 4},
                {"window=5", "window=3", 1, 3, 4},
                {"window=4 stride=4", "window=2 stride=2", 1, 5, 2},
                {"leaky_relu bias slope=0.1", "elu bias alpha=1", 1, 5, 4},
                {"leaky_relu bias slope=0.1", "relu bias", 1, 5, 4},
                {"leaky_relu bias slope=0.1", "leaky_relu bias slope=-0.1", 0, 0, 0},
                {"leaky_relu bias slope=0.1", "sigmoid bias", 0, 0, 0},
                {"window=5", "window=7", 0, 0, 0},
                {"window=5", "window=3x5", 0, 0, 0},
                {"stride=1 dilation=1", "stride=2 dilation=1", 0, 0, 0},
                {"stride=1 dilation=1", "stride=1 dilation=2", 0, 0, 0},
                {"dilation=1 pad=same", "dilation=1 pad=valid", 0, 0, 0},
                {"window=4 stride=4", "window=3 stride=3", 0, 0, 0},
                {"window=4 stride=4", "window=4 stride=2", 0, 0, 0},
                {"batch_norm act", "batch_norm bias", 0, 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_net *net = make_net(block_text, rows[i].from, rows[i].to);
        meso_block block;
        if (meso_block_find(net, meso_net_find(net, "conv"), &block) != rows[i].found)
            fail_msg("%s: found %d", rows[i].to, !rows[i].found);
        if (rows[i].found) {
            const meso_block_conv *conv = meso_block_only_conv(&block);
            assert_ptr_equal(block.from, net->layers);
            assert_ptr_equal(conv->bias, meso_net_find(net, "bias"));
            assert_int_equal(conv->taps, rows[i].taps);
            assert_int_equal(block.pool_size, rows[i].pool);
            assert_int_equal(block.n_branches, 1);
        }
        meso_net_close(net);
    }
}

/* Branches come in the order of the concat. */
static void inception_blocks(void **state)
{
    static const struct {
        const char *from, *to;
        int found;
    } rows[] = {{NULL, NULL, 1},
                {"dilation=3", "dilation=4", 0},
                {"aa = relu ab", "aa = relu ab cap=6", 0},
                {"filters=4 window=1", "filters=4 window=3", 0},
                {"filters=4 window=3", "filters=4 window=5", 0},
                {"window=2 stride=2", "window=4 stride=4", 0},
                {"concat ba aa", "concat ba aa image", 0},
                {"concat ba aa", "concat ba ra", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_net *net = make_net(inception_text, rows[i].from, rows[i].to);
        meso_block block;
        if (meso_block_find_inception(net, net->layers, &block) != rows[i].found)
            fail_msg("%s: found %d", rows[i].to, !rows[i].found);
        if (rows[i].found) {
            assert_int_equal(block.n_branches, 2);
            assert_ptr_equal(block.conv, meso_net_find(net, "both"));
            assert_ptr_equal(block.branches[0].reduce.layer, meso_net_find(net, "r"));
            assert_int_equal(block.branches[0].conv.dilation, 3);
            assert_ptr_equal(meso_block_first_conv(&block.branches[1])->layer,
                             meso_net_find(net, "a"));
        }
        meso_net_close(net);
    }
}

static void heads(void **state)
{
    static const struct {
        const char *from, *to;
        int found;
    } rows[] = {{NULL, NULL, 1},
                {"dense leaky", "dense hidden_bias", 0},
                {"leaky = leaky_relu hidden_bias slope=0.1", "leaky = sigmoid hidden_bias", 0},
                {"bias output\n", "relu output\n", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_net *net = make_net(block_text, rows[i].from, rows[i].to);
        meso_head head;
        if (meso_block_find_head(net, meso_net_find(net, "pool"), &head) != rows[i].found)
            fail_msg("%s: found %d", rows[i].to, !rows[i].found);
        if (rows[i].found) {
            assert_ptr_equal(head.hidden, meso_net_find(net, "hidden"));
            assert_ptr_equal(head.output_bias, meso_net_find(net, "output_bias"));
        }
        meso_net_close(net);
    }
}

static void divisors(void **state)
{
    (void)state;
    assert_int_equal(meso_divisor(12, 5), 4);
    assert_int_equal(meso_divisor(7, 6), 1);
    assert_int_equal(meso_divisor(8, 8), 8);
    assert_int_equal(meso_divisor(8, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_of_one_convolution),
                                       cmocka_unit_test(inception_blocks), cmocka_unit_test(heads),
                                       cmocka_unit_test(divisors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
