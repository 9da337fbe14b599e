/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl predict as a program, with seeded weights on a device: rows in every format, refusals,
 * lists, exit codes, interruption.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "data/list/csv.h"
#include "harness_device.h"
#include "harness_run.h"
#include "mesocl/model.h"
#include "mesocl/weights.h"

/* Names that break what splits, quotes or shows them carelessly. */
static const char *const hostile_names[] = {
    "=cmd|'calc'!A1.ppm", "a,\"b\".ppm",  "line\nbreak.ppm", "\x1b[31mred.ppm",
    "\xff\xfe.ppm",       "<script>.ppm", "-w.ppm",          "back\\slash.ppm",
};
enum { n_hostile = sizeof hostile_names / sizeof hostile_names[0] };

static char own_weights_hash[33]; /* of weights/meso4.safetensors */

static int make_weights(void **state)
{
    const harness_command init = {.words = "init meso4 -o w.safetensors"};
    if (harness_enter_folder(state) != 0)
        return -1;
    harness_result result = harness_run(&init);
    int code = result.code;
    harness_forget(&result);
    return code;
}

/* Runs; the code must be the one given. The result is the caller's. */
static harness_result run_as(const harness_command *command, int code)
{
    harness_result result = harness_run(command);
    if (result.code != code)
        fail_msg("mesocl %s\nended with %d instead of %d:\n%s%s",
                 command->words ? command->words : "(argv)", result.code, code, result.out,
                 result.err);
    return result;
}

static harness_result run(const char *words, int code)
{
    const harness_command command = {.words = words};
    return run_as(&command, code);
}

static void require_device(void)
{
    meso_device_close(harness_device());
}

static void rows_are_aligned_text(void **state)
{
    double fake, real;
    char label[8], file[32];
    int n = 0;
    (void)state;
    require_device();
    harness_put_picture("d/a.ppm", 16, 0x102030);
    harness_put_picture("d/b.ppm", 256, 0xFF8000);
    harness_result result = run("predict -w w.safetensors d", 0);
    for (const char *line = result.out; *line; line = strchr(line, '\n') + 1, n++) {
        assert_int_equal(sscanf(line, "%7s %lf %lf %31s\n", label, &fake, &real, file), 4);
        assert_string_equal(file, n ? "d/b.ppm" : "d/a.ppm");
        assert_string_equal(label, real > 0.5 ? "real" : "fake");
        assert_true(fabs(fake + real - 1) <= 2e-6);
        assert_int_equal(strstr(line, "d/") - line, 26);
    }
    assert_int_equal(n, 2);
    assert_memory_equal(result.err, "mesocl: 2 images scored, 0 refused: ", 36);
    harness_forget(&result);
    result = run("predict -w w.safetensors -t 0 d/a.ppm", 0);
    assert_memory_equal(result.out, "real  ", 6);
    harness_forget(&result);
    result = run("predict -w w.safetensors --threshold=1 d/a.ppm", 0);
    assert_memory_equal(result.out, "fake  ", 6);
    assert_string_equal(result.err, "");
    harness_forget(&result);
}

/* The same numbers, to the bit, whatever the batch, the threads, the format's order and the locale.
 */
static void batches_and_threads_change_nothing(void **state)
{
    static const char *const options[] = {"--batch 1 --threads 1", "--batch 2 --threads 7",
                                          "--batch 64", "--threads 3"};
    static const char *const german[] = {"LC_ALL=de_DE.UTF-8", "COLUMNS=20", NULL};
    (void)state;
    require_device();
    for (unsigned i = 0; i < 11; i++) {
        char path[32];
        snprintf(path, sizeof path, "d/%02u.ppm", i);
        if (i % 4 == 3)
            harness_put(path, "no picture", 0);
        else
            harness_put_picture(path, 8 << i % 3, i * 0x172233);
    }
    harness_result wanted = run("predict -w w.safetensors --csv d", 0);
    assert_non_null(strstr(wanted.out, "d/03.ppm,,,,unknown_format,"));
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char words[128];
        snprintf(words, sizeof words, "predict -w w.safetensors --csv d %s", options[i]);
        const harness_command command = {.words = words, .environment = german};
        harness_result result = run_as(&command, 0);
        assert_string_equal(result.out, wanted.out);
        harness_forget(&result);
    }
    harness_forget(&wanted);
}

static void put_hostile_files(void)
{
    for (size_t i = 0; i < n_hostile; i++)
        harness_put_picture(hostile_names[i], 4, (unsigned)i);
}

/* A command line that names every hostile file. */
static void fill_argv(const char *argv[8 + n_hostile], const char *format)
{
    const char *const head[] = {"predict", "-w", "w.safetensors", format, "--"};
    size_t n = sizeof head / sizeof head[0];
    memcpy(argv, head, sizeof head);
    for (size_t i = 0; i < n_hostile; i++)
        argv[n++] = hostile_names[i];
    argv[n] = NULL;
}

static void csv_keeps_hostile_names_apart(void **state)
{
    const char *argv[8 + n_hostile];
    const harness_command command = {.argv = argv};
    meso_csv csv;
    (void)state;
    require_device();
    put_hostile_files();
    fill_argv(argv, "--csv");
    harness_result result = run_as(&command, 0);
    meso_csv_start(&csv, result.out, strlen(result.out), "stdout");
    assert_int_equal(meso_csv_next(&csv, NULL), MESO_OK);
    assert_int_equal(csv.n_fields, 6);
    assert_string_equal(csv.fields[0], "file");
    assert_string_equal(csv.fields[5], "detail");
    for (size_t i = 0; i < n_hostile; i++) {
        int formula = strchr("=-", hostile_names[i][0]) != NULL; /* a spreadsheet would run it */
        assert_int_equal(meso_csv_next(&csv, NULL), MESO_OK);
        assert_int_equal(csv.n_fields, 6);
        assert_string_equal(csv.fields[0] + formula, hostile_names[i]);
        assert_true(!formula || csv.fields[0][0] == '\'');
        assert_true(fabs(atof(csv.fields[2]) + atof(csv.fields[3]) - 1) <= 1e-8);
    }
    assert_int_equal(meso_csv_next(&csv, NULL), MESO_OK);
    assert_int_equal(csv.n_fields, 0);
    harness_forget(&result);
}

static void text_escapes_hostile_names(void **state)
{
    const char *argv[8 + n_hostile];
    const harness_command command = {.argv = argv};
    size_t lines = 0;
    (void)state;
    require_device();
    put_hostile_files();
    fill_argv(argv, "--strict");
    harness_result result = run_as(&command, 0);
    for (const char *c = result.out; *c; c++) {
        lines += *c == '\n';
        assert_true(*c == '\n' || (unsigned char)*c >= ' ');
    }
    assert_int_equal(lines, n_hostile);
    assert_non_null(strstr(result.out, "\\xFF\\xFE.ppm\n"));
    assert_non_null(strstr(result.out, "line\\x0Abreak.ppm\n"));
    harness_forget(&result);
}

static void json_is_one_document(void **state)
{
    const char *argv[8 + n_hostile], *schema, *hash, *text;
    const harness_command command = {.argv = argv};
    json_t *images, *provenance, *passed;
    int n_ok, n_refused, n_fake, n_real;
    double threshold;
    (void)state;
    require_device();
    put_hostile_files();
    harness_put(hostile_names[2], "", 0); /* refused: empty */
    remove(hostile_names[3]);             /* refused: vanished */
    fill_argv(argv, "--json");
    harness_result result = run_as(&command, 0);
    json_t *document = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_unpack(document, "{sssosFsosisisisiso!}", "schema", &schema, "provenance",
                                 &provenance, "threshold", &threshold, "images", &images, "n_ok",
                                 &n_ok, "n_refused", &n_refused, "n_fake", &n_fake, "n_real",
                                 &n_real, "passed_over", &passed),
                     0);
    assert_int_equal(json_array_size(passed), 0);
    assert_int_equal(n_fake + n_real, n_ok);
    assert_true(threshold == 0.5);
    assert_int_equal(n_ok, n_hostile - 2);
    assert_int_equal(n_refused, 2);
    assert_int_equal(json_array_size(images), n_hostile);
    assert_int_equal(json_unpack(provenance, "{ss}", "weights_hash", &hash), 0);
    assert_int_equal(strlen(hash), 32);
    assert_int_equal(json_unpack(provenance, "{ss}", "command", &text), 0);
    assert_memory_equal(text, "mesocl predict -w w.safetensors --json -- ", 42);
    for (size_t i = 0; i < n_hostile; i++) {
        json_t *image = json_array_get(images, i);
        double fake, real;
        if (i == 2 || i == 3) {
            assert_int_equal(json_unpack(image, "{ss}", "error", &text), 0);
            assert_string_equal(text, i == 2 ? "empty" : "vanished");
            assert_int_equal(json_unpack(image, "{ss}", "detail", &text), 0);
            assert_null(json_object_get(image, "label"));
            continue;
        }
        assert_int_equal(
            json_unpack(image, "{sfsfss}", "p_fake", &fake, "p_real", &real, "label", &text), 0);
        assert_true(fabs(fake + real - 1) <= 1e-8);
        assert_string_equal(text, real > 0.5 ? "real" : "fake");
        text = json_string_value(json_object_get(image, "file"));
        if (hostile_names[i][0] == '\xff')
            assert_string_equal(json_string_value(json_object_get(image, "file_bytes")),
                                "fffe2e70706d");
        else
            assert_string_equal(text, hostile_names[i]);
    }
    json_decref(document);
    harness_forget(&result);
}

static void jsonl_is_one_object_a_line(void **state)
{
    const char *argv[8 + n_hostile];
    const harness_command command = {.argv = argv};
    size_t n = 0;
    (void)state;
    require_device();
    put_hostile_files();
    fill_argv(argv, "--jsonl");
    harness_result result = run_as(&command, 0);
    for (char *line = strtok(result.out, "\n"); line; line = strtok(NULL, "\n"), n++) {
        json_t *row = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_true(json_is_number(json_object_get(row, "p_fake")));
        json_decref(row);
    }
    assert_int_equal(n, n_hostile);
    harness_forget(&result);
}

static void reads_lists_from_stdin(void **state)
{
    const harness_command lines = {.words = "predict -w w.safetensors --csv b.ppm - a.ppm",
                                   .input = "d\n\n\xff .ppm"};
    const harness_command nul = {.words = "predict -w w.safetensors --csv -0 -",
                                 .input = "b.ppm\0x\ny.ppm\0a.ppm",
                                 .n_input = 19};
    (void)state;
    require_device();
    harness_put_picture("a.ppm", 4, 1);
    harness_put_picture("b.ppm", 4, 2);
    harness_put_picture("d/c.ppm", 4, 3);
    harness_put_picture("\xff .ppm", 4, 4);
    harness_put_picture("x\ny.ppm", 4, 5);
    harness_result result = run_as(&lines, 0);
    const char *b = strstr(result.out, "\nb.ppm,"), *c = strstr(result.out, "\nd/c.ppm,");
    const char *blank = strstr(result.out, "\n\xff .ppm,"), *a = strstr(result.out, "\na.ppm,");
    assert_true(b && b < c && c < blank && blank < a);
    harness_forget(&result);
    result = run_as(&nul, 0);
    b = strstr(result.out, "\nb.ppm,");
    c = strstr(result.out, "\n\"x\ny.ppm\",");
    a = strstr(result.out, "\na.ppm,");
    assert_true(b && b < c && c < a);
    harness_forget(&result);
}

/* huge: every value is finite, the result is not. nan: a value is not a number. */
static void put_bad_weights(void)
{
    meso_weights *weights = NULL;
    assert_int_equal(meso_weights_read("w.safetensors", &weights, NULL), MESO_OK);
    for (size_t i = 0; i < meso_weights_n_tensors(weights); i++) {
        const meso_tensor *tensor = meso_weights_tensor(weights, i);
        for (size_t k = 0; strstr(tensor->name, ".kernel") && k < tensor->n_values; k++)
            tensor->values[k] = 1e30f;
    }
    assert_int_equal(meso_weights_write(weights, "huge.safetensors", NULL), MESO_OK);
    meso_weights_tensor(weights, 0)->values[0] = NAN;
    assert_int_equal(meso_weights_write(weights, "nan.safetensors", NULL), MESO_OK);
    meso_weights_close(weights);
}

/* --path chooses the library's path, and --no-fuse is the plain one. */
static void paths_are_the_librarys(void **state)
{
    static const struct {
        const char *option;
        meso_path path;
    } rows[] = {{"", MESO_PATH_FUSED},
                {"--path fused", MESO_PATH_FUSED},
                {"--path=exact", MESO_PATH_EXACT},
                {"--path plain", MESO_PATH_PLAIN},
                {"--no-fuse", MESO_PATH_PLAIN}};
    enum { side = 256, n_bytes = 3 * side * side };
    const char header[] = "P6 256 256 255\n";
    static char file[sizeof header - 1 + n_bytes];
    meso_random random = {7};
    (void)state;
    meso_device *device = harness_device();
    memcpy(file, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < sizeof file; i++)
        file[i] = (char)meso_random_below(&random, 256);
    harness_put("a.ppm", file, sizeof file);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meso_model_options options = MESO_INIT(meso_model_options);
        meso_model *model = NULL;
        meso_probability p;
        char words[64], wanted[64];
        options.path = rows[i].path;
        assert_int_equal(meso_model_open(device, "w.safetensors", &options, &model, NULL), 0);
        assert_int_equal(meso_predict_rgb8(model, (uint8_t *)file + sizeof header - 1, 1, side,
                                           side, 3 * (size_t)side, &p, NULL),
                         0);
        snprintf(wanted, sizeof wanted, ",%.9g,%.9g,", p.fake, p.real);
        snprintf(words, sizeof words, "predict -w w.safetensors --csv a.ppm %s", rows[i].option);
        harness_result result = run(words, 0);
        if (!strstr(result.out, wanted))
            fail_msg("%s: not %s in %s", words, wanted, result.out);
        harness_forget(&result);
        meso_model_close(model);
    }
    meso_device_close(device);
}

/* What is refused, is told; what that makes of the run, is in --help. */
static void exit_codes(void **state)
{
    static const harness_row rows[] = {
        {"predict -w w.safetensors good.ppm", 0, ""},
        {"predict -w w.safetensors good.ppm page.jpg", 0, "refused: page.jpg: unknown_format: "},
        {"predict -w w.safetensors good.ppm empty.png", 0, "refused: empty.png: empty: "},
        {"predict -w w.safetensors good.ppm cut.ppm", 0, "refused: cut.ppm: truncated: "},
        {"predict -w w.safetensors good.ppm pipe.jpg", 0, "refused: pipe.jpg: not_regular: "},
        {"predict -w w.safetensors good.ppm /dev/zero", 0, "refused: /dev/zero: not_regular: "},
        {"predict -w w.safetensors good.ppm gone", 0, "refused: gone: vanished: "},
        {"predict -w w.safetensors good.ppm --max-pixels 15", 65, "too_large: "},
        {"predict -w w.safetensors good.ppm page.jpg gone", 0, "(1 vanished, 1 unknown_format)"},
        {"predict -w w.safetensors good.ppm --strict", 0, ""},
        {"predict -w w.safetensors good.ppm page.jpg --strict", 65, "1 images scored, 1 refused"},
        {"predict -w w.safetensors page.jpg", 65, "refused: page.jpg"},
        {"predict -w w.safetensors page.jpg gone", 65, "0 images scored, 2 refused"},
        {"predict -w w.safetensors gone", 66, "refused: gone: vanished"},
        {"predict -w gone.safetensors good.ppm", 66, "gone.safetensors"},
        {"predict -w page.jpg good.ppm", 65, "page.jpg"},
        {"predict -w w.safetensors --net meso1 good.ppm", 65, "conv1"},
        {"predict -w w.safetensors --net gone.net good.ppm", 66, "gone.net"},
        {"predict -w huge.safetensors good.ppm", 65, "not finite"},
        {"predict -w nan.safetensors good.ppm", 65, "nan.safetensors"},
        {"predict -w w.safetensors -d no-such-device good.ppm", 69, "no-such-device"},
    };
    (void)state;
    require_device();
    put_bad_weights();
    harness_put_picture("good.ppm", 4, 0xFFFFFF);
    harness_put("page.jpg", "<html>not found</html>", 0);
    harness_put("empty.png", "", 0);
    harness_put("cut.ppm", "P6 4 4 255\n12345", 0);
    assert_int_equal(mkfifo("pipe.jpg", 0600), 0);
    harness_run_rows(NULL, rows, sizeof rows / sizeof rows[0]);
}

/* Without -w: the weights that come with the library, by the hash of their file in the tree. */
static void weights_come_with_it(void **state)
{
    const harness_command command = {.words = "predict --json 0.ppm"};
    (void)state;
    require_device();
    harness_put_picture("0.ppm", 8, 0x804020);
    harness_result result = harness_run(&command);
    assert_int_equal(result.code, 0);
    assert_non_null(strstr(result.out, "\"weights\": \"built in\""));
    if (!*own_weights_hash || !strstr(result.out, own_weights_hash))
        fail_msg("not the hash %s: %s", own_weights_hash, result.out);
    harness_forget(&result);
}

/* Every part of --timing is there, positive, and no part takes longer than the whole. */
static void timing_names_every_part(void **state)
{
    static const char *const names[] = {"list_devices", "open_device", "open_model", "build",
                                        "first_image",  "decode",      "compute",    "total"};
    (void)state;
    require_device();
    harness_put_picture("good.ppm", 256, 0x102030);
    harness_result result = run("predict -w w.safetensors --json --threads 1 --timing good.ppm", 0);
    json_t *document = json_loads(result.out, 0, NULL);
    const json_t *timing = json_object_get(document, "timing");
    double total = json_number_value(json_object_get(timing, "total"));
    assert_int_equal(json_object_size(timing), sizeof names / sizeof names[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double seconds = json_number_value(json_object_get(timing, names[i]));
        if (!(seconds > 0 && seconds <= total) || !strstr(result.err, names[i]))
            fail_msg("%s: %g of %g seconds\n%s", names[i], seconds, total, result.err);
    }
    json_decref(document);
    harness_forget(&result);
    result = run("predict -w w.safetensors --json good.ppm", 0);
    assert_null(strstr(result.out, "timing"));
    assert_string_equal(result.err, "");
    harness_forget(&result);
}

/* Ctrl-C in the middle of a long list: what was scored is printed, the document is closed. */
static void an_interrupted_run_keeps_what_it_has(void **state)
{
    enum { n_lines = 200000 }; /* more than are scored before the signal comes */
    char *list = malloc(6 * n_lines + 1);
    json_t *images;
    const char *sentence;
    int n_ok, n_refused;
    (void)state;
    require_device();
    harness_put_picture("a.ppm", 4, 1);
    assert_non_null(list);
    for (size_t i = 0; i < n_lines; i++)
        memcpy(list + 6 * i, "a.ppm\n", 6);
    list[6 * n_lines] = '\0';
    const harness_command command = {
        .words = "predict -w w.safetensors --json -b 2 -", .input = list, .interrupt = 1};
    harness_result result = run_as(&command, 130);
    json_t *document = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_unpack(document, "{sosisiss}", "images", &images, "n_ok", &n_ok,
                                 "n_refused", &n_refused, "error", &sentence),
                     0);
    assert_int_equal(json_array_size(images), n_ok);
    assert_true(n_ok < n_lines);
    assert_int_equal(n_refused, 0);
    json_decref(document);
    harness_forget(&result);
    free(list);
}

static void output_that_cannot_be_written(void **state)
{
    static const harness_stdout to[] = {HARNESS_CLOSED, HARNESS_FULL, HARNESS_LEFT};
    static const char *const formats[] = {"", "--json", "--csv"};
    (void)state;
    require_device();
    harness_put_picture("a.ppm", 4, 1);
    for (size_t i = 0; i < 9; i++) {
        char words[64];
        snprintf(words, sizeof words, "predict -w w.safetensors a.ppm %s", formats[i / 3]);
        const harness_command command = {.words = words, .to = to[i % 3]};
        harness_result result = run_as(&command, 74);
        assert_int_equal(*result.err == '\0', to[i % 3] == HARNESS_LEFT);
        harness_forget(&result);
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_weights, harness_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(rows_are_aligned_text),
        IN_FOLDER(batches_and_threads_change_nothing),
        IN_FOLDER(csv_keeps_hostile_names_apart),
        IN_FOLDER(text_escapes_hostile_names),
        IN_FOLDER(json_is_one_document),
        IN_FOLDER(jsonl_is_one_object_a_line),
        IN_FOLDER(reads_lists_from_stdin),
        IN_FOLDER(exit_codes),
        IN_FOLDER(paths_are_the_librarys),
        IN_FOLDER(timing_names_every_part),
        IN_FOLDER(an_interrupted_run_keeps_what_it_has),
        IN_FOLDER(output_that_cannot_be_written),
        IN_FOLDER(weights_come_with_it),
    };
    meso_weights *own = NULL;
    meso_error error = {0};
    if (meso_weights_read("weights/meso4.safetensors", &own, &error) == MESO_OK)
        snprintf(own_weights_hash, sizeof own_weights_hash, "%s", meso_weights_hash(own));
    meso_weights_close(own);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
