/* SPDX-License-Identifier: Apache-2.0 */
#include "score_team.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "child.h"
#include "drivers.h"

enum { most_members = 64, least_share = 8, first_share = 16, most_said = 1 << 16 };
static const double share_seconds = 1, tick_seconds = 0.25;

/* A device, its process, and what it was given. */
typedef struct member {
    tool_team *team;
    tool_process process;
    meso_text fed;
    char id[32], name[128]; /* "0:1" */
    int wants, is_out;
    meso_error error;
    size_t at, end;  /* files that it has not answered, but for those that others have */
    size_t n_shared; /* files of its last share … */
    double since;    /* … given at this time */
    double rate;     /* files a second; 0: not known yet */
} member;

/* A file's outcome. */
typedef struct row {
    int is_there, refusal, suspect, exif_turned;
    const member *by;
    meso_probability p;
    char *detail;
} row;

struct tool_team {
    member members[most_members];
    tool_process *processes[most_members];
    size_t n_members;
    meso_text devices, drivers, platforms;
    tool_team_model model; /* as the first that was ready has it */
    int is_ready;
    meso_error error; /* of another kind than a device's: the end */

    const char *const *paths, *const *hashes;
    row *rows; /* [n] */
    size_t n;
    size_t next; /* first file that was given to nobody */
    size_t n_told;
    double started;
    meso_score_timing timing;
};

/* ---- what a process says ---- */

static void take_row(member *m, const meso_file_score *score, const char *detail, size_t n)
{
    tool_team *team = m->team;
    const size_t i = score->index;
    if (i >= team->n)
        return;
    if (i >= m->at && i < m->end)
        m->at = i + 1;
    if (team->rows[i].is_there)
        return;
    team->rows[i] = (row){1, score->refusal, score->suspect, score->exif_turned, m, score->p, NULL};
    team->rows[i].detail = strndup(n ? detail : "", n);
    if (!team->rows[i].detail)
        meso_fail(&team->error, MESO_ERROR_MEMORY, "out of memory");
}

static void take_wants(member *m, const meso_score_timing *timing)
{
    m->team->timing.decode += timing->decode;
    m->team->timing.compute += timing->compute;
    m->wants = 1;
    if (m->n_shared > 0)
        m->rate = (double)m->n_shared / fmax(meso_seconds() - m->since, 1e-6);
}

/* A device's failure costs the device; any other would be met by all. */
static void take_failure(member *m, meso_status status, const char *text, size_t n)
{
    const int of_device = status == MESO_ERROR_DEVICE || status == MESO_ERROR_DEVICE_MEMORY ||
                          status == MESO_ERROR_NO_DEVICE || status == MESO_ERROR_MEMORY ||
                          status == MESO_ERROR_INTERNAL;
    meso_fail(of_device ? &m->error : &m->team->error, status, "%.*s", (int)n, text);
}

static void take(member *m, const tool_team_message *message, const char *bytes)
{
    switch (message->kind) {
    case TOOL_TEAM_READY:
        if (!m->team->is_ready)
            memcpy(&m->team->model, bytes, sizeof m->team->model);
        m->team->is_ready = 1;
        break;
    case TOOL_TEAM_WANTS:
        take_wants(m, &message->timing);
        break;
    case TOOL_TEAM_ROW:
        take_row(m, &message->score, bytes, message->n_bytes);
        break;
    case TOOL_TEAM_FAILED:
        take_failure(m, message->status, bytes, message->n_bytes);
        break;
    }
}

static int hear(void *user, meso_text *text)
{
    tool_team_message message;
    size_t at = 0;
    while (text->length - at >= sizeof message) {
        memcpy(&message, text->bytes + at, sizeof message);
        if (text->length - at - sizeof message < message.n_bytes)
            break;
        take(user, &message, text->bytes + at + sizeof message);
        at += sizeof message + message.n_bytes;
    }
    text->length -= at;
    memmove(text->bytes, text->bytes + at, text->length);
    return 1;
}

/* ---- processes ---- */

static void add_string(meso_text *block, const char *string)
{
    meso_text_add_n(block, string ? string : "", string ? strlen(string) + 1 : 1);
}

/* Behind a block's length, which is written last. */
static void begin_block(meso_text *block, const void *bytes, size_t n)
{
    const size_t length = 0;
    meso_text_free(block);
    meso_text_add_n(block, (const char *)&length, sizeof length);
    meso_text_add_n(block, bytes, n);
}

static void feed_block(member *m)
{
    const size_t length = m->fed.length - sizeof length;
    if (m->fed.out_of_memory) {
        meso_fail(&m->team->error, MESO_ERROR_MEMORY, "out of memory");
        return;
    }
    memcpy(m->fed.bytes, &length, sizeof length);
    m->process.feed = m->fed.bytes;
    m->process.n_feed = m->fed.length;
}

static meso_status start(member *m, const tool_scoring *scoring, meso_error *error)
{
    static const char *const argv[] = {"mesocl", "score-job", NULL};
    const size_t n_processors = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    const size_t n_threads = scoring->threads ? (size_t)scoring->threads : n_processors;
    const size_t n = m->team->n_members;
    const tool_team_task task = {scoring->batch, n_threads > n ? n_threads / n : 1,
                                 scoring->max_pixels, scoring->path, scoring->exif_orient};
    begin_block(&m->fed, &task, sizeof task);
    add_string(&m->fed, m->id);
    add_string(&m->fed, scoring->weights);
    add_string(&m->fed, scoring->net);
    m->process = (tool_process){
        .argv = argv,
        .stays_open = 1,
        .pipes = {{.number = TOOL_TEAM_FD, .most = SIZE_MAX, .take = hear, .user = m},
                  {.number = STDERR_FILENO, .most = most_said}}};
    feed_block(m);
    MESO_CHECK(m->team->error.status);
    return tool_process_start(&m->process, error);
}

static size_t count_in(const tool_team *team)
{
    size_t n = 0;
    for (size_t i = 0; i < team->n_members; i++)
        n += (size_t)!team->members[i].is_out;
    return n;
}

/* How a process ended by itself, which its last line on stderr says best (driver_crash.h). */
static void find_error(member *m)
{
    meso_text *said = &m->process.pipes[1].text;
    while (said->length > 0 && said->bytes[said->length - 1] == '\n')
        said->bytes[--said->length] = '\0';
    const char *start = said->length > 0 ? strrchr(said->bytes, '\n') : NULL;
    const char *line = start ? start + 1 : said->bytes, *colon = line ? strstr(line, ": ") : NULL;
    if (m->process.end == TOOL_PROCESS_EXITED && colon)
        meso_fail(&m->error, MESO_ERROR_DEVICE, "%s", MESO_PRINTABLE(colon + 2));
    else
        tool_process_say_end(&m->process, &m->error);
}

/* A device that is out: how, in the one line about it; the last one's is the error. */
static void put_out(member *m, meso_error *last)
{
    m->is_out = 1;
    m->wants = 0;
    if (m->error.status == MESO_OK)
        find_error(m);
    if (count_in(m->team) == 0)
        meso_fail(last, m->error.status, "device %s (%s): %s", m->id, m->name, m->error.text);
    else
        fprintf(stderr, "%s%s: device %s (%s) is out, others take its pictures: %s\n",
                isatty(STDERR_FILENO) ? "\r" : "", tool_program_name, m->id, m->name,
                m->error.text);
}

/* Until there is something new. Errors: of all, or of the last device; CANCELLED. */
static meso_status wait_for_news(tool_team *team, meso_error *error)
{
    meso_error last = {0};
    tool_processes_wait(team->processes, team->n_members, tick_seconds);
    MESO_DEMAND(!tool_interrupted(), error, MESO_ERROR_CANCELLED, "stopped on request");
    for (size_t i = 0; i < team->n_members; i++) {
        member *m = &team->members[i];
        if (!m->is_out && (m->error.status != MESO_OK || tool_process_is_over(&m->process)))
            put_out(m, &last);
    }
    if (team->error.status == MESO_OK)
        team->error = last;
    if (team->error.status != MESO_OK)
        return meso_fail(error, team->error.status, "%s", team->error.text);
    return MESO_OK;
}

static void add_member(tool_team *team, const meso_device_info *info)
{
    const char *const comma = team->n_members ? ", " : "";
    member *m = &team->members[team->n_members];
    team->processes[team->n_members++] = &m->process;
    m->team = team;
    snprintf(m->id, sizeof m->id, "%u:%u", info->platform, info->index);
    meso_printable(info->name, m->name, sizeof m->name);
    meso_text_format(&team->devices, "%s%s", comma, info->name);
    meso_text_format(&team->drivers, "%s%s", comma, info->driver);
    meso_text_format(&team->platforms, "%s%s", comma, info->platform_name);
}

static meso_status find_members(tool_team *team, const char *selector, meso_error *error)
{
    meso_status status = MESO_OK;
    tool_drivers drivers = {0};
    MESO_TRY(tool_drivers_find(&drivers, error));
    MESO_TRY(tool_drivers_ask(&drivers, selector, 1, error));
    MESO_REQUIRE(drivers.n_matches <= most_members, error, MESO_ERROR_ARGUMENT,
                 "%zu devices; at most %d work together", drivers.n_matches, (int)most_members);
    for (size_t i = 0; i < drivers.n_matches; i++)
        add_member(team, &drivers.devices[drivers.matches[i]]);
out:
    tool_drivers_free(&drivers);
    return status;
}

meso_status tool_team_open(const tool_scoring *scoring, tool_team **team, meso_error *error)
{
    tool_team *t = *team = calloc(1, sizeof *t);
    MESO_DEMAND_MEMORY(t, error);
    MESO_CHECK(find_members(t, scoring->device, error));
    for (size_t i = 0; i < t->n_members; i++)
        MESO_CHECK(start(&t->members[i], scoring, error));
    while (!t->is_ready)
        MESO_CHECK(wait_for_news(t, error));
    return MESO_OK;
}

void tool_team_close(tool_team *team)
{
    if (!team)
        return;
    for (size_t i = 0; i < team->n_members; i++) {
        tool_process_free(&team->members[i].process);
        meso_text_free(&team->members[i].fed);
    }
    meso_text_free(&team->devices);
    meso_text_free(&team->drivers);
    meso_text_free(&team->platforms);
    for (size_t i = 0; team->rows && i < team->n; i++)
        free(team->rows[i].detail);
    free(team->rows);
    free(team);
}

/* ---- shares ---- */

/* Of the files that nobody has: half of what the device's speed makes its part, for at most a
 * second. */
static tool_team_share fresh_share(tool_team *team, const member *m)
{
    const size_t left = team->n - team->next;
    double sum = 0;
    for (size_t i = 0; i < team->n_members; i++)
        if (!team->members[i].is_out)
            sum += m->rate > 0 && team->members[i].rate > 0 ? team->members[i].rate / m->rate : 1;
    double n = fmin((double)left / sum / 2, m->rate > 0 ? m->rate * share_seconds : first_share);
    tool_team_share share = {team->next, (size_t)fmax(n, least_share)};
    if (share.n > left)
        share.n = left;
    team->next += share.n;
    return share;
}

static void pass_answered(const tool_team *team, size_t *at, size_t end)
{
    while (*at < end && team->rows[*at].is_there)
        ++*at;
}

/* Half of what another has not answered yet, whether it will or not: the later half, so that both
 * meet where all is answered. */
static tool_team_share taken_share(tool_team *team, const member *m)
{
    member *from = NULL;
    for (size_t i = 0; i < team->n_members; i++) {
        member *other = &team->members[i];
        pass_answered(team, &other->at, other->end);
        if (other != m && (!from || other->end - other->at > from->end - from->at))
            from = other;
    }
    if (!from || from->end == from->at)
        return (tool_team_share){0};
    tool_team_share share = {.n = (from->end - from->at + 1) / 2};
    share.first = from->end - share.n;
    from->end = share.first;
    return share;
}

static void give(tool_team *team, member *m)
{
    const tool_team_share share =
        team->next < team->n ? fresh_share(team, m) : taken_share(team, m);
    if (share.n == 0)
        return; /* others may die yet */
    begin_block(&m->fed, &share, sizeof share);
    for (size_t i = share.first; i < share.first + share.n; i++) {
        add_string(&m->fed, team->paths[i]);
        add_string(&m->fed, team->hashes ? team->hashes[i] : NULL);
    }
    feed_block(m);
    m->wants = 0;
    m->at = share.first;
    m->end = share.first + share.n;
    m->n_shared = share.n;
    m->since = meso_seconds();
}

/* Rows that are next in the list. Returns the callback's answer. */
static int tell(tool_team *team, meso_file_score_callback callback, void *user)
{
    int stop = 0;
    for (; !stop && team->n_told < team->n && team->rows[team->n_told].is_there; team->n_told++) {
        const row *r = &team->rows[team->n_told];
        const meso_file_score score = {.struct_bytes = sizeof score,
                                       .index = team->n_told,
                                       .path = team->paths[team->n_told],
                                       .refusal = (meso_refusal)r->refusal,
                                       .detail = r->detail,
                                       .p = r->p,
                                       .suspect = r->suspect,
                                       .exif_turned = r->exif_turned};
        if (team->n_told == 0)
            team->timing.first = meso_seconds() - team->started;
        stop = callback(&score, user);
    }
    return stop;
}

static meso_status score_all(tool_team *team, meso_file_score_callback callback, void *user,
                             meso_error *error)
{
    while (team->n_told < team->n) {
        for (size_t i = 0; i < team->n_members; i++)
            if (team->members[i].wants && !team->members[i].is_out)
                give(team, &team->members[i]);
        MESO_CHECK(wait_for_news(team, error));
        MESO_DEMAND(!tell(team, callback, user), error, MESO_ERROR_CANCELLED, "stopped on request");
    }
    return MESO_OK;
}

meso_status tool_team_score(tool_team *team, const char *const *paths, size_t n,
                            const meso_score_options *options, meso_file_score_callback callback,
                            void *user, meso_error *error)
{
    team->started = meso_seconds();
    team->rows = calloc(n + 1, sizeof *team->rows);
    MESO_DEMAND_MEMORY(team->rows, error);
    team->paths = paths;
    team->hashes = options->hashes;
    team->n = n;
    const meso_status status = score_all(team, callback, user, error);
    team->timing.total = meso_seconds() - team->started;
    if (options->timing)
        *options->timing = team->timing;
    return status;
}

/* ---- for reports ---- */

const tool_team_model *tool_team_get_model(const tool_team *team)
{
    return &team->model;
}

const char *tool_team_devices(const tool_team *team)
{
    return team->devices.bytes;
}

const char *tool_team_drivers(const tool_team *team)
{
    return team->drivers.bytes;
}

const char *tool_team_platforms(const tool_team *team)
{
    return team->platforms.bytes;
}

const char *tool_team_device_of(const tool_team *team, size_t file)
{
    return team->rows[file].by->id;
}
