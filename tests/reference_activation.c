/* SPDX-License-Identifier: Apache-2.0 */
#include "reference_activation.h"

#include <math.h>

static double relu(const meso_settings *set, double in)
{
    return fmin(fmax(in, 0), set->relu.cap);
}

static double relu_slope(const meso_settings *set, double in, double out)
{
    (void)out;
    return in > 0 && in < set->relu.cap;
}

static double leaky_relu(const meso_settings *set, double in)
{
    return in < 0 ? set->leaky_relu.slope * in : in;
}

static double leaky_relu_slope(const meso_settings *set, double in, double out)
{
    (void)out;
    return in > 0 ? 1 : set->leaky_relu.slope;
}

static double elu(const meso_settings *set, double in)
{
    return in < 0 ? set->elu.alpha * expm1(in) : in;
}

static double elu_slope(const meso_settings *set, double in, double out)
{
    (void)out;
    return in > 0 ? 1 : set->elu.alpha * exp(in);
}

static double sigmoid(const meso_settings *set, double in)
{
    (void)set;
    return 1 / (1 + exp(-in));
}

static double sigmoid_slope(const meso_settings *set, double in, double out)
{
    (void)set;
    (void)in;
    return out * (1 - out);
}

static const reference_activation rows[] = {
    {&meso_op_relu, relu, relu_slope},
    {&meso_op_leaky_relu, leaky_relu, leaky_relu_slope},
    {&meso_op_elu, elu, elu_slope},
    {&meso_op_sigmoid, sigmoid, sigmoid_slope},
};

const reference_activation *reference_activation_of(const meso_op *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == op)
            return &rows[i];
    return NULL;
}
