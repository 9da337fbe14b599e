/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors on the device for tests of kernels: poisoned with NaN where nothing may be read, with
 * gaps between rows and a guard behind, compared with the reference value by value.
 */
#ifndef MESO_TESTS_HARNESS_TENSOR_H
#define MESO_TESTS_HARNESS_TENSOR_H

#include "harness_device.h"
#include "net/tensor.h"
#include "reference.h"

typedef struct harness_tensor {
    meso_tensor_view view; /* its buffer is set by who uses it: tensors are moved about */
    meso_buffer buffer;
    float *host;
    size_t n_floats; /* without the guard */
} harness_tensor;

/* All poison. */
harness_tensor harness_tensor_poisoned(meso_device *device, meso_shape shape, int pad, size_t n);

/* Random values inside, some of them equal, zeros in the pad, poison elsewhere; the same values as
 * double. */
harness_tensor harness_tensor_random(meso_device *device, meso_shape shape, int pad, size_t n,
                                     meso_random *random, reference_tensor *exact);
void harness_tensor_free(harness_tensor *tensor);

/* Each interior value within k · eps · magnitude, all of them together within NMSE 1e-10; pad, gaps
 * and guard untouched. Fails the test with the text. */
void harness_tensor_compare(meso_device *device, harness_tensor *tensor,
                            const reference_tensor *expected, size_t n, double k, const char *text);

/* n floats of poison, malloc'd. */
float *harness_poison(size_t n);

#endif
