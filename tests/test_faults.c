/* SPDX-License-Identifier: Apache-2.0
 *
 * A driver that fails at any call: open → predict or train → close with call N failing, for every
 * N, through the layer in tests/fault_layer. Either the answer is the right one all the same, or
 * an error names the call; nothing crashes, hangs or stays alive. Then results that are no numbers,
 * launch times that are none, and devices with tiny limits.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "child.h"
#include "drivers.h"
#include "fault_layer/fault_layer.h"
#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"
#include "model/train/trainer.h"
#include "runtime/cl_error.h"

enum { side = 64, n_pictures = 3, limit_seconds = 300 };

static fault_layer_state *layer;
static uint8_t *pictures;
static tool_drivers drivers; /* its folders stay to the end */
static char now[256];        /* what is being tried, for those who look at a crash */

static void on_crash(int number)
{
    static const char *const why[] = {[SIGALRM] = "hang",
                                      [SIGSEGV] = "segmentation fault",
                                      [SIGABRT] = "abort",
                                      [SIGBUS] = "bus error",
                                      [SIGFPE] = "arithmetic exception"};
    dprintf(2, "%s: %s\n", now, why[number]);
    signal(number, SIG_DFL);
    raise(number);
}

/* What is done to the driver. A scenario returns its status, with the sentence in *error and, where
 * it is OK, P(fake) of each picture in p. */
typedef meso_status scenario_function(meso_path path, double *p, meso_error *error);

static meso_status open_model(meso_device *device, meso_path path, meso_model **model,
                              meso_error *error)
{
    meso_model_options options = MESO_INIT(meso_model_options);
    options.path = path;
    return meso_model_open(device, "w.safetensors", &options, model, error);
}

static meso_status predict(meso_path path, double *p, meso_error *error)
{
    meso_device *device = NULL;
    meso_model *model = NULL;
    meso_probability all[n_pictures];
    meso_status status = MESO_OK;
    MESO_TRY(meso_device_open(NULL, &device, error));
    MESO_TRY(open_model(device, path, &model, error));
    MESO_TRY(meso_predict_rgb8(model, pictures, n_pictures, side, side, 3 * side, all, error));
    for (int i = 0; i < n_pictures; i++)
        p[i] = all[i].fake;
out:
    meso_model_close(model);
    meso_device_close(device);
    return status;
}

/* The same with launch times, which make every launch an event. */
static meso_status profile(meso_path path, double *p, meso_error *error)
{
    meso_device *device = NULL;
    meso_model *model = NULL;
    meso_profile_row *rows = NULL;
    meso_probability all[n_pictures];
    size_t n;
    meso_status status = MESO_OK;
    MESO_TRY(meso_device_open(NULL, &device, error));
    MESO_TRY(open_model(device, path, &model, error));
    MESO_TRY(meso_device_profile(device, MESO_PROFILE_RUNNING, error));
    MESO_TRY(meso_predict_rgb8(model, pictures, n_pictures, side, side, 3 * side, all, error));
    MESO_TRY(meso_device_get_profile(device, &rows, sizeof *rows, &n, error));
    for (size_t i = 0; i < n; i++)
        if (!(rows[i].seconds >= 0 && rows[i].seconds < limit_seconds))
            fail_msg("%s: %s took %g s", now, rows[i].kernel, rows[i].seconds);
    for (int i = 0; i < n_pictures; i++)
        p[i] = all[i].fake;
out:
    meso_free(rows);
    meso_model_close(model);
    meso_device_close(device);
    return status;
}

static int keep_score(const meso_file_score *score, void *user)
{
    ((double *)user)[score->index] = score->p.fake;
    return 0;
}

/* From files, by decoding threads, through a stream. */
static meso_status score(meso_path path, double *p, meso_error *error)
{
    static const char *const files[n_pictures] = {"0.ppm", "1.ppm", "2.ppm"};
    meso_device *device = NULL;
    meso_model *model = NULL;
    meso_status status = MESO_OK;
    MESO_TRY(meso_device_open(NULL, &device, error));
    MESO_TRY(open_model(device, path, &model, error));
    const int is_limited = layer->max_group || layer->local_bytes || layer->buffer_bytes;
    if (layer->poses_as_gpu && !is_limited && !layer->fail_at) /* it gets a GPU's kernels */
        assert_memory_equal(meso_model_get_info(model)->tuning, "tiles", 5);
    MESO_TRY(meso_score_files(model, files, n_pictures, NULL, keep_score, p, error));
out:
    meso_model_close(model);
    meso_device_close(device);
    return status;
}

/* Two steps of training and what became of the weights. In place of scores: losses. */
static meso_status train(meso_path path, double *p, meso_error *error)
{
    static const uint8_t classes[n_pictures] = {0, 1, 0};
    const meso_trainer_options options = {.settings.max_batch = n_pictures,
                                          .settings.loss = MESO_LOSS_BCE,
                                          .settings.optimizer = MESO_OPTIMIZER_SGD,
                                          .settings.beta1 = 0.9,
                                          .settings.beta2 = 0.999,
                                          .settings.epsilon = 1e-7,
                                          .settings.momentum = 0.9,
                                          .settings.bn_momentum = 0.99,
                                          .settings.seed = 1,
                                          .path = path};
    const meso_train_batch batch = {.pixels = pictures, .classes = classes, .n = n_pictures};
    meso_device *device = NULL;
    meso_weights *start = NULL, *trained = NULL;
    meso_trainer *trainer = NULL;
    meso_step_result result;
    meso_status status = MESO_OK;
    MESO_TRY(meso_weights_read("w.safetensors", &start, error));
    MESO_TRY(meso_device_open(NULL, &device, error));
    MESO_TRY(meso_trainer_open(device, start, &options, &trainer, error));
    for (int i = 0; i < n_pictures; i++) {
        status = meso_trainer_step(trainer, &batch, 1e-3, &result);
        MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(trainer));
        p[i] = result.loss;
        if (i == 1)
            break;
    }
    MESO_TRY(meso_weights_create(&trained, error));
    status = meso_trainer_get(trainer, trained);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s", meso_trainer_error(trainer));
    p[2] = meso_weights_find(trained, "dense2.kernel")->values[0];
out:
    meso_weights_close(trained);
    meso_trainer_close(trainer);
    meso_device_close(device);
    meso_weights_close(start);
    return status;
}

static const struct scenario {
    const char *name;
    scenario_function *run;
    meso_path path;
    double tolerance;
    int gpu; /* the device poses as one; 2: in the host's memory */
} scenarios[] = {
    {"predict, fused", predict, MESO_PATH_FUSED, 2e-6, 0},
    {"predict, plain", predict, MESO_PATH_PLAIN, 2e-6, 0},
    {"profile, fused", profile, MESO_PATH_FUSED, 2e-6, 0},
    {"score files, fused", score, MESO_PATH_FUSED, 2e-6, 0},
    {"predict, on a GPU", predict, MESO_PATH_FUSED, 2e-6, 1},
    {"score files, on a GPU", score, MESO_PATH_FUSED, 2e-6, 1},
    {"score files, on a GPU of the host's memory", score, MESO_PATH_FUSED, 2e-6, 2},
    {"train, fused", train, MESO_PATH_FUSED, 1e-4, 0},
    {"train, plain", train, MESO_PATH_PLAIN, 1e-4, 0},
};
enum { n_scenarios = sizeof scenarios / sizeof scenarios[0] };
static double wanted[n_scenarios][n_pictures];

static void expect_right(const struct scenario *s, const double *p, const char *call)
{
    for (int i = 0; i < n_pictures; i++)
        harness_close(p[i], wanted[s - scenarios][i], s->tolerance, "%s (%s): number %d", now, call,
                      i);
}

/* Calls that may fail without harm: questions that have a default, lanes that are not needed, and
 * what is done when all is over. */
static int may_be_survived(const char *function)
{
    static const char *const rows[] = {
        "clGetDeviceInfo",         "clGetPlatformInfo", "clGetCommandQueueInfo",
        "clGetEventProfilingInfo", "clFinish",          "clEnqueueUnmapMemObject",
        "clCreateSubDevices"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(function, rows[i]) == 0)
            return 1;
    return strncmp(function, "clRelease", 9) == 0;
}

static void expect_nothing_alive(void)
{
    static const char *const names[] = {"sub-devices", "contexts", "queues", "buffers",
                                        "programs",    "kernels",  "events"};
    for (int k = 0; k < FAULT_N_KINDS; k++)
        if (layer->live[k] != 0)
            fail_msg("%s: %ld %s left alive", now, layer->live[k], names[k]);
}

/* Returns 1 if call n was made at all. */
static int try_call(const struct scenario *s, size_t n, int lost, cl_int code)
{
    double p[n_pictures] = {0};
    meso_error error = {0};
    layer->n_calls = 0;
    layer->fail_at = n;
    layer->lost = lost;
    layer->code = code;
    layer->failed = NULL;
    layer->poses_as_gpu = s->gpu;
    snprintf(now, sizeof now, "%s: call %zu%s fails with %d", s->name, n,
             lost ? " and all behind it" : "", (int)code);
    alarm(limit_seconds);
    meso_status status = s->run(s->path, p, &error);
    alarm(0);
    layer->fail_at = layer->poses_as_gpu = 0;
    expect_nothing_alive();
    if (!layer->failed)
        return 0;
    if (status == MESO_OK) {
        /* Where memory is refused, less is asked for, picture by picture. */
        if (!may_be_survived(layer->failed) && meso_cl_status(code) != MESO_ERROR_DEVICE_MEMORY)
            fail_msg("%s: nobody noticed %s", now, layer->failed);
        expect_right(s, p, layer->failed);
    } else if (status != MESO_ERROR_NO_DEVICE &&
               ((status != MESO_ERROR_DEVICE && status != MESO_ERROR_DEVICE_MEMORY) ||
                !strstr(error.text, "cl"))) {
        fail_msg("%s (%s): %s: %s", now, layer->failed, meso_status_name(status), error.text);
    }
    return 1;
}

static const cl_int codes[] = {CL_OUT_OF_RESOURCES,        CL_MEM_OBJECT_ALLOCATION_FAILURE,
                               CL_OUT_OF_HOST_MEMORY,      CL_DEVICE_NOT_AVAILABLE,
                               CL_INVALID_VALUE,           CL_INVALID_COMMAND_QUEUE,
                               CL_INVALID_WORK_GROUP_SIZE, CL_INVALID_KERNEL_ARGS,
                               CL_INVALID_BUFFER_SIZE,     CL_BUILD_PROGRAM_FAILURE,
                               CL_INVALID_OPERATION,       -9999 /* in no header */};
enum { n_codes = sizeof codes / sizeof codes[0] };
/* Each call with one code, or as the last that the device answered, in turn; of the first scenario
 * both, of the later ones only some calls. MESO_FULL=1: every call with every code, and both. */
static void each_call_fails(void **state)
{
    const int full = getenv("MESO_FULL") != NULL;
    (void)state;
    harness_need_layers(FAULT_LAYER);
    for (size_t s = 0; s < n_scenarios; s++) {
        const size_t step = full || s < 2 ? 1 : 13;
        size_t n = 1, n_trials = 0;
        for (int more = 1; more; n += step) {
            const int both = full || s == 0, turn = n / step % 2 == 0;
            for (size_t c = 0; (both || turn) && c < (full ? n_codes : 1); c++, n_trials++)
                more = try_call(&scenarios[s], n, 0, codes[(n + c) % n_codes]);
            if (both || !turn) {
                more = try_call(&scenarios[s], n, 1, CL_DEVICE_NOT_AVAILABLE);
                n_trials++;
            }
        }
        print_message("%s: %zu calls, %zu trials\n", scenarios[s].name, n - step - 1, n_trials);
        assert_true(n > 50);
    }
}

/* What programs end with: 70, 69 where no device is left, or 0 with the right answer. */
static void programs_end_with_the_right_code(void **state)
{
    const size_t step = getenv("MESO_FULL") ? 1 : 23;
    char call[64];
    const char *const environment[] = {"OPENCL_LAYERS=" FAULT_LAYER, call, "MESO_FAULT_CODE=-5",
                                       NULL};
    const harness_command command = {.words = "predict -w w.safetensors --json 0.ppm",
                                     .environment = environment};
    size_t n_failed = 0;
    (void)state;
    harness_need_layers(FAULT_LAYER);
    for (size_t n = 1, last = 0; !last; n += step) {
        snprintf(call, sizeof call, "MESO_FAULT_CALL=%zu", n);
        harness_result result = harness_run(&command);
        if (result.code != 0 && result.code != 69 && result.code != 70)
            fail_msg("call %zu: exit code %d: %s", n, result.code, result.err);
        if (result.code != 0 && (strncmp(result.err, "mesocl: ", 8) != 0 ||
                                 (*result.out && !strstr(result.out, "\"error\": \"cl"))))
            fail_msg("call %zu: '%s', '%s'", n, result.err, result.out);
        n_failed += result.code != 0;
        last = n > 400; /* more calls than there are in it */
        if (last)
            assert_int_equal(result.code, 0);
        harness_forget(&result);
    }
    assert_true(n_failed >= 400 / step / 8); /* most calls behind some 150 are not there */
}

/* A result that is no number is an error, on each path. */
static void no_number_is_no_score(void **state)
{
    (void)state;
    harness_need_layers(FAULT_LAYER);
    for (size_t s = 0; s < n_scenarios; s++) {
        double p[n_pictures] = {0};
        meso_error error = {0};
        layer->poison_reads = 1;
        meso_status status = scenarios[s].run(scenarios[s].path, p, &error);
        layer->poison_reads = 0;
        snprintf(now, sizeof now, "%s: NaN read back", scenarios[s].name);
        expect_nothing_alive();
        if (status != MESO_ERROR_DATA || !strstr(error.text, "not finite"))
            fail_msg("%s: %s: %s", now, meso_status_name(status), error.text);
    }
}

/* Each pattern of times that cannot be is seen, and the host's clock taken. */
static void impossible_times_are_noticed(void **state)
{
    (void)state;
    harness_need_layers(FAULT_LAYER);
    for (int times = FAULT_TIMES_TRUE; times < FAULT_N_TIMES; times++) {
        meso_device *device = harness_device();
        meso_model *model = NULL;
        meso_profile_row *rows = NULL;
        meso_probability all[n_pictures];
        size_t n = 0;
        assert_int_equal(open_model(device, MESO_PATH_PLAIN, &model, NULL), MESO_OK);
        assert_int_equal(meso_device_profile(device, MESO_PROFILE_ALONE, NULL), MESO_OK);
        layer->times = (fault_times)times;
        assert_int_equal(
            meso_predict_rgb8(model, pictures, n_pictures, side, side, 3 * side, all, NULL),
            MESO_OK);
        layer->times = FAULT_TIMES_TRUE;
        assert_int_equal(meso_device_get_profile(device, &rows, sizeof *rows, &n, NULL), MESO_OK);
        assert_true(n > 5);
        for (size_t i = 0; i < n; i++) {
            assert_true(rows[i].seconds > 0 && rows[i].seconds < limit_seconds);
            assert_int_equal(rows[i].host_timer, times != FAULT_TIMES_TRUE);
        }
        meso_free(rows);
        meso_model_close(model);
        meso_device_close(device);
        expect_nothing_alive();
    }
}

/* Small devices: the right answer, or a refusal that names the limit's call. */
static void small_devices(void **state)
{
    static const struct {
        size_t group, local, buffer;
    } rows[] = {{1, 0, 0},       {8, 0, 0},       {63, 0, 0},      {0, 1024, 0},
                {0, 0, 1 << 26}, {0, 0, 1 << 20}, {0, 0, 1 << 16}, {1, 1, 4096}};
    (void)state;
    harness_need_layers(FAULT_LAYER);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t s = 0; s < n_scenarios; s++) {
            double p[n_pictures] = {0};
            meso_error error = {0};
            layer->max_group = rows[i].group;
            layer->local_bytes = rows[i].local;
            layer->buffer_bytes = rows[i].buffer;
            layer->poses_as_gpu = scenarios[s].gpu;
            meso_status status = scenarios[s].run(scenarios[s].path, p, &error);
            layer->max_group = layer->local_bytes = layer->buffer_bytes = 0;
            layer->poses_as_gpu = 0;
            snprintf(now, sizeof now, "%s: limits %zu", scenarios[s].name, i);
            expect_nothing_alive();
            if (status == MESO_OK)
                expect_right(&scenarios[s], p, "small");
            else if (rows[i].buffer == 0 || !strstr(error.text, "bytes"))
                fail_msg("%s: %s: %s", now, meso_status_name(status), error.text);
        }
}

static char tree[4096]; /* the root of the sources */

/* Every cl* that the library calls is one that the layer can make fail. */
static void no_call_goes_past_the_layer(void **state)
{
    char command[4200], name[128];
    size_t n = 0;
    (void)state;
    harness_need_layers(FAULT_LAYER);
    snprintf(command, sizeof command,
             "grep -ohE '\\bcl[A-Z][A-Za-z]+' '%s'/src/runtime/*.c | sort -u", tree);
    FILE *names = popen(command, "r");
    assert_non_null(names);
    for (; fscanf(names, "%127s", name) == 1; n++) {
        size_t i = 0;
        while (layer->functions[i] && strcmp(layer->functions[i], name) != 0)
            i++;
        if (!layer->functions[i])
            fail_msg("tests/fault_layer does not know %s", name);
    }
    assert_int_equal(pclose(names), 0);
    assert_true(n >= 25);
}

/* The layer is there, and what the pictures' answers are without faults. */
static int set_up(void **state)
{
    static const int signals[] = {SIGALRM, SIGSEGV, SIGABRT, SIGBUS, SIGFPE};
    meso_net *net = NULL;
    meso_weights *weights = NULL;
    meso_error error = {0};
    char name[16], name_of_net[4200];
    if (!getcwd(tree, sizeof tree) || harness_enter_folder(state) != 0)
        return -1;
    snprintf(name_of_net, sizeof name_of_net, "%s/tests/fault_layer/fault.net", tree);
    pictures = malloc((size_t)n_pictures * side * side * 3);
    for (int i = 0; pictures && i < n_pictures; i++) {
        unsigned colour = 0x402010u * (unsigned)(i + 1);
        snprintf(name, sizeof name, "%d.ppm", i);
        harness_put_picture(name, side, colour);
        for (int k = 0; k < 3 * side * side; k++)
            pictures[i * 3 * side * side + k] = (uint8_t)(colour >> 8 * (k % 3));
    }
    if (!pictures || meso_net_open(name_of_net, &net, &error) != MESO_OK ||
        meso_weights_random(net, 1, &weights, &error) != MESO_OK ||
        meso_weights_write(weights, "w.safetensors", &error) != MESO_OK)
        return -1;
    meso_weights_close(weights);
    meso_net_close(net);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], on_crash);
    return 0;
}

static int tear_down(void **state)
{
    free(pictures);
    tool_drivers_free(&drivers);
    return harness_leave_folder(state);
}

/* Fails where the loader has no layers: then nothing below would have been tried. */
static void the_layer_is_there(void **state)
{
    meso_error error = {0};
    (void)state;
    harness_need_layers(FAULT_LAYER);
    meso_device_close(harness_device());
    assert_true(layer->n_calls > 10);
    expect_nothing_alive();
    for (size_t s = 0; s < n_scenarios; s++) {
        const size_t like = scenarios[s].run == train ? n_scenarios - 1 : 0; /* the same numbers */
        layer->poses_as_gpu = scenarios[s].gpu;
        if (scenarios[s].run(scenarios[s].path, wanted[s], &error) != MESO_OK)
            fail_msg("%s: %s", scenarios[s].name, error.text);
        /* No question is asked whose answer may be an error: drivers crash in saying so. */
        if (layer->n_refused)
            fail_msg("%s: the driver refused %zu calls", scenarios[s].name, layer->n_refused);
        layer->poses_as_gpu = 0;
        for (int i = 0; s > like && i < n_pictures; i++)
            harness_close(wanted[s][i], wanted[like][i], 2e-6, "%s: %d", scenarios[s].name, i);
    }
}

/* Of all drivers that are installed, that of the device alone: others refuse calls, too. */
static void choose_driver(void)
{
    if (!tool_drivers_find(&drivers, NULL) && !tool_drivers_ask(&drivers, NULL, 1, NULL) &&
        drivers.rows[drivers.owners[drivers.matches[0]]].vendors)
        setenv("OCL_ICD_VENDORS", drivers.rows[drivers.owners[drivers.matches[0]]].vendors, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layer_is_there),    cmocka_unit_test(no_call_goes_past_the_layer),
        cmocka_unit_test(each_call_fails),       cmocka_unit_test(programs_end_with_the_right_code),
        cmocka_unit_test(no_number_is_no_score), cmocka_unit_test(impossible_times_are_noticed),
        cmocka_unit_test(small_devices)};
    int code;
    tool_child_offer("list", tool_child_list);
    if (tool_child_main(argc, argv, &code))
        return code;
    choose_driver();
    layer = harness_put_layer(FAULT_LAYER);
    if (!layer)
        return 1;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
