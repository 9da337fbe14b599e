/* SPDX-License-Identifier: Apache-2.0 */
#include "video/choose.h"

#include <stdlib.h>
#include <string.h>

int video_sampling_parse(const char *text, uint32_t n, video_sampling *sampling)
{
    static const char *const names[] = {
        [VIDEO_BY_TIME] = "time", [VIDEO_BY_NUMBER] = "number", [VIDEO_KEYS] = "key"};
    static const char every[] = "every:";
    *sampling = (video_sampling){VIDEO_EVERY, n};
    if (strncmp(text, every, sizeof every - 1) == 0) {
        char *end;
        unsigned long value = strtoul(text + sizeof every - 1, &end, 10);
        sampling->n = (uint32_t)value;
        return text[sizeof every - 1] >= '1' && text[sizeof every - 1] <= '9' && !*end &&
               value <= INT32_MAX;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            sampling->rule = (video_rule)i;
            return n > 0;
        }
    return 0;
}

/* A difference of times that may lie further apart than a signed number holds. */
static double since(int64_t pts, int64_t first)
{
    return (double)((uint64_t)pts - (uint64_t)first);
}

/* Moment i of n is (i + 1/2) n-ths of the clip, which ends a mean step behind its last frame; it
 * shows the last frame that has begun by then. among: places in `shown`, ascending. */
static size_t by_time(const video_packet *packets, const uint32_t *shown, const uint32_t *among,
                      size_t n_among, uint32_t n, uint32_t *chosen)
{
    const int64_t first = packets[shown[among[0]]].pts;
    const double span = since(packets[shown[among[n_among - 1]]].pts, first);
    const double length = n_among > 1 ? span + span / (double)(n_among - 1) : 0;
    size_t n_chosen = 0, at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double moment = (i + 0.5) * length / n;
        while (at + 1 < n_among && since(packets[shown[among[at + 1]]].pts, first) <= moment)
            at++;
        if (n_chosen == 0 || chosen[n_chosen - 1] != among[at])
            chosen[n_chosen++] = among[at];
    }
    return n_chosen;
}

static size_t take_every(size_t n_shown, uint32_t step, uint32_t *chosen)
{
    size_t n = 0;
    for (size_t i = 0; i < n_shown; i += step)
        chosen[n++] = (uint32_t)i;
    return n;
}

size_t video_choose(const video_packet *packets, const uint32_t *shown, size_t n_shown,
                    video_sampling sampling, uint32_t *chosen)
{
    size_t n = 0;
    if (n_shown == 0)
        return 0;
    if (sampling.rule == VIDEO_EVERY)
        return take_every(n_shown, sampling.n, chosen);
    if (sampling.rule == VIDEO_BY_NUMBER)
        return take_every(n_shown, (uint32_t)(n_shown / sampling.n) + 1, chosen);
    for (size_t i = 0; i < n_shown; i++)
        if (sampling.rule == VIDEO_BY_TIME || packets[shown[i]].is_key)
            chosen[n++] = (uint32_t)i;
    if (n == 0 || (sampling.rule == VIDEO_KEYS && n <= sampling.n))
        return n;
    /* In place: a chosen one is written after it was read, and never further on. */
    return by_time(packets, shown, chosen, n, sampling.n, chosen);
}
