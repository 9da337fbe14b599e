/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness_device.h"

float *harness_param(const meso_param *param, meso_random *random)
{
    float *values = malloc((param->n_values + 1) * sizeof *values);
    assert_non_null(values);
    harness_fill(random, values, param->n_values);
    if (param->kind == MESO_PARAM_VARIANCE)
        for (size_t i = 0; i < param->n_values; i++)
            values[i] = fabsf(values[i]) + 0.01f;
    return values;
}

void harness_block_param(const meso_param *p, meso_random *random, size_t first_sign, float *values)
{
    size_t n_terms = p->n_dims == 4 ? p->dims[0] * p->dims[1] * p->dims[2] : p->dims[0];
    harness_fill(random, values, p->n_values);
    for (size_t i = 0; i < p->n_values; i++) {
        const int negative = (i + first_sign) % 2 == 0;
        if (p->kind == MESO_PARAM_KERNEL)
            values[i] *= 2 / sqrtf((float)n_terms);
        else if (p->kind == MESO_PARAM_VARIANCE)
            values[i] = fabsf(values[i]) + 0.25f;
        else if (p->kind == MESO_PARAM_BIAS)
            values[i] = values[i] / 4 + (negative ? 2.5f : 0.5f);
        else if (p->kind == MESO_PARAM_GAMMA) /* every fifth 0 */
            values[i] = i % 5 == 4 ? 0 : (negative ? -1.0f : 1.0f) * (fabsf(values[i]) + 0.2f);
        else
            values[i] /= 8;
    }
}

int harness_layer_open(harness_layer *s, const char *text, size_t n, int frozen,
                       meso_random *random)
{
    meso_error error;
    *s = (harness_layer){0};
    if (meso_net_parse(text, "case", &s->net, &error) != MESO_OK) {
        if (!strstr(error.text, "does not fit") && !strstr(error.text, "smaller than the window"))
            fail_msg("%s\n%s", text, error.text);
        return 0;
    }
    const meso_layer *layer = &s->net->layers[s->net->n_layers - 1];
    s->l = (reference_layer){.net = s->net,
                             .layer = layer,
                             .n = n,
                             .frozen = frozen,
                             .seed = 0x123456789abcdef0u,
                             .step = 3};
    for (size_t k = 0; k < layer->n_params; k++) {
        const meso_param *param = &s->net->params[layer->first_param + k];
        s->params[k] = harness_param(param, random);
        double *exact = malloc(param->n_values * sizeof *exact);
        for (size_t i = 0; i < param->n_values; i++)
            exact[i] = s->params[k][i];
        s->l.params[k] = exact;
    }
    return 1;
}

void harness_layer_close(harness_layer *s)
{
    for (size_t k = 0; k < MESO_MAX_PARAMS; k++) {
        free(s->params[k]);
        free((double *)s->l.params[k]);
    }
    meso_net_close(s->net);
}
