/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of augmentation ↔ text.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "mesocl/augment.h"

static const char *const compat_names[MESO_AUGMENT_N_COMPATS] = {"keras2.9", "kp1.1.2",
                                                                 "keras2.1.5"};

/* One key=value. */
typedef struct key {
    const char *name;
    enum { REAL, RANGE, ZOOM, FLAG, COLOUR, COMPAT } kind;
    size_t offset; /* of a REAL, a RANGE's low with its high behind it, a FLAG, three of a COLOUR */
    double low, high;
} key;

#define AT(member) offsetof(meso_augment_settings, member)
static const key keys[] = {
    {"rotation", REAL, AT(rotation_degrees), 0, 360},
    {"width_shift", REAL, AT(width_shift), 0, 65535},
    {"height_shift", REAL, AT(height_shift), 0, 65535},
    {"shear", REAL, AT(shear_degrees), 0, 360},
    {"zoom", ZOOM, AT(zoom_low), 1e-3, 1e3},
    {"channel_shift", REAL, AT(channel_shift), 0, 255},
    {"brightness", RANGE, AT(brightness_low), 1e-3, 1e3},
    {"horizontal_flip", FLAG, AT(horizontal_flip), 0, 0},
    {"vertical_flip", FLAG, AT(vertical_flip), 0, 0},
    {"samplewise_center", FLAG, AT(samplewise_center), 0, 0},
    {"samplewise_std", FLAG, AT(samplewise_std), 0, 0},
    {"featurewise_center", FLAG, AT(featurewise_center), 0, 0},
    {"featurewise_std", FLAG, AT(featurewise_std), 0, 0},
    {"mean", COLOUR, AT(mean), 0, 1},
    {"std", COLOUR, AT(std), 0, 1},
    {"compat", COMPAT, AT(compat), 0, 0},
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

static double *real_of(meso_augment_settings *settings, const key *k)
{
    return (double *)(void *)((char *)settings + k->offset);
}

static int *flag_of(meso_augment_settings *settings, const key *k)
{
    return (int *)(void *)((char *)settings + k->offset);
}

/* One to three numbers with ':' between them; how many, or 0 where it is anything else. */
static size_t read_numbers(const char *text, double numbers[3])
{
    size_t n = 0;
    for (;;) {
        char *end;
        const int starts = (*text >= '0' && *text <= '9') || *text == '.';
        numbers[n] = strtod(text, &end);
        if (!starts || end == text || !isfinite(numbers[n]))
            return 0;
        n++;
        if (*end == '\0')
            return n;
        if (*end != ':' || n == 3)
            return 0;
        text = end + 1;
    }
}

static int all_within(const double *numbers, size_t n, double low, double high)
{
    for (size_t i = 0; i < n; i++)
        if (!(numbers[i] >= low && numbers[i] <= high))
            return 0;
    return 1;
}

static meso_status set_numbers(meso_augment_settings *settings, const key *k, const char *value,
                               meso_error *error)
{
    static const char *const forms[] = {[REAL] = "one number",
                                        [RANGE] = "LOW:HIGH",
                                        [ZOOM] = "LOW:HIGH, or Z for 1-Z:1+Z",
                                        [COLOUR] = "R:G:B"};
    static const size_t wanted[] = {[REAL] = 1, [RANGE] = 2, [ZOOM] = 2, [COLOUR] = 3};
    meso_status status = MESO_OK;
    double numbers[3] = {0};
    size_t n = read_numbers(value, numbers);
    if (k->kind == ZOOM && n == 1) {
        numbers[1] = 1 + numbers[0];
        numbers[0] = 1 - numbers[0];
        n = 2;
    }
    const int ordered = wanted[k->kind] != 2 || numbers[0] <= numbers[1];
    MESO_REQUIRE(n == wanted[k->kind] && ordered && all_within(numbers, n, k->low, k->high), error,
                 MESO_ERROR_ARGUMENT, "augmentation %s=%s: %s is wanted, within %g and %g", k->name,
                 MESO_PRINTABLE(value), forms[k->kind], k->low, k->high);
    memcpy(real_of(settings, k), numbers, n * sizeof *numbers);
out:
    return status;
}

static meso_status set_compat(meso_augment_settings *settings, const char *value, meso_error *error)
{
    for (int i = 0; i < MESO_AUGMENT_N_COMPATS; i++)
        if (strcmp(value, compat_names[i]) == 0) {
            settings->compat = (meso_augment_compat)i;
            return MESO_OK;
        }
    return meso_fail(error, MESO_ERROR_ARGUMENT,
                     "augmentation compat=%s: keras2.9, kp1.1.2 or keras2.1.5 is wanted",
                     MESO_PRINTABLE(value));
}

static meso_status set_key(meso_augment_settings *settings, const key *k, const char *value,
                           meso_error *error)
{
    if (k->kind == COMPAT)
        return set_compat(settings, value, error);
    if (k->kind != FLAG)
        return set_numbers(settings, k, value, error);
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return meso_fail(error, MESO_ERROR_ARGUMENT, "augmentation %s=%s: 0 or 1 is wanted",
                         k->name, MESO_PRINTABLE(value));
    *flag_of(settings, k) = *value == '1';
    return MESO_OK;
}

/* One word between commas, which is cut apart. */
static meso_status apply_word(meso_augment_settings *settings, char *word, meso_error *error)
{
    char *equals = strchr(word, '=');
    if (!equals) {
        for (size_t i = 0; i < n_presets; i++)
            if (strcmp(word, presets[i].name) == 0) {
                *settings = presets[i].settings;
                return MESO_OK;
            }
        return meso_fail(error, MESO_ERROR_ARGUMENT,
                         "no augmentation \"%s\": none, mesonet, transfer or key=value is wanted",
                         MESO_PRINTABLE(word));
    }
    *equals = '\0';
    for (size_t i = 0; i < n_keys; i++)
        if (strcmp(word, keys[i].name) == 0)
            return set_key(settings, &keys[i], equals + 1, error);
    return meso_fail(error, MESO_ERROR_ARGUMENT,
                     "no augmentation key \"%s\": rotation, width_shift, height_shift, shear, "
                     "zoom, channel_shift, brightness, horizontal_flip, vertical_flip, "
                     "samplewise_center, samplewise_std, featurewise_center, featurewise_std, "
                     "mean, std or compat is wanted",
                     MESO_PRINTABLE(word));
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

static size_t put_key(char *out, size_t size, meso_augment_settings *settings, const key *k)
{
    static const size_t numbers[] = {[REAL] = 1, [RANGE] = 2, [ZOOM] = 2, [COLOUR] = 3};
    size_t n = (size_t)snprintf(out, size, "%s=", k->name);
    if (k->kind == FLAG)
        return n + (size_t)snprintf(out + n, size - n, "%d", *flag_of(settings, k) != 0);
    if (k->kind == COMPAT)
        return n + (size_t)snprintf(out + n, size - n, "%s", compat_names[settings->compat]);
    for (size_t i = 0; i < numbers[k->kind]; i++) {
        if (i > 0)
            out[n++] = ':';
        n += put_number(out + n, size - n, real_of(settings, k)[i]);
    }
    return n;
}

static int is_zero(meso_augment_settings *settings, const key *k)
{
    const double *real = real_of(settings, k);
    if (k->kind == FLAG || k->kind == COMPAT)
        return *flag_of(settings, k) == 0;
    return real[0] == 0 && (k->kind == REAL || real[1] == 0) && (k->kind != COLOUR || real[2] == 0);
}

const char *meso_augment_format(const meso_augment_settings *settings,
                                char out[MESO_AUGMENT_TEXT_SIZE])
{
    meso_augment_settings copy = *settings;
    size_t n = 0;
    for (size_t i = 0; i < n_keys; i++) {
        if (is_zero(&copy, &keys[i]))
            continue;
        if (n > 0)
            out[n++] = ',';
        n += put_key(out + n, MESO_AUGMENT_TEXT_SIZE - n, &copy, &keys[i]);
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
