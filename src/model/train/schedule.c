/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning-rate schedules (formulas in mesocl/train.h).
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "mesocl/train.h"
#include "model/train/train_options.h"

const meso_field meso_schedule_fields[MESO_N_SCHEDULE_FIELDS] = {
    MESO_FIELD(meso_schedule, "schedule_rate", REAL, rate, 0, 0.999999, NULL),
    MESO_FIELD(meso_schedule, "schedule_limit", REAL, limit, 0, 1, NULL),
    MESO_FIELD(meso_schedule, "schedule_every", WHOLE, every, 0, 1e15, NULL),
};

meso_status meso_schedule_parse(const char *text, meso_schedule *schedule, meso_error *error)
{
    static const meso_field kind =
        MESO_FIELD(meso_schedule, "schedule", CHOICE, kind, 0, 0, MESO_SCHEDULE_WORDS);
    meso_status status = MESO_OK;
    meso_error why = {0};
    meso_schedule s = {.rate = 0.1};
    char word[24], what[48];
    if (strcmp(text, "paper") == 0)
        text = "iterations,every=1000,rate=0.1,limit=1e-6";
    size_t length = strcspn(text, ",");
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    status = meso_field_from_text(&kind, word, &s, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "schedule %s", why.text);
    snprintf(what, sizeof what, "schedule %s", word);
    s.limit = s.kind == MESO_SCHEDULE_EXPONENTIAL ? 1e-6 : 0;
    /* constant takes none, exponential computes every */
    const int has_every = s.kind == MESO_SCHEDULE_EPOCHS || s.kind == MESO_SCHEDULE_ITERATIONS;
    size_t n = s.kind == MESO_SCHEDULE_CONSTANT ? 0 : has_every ? 3 : 2;
    MESO_TRY(meso_fields_from_list(what, text + length, meso_schedule_fields, n,
                                   strlen("schedule_"), &s, error));
    MESO_REQUIRE(!has_every || s.every > 0, error, MESO_ERROR_ARGUMENT,
                 "%s needs every=N: after how many %s the rate drops", what, word);
    MESO_REQUIRE(s.kind != MESO_SCHEDULE_EXPONENTIAL || s.limit > 0, error, MESO_ERROR_ARGUMENT,
                 "%s needs a limit above 0", what);
    *schedule = s;
out:
    return status;
}

/* printf writes the locale's decimal point; settings have a point. */
static const char *number_text(double value, char out[32])
{
    snprintf(out, 32, "%.17g", value);
    for (char *c = out; *c; c++)
        if (*c == ',')
            *c = '.';
    return out;
}

const char *meso_schedule_format(const meso_schedule *schedule, char out[MESO_SCHEDULE_TEXT_SIZE])
{
    char rate[32], limit[32];
    size_t length = 0;
    const char *word = meso_word_at(MESO_SCHEDULE_WORDS, (int)schedule->kind, &length);
    int n = snprintf(out, MESO_SCHEDULE_TEXT_SIZE, "%.*s", (int)length, word);
    if (schedule->kind != MESO_SCHEDULE_CONSTANT)
        n += snprintf(out + n, MESO_SCHEDULE_TEXT_SIZE - (size_t)n, ",rate=%s,limit=%s",
                      number_text(schedule->rate, rate), number_text(schedule->limit, limit));
    if (schedule->kind == MESO_SCHEDULE_EPOCHS || schedule->kind == MESO_SCHEDULE_ITERATIONS)
        snprintf(out + n, MESO_SCHEDULE_TEXT_SIZE - (size_t)n, ",every=%llu",
                 (unsigned long long)schedule->every);
    return out;
}

meso_status meso_schedule_resolve(meso_schedule *schedule, double learning_rate, size_t epochs,
                                  size_t n_images, size_t batch, meso_error *error)
{
    if (schedule->kind != MESO_SCHEDULE_EXPONENTIAL || epochs == 0)
        return MESO_OK;
    double n_drops = floor(log(schedule->limit / learning_rate) / log(schedule->rate));
    MESO_DEMAND(n_drops >= 1, error, MESO_ERROR_ARGUMENT,
                "schedule exponential: from %g by steps of %g there is no drop before the limit "
                "%g: choose a lower limit",
                learning_rate, schedule->rate, schedule->limit);
    MESO_DEMAND(n_drops <= (double)epochs, error, MESO_ERROR_ARGUMENT,
                "schedule exponential: %g drops do not fit into %zu epochs: train longer, or "
                "choose a rate further from 1 or a higher limit",
                n_drops, epochs);
    schedule->every = (uint64_t)(n_images / batch) * (epochs / (size_t)n_drops);
    return MESO_OK;
}

double meso_schedule_rate(const meso_schedule *schedule, double learning_rate, uint64_t step,
                          uint64_t epoch)
{
    uint64_t count = schedule->kind == MESO_SCHEDULE_EPOCHS ? epoch : step;
    if (schedule->kind == MESO_SCHEDULE_CONSTANT || schedule->every == 0)
        return learning_rate;
    uint64_t n_drops = count / schedule->every;
    return fmax(learning_rate * pow(schedule->rate, (double)n_drops),
                fmin(schedule->limit, learning_rate));
}
