/* SPDX-License-Identifier: Apache-2.0
 *
 * Which layer classes of Keras MesoCL knows, and what each becomes.
 */
#ifndef MESO_MODEL_KERAS_CLASSES_H
#define MESO_MODEL_KERAS_CLASSES_H

#include "model/keras/keras_builder.h"

/* What `config` says of a layer whose input is *v; leaves its output in *v. */
typedef meso_status keras_emit(keras_builder *b, const json_t *config, keras_value *v);

/* Does a layer pass its input on as it is, but in training? */
int meso_keras_is_idle(const char *class_name);

/* NULL where the class is not known, or idle. Those of `input` and `concat` are keras_net.c's. */
keras_emit *meso_keras_emit_for(const char *class_name);

#endif
