/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras 3's .keras: a zip of config.json (architecture), metadata.json (version) and
 * model.weights.h5.
 */
#include "h5import.h"

#include <stdlib.h>
#include <zip.h>

static blob read_member(zip_t *archive, const char *name, size_t limit)
{
    zip_stat_t info;
    if (zip_stat(archive, name, 0, &info) != 0 || !(info.valid & ZIP_STAT_SIZE))
        die(65, "not a .keras file: there is no %s in the zip", name);
    if (info.size > limit)
        die(65, "%s inside is larger than %zu MiB, the most that is read", name, limit >> 20);
    blob member = {malloc((size_t)info.size + 1), (size_t)info.size};
    zip_file_t *file = zip_fopen(archive, name, 0);
    if (!member.bytes)
        die(70, "out of memory");
    /* One byte more than it says: the checksum is compared when the end is met. */
    if (!file || zip_fread(file, member.bytes, info.size + 1) != (zip_int64_t)info.size ||
        zip_fclose(file) != 0)
        die(65, "damaged: %s inside cannot be unpacked", name);
    member.bytes[member.n] = '\0';
    return member;
}

static json_t *version_of(zip_t *archive)
{
    blob text = read_member(archive, "metadata.json", MAX_TEXT);
    json_t *metadata = json_loadb((char *)text.bytes, text.n, JSON_REJECT_DUPLICATES, NULL);
    json_t *version = json_object_get(metadata, "keras_version");
    return json_is_string(version) ? json_incref(version) : json_null();
}

blob read_keras_zip(import_result *out, const blob *file)
{
    zip_error_t error;
    zip_source_t *source = zip_source_buffer_create(file->bytes, file->n, 0, &error);
    zip_t *archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    if (!archive)
        die(65, "not a .keras file: the zip is damaged");
    blob config = read_member(archive, "config.json", MAX_TEXT);
    json_t *text = json_stringn((char *)config.bytes, config.n);
    if (!text)
        die(65, "damaged: config.json is not UTF-8");
    set(out->header, "kind", json_string("keras3-model"));
    set(out->header, "keras_version", version_of(archive));
    set(out->header, "config", text);
    return read_member(archive, "model.weights.h5", MAX_FILE);
}
