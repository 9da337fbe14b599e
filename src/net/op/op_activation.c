/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations, element by element:
 *   relu        min(max(x, 0), cap)         leaky_relu  x < 0 ? slope·x : x
 *   elu         x < 0 ? alpha·(eˣ − 1) : x  sigmoid     1 / (1 + e⁻ˣ)
 * NaN stays NaN in all of them.
 */
#include <math.h>

#include "net/op/op.h"

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
                                            .high = 1e6,
                                            .keras = "negative_slope"},
                                           {0}};
static const meso_key elu_keys[] = {{.name = "alpha",
                                     .kind = MESO_KEY_REAL,
                                     .offset = MESO_SETTING(elu.alpha),
                                     .low = -1e6,
                                     .high = 1e6,
                                     .keras = "alpha"},
                                    {0}};

/* One launch over every element, with the activation's one setting. */
static meso_status launch(meso_device *device, const meso_step *step, meso_kernel_id kernel,
                          double setting)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, kernel,
                       MESO_GLOBAL(out->shape.w, out->shape.h, step->n * (size_t)out->shape.c),
                       MESO_ARGS(MESO_VIEW(in), setting, MESO_VIEW(out)));
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

static meso_status relu_train(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *in = &t->step.inputs[0], *out = &t->step.output;
    return meso_train_launch(device, t, MESO_KERNEL_RELU_TRAIN, MESO_TRAIN_BLOCKS(t, out->shape),
                             MESO_ARGS(MESO_VIEW(in), t->step.layer->set.relu.cap, MESO_VIEW(out)));
}

/* In place: out > 0 says as much as in > 0. */
static meso_status relu_backward(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *out = &t->step.output, *d = &t->d_output;
    return meso_train_launch(device, t, MESO_KERNEL_RELU_BACKWARD, MESO_TRAIN_BLOCKS(t, d->shape),
                             MESO_ARGS(MESO_VIEW(out), t->step.layer->set.relu.cap, MESO_VIEW(d)));
}

/* value: the tensor that the derivative is computed from. */
static meso_status launch_backward(meso_device *device, const meso_train_step *t,
                                   meso_kernel_id kernel, const meso_tensor_view *value,
                                   double setting)
{
    const meso_tensor_view *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    return meso_train_launch(
        device, t, kernel, MESO_TRAIN_BLOCKS(t, d_in->shape),
        MESO_ARGS(MESO_VIEW(value), setting, MESO_VIEW(d_out), MESO_VIEW(d_in), t->add[0]));
}

static meso_status leaky_relu_backward(meso_device *device, const meso_train_step *t)
{
    return launch_backward(device, t, MESO_KERNEL_LEAKY_RELU_BACKWARD, &t->step.inputs[0],
                           t->step.layer->set.leaky_relu.slope);
}

static meso_status elu_backward(meso_device *device, const meso_train_step *t)
{
    return launch_backward(device, t, MESO_KERNEL_ELU_BACKWARD, &t->step.inputs[0],
                           t->step.layer->set.elu.alpha);
}

static meso_status sigmoid_backward(meso_device *device, const meso_train_step *t)
{
    return launch_backward(device, t, MESO_KERNEL_SIGMOID_BACKWARD, &t->step.output, 1);
}

#define ACTIVATION(op_name, op_forward, op_backward, ...)                            \
    {                                                                                \
        .name = op_name, .min_inputs = 1, .max_inputs = 1, .shape = meso_same_shape, \
        .forward = op_forward, .backward = {.apply = op_backward}, __VA_ARGS__       \
    }
const meso_op meso_op_relu =
    ACTIVATION("relu", relu, relu_backward, .keys = relu_keys, .keras_class = "ReLU",
               .keras_functions = {{.name = "relu"}, {"relu6", "cap", 6}},
               .train = {.apply = relu_train}, .in_place = 1, .reads_output = 1);
const meso_op meso_op_leaky_relu =
    ACTIVATION("leaky_relu", leaky_relu, leaky_relu_backward, .keys = leaky_relu_keys,
               .keras_class = "LeakyReLU", .keras_functions = {{"leaky_relu", "slope", 0.2}});
const meso_op meso_op_elu =
    ACTIVATION("elu", elu, elu_backward, .keys = elu_keys, .keras_class = "ELU",
               .keras_functions = {{"elu", "alpha", 1}});
const meso_op meso_op_sigmoid =
    ACTIVATION("sigmoid", sigmoid, sigmoid_backward, .keras_functions = {{.name = "sigmoid"}},
               .reads_output = 1);
