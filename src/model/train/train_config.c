/* SPDX-License-Identifier: Apache-2.0 */

#include "base/error.h"
#include "base/text.h"
#include "model/train/train_options.h"
#include "model/train/trainer.h"

json_t *meso_train_config_json(const meso_train_options *options)
{
    json_t *document = json_object();
    const meso_field *field;
    size_t shift;
    for (size_t i = 0; document && (field = meso_train_option_field(i, &shift)); i++) {
        json_t *value = meso_field_to_json(field, (const char *)options + shift);
        if (json_object_set_new(document, field->key, value) != 0) {
            json_decref(document);
            return NULL;
        }
    }
    return document;
}

meso_status meso_train_config_read(const json_t *document, meso_train_options *options,
                                   meso_error *error)
{
    const meso_field *field;
    size_t shift;
    for (size_t i = 0; (field = meso_train_option_field(i, &shift)); i++) {
        meso_error why = {0};
        if (meso_fields_from_json(field, 1, document, (char *)options + shift, &why) != MESO_OK)
            return meso_fail(error, MESO_ERROR_DATA, "the run's options: %s", why.text);
    }
    return MESO_OK;
}

/* Everything is kept as JSON. */
static meso_status check_field(const meso_field *field, const void *base, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    const char *text = field->kind == MESO_FIELD_TEXT
                           ? *(const char *const *)((const char *)base + field->offset)
                           : NULL;
    MESO_REQUIRE(!text || meso_is_utf8(text), error, MESO_ERROR_ARGUMENT,
                 "%s: \"%s\" is not UTF-8, in which a run records its options: use another name, "
                 "or a link",
                 field->key, MESO_PRINTABLE(text));
    status = meso_field_check(field, base, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s %s", field->key, why.text);
out:
    return status;
}

meso_status meso_train_config_check(const meso_train_options *o, meso_error *error)
{
    const meso_field *field;
    size_t shift;
    MESO_CHECK(meso_trainer_check_path(o->path, error));
    for (size_t i = 0; (field = meso_train_option_field(i, &shift)); i++)
        MESO_CHECK(check_field(field, (const char *)o + shift, error));
    MESO_DEMAND(o->run && o->run[0], error, MESO_ERROR_ARGUMENT, "a run needs a folder");
    MESO_DEMAND((o->data != NULL) != (o->manifest != NULL), error, MESO_ERROR_ARGUMENT,
                "the data are either a folder or a manifest");
    MESO_DEMAND((o->validation_data != NULL) + (o->validation_manifest != NULL) +
                        (o->validation_split > 0) <=
                    1,
                error, MESO_ERROR_ARGUMENT,
                "the validation set is either a folder, a manifest or a part of the data");
    int has_validation = o->validation_data || o->validation_manifest || o->validation_split > 0;
    MESO_DEMAND(o->monitor < MESO_MONITOR_VAL_LOSS || has_validation, error, MESO_ERROR_ARGUMENT,
                "%s cannot be monitored without a validation set", meso_monitor_name(o->monitor));
    return MESO_OK;
}
