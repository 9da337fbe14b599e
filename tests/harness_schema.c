/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const json_t *root; /* of the schema at hand */

static int is_of_type(const json_t *value, const char *type)
{
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "number") == 0 && json_is_number(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static int is_of_types(const json_t *value, const json_t *types)
{
    int found = json_is_string(types) && is_of_type(value, json_string_value(types));
    for (size_t i = 0; i < json_array_size(types); i++)
        found |= is_of_type(value, json_string_value(json_array_get(types, i)));
    return found;
}

static int stands_in(const json_t *value, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), (json_t *)value))
            return 1;
    return 0;
}

static void check(const json_t *value, const json_t *schema, const char *place);

static void check_members(const json_t *value, const json_t *properties, int closed,
                          const char *place)
{
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)value, key, member) {
        char inner[512];
        const json_t *schema = json_object_get(properties, key);
        snprintf(inner, sizeof inner, "%.300s.%.100s", place, key);
        if (schema)
            check(member, schema, inner);
        else if (closed)
            fail_msg("%s is not in the schema", inner);
    }
}

static void check_required(const json_t *value, const json_t *names, const char *place)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!json_object_get(value, name))
            fail_msg("%s.%s is missing", place, name);
    }
}

static const json_t *resolve(const json_t *reference)
{
    const char *path = json_string_value(reference);
    assert_true(strncmp(path, "#/$defs/", 8) == 0);
    const json_t *found = json_object_get(json_object_get(root, "$defs"), path + 8);
    if (!found)
        fail_msg("no %s in the schema", path);
    return found;
}

static void check_keyword(const json_t *value, const json_t *schema, const char *keyword,
                          const json_t *rule, const char *place)
{
    if (strcmp(keyword, "$ref") == 0)
        check(value, resolve(rule), place);
    else if (strcmp(keyword, "type") == 0 && !is_of_types(value, rule))
        fail_msg("%s is of another type", place);
    else if (strcmp(keyword, "const") == 0 && !json_equal((json_t *)value, (json_t *)rule))
        fail_msg("%s is not the constant", place);
    else if (strcmp(keyword, "enum") == 0 && !stands_in(value, rule))
        fail_msg("%s is none of the values", place);
    else if (strcmp(keyword, "minimum") == 0 &&
             !(json_number_value(value) >= json_number_value(rule)))
        fail_msg("%s is too small", place);
    else if (strcmp(keyword, "required") == 0)
        check_required(value, rule, place);
    else if (strcmp(keyword, "properties") == 0)
        check_members(value, rule, json_is_false(json_object_get(schema, "additionalProperties")),
                      place);
    else if (strcmp(keyword, "items") == 0)
        for (size_t i = 0; i < json_array_size(value); i++)
            check(json_array_get(value, i), rule, place);
}

static void check(const json_t *value, const json_t *schema, const char *place)
{
    static const char known[] = " $ref type const enum minimum required properties items "
                                "additionalProperties $schema title description $defs ";
    const char *keyword;
    json_t *rule;
    json_object_foreach ((json_t *)schema, keyword, rule) {
        char word[64];
        snprintf(word, sizeof word, " %.60s ", keyword);
        if (!strstr(known, word))
            fail_msg("%s: the schema says \"%s\", which this test does not know", place, keyword);
        check_keyword(value, schema, keyword, rule, place);
    }
}

void harness_check_schema(const json_t *document, const char *name)
{
    char path[512];
    json_error_t error;
    const char *folder = getenv("MESO_SCHEMAS");
    snprintf(path, sizeof path, "%s/%s.schema.json", folder ? folder : "docs/schema", name);
    json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!schema)
        fail_msg("%s: %s", path, error.text);
    root = schema;
    check(document, schema, "document");
    json_decref(schema);
}

double harness_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("no number \"%s\"", key);
    return json_number_value(value);
}
