/* SPDX-License-Identifier: Apache-2.0
 *
 * input: the picture. 8-bit pixels are divided by `divide`; floats come as they are.
 */
#include "net/op/op.h"

static const meso_key keys[] = {
    {.name = "height", .kind = MESO_KEY_COUNT, .offset = MESO_SETTING(input.height)},
    {.name = "width", .kind = MESO_KEY_COUNT, .offset = MESO_SETTING(input.width)},
    {.name = "channels", .kind = MESO_KEY_COUNT, .offset = MESO_SETTING(input.channels)},
    {.name = "divide",
     .kind = MESO_KEY_REAL,
     .offset = MESO_SETTING(input.divide),
     .low = 1e-6,
     .high = 1e6},
    {0}};

static meso_status shape(meso_layer *layer, const meso_shape *inputs, meso_error *error)
{
    (void)inputs;
    (void)error;
    layer->shape =
        (meso_shape){layer->set.input.channels, layer->set.input.height, layer->set.input.width};
    return MESO_OK;
}

const meso_op meso_op_input = {
    .name = "input", .keras_class = "InputLayer", .keys = keys, .shape = shape};
