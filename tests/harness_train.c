/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_train.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "harness_run.h"

static const char tiny_net[] =
    "image = input height=16 width=16 channels=3 divide=255\n"
    "conv1 = conv image filters=4 window=3x3 stride=1x1 dilation=1x1 pad=same\n"
    "conv1_bias = bias conv1\n"
    "conv1_relu = relu conv1_bias\n"
    "bn1 = batch_norm conv1_relu epsilon=0.001\n"
    "pool1 = max_pool bn1 window=4x4 stride=4x4 pad=same\n"
    "flat = flatten pool1\n"
    "drop1 = dropout flat rate=0.5\n"
    "dense1 = dense drop1 units=1\n"
    "dense1_bias = bias dense1\n"
    "p = sigmoid dense1_bias\n";

void harness_put_stripes(const char *path, int real, unsigned number)
{
    enum { side = 20 };
    char bytes[13 + side * side * 3];
    meso_random random = {number * 2 + (unsigned)real};
    size_t n = (size_t)snprintf(bytes, sizeof bytes, "P6 %d %d 255\n", side, side);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            for (int c = 0; c < 3; c++) {
                int stripe = (real ? y : x) / 2 % 2 ? 160 : 0;
                bytes[n++] = (char)(stripe + (int)meso_random_below(&random, 96));
            }
    harness_put(path, bytes, n);
}

void harness_put_training(size_t n_per_class)
{
    harness_put("tiny.net", tiny_net, 0);
    for (unsigned i = 0; i < n_per_class; i++)
        for (int real = 0; real < 2; real++) {
            char path[64];
            snprintf(path, sizeof path, "data/%s/%03u.ppm", real ? "real" : "fake", i);
            harness_put_stripes(path, real, i);
        }
}

char *harness_train(const char *words, int code)
{
    harness_result result = harness_run(&(harness_command){.words = words});
    size_t n = strlen(result.out) + strlen(result.err) + 1;
    char *text = malloc(n);
    assert_non_null(text);
    snprintf(text, n, "%s%s", result.out, result.err);
    if (result.code != code)
        fail_msg("mesocl %s ended with %d, not %d:\n%s", words, result.code, code, text);
    harness_forget(&result);
    return text;
}

int harness_start(const char *words)
{
    enum { max_words = 40 };
    char copy[1024], *argv[max_words + 2] = {MESOCL_PROGRAM};
    size_t n = 1;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word && n <= max_words; word = strtok(NULL, " "))
        argv[n++] = word;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int log = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(log, 1);
        dup2(log, 2);
        alarm(300); /* a busy machine may need it */
        execv(argv[0], argv);
        _exit(127);
    }
    assert_true(child > 0);
    return child;
}

int harness_wait_for(const char *pattern, int process)
{
    glob_t found = {0};
    for (;;) { /* the process ends, sooner or later */
        siginfo_t info = {0};
        if (glob(pattern, 0, NULL, &found) == 0) {
            globfree(&found);
            return 1;
        }
        if (waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid)
            return 0;
        usleep(1000);
    }
}

int harness_end(int process)
{
    int status = 0;
    assert_int_equal(waitpid(process, &status, 0), process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int harness_same_file(const char *a, const char *b)
{
    void *left = NULL, *right = NULL;
    size_t n_left = 0, n_right = 0;
    assert_int_equal(meso_file_read(a, 1 << 28, &left, &n_left, NULL, NULL), MESO_OK);
    assert_int_equal(meso_file_read(b, 1 << 28, &right, &n_right, NULL, NULL), MESO_OK);
    int same = n_left == n_right && memcmp(left, right, n_left) == 0;
    free(left);
    free(right);
    return same;
}

void harness_expect_same_runs(const char *a, const char *b)
{
    static const char *const files[] = {"best.safetensors", "last.safetensors", "metrics.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char left[64], right[64];
        snprintf(left, sizeof left, "%s/%s", a, files[i]);
        snprintf(right, sizeof right, "%s/%s", b, files[i]);
        if (!harness_same_file(left, right))
            fail_msg("%s and %s differ", left, right);
    }
}
