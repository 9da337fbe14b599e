/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads with a device each: the first use of OpenCL in a process by eight of them at once, and
 * two at work side by side, give the bits that one alone gives. Each run is a process of its own.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/mesocl.h"

enum { side = 256, n_images = 3, most_threads = 8 };

static uint8_t pictures[n_images * 3 * side * side];
static pthread_barrier_t together;
static int n_rounds;

typedef struct worker {
    pthread_t thread;
    meso_probability p[n_images];
    meso_error error;
    int same; /* all rounds gave the bits of the first */
} worker;

static void predict_rounds(worker *w, meso_model *model)
{
    meso_probability p[n_images];
    for (int round = 0; round < n_rounds; round++) {
        if (meso_predict_rgb8(model, pictures, n_images, side, side, 3 * side, p, &w->error) !=
            MESO_OK) {
            return;
        }
        if (round == 0)
            memcpy(w->p, p, sizeof p);
        w->same &= memcmp(w->p, p, sizeof p) == 0;
    }
}

static void *work(void *argument)
{
    worker *w = argument;
    meso_device *device = NULL;
    meso_net *net = NULL;
    meso_model *model = NULL;
    w->same = 1;
    pthread_barrier_wait(&together);
    if (meso_device_open(NULL, &device, &w->error) == MESO_OK &&
        meso_net_open("meso4", &net, &w->error) == MESO_OK &&
        meso_model_random(device, net, 1, NULL, &model, &w->error) == MESO_OK)
        predict_rounds(w, model);
    meso_model_close(model);
    meso_net_close(net);
    meso_device_close(device);
    return NULL;
}

/* In a process of its own: prints the bits, the same of all threads, or fails. */
static int run_threads(int n)
{
    worker workers[most_threads] = {0};
    for (size_t i = 0; i < sizeof pictures; i++)
        pictures[i] = (uint8_t)(i * i / 31 + i);
    pthread_barrier_init(&together, NULL, (unsigned)n);
    for (int i = 0; i < n; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 1;
    for (int i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < n; i++)
        if (workers[i].error.text[0] || !workers[i].same ||
            memcmp(workers[i].p, workers[0].p, sizeof workers[0].p) != 0) {
            fprintf(stderr, "thread %d of %d: %s\n", i, n,
                    workers[i].error.text[0] ? workers[i].error.text : "other bits");
            return 1;
        }
    for (int i = 0; i < n_images; i++)
        printf("%a %a\n", workers[0].p[i].fake, workers[0].p[i].real);
    return 0;
}

static char *run(const char *threads, const char *rounds)
{
    static char self[4096];
    const char *const argv[] = {threads, rounds, NULL};
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    harness_result r = harness_run(&(harness_command){.program = self, .argv = argv});
    if (r.code != 0)
        fail_msg("%s threads: ended with %d: %s", threads, r.code, r.err);
    free(r.err);
    return r.out;
}

static void same_bits(const char *threads, const char *rounds)
{
    const int n = getenv("MESO_FULL") ? 100 : 10;
    meso_device_close(harness_device()); /* skips where there is none */
    char *alone = run("1", "1");
    assert_true(strlen(alone) > 0);
    for (int i = 0; i < n; i++) {
        char *together_ = run(threads, rounds);
        assert_string_equal(together_, alone);
        free(together_);
    }
    free(alone);
}

static void first_use_by_eight_threads(void **state)
{
    (void)state;
    same_bits("8", "1");
}

static void two_threads_with_a_device_each(void **state)
{
    (void)state;
    same_bits("2", "20");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_use_by_eight_threads),
        cmocka_unit_test(two_threads_with_a_device_each),
    };
    if (argc == 3) {
        n_rounds = atoi(argv[2]);
        return run_threads(atoi(argv[1]));
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
