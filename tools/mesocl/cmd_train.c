/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl train: a labelled dataset → a model, in a folder with all that the run left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "commands.h"
#include "common.h"
#include "train_output.h"

typedef struct train {
    meso_train_options options;
    /* as they are typed */
    const char *schedule, *early_stop, *augment, *device, *resume;
    int compat;
    uint64_t limit, epochs, batch, validation_batch, threads, cache_mb;
    meso_text augment_text;
    tool_train_output output;
} train;

static const char about[] =
    "Trains a net on a labelled dataset, told as for evaluate, and writes a folder:\n"
    "best.safetensors and last.safetensors (models for predict and evaluate),\n"
    "history.jsonl and history.csv, events for TensorBoard, config.json,\n"
    "metrics.json and validation.csv (how the best weights do on the validation\n"
    "set), the last two checkpoints.\n"
    "\n"
    "Ctrl-C writes a checkpoint and ends with 75; --resume goes on, also after a\n"
    "crash, and gives the same bits as a run that was never cut. The same command on\n"
    "the same device always gives the same bits. With --epochs 0 the start is only\n"
    "measured.\n"
    "\n"
    "SCHEDULE is constant; exponential,rate=0.1,limit=1e-6 (equal drops, so that the\n"
    "limit is reached at the end); epochs,every=10,rate=0.1;\n"
    "iterations,every=1000,rate=0.1,limit=1e-6; or paper, which is the latter. RULE\n"
    "is a patience in epochs, or patience=5,min_delta=0.001,restore_best=1. SETTINGS\n"
    "are none, mesonet (the paper's), transfer, or such as\n"
    "rotation=15,zoom=0.2,brightness=0.8:1.2,channel_shift=30,horizontal_flip=1.";

static const char examples[] =
    "mesocl train data/Train --val-split 0.2 --augment mesonet --epochs 30 --seed 1 -o run1/\n"
    "mesocl train data/Train --init meso4_df.safetensors --freeze 'conv*,bn*' --lr 0.005 -o run2/\n"
    "mesocl train --resume run1/\n"
    "mesocl train data/Train --val data/Validation --schedule exponential --early-stop 20 -o run3/";

static const char compat_words[] = "keras2.9|kp1.1.2|keras2.1.5";

/* clang-format off */
#define RUN_OPTIONS(t) \
    {"output", 'o', MESO_OPTION_TEXT, {.text = &(t)->options.run}, "RUN", \
     "the run's folder (required, or --resume)", 0, 0}, \
    {"resume", '\0', MESO_OPTION_TEXT, {.text = &(t)->resume}, "RUN", \
     "go on with a run: its options hold; a folder says where its data lie now", 0, 0}, \
    {"json", '\0', MESO_OPTION_FLAG, {.flag = &(t)->output.json}, NULL, "the result as one JSON document on stdout", 0, 0}, \
    {"checkpoint-seconds", '\0', MESO_OPTION_REAL, {.real = &(t)->options.checkpoint_seconds}, "S", \
     "between checkpoints; default 30", 0.001, 1e9}, \
    MESO_OPTION_DEVICE((t)->device), \
    MESO_OPTION_PATH((t)->options.path), \
    {"cache-mb", '\0', MESO_OPTION_UNSIGNED, {.number = &(t)->cache_mb}, "N", \
     "memory for decoded pictures, in MiB; default 1024", 0, 1e7}, \
    {"threads", 'j', MESO_OPTION_UNSIGNED, {.number = &(t)->threads}, "N", \
     "decoding threads; default: one for each processor", 1, 1024}

#define DATA_OPTIONS(t) \
    {"manifest", 'm', MESO_OPTION_TEXT, {.text = &(t)->options.dataset.manifest}, "FILE", \
     "CSV with the columns file, label and, if wanted, group, in place of a folder", 0, 0}, \
    {"val", '\0', MESO_OPTION_TEXT, {.text = &(t)->options.validation_data}, "DIR", \
     "a validation set of its own: a folder, or a manifest", 0, 0}, \
    {"val-split", '\0', MESO_OPTION_REAL, {.real = &(t)->options.validation_split}, "PART", \
     "this part of each class validates and does not train, such as 0.2", 0.0001, 0.999}, \
    {"split-by", '\0', MESO_OPTION_CHOICE, {.choice = (int *)&(t)->options.split_by}, "block|last|random|group", \
     "which: the first of each class in order of name, as Keras has it; the last; random ones; " \
     "or whole groups, such as all frames of a recording", 0, 0}, \
    {"group", 'g', MESO_OPTION_TEXT, {.text = &(t)->options.dataset.group}, "PATTERN", \
     "extended regular expression on the path below the class folder; its first parenthesis " \
     "is the group; splits by it", 0, 0}, \
    {"fake", '\0', MESO_OPTION_TEXT, {.text = &(t)->options.dataset.fake}, "NAME", "the class folder that holds the fakes", 0, 0}, \
    {"real", '\0', MESO_OPTION_TEXT, {.text = &(t)->options.dataset.real}, "NAME", "the class folder that holds the originals", 0, 0}, \
    {"limit", 'n', MESO_OPTION_UNSIGNED, {.number = &(t)->limit}, "N", \
     "only the first so many files of each class, of both sets", 1, 4294967296}, \
    {"max-pixels", '\0', MESO_OPTION_UNSIGNED, {.number = &(t)->options.max_pixels}, "N", \
     "refuse larger pictures (too_large); default 67108864", 1, 4294967296}, \
    {"exif-orient", '\0', MESO_OPTION_FLAG, {.flag = &(t)->options.exif_orient}, NULL, \
     "turn pictures as their EXIF data say", 0, 0}, \
    {"augment", '\0', MESO_OPTION_TEXT, {.text = &(t)->augment}, "SETTINGS", \
     "random changes of training pictures; default none", 0, 0}, \
    {"aug-compat", '\0', MESO_OPTION_CHOICE, {.choice = &(t)->compat}, compat_words, \
     "what the same settings meant: Keras from 2.9 on, keras-preprocessing to 1.1.2, Keras 2.1.5", 0, 0}

#define NET_OPTIONS(t) \
    {"net", '\0', MESO_OPTION_TEXT, {.text = &(t)->options.net}, "NET", \
     "a built-in net or a .net file; default: that of --init, else meso4", 0, 0}, \
    {"init", '\0', MESO_OPTION_TEXT, {.text = &(t)->options.init}, "FILE", "weights to start from", 0, 0}, \
    {"initializer", '\0', MESO_OPTION_CHOICE, {.choice = (int *)&(t)->options.initializer}, "glorot_uniform|he_normal", \
     "random weights without --init", 0, 0}, \
    {"freeze", '\0', MESO_OPTION_TEXT, {.text = &(t)->options.freeze}, "PATTERNS", \
     "layers that stay as they are: 'conv*,bn*'", 0, 0}, \
    {"bn-variance", '\0', MESO_OPTION_CHOICE, {.choice = &(t)->options.bn_biased_variance}, "unbiased|biased", \
     "of moving statistics: as Keras 2, or as Keras 3", 0, 0}, \
    {"reestimate-bn", '\0', MESO_OPTION_FLAG, {.flag = &(t)->options.bn_reestimate}, NULL, \
     "compute moving statistics anew after training: short runs need it", 0, 0}

#define METHOD_OPTIONS(t) \
    {"epochs", 'e', MESO_OPTION_UNSIGNED, {.number = &(t)->epochs}, "N", "default 30; 0 only measures", 0, 1e9}, \
    {"batch", 'b', MESO_OPTION_UNSIGNED, {.number = &(t)->batch}, "N", "images of a step; default 32", 1, 65536}, \
    {"val-batch", '\0', MESO_OPTION_UNSIGNED, {.number = &(t)->validation_batch}, "N", \
     "images at once in validation; default 32", 1, 65536}, \
    {"seed", 's', MESO_OPTION_UNSIGNED, {.number = &(t)->options.seed}, "N", "of all that is random; default 1", 0, 0}, \
    {"loss", '\0', MESO_OPTION_CHOICE, {.choice = (int *)&(t)->options.loss}, "mse|bce|cce", "default mse, the paper's", 0, 0}, \
    {"optimizer", '\0', MESO_OPTION_CHOICE, {.choice = (int *)&(t)->options.optimizer}, "adam|sgd", "default adam", 0, 0}, \
    {"momentum", '\0', MESO_OPTION_REAL, {.real = &(t)->options.momentum}, "M", "of sgd; default 0", 0, 0.999999}, \
    {"lr", '\0', MESO_OPTION_REAL, {.real = &(t)->options.learning_rate}, "RATE", "default 0.001", 1e-12, 1000}, \
    {"schedule", '\0', MESO_OPTION_TEXT, {.text = &(t)->schedule}, "SCHEDULE", \
     "how the rate falls; default constant", 0, 0}, \
    {"monitor", '\0', MESO_OPTION_CHOICE, {.choice = (int *)&(t)->options.monitor}, \
     "auto|loss|accuracy|val_loss|val_accuracy|val_auc", \
     "by which value the best epoch is told; default val_loss, without a validation set loss", 0, 0}, \
    {"mode", '\0', MESO_OPTION_CHOICE, {.choice = (int *)&(t)->options.mode}, "auto|min|max", \
     "which of two values is better; auto: by its name", 0, 0}, \
    {"early-stop", '\0', MESO_OPTION_TEXT, {.text = &(t)->early_stop}, "RULE", \
     "end when the monitored value no longer improves", 0, 0}

static const char usage[] = "DIR -o RUN [options] | --resume RUN";
/* clang-format on */

static int parse_options(train *t, int argc, char **argv, char ***operands, size_t *n_operands)
{
    const tool_option options[] = {RUN_OPTIONS(t), DATA_OPTIONS(t), NET_OPTIONS(t),
                                   METHOD_OPTIONS(t), MESO_OPTIONS_END};
    const tool_command_line line = {"train", usage, about, options, examples, 0, 1};
    return tool_options_parse(&line, argc, argv, operands, n_operands);
}

/* The numbers that the library has in other types. */
static void take_numbers(train *t)
{
    meso_train_options *o = &t->options;
    o->epochs = (size_t)t->epochs;
    o->batch = (size_t)t->batch;
    o->validation_batch = (size_t)t->validation_batch;
    o->dataset.max_per_class = (size_t)t->limit;
    o->n_threads = (size_t)t->threads;
    o->cache_bytes = t->cache_mb << 20;
    if (o->dataset.group && o->split_by == MESO_SPLIT_FIRST)
        o->split_by = MESO_SPLIT_GROUP;
}

/* Settings that are text; what is wrong with one is a wrong command line. */
static int take_texts(train *t)
{
    meso_error error = {0};
    meso_train_options *o = &t->options;
    meso_augment_settings augment;
    const char *compat = compat_words;
    if (t->augment || t->compat > 0) {
        for (int i = 0; i < t->compat; i++)
            compat = strchr(compat, '|') + 1;
        meso_text_add(&t->augment_text, t->augment ? t->augment : "none");
        if (t->compat > 0)
            meso_text_format(&t->augment_text, ",compat=%.*s", (int)strcspn(compat, "|"), compat);
        o->augment = t->augment_text.bytes;
    }
    if ((t->schedule && meso_schedule_parse(t->schedule, &o->schedule, &error) != MESO_OK) ||
        (t->early_stop &&
         meso_early_stop_parse(t->early_stop, &o->early_stop, &error) != MESO_OK) ||
        (o->augment && meso_augment_parse(o->augment, &augment, &error) != MESO_OK))
        return tool_options_usage_error("train", "%s", error.text);
    return -1;
}

/* With --resume the run's own options hold: was another one given? */
static int only_resume_options(const train *t, const train *defaults)
{
    train same = *t;
    same.resume = defaults->resume;
    same.device = defaults->device;
    same.threads = defaults->threads;
    same.cache_mb = defaults->cache_mb;
    same.options.checkpoint_seconds = defaults->options.checkpoint_seconds;
    same.output = defaults->output;
    return memcmp(&same, defaults, sizeof same) == 0;
}

static int parse(train *t, int argc, char **argv)
{
    char **operands;
    size_t n_operands;
    train defaults;
    memcpy(&defaults, t, sizeof defaults);
    int code = parse_options(t, argc, argv, &operands, &n_operands);
    if (code >= 0)
        return code;
    if (t->resume && !only_resume_options(t, &defaults))
        return tool_options_usage_error("train",
                                        "with --resume only a folder, --device, --threads, "
                                        "--cache-mb, --checkpoint-seconds and --json may be given");
    t->options.data = n_operands ? operands[0] : NULL;
    if (t->resume)
        return -1;
    if (!t->options.run)
        return tool_options_usage_error("train", "-o RUN is missing");
    if ((n_operands == 1) == (t->options.dataset.manifest != NULL))
        return tool_options_usage_error("train", "give either a folder or --manifest FILE");
    if (t->options.validation_data && t->options.validation_split > 0)
        return tool_options_usage_error("train", "--val and --val-split exclude each other");
    take_numbers(t);
    return take_texts(t);
}

static meso_status train_or_resume(train *t, meso_device *device, meso_error *error)
{
    const meso_resume_options resume = {
        .struct_bytes = sizeof resume,
        .data = t->options.data,
        .checkpoint_seconds = t->options.checkpoint_seconds,
        .n_threads = (size_t)t->threads,
        .cache_bytes = t->cache_mb << 20,
    };
    return t->resume ? meso_train_resume(device, t->resume, &resume, tool_train_output_event,
                                         &t->output, &t->output.result, error)
                     : meso_train(device, &t->options, tool_train_output_event, &t->output,
                                  &t->output.result, error);
}

static int run(train *t)
{
    meso_device *device = NULL;
    meso_error error = {0};
    t->output.run = t->resume ? t->resume : t->options.run;
    int code = meso_device_open(t->device, &device, &error) == MESO_OK ? 0 : tool_fail(&error);
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
    train t;
    const train defaults = {.options = MESO_TRAIN_OPTIONS_INIT,
                            .epochs = 30,
                            .batch = 32,
                            .validation_batch = 32,
                            .cache_mb = 1024};
    meso_text command = {0};
    memcpy(&t, &defaults, sizeof t);
    tool_command_text(argc, argv, &command); /* before parsing moves the operand */
    int code = parse(&t, argc, argv);
    t.options.command = command.bytes;
    if (code < 0)
        code = run(&t);
    meso_text_free(&t.augment_text);
    meso_text_free(&command);
    return code;
}
