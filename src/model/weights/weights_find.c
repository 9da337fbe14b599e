/* SPDX-License-Identifier: Apache-2.0
 *
 * What a user means who names weights: those that come with MesoCL, a run, a file; and what a file
 * is that holds none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/embedded.h"
#include "base/error.h"
#include "base/file.h"
#include "data/image/sniff.h"
#include "model/weights/weights.h"

const meso_shipped_weights meso_shipped[] = {
    {"meso4", "trained by MesoCL on the MesoNet database (Afchar et al. 2018)", "Apache-2.0"},
    {"mesoinception4", "trained by MesoCL on the MesoNet database (Afchar et al. 2018)",
     "Apache-2.0"},
    {NULL, NULL, NULL},
};

const meso_shipped_weights meso_detector = {
    "mtcnn", "facenet-pytorch 2.6.0; trained on WIDER FACE and CelebA (Zhang et al. 2016)", "MIT"};

/* ---- kinds of files ---- */

static int has(const unsigned char *bytes, size_t n, size_t at, const char *pattern, size_t length)
{
    return n >= at + length && memcmp(bytes + at, pattern, length) == 0;
}

/* The names of a zip's first members stand in its first bytes. */
static int names(const unsigned char *bytes, size_t n, const char *word)
{
    return memmem(bytes, n < MESO_HEAD_BYTES ? n : MESO_HEAD_BYTES, word, strlen(word)) != NULL;
}

int meso_is_weights(const unsigned char *bytes, size_t n)
{
    /* Little-endian: a header's length that is allowed has five zeros at its end. */
    return n > 8 && bytes[8] == '{' && memcmp(bytes + 3, "\0\0\0\0\0", 5) == 0;
}

int meso_is_keras(const unsigned char *bytes, size_t n)
{
    return has(bytes, n, 0, "\x89HDF\r\n\x1a\n", 8) ||
           (has(bytes, n, 0, "PK\3\4", 4) &&
            (names(bytes, n, "metadata.json") || names(bytes, n, "config.json") ||
             names(bytes, n, "model.weights.h5"))) ||
           (n > 0 && bytes[0] == '{' && names(bytes, n, "\"weight_map\""));
}

const char *meso_not_weights(const unsigned char *bytes, size_t n)
{
    static const char torch[] =
        "a pickle, as PyTorch writes it, which is not read: save its tensors "
        "as safetensors, with names and shapes as mesocl/weights.h says";
    const char *what = NULL;
    if (meso_is_weights(bytes, n))
        return NULL;
    if (has(bytes, n, 0, "PK\3\4", 4) && names(bytes, n, "data.pkl"))
        return torch;
    if (n > 1 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
        return torch;
    if (has(bytes, n, 4, "TFL3", 4))
        return "a TensorFlow Lite model, which is not read: convert the Keras model it was made of";
    if (has(bytes, n, 0, "\x93NUMPY", 6))
        return "a NumPy array, which is not read";
    if (n > 2 && bytes[0] == 8 && bytes[1] < 16 && (bytes[2] == 0x12 || bytes[2] == 0x3a))
        return "an ONNX model, which is not read: convert the Keras model it was made of";
    meso_sniff(bytes, n, &what);
    return what;
}

int meso_names_weights(const char *name)
{
    unsigned char head[MESO_HEAD_BYTES];
    meso_text path = {0};
    for (size_t i = 0; meso_net_builtin_name(i); i++)
        if (strcmp(meso_net_builtin_name(i), name) == 0)
            return 0;
    int is_weights = meso_weights_locate(name, &path, NULL) != MESO_OK || path.length == 0;
    if (!is_weights) {
        const size_t n = meso_file_head(path.bytes, head, sizeof head);
        is_weights =
            meso_is_weights(head, n) || meso_is_keras(head, n) || meso_not_weights(head, n);
    }
    meso_text_free(&path);
    return is_weights;
}

/* ---- names ---- */

meso_status meso_refuse_saved_model(const char *folder, meso_error *error)
{
    char inside[4096];
    snprintf(inside, sizeof inside, "%s/saved_model.pb", folder);
    MESO_DEMAND(access(inside, F_OK) != 0, error, MESO_ERROR_DATA,
                "%s: a SavedModel folder of TensorFlow, which is not read: save it there as one "
                "file, tf_keras.models.load_model(FOLDER).save(\"model.h5\"), then mesocl convert "
                "model.h5 -o model.safetensors",
                MESO_PRINTABLE(folder));
    return MESO_OK;
}

static const meso_shipped_weights *find_shipped(const char *name)
{
    const meso_shipped_weights *row = meso_shipped;
    while (row->name && strcmp(row->name, name) != 0)
        row++;
    return row->name ? row : NULL;
}

void meso_weights_own(const meso_shipped_weights *row, meso_text *path)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    path->length = 0;
    if (data && *data == '/')
        meso_text_add(path, data);
    else if (home && *home == '/')
        meso_text_format(path, "%s/.local/share", home);
    else
        return;
    meso_text_format(path, "/mesocl/weights/%s.safetensors", row->name);
}

int meso_shipped_file(const meso_shipped_weights *row, meso_text *path)
{
    static const char *const places[] = {"../share/mesocl/weights/", "../../share/mesocl/weights/",
                                         "share/mesocl/weights/"};
    char name[64];
    meso_weights_own(row, path);
    if (path->length > 0 && !path->out_of_memory && access(path->bytes, F_OK) == 0)
        return 1;
    snprintf(name, sizeof name, "%s.safetensors", row->name);
    if (meso_find_beside(places, sizeof places / sizeof places[0], name, F_OK, path))
        return 1;
    path->length = 0;
    meso_text_format(path, "%s/%s", MESO_WEIGHTS_DIR, name);
    return !path->out_of_memory && access(path->bytes, F_OK) == 0;
}

meso_status meso_weights_locate(const char *name, meso_text *path, meso_error *error)
{
    struct stat info;
    const meso_shipped_weights *shipped = name ? find_shipped(name) : NULL;
    const int is_there = name && stat(name, &info) == 0;
    path->length = 0;
    if (!name)
        return MESO_OK;
    MESO_DEMAND(!shipped || !is_there, error, MESO_ERROR_ARGUMENT,
                "%s: weights that come with MesoCL, and something here: write ./%s for the latter, "
                "or the path that mesocl models shows",
                name, name);
    if (shipped && strcmp(name, meso_embedded_weights[0].name) == 0)
        return MESO_OK;
    if (shipped) {
        const int has_file = meso_shipped_file(shipped, path);
        MESO_DEMAND_MEMORY(!path->out_of_memory, error);
        MESO_DEMAND(has_file, error, MESO_ERROR_NO_INPUT,
                    "%s: these weights come with MesoCL, but this build has not got their file: "
                    "install share/mesocl/weights beside it (last looked for: %s)",
                    name, path->bytes ? path->bytes : "");
        return MESO_OK;
    }
    /* A word is a name, not a path. */
    MESO_DEMAND(is_there || strpbrk(name, "./"), error, MESO_ERROR_NO_INPUT,
                "%s: no such file, and no weights of that name come with MesoCL (mesocl models)",
                MESO_PRINTABLE(name));
    meso_text_add(path, name);
    if (is_there && S_ISDIR(info.st_mode)) {
        meso_text_format(path, "%sbest.safetensors", name[strlen(name) - 1] == '/' ? "" : "/");
        MESO_CHECK(meso_refuse_saved_model(name, error));
        MESO_DEMAND(path->out_of_memory || access(path->bytes, F_OK) == 0, error,
                    MESO_ERROR_NO_INPUT,
                    "%s: a folder, and not that of a run: there is no best.safetensors in it",
                    MESO_PRINTABLE(name));
    }
    MESO_DEMAND_MEMORY(!path->out_of_memory, error);
    return MESO_OK;
}
