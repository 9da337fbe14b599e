/* SPDX-License-Identifier: Apache-2.0
 *
 * Which blocks GPUs' kernels compute, and in which sizes; without a device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/tile/tile.h"

enum { constant_bytes = 1 << 16, most_layers = 256 };

/* With the same limits for every block, but for what is found at layer `at`. */
static size_t find(const meso_net *net, const meso_tile_tuning *row, meso_tile_limits limits,
                   size_t at, meso_tile_limits other, meso_tile_block blocks[MESO_MAX_BLOCKS])
{
    meso_tile_limits all[most_layers];
    assert_true(net->n_layers <= most_layers);
    for (size_t i = 0; i < net->n_layers; i++)
        all[i] = i == at ? other : limits;
    return meso_tile_find(net, row, all, blocks);
}

static size_t find_alike(const meso_net *net, const meso_tile_tuning *row, meso_tile_limits limits,
                         meso_tile_block blocks[MESO_MAX_BLOCKS])
{
    return find(net, row, limits, most_layers, limits, blocks);
}

/* Whole nets, from the picture to the logit; and what does not fit. */
static void finds_blocks(void **state)
{
    static const struct {
        const char *net;
        size_t most, local_memory, n_blocks;
    } rows[] = {
        {"meso4", 256, 32768, 5},         {"mesoinception4", 256, 32768, 5},
        {"mesoinception4", 32, 32768, 5}, {"mesoinception4", 16, 16384, 5},
        {"mesoinception4", 15, 32768, 0}, /* the border is more than the tile */
        {"mesoinception4", 256, 6000, 3}, /* blocks want a channel at a time, these all */
        {"vgg16", 256, 1 << 20, 0},       /* dense layers of thousands */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_tile_block blocks[MESO_MAX_BLOCKS];
        meso_net *net;
        meso_error error;
        if (meso_net_open(rows[i].net, &net, &error) != MESO_OK)
            fail_msg("%s", error.text);
        const meso_tile_tuning row = meso_tile_shipped(0);
        const size_t n = find_alike(
            net, &row, (meso_tile_limits){rows[i].most, rows[i].local_memory, constant_bytes},
            blocks);
        if (n != rows[i].n_blocks)
            fail_msg("%s, %zu work-items, %zu bytes: %zu blocks", rows[i].net, rows[i].most,
                     rows[i].local_memory, n);
        meso_net_close(net);
    }
}

/* AMD's local memory holds several work-groups of an inception block, branch after branch. */
static void an_amd_gpu_has_passes(void **state)
{
    enum { amd = 0x1002, passes_of_mesoinception4 = 4 };
    const size_t compute_unit = 65536, groups = 4;
    const meso_tile_tuning row = meso_tile_shipped(amd);
    meso_tile_block blocks[MESO_MAX_BLOCKS];
    meso_net *net;
    meso_error error;
    int reduced, all = 0, n = 0;
    (void)state;
    assert_int_equal(row.local, 0);
    assert_int_equal(meso_net_open("mesoinception4", &net, &error), MESO_OK);
    assert_int_equal(
        find_alike(net, &row, (meso_tile_limits){256, compute_unit, constant_bytes}, blocks), 5);
    for (size_t i = 0; i < blocks[0].layers.n_branches; n++) {
        i = meso_tile_pass(&blocks[0], i, &reduced);
        assert_true(reduced > 0 && reduced <= blocks[0].channels);
        all += reduced;
    }
    assert_int_equal(n, passes_of_mesoinception4);
    assert_int_equal(all, meso_tile_all_reduced(&blocks[0]));
    assert_true(groups * meso_tile_scratch(&blocks[0]) * (size_t)blocks[0].filters *
                    sizeof(float) <=
                compute_unit);
    meso_net_close(net);
}

static int n_items(const meso_tile_block *block)
{
    return block->group_x * block->group_y * block->images;
}

/* A kernel for which the compiler has fewer registers leaves the others as they are. */
static void a_block_keeps_its_own_limits(void **state)
{
    const meso_tile_tuning row = meso_tile_shipped(0);
    const meso_tile_limits usual = {256, 32768, constant_bytes}, weak = {32, 32768, constant_bytes};
    meso_tile_block all[MESO_MAX_BLOCKS], blocks[MESO_MAX_BLOCKS];
    meso_net *net;
    meso_error error;
    (void)state;
    assert_int_equal(meso_net_open("meso4", &net, &error), MESO_OK);
    const size_t n = find_alike(net, &row, usual, all);
    for (size_t weak_one = 0; weak_one < n; weak_one++) {
        assert_int_equal(find(net, &row, usual, all[weak_one].found_at, weak, blocks), n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(n_items(&blocks[i]), i == weak_one ? 32 : n_items(&all[i]));
    }
    meso_net_close(net);
}

/* An embedded profile has 1 KB of __constant memory. */
static void filters_that_are_too_many_are_not_constant(void **state)
{
    enum { amd = 0x1002 };
    const meso_tile_tuning row = meso_tile_shipped(amd);
    meso_tile_block blocks[MESO_MAX_BLOCKS];
    meso_net *net;
    meso_error error;
    (void)state;
    assert_int_equal(meso_net_open("meso4", &net, &error), MESO_OK);
    for (int embedded = 0; embedded < 2; embedded++) {
        const meso_tile_limits limits = {256, 32768, embedded ? 1024 : constant_bytes};
        assert_int_equal(find_alike(net, &row, limits, blocks), 5);
        for (size_t i = 0; i < 4; i++) {
            const size_t taps = (size_t)(blocks[i].taps * blocks[i].taps * blocks[i].in.c);
            const size_t bytes =
                sizeof(float) * taps * (size_t)(blocks[i].filters * blocks[i].filter_groups);
            assert_int_equal(blocks[i].local, bytes > limits.constant_bytes);
        }
        assert_int_equal(blocks[1].local, embedded);
    }
    meso_net_close(net);
    assert_int_equal(meso_net_open("mesoinception4", &net, &error), MESO_OK);
    assert_int_equal(find_alike(net, &row, (meso_tile_limits){256, 32768, 1024}, blocks), 3);
    meso_net_close(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_blocks), cmocka_unit_test(an_amd_gpu_has_passes),
        cmocka_unit_test(a_block_keeps_its_own_limits),
        cmocka_unit_test(filters_that_are_too_many_are_not_constant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
