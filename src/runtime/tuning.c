/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tuning.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "runtime/preference.h"

enum { largest_file = 1 << 24 };
static const char file_name[] = "tuning.json";

/* clang-format off */
const meso_tuning_family meso_tuning_lanes = {"lanes", 0, {
    {"by_core", 2, {0, 1}}}};
const meso_tuning_family meso_tuning_plain = {"plain", 0, {
    {"group", 7, {1, 8, 16, 32, 64, 128, 256}}}};
const meso_tuning_family meso_tuning_clblast = {"clblast", 1, {
    {"dense",       6, {0, 1, 256, 1024, 4096, 16384}},
    {"convolution", 6, {0, 1, 256, 1024, 2048, 4096}}}}; /* counts most: the tuner tries it first */
/* clang-format on */

/* Set by meso_tuning_replace. */
static json_t *replacement;

size_t meso_tuning_n(const meso_tuning_family *family)
{
    size_t n = 0;
    while (n < MESO_MAX_TUNABLES && family->tunables[n].name)
        n++;
    return n;
}

void meso_tuning_replace(json_t *document)
{
    json_decref(replacement);
    replacement = json_incref(document);
}

json_t *meso_tuning_read(void)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    void *bytes = NULL;
    size_t n;
    meso_error ignored;
    json_t *document = NULL;
    if (replacement)
        return json_incref(replacement);
    meso_preference_path(file_name, path);
    if (*path && meso_file_read(path, largest_file, &bytes, &n, NULL, &ignored) == MESO_OK)
        document = json_loadb(bytes, n, 0, NULL);
    free(bytes);
    const char *schema = json_string_value(json_object_get(document, "schema"));
    if (schema && strcmp(schema, MESO_TUNING_SCHEMA) == 0)
        return document;
    json_decref(document);
    return NULL;
}

meso_status meso_tuning_write(const json_t *document, char *path, meso_error *error)
{
    meso_status status = MESO_OK;
    char *bytes = json_dumps(document, JSON_INDENT(1));
    MESO_REQUIRE_MEMORY(bytes, error);
    MESO_TRY(meso_preference_save(file_name, bytes, strlen(bytes), path, error));
out:
    free(bytes);
    return status;
}

static int is(const json_t *row, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text && strcmp(text, value) == 0;
}

static int is_of(const json_t *row, const meso_device_info *device)
{
    return is(row, "platform", device->platform_name) && is(row, "device", device->name);
}

static int is_for(const json_t *row, const meso_device_info *device,
                  const meso_tuning_family *family, const char *net)
{
    return is_of(row, device) && is(row, "family", family->name) &&
           (!family->by_net || is(row, "net", net));
}

int meso_tuning_values(const json_t *object, const meso_tuning_family *family,
                       int values[MESO_MAX_TUNABLES])
{
    for (size_t i = 0; i < meso_tuning_n(family); i++) {
        const meso_tunable *t = &family->tunables[i];
        const json_t *value = json_object_get(object, t->name);
        size_t k = 0;
        while (k < t->n && t->choices[k] != json_integer_value(value))
            k++;
        if (!json_is_integer(value) || k == t->n)
            return 0;
        values[i] = t->choices[k];
    }
    return 1;
}

json_t *meso_tuning_values_json(const meso_tuning_family *family, const int *values)
{
    json_t *object = json_object();
    for (size_t i = 0; i < meso_tuning_n(family); i++)
        json_object_set_new(object, family->tunables[i].name, json_integer(values[i]));
    return object;
}

int meso_tuning_find(const json_t *document, const meso_device_info *device,
                     const meso_tuning_family *family, const char *net,
                     int values[MESO_MAX_TUNABLES])
{
    size_t i;
    const json_t *row;
    json_array_foreach (json_object_get(document, "rows"), i, row) {
        if (is_for(row, device, family, net) && is(row, "driver", device->driver))
            return meso_tuning_values(json_object_get(row, "values"), family, values);
    }
    return 0;
}

int meso_tuning_of(const meso_device_info *device, const meso_tuning_family *family,
                   const char *net, int values[MESO_MAX_TUNABLES])
{
    json_t *document = meso_tuning_read();
    int found = meso_tuning_find(document, device, family, net, values);
    json_decref(document);
    return found;
}

int meso_tuning_put(json_t *document, const meso_device_info *device,
                    const meso_tuning_family *family, const char *net, const int *values,
                    json_t *evidence)
{
    json_t *rows = json_object_get(document, "rows");
    if (!rows && json_object_set_new(document, "rows", rows = json_array()) != 0)
        rows = NULL;
    for (size_t i = json_array_size(rows); i-- > 0;)
        if (is_for(json_array_get(rows, i), device, family, net))
            json_array_remove(rows, i);
    json_t *row = json_pack("{s:s s:s s:s s:s s:s s:o s:o}", "platform", device->platform_name,
                            "device", device->name, "driver", device->driver, "family",
                            family->name, "net", family->by_net ? net : "", "values",
                            meso_tuning_values_json(family, values), "evidence", evidence);
    json_object_set_new(document, "schema", json_string(MESO_TUNING_SCHEMA));
    return rows && json_array_append_new(rows, row) == 0;
}

size_t meso_tuning_remove(json_t *document, const meso_device_info *device)
{
    json_t *rows = json_object_get(document, "rows");
    const size_t n = json_array_size(rows);
    for (size_t i = n; i-- > 0;)
        if (is_of(json_array_get(rows, i), device))
            json_array_remove(rows, i);
    return n - json_array_size(rows);
}

void meso_tuning_count(const json_t *document, const meso_device_info *device, size_t *n,
                       size_t *n_other, const char **other)
{
    size_t i;
    const json_t *row;
    *n = *n_other = 0;
    *other = "";
    json_array_foreach (json_object_get(document, "rows"), i, row) {
        const char *driver = json_string_value(json_object_get(row, "driver"));
        if (!driver || !is_of(row, device))
            continue;
        if (strcmp(driver, device->driver) == 0)
            ++*n;
        else {
            ++*n_other;
            *other = driver;
        }
    }
}
