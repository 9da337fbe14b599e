/* SPDX-License-Identifier: Apache-2.0
 *
 * --progress-fd of every long command of the three programs: events that a program can read, and
 * no change of anything else, whatever the reader does.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_schema.h"
#include "harness_train.h"

#define MESOCL NULL
#define DATASET DATASET_BENCH_PROGRAM
#define DEVICE DEVICE_BENCH_PROGRAM

enum { channel = 30 };
#define CHANNEL "--progress-fd 30 "

#define STUDY                                                                        \
    "--train a=data --test t=control --net tiny.net --seeds 1 --epochs 1 --batch 4 " \
    "--resamples 10 -o study"

/* clang-format off */
static const struct command {
    const char *program, *name, *words;
    const char *unit;  /* of which all get done */
    int is_repeatable; /* it prints the same each time */
    int grows;         /* and one that is under way is told of */
} commands[] = {
    {MESOCL, "predict", "-w w.safetensors --csv data", "images", 1, 0},
    {MESOCL, "evaluate", "-w w.safetensors --resamples 20 --json data", "images", 0, 0},
    {MESOCL, "train", "data --net tiny.net --batch 4 --epochs 2 -o run", "epochs", 0, 0},
    {MESOCL, "train", "data --net tiny.net --batch 4 --epochs 2 --val-split 0.5 -o split",
     "images measured", 0, 0},
    {MESOCL, "tune", "--net tiny.net --batch 2 --time-limit 1", NULL, 0, 0},
    {MESOCL, "selftest", "", "devices", 0, 0},
    {DATASET, "stats", "data --csv --no-cache", "images", 1, 0},
    {DATASET, "check", "data control --csv --no-cache --resamples 20", "images", 1, 0},
    {DATASET, "check", "data control --csv --no-cache --resamples 20", "checks", 1, 1},
    {DATASET, "split", "data --no-cache --test-split 0.5 -o parts", "images", 1, 0},
    {DATASET, "demo-data", "--count 10 --side 32 demo", "pictures", 1, 0},
    {DATASET, "run", STUDY, "images", 0, 0}, /* of the child that scans */
    {DATASET, "run", STUDY, "checks", 0, 1},
    {DATASET, "run", STUDY, "jobs", 0, 0},
    {DEVICE, "net", "tiny.net --batch 1 --processes 2 --seconds 0.001", "steps", 0, 1},
    {DEVICE, "ops", "tiny.net --batch 1 --seconds 0.001", "steps", 0, 1},
    {DEVICE, "all", "--device cpu --processes 1 --seconds 0.001", "steps", 0, 1},
    {DEVICE, "ab", "--runs 2 --a true --b true", "runs", 0, 0},
};
/* clang-format on */
enum { n_commands = sizeof commands / sizeof commands[0] };

static void remove_outputs(void)
{
    assert_int_equal(system("rm -rf run split parts demo study config"), 0);
}

/* With the channel where that is wanted. */
static harness_result run(const struct command *c, const char *option)
{
    char words[512];
    remove_outputs();
    snprintf(words, sizeof words, "%s %s%s", c->name, option, c->words);
    return harness_run(&(harness_command){.program = c->program, .words = words});
}

/* A pipe whose end to write to is the channel; returns the other. */
static int open_channel(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], channel), channel);
    close(ends[1]);
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    return ends[0];
}

/* All that came, as a list of events. */
static json_t *read_events(int end)
{
    json_t *events = json_array();
    char line[4096];
    close(channel);
    FILE *stream = fdopen(end, "r");
    assert_non_null(stream);
    while (fgets(line, sizeof line, stream)) {
        json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (!event || !strchr(line, '\n'))
            fail_msg("no event: %s", line);
        harness_check_schema(event, "progress");
        json_array_append_new(events, event);
    }
    fclose(stream);
    return events;
}

static const char *text_of(const json_t *event, const char *key)
{
    return json_string_value(json_object_get(event, key));
}

static json_int_t count_of(const json_t *event, const char *key)
{
    return json_integer_value(json_object_get(event, key));
}

/* Each unit begins, grows and ends; *all_done: one of this unit came to its whole; *under_way: one
 * was told of before. */
static void check_order(const json_t *events, const char *unit, int *all_done, int *under_way)
{
    size_t i;
    const json_t *event;
    const char *before = "end";
    json_int_t done = 0;
    *all_done = *under_way = 0;
    json_array_foreach (events, i, event) {
        const char *name = text_of(event, "event");
        if (strcmp(text_of(event, "unit"), unit) != 0)
            continue;
        if ((strcmp(name, "start") == 0) != (strcmp(before, "end") == 0))
            fail_msg("%s: %s after %s", unit, name, before);
        if (strcmp(name, "start") != 0 && count_of(event, "done") < done)
            fail_msg("%s: %lld after %lld", unit, count_of(event, "done"), done);
        *all_done |= strcmp(name, "end") == 0 && count_of(event, "total") > 0 &&
                     count_of(event, "done") == count_of(event, "total");
        done = count_of(event, "done");
        *under_way |= done > 0 && done < count_of(event, "total");
        before = name;
    }
    if (strcmp(before, "end") != 0)
        fail_msg("%s: the last event is %s", unit, before);
}

static void check_events(const struct command *c, const json_t *events)
{
    size_t i;
    const json_t *event;
    int all_done = 0, under_way = 0, found = c->unit == NULL;
    if (json_array_size(events) < 2)
        fail_msg("%s: %zu events", c->name, json_array_size(events));
    json_array_foreach (events, i, event) {
        const char *unit = text_of(event, "unit");
        check_order(events, unit, &all_done, &under_way);
        found |= all_done && (under_way || !c->grows) && c->unit && strcmp(unit, c->unit) == 0;
    }
    if (!found)
        fail_msg("%s: not all %s", c->name, c->unit);
}

static void each_long_command_tells(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = &commands[i];
        double began = meso_seconds();
        int end = open_channel();
        harness_result told = run(c, CHANNEL);
        json_t *events = read_events(end);
        if (told.code != 0)
            fail_msg("%s: %d\n%s", c->name, told.code, told.err);
        check_events(c, events);
        assert_null(strstr(told.err, "\"event\""));
        if (c->is_repeatable) {
            harness_result plain = run(c, "");
            assert_string_equal(told.out, plain.out);
            assert_string_equal(told.err, plain.err);
            harness_forget(&plain);
        }
        print_message("%s: %zu events, %.1f s\n", c->name, json_array_size(events),
                      meso_seconds() - began);
        json_decref(events);
        harness_forget(&told);
    }
}

/* The first event of a unit from there on; *i: behind it. */
static const json_t *next_event(const json_t *events, const char *name, const char *unit, size_t *i)
{
    while (*i < json_array_size(events)) {
        const json_t *event = json_array_get(events, (*i)++);
        if (strcmp(text_of(event, "event"), name) == 0 && strcmp(text_of(event, "unit"), unit) == 0)
            return event;
    }
    fail_msg("no %s of %s", name, unit);
    return NULL;
}

/* Every epoch begins at nothing, counts all its pictures, and tells the time that the run takes. */
static void an_epoch_is_told_from_its_first_picture(void **state)
{
    const struct command c = {
        MESOCL, "train", "data --net tiny.net --batch 4 --epochs 2 --val-split 0.5 -o split",
        NULL,   0,       0};
    size_t at = 0;
    (void)state;
    int end = open_channel();
    harness_result told = run(&c, CHANNEL);
    json_t *events = read_events(end);
    assert_int_equal(told.code, 0);
    for (int epoch = 0; epoch < 2; epoch++) {
        const json_t *start = next_event(events, "start", "images", &at);
        assert_int_equal(count_of(start, "done"), 0);
        assert_int_equal(count_of(start, "total"), 4);
        const json_t *step = next_event(events, "progress", "images", &at);
        assert_true(json_number_value(json_object_get(step, "seconds_left")) > 0);
        assert_int_equal(count_of(next_event(events, "end", "images", &at), "done"), 4);
        const json_t *measured = next_event(events, "end", "images measured", &at);
        assert_int_equal(count_of(measured, "done"), 4);
        assert_int_equal(count_of(measured, "total"), 4);
    }
    json_decref(events);
    harness_forget(&told);
}

/* One who has gone away, and one who does not read at all. */
static void no_reader_is_waited_for(void **state)
{
    static const char filling[4096] = "\n";
    (void)state;
    for (size_t i = 0; i < n_commands; i++)
        for (int is_there = 0; is_there < 2; is_there++) {
            const struct command *c = &commands[i];
            if (!c->is_repeatable && strcmp(c->name, "train") != 0 && strcmp(c->name, "run") != 0)
                continue; /* the channel is one and the same */
            int end = open_channel();
            fcntl(channel, F_SETFL, O_NONBLOCK);
            while (is_there && write(channel, filling, sizeof filling) > 0)
                ;
            fcntl(channel, F_SETFL, 0); /* a write that waits would wait for ever */
            if (!is_there)
                close(end);
            harness_result r = run(c, CHANNEL);
            if (r.code != 0)
                fail_msg("%s: %d\n%s", c->name, r.code, r.err);
            harness_forget(&r);
            close(channel);
            if (is_there)
                close(end);
        }
}

static void a_bad_descriptor_is_refused(void **state)
{
    static const char *const bad[] = {"0", "1", "2", "29", "-1", "x", "3x", "99999999999999999999"};
    char option[64];
    (void)state;
    for (size_t i = 0; i < n_commands; i++)
        for (size_t k = 0; k < (i ? 1 : sizeof bad / sizeof bad[0]); k++) {
            snprintf(option, sizeof option, "--progress-fd=%s ", i ? "29" : bad[k]);
            harness_result r = run(&commands[i], option);
            if (r.code != 64 || *r.out || !strstr(r.err, "--progress-fd takes a descriptor"))
                fail_msg("%s %s: %d\n%s", commands[i].name, option, r.code, r.err);
            harness_forget(&r);
        }
    int end = open_channel();
    assert_int_equal(dup2(end, channel), channel); /* open, but for reading */
    harness_result r = run(&commands[0], CHANNEL);
    assert_int_equal(r.code, 64);
    harness_forget(&r);
    close(channel);
    close(end);
}

static int set_up(void **state)
{
    char path[4096];
    assert_non_null(getcwd(path, sizeof path - 16));
    setenv("MESO_SCHEMAS", strcat(path, "/docs/schema"), 1);
    if (harness_enter_folder(state) != 0)
        return -1;
    meso_device_close(harness_device());
    assert_non_null(getcwd(path, sizeof path - 16));
    setenv("XDG_CONFIG_HOME", strcat(path, "/config"), 1); /* what tune writes */
    harness_put_training(4);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(path, sizeof path, "control/%s/%u.ppm", i % 2 ? "real" : "fake", i);
        harness_put_stripes(path, i % 2, 50 + i);
    }
    free(harness_train("init tiny.net -o w.safetensors", 0));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_long_command_tells),
        cmocka_unit_test(an_epoch_is_told_from_its_first_picture),
        cmocka_unit_test(no_reader_is_waited_for),
        cmocka_unit_test(a_bad_descriptor_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, harness_leave_folder);
}
