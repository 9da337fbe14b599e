/* SPDX-License-Identifier: Apache-2.0 */
#include "model/train/train_config.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/train/trainer.h"

typedef enum field_kind { FIELD_TEXT, FIELD_REAL, FIELD_SIZE, FIELD_U64, FIELD_CHOICE } field_kind;

/* One option: where it is, and what it may be. */
typedef struct field {
    const char *key;
    field_kind kind;
    size_t offset;
    double low, high;  /* of numbers */
    const char *words; /* of a CHOICE, "a|b|c" in the order of its enum */
} field;

#define AT(member) offsetof(meso_train_options, member)

/* clang-format off */
static const field fields[] = {
    {"data", FIELD_TEXT, AT(data), 0, 0, NULL},
    {"manifest", FIELD_TEXT, AT(dataset.manifest), 0, 0, NULL},
    {"fake", FIELD_TEXT, AT(dataset.fake), 0, 0, NULL},
    {"real", FIELD_TEXT, AT(dataset.real), 0, 0, NULL},
    {"group", FIELD_TEXT, AT(dataset.group), 0, 0, NULL},
    {"max_per_class", FIELD_SIZE, AT(dataset.max_per_class), 0, 1e15, NULL},
    {"validation_data", FIELD_TEXT, AT(validation_data), 0, 0, NULL},
    {"validation_manifest", FIELD_TEXT, AT(validation_manifest), 0, 0, NULL},
    {"validation_split", FIELD_REAL, AT(validation_split), 0, 0.999, NULL},
    {"split_by", FIELD_CHOICE, AT(split_by), 0, 0, "block|last|random|group"},
    {"max_pixels", FIELD_U64, AT(max_pixels), 0, 4294967296.0, NULL},
    {"exif_orient", FIELD_CHOICE, AT(exif_orient), 0, 0, "no|yes"},
    {"augment", FIELD_TEXT, AT(augment), 0, 0, NULL},
    {"net", FIELD_TEXT, AT(net), 0, 0, NULL},
    {"init", FIELD_TEXT, AT(init), 0, 0, NULL},
    {"initializer", FIELD_CHOICE, AT(initializer), 0, 0, "glorot_uniform|he_normal"},
    {"freeze", FIELD_TEXT, AT(freeze), 0, 0, NULL},
    {"epochs", FIELD_SIZE, AT(epochs), 0, 1e9, NULL},
    {"batch", FIELD_SIZE, AT(batch), 1, 65536, NULL},
    {"validation_batch", FIELD_SIZE, AT(validation_batch), 1, 65536, NULL},
    {"seed", FIELD_U64, AT(seed), 0, 0, NULL},
    {"loss", FIELD_CHOICE, AT(loss), 0, 0, "mse|bce|cce"},
    {"optimizer", FIELD_CHOICE, AT(optimizer), 0, 0, "adam|sgd"},
    {"beta1", FIELD_REAL, AT(beta1), 0, 0.9999999, NULL},
    {"beta2", FIELD_REAL, AT(beta2), 0, 0.9999999, NULL},
    {"epsilon", FIELD_REAL, AT(epsilon), 1e-30, 1, NULL},
    {"momentum", FIELD_REAL, AT(momentum), 0, 1, NULL},
    {"bn_momentum", FIELD_REAL, AT(bn_momentum), 0, 1, NULL},
    {"bn_variance", FIELD_CHOICE, AT(bn_biased_variance), 0, 0, "unbiased|biased"},
    {"bn_reestimate", FIELD_CHOICE, AT(bn_reestimate), 0, 0, "no|yes"},
    {"learning_rate", FIELD_REAL, AT(learning_rate), 1e-30, 1e3, NULL},
    {"schedule", FIELD_CHOICE, AT(schedule.kind), 0, 0, "constant|exponential|epochs|iterations"},
    {"schedule_rate", FIELD_REAL, AT(schedule.rate), 0, 1, NULL},
    {"schedule_limit", FIELD_REAL, AT(schedule.limit), 0, 1, NULL},
    {"schedule_every", FIELD_U64, AT(schedule.every), 0, 0, NULL},
    {"monitor", FIELD_CHOICE, AT(monitor), 0, 0, "auto|loss|accuracy|val_loss|val_accuracy|val_auc"},
    {"mode", FIELD_CHOICE, AT(mode), 0, 0, "auto|min|max"},
    {"early_stop", FIELD_CHOICE, AT(early_stop.on), 0, 0, "no|yes"},
    {"early_stop_patience", FIELD_SIZE, AT(early_stop.patience), 0, 1e15, NULL},
    {"early_stop_min_delta", FIELD_REAL, AT(early_stop.min_delta), 0, 1e9, NULL},
    {"early_stop_restore_best", FIELD_CHOICE, AT(early_stop.restore_best), 0, 0, "no|yes"},
    {"path", FIELD_CHOICE, AT(path), 0, 0, "fused|exact|plain"},
    {"checkpoint_seconds", FIELD_REAL, AT(checkpoint_seconds), 0, 1e9, NULL},
    {"command", FIELD_TEXT, AT(command), 0, 0, NULL},
};
/* clang-format on */
enum { n_fields = sizeof fields / sizeof fields[0] };

/* Every choice is an enum or an int of the same size. */
_Static_assert(sizeof(meso_loss) == sizeof(int) && sizeof(meso_path) == sizeof(int), "enums");

static int find_word(const char *words, const char *word)
{
    for (int i = 0;; i++) {
        size_t n = strcspn(words, "|");
        if (strlen(word) == n && strncmp(words, word, n) == 0)
            return i;
        if (words[n] == '\0')
            return -1;
        words += n + 1;
    }
}

static json_t *word_json(const char *words, int position)
{
    for (; position > 0; position--)
        words += strcspn(words, "|") + 1;
    return json_stringn(words, strcspn(words, "|"));
}

static const void *place_of(const meso_train_options *options, const field *f)
{
    return (const char *)options + f->offset;
}

static json_t *value_json(const field *f, const void *at)
{
    const char *text;
    switch (f->kind) {
    case FIELD_TEXT:
        text = *(const char *const *)at;
        return text ? json_string(text) : json_null();
    case FIELD_REAL:
        return json_real(*(const double *)at);
    case FIELD_SIZE:
        return json_integer((json_int_t) * (const size_t *)at);
    case FIELD_U64: /* may be larger than JSON's integers: its bits as a signed one */
        return json_integer((json_int_t) * (const uint64_t *)at);
    case FIELD_CHOICE:
        return word_json(f->words, *(const int *)at);
    }
    return NULL;
}

json_t *meso_train_config_json(const meso_train_options *options)
{
    json_t *document = json_object();
    for (size_t i = 0; document && i < n_fields; i++) {
        json_t *value = value_json(&fields[i], place_of(options, &fields[i]));
        if (json_object_set_new(document, fields[i].key, value) != 0) {
            json_decref(document);
            return NULL;
        }
    }
    return document;
}

/* 0 where the value is of another kind. */
static int read_value(const field *f, const json_t *value, void *at)
{
    switch (f->kind) {
    case FIELD_TEXT:
        *(const char **)at = json_string_value(value);
        return json_is_string(value) || json_is_null(value);
    case FIELD_REAL:
        *(double *)at = json_number_value(value);
        return json_is_number(value);
    case FIELD_SIZE:
        *(size_t *)at = (size_t)json_integer_value(value);
        return json_is_integer(value);
    case FIELD_U64:
        *(uint64_t *)at = (uint64_t)json_integer_value(value);
        return json_is_integer(value);
    case FIELD_CHOICE:
        *(int *)at = json_is_string(value) ? find_word(f->words, json_string_value(value)) : -1;
        return *(int *)at >= 0;
    }
    return 0;
}

meso_status meso_train_config_read(const json_t *document, meso_train_options *options,
                                   meso_error *error)
{
    meso_status status = MESO_OK;
    for (size_t i = 0; i < n_fields; i++)
        MESO_REQUIRE(read_value(&fields[i], json_object_get(document, fields[i].key),
                                (char *)options + fields[i].offset),
                     error, MESO_ERROR_DATA, "the run's options: %s is missing or not a %s",
                     fields[i].key, fields[i].kind == FIELD_TEXT ? "text" : "value of its kind");
out:
    return status;
}

static meso_status check_field(const field *f, const void *at, meso_error *error)
{
    meso_status status = MESO_OK;
    const char *text = f->kind == FIELD_TEXT ? *(const char *const *)at : NULL;
    double number = f->kind == FIELD_REAL   ? *(const double *)at
                    : f->kind == FIELD_SIZE ? (double)*(const size_t *)at
                    : f->kind == FIELD_U64  ? (double)*(const uint64_t *)at
                                            : 0;
    MESO_REQUIRE(
        !text || meso_is_utf8(text), error, MESO_ERROR_ARGUMENT,
        "%s: \"%s\" is not UTF-8, in which a run records its options: use another name, or "
        "a link",
        f->key, MESO_PRINTABLE(text));
    MESO_REQUIRE((f->low == 0 && f->high == 0) || (number >= f->low && number <= f->high), error,
                 MESO_ERROR_ARGUMENT, "%s must be from %g to %g, not %g", f->key, f->low, f->high,
                 number);
out:
    return status;
}

meso_status meso_train_config_check(const meso_train_options *o, meso_error *error)
{
    meso_status status = MESO_OK;
    MESO_REQUIRE(o->struct_bytes == sizeof *o, error, MESO_ERROR_ARGUMENT,
                 "the options are of another version: start from MESO_TRAIN_OPTIONS_INIT");
    MESO_REQUIRE(o->learning_rate > 0, error, MESO_ERROR_ARGUMENT,
                 "the learning rate must be above 0, not %g", o->learning_rate);
    MESO_TRY(meso_trainer_check_path(o->path, error));
    for (size_t i = 0; i < n_fields; i++)
        MESO_TRY(check_field(&fields[i], place_of(o, &fields[i]), error));
    MESO_REQUIRE(o->run && o->run[0], error, MESO_ERROR_ARGUMENT, "a run needs a folder");
    MESO_REQUIRE((o->data != NULL) != (o->dataset.manifest != NULL), error, MESO_ERROR_ARGUMENT,
                 "the data are either a folder or a manifest");
    MESO_REQUIRE((o->validation_data != NULL) + (o->validation_manifest != NULL) +
                         (o->validation_split > 0) <=
                     1,
                 error, MESO_ERROR_ARGUMENT,
                 "the validation set is either a folder, a manifest or a part of the data");
    int has_validation = o->validation_data || o->validation_manifest || o->validation_split > 0;
    MESO_REQUIRE(o->monitor < MESO_MONITOR_VAL_LOSS || has_validation, error, MESO_ERROR_ARGUMENT,
                 "%s cannot be monitored without a validation set", meso_monitor_name(o->monitor));
out:
    return status;
}
