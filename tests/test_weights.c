/* SPDX-License-Identifier: Apache-2.0
 *
 * safetensors: what is written is read back, and nothing else is believed.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "mesocl/weights.h"

static char folder[64];
static char path[128];

static int set_up(void **state)
{
    (void)state;
    const char *where = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/meso_weights_XXXXXX", where ? where : "/tmp");
    snprintf(path, sizeof path, "%s/w.safetensors", mkdtemp(folder) ? folder : "?");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    /* Fails, and the suite with it, if a test left a temporary file behind. */
    return rmdir(folder);
}

/* 8 bytes of length, header, n_data bytes whose words are all `word`. length −1: the header's own.
 */
static void write_file(int64_t length, const char *header, size_t n_data, uint32_t word)
{
    size_t n_header = strlen(header), n = 8 + n_header + n_data;
    unsigned char *bytes = malloc(n);
    uint64_t claimed = length < 0 ? n_header : (uint64_t)length;
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(claimed >> 8 * i);
    memcpy(bytes + 8, header, n_header);
    for (size_t i = 0; i < n_data; i++)
        bytes[8 + n_header + i] = (unsigned char)(word >> 8 * (i % 4));
    assert_int_equal(meso_file_write(path, bytes, n, NULL), MESO_OK);
    free(bytes);
}

/* Tensors a [2][2] and b [3], 28 bytes. Each attack below changes one thing of it. */
#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}"
#define B "\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16,28]}"

enum { ONE = 0x3F800000 };

static const struct attack {
    int64_t length;
    const char *header;
    size_t n_data;
    uint32_t word;
    const char *reason;
} attacks[] = {
    {29, "{" A "," B "}", 28, ONE, "not valid JSON"},
    {1 << 20, "{" A "," B "}", 28, ONE, "cut off: a header of 1048576 bytes"},
    {(1 << 20) + 1, "{" A "," B "}", 28, ONE, "at most 1048576 are allowed"},
    {INT64_MAX, "{" A "," B "}", 28, ONE, "a header of 9223372036854775807 bytes"},
    {0, "{" A "," B "}", 28, ONE, "does not begin with '{'"},
    {-1, " {" A "," B "}", 28, ONE, "does not begin with '{'"},
    {-1, "[{" A "," B "}]", 28, ONE, "does not begin with '{'"},
    {-1, "{" A "," B "} x", 28, ONE, "not valid JSON"},
    {-1, "{" A "," A "," B "}", 28, ONE, "duplicate"},
    {-1, "{" A ",\"\xFF\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16,28]}}", 28, ONE,
     "not valid JSON"},
    {-1, "{" A ",\"b\\u0000\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16,28]}}", 28, ONE,
     "not valid JSON"},
    {-1, "{" A ",\"\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16,28]}}", 28, ONE,
     "cannot be a tensor's name"},
    {-1, "{\"__metadata__\":[]," A "," B "}", 28, ONE, "__metadata__ is not an object"},
    {-1, "{\"__metadata__\":{\"k\":1}," A "," B "}", 28, ONE, "metadata k is not a string"},
    {-1, "{" A ",\"b\":{\"shape\":[3],\"data_offsets\":[16,28],\"x\":1}}", 28, ONE,
     "dtype missing"},
    {-1, "{" A ",\"b\":{\"dtype\":\"I8\",\"shape\":[12],\"data_offsets\":[16,28]}}", 28, ONE,
     "has dtype I8; MesoCL reads F16, BF16, F32 and F64"},
    {-1, "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, 0x47F00000,
     "value 0 is not finite"}, /* as a float */
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16,28],\"x\":1}}", 28,
     ONE, "nothing else"},
    {-1, "{" A ",\"b\":7}", 28, ONE, "nothing else"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":3,\"data_offsets\":[16,28]}}", 28, ONE,
     "has no shape"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,3],\"data_offsets\":[16,28]}}", 28,
     ONE, "5 dimensions"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[-3],\"data_offsets\":[16,28]}}", 28, ONE,
     "not a whole number"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[3.0],\"data_offsets\":[16,28]}}", 28, ONE,
     "not a whole number"},
    /* 2³² · 2³² wraps to 0: an "empty" tensor of 16 exabytes. */
    {-1,
     "{" A "," B
     ",\"c\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[28,28]}}",
     28, ONE, "more than a file can hold"},
    {-1,
     "{" A "," B
     ",\"c\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,0],\"data_offsets\":[28,28]}}",
     28, ONE, "more than a file can hold"},
    /* 2⁶² values: times 4 bytes wraps to 0. */
    {-1,
     "{" A "," B
     ",\"c\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[28,28]}}",
     28, ONE, "more than a file can hold"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16]}}", 28, ONE,
     "not [begin, end]"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[28,16]}}", 28, ONE,
     "not [begin, end]"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16,27]}}", 28, ONE,
     "span 11 bytes, its shape 3 needs 12"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[20,32]}}", 32, ONE,
     "leaving a hole"},
    {-1, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[4,20]}}", 20, ONE,
     "leaving a hole"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[12,24]}}", 28, ONE,
     "overlapping"},
    {-1, "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", 16, ONE,
     "overlapping"},
    {-1, "{" A "," B "}", 29, ONE, "the file goes on to 29"},
    {-1, "{" A "," B "}", 27, ONE, "the file is cut off after 27"},
    {-1, "{" A "," B "}", 28, 0x7F800000, "value 0 is not finite"},
    {-1, "{" A "," B "}", 28, 0x7FC00000, "value 0 is not finite"},
    {-1, "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, 0x7C003C00,
     "value 1 is not finite"},
};

static void test_attacks(void **state)
{
    (void)state;
    meso_weights *weights = NULL;
    write_file(-1, "{" A "," B "}", 28, ONE);
    assert_int_equal(meso_weights_read(path, &weights, NULL), MESO_OK);
    meso_weights_close(weights);
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        const struct attack *a = &attacks[i];
        meso_error error = {0};
        weights = NULL;
        write_file(a->length, a->header, a->n_data, a->word);
        if (meso_weights_read(path, &weights, &error) != MESO_ERROR_DATA || weights ||
            !strstr(error.text, a->reason))
            fail_msg("attack %zu: expected '%s', got '%s'", i, a->reason, error.text);
    }
}

static void test_short_files(void **state)
{
    (void)state;
    meso_weights *weights = NULL;
    meso_error error = {0};
    for (size_t n = 0; n < 8; n++) {
        assert_int_equal(meso_file_write(path, "\2\0\0\0\0\0\0\0", n, NULL), MESO_OK);
        assert_int_equal(meso_weights_read(path, &weights, &error), MESO_ERROR_DATA);
        assert_non_null(strstr(error.text, "a header alone takes 8"));
    }
    assert_int_equal(meso_weights_read("no such file", &weights, &error), MESO_ERROR_NO_INPUT);
    assert_int_equal(meso_weights_read(folder, &weights, &error), MESO_ERROR_NO_INPUT);
    assert_null(weights);
}

/* The sign of a zero, subnormals and the ends of the range are among them. */
static const float odd_values[6] = {-0.0f, 1e-45f, -1.17549435e-38f, 3.40282347e38f, 0.1f, -7};

static void test_round_trip(void **state)
{
    (void)state;
    meso_weights *out = NULL, *in = NULL;
    const size_t dims[] = {3, 1, 2};
    char hash[33];
    void *bytes = NULL;
    size_t n = 0;
    assert_int_equal(meso_weights_create(&out, NULL), MESO_OK);
    assert_int_equal(meso_weights_add(out, "z.kernel", dims, 3, odd_values, NULL), MESO_OK);
    assert_int_equal(meso_weights_add(out, "a.scalar", NULL, 0, odd_values + 4, NULL), MESO_OK);
    assert_int_equal(meso_weights_add(out, "naïve.empty", (size_t[]){0}, 1, NULL, NULL), MESO_OK);
    assert_int_equal(meso_weights_set(out, "mesocl.net", "a = b\n\"\\", NULL), MESO_OK);
    assert_int_equal(meso_weights_set(out, "mesocl.net", "x = y\n\"\\é", NULL), MESO_OK);
    assert_int_equal(meso_weights_write(out, path, NULL), MESO_OK);

    assert_int_equal(meso_weights_read(path, &in, NULL), MESO_OK);
    assert_int_equal(meso_weights_n_tensors(in), 3);
    assert_string_equal(meso_weights_get(in, "mesocl.net"), "x = y\n\"\\é");
    assert_null(meso_weights_get(in, "mesocl.classes"));
    const meso_tensor *t = meso_weights_tensor(in, 0);
    assert_string_equal(t->name, "z.kernel");
    assert_int_equal(t->n_dims, 3);
    assert_memory_equal(t->dims, dims, sizeof dims);
    assert_memory_equal(t->values, odd_values, sizeof odd_values);
    assert_int_equal(meso_weights_find(in, "a.scalar")->n_dims, 0);
    assert_memory_equal(meso_weights_find(in, "a.scalar")->values, odd_values + 4, sizeof(float));
    assert_int_equal(meso_weights_find(in, "naïve.empty")->n_values, 0);
    assert_null(meso_weights_tensor(in, 3));

    assert_int_equal(meso_file_read(path, 1 << 20, &bytes, &n, NULL, NULL), MESO_OK);
    meso_hash_hex(bytes, n, hash);
    assert_string_equal(meso_weights_hash(in), hash);
    assert_string_equal(meso_weights_hash(out), "");
    /* Readers that map the file want aligned values. */
    assert_int_equal(((unsigned char *)bytes)[0] % 8, 0);
    free(bytes);
    meso_weights_close(in);
    meso_weights_close(out);
}

static void test_add_refuses(void **state)
{
    (void)state;
    meso_weights *w = NULL;
    const float value = 1;
    const size_t ones[] = {1, 1, 1, 1, 1}, huge[] = {SIZE_MAX / 4, 2};
    assert_int_equal(meso_weights_create(&w, NULL), MESO_OK);
    assert_int_equal(meso_weights_add(w, "a", ones, 1, &value, NULL), MESO_OK);
    assert_int_equal(meso_weights_add(w, "a", ones, 1, &value, NULL), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_weights_add(w, "b", ones, 5, &value, NULL), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_weights_add(w, "c", huge, 2, &value, NULL), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_weights_add(w, "__metadata__", ones, 1, &value, NULL),
                     MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_weights_set(w, "k", "\xFF", NULL), MESO_ERROR_ARGUMENT);
    assert_int_equal(meso_weights_n_tensors(w), 1);
    meso_weights_close(w);
    meso_weights_close(NULL);
}

/* By the definition of the format, in double. */
static double half_value(uint32_t half)
{
    double fraction = half & 0x3FF;
    int exponent = (int)(half >> 10 & 31);
    double value = exponent ? ldexp(1 + fraction / 1024, exponent - 15) : ldexp(fraction, -24);
    return half & 0x8000 ? -value : value;
}

/* Every finite half: signs, zeros, subnormals. */
static void test_half_is_widened_exactly(void **state)
{
    (void)state;
    enum { n_positive = 31 * 1024, n = 2 * n_positive };
    static const char header[] =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[63488],\"data_offsets\":[0,126976]}}";
    static unsigned char bytes[8 + sizeof header - 1 + 2 * n];
    meso_weights *weights = NULL;
    bytes[0] = sizeof header - 1;
    memcpy(bytes + 8, header, sizeof header - 1);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t half = i < n_positive ? i : 0x8000 + i - n_positive;
        bytes[8 + sizeof header - 1 + 2 * i] = (unsigned char)half;
        bytes[8 + sizeof header - 1 + 2 * i + 1] = (unsigned char)(half >> 8);
    }
    assert_int_equal(meso_file_write(path, bytes, sizeof bytes, NULL), MESO_OK);
    assert_int_equal(meso_weights_read(path, &weights, NULL), MESO_OK);
    const float *values = meso_weights_find(weights, "h")->values;
    for (uint32_t i = 0; i < n; i++) {
        double expected = half_value(i < n_positive ? i : 0x8000 + i - n_positive);
        assert_true((double)values[i] == expected);
        assert_true(!signbit(values[i]) == !signbit(expected));
    }
    meso_weights_close(weights);
}

/* Both from the same words, 0x3FF00000: doubles of 1 + 0x3FF00000 / 2^52, and 0 and 1.875. */
static void test_other_floats(void **state)
{
    meso_weights *weights = NULL;
    (void)state;
    write_file(-1,
               "{\"d\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]},"
               "\"b\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[16,24]}}",
               24, 0x3FF00000);
    assert_int_equal(meso_weights_read(path, &weights, NULL), MESO_OK);
    const meso_tensor *d = meso_weights_find(weights, "d"), *b = meso_weights_find(weights, "b");
    assert_int_equal(d->n_values, 2);
    assert_int_equal(b->n_values, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(b->values[i] == (i % 2 ? 1.875f : 0));
        assert_true(d->values[i / 2] == (float)(1 + ldexp(0x3FF00000, -52)));
    }
    meso_weights_close(weights);
}

/* A full disk is played by a limit on file size: the old file must stay as it was. */
static void test_failed_write_keeps_the_old_file(void **state)
{
    (void)state;
    static const float many[8192];
    meso_weights *small = NULL, *large = NULL, *in = NULL;
    meso_error error = {0};
    char nowhere[160];
    struct rlimit old, limit;
    assert_int_equal(meso_weights_create(&small, NULL), MESO_OK);
    assert_int_equal(meso_weights_create(&large, NULL), MESO_OK);
    assert_int_equal(meso_weights_add(small, "s", (size_t[]){1}, 1, odd_values, NULL), MESO_OK);
    assert_int_equal(meso_weights_add(large, "l", (size_t[]){8192}, 1, many, NULL), MESO_OK);
    assert_int_equal(meso_weights_write(small, path, NULL), MESO_OK);

    getrlimit(RLIMIT_FSIZE, &old);
    limit = (struct rlimit){4096, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    meso_status status = meso_weights_write(large, path, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, MESO_ERROR_IO);
    assert_non_null(strstr(error.text, "w.safetensors"));
    assert_int_equal(meso_weights_read(path, &in, NULL), MESO_OK);
    assert_non_null(meso_weights_find(in, "s"));

    /* A folder that nothing can be created in, for root, too: it is a file. */
    snprintf(nowhere, sizeof nowhere, "%s/w", path);
    assert_int_equal(meso_weights_write(small, nowhere, &error), MESO_ERROR_CREATE);
    meso_weights_close(in);
    meso_weights_close(small);
    meso_weights_close(large);
}

static const char net_text[] = "image = input height=4 width=4 channels=1 divide=255\n"
                               "c = conv image filters=2 window=3 stride=1 dilation=1 pad=same\n"
                               "n = batch_norm c epsilon=0.001\n";

/* One tensor each differs from what the net wants. */
static const struct misfit {
    const char *name; /* the tensor that is changed; NULL: none */
    const char *instead;
    size_t dims[4], n_dims;
    float value;
    const char *reason;
} misfits[] = {
    {NULL, NULL, {0}, 0, 0, NULL},
    {"n.beta", "n.offset", {2}, 1, 1, "n.beta is missing"},
    {"n.beta", NULL, {0}, 0, 1, "n.beta is missing"},
    {"c.kernel",
     "c.kernel",
     {3, 3, 2, 1},
     4,
     1,
     "c.kernel has shape 3x3x2x1; the net needs 3x3x1x2"},
    {"c.kernel", "c.kernel", {9, 2}, 2, 1, "c.kernel has shape 9x2"},
    {"n.moving_variance", "n.moving_variance", {2}, 1, 0, NULL},
    {"n.moving_variance", "n.moving_variance", {2}, 1, -1, "a variance cannot be negative"},
    {"n.gamma", "n.gamma", {2}, 1, NAN, "n.gamma: value 0 is not finite"},
    {"n.gamma", "n.gamma", {2}, 1, INFINITY, "n.gamma: value 0 is not finite"},
    {"", "c.bias", {2}, 1, 1, "c.bias (2) belongs to no layer"},
    {"", "N.gamma", {2}, 1, 1, "N.gamma (2) belongs to no layer"}, /* names have cases */
    {"", "c.kernel.1", {1}, 1, 1, "c.kernel.1 (1) belongs to no layer"},
    {"c.kernel", NULL, {0}, 0, 1, "c.kernel is missing"},
    {"c.kernel", "c.weight", {3, 3, 1, 2}, 4, 1, "c.kernel is missing"},
    {"c.kernel", "c.kernel", {1, 3, 3, 2}, 4, 1, "c.kernel has shape 1x3x3x2"},
    {"c.kernel", "c.kernel", {3, 3, 2}, 3, 1, "c.kernel has shape 3x3x2;"},
    {"c.kernel", "c.kernel", {3, 3, 1, 2}, 4, NAN, "c.kernel: value 0 is not finite"},
    {"c.kernel", "c.kernel", {3, 3, 1, 2}, 4, -INFINITY, "c.kernel: value 0 is not finite"},
    {"n.gamma", "n.gamma", {1}, 1, 1, "n.gamma has shape 1;"},
    {"n.gamma", "n.gamma", {0}, 0, 1, "n.gamma has shape scalar"},
    {"n.gamma", "n.gamma", {2, 1}, 2, 1, "n.gamma has shape 2x1"},
    {"n.moving_mean", "n.moving_mean", {0}, 1, 1, "n.moving_mean has shape 0;"},
    {"n.moving_mean", "n.running_mean", {2}, 1, 1, "n.moving_mean is missing"},
    {"n.moving_mean", "n.moving_mean", {2}, 1, NAN, "n.moving_mean: value 0 is not finite"},
    {"n.moving_variance", "n.moving_variance", {2}, 1, -0.0f, NULL},
    {"n.moving_variance", "n.moving_variance", {2}, 1, -1e-45f, "a variance cannot be negative"},
    {"n.moving_variance", "n.moving_variance", {2}, 1, NAN, "n.moving_variance: value 0 is not"},
    {"n.moving_variance", "n.moving_variance", {2}, 1, INFINITY, "value 0 is not finite"},
};

static void test_check(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t dims[4], n_dims;
    } rows[] = {{"c.kernel", {3, 3, 1, 2}, 4}, {"n.gamma", {2}, 1},           {"n.beta", {2}, 1},
                {"n.moving_mean", {2}, 1},     {"n.moving_variance", {2}, 1}, {"", {0}, 1}};
    meso_net *net = NULL;
    assert_int_equal(meso_net_parse(net_text, "test", &net, NULL), MESO_OK);
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        const struct misfit *m = &misfits[i];
        meso_weights *w = NULL;
        meso_error error = {0};
        assert_int_equal(meso_weights_create(&w, NULL), MESO_OK);
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
            float values[18];
            int changed = m->name && strcmp(m->name, rows[k].name) == 0;
            const char *name = changed ? m->instead : rows[k].name;
            for (int v = 0; v < 18; v++)
                values[v] = changed ? m->value : 1;
            if (name && name[0])
                assert_int_equal(meso_weights_add(w, name, changed ? m->dims : rows[k].dims,
                                                  changed ? m->n_dims : rows[k].n_dims, values,
                                                  NULL),
                                 MESO_OK);
        }
        meso_status status = meso_weights_check(w, net, &error);
        if (status != (m->reason ? MESO_ERROR_DATA : MESO_OK) ||
            (m->reason && !strstr(error.text, m->reason)))
            fail_msg("misfit %zu: '%s'", i, error.text);
        meso_weights_close(w);
    }
    meso_net_close(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_short_files),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_add_refuses),
        cmocka_unit_test(test_half_is_widened_exactly),
        cmocka_unit_test(test_other_floats),
        cmocka_unit_test(test_failed_write_keeps_the_old_file),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
