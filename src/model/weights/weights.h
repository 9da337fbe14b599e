/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of named tensors with metadata, in memory. On disk it is safetensors
 * (safetensors_*.c). The net and the classes in the metadata are weights_net.c and classes.c; which
 * file a name means, and what it is, is weights_find.c.
 */
#ifndef MESO_MODEL_WEIGHTS_H
#define MESO_MODEL_WEIGHTS_H

#include <string.h>

#include "base/text.h"
#include "mesocl/weights.h"

typedef struct meso_metadata {
    char *key, *value;
} meso_metadata;

struct meso_weights {
    meso_tensor *tensors; /* names and values are owned */
    size_t n_tensors;
    meso_metadata *metadata;
    size_t n_metadata;
    char hash[33];
};

/* Appends a tensor and leaves its values for the caller to fill. Errors as meso_weights_add. */
meso_status meso_weights_new(meso_weights *weights, const char *name, const size_t *dims,
                             size_t n_dims, meso_tensor **tensor, meso_error *error);

/* Adds every tensor and all metadata of `from` to `to`. Errors as meso_weights_add. */
meso_status meso_weights_append(const meso_weights *from, meso_weights *to, meso_error *error);

/* An independent copy. */
meso_status meso_weights_copy(const meso_weights *weights, meso_weights **copy, meso_error *error);

/* Weights that are installed in share/mesocl/weights. Ends with name NULL. */
typedef struct meso_shipped_weights {
    const char *name, *origin, *licence; /* the name is also that of their net */
} meso_shipped_weights;
extern const meso_shipped_weights meso_shipped[];

/* The face detector, which does not come with MesoCL: mesocl models --get faces. */
extern const meso_shipped_weights meso_detector;

/* Where the user's own file of that name belongs: $XDG_DATA_HOME/mesocl/weights, or
 * ~/.local/share/…; empty where the environment names neither. */
void meso_weights_own(const meso_shipped_weights *row, meso_text *path);

/* Where their file is: the user's own, else in the tree that the program or the library was built
 * or installed in. 0: there is none. */
int meso_shipped_file(const meso_shipped_weights *row, meso_text *path);

/* The file that a name means: of weights that come with MesoCL, of a run's folder (its
 * best.safetensors), or of that path. *path is empty where they are built in, as for NULL. Errors:
 * ARGUMENT (the name of shipped weights, and of something here), NO_INPUT, DATA (a folder of
 * another kind), MEMORY. */
meso_status meso_weights_locate(const char *name, meso_text *path, meso_error *error);

/* DATA, with the way out, where a folder is TensorFlow's SavedModel. */
meso_status meso_refuse_saved_model(const char *folder, meso_error *error);

/* Does a name mean weights, or what may have been taken for such, rather than a net? That of a
 * built-in net does not. */
int meso_names_weights(const char *name);

/* What a file is by its first bytes: safetensors; a file that mesocl convert reads; or a noun with
 * what to do about it, NULL where nothing is known. */
enum { MESO_HEAD_BYTES = 4096 };
int meso_is_weights(const unsigned char *bytes, size_t n);
int meso_is_keras(const unsigned char *bytes, size_t n);
const char *meso_not_weights(const unsigned char *bytes, size_t n);

/* weights_net.c: the net in the metadata; file is what messages call the weights. Errors: DATA
 * (there is none, or not a net), MEMORY. */
meso_status meso_weights_net(const meso_weights *weights, const char *file, meso_net **net,
                             meso_error *error);
meso_status meso_weights_set_net(meso_weights *weights, const meso_net *net, meso_error *error);

/* Names of outputs 0 and 1, as meso_classes_parse reads them. */
#define MESO_USUAL_CLASSES "fake,real"
const char *meso_weights_classes(const meso_weights *weights);

/* The position of the first value that is NaN or infinite; n where there is none. Looks at bits: a
 * compiler told to assume finite numbers may drop isfinite(). */
size_t meso_first_not_finite(const float *values, size_t n);

/* "3x3x3x8", or "scalar": dims for messages, in a buffer of MESO_DIMS_SIZE. */
enum { MESO_DIMS_SIZE = 96 };
const char *meso_dims_text(const size_t *dims, size_t n_dims, char out[MESO_DIMS_SIZE]);
#define MESO_DIMS(dims, n_dims) meso_dims_text((dims), (n_dims), (char[MESO_DIMS_SIZE]){0})

/* A longer header is refused when reading, and not written. */
enum { MESO_SAFETENSORS_MAX_HEADER = 1 << 20 };

/* Four bytes, least significant first, as a float. */
static inline float meso_float_from_le(const unsigned char *bytes)
{
    uint32_t bits = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                    (uint32_t)bytes[3] << 24;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A safetensors file in memory; *bytes is the caller's, to free(). Errors: DATA (a header that is
 * too long), MEMORY. */
meso_status meso_safetensors_format(const meso_weights *weights, unsigned char **bytes, size_t *n,
                                    meso_error *error);

/* Parses a safetensors file that lies in memory into an empty set. Sentences have no file name. */
meso_status meso_safetensors_parse(const unsigned char *bytes, size_t n, meso_weights *weights,
                                   meso_error *error);

/* "fake,real": what the outputs of a two-class net mean. */
enum { MESO_CLASS_NAME_SIZE = 64 };

typedef struct meso_classes {
    char names[2][MESO_CLASS_NAME_SIZE]; /* of classes 0 and 1; a sigmoid gives P(class 1) */
    int real;                            /* which of the two is real */
} meso_classes;

/* Two names with a comma between; by the rules of mesocl/dataset.h one must mean fake, one real.
 * Else it fails with the status `fault`: whose fault it is depends on where the text stands. */
meso_status meso_classes_parse(const char *text, meso_status fault, meso_classes *classes,
                               meso_error *error);

#endif
