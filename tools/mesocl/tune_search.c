/* SPDX-License-Identifier: Apache-2.0 */
#include "tune.h"

#include <string.h>

#include "base/clock.h"

/* The answer that is known, or NULL. */
static const json_t *find_answer(const tune_search *search, const json_t *question)
{
    size_t i;
    const json_t *row;
    json_array_foreach (search->tried, i, row) {
        if (json_equal(json_object_get(row, "question"), question))
            return row;
    }
    return NULL;
}

/* *answer is NULL where the time is over. */
static meso_status compare(const tune_search *search, const int *base, const int *candidate,
                           int final, const json_t **answer, meso_error *error)
{
    meso_status status = MESO_OK;
    json_t *new = NULL;
    json_t *question =
        json_pack("{s:s s:o s:o s:b}", "family", search->family->name, "base",
                  meso_tuning_values_json(search->family, base), "candidate",
                  meso_tuning_values_json(search->family, candidate), "final", final);
    MESO_REQUIRE_MEMORY(question, error);
    *answer = find_answer(search, question);
    if (*answer || (!final && meso_seconds() >= search->end))
        goto out;
    MESO_TRY(search->ask(search->user, base, candidate, final, &new, error));
    MESO_REQUIRE_MEMORY(new, error);
    json_object_set(new, "question", question);
    MESO_REQUIRE_MEMORY(json_array_append(search->tried, new) == 0, error);
    *answer = new;
    MESO_TRY(search->keep(search->user, error));
out:
    json_decref(new);
    json_decref(question);
    return status;
}

/* Beyond doubt; an answer without times never is. */
static int is_faster(const json_t *answer)
{
    return json_number_value(json_object_get(answer, "low")) > 1;
}

/* What the device cannot do need not be tried. */
static int fits_device(const tune_search *search, const meso_tunable *t, int value)
{
    if (strcmp(t->name, "lanes") == 0)
        return (unsigned)value <= search->device->vector_width;
    if (strcmp(t->name, "group") == 0 || strcmp(t->name, "items") == 0)
        return (size_t)value <= search->device->max_work_group;
    return 1;
}

static int was_left(const tune_search *search, const json_t *left, const int *row)
{
    json_t *values = meso_tuning_values_json(search->family, row);
    const json_t *other;
    size_t i;
    int found = 0;
    json_array_foreach (left, i, other)
        found |= json_equal(other, values);
    json_decref(values);
    return found;
}

/* All values of one tunable. *over: the time is. left: the rows that were given up for a faster
 * one. None is taken again: on a noisy machine each of a circle of rows can beat the one before. */
static meso_status turn(const tune_search *search, size_t i, json_t *left, int *row, int *over,
                        meso_error *error)
{
    const meso_tunable *t = &search->family->tunables[i];
    for (size_t k = 0; k < t->n && !*over; k++) {
        int candidate[MESO_MAX_TUNABLES];
        const json_t *answer;
        memcpy(candidate, row, sizeof candidate);
        candidate[i] = t->choices[k];
        if (candidate[i] == row[i] || !fits_device(search, t, candidate[i]) ||
            was_left(search, left, candidate))
            continue;
        MESO_CHECK(compare(search, row, candidate, 0, &answer, error));
        *over = !answer;
        if (is_faster(answer)) {
            MESO_DEMAND_MEMORY(
                json_array_append_new(left, meso_tuning_values_json(search->family, row)) == 0,
                error);
            row[i] = candidate[i];
        }
    }
    return MESO_OK;
}

meso_status tune_search_run(const tune_search *search, int row[MESO_MAX_TUNABLES],
                            meso_error *error)
{
    meso_status status = MESO_OK;
    const size_t n = meso_tuning_n(search->family);
    int over = 0;
    json_t *left = json_array();
    MESO_REQUIRE_MEMORY(left, error);
    /* The last first: a family's methods, which count most and make what follows faster. */
    for (size_t i = n - 1, unchanged = 0; unchanged < n && !over; i = (i + n - 1) % n) {
        const int old = row[i];
        MESO_TRY(turn(search, i, left, row, &over, error));
        unchanged = row[i] != old ? 1 : unchanged + 1;
    }
out:
    json_decref(left);
    return status;
}

meso_status tune_search_final(const tune_search *search, const int *shipped,
                              int row[MESO_MAX_TUNABLES], const json_t **answer, meso_error *error)
{
    const size_t bytes = sizeof(int) * meso_tuning_n(search->family);
    *answer = NULL;
    if (memcmp(row, shipped, bytes) == 0)
        return MESO_OK;
    MESO_CHECK(compare(search, shipped, row, 1, answer, error));
    if (!is_faster(*answer))
        memcpy(row, shipped, bytes);
    return MESO_OK;
}
