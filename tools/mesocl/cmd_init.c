/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl init: a weight file of seeded random values, for trying things out and as the start of
 * training.
 */
#include <stdio.h>

#include "commands.h"
#include "common.h"
#include "mesocl/mesocl.h"
#include "outputs.h"

static const char about[] =
    "Writes seeded random weights for a built-in net or a .net file: kernels Glorot\n"
    "uniform, biases 0, batch norm neutral. They are not trained: their scores mean\n"
    "nothing.";

static const char examples[] = "mesocl init meso4 -o untrained.safetensors";

int cmd_init(int argc, char **argv)
{
    const char *output = NULL;
    uint64_t seed = 1;
    const tool_option options[] = {
        OPT_MODEL("output", 'o', output, "FILE",
                  "where to write the model, a .safetensors file (required)"),
        OPT_FORCE,
        OPT_COUNT("seed", 's', seed, "N", 0, 0,
                  "seed of the weights, which are the same on every machine; default 1"),
        OPT_END};
    const tool_command_line line = {
        "init", "NET -o FILE.safetensors [options]", about, options, examples, 1, 1};
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    meso_error error;
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    if (!output)
        return tool_options_usage_error("init", "-o FILE is missing");
    end = 0;
    if (meso_net_open(argv[0], &net, &error) != MESO_OK ||
        meso_weights_random(net, seed, &weights, &error) != MESO_OK ||
        meso_weights_write(weights, output, &error) != MESO_OK)
        end = tool_fail(&error);
    meso_weights_close(weights);
    meso_net_close(net);
    return end;
}
