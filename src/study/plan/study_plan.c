/* SPDX-License-Identifier: Apache-2.0 */
#include "study/plan/study_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fields.h"
#include "base/json_builder.h"
#include "base/text.h"
#include "mesocl/net.h"
#include "model/train/train_options.h"

enum { place_size = 160 };

/* ---- keys ---- */

#define SOURCE(key, member) MESO_FIELD(study_source, key, TEXT, member, 0, 0, NULL)
#define PLAN(key, ...) MESO_FIELD(study_plan, key, __VA_ARGS__)
#define elsewhere SIZE_MAX /* more than a member */
#define STRUCTURE(key)                                 \
    {                                                  \
        key, MESO_FIELD_TEXT, elsewhere, 0, 0, NULL, 0 \
    }

static const meso_field source_fields[] = {SOURCE("path", path), SOURCE("group", group),
                                           SOURCE("fake", fake), SOURCE("real", real)};

static const meso_field plan_fields[] = {
    STRUCTURE("train"),
    STRUCTURE("test"),
    STRUCTURE("variants"),
    STRUCTURE("seeds"),
    STRUCTURE("loss"),
    STRUCTURE("batch"),
    PLAN("protocol", CHOICE, protocol, 0, 0, "none|ucla"),
    PLAN("equalize", SWITCH, equalize, 0, 0, NULL),
    PLAN("limit", WHOLE, limit, 0, 1e9, NULL),
    PLAN("keep_leaks", SWITCH, keep_leaks, 0, 0, NULL),
    PLAN("device", TEXT, device, 0, 0, NULL),
    PLAN("resamples", WHOLE, resamples, 2, 1e6, NULL),
};
enum { n_source_fields = sizeof source_fields / sizeof source_fields[0] };
enum { n_plan_fields = sizeof plan_fields / sizeof plan_fields[0] };

/* A document on its way into a plan. */
typedef struct reader {
    const char *where, *folder;
    meso_error *error;
} reader;

#define REFUSE(r, ...) meso_fail((r)->error, MESO_ERROR_DATA, __VA_ARGS__)

static meso_status refuse_key(const reader *r, const char *place, const char *key,
                              const char *sentence)
{
    return REFUSE(r, "%s: %s%s: %s", r->where, place, MESO_PRINTABLE(key), sentence);
}

static meso_status unknown_key(const reader *r, const char *place, const char *key,
                               const meso_field *fields, size_t n)
{
    char sentence[256] = "unknown key; known are ";
    for (size_t i = 0; i < n; i++)
        snprintf(sentence + strlen(sentence), sizeof sentence - strlen(sentence), "%s%s",
                 i ? ", " : "", fields[i].key);
    return refuse_key(r, place, key, sentence);
}

/* A relative path is put behind the folder, inside the document, which owns all strings. */
static meso_status resolve(const reader *r, json_t *object, const char *key, const char **value)
{
    meso_status status = MESO_OK;
    meso_text full = {0};
    if ((*value)[0] == '/' || !r->folder[0])
        return MESO_OK;
    meso_text_format(&full, "%s/%s", r->folder, *value);
    MESO_REQUIRE_MEMORY(!full.out_of_memory, r->error);
    MESO_REQUIRE_MEMORY(json_object_set_new(object, key, json_string(full.bytes)) == 0, r->error);
    *value = json_string_value(json_object_get(object, key));
out:
    meso_text_free(&full);
    return status;
}

/* Fills the members of *base whose keys are there; the others keep what they are. */
static meso_status read_object(const reader *r, const char *place, json_t *object,
                               const meso_field *fields, size_t n, void *base)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return REFUSE(r, "%s: %s: takes an object", r->where, place[0] ? place : "the document");
    json_object_foreach (object, key, value) {
        meso_error why = {0};
        const meso_field *field = meso_field_find(fields, n, key);
        if (!field)
            return unknown_key(r, place, key, fields, n);
        if (field->offset != elsewhere && meso_field_from_json(field, value, base, &why) != MESO_OK)
            return refuse_key(r, place, key, why.text);
    }
    return MESO_OK;
}

/* ---- sets and variants ---- */

static meso_status check_name(const reader *r, const char *place, const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (!name[0] || strlen(name) > 40 || strspn(name, allowed) != strlen(name))
        return REFUSE(r,
                      "%s: %s: \"%s\" cannot be a name: 1 to 40 letters, digits, _ and - (it "
                      "becomes a part of file names)",
                      r->where, place, MESO_PRINTABLE(name));
    return MESO_OK;
}

/* The place's objects, one by one. */
static meso_status check_objects(const reader *r, json_t *plan, const char *key, json_t **objects)
{
    *objects = json_object_get(plan, key);
    if (!json_is_object(*objects) || json_object_size(*objects) == 0)
        return REFUSE(r, "%s: %s: takes an object with at least one entry", r->where, key);
    if (json_object_size(*objects) > STUDY_MAX_SETS)
        return REFUSE(r, "%s: %s: %zu entries, at most %d are taken", r->where, key,
                      json_object_size(*objects), STUDY_MAX_SETS);
    return MESO_OK;
}

/* "of": "dir" is short for "of": {"path": "dir"}. */
static meso_status spell_out(const reader *r, json_t *sources, const char *name)
{
    json_t *value = json_object_get(sources, name);
    if (json_is_string(value) &&
        json_object_set_new(sources, name, json_pack("{s:O}", "path", value)) != 0)
        return meso_fail(r->error, MESO_ERROR_MEMORY, "out of memory");
    return MESO_OK;
}

static meso_status read_sources(const reader *r, json_t *plan, const char *key,
                                study_source *sources, size_t *n)
{
    json_t *objects, *value;
    const char *name;
    char place[place_size];
    void *next;
    MESO_CHECK(check_objects(r, plan, key, &objects));
    json_object_foreach_safe(objects, next, name, value)
    {
        study_source *source = &sources[(*n)++];
        snprintf(place, sizeof place, "%s.%.64s.", key, name);
        MESO_CHECK(check_name(r, key, name));
        MESO_CHECK(spell_out(r, objects, name));
        *source = (study_source){.name = name};
        value = json_object_get(objects, name);
        MESO_CHECK(read_object(r, place, value, source_fields, n_source_fields, source));
        MESO_DEMAND(source->path, r->error, MESO_ERROR_DATA, "%s: %spath: is missing", r->where,
                    place);
        MESO_CHECK(resolve(r, value, "path", &source->path));
    }
    return MESO_OK;
}

static meso_status check_set_names(const reader *r, const study_plan *plan)
{
    for (size_t i = 0; i < plan->n_train; i++)
        for (size_t j = 0; j < plan->n_test; j++)
            if (strcmp(plan->train[i].name, plan->test[j].name) == 0)
                return REFUSE(r,
                              "%s: test.%s: a training set has the same name; rename one of them",
                              r->where, plan->test[j].name);
    return MESO_OK;
}

static int is_builtin(const char *net)
{
    size_t i = 0;
    while (meso_net_builtin_name(i) && strcmp(meso_net_builtin_name(i), net) != 0)
        i++;
    return meso_net_builtin_name(i) != NULL;
}

static meso_status unknown_option(const reader *r, const char *place, const char *key)
{
    char sentence[768] = "unknown key; known are lr";
    for (size_t i = 0; i < meso_n_train_option_rows; i++) {
        const meso_train_option *option = &meso_train_option_rows[i];
        if (meso_field_find(option->parts, option->n_parts, key))
            return REFUSE(r, "%s: %s%s: is a setting of %s: \"WORD,KEY=VALUE\"", r->where, place,
                          key, option->field.key);
        if (!option->fixed)
            snprintf(sentence + strlen(sentence), sizeof sentence - strlen(sentence), ", %s",
                     option->field.key);
    }
    return refuse_key(r, place, key, sentence);
}

/* A key of the table with its value; strings are the document's. */
static meso_status read_option(const reader *r, const char *place, json_t *object, const char *key,
                               meso_train_options *options)
{
    meso_error why = {0};
    const meso_train_option *option = meso_train_option_find(key);
    if (!option)
        return unknown_option(r, place, key);
    if (option->fixed)
        return REFUSE(r, "%s: %s%s: cannot vary: %s", r->where, place, key, option->fixed);
    if (meso_train_option_from_json(option, json_object_get(object, key), options, &why) != MESO_OK)
        return refuse_key(r, place, key, why.text);
    const char **path = (const char **)(void *)((char *)options + option->field.offset);
    return option->is_path && *path && !is_builtin(*path) ? resolve(r, object, key, path) : MESO_OK;
}

/* What has another default than mesocl train stands in the document, too. */
static int spell_out_variant(json_t *object, const meso_train_options *o)
{
    json_t *usual =
        json_pack("{s:s, s:s, s:I, s:b, s:f}", "net", o->net, "augment", o->augment, "epochs",
                  (json_int_t)o->epochs, "bn_reestimate", o->bn_reestimate, "lr", o->learning_rate);
    if (json_object_get(object, "learning_rate"))
        json_object_del(usual, "lr");
    const int good = usual && json_object_update_missing(object, usual) == 0;
    json_decref(usual);
    return good;
}

static meso_status read_variant(const reader *r, const char *name, json_t *object,
                                study_variant *variant)
{
    char place[place_size];
    const char *key;
    json_t *value;
    snprintf(place, sizeof place, "variants.%.64s.", name);
    variant->name = name;
    if (!json_is_object(object))
        return REFUSE(r, "%s: %s: takes an object", r->where, place);
    if (json_object_get(object, "lr") && json_object_get(object, "learning_rate"))
        return refuse_key(r, place, "lr", "is learning_rate, which is there, too");
    json_object_foreach (object, key, value)
        MESO_CHECK(read_option(r, place, object, key, &variant->options));
    MESO_DEMAND_MEMORY(spell_out_variant(object, &variant->options), r->error);
    return MESO_OK;
}

meso_train_options study_training_usual(int protocol)
{
    meso_train_options usual = MESO_TRAIN_OPTIONS_INIT;
    usual.net = "meso4";
    usual.augment = "none";
    usual.epochs = protocol ? 1 : 10;
    usual.batch = protocol ? 64 : 32;
    return usual;
}

static meso_status read_variants(const reader *r, study_plan *plan)
{
    meso_train_options usual = study_training_usual(plan->protocol);
    json_t *objects, *value;
    const char *name, *const for_all[] = {"loss", "batch"};
    for (size_t i = 0; i < 2; i++)
        if (json_object_get(plan->document, for_all[i]))
            MESO_CHECK(read_option(r, "", plan->document, for_all[i], &usual));
    if (!json_object_get(plan->document, "variants"))
        json_object_set_new(plan->document, "variants", json_pack("{s:{}}", "scratch"));
    MESO_CHECK(check_objects(r, plan->document, "variants", &objects));
    json_object_foreach (objects, name, value) {
        study_variant *variant = &plan->variants[plan->n_variants++];
        MESO_CHECK(check_name(r, "variants", name));
        variant->options = usual;
        MESO_CHECK(read_variant(r, name, value, variant));
    }
    return MESO_OK;
}

/* ---- seeds ---- */

/* 3 means 1, 2, 3. */
static json_t *list_seeds(json_int_t n)
{
    json_t *list = json_array();
    for (json_int_t i = 1; i <= n; i++)
        json_array_append_new(list, json_integer(i));
    return list;
}

static meso_status read_seeds(const reader *r, study_plan *plan)
{
    json_t *seeds = json_object_get(plan->document, "seeds");
    json_int_t n = seeds && json_is_integer(seeds) ? json_integer_value(seeds) : 3;
    if (!json_is_array(seeds)) {
        if ((seeds && !json_is_integer(seeds)) || n < 1 || n > STUDY_MAX_SEEDS)
            return REFUSE(r, "%s: seeds: takes a number from 1 to %d, or a list of seeds", r->where,
                          STUDY_MAX_SEEDS);
        json_object_set_new(plan->document, "seeds", list_seeds(n));
        seeds = json_object_get(plan->document, "seeds");
    }
    if (json_array_size(seeds) < 1 || json_array_size(seeds) > STUDY_MAX_SEEDS)
        return REFUSE(r, "%s: seeds: a list of 1 to %d seeds", r->where, STUDY_MAX_SEEDS);
    for (size_t i = 0; i < json_array_size(seeds); i++) {
        const json_t *seed = json_array_get(seeds, i);
        if (!json_is_integer(seed) || json_integer_value(seed) < 0)
            return REFUSE(r, "%s: seeds[%zu]: takes a whole number from 0 on", r->where, i);
        for (size_t j = 0; j < i; j++)
            if (plan->seeds[j] == (uint64_t)json_integer_value(seed))
                return REFUSE(r, "%s: seeds[%zu]: %" JSON_INTEGER_FORMAT " is there twice",
                              r->where, i, json_integer_value(seed));
        plan->seeds[plan->n_seeds++] = (uint64_t)json_integer_value(seed);
    }
    return MESO_OK;
}

/* ---- the plan ---- */

static meso_status read_plan(const reader *r, study_plan *plan)
{
    MESO_CHECK(read_object(r, "", plan->document, plan_fields, n_plan_fields, plan));
    MESO_CHECK(read_sources(r, plan->document, "train", plan->train, &plan->n_train));
    MESO_CHECK(read_sources(r, plan->document, "test", plan->test, &plan->n_test));
    MESO_CHECK(check_set_names(r, plan));
    MESO_CHECK(read_variants(r, plan));
    return read_seeds(r, plan);
}

meso_status study_plan_take(json_t *document, const char *where, const char *folder,
                            study_plan *plan, meso_error *error)
{
    const reader r = {where, folder, error};
    *plan = (study_plan){.equalize = 1, .device = "auto", .resamples = 1000, .document = document};
    if (!document)
        return meso_fail(error, MESO_ERROR_MEMORY, "out of memory");
    meso_status status = read_plan(&r, plan);
    if (status != MESO_OK)
        study_plan_free(plan);
    return status;
}

/* The folder that a path lies in. */
static meso_status folder_of(const char *path, char **folder, meso_error *error)
{
    char *full = realpath(path, NULL);
    if (!full)
        return meso_fail(error, MESO_ERROR_NO_INPUT, "%s: cannot be found", MESO_PRINTABLE(path));
    *strrchr(full, '/') = '\0';
    *folder = full;
    return MESO_OK;
}

meso_status study_plan_read(const char *path, json_t *overrides, study_plan *plan,
                            meso_error *error)
{
    meso_status status = MESO_OK;
    char *folder = NULL;
    json_t *document = NULL;
    *plan = (study_plan){0};
    MESO_TRY(folder_of(path, &folder, error));
    MESO_TRY(meso_json_read(path, &document, error));
    if (overrides)
        json_object_update(document, overrides);
    MESO_TRY(study_plan_take(document, MESO_PRINTABLE(path), folder, plan, error));
out:
    free(folder);
    return status;
}

void study_plan_free(study_plan *plan)
{
    json_decref(plan->document);
    *plan = (study_plan){0};
}

const study_source *study_plan_source(const study_plan *plan, size_t set)
{
    return set < plan->n_train ? &plan->train[set] : &plan->test[set - plan->n_train];
}

void study_plan_per_class(const study_plan *plan, size_t n_images[][2], size_t per_class[2])
{
    for (int c = 0; c < 2; c++) {
        per_class[c] = plan->limit ? (size_t)plan->limit : SIZE_MAX;
        for (size_t s = 0; s < plan->n_train && plan->equalize; s++)
            per_class[c] = n_images[s][c] < per_class[c] ? n_images[s][c] : per_class[c];
    }
}

size_t study_plan_n_jobs(const study_plan *plan)
{
    return plan->n_train * plan->n_variants * plan->n_seeds;
}

study_job study_plan_job(const study_plan *plan, size_t index)
{
    size_t each = plan->n_train * plan->n_variants;
    return (study_job){index % plan->n_train, index % each / plan->n_train, index / each};
}

const char *study_plan_device(const study_plan *plan, size_t index, char out[STUDY_DEVICE_SIZE])
{
    const char *at = plan->device;
    size_t n = 1;
    if (!strchr(at, ',') || at[strspn(at, "0123456789:,")])
        return at;
    for (const char *c = at; *c; c++)
        n += *c == ',';
    for (size_t i = index % n; i > 0; i--)
        at = strchr(at, ',') + 1;
    snprintf(out, STUDY_DEVICE_SIZE, "%.*s", (int)strcspn(at, ","), at);
    return out;
}

void study_job_name(const study_plan *plan, study_job job, char name[STUDY_JOB_NAME_SIZE])
{
    snprintf(name, STUDY_JOB_NAME_SIZE, "%s.%s.%llu", plan->train[job.train].name,
             plan->variants[job.variant].name, (unsigned long long)plan->seeds[job.seed]);
}
