/* SPDX-License-Identifier: Apache-2.0
 *
 * mesocl-h5import: one Keras file in, one stream of plain arrays out. The HDF5 library is not made
 * for hostile files, so it is linked by this small program alone, which limits itself before it
 * looks at a byte.
 *
 * What it writes to standard output, whole or not at all:
 *   mesocl-h5import 1\n
 *   {"kind": …, "sha256": …, "keras_version": …, "backend": …, "config": …, "layers": [
 *     {"name": …, "group": …, "arrays": [{"name": …, "shape": [..], "type": …}, …]}, …]}\n
 *   the values of all arrays in that order, float32, little-endian, nothing behind them
 * type is there for whole numbers alone ("int8", "uint64" …), which have no values in the stream.
 * kind is one of "h5-weights" "h5-model" "keras3-weights" "keras3-model". keras_version, backend
 * ("tensorflow", "theano", …: what computed for Keras), config (the architecture, JSON inside a
 * string) and name are null where the file does not say. Layers come in the file's order
 * (layer_names; by group name in Keras 3 files), arrays in the layer's order.
 *
 * h5import.c is the program, hdf5_file.c reads what HDF5 has, keras_layers.c finds Keras' layers in
 * it, keras_zip.c opens a .keras file, and die.c ends it all.
 *
 * Exit codes: 0; 2 usage; 65 the file is not what it must be; 66 it cannot be read; 70 out of
 * memory. On failure there is one sentence on standard error.
 */
#ifndef MESO_H5IMPORT_H
#define MESO_H5IMPORT_H

#define H5_USE_110_API /* the same calls in HDF5 1.10 and later */
#include <hdf5.h>
#include <jansson.h>
#include <stddef.h>

enum {
    MAX_FILE = 64 << 20,
    MAX_TEXT = 16 << 20,  /* an attribute's or a zip member's text */
    MAX_VALUES = 1 << 20, /* of one array */
    MAX_TOTAL = 16 << 20, /* of all arrays together */
    MAX_LAYERS = 4096,
    MAX_DEPTH = 16 /* of groups inside groups */
};

typedef struct blob {
    unsigned char *bytes; /* with a NUL behind them */
    size_t n;
} blob;

/* What will be written. */
typedef struct import_result {
    json_t *header, *layers;
    float *values; /* little-endian, whatever the host is */
    size_t n_values;
} import_result;

/* Access with checks; every failure dies with a sentence. */
hid_t h5_open(const blob *file);
hid_t h5_open_group(hid_t parent, const char *path);
int h5_has_attribute(hid_t object, const char *name);
/* The strings of an attribute; *n is 0 for Keras' empty lists. */
char **h5_read_strings(hid_t object, const char *name, size_t *n);
/* One string attribute, or null where there is none. */
json_t *h5_read_text(hid_t object, const char *name);
/* Appends the values and returns {"name": name, "shape": […]}, as the stream has it. */
json_t *h5_read_array(import_result *out, hid_t parent, const char *path, const char *name);

/* The layers of an open file, for the two ways in which Keras lays them out. */
void read_layer_names_layout(import_result *out, hid_t root);
void read_vars_layout(import_result *out, hid_t root);

/* Returns the weight file inside. */
blob read_keras_zip(import_result *out, const blob *file);

/* Ends the program with a sentence. */
_Noreturn void die(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A JSON value that is there, or the end for want of memory. */
json_t *need(json_t *json);
json_t *text_of(const char *text); /* dies where it is not UTF-8 */
void set(json_t *object, const char *key, json_t *value);

/* Copies a name for a message, unprintable bytes as '?'; a few results live side by side. */
const char *shown(const char *name);

#endif
