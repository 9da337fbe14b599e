/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl train: a labelled dataset → a model, in a folder with all that the run left.
 */
#include "base/error.h"
#include "commands.h"
#include "common.h"
#include "drivers.h"
#include "train_command.h"

static meso_status train_or_resume(train_command *t, meso_device *device, meso_error *error)
{
    const meso_resume_options resume = {
        .struct_bytes = sizeof resume,
        .data = t->options.data,
        .checkpoint_seconds = t->options.checkpoint_seconds,
        .n_threads = (size_t)t->threads,
        .cache_bytes = t->cache_mb << 20,
    };
    if (t->resume)
        return meso_train_resume(device, t->resume, &resume, tool_train_output_event, &t->output,
                                 &t->output.result, error);
    MESO_CHECK(tool_result_begin(t->options.run, &train_result, error));
    return meso_train(device, &t->options, tool_train_output_event, &t->output, &t->output.result,
                      error);
}

static int run(train_command *t)
{
    meso_device *device = NULL;
    meso_error error = {0};
    t->output.run = t->resume ? t->resume : t->options.run;
    t->output.metrics = (meso_metrics)MESO_INIT(meso_metrics);
    t->output.result = (meso_train_summary){.struct_bytes = sizeof t->output.result,
                                            .metrics = &t->output.metrics};
    int code = tool_open_device(t->device, &device, &error) == MESO_OK ? 0 : tool_fail(&error);
    if (device) {
        meso_status status = train_or_resume(t, device, &error);
        tool_train_output_end(&t->output);
        if (status == MESO_OK)
            code = tool_train_output_result(&t->output);
        else
            code = tool_fail(&error);
        if (status == MESO_ERROR_CANCELLED && t->output.result.resumable)
            code = 75;
    }
    meso_device_close(device);
    return code;
}

int cmd_train(int argc, char **argv)
{
    train_command t = TRAIN_COMMAND_INIT;
    int code = train_command_parse(&t, argc, argv);
    t.options.command = tool_command();
    if (code < 0)
        code = run(&t);
    meso_text_free(&t.augment);
    return code;
}
