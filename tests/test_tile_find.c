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
        const size_t n =
            meso_tile_find(net, &meso_tile_shipped, rows[i].most, rows[i].local_memory, blocks);
        if (n != rows[i].n_blocks)
            fail_msg("%s, %zu work-items, %zu bytes: %zu blocks", rows[i].net, rows[i].most,
                     rows[i].local_memory, n);
        meso_net_close(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_blocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
