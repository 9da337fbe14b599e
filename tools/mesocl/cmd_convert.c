/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl convert: a Keras file → a .safetensors file that holds net and weights.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_builder.h"
#include "commands.h"
#include "common.h"
#include "model/keras/keras_import.h"
#include "model/weights/weights.h"
#include "net/net.h"
#include "outputs.h"
#include "run_h5import.h"

typedef struct convert_options {
    const char *out, *net, *classes;
} convert_options;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What was recognised, for people: stderr. */
static void say(const meso_keras_file *file, const meso_keras_found *found,
                const meso_weights *weights, const convert_options *options)
{
    static const char *const how[] = {
        [MESO_KERAS_NET_GIVEN] = "as asked for",
        [MESO_KERAS_NET_IN_FILE] = "from the file's architecture",
        [MESO_KERAS_NET_BY_SHAPE] = "built in, recognised by its shapes",
    };
    meso_text kind = {0};
    const char *name = meso_keras_published(file);
    meso_keras_describe(file, &kind);
    fprintf(stderr, "file     %s\n", kind.bytes ? kind.bytes : "");
    fprintf(stderr, "sha256   %s\n", file->sha256);
    if (name)
        fprintf(stderr, "known as %s, published with the paper\n", name);
    fprintf(stderr, "net      %s, %s\n", meso_weights_get(weights, "mesocl.net_name"),
            how[found->how]);
    if (found->also[0])
        fprintf(stderr, "         %s would fit as well: choose by --net\n", found->also);
    if (found->idle[0])
        fprintf(stderr, "         without %s: active in training alone\n", found->idle);
    if (found->sigmoid)
        fprintf(stderr, "         with a sigmoid added behind its one logit\n");
    fprintf(stderr, "pixels   %s\n",
            found->rescaled ? "scaled as its Rescaling layer says"
                            : "divided by 255, which is assumed: the file does not say");
    fprintf(stderr, "classes  %s\n", options->classes);
    fprintf(stderr, "written  %s, %zu tensors\n", MESO_PRINTABLE(options->out),
            meso_weights_n_tensors(weights));
    meso_text_free(&kind);
}

static meso_status read_file(const char *path, meso_keras_file **file, meso_error *error)
{
    void *stream = NULL;
    size_t n = 0;
    meso_status status = tool_run_h5import(path, &stream, &n, error);
    if (status == MESO_OK)
        status = meso_keras_parse(stream, n, file, error);
    free(stream);
    return status;
}

static meso_status read_part(const char *index, const char *name, meso_keras_file **file,
                             meso_error *error)
{
    meso_status status = MESO_OK;
    meso_keras_file *part = NULL;
    meso_text path = {0};
    MESO_REQUIRE(!strchr(name, '/'), error, MESO_ERROR_DATA,
                 "%s: names a file in another folder: %s", MESO_PRINTABLE(index),
                 MESO_PRINTABLE(name));
    meso_text_add_n(&path, index, (size_t)(base_name(index) - index));
    meso_text_add(&path, name);
    MESO_REQUIRE_MEMORY(!path.out_of_memory, error);
    MESO_TRY(read_file(path.bytes, &part, error));
    if (*file)
        MESO_TRY(meso_keras_join(*file, part, error));
    else
        *file = part;
out:
    meso_text_free(&path);
    return status;
}

/* Keras 3's x.weights.json: which layer's weights are in which files beside it. */
static meso_status read_parts(const char *path, meso_keras_file **file, meso_error *error)
{
    meso_status status = MESO_OK;
    json_t *root = NULL, *names = json_object(), *value, *one;
    const char *key;
    size_t i;
    MESO_TRY(meso_json_read(path, &root, error));
    json_object_foreach (json_object_get(root, "weight_map"), key, value) {
        if (json_is_string(value))
            json_object_set(names, json_string_value(value), value);
        json_array_foreach (value, i, one)
            if (json_is_string(one))
                json_object_set(names, json_string_value(one), one);
    }
    MESO_REQUIRE(json_object_size(names) > 0, error, MESO_ERROR_DATA,
                 "%s: no weight_map, so not the .weights.json of Keras", MESO_PRINTABLE(path));
    json_object_foreach (names, key, value)
        MESO_TRY(read_part(path, key, file, error));
out:
    json_decref(root);
    json_decref(names);
    return status;
}

static meso_status convert(const char *path, const convert_options *options, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_error why = {0};
    meso_net *net = NULL, *written = NULL;
    meso_keras_file *file = NULL;
    meso_weights *weights = NULL;
    meso_keras_found found;
    char first = '\0';

    if (options->net)
        MESO_TRY(meso_net_open(options->net, &net, error));
    meso_file_head(path, &first, 1);
    MESO_TRY((first == '{' ? read_parts : read_file)(path, &file, error));
    const meso_keras_options how = {net, options->classes, base_name(path)};
    status = meso_keras_import(file, &how, &weights, &found, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", MESO_PRINTABLE(path), why.text);
    MESO_TRY(meso_weights_net(weights, path, &written, error));
    status = meso_net_require_scores(written, &why);
    MESO_REQUIRE(status == MESO_OK, error, status, "%s: %s", MESO_PRINTABLE(path), why.text);
    MESO_TRY(meso_weights_write(weights, options->out, error));
    say(file, &found, weights, options);
out:
    meso_weights_close(weights);
    meso_keras_close(file);
    meso_net_close(net);
    meso_net_close(written);
    return status;
}

static const char about[] =
    "Turns a Keras file into a model file of MesoCL. IN is a weights-only .h5 of\n"
    "Keras 1 or 2, a whole model as .h5, a .weights.h5, .weights.json or .keras of\n"
    "Keras 3, with numbers of 16, 32 or 64 bits. It is read by mesocl-h5import, a\n"
    "process with limits of its own: HDF5 is not made for hostile files.\n"
    "\n"
    "Layers that act in training alone are left out, one logit gets a sigmoid, and\n"
    "pixels are taken to be divided by 255 unless a Rescaling says otherwise: each\n"
    "is said. What predict would refuse is refused.";

static const char examples[] = "mesocl convert Meso4_DF.h5 -o meso4_df.safetensors\n"
                               "mesocl convert mine.keras -o mine.safetensors --classes real,fake\n"
                               "mesocl convert elu.h5 -o elu.safetensors --net meso4_elu";

int cmd_convert(int argc, char **argv)
{
    convert_options o = {NULL, NULL, MESO_USUAL_CLASSES};
    const tool_option options[] = {
        OPT_MODEL("output", 'o', o.out, "FILE",
                  "where to write the model, a .safetensors file (required)"),
        OPT_FORCE,
        OPT_INPUT("net", 0, o.net, "NET",
                  "a built-in net or a .net file; default: the architecture in the file, else the "
                  "built-in net whose shapes fit"),
        OPT_TEXT(
            "classes", 0, o.classes, "A,B",
            "names of outputs 0 and 1, one fake and one real; default fake,real, as published"),
        OPT_END};
    const tool_command_line line = {
        "convert", "IN -o OUT.safetensors [options]", about, options, examples, 1, 1};
    meso_error error = {0};
    int end = tool_options_parse(&line, &argc, argv);
    if (end >= 0)
        return end;
    if (!o.out)
        return tool_options_usage_error("convert", "--output FILE is missing");
    return convert(argv[0], &o, &error) == MESO_OK ? 0 : tool_fail(&error);
}
