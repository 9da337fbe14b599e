/* SPDX-License-Identifier: Apache-2.0
 *
 * What Keras 1 to 3.15 and tf.keras called things, and what they left out.
 */
#ifndef MESO_MODEL_KERAS_NAMES_H
#define MESO_MODEL_KERAS_NAMES_H

#include <jansson.h>

/* The class as Keras 3 calls it; its own name where that is the same, or not known. */
const char *meso_keras_class_today(const char *class_name);

/* Gives a layer's settings the names that they have in Keras 3, and Keras' defaults to those that
 * it lacks. Returns 0 where memory runs out. */
int meso_keras_config_today(const char *class_today, json_t *config);

#endif
