/* SPDX-License-Identifier: Apache-2.0
 *
 * The tuner on a device. This program is run anew for each candidate, as mesocl is, and stands
 * between its library and the OpenCL loader: with TEST_WRONG_ROW=1 the candidate that is asked
 * first is compiled with a wrong conversion of pixels. With TEST_BEST_GROUP=N time goes by only
 * while a batch is computed, the faster the nearer the work-groups of plain kernels are to N.
 */
#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "common.h"
#include "drivers.h"
#include "fault_layer/fault_layer.h"
#include "harness_device.h"
#include "harness_run.h"
#include "measure/work.h"
#include "net/strip/strip.h"
#include "net/tile/tile.h"
#include "runtime/preference.h"
#include "runtime/tuning.h"
#include "tune.h"

/* Two blocks that can be fused at every width, and little to compile. */
static const char small_net[] =
    "image = input height=64 width=64 channels=3 divide=255\n"
    "c1 = conv image filters=8 window=3x3 stride=1x1 dilation=1x1 pad=same\n"
    "c1_bias = bias c1\nc1_relu = relu c1_bias\nn1 = batch_norm c1_relu epsilon=0.001\n"
    "p1 = max_pool n1 window=2x2 stride=2x2 pad=same\n"
    "flat = flatten p1\nd1 = dense flat units=1\nd1_bias = bias d1\np = sigmoid d1_bias\n";

/* Vectors of eight, the largest chunks, no Winograd. */
static const int bad[MESO_MAX_TUNABLES] = {8, 4, 1, 1, 16, MESO_STRIP_DIRECT, MESO_STRIP_DIRECT};
static meso_device_info info; /* of the device under test */
static char config[PATH_MAX];

/* The loader's own is the next one. */
#undef clCreateProgramWithSource
cl_program clCreateProgramWithSource(cl_context context, cl_uint n, const char **texts,
                                     const size_t *lengths, cl_int *code)
{
    static const char right[] = "(float)row[(l", wrong[] = "2.0f * (float)row[(l";
    cl_program (*next)(cl_context, cl_uint, const char **, const size_t *, cl_int *);
    *(void **)&next = dlsym(RTLD_NEXT, "clCreateProgramWithSource");
    const char *place = strstr(texts[0], right);
    if (!getenv("TEST_WRONG_ROW") || n != 1 || !place ||
        !strstr(texts[0], "row_tuned_8_4_1_1_16_0_1("))
        return next(context, n, texts, lengths, code);
    const size_t before = (size_t)(place - texts[0]), after = before + sizeof right - 1;
    const char *parts[] = {texts[0], wrong, texts[0] + after};
    const size_t part_lengths[] = {before, sizeof wrong - 1, lengths[0] - after};
    return next(context, 3, parts, part_lengths, code);
}

/* The linker gives these the calls of our own code (--wrap). */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
meso_status __real_bench_work_call(bench_work *work, size_t batch, meso_error *error);
meso_status __wrap_bench_work_call(bench_work *work, size_t batch, meso_error *error);

static double made_up_now; /* 0: no batch was computed yet, and the clock is the system's */

static double seconds_of(size_t group)
{
    return 0.03 * (1 + fabs(log2((double)group / atof(getenv("TEST_BEST_GROUP")))));
}

meso_status __wrap_bench_work_call(bench_work *work, size_t batch, meso_error *error)
{
    meso_status status = __real_bench_work_call(work, batch, error);
    if (getenv("TEST_BEST_GROUP"))
        made_up_now += seconds_of(meso_device_group_size(work->device, MESO_PROGRAM_PLAIN));
    return status;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (made_up_now <= 0)
        return __real_clock_gettime(clock, now);
    now->tv_sec = (time_t)made_up_now;
    now->tv_nsec = (long)(1e9 * (made_up_now - floor(made_up_now)));
    return 0;
}

static int enter(void **state)
{
    meso_device *device = harness_device();
    info = *meso_device_get_info(device);
    meso_device_close(device);
    if (harness_enter_folder(state) != 0 || !getcwd(config, sizeof config))
        return -1;
    harness_put("small.net", small_net, 0);
    return setenv("XDG_CONFIG_HOME", config, 1);
}

static int leave(void **state)
{
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("TEST_WRONG_ROW");
    unsetenv("TEST_BEST_GROUP");
    return harness_leave_folder(state);
}

/* Tunes the fused kernels for the small net, from what the user has. */
static void tune(const char *family, double seconds)
{
    const tune_options options = {
        .net = "small.net", .batch = 2, .seconds = seconds, .of_each = 0.5, .family = family};
    tool_drivers drivers;
    meso_error error;
    size_t i = 0;
    if (tool_drivers_find(&drivers, &error) != MESO_OK ||
        tool_drivers_ask(&drivers, NULL, 1, &error) != MESO_OK)
        fail_msg("%s", error.text);
    while (i < drivers.n_devices && (strcmp(drivers.devices[i].name, info.name) != 0 ||
                                     strcmp(drivers.devices[i].driver, info.driver) != 0))
        i++;
    assert_true(i < drivers.n_devices);
    if (tune_device(&drivers, i, &options, &error) != MESO_OK)
        fail_msg("%s", error.text);
    tool_drivers_free(&drivers);
}

/* The user's row of a family, a new reference; NULL: none. */
static json_t *find_row(const char *family)
{
    json_t *document = meso_tuning_read(), *row, *found = NULL;
    size_t i;
    json_array_foreach (json_object_get(document, "rows"), i, row) {
        if (strcmp(json_string_value(json_object_get(row, "family")), family) == 0)
            found = json_incref(row);
    }
    json_decref(document);
    return found;
}

/* Nothing is fused on some devices. */
static int has_fused_kernels(void)
{
    return info.type == MESO_DEVICE_CPU && info.vector_width >= 4;
}

/* A row that is as the shipped one would not be written. */
static void start_from(const meso_tuning_family *family, const int *values)
{
    json_t *document = json_object();
    char path[MESO_PREFERENCE_PATH_SIZE];
    meso_error error;
    assert_true(meso_tuning_put(document, &info, family, "small.net", values, json_object()));
    assert_int_equal(meso_tuning_write(document, path, &error), MESO_OK);
    json_decref(document);
}

static int is_wrong(const json_t *values)
{
    int row[MESO_MAX_TUNABLES], wrong[MESO_MAX_TUNABLES];
    memcpy(wrong, bad, sizeof bad);
    wrong[6] = MESO_STRIP_WINOGRAD_Y;
    return meso_tuning_values(values, &meso_tuning_fused, row) &&
           memcmp(row, wrong, 7 * sizeof(int)) == 0;
}

static void never_times_a_wrong_variant(void **state)
{
    const json_t *answer;
    size_t i, n_wrong = 0;
    (void)state;
    if (!has_fused_kernels())
        skip();
    start_from(&meso_tuning_fused, bad);
    setenv("TEST_WRONG_ROW", "1", 1);
    tune("fused", 10);
    json_t *row = find_row("fused");
    const json_t *tried = json_object_get(json_object_get(row, "evidence"), "tried");
    json_array_foreach (tried, i, answer) {
        const char *reason = json_string_value(json_object_get(answer, "reason"));
        if (!is_wrong(json_object_get(json_object_get(answer, "question"), "candidate")))
            continue;
        n_wrong++;
        if (!reason || strncmp(reason, "wrong: differs by", 17) != 0 ||
            json_object_get(answer, "ratio"))
            fail_msg("not found out: %s", json_dumps(answer, 0));
    }
    assert_true(n_wrong > 0);
    assert_false(is_wrong(json_object_get(row, "values")));
    json_decref(row);
}

/* A row with its evidence, never one that is slower than the shipped one. */
static void leaves_a_bad_row(void **state)
{
    int values[MESO_MAX_TUNABLES], shipped[MESO_MAX_TUNABLES];
    (void)state;
    if (!has_fused_kernels())
        skip();
    start_from(&meso_tuning_fused, bad);
    tune("fused", 10);
    json_t *row = find_row("fused");
    const json_t *evidence = json_object_get(row, "evidence");
    const json_t *final = json_object_get(evidence, "against_shipped");
    assert_true(meso_tuning_values(json_object_get(row, "values"), &meso_tuning_fused, values));
    assert_true(
        meso_tuning_values(json_object_get(evidence, "shipped"), &meso_tuning_fused, shipped));
    if (memcmp(values, shipped, 7 * sizeof(int)) != 0)
        assert_true(json_number_value(json_object_get(final, "low")) > 1);
    assert_true(json_array_size(json_object_get(evidence, "tried")) > 0);
    assert_non_null(json_string_value(json_object_get(evidence, "date")));
    assert_int_not_equal(access("mesocl/tuning-part.json", F_OK), 0);
    json_decref(row);
}

/* On a clock that tells no more than the row: the better one, by as much as it is better; and where
 * that is the shipped one, it stays. */
static void chooses_the_faster_row(void **state)
{
    static const char *const best[] = {"8", "64"};
    const size_t shipped = 64;
    int values[MESO_MAX_TUNABLES];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        setenv("TEST_BEST_GROUP", best[i], 1);
        tune("plain", 100);
        json_t *row = find_row("plain");
        const json_t *final = json_object_get(json_object_get(row, "evidence"), "against_shipped");
        assert_true(meso_tuning_values(json_object_get(row, "values"), &meso_tuning_plain, values));
        assert_int_equal(values[0], atoi(best[i]));
        if ((size_t)values[0] == shipped)
            assert_false(json_is_object(final));
        else
            for (size_t k = 0; k < 3; k++)
                harness_close(json_number_value(json_object_get(
                                  final, (const char *[]){"ratio", "low", "high"}[k])),
                              seconds_of(shipped) / seconds_of((size_t)values[0]), 1e-6, "ratio");
        json_decref(row);
    }
}

/* Kernels that only GPUs have: the processes that tune find one. */
static void tunes_the_tiles_of_a_gpu(void **state)
{
    static const int smallest[MESO_MAX_TUNABLES] = {4, 16, 4, 1, 0};
    int values[MESO_MAX_TUNABLES];
    (void)state;
    harness_need_layers(FAULT_LAYER);
    start_from(&meso_tuning_tiles, smallest);
    setenv("OPENCL_LAYERS", FAULT_LAYER, 1);
    setenv("MESO_FAULT_GPU", "1", 1);
    tune("tiles", 10);
    unsetenv("OPENCL_LAYERS");
    unsetenv("MESO_FAULT_GPU");
    json_t *row = find_row("tiles");
    const json_t *evidence = json_object_get(row, "evidence");
    assert_true(meso_tuning_values(json_object_get(row, "values"), &meso_tuning_tiles, values));
    assert_true(
        meso_tuning_values(json_object_get(evidence, "shipped"), &meso_tuning_tiles, values));
    assert_true(json_array_size(json_object_get(evidence, "tried")) > 0);
    json_decref(row);
}

/* Where nothing is faster than the shipped row, there is nothing to write. */
static void writes_nothing_where_nothing_is_new(void **state)
{
    (void)state;
    setenv("TEST_BEST_GROUP", "64", 1);
    tune("plain", 100);
    assert_int_not_equal(access("mesocl/tuning.json", F_OK), 0);
    assert_int_not_equal(access("mesocl/tuning-part.json", F_OK), 0);
}

/* The program itself, in a process that can be killed. */
static pid_t start_tuning(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        const char *const argv[] = {harness_program(), "tune", "--net", "small.net", "--batch", "2",
                                    "--time-limit",    "20",   NULL};
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    return pid;
}

static void check_files(void)
{
    static const char *const names[] = {"mesocl/tuning.json", "mesocl/tuning-part.json"};
    for (size_t i = 0; i < 2; i++) {
        json_t *document = json_load_file(names[i], 0, NULL);
        if (!document && access(names[i], F_OK) == 0)
            fail_msg("%s is broken", names[i]);
        json_decref(document);
    }
}

static void goes_on_where_it_was_killed(void **state)
{
    static const int no_group[MESO_MAX_TUNABLES] = {1};
    int how;
    meso_random random = {7};
    json_t *row = NULL;
    (void)state;
    start_from(&meso_tuning_plain, no_group);
    setenv("MESO_DEVICE", info.name, 0);
    for (int i = 0; i < 2; i++) {
        pid_t pid = start_tuning();
        usleep(1000000 + 1000 * (useconds_t)meso_random_below(&random, 4000));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &how, 0), pid);
        check_files();
    }
    assert_int_equal(waitpid(start_tuning(), &how, 0) > 0 && WIFEXITED(how) && !WEXITSTATUS(how),
                     1);
    check_files();
    assert_int_not_equal(access("mesocl/tuning-part.json", F_OK), 0);
    assert_non_null(row = find_row("plain"));
    assert_true(json_object_size(json_object_get(row, "evidence")) > 0);
    json_decref(row);
    harness_result run = harness_run(&(harness_command){.words = "tune --reset"});
    if (run.code != 0 || !strstr(run.out, "forgotten") || (row = find_row("plain")))
        fail_msg("%d: %s%s", run.code, run.out, run.err);
    harness_forget(&run);
}

int main(int argc, char **argv)
{
#define WITH_USER(test) cmocka_unit_test_setup_teardown(test, enter, leave)
    const struct CMUnitTest tests[] = {
        WITH_USER(never_times_a_wrong_variant),
        WITH_USER(leaves_a_bad_row),
        WITH_USER(chooses_the_faster_row),
        WITH_USER(tunes_the_tiles_of_a_gpu),
        WITH_USER(writes_nothing_where_nothing_is_new),
        WITH_USER(goes_on_where_it_was_killed),
    };
    int code;
    tool_child_offer("list", tool_child_list);
    tool_child_offer_json(TUNE_CHILD, tune_child);
    if (tool_child_main(argc, argv, &code))
        return code;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
