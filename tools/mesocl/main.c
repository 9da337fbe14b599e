/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl: its subcommands in one table. How one is found and run: cli.c.
 */
#include <stddef.h>

#include "child.h"
#include "cli.h"
#include "commands.h"
#include "tune.h"

static const tool_cli_command commands[] = {
    {"devices", "list every OpenCL device with its limits and driver", cmd_devices},
    {"selftest", "known answers on each device, agreement between them", cmd_selftest},
    {"convert", "turn a Keras file into a model file", cmd_convert},
    {"inspect", "layers, shapes, parameters and memory of a model or net", cmd_inspect},
    {"init", "write seeded random weights for a net", cmd_init},
    {"models", "the weights that come with MesoCL", cmd_models},
    {"predict", "score images: P(fake) and P(real) of each", cmd_predict},
    {"faces", "find the faces in pictures", cmd_faces},
    {"evaluate", "measure a model on a labelled dataset", cmd_evaluate},
    {"train", "train a model on a labelled dataset", cmd_train},
    {"report", "a run of training as one HTML file", cmd_report},
    {"tune", "measure the fastest sizes of the kernels on a device", cmd_tune},
    {"score-job", NULL, cmd_score_job},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    static const tool_cli cli = {"mesocl", "Meso-4 deepfake detection on any OpenCL device.",
                                 commands, NULL};
    tool_child_offer_json(TUNE_CHILD, tune_child);
    return tool_cli_main(&cli, argc, argv);
}
