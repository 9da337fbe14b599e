/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/train_options.h"

#include <stddef.h>
#include <string.h>

#include "data/list/group.h"
#include "data/list/layout.h"

/* Every choice is an enum or an int of the same size. */
_Static_assert(sizeof(meso_loss) == sizeof(int) && sizeof(meso_path) == sizeof(int), "enums");

static meso_status parse_augment(const char *text, meso_train_options *options, meso_error *error)
{
    meso_augment_settings settings;
    options->augment = text;
    return meso_augment_parse(text, &settings, error);
}

static meso_status parse_schedule(const char *text, meso_train_options *options, meso_error *error)
{
    return meso_schedule_parse(text, &options->schedule, error);
}

static meso_status parse_early_stop(const char *text, meso_train_options *options,
                                    meso_error *error)
{
    return meso_early_stop_parse(text, &options->early_stop, error);
}

/* Why not in a variant. */
static const char of_sets[] = "each set of the study says it for itself";
static const char of_reading[] = "all parts of a study read pictures alike";
static const char of_result[] = "it changes no result";

/* clang-format off */
#define ROW(key, kind, member, low, high, words, name_, letter_, argument_, help_, ...) \
    {.field = MESO_FIELD(meso_train_options, key, kind, member, low, high, words), \
     .name = name_, .letter = letter_, .argument = argument_, .help = help_, __VA_ARGS__}
#define TEXT(key, member, name, letter, argument, ...) \
    ROW(key, TEXT, member, 0, 0, NULL, name, letter, argument, __VA_ARGS__)
#define WHOLE(key, member, low, high, name, letter, argument, ...) \
    ROW(key, WHOLE, member, low, high, NULL, name, letter, argument, __VA_ARGS__)
#define REAL(key, member, low, high, name, argument, ...) \
    ROW(key, REAL, member, low, high, NULL, name, 0, argument, __VA_ARGS__)
#define SWITCH(key, member, name, ...) \
    ROW(key, SWITCH, member, 0, 0, NULL, name, 0, NULL, __VA_ARGS__)
#define CHOICE(key, member, words, name, ...) \
    ROW(key, CHOICE, member, 0, 0, words, name, 0, words, __VA_ARGS__)

const meso_train_option meso_train_option_rows[] = {
    TEXT("data", data, NULL, 0, NULL, NULL, .fixed = of_sets, .is_path = 1, .apart = 1),
    TEXT("manifest", manifest, "manifest", 'm', "FILE",
         "a CSV with the columns file, label and, if wanted, group, in place of a folder",
         .fixed = of_sets, .is_path = 1, .apart = 1),
    TEXT("fake", fake, "fake", 0, "NAME", "the class folder that holds the fakes",
         .fixed = of_sets),
    TEXT("real", real, "real", 0, "NAME", "the class folder that holds the originals",
         .fixed = of_sets),
    TEXT("group", group, "group", 'g', "PATTERN",
         MESO_GROUP_HELP MESO_GROUP_COLUMNS_HELP "; splits by it", .fixed = of_sets),
    CHOICE("layout", layout, MESO_LAYOUT_WORDS, "layout", MESO_LAYOUT_HELP, .fixed = of_sets),
    WHOLE("max_per_class", max_per_class, 0, 1e15, "limit", 'n', "N",
          "at most N images of each class, of both sets: the first ones; 0: all",
          .fixed = "the study's limit says it"),
    TEXT("validation_data", validation_data, "val", 0, "FOLDER",
         "a validation set of its own: a folder, or a manifest",
         .fixed = "its images could stand in a test set: validation_split takes a part of the "
                  "training set", .is_path = 1, .apart = 1),
    TEXT("validation_manifest", validation_manifest, NULL, 0, NULL, NULL,
         .fixed = "as for validation_data", .is_path = 1, .apart = 1),
    REAL("validation_split", validation_split, 0, 0.999, "val-split", "PART",
         "fraction of each class that validates and does not train, such as 0.2"),
    CHOICE("split_by", split_by, "block|last|random|group", "split-by",
           "which images validate: the first of each class in order of name, as in Keras; the "
           "last; random ones; or whole groups, such as all frames of a recording"),
    WHOLE("max_pixels", max_pixels, 0, 4294967296, "max-pixels", 0, "N",
          "refuse larger pictures, by their pixels (too_large)", .fixed = of_reading),
    SWITCH("exif_orient", exif_orient, "exif-orient",
           "turn pictures as their EXIF data say", .fixed = of_reading),
    TEXT("augment", augment, "augment", 0, "SETTINGS",
         "random changes of training pictures", .parse = parse_augment),
    TEXT("net", net, "net", 0, "NET", "a built-in net or a .net file", .is_path = 1, .apart = 1),
    TEXT("init", init, "init", 0, "FILE",
         "weights to start from, as predict -w takes them; else random", .is_path = 1, .apart = 1),
    CHOICE("initializer", initializer, "glorot_uniform|he_normal", "initializer",
           "random weights without --init"),
    TEXT("freeze", freeze, "freeze", 0, "PATTERNS", "layers that are not trained: 'conv*,bn*'"),
    WHOLE("epochs", epochs, 0, 1e9, "epochs", 'e', "N", "0 only measures"),
    WHOLE("batch", batch, 1, 65536, "batch", 'b', "N", "images at once, in one step"),
    WHOLE("validation_batch", validation_batch, 1, 65536, "val-batch", 0, "N",
          "images at once in validation"),
    WHOLE("seed", seed, 0, 0, "seed", 's', "N", "seed of everything random",
          .fixed = "the study's seeds say it"),
    CHOICE("loss", loss, "mse|bce|cce", "loss",
           "what is minimised; mse is the paper's"),
    CHOICE("optimizer", optimizer, "adam|sgd", "optimizer",
           "how a step follows the gradient"),
    REAL("beta1", beta1, 0, 0.9999999, "beta1", "B", "of adam"),
    REAL("beta2", beta2, 0, 0.9999999, "beta2", "B", "of adam"),
    REAL("epsilon", epsilon, 1e-30, 1, "epsilon", "E", "of adam"),
    REAL("momentum", momentum, 0, 1, "momentum", "M", "of sgd"),
    REAL("bn_momentum", bn_momentum, 0, 1, "bn-momentum", "M",
         "share of moving statistics that a step keeps"),
    CHOICE("bn_variance", bn_biased_variance, "unbiased|biased", "bn-variance",
           "of moving statistics: as Keras 2, or as Keras 3"),
    SWITCH("bn_reestimate", bn_reestimate, "bn-reestimate",
           "recompute moving statistics after training; short runs need it"),
    REAL("learning_rate", learning_rate, 1e-30, 1e3, "lr", "RATE", "learning rate"),
    ROW("schedule", CHOICE, schedule.kind, 0, 0, MESO_SCHEDULE_WORDS, "schedule", 0, "SCHEDULE",
        "how the rate falls", .parse = parse_schedule,
        .parts = meso_schedule_fields, .n_parts = MESO_N_SCHEDULE_FIELDS),
    CHOICE("monitor", monitor, "auto|loss|accuracy|val_loss|val_accuracy|val_auc", "monitor",
           "the value that decides the best epoch; auto: val_loss, or loss without a validation "
           "set"),
    CHOICE("mode", mode, "auto|min|max", "mode",
           "which of two values is better; auto: by its name"),
    ROW("early_stop", SWITCH, early_stop.on, 0, 0, NULL, "early-stop", 0, "RULE",
        "end when the monitored value no longer improves", .parse = parse_early_stop,
        .parts = meso_early_stop_fields, .n_parts = MESO_N_EARLY_STOP_FIELDS),
    CHOICE("path", path, "fused|exact|plain", "path",
           "which kernels compute: fused ones where net and device allow, or plain ones, one for "
           "each layer; exact is for predictions"),
    REAL("checkpoint_seconds", checkpoint_seconds, 0, 1e9, "checkpoint-seconds", "S",
         "between checkpoints", .fixed = of_result, .apart = 1),
    TEXT("command", command, NULL, 0, NULL, NULL, .fixed = of_result, .apart = 1),
};
/* clang-format on */

const size_t meso_n_train_option_rows =
    sizeof meso_train_option_rows / sizeof meso_train_option_rows[0];

const meso_train_option *meso_train_option_find(const char *key)
{
    for (size_t i = 0; i < meso_n_train_option_rows; i++) {
        const meso_train_option *row = &meso_train_option_rows[i];
        if (strcmp(row->field.key, key) == 0 || (row->name && strcmp(row->name, key) == 0))
            return row;
    }
    return NULL;
}

meso_status meso_train_option_from_text(const meso_train_option *option, const char *text,
                                        meso_train_options *options, meso_error *error)
{
    return option->parse ? option->parse(text, options, error)
                         : meso_field_from_text(&option->field, text, options, error);
}

meso_status meso_train_option_from_json(const meso_train_option *option, const json_t *value,
                                        meso_train_options *options, meso_error *error)
{
    static const meso_field text = {.kind = MESO_FIELD_TEXT};
    const char *words = NULL;
    if (!option->parse)
        return meso_field_from_json(&option->field, value, options, error);
    meso_status status = meso_field_from_json(&text, value, &words, error);
    return status == MESO_OK && words ? option->parse(words, options, error) : status;
}

const meso_field *meso_train_option_field(size_t i, size_t *shift)
{
    for (size_t r = 0; r < meso_n_train_option_rows; r++) {
        const meso_train_option *row = &meso_train_option_rows[r];
        *shift = i == 0 ? 0 : row->field.offset;
        if (i <= row->n_parts)
            return i == 0 ? &row->field : &row->parts[i - 1];
        i -= 1 + row->n_parts;
    }
    return NULL;
}
