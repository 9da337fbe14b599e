/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations, element by element:
 *   relu        min(max(x, 0), cap)         leaky_relu  x < 0 ? slope·x : x
 *   elu         x < 0 ? alpha·(eˣ − 1) : x  sigmoid     1 / (1 + e⁻ˣ)
 * NaN stays NaN in all of them.
 */
#include <math.h>

#include "net/op.h"

static const meso_key relu_keys[] = {{.name = "cap",
                                      .kind = MESO_KEY_REAL,
                                      .offset = MESO_SETTING(relu.cap),
                                      .low = 0,
                                      .high = 1e30,
                                      .optional = 1,
                                      .missing = INFINITY},
                                     {0}};
static const meso_key leaky_relu_keys[] = {{.name = "slope",
                                            .kind = MESO_KEY_REAL,
                                            .offset = MESO_SETTING(leaky_relu.slope),
                                            .low = -1e6,
                                            .high = 1e6},
                                           {0}};
static const meso_key elu_keys[] = {{.name = "alpha",
                                     .kind = MESO_KEY_REAL,
                                     .offset = MESO_SETTING(elu.alpha),
                                     .low = -1e6,
                                     .high = 1e6},
                                    {0}};

/* One launch over every element, with the activation's one setting. */
static meso_status launch(meso_device *device, const meso_step *step, meso_kernel_id kernel,
                          double setting)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(
        device, kernel, MESO_GLOBAL(out->shape.w, out->shape.h, step->n * (size_t)out->shape.c),
        MESO_ARGS(meso_arg_buffer(in->buffer), meso_arg_tensor(in), meso_arg_float(setting),
                  meso_arg_buffer(out->buffer), meso_arg_tensor(out)));
}

static meso_status relu(meso_device *device, const meso_step *step)
{
    return launch(device, step, MESO_KERNEL_RELU_FORWARD, step->layer->set.relu.cap);
}

static meso_status leaky_relu(meso_device *device, const meso_step *step)
{
    return launch(device, step, MESO_KERNEL_LEAKY_RELU_FORWARD, step->layer->set.leaky_relu.slope);
}

static meso_status elu(meso_device *device, const meso_step *step)
{
    return launch(device, step, MESO_KERNEL_ELU_FORWARD, step->layer->set.elu.alpha);
}

static meso_status sigmoid(meso_device *device, const meso_step *step)
{
    return launch(device, step, MESO_KERNEL_SIGMOID_FORWARD, 1);
}

#define ACTIVATION(op_name, op_keys, op_forward)                            \
    {                                                                       \
        .name = op_name, .min_inputs = 1, .max_inputs = 1, .keys = op_keys, \
        .shape = meso_same_shape, .forward = op_forward                     \
    }

const meso_op meso_op_relu = ACTIVATION("relu", relu_keys, relu);
const meso_op meso_op_leaky_relu = ACTIVATION("leaky_relu", leaky_relu_keys, leaky_relu);
const meso_op meso_op_elu = ACTIVATION("elu", elu_keys, elu);
const meso_op meso_op_sigmoid = ACTIVATION("sigmoid", NULL, sigmoid);
