/* SPDX-License-Identifier: Apache-2.0
 *
 * Weight files: safetensors with the net's text in the metadata.
 *
 * Tensors are named <layer>.<parameter> and lie in Keras' order:
 *   conv   kernel [window height][window width][channels in][filters]
 *   bias   bias [channels]
 *   batch_norm  gamma, beta, moving_mean, moving_variance [channels]
 *   prelu  slope [channels]
 *   dense  kernel [inputs][units], inputs of a flattened picture in height, width, channel order
 * Metadata keys: mesocl.net (text), mesocl.net_name, mesocl.classes ("fake,real": names of outputs
 * 0 and 1), mesocl.normalization (centring and scaling of pixels before the net, as
 * meso_augment_format writes it), mesocl.source (where the weights came from),
 * mesocl.source_sha256, mesocl.program.
 */
#ifndef MESOCL_WEIGHTS_H
#define MESOCL_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "mesocl/net.h"
#include "mesocl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct meso_weights meso_weights;

typedef struct meso_tensor {
    const char *name;
    size_t n_dims; /* 0–4 */
    size_t dims[4];
    size_t n_values; /* product of dims */
    float *values;
} meso_tensor;

/* An empty set, to be filled by meso_weights_add and meso_weights_set. */
MESO_API meso_status meso_weights_create(meso_weights **weights, meso_error *error);

/* Seeded random values for a net, the same on every machine: kernels Glorot uniform, biases 0,
 * batch norm gamma 1, beta 0, mean 0, variance 1, slopes 0.25; with the net's text and classes
 * fake,real as metadata. Errors: MEMORY. */
MESO_API meso_status meso_weights_random(const meso_net *net, uint64_t seed, meso_weights **weights,
                                         meso_error *error);

/* How kernels begin. */
typedef enum meso_initializer {
    MESO_GLOROT_UNIFORM, /* within ±√(6 / (fan in + fan out)); Glorot and Bengio 2010 */
    MESO_HE_NORMAL /* deviation √(2 / fan in), nothing beyond two of the untruncated; He et al.
                      2015, cut as Keras does */
} meso_initializer;

/* The same with a choice of initializer. */
MESO_API meso_status meso_weights_initialize(const meso_net *net, meso_initializer initializer,
                                             uint64_t seed, meso_weights **weights,
                                             meso_error *error);

/* Reads a .safetensors file: F32; or F16, BF16 or F64 as F32. name: its path; the folder of a run,
 * whose best.safetensors is meant; "meso4" or "mesoinception4", which come with MesoCL
 * (weights/README.md); or NULL: the first of these. At most 1 MiB of header. The file must obey the
 * format to the letter (contiguous offsets, no duplicate keys, no trailing bytes) and every value
 * must be finite. Errors: ARGUMENT (such a name, where there is something of that path), NO_INPUT,
 * IO, DATA (the text gives the reason), MEMORY. */
MESO_API meso_status meso_weights_read(const char *name, meso_weights **weights, meso_error *error);

/* Writes them, F32, tensors in the order they were added; the file appears whole or not at all.
 * Errors: CREATE, IO, MEMORY. */
MESO_API meso_status meso_weights_write(const meso_weights *weights, const char *path,
                                        meso_error *error);
MESO_API void meso_weights_close(meso_weights *weights); /* NULL is allowed */

/* Copies a tensor in. Errors: ARGUMENT (name taken, more than 4 dims), MEMORY. */
MESO_API meso_status meso_weights_add(meso_weights *weights, const char *name, const size_t *dims,
                                      size_t n_dims, const float *values, meso_error *error);
MESO_API size_t meso_weights_n_tensors(const meso_weights *weights);
MESO_API const meso_tensor *meso_weights_tensor(const meso_weights *weights, size_t i);
MESO_API const meso_tensor *meso_weights_find(const meso_weights *weights, const char *name);

/* Metadata: NULL where there is no such key; set replaces. */
MESO_API const char *meso_weights_get(const meso_weights *weights, const char *key);
MESO_API meso_status meso_weights_set(meso_weights *weights, const char *key, const char *value,
                                      meso_error *error);

/* XXH3-128 of the file that was read, 32 hex digits; "" for a set that was not read. */
MESO_API const char *meso_weights_hash(const meso_weights *weights);

/* Checks that the weights fit the net: exactly its parameters, each of its shape, every value
 * finite, every moving_variance ≥ 0. Errors: DATA, naming the first tensor at fault and both
 * shapes. */
MESO_API meso_status meso_weights_check(const meso_weights *weights, const meso_net *net,
                                        meso_error *error);

#ifdef __cplusplus
}
#endif
#endif
