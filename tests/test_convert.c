/* SPDX-License-Identifier: Apache-2.0
 *
 * `mesocl convert` and `mesocl-h5import` as programs: what they say and how they end, on good,
 * damaged and hostile files. The hostile ones are made by tests/golden/make_hostile_h5.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "harness_device.h"
#include "mesocl/net.h"
#include "mesocl/weights.h"

static char bin[512];    /* where this test and the programs lie */
static char folder[128]; /* of this test's own files */

static int set_up(void **state)
{
    (void)state;
    const char *where = getenv("TMPDIR");
    ssize_t n = readlink("/proc/self/exe", bin, sizeof bin - 1);
    bin[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(bin, '/');
    if (!slash)
        return -1;
    *slash = '\0';
    snprintf(folder, sizeof folder, "%s/meso_convert_XXXXXX", where ? where : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

/* Fails, and the suite with it, if a test or a program left a file behind. */
static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Runs a shell command with $BIN and $DIR; what it prints, both streams, comes back in `said`.
 * Returns the exit code, −1 for a signal. */
static int run(char said[4096], const char *format, ...) __attribute__((format(printf, 2, 3)));
static int run(char said[4096], const char *format, ...)
{
    char command[2048];
    va_list arguments;
    int n = snprintf(command, sizeof command, "BIN='%s'; DIR='%s'; { ", bin, folder);
    va_start(arguments, format);
    n += vsnprintf(command + n, sizeof command - (size_t)n, format, arguments);
    va_end(arguments);
    snprintf(command + n, sizeof command - (size_t)n, "; } 2>&1");
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t got = fread(said, 1, 4095, pipe);
    said[got] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void put(const char *name, const void *bytes, size_t n)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(meso_file_write(path, bytes, n, NULL), MESO_OK);
}

static void drop(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(unlink(path), 0);
}

/* Refused with exit code `code`, in one sentence that names the file and holds `reason`; no output
 * file. */
static void expect_refusal(const char *path, int code, const char *reason)
{
    char said[4096];
    int got = run(said, "$BIN/mesocl convert %s -o $DIR/out.safetensors", path);
    char *end = strchr(said, '\n');
    if (got != code || strncmp(said, "mesocl: ", 8) != 0 || !end || end[1] || !strstr(said, reason))
        fail_msg("%s: exit code %d, expected %d; '%s', expected '%s'", path, got, code, said,
                 reason);
    assert_int_equal(run(said, "test ! -e $DIR/out.safetensors"), 0);
}

static void test_good(void **state)
{
    char said[4096], path[256];
    meso_weights *weights = NULL;
    (void)state;
    assert_int_equal(run(said, "$BIN/mesocl convert tests/fixtures/keras2_sequential.h5 --classes "
                               "original,deepfake -o $DIR/out.safetensors"),
                     0);
    assert_non_null(strstr(said, "whole model (.h5)"));
    assert_non_null(strstr(said, "from the file's architecture"));
    assert_non_null(strstr(said, "28 tensors"));
    snprintf(path, sizeof path, "%s/out.safetensors", folder);
    assert_int_equal(meso_weights_read(path, &weights, NULL), MESO_OK);
    assert_string_equal(meso_weights_get(weights, "mesocl.classes"), "original,deepfake");
    meso_weights_close(weights);
    drop("out.safetensors");
}

static void test_hostile(void **state)
{
    static const struct {
        const char *name, *reason;
    } rows[] = {
        {"soft_link.h5", "soft or external link"},
        {"external_link.h5", "soft or external link"},
        {"virtual.h5", "virtual dataset"},
        {"external_data.h5", "stored in another file"},
        {"shuffle.h5", "filter 2; only deflate"},
        {"five_dims.h5", "5 dimensions"},
        {"bomb.h5", "more than 1048576 values"},
        {"float64.h5", "fit no built-in net"}, /* read, like the other floats */
        {"text.h5", "holds neither float16, bfloat16"},
        {"missing.h5", "no dataset"},
        {"cycle.h5", "fit no built-in net"}, /* a legal file: the walk ends */
        {"vars_cycle.weights.h5", "nested more than 16 deep"},
        {"no_weights.keras", "no model.weights.h5"},
        {"zip_bomb.keras", "larger than 16 MiB"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "tests/fixtures/hostile_%s", rows[i].name);
        expect_refusal(path, 65, rows[i].reason);
    }
}

/* Refused with a way out. */
static void test_not_read(void **state)
{
    char said[4096];
    (void)state;
    expect_refusal("tests/fixtures/kind_int8.keras", 65, "quantised (int8)");
    expect_refusal("tests/fixtures/kind_int8.weights.h5", 65, "holds int8 values");
    expect_refusal("tests/fixtures/kind_normalization.keras", 65, "a BatchNormalization");
    /* What predict would refuse. */
    assert_int_equal(run(said, "sed '$d' tests/fixtures/kind.net > $DIR/bare.net"), 0);
    assert_int_equal(run(said, "$BIN/mesocl convert tests/fixtures/kind_parts.weights.json "
                               "-o $DIR/out.safetensors --net $DIR/bare.net"),
                     65);
    assert_non_null(strstr(said, "gives 1 outputs of bias"));
    drop("bare.net");
}

static void test_parts(void **state)
{
    static const char index[] = "{\"weight_map\": {\"/vars\": [\"../x.weights.h5\"]}}";
    char said[4096];
    (void)state;
    assert_int_equal(run(said, "$BIN/mesocl convert tests/fixtures/kind_parts.weights.json "
                               "-o $DIR/out.safetensors --net tests/fixtures/kind.net"),
                     0);
    assert_non_null(strstr(said, "divided by 255, which is assumed"));
    drop("out.safetensors");
    put("in.json", index, sizeof index - 1);
    assert_int_equal(run(said, "$BIN/mesocl convert $DIR/in.json -o $DIR/out.safetensors"), 65);
    assert_non_null(strstr(said, "in another folder"));
    drop("in.json");
}

static void test_other_files(void **state)
{
    static const char signature[512] = "\x89HDF\r\n\x1a\n";
    char path[256];
    meso_random random = {7};
    unsigned char noise[4096];
    (void)state;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)meso_random_u64(&random);
    const struct {
        const void *bytes;
        size_t n;
        const char *reason;
    } rows[] = {
        {"", 0, "empty"},
        {"<html>404</html>", 16, "not a Keras file"},
        {noise, sizeof noise, "not a Keras file"},
        {signature, 8, "not a Keras file"},
        {signature, sizeof signature, "not a Keras file"},
        {"PK\3\4 but no zip", 15, "a ZIP archive"},
        {"PK\3\4 config.json", 16, "the zip is damaged"},
        {"PK\3\4......archive/data.pkl", 27, "a pickle, as PyTorch"},
        {"\x80\2}q", 4, "a pickle, as PyTorch"},
        {"\x10\0\0\0\0\0\0\0{\"a\"", 12, "a safetensors file"},
        {"\x1C\0\0\0TFL3", 8, "a TensorFlow Lite model"},
        {"\x08\x07\x12\x07pytorch", 11, "an ONNX model"},
        {"\x93NUMPY", 6, "a NumPy array"},
        {"version https://git-lfs", 23, "a Git LFS pointer"},
    };
    snprintf(path, sizeof path, "%s/in", folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put("in", rows[i].bytes, rows[i].n);
        expect_refusal(path, 65, rows[i].reason);
    }
    drop("in");
    expect_refusal(path, 66, "No such file");
    expect_refusal(folder, 66, "not a regular file");
    put("saved_model.pb", "", 0);
    expect_refusal(folder, 65, "a SavedModel folder");
    drop("saved_model.pb");
    expect_refusal("tests/golden/keras_fixtures.json", 65, "no weight_map");
}

/* Cut anywhere, a file is refused; with any byte changed it is refused or read, and nothing
 * crashes. */
static void damage(const char *path, const char *name)
{
    enum { n_trials = 40 };
    void *bytes = NULL;
    size_t n = 0;
    char said[4096], damaged[256];
    meso_random random = {11};
    assert_int_equal(meso_file_read(path, 1 << 20, &bytes, &n, NULL, NULL), MESO_OK);
    snprintf(damaged, sizeof damaged, "%s/%s", folder, name);
    for (int i = 0; i < n_trials; i++) {
        put(name, bytes, meso_random_below(&random, n));
        expect_refusal(damaged, 65, "");
    }
    for (int i = 0; i < n_trials; i++) {
        unsigned char *byte = (unsigned char *)bytes + meso_random_below(&random, n);
        unsigned char old = *byte;
        *byte ^= (unsigned char)(1 + meso_random_below(&random, 255));
        put(name, bytes, n);
        *byte = old;
        int code = run(said, "$BIN/mesocl convert %s -o $DIR/out.safetensors", damaged);
        if (code == 0)
            drop("out.safetensors");
        else if (code != 65 || strncmp(said, "mesocl: ", 8) != 0)
            fail_msg("trial %d: exit code %d, '%s'", i, code, said);
    }
    drop(name);
    free(bytes);
}

static void test_damaged(void **state)
{
    (void)state;
    damage("tests/fixtures/keras2_sequential.h5", "in.h5");
    damage("tests/fixtures/keras3_functional.keras", "in.keras");
}

/* What was accepted has every tensor of the net in its shape, and numbers in them. */
static void expect_meso4(const char *path)
{
    meso_weights *weights = NULL;
    meso_net *net = NULL;
    meso_error error = {0};
    if (meso_net_open("meso4", &net, &error) != MESO_OK ||
        meso_weights_read(path, &weights, &error) != MESO_OK ||
        meso_weights_check(weights, net, &error) != MESO_OK)
        fail_msg("%s", error.text);
    assert_int_equal(meso_weights_n_tensors(weights), 28);
    meso_weights_close(weights);
    meso_net_close(net);
}

/* The published file, damaged in one of three ways: a byte changed anywhere, a byte changed in the
 * structure (its first part), or cut. */
static void test_published_damaged(void **state)
{
    enum { structure = 24 << 10 };
    const int n_trials = getenv("MESO_FULL") ? 1200 : 100;
    void *bytes = NULL;
    size_t n = 0;
    int n_accepted = 0;
    char said[4096], damaged[256], out[256];
    meso_random random = {13};
    (void)state;
    assert_int_equal(
        meso_file_read(harness_data("weights/Meso4_DF.h5"), 1 << 20, &bytes, &n, NULL, NULL),
        MESO_OK);
    snprintf(damaged, sizeof damaged, "%s/in.h5", folder);
    snprintf(out, sizeof out, "%s/out.safetensors", folder);
    for (int i = 0; i < n_trials; i++) {
        size_t cut = i % 3 == 2 ? meso_random_below(&random, n) : n;
        unsigned char *byte =
            (unsigned char *)bytes +
            meso_random_below(&random, i % 3 == 1 && n > structure ? structure : n);
        unsigned char old = *byte;
        if (cut == n)
            *byte ^= (unsigned char)(1 + meso_random_below(&random, 255));
        put("in.h5", bytes, cut);
        *byte = old;
        int code = run(said, "$BIN/mesocl convert %s -o %s", damaged, out);
        if (code == 0) {
            expect_meso4(out);
            assert_null(strstr(said, "known as")); /* its hash is another one */
            drop("out.safetensors");
            n_accepted++;
        } else if (code != 65 || strncmp(said, "mesocl: ", 8) != 0) {
            fail_msg("trial %d: exit code %d, '%s'", i, code, said);
        } else if (strstr(said, "signal")) {
            print_message("trial %d: %s", i, said);
        }
    }
    print_message("%d damaged copies, %d accepted\n", n_trials, n_accepted);
    assert_true(n_accepted < n_trials * 2 / 3); /* a third is cut */
    drop("in.h5");
    free(bytes);
}

static void test_command_line(void **state)
{
    static const struct {
        const char *command;
        int code;
        const char *said;
    } rows[] = {
        {"$BIN/mesocl convert tests/fixtures/keras2_sequential.h5", 2, "--output FILE is missing"},
        {"$BIN/mesocl convert -o $DIR/out.safetensors", 2, "convert"},
        {"$BIN/mesocl convert tests/fixtures/keras2_sequential.h5 -o $DIR/o.safetensors --classes "
         "cat,dog",
         2, "one must be a name for fake"},
        {"$BIN/mesocl convert tests/fixtures/keras2_sequential.h5 -o $DIR/o.safetensors --net "
         "nonsense",
         66, "neither a built-in net"},
        {"$BIN/mesocl convert tests/fixtures/keras2_sequential.h5 -o $DIR/none/o.safetensors", 73,
         "none/o.safetensors"},
        {"$BIN/mesocl convert tests/fixtures/keras2_sequential.h5 -o $DIR/o.st", 2,
         "ends in .safetensors"},
        {"$BIN/mesocl init meso4 -o $DIR/o.st", 2, "ends in .safetensors"},
        {"$BIN/mesocl convert --help", 0, "mesocl-h5import"},
        /* The reader is missing, crashes, fails without a word, or is another program. */
        {"MESO_H5IMPORT=/none $BIN/mesocl convert tests/fixtures/keras2_sequential.h5 -o "
         "$DIR/o.safetensors",
         70, "no program there"},
        {"MESO_H5IMPORT=$DIR/crash $BIN/mesocl convert tests/fixtures/keras2_sequential.h5 -o "
         "$DIR/o.safetensors",
         65, "signal 9"},
        {"MESO_H5IMPORT=$(which false) $BIN/mesocl convert tests/fixtures/keras2_sequential.h5 -o "
         "$DIR/o.safetensors",
         70, "without a word"},
        {"MESO_H5IMPORT=$(which cat) $BIN/mesocl convert tests/fixtures/keras2_sequential.h5 -o "
         "$DIR/o.safetensors",
         65, "no valid stream"},
        /* The reader by itself. */
        {"$BIN/mesocl-h5import --none", 2, "usage"},
        {"$BIN/mesocl-h5import a b", 2, "usage"},
        {"$BIN/mesocl-h5import $DIR/none", 66, "cannot open"},
        {"$BIN/mesocl-h5import $DIR", 66, "not a regular file"},
        {"$BIN/mesocl-h5import tests/fixtures/keras2_sequential.h5 >$DIR/crash", 74,
         "must be a pipe"},
        {"$BIN/mesocl-h5import tests/fixtures/keras2_sequential.h5 | cksum >$DIR/crash;"
         "$BIN/mesocl-h5import <tests/fixtures/keras2_sequential.h5 | cksum | cmp - $DIR/crash",
         0, ""},
    };
    char path[256];
    (void)state;
    put("crash", "#!/bin/sh\nkill -9 $$\n", 21);
    snprintf(path, sizeof path, "%s/crash", folder);
    assert_int_equal(chmod(path, 0700), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char said[4096];
        int code = run(said, "%s", rows[i].command);
        if (code != rows[i].code || !strstr(said, rows[i].said))
            fail_msg("%s: exit code %d, '%s'", rows[i].command, code, said);
    }
    drop("crash");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_not_read),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_published_damaged),
        cmocka_unit_test(test_command_line),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
