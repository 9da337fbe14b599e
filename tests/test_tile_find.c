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
        const size_t n = meso_tile_find(net, &row, rows[i].most, rows[i].local_memory, blocks);
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
    assert_int_equal(meso_tile_find(net, &row, 256, compute_unit, blocks), 5);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_blocks),
                                       cmocka_unit_test(an_amd_gpu_has_passes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
