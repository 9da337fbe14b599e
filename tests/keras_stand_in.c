/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes an HDF5 file as Keras 2.1.5 writes weights of Meso-4, with numbers that mean nothing:
 * walk.sh takes it where a document names the published weights.
 *
 *   keras_stand_in FILE.h5
 */
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

enum { longest = 48, most_weights = 4, most_values = 1024 * 16 };

/* A layer, and its weights with their shapes. */
static const struct layer {
    const char *name;
    struct {
        const char *name;
        int rank;
        hsize_t shape[4];
    } weights[most_weights];
} layers[] = {
#define CONV(n, side, from, to)                      \
    {                                                \
        "conv2d_" #n,                                \
        {                                            \
            {"kernel:0", 4, {side, side, from, to}}, \
            {                                        \
                "bias:0", 1,                         \
                {                                    \
                    to                               \
                }                                    \
            }                                        \
        }                                            \
    }
#define NORM(n, filters)                                                                          \
    {                                                                                             \
        "batch_normalization_" #n,                                                                \
        {                                                                                         \
            {"gamma:0", 1, {filters}}, {"beta:0", 1, {filters}}, {"moving_mean:0", 1, {filters}}, \
            {                                                                                     \
                "moving_variance:0", 1,                                                           \
                {                                                                                 \
                    filters                                                                       \
                }                                                                                 \
            }                                                                                     \
        }                                                                                         \
    }
#define DENSE(n, from, to)               \
    {                                    \
        "dense_" #n,                     \
        {                                \
            {"kernel:0", 2, {from, to}}, \
            {                            \
                "bias:0", 1,             \
                {                        \
                    to                   \
                }                        \
            }                            \
        }                                \
    }
    CONV(1, 3, 3, 8), NORM(1, 8),         CONV(2, 5, 8, 8), NORM(2, 8),         CONV(3, 5, 8, 16),
    NORM(3, 16),      CONV(4, 5, 16, 16), NORM(4, 16),      DENSE(1, 1024, 16), DENSE(2, 16, 1)};
enum { n_layers = sizeof layers / sizeof layers[0] };

static void put_strings(hid_t object, const char *name, char (*strings)[longest], hsize_t n)
{
    hid_t type = H5Tcopy(H5T_C_S1),
          space = n ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR);
    H5Tset_size(type, longest);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, strings);
    H5Aclose(attribute);
}

/* Kernels are small, other values between 0.5 and 1.5: a variance is positive. */
static void put_weights(hid_t group, const char *name, int rank, const hsize_t *shape)
{
    static float values[most_values];
    static unsigned seed = 1;
    for (int i = 0; i < most_values; i++) {
        seed = seed * 1664525u + 1013904223u;
        const float unit = (float)(seed >> 8) / (1 << 24);
        values[i] = rank > 1 ? 0.2f * unit - 0.1f : 0.5f + unit;
    }
    hid_t set = H5Dcreate2(group, name, H5T_IEEE_F32LE, H5Screate_simple(rank, shape, NULL),
                           H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
}

static void put_layer(hid_t file, const struct layer *layer)
{
    char names[most_weights][longest] = {{0}};
    hsize_t n = 0;
    hid_t outer = H5Gcreate2(file, layer->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t inner = H5Gcreate2(outer, layer->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (; n < most_weights && layer->weights[n].name; n++) {
        put_weights(inner, layer->weights[n].name, layer->weights[n].rank, layer->weights[n].shape);
        snprintf(names[n], longest, "%s/%s", layer->name, layer->weights[n].name);
    }
    put_strings(outer, "weight_names", names, n);
}

int main(int argc, char **argv)
{
    char names[n_layers][longest] = {{0}}, version[1][longest] = {"2.1.5"};
    char backend[1][longest] = {"tensorflow"};
    hid_t file = argc == 2 ? H5Fcreate(argv[1], H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT) : -1;
    if (file < 0)
        return 2;
    for (int i = 0; i < n_layers; i++) {
        strcpy(names[i], layers[i].name);
        put_layer(file, &layers[i]);
    }
    put_strings(file, "layer_names", names, n_layers);
    put_strings(file, "keras_version", version, 0);
    put_strings(file, "backend", backend, 0);
    return H5Fclose(file) < 0;
}
