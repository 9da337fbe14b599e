/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk that fails at any call of any command that writes a file: the exit code says so, and what
 * was in the file before is still there, whole, with nothing beside it. (Runs of training, whose
 * files belong together: test_train_resume.)
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "child.h"
#include "commands.h"
#include "common.h"
#include "dataset_bench.h"
#include "device_bench.h"
#include "drivers.h"
#include "fault_layer/fault_libc.h"
#include "harness_device.h"
#include "harness_run.h"
#include "harness_train.h"
#include "measure.h"
#include "mesocl/mesocl.h"
#include "result_folder.h"
#include "runtime/preference.h"

static char keras_file[4200];
static char cache_file[256]; /* of stats: its name is a hash */

/* What device_bench --pick does with the fastest device. */
static int pick(int argc, char **argv)
{
    char path[MESO_PREFERENCE_PATH_SIZE];
    meso_error error = {0};
    (void)argc, (void)argv;
    return meso_preference_write("platform", "device", "", path, &error) == MESO_OK
               ? 0
               : tool_fail(&error);
}

/* Commands that write files. */
static const struct command {
    int (*run)(int argc, char **argv);
    const char *argv[16];
    const char *outputs[4];
    int slow;
} commands[] = {
    {cmd_init, {"init", "tiny.net", "-o", "a.safetensors", "--force"}, {"a.safetensors"}, 0},
    {cmd_convert, {"convert", keras_file, "-o", "a.safetensors", "--force"}, {"a.safetensors"}, 0},
    {cmd_evaluate,
     {"evaluate", "-w", "w.safetensors", "--resamples", "10", "--csv", "a.out", "--roc", "b.out",
      "data"},
     {"a.out", "b.out"},
     0},
    {cmd_report, {"report", "run"}, {"run/report.html"}, 0},
    {db_cmd_stats,
     {"stats", "data", "--no-cache", "--study", "--html", "a.html", "--images", "b.out"},
     {"a.html", "b.out"},
     1},
    {db_cmd_stats, {"stats", "data", "--study", "--cache", "cache"}, {cache_file}, 1},
    {db_cmd_check,
     {"check", "data", "--no-cache", "--resamples", "10", "--html", "a.html"},
     {"a.html"},
     1},
    {db_cmd_split,
     {"split", "data", "--no-cache", "--test-split", "0.5", "-o", "parts", "--force"},
     {"parts/train.csv", "parts/test.csv"},
     1},
    {db_cmd_report,
     {"report", "study"},
     {"study/study.html", "study/study_result.json", "study/study_result.csv"},
     1},
    {bench_cmd_net,
     {"net", "tiny.net", "--batch", "1", "--processes", "1", "--cores", "1", "--seconds", "0.001",
      "--html", "a.html"},
     {"a.html"},
     1},
    {pick, {"pick"}, {"config/mesocl/device"}, 0},
};
enum { n_commands = sizeof commands / sizeof commands[0] };

/* What was there before looks like a model, which --force may replace. */
static const char before[] = "\2\0\0\0\0\0\0\0{}";

static size_t matches(const char *pattern)
{
    glob_t found;
    size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return n;
}

/* The command's exit code, without what it prints. */
static int run_quietly(const struct command *c, const fault_plan *plan, fault_result *result)
{
    char *argv[16] = {NULL};
    int argc = 0, out = dup(1), err = dup(2);
    for (; c->argv[argc]; argc++)
        argv[argc] = (char *)c->argv[argc];
    FILE *quiet = fopen("quiet", "w");
    assert_true(quiet && out >= 0 && err >= 0);
    fflush(NULL);
    dup2(fileno(quiet), 1);
    dup2(fileno(quiet), 2);
    fault_begin(plan);
    int code = c->run(argc, argv);
    *result = fault_end();
    tool_result_leave(); /* as the program's main() does */
    tool_driver_crash_end();
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    fclose(quiet);
    return code;
}

/* Pages and documents hold times, so that two of them are not as long as each other. */
static int is_whole(const char *path, const char *bytes, size_t n, size_t expected)
{
    static const char html[] = "</html>\n", json[] = "\n}\n";
    const char *end = strstr(path, ".html") ? html : strstr(path, ".json") ? json : NULL;
    return end ? n > strlen(end) && strcmp(bytes + n - strlen(end), end) == 0 : n == expected;
}

/* Each output is the old one or a new one, whole; *n_old: how many are old. */
static void expect_whole(const struct command *c, const size_t sizes[4], const char *what,
                         size_t *n_old)
{
    *n_old = 0;
    for (size_t i = 0; c->outputs[i]; i++) {
        void *bytes = NULL;
        size_t n = 0;
        assert_int_equal(meso_file_read(c->outputs[i], 1 << 24, &bytes, &n, NULL, NULL), MESO_OK);
        int is_old = n == sizeof before - 1 && memcmp(bytes, before, n) == 0;
        if (!is_old && !is_whole(c->outputs[i], bytes, n, sizes[i]))
            fail_msg("%s %s: %s has %zu bytes", c->argv[0], what, c->outputs[i], n);
        *n_old += (size_t)is_old;
        free(bytes);
    }
    if (matches("*.tmp") + matches("*/*.tmp") + matches("*/*/*.tmp") > 0)
        fail_msg("%s %s: a temporary file is left", c->argv[0], what);
}

static void put_before(const struct command *c)
{
    for (size_t i = 0; c->outputs[i]; i++)
        harness_put(c->outputs[i], before, sizeof before - 1);
}

static void refuse(const struct command *c, const char *what, int code, size_t n_old)
{
    void *said = NULL;
    meso_file_read("quiet", 1 << 16, &said, NULL, NULL, NULL);
    fail_msg("%s, %s: exit code %d, %zu files are the old ones: %s", c->argv[0], what, code, n_old,
             said ? (char *)said : "");
}

/* File call n fails. Returns 1 if it was made at all. */
static int try_file_call(const struct command *c, const size_t sizes[4], const fault_plan *plan)
{
    char what[64];
    fault_result result;
    size_t n_old;
    put_before(c);
    int code = run_quietly(c, plan, &result);
    snprintf(what, sizeof what, "call %zu %s %d", plan->fail_at,
             plan->short_write ? "short, then" : "fails:", plan->error);
    expect_whole(c, sizes, what, &n_old);
    int harmless = !result.failed || plan->error == 0;
    if (harmless ? code != 0 || n_old != 0 : code != 0 && code != 73 && code != 74)
        refuse(c, what, code, n_old);
    if (!harmless && (code == 0) != (n_old == 0))
        refuse(c, what, code, n_old);
    return result.failed;
}

static void each_file_call_fails(void **state)
{
    static const struct {
        int error, short_write, lost;
    } rows[] = {{ENOSPC, 0, 0}, {EIO, 0, 0}, {ENOSPC, 0, 1},
                {ENOSPC, 1, 0}, {0, 1, 0},   {EROFS, 0, 1}};
    (void)state;
    for (size_t c = 0; c < n_commands; c++) {
        const fault_plan none = {.kinds = FAULT_FILES, .own_code = 1};
        size_t sizes[4] = {0};
        fault_result result;
        put_before(&commands[c]);
        const int code = run_quietly(&commands[c], &none, &result);
        if (code != 0 || result.n_calls < 4)
            refuse(&commands[c], "no call fails", code, 0);
        for (size_t i = 0; commands[c].outputs[i]; i++) {
            void *bytes = NULL;
            assert_int_equal(
                meso_file_read(commands[c].outputs[i], 1 << 24, &bytes, &sizes[i], NULL, NULL),
                MESO_OK);
            free(bytes);
        }
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
            if (commands[c].slow && r != c % 3 && !getenv("MESO_FULL"))
                continue; /* each call, but in one way */
            fault_plan plan = {.kinds = rows[r].short_write ? FAULT_WRITE : FAULT_FILES,
                               .fail_at = 1,
                               .own_code = 1, /* drivers write, too */
                               .lost = rows[r].lost,
                               .error = rows[r].error,
                               .short_write = rows[r].short_write};
            while (try_file_call(&commands[c], sizes, &plan))
                plan.fail_at++;
        }
        print_message("%s: each of %zu calls\n", commands[c].argv[0], result.n_calls);
    }
}

/* A dataset, a model, a run of training and a study, for the commands to write about. */
static int set_up(void **state)
{
    char tree[4096];
    glob_t found = {0};
    if (!getcwd(tree, sizeof tree) || harness_enter_folder(state) != 0)
        return -1;
    snprintf(keras_file, sizeof keras_file, "%s/tests/fixtures/keras2_sequential.h5", tree);
    meso_device_close(harness_device());
    setenv("XDG_CONFIG_HOME", getcwd(tree, sizeof tree), 1);
    setenv("XDG_CONFIG_HOME", strcat(tree, "/config"), 1);
    harness_put_training(4);
    for (unsigned i = 0; i < 8; i++) {
        char path[64];
        snprintf(path, sizeof path, "control/%s/%u.ppm", i % 2 ? "real" : "fake", i);
        harness_put_stripes(path, i % 2, 50 + i);
    }
    free(harness_train("init tiny.net -o w.safetensors", 0));
    free(harness_train("train data --net tiny.net --batch 4 --epochs 1 -o run", 0));
    free(harness_train("report run", 0));
    static const char *const words[] = {
        "run --train a=data --test t=control --net tiny.net --seeds 1 --epochs 1 --batch 4 "
        "--resamples 10 -o study",
        "stats data --study --cache cache", "split data --no-cache --test-split 0.5 -o parts"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        harness_result r =
            harness_run(&(harness_command){.program = DATASET_BENCH_PROGRAM, .words = words[i]});
        if (r.code != 0)
            fail_msg("%s: %d\n%s", words[i], r.code, r.err);
        harness_forget(&r);
    }
    assert_int_equal(glob("cache/*.scan", 0, NULL, &found), 0);
    snprintf(cache_file, sizeof cache_file, "%s", found.gl_pathv[0]);
    globfree(&found);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_call_fails),
    };
    int code;
    /* device_bench measures in a process of its own, which is this program, too. */
    tool_child_offer("list", tool_child_list);
    tool_child_offer_json(BENCH_CHILD, bench_measure_child);
    if (tool_child_main(argc, argv, &code))
        return code;
    return cmocka_run_group_tests(tests, set_up, harness_leave_folder);
}
