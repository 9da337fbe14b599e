/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl train: a labelled dataset → a model, in a folder with all that the run left.
 */
#include <stdio.h>

#include <jansson.h>

#include "base/error.h"
#include "commands.h"
#include "common.h"
#include "drivers.h"
#include "mesocl/net.h"
#include "model/weights/weights.h"
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

/* Of the net that will be trained, as far as a name is known before the device is; "" where it is
 * not: what is wrong with the arguments is said later. */
static void find_net(const train_command *t, char name[128])
{
    meso_text path = {0};
    json_t *config = NULL;
    meso_weights *start = NULL;
    meso_net *net = NULL;
    const char *found = t->options.net ? t->options.net : "meso4";
    if (t->resume) {
        meso_text_format(&path, "%s/config.json", t->resume);
        config = path.bytes ? json_load_file(path.bytes, 0, NULL) : NULL;
        found = json_string_value(json_object_get(config, "net"));
    } else if (t->options.init && !t->options.net) {
        found = meso_weights_read(t->options.init, &start, NULL) == MESO_OK &&
                        meso_weights_net(start, t->options.init, &net, NULL) == MESO_OK
                    ? meso_net_name(net)
                    : NULL;
    }
    snprintf(name, 128, "%s", found ? found : "");
    meso_net_close(net);
    meso_weights_close(start);
    json_decref(config);
    meso_text_free(&path);
}

static int run(train_command *t)
{
    char net[128];
    tool_selector text;
    meso_device *device = NULL;
    meso_error error = {0};
    t->output.run = t->resume ? t->resume : t->options.run;
    t->output.metrics = (meso_metrics)MESO_INIT(meso_metrics);
    t->output.result = (meso_train_summary){.struct_bytes = sizeof t->output.result,
                                            .metrics = &t->output.metrics};
    find_net(t, net);
    const char *selector = tool_training_selector(t->device, net, text);
    int code = tool_open_device(selector, &device, &error) == MESO_OK ? 0 : tool_fail(&error);
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
