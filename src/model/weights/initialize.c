/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights before any training.
 */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/random.h"
#include "model/weights/weights.h"
#include "net/net.h"

/* fan = window area · channels. */
static double fan_of(const meso_param *param, int out)
{
    double area = param->n_dims == 4 ? (double)(param->dims[0] * param->dims[1]) : 1;
    return area * (double)param->dims[param->n_dims - 2 + (size_t)out];
}

static double draw_glorot(const meso_param *param, meso_random *random)
{
    double limit = sqrt(6 / (fan_of(param, 0) + fan_of(param, 1)));
    return meso_random_uniform(random, -limit, limit);
}

/* Box and Muller; what lies beyond two deviations is drawn again, and the divisor gives what is
 * left the deviation 1. */
static double draw_he(const meso_param *param, meso_random *random)
{
    const double deviation = sqrt(2 / fan_of(param, 0)) / 0.87962566103423978;
    double z;
    do {
        double radius = sqrt(-2 * log(1 - meso_random_unit(random)));
        z = radius * cos(2 * 3.14159265358979323846 * meso_random_unit(random));
    } while (fabs(z) > 2);
    return deviation * z;
}

static void fill(const meso_param *param, meso_initializer initializer, meso_random *random,
                 float *values)
{
    const int is_one = param->kind == MESO_PARAM_GAMMA || param->kind == MESO_PARAM_VARIANCE;
    const float constant = is_one ? 1 : param->kind == MESO_PARAM_SLOPE ? 0.25f : 0;
    for (size_t i = 0; i < param->n_values; i++) {
        if (param->kind != MESO_PARAM_KERNEL)
            values[i] = constant;
        else if (initializer == MESO_HE_NORMAL)
            values[i] = (float)draw_he(param, random);
        else
            values[i] = (float)draw_glorot(param, random);
    }
}

meso_status meso_weights_initialize(const meso_net *net, meso_initializer initializer,
                                    uint64_t seed, meso_weights **weights, meso_error *error)
{
    meso_status status = MESO_OK;
    meso_random random = {seed};
    meso_weights *w = NULL;
    float *values = NULL;
    MESO_TRY(meso_weights_create(&w, error));
    MESO_TRY(meso_weights_set_net(w, net, error));
    MESO_TRY(meso_weights_set(w, "mesocl.classes", MESO_USUAL_CLASSES, error));
    MESO_TRY(meso_weights_set(w, "mesocl.source", "seeded random values, not trained", error));
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_param *param = &net->params[i];
        free(values);
        values = calloc(param->n_values, sizeof *values);
        MESO_REQUIRE_MEMORY(values, error);
        fill(param, initializer, &random, values);
        MESO_TRY(meso_weights_add(w, param->name, param->dims, param->n_dims, values, error));
    }
    *weights = w;
    w = NULL;
out:
    free(values);
    meso_weights_close(w);
    return status;
}

meso_status meso_weights_random(const meso_net *net, uint64_t seed, meso_weights **weights,
                                meso_error *error)
{
    return meso_weights_initialize(net, MESO_GLOROT_UNIFORM, seed, weights, error);
}
