/* SPDX-License-Identifier: Apache-2.0 */
#include "train_command.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "common.h"
#include "model/train/run_folder.h"
#include "train_rows.h"

static const char about[] =
    "Trains a net on a labelled dataset, given as for evaluate, and writes a folder:\n"
    "best.safetensors and last.safetensors (models for predict and evaluate),\n"
    "history.jsonl and history.csv, events for TensorBoard, config.json,\n"
    "metrics.json and validation.csv (how the best weights do on the validation\n"
    "set), the last two checkpoints.\n"
    "\n"
    "Ctrl-C writes a checkpoint and ends with 75. --resume continues, also after a\n"
    "crash, and gives the same bits as a run without interruption. The same command\n"
    "on the same device always gives the same bits. With --epochs 0 the initial\n"
    "weights are only evaluated.\n"
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

/* What makes a folder a run is its config.json. */
static meso_status run_names(const char *folder, meso_text *names, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_text config = {0};
    meso_text_format(&config, "%s/config.json", folder);
    MESO_REQUIRE(!config.out_of_memory && access(config.bytes, F_OK) == 0, error,
                 MESO_ERROR_NO_INPUT, "%s: no run is there", MESO_PRINTABLE(folder));
    for (const char *const *name = meso_run_names; *name; name++)
        meso_text_add_n(names, *name, strlen(*name) + 1);
out:
    meso_text_free(&config);
    return status;
}

const tool_result train_result = {"a run", "resume it with --resume, choose another folder",
                                  run_names};

static const char usage[] = "DATASET -o FOLDER [options] | --resume FOLDER";
static const char compat_words[] = "keras2.9|kp1.1.2|keras2.1.5";

static int parse_words(train_command *t, tool_train_words *words, int *argc, char **argv)
{
    meso_train_options usual = MESO_TRAIN_OPTIONS_INIT;
    tool_option options[TOOL_MAX_TRAIN_ROWS + 16] = {
        OPT_RESULT("output", 'o', t->options.run, "FOLDER", &train_result,
                   "where to write the run, a new folder (required, or --resume)"),
        OPT_FORCE,
        OPT_INPUT("resume", 0, t->resume, "FOLDER",
                  "continue the run in this folder with its own options; an operand says where its "
                  "data are now"),
        OPT_DEVICE_ROW(
            t->device, "",
            "auto, but the CPU where device_bench --pick has measured no GPU that trains "
            "the net faster"),
        OPT_FORM("json", 0, t->output.json, "one JSON document on stdout, the result"),
        OPT_PROGRESS,
        OPT_COUNT("cache-mb", 0, t->cache_mb, "N", 0, 1e7,
                  "memory for decoded pictures, in MiB; default 1024"),
        OPT_COUNT("threads", 'j', t->threads, "N", 1, 1024,
                  "decoding threads; default: one for each processor"),
        OPT_SET("no-fuse", 0, t->options.path, MESO_PATH_PLAIN, "--path plain"),
        OPT_CHOICE("aug-compat", 0, t->compat, compat_words,
                   "what the same settings of --augment meant: Keras from 2.9 on, "
                   "keras-preprocessing to 1.1.2, Keras 2.1.5"),
        OPT_END};
    size_t n = 0;
    while (options[n].name)
        n++;
    usual.net = "that of --init, else meso4";
    usual.augment = "none";
    usual.max_pixels = 67108864;
    n += tool_train_rows(words, &usual, 0, options + n);
    options[n] = (tool_option)OPT_END;
    const tool_command_line line = {"train", usage, about, options, examples, 0, 1};
    return tool_options_parse(&line, argc, argv);
}

/* What the settings of augmentation meant stands behind them. */
static void add_compat(train_command *t, tool_train_words *words)
{
    const char **augment = &words->text[meso_train_option_find("augment") - meso_train_option_rows];
    size_t length;
    if (t->compat > 0) {
        const char *compat = meso_word_at(compat_words, t->compat, &length);
        meso_text_format(&t->augment, "%s,compat=%.*s", *augment ? *augment : "none", (int)length,
                         compat);
        *augment = t->augment.bytes;
    }
}

/* With --resume the run's own options hold: was another one given? */
static int only_resume_options(const train_command *t, const tool_train_words *words)
{
    const train_command defaults = TRAIN_COMMAND_INIT;
    train_command same = *t;
    same.resume = defaults.resume;
    same.device = defaults.device;
    same.threads = defaults.threads;
    same.cache_mb = defaults.cache_mb;
    same.output = defaults.output;
    for (size_t i = 0; i < meso_n_train_option_rows; i++)
        if (tool_train_given(words, i) &&
            strcmp(meso_train_option_rows[i].field.key, "checkpoint_seconds") != 0)
            return 0;
    return memcmp(&same, &defaults, sizeof same) == 0;
}

int train_command_parse(train_command *t, int argc, char **argv)
{
    tool_train_words words = {0};
    meso_train_options *o = &t->options;
    int code = parse_words(t, &words, &argc, argv);
    if (code >= 0)
        return code;
    if (t->resume && !only_resume_options(t, &words))
        return tool_options_usage_error(
            "train", "with --resume only a folder, --device, --threads, "
                     "--cache-mb, --checkpoint-seconds, --json and --progress-fd "
                     "may be given");
    add_compat(t, &words);
    code = tool_train_take(&words, "train", o);
    o->data = argc ? argv[0] : NULL;
    if (t->resume || code >= 0)
        return code;
    if (!o->run)
        return tool_options_usage_error("train", "-o FOLDER is missing");
    if ((argc == 1) == (o->manifest != NULL))
        return tool_options_usage_error("train", "give either a folder or --manifest FILE");
    if (o->validation_data && o->validation_split > 0)
        return tool_options_usage_error("train", "--val and --val-split exclude each other");
    o->n_threads = (size_t)t->threads;
    o->cache_bytes = t->cache_mb << 20;
    if (o->group && o->split_by == MESO_SPLIT_FIRST)
        o->split_by = MESO_SPLIT_GROUP;
    return -1;
}
