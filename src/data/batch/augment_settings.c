/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of augmentation ↔ text.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fields.h"
#include "base/text.h"
#include "mesocl/augment.h"

#define PLACE(member) offsetof(meso_augment_settings, member)
/* clang-format off */
#define REAL(key, member, high) {key, MESO_FIELD_REAL, PLACE(member), 0, high, NULL, 0}
#define REALS(key, member, low, high, n) {key, MESO_FIELD_REAL, PLACE(member), low, high, NULL, n}
#define FLAG(member) {#member, MESO_FIELD_SWITCH, PLACE(member), 0, 0, NULL, 0}
/* clang-format on */

static const meso_field keys[] = {
    REAL("rotation", rotation_degrees, 360),
    REAL("width_shift", width_shift, 65535),
    REAL("height_shift", height_shift, 65535),
    REAL("shear", shear_degrees, 360),
    REALS("zoom", zoom_low, 1e-3, 1e3, 2),
    REAL("channel_shift", channel_shift, 255),
    REALS("brightness", brightness_low, 1e-3, 1e3, 2),
    FLAG(horizontal_flip),
    FLAG(vertical_flip),
    FLAG(samplewise_center),
    FLAG(samplewise_std),
    FLAG(featurewise_center),
    FLAG(featurewise_std),
    REALS("mean", mean, 0, 1, 3),
    REALS("std", std, 0, 1, 3),
    {"compat", MESO_FIELD_CHOICE, PLACE(compat), 0, 0, "keras2.9|kp1.1.2|keras2.1.5", 0},
};
enum { n_keys = sizeof keys / sizeof keys[0] };

static const struct {
    const char *name;
    meso_augment_settings settings;
} presets[] = {
    {"none", {.rotation_degrees = 0}},
    {"mesonet",
     {.rotation_degrees = 15,
      .zoom_low = 0.8,
      .zoom_high = 1.2,
      .brightness_low = 0.8,
      .brightness_high = 1.2,
      .channel_shift = 30,
      .horizontal_flip = 1}},
    {"transfer",
     {.rotation_degrees = 120,
      .width_shift = 0.5,
      .height_shift = 0.5,
      .shear_degrees = 120,
      .zoom_low = 0.1,
      .zoom_high = 1.9,
      .horizontal_flip = 1,
      .vertical_flip = 1,
      .featurewise_center = 1,
      .featurewise_std = 1}},
};
enum { n_presets = sizeof presets / sizeof presets[0] };

static meso_status set_key(const meso_field *key, const char *value,
                           meso_augment_settings *settings, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    double z, *numbers = (double *)(void *)((char *)settings + key->offset);
    const int is_zoom = key->offset == PLACE(zoom_low);
    if (is_zoom && meso_read_number(value, &z) && 1 - z >= key->low && z >= 0) {
        numbers[0] = 1 - z;
        numbers[1] = 1 + z;
        return MESO_OK;
    }
    status = meso_field_from_text(key, value, settings, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "augmentation %s %s%s", key->key, why.text,
                 is_zoom ? "; or one Z, for 1-Z:1+Z" : "");
    MESO_REQUIRE(key->n != 2 || numbers[0] <= numbers[1], error, MESO_ERROR_ARGUMENT,
                 "augmentation %s takes LOW:HIGH, not \"%s\"", key->key, value);
out:
    return status;
}

/* One word between commas, which is cut apart. */
static meso_status apply_word(meso_augment_settings *settings, char *word, meso_error *error)
{
    char *equals = strchr(word, '='), known[256] = "";
    if (!equals) {
        for (size_t i = 0; i < n_presets; i++)
            if (strcmp(word, presets[i].name) == 0) {
                *settings = presets[i].settings;
                return MESO_OK;
            }
        return meso_fail(
            error, MESO_ERROR_ARGUMENT,
            "unknown augmentation \"%s\": expected none, mesonet, transfer or key=value",
            MESO_PRINTABLE(word));
    }
    *equals = '\0';
    for (size_t i = 0; i < n_keys; i++) {
        if (strcmp(word, keys[i].key) == 0)
            return set_key(&keys[i], equals + 1, settings, error);
        snprintf(known + strlen(known), sizeof known - strlen(known), " %s", keys[i].key);
    }
    return meso_fail(error, MESO_ERROR_ARGUMENT, "unknown augmentation key \"%s\"; known:%s",
                     MESO_PRINTABLE(word), known);
}

meso_status meso_augment_parse(const char *text, meso_augment_settings *settings, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_augment_settings parsed = {0};
    char *copy = strdup(text);
    MESO_REQUIRE_MEMORY(copy, error);
    for (char *word = copy, *next; word; word = next) {
        next = strchr(word, ',');
        if (next)
            *next++ = '\0';
        MESO_TRY(apply_word(&parsed, word, error));
    }
    *settings = parsed;
out:
    free(copy);
    return status;
}

/* The shortest digits that read back to the same number. */
static size_t put_number(char *out, size_t size, double number)
{
    int n = 0;
    for (int digits = 6; digits <= 17; digits++) {
        n = snprintf(out, size, "%.*g", digits, number);
        if (strtod(out, NULL) == number)
            break;
    }
    return (size_t)n;
}

static size_t put_key(char *out, size_t size, const meso_augment_settings *settings,
                      const meso_field *key)
{
    const void *at = (const char *)settings + key->offset;
    size_t length, n = (size_t)snprintf(out, size, "%s=", key->key);
    if (key->kind == MESO_FIELD_SWITCH)
        return n + (size_t)snprintf(out + n, size - n, "%d", *(const int *)at != 0);
    if (key->kind == MESO_FIELD_CHOICE) {
        const char *word = meso_word_at(key->words, *(const int *)at, &length);
        return n + (size_t)snprintf(out + n, size - n, "%.*s", (int)length, word);
    }
    for (size_t i = 0; i == 0 || i < key->n; i++) {
        if (i > 0)
            out[n++] = ':';
        n += put_number(out + n, size - n, ((const double *)at)[i]);
    }
    return n;
}

static int is_zero(const meso_augment_settings *settings, const meso_field *key)
{
    const void *at = (const char *)settings + key->offset;
    if (key->kind != MESO_FIELD_REAL)
        return *(const int *)at == 0;
    for (size_t i = 0; i == 0 || i < key->n; i++)
        if (((const double *)at)[i] != 0)
            return 0;
    return 1;
}

const char *meso_augment_format(const meso_augment_settings *settings,
                                char out[MESO_AUGMENT_TEXT_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < n_keys; i++) {
        if (is_zero(settings, &keys[i]))
            continue;
        if (n > 0)
            out[n++] = ',';
        n += put_key(out + n, MESO_AUGMENT_TEXT_SIZE - n, settings, &keys[i]);
    }
    if (n == 0)
        snprintf(out, MESO_AUGMENT_TEXT_SIZE, "none");
    return out;
}

int meso_augment_is_random(const meso_augment_settings *s)
{
    return s->rotation_degrees != 0 || s->width_shift != 0 || s->height_shift != 0 ||
           s->shear_degrees != 0 || s->zoom_high != 0 || s->channel_shift != 0 ||
           s->brightness_high != 0 || s->horizontal_flip || s->vertical_flip;
}

int meso_augment_normalization(const meso_augment_settings *settings,
                               meso_augment_settings *normalization)
{
    const meso_augment_settings *s = settings;
    meso_augment_settings kept = {.samplewise_center = s->samplewise_center,
                                  .samplewise_std = s->samplewise_std,
                                  .featurewise_center = s->featurewise_center,
                                  .featurewise_std = s->featurewise_std};
    if (s->featurewise_center || s->featurewise_std) {
        memcpy(kept.mean, s->mean, sizeof kept.mean);
        memcpy(kept.std, s->std, sizeof kept.std);
    }
    *normalization = kept;
    return kept.samplewise_center || kept.samplewise_std || kept.featurewise_center ||
           kept.featurewise_std;
}
