/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning-rate schedules (formulas in mesocl/train.h).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "mesocl/train.h"
#include "model/train/settings.h"

static const char *const names[MESO_SCHEDULE_N_KINDS] = {
    [MESO_SCHEDULE_CONSTANT] = "constant",
    [MESO_SCHEDULE_EXPONENTIAL] = "exponential",
    [MESO_SCHEDULE_EPOCHS] = "epochs",
    [MESO_SCHEDULE_ITERATIONS] = "iterations",
};

static int find_kind(const char *text, size_t n)
{
    for (int i = 0; i < MESO_SCHEDULE_N_KINDS; i++)
        if (strlen(names[i]) == n && strncmp(names[i], text, n) == 0)
            return i;
    return -1;
}

meso_status meso_schedule_parse(const char *text, meso_schedule *schedule, meso_error *error)
{
    meso_status status = MESO_OK;
    char what[48];
    if (strcmp(text, "paper") == 0)
        text = "iterations,every=1000,rate=0.1,limit=1e-6";
    size_t length = strcspn(text, ",");
    int kind = find_kind(text, length);
    MESO_REQUIRE(kind >= 0, error, MESO_ERROR_ARGUMENT,
                 "there is no schedule \"%s\"; there are constant, exponential, epochs, "
                 "iterations and paper",
                 MESO_PRINTABLE(text));
    snprintf(what, sizeof what, "schedule %s", names[kind]);
    meso_setting settings[] = {
        {"rate", 1e-6, 0.999999, 0, 0.1},
        {"limit", 0, 1, 0, kind == MESO_SCHEDULE_EXPONENTIAL ? 1e-6 : 0},
        {"every", 1, 1e15, 1, 0},
    };
    /* constant takes none, exponential computes every */
    size_t n = kind == MESO_SCHEDULE_CONSTANT ? 0 : kind == MESO_SCHEDULE_EXPONENTIAL ? 2 : 3;
    MESO_TRY(meso_settings_parse(what, text + length, settings, n, error));
    MESO_REQUIRE(n < 3 || settings[2].value > 0, error, MESO_ERROR_ARGUMENT,
                 "%s needs every=N: after how many %s the rate drops", what, names[kind]);
    MESO_REQUIRE(kind != MESO_SCHEDULE_EXPONENTIAL || settings[1].value > 0, error,
                 MESO_ERROR_ARGUMENT, "%s needs a limit above 0", what);
    *schedule = (meso_schedule){(meso_schedule_kind)kind, settings[0].value, settings[1].value,
                                (uint64_t)settings[2].value};
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
    int n = snprintf(out, MESO_SCHEDULE_TEXT_SIZE, "%s", names[schedule->kind]);
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
    meso_status status = MESO_OK;
    if (schedule->kind != MESO_SCHEDULE_EXPONENTIAL || epochs == 0)
        return MESO_OK;
    double n_drops = floor(log(schedule->limit / learning_rate) / log(schedule->rate));
    MESO_REQUIRE(n_drops >= 1, error, MESO_ERROR_ARGUMENT,
                 "schedule exponential: from %g by steps of %g there is no drop before the limit "
                 "%g: choose a lower limit",
                 learning_rate, schedule->rate, schedule->limit);
    MESO_REQUIRE(n_drops <= (double)epochs, error, MESO_ERROR_ARGUMENT,
                 "schedule exponential: %g drops do not fit into %zu epochs: train longer, or "
                 "choose a rate further from 1 or a higher limit",
                 n_drops, epochs);
    schedule->every = (uint64_t)(n_images / batch) * (epochs / (size_t)n_drops);
out:
    return status;
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
