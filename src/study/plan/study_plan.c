/* SPDX-License-Identifier: Apache-2.0 */
#include "study/plan/study_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "mesocl/net.h"

enum { max_document = 16 << 20, place_size = 160 };

/* ---- keys --------------------------------------------------------------------------------------
 */

typedef enum key_kind { KEY_TEXT, KEY_PATH, KEY_WHOLE, KEY_NUMBER, KEY_FLAG, KEY_OTHER } key_kind;

typedef struct key_row {
    const char *key; /* NULL ends a table */
    key_kind kind;
    size_t offset;       /* of the member that it fills; not for OTHER */
    const char *choices; /* of a TEXT: "|mse|bce|"; NULL: any */
    double low, high;    /* of a number */
} key_row;

#define NO_LIMITS NULL, 0, 0

static const key_row source_keys[] = {{"path", KEY_PATH, offsetof(study_source, path), NO_LIMITS},
                                      {"group", KEY_TEXT, offsetof(study_source, group), NO_LIMITS},
                                      {"fake", KEY_TEXT, offsetof(study_source, fake), NO_LIMITS},
                                      {"real", KEY_TEXT, offsetof(study_source, real), NO_LIMITS},
                                      {NULL, KEY_OTHER, 0, NO_LIMITS}};

static const key_row variant_keys[] = {
    {"net", KEY_TEXT, offsetof(study_variant, net), NO_LIMITS},
    {"init", KEY_PATH, offsetof(study_variant, init), NO_LIMITS},
    {"freeze", KEY_TEXT, offsetof(study_variant, freeze), NO_LIMITS},
    {"augment", KEY_TEXT, offsetof(study_variant, augment), NO_LIMITS},
    {"epochs", KEY_WHOLE, offsetof(study_variant, epochs), NULL, 0, 100000},
    {"bn_reestimate", KEY_FLAG, offsetof(study_variant, bn_reestimate), NO_LIMITS},
    {"lr", KEY_NUMBER, offsetof(study_variant, lr), NULL, 1e-9, 10},
    {NULL, KEY_OTHER, 0, NO_LIMITS}};

static const key_row plan_keys[] = {
    {"train", KEY_OTHER, 0, NO_LIMITS},
    {"test", KEY_OTHER, 0, NO_LIMITS},
    {"variants", KEY_OTHER, 0, NO_LIMITS},
    {"seeds", KEY_OTHER, 0, NO_LIMITS},
    {"protocol", KEY_TEXT, offsetof(study_plan, protocol), "|ucla|", 0, 0},
    {"loss", KEY_TEXT, offsetof(study_plan, loss), "|mse|bce|", 0, 0},
    {"batch", KEY_WHOLE, offsetof(study_plan, batch), NULL, 1, 4096},
    {"equalize", KEY_FLAG, offsetof(study_plan, equalize), NO_LIMITS},
    {"limit", KEY_WHOLE, offsetof(study_plan, limit), NULL, 0, 1e9},
    {"keep_leaks", KEY_FLAG, offsetof(study_plan, keep_leaks), NO_LIMITS},
    {"device", KEY_TEXT, offsetof(study_plan, device), NO_LIMITS},
    {"resamples", KEY_WHOLE, offsetof(study_plan, resamples), NULL, 2, 1000000},
    {NULL, KEY_OTHER, 0, NO_LIMITS}};

/* A document on its way into a plan. */
typedef struct reader {
    const char *where, *folder;
    meso_error *error;
} reader;

#define REFUSE(r, ...) meso_fail((r)->error, MESO_ERROR_DATA, __VA_ARGS__)

static meso_status unknown_key(const reader *r, const char *place, const char *key,
                               const key_row *rows)
{
    char known[512] = "";
    for (size_t n = 0; rows->key; rows++)
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", rows->key);
    return REFUSE(r, "%s: %s%s: unknown key; known are %s", r->where, place, MESO_PRINTABLE(key),
                  known);
}

/* A relative path is put behind the folder, inside the document, which owns all strings. */
static meso_status resolve(const reader *r, json_t *object, const char *key, const char **value)
{
    meso_status status = MESO_OK;
    meso_text full = {0};
    if ((*value)[0] == '/' || !r->folder[0])
        return MESO_OK;
    meso_text_format(&full, "%s/%s", r->folder, *value);
    MESO_REQUIRE(!full.out_of_memory, r->error, MESO_ERROR_MEMORY, "out of memory");
    MESO_REQUIRE(json_object_set_new(object, key, json_string(full.bytes)) == 0, r->error,
                 MESO_ERROR_MEMORY, "out of memory");
    *value = json_string_value(json_object_get(object, key));
out:
    meso_text_free(&full);
    return status;
}

static meso_status read_text(const reader *r, const char *place, json_t *object, const key_row *row,
                             const char **value)
{
    const json_t *given = json_object_get(object, row->key);
    char choice[64];
    if (!json_is_string(given) || !json_string_value(given)[0])
        return REFUSE(r, "%s: %s%s: takes a text that is not empty", r->where, place, row->key);
    *value = json_string_value(given);
    snprintf(choice, sizeof choice, "|%s|", *value);
    if (row->choices && !strstr(row->choices, choice))
        return REFUSE(r, "%s: %s%s: \"%s\" is none of %s", r->where, place, row->key,
                      MESO_PRINTABLE(*value), row->choices);
    return row->kind == KEY_PATH ? resolve(r, object, row->key, value) : MESO_OK;
}

static meso_status read_value(const reader *r, const char *place, json_t *object,
                              const key_row *row, void *base)
{
    const json_t *given = json_object_get(object, row->key);
    void *member = (char *)base + row->offset;
    double number = json_number_value(given);
    switch (row->kind) {
    case KEY_TEXT:
    case KEY_PATH:
        return read_text(r, place, object, row, member);
    case KEY_FLAG:
        if (!json_is_boolean(given))
            return REFUSE(r, "%s: %s%s: takes true or false", r->where, place, row->key);
        *(int *)member = json_is_true(given);
        return MESO_OK;
    case KEY_WHOLE:
        if (!json_is_integer(given) || number < row->low || number > row->high)
            return REFUSE(r, "%s: %s%s: takes a whole number from %.15g to %.15g", r->where, place,
                          row->key, row->low, row->high);
        *(uint64_t *)member = (uint64_t)json_integer_value(given);
        return MESO_OK;
    case KEY_NUMBER:
        if (!json_is_number(given) || number < row->low || number > row->high)
            return REFUSE(r, "%s: %s%s: takes a number from %g to %g", r->where, place, row->key,
                          row->low, row->high);
        *(double *)member = number;
        return MESO_OK;
    case KEY_OTHER:
        return MESO_OK;
    }
    return MESO_OK;
}

/* Fills the members of *base whose keys are there; the others keep what they are. */
static meso_status read_object(const reader *r, const char *place, json_t *object,
                               const key_row *rows, void *base)
{
    meso_status status = MESO_OK;
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return REFUSE(r, "%s: %s: takes an object", r->where, place[0] ? place : "the document");
    json_object_foreach(object, key, value)
    {
        const key_row *row = rows;
        while (row->key && strcmp(row->key, key) != 0)
            row++;
        if (!row->key)
            return unknown_key(r, place, key, rows);
    }
    for (const key_row *row = rows; row->key && status == MESO_OK; row++)
        if (json_object_get(object, row->key))
            status = read_value(r, place, object, row, base);
    return status;
}

/* ---- sets and variants -------------------------------------------------------------------------
 */

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
    meso_status status = MESO_OK;
    json_t *objects, *value;
    const char *name;
    char place[place_size];
    void *next;
    MESO_TRY(check_objects(r, plan, key, &objects));
    json_object_foreach_safe(objects, next, name, value)
    {
        study_source *source = &sources[(*n)++];
        snprintf(place, sizeof place, "%s.%.64s.", key, name);
        MESO_TRY(check_name(r, key, name));
        MESO_TRY(spell_out(r, objects, name));
        *source = (study_source){.name = name};
        MESO_TRY(read_object(r, place, json_object_get(objects, name), source_keys, source));
        MESO_REQUIRE(source->path, r->error, MESO_ERROR_DATA, "%s: %spath: is missing", r->where,
                     place);
    }
out:
    return status;
}

static meso_status check_set_names(const reader *r, const study_plan *plan)
{
    for (size_t i = 0; i < plan->n_train; i++)
        for (size_t j = 0; j < plan->n_test; j++)
            if (strcmp(plan->train[i].name, plan->test[j].name) == 0)
                return REFUSE(r,
                              "%s: test.%s: a training set has that name, too; call one of them "
                              "otherwise",
                              r->where, plan->test[j].name);
    return MESO_OK;
}

/* In the document stand all values, also those that were left out. */
static int spell_out_variant(json_t *object, const study_variant *v)
{
    return json_object_set_new(object, "net", json_string(v->net)) == 0 &&
           json_object_set_new(object, "augment", json_string(v->augment)) == 0 &&
           json_object_set_new(object, "epochs", json_integer((json_int_t)v->epochs)) == 0 &&
           json_object_set_new(object, "bn_reestimate", json_boolean(v->bn_reestimate)) == 0 &&
           json_object_set_new(object, "lr", json_real(v->lr)) == 0;
}

static int is_builtin(const char *net)
{
    size_t i = 0;
    while (meso_net_builtin_name(i) && strcmp(meso_net_builtin_name(i), net) != 0)
        i++;
    return meso_net_builtin_name(i) != NULL;
}

static meso_status read_variants(const reader *r, study_plan *plan)
{
    const study_variant usual = {
        .net = "meso4", .augment = "none", .epochs = plan->protocol ? 1 : 10, .lr = 0.001};
    meso_status status = MESO_OK;
    json_t *objects, *value;
    const char *name;
    char place[place_size];
    if (!json_object_get(plan->document, "variants"))
        json_object_set_new(plan->document, "variants", json_pack("{s:{}}", "scratch"));
    MESO_TRY(check_objects(r, plan->document, "variants", &objects));
    json_object_foreach(objects, name, value)
    {
        study_variant *variant = &plan->variants[plan->n_variants++];
        snprintf(place, sizeof place, "variants.%.64s.", name);
        MESO_TRY(check_name(r, "variants", name));
        *variant = usual;
        variant->name = name;
        MESO_TRY(read_object(r, place, value, variant_keys, variant));
        MESO_REQUIRE(spell_out_variant(value, variant), r->error, MESO_ERROR_MEMORY,
                     "out of memory");
        variant->net = json_string_value(json_object_get(value, "net"));
        variant->augment = json_string_value(json_object_get(value, "augment"));
        if (!is_builtin(variant->net))
            MESO_TRY(resolve(r, value, "net", &variant->net));
    }
out:
    return status;
}

/* ---- seeds -------------------------------------------------------------------------------------
 */

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

/* ---- the plan ----------------------------------------------------------------------------------
 */

static meso_status read_plan(const reader *r, study_plan *plan)
{
    meso_status status = MESO_OK;
    if (json_object_get(plan->document, "protocol"))
        plan->batch = 64;
    MESO_TRY(read_object(r, "", plan->document, plan_keys, plan));
    MESO_TRY(read_sources(r, plan->document, "train", plan->train, &plan->n_train));
    MESO_TRY(read_sources(r, plan->document, "test", plan->test, &plan->n_test));
    MESO_TRY(check_set_names(r, plan));
    MESO_TRY(read_variants(r, plan));
    MESO_TRY(read_seeds(r, plan));
out:
    return status;
}

meso_status study_plan_take(json_t *document, const char *where, const char *folder,
                            study_plan *plan, meso_error *error)
{
    const reader r = {where, folder, error};
    *plan = (study_plan){.loss = "mse",
                         .batch = 32,
                         .equalize = 1,
                         .device = "auto",
                         .resamples = 1000,
                         .document = document};
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
    void *bytes = NULL;
    size_t n = 0;
    char *folder = NULL;
    json_error_t at;
    *plan = (study_plan){0};
    MESO_TRY(meso_file_read(path, max_document, &bytes, &n, NULL, error));
    MESO_TRY(folder_of(path, &folder, error));
    json_t *document = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &at);
    MESO_REQUIRE(document, error, MESO_ERROR_DATA, "%s:%d:%d: %s", MESO_PRINTABLE(path), at.line,
                 at.column, at.text);
    if (overrides)
        json_object_update(document, overrides);
    MESO_TRY(study_plan_take(document, MESO_PRINTABLE(path), folder, plan, error));
out:
    free(folder);
    free(bytes);
    return status;
}

void study_plan_free(study_plan *plan)
{
    json_decref(plan->document);
    *plan = (study_plan){0};
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

void study_job_name(const study_plan *plan, study_job job, char name[STUDY_JOB_NAME_SIZE])
{
    snprintf(name, STUDY_JOB_NAME_SIZE, "%s.%s.%llu", plan->train[job.train].name,
             plan->variants[job.variant].name, (unsigned long long)plan->seeds[job.seed]);
}
