/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reference.h"

const float **harness_params(const meso_net *net, const meso_weights *weights)
{
    const float **params = calloc(net->n_params + 1, sizeof *params);
    assert_non_null(params);
    for (size_t i = 0; i < net->n_params; i++) {
        const meso_tensor *tensor = meso_weights_find(weights, net->params[i].name);
        assert_non_null(tensor);
        params[i] = tensor->values;
    }
    return params;
}

void harness_reference_p(const meso_net *net, const meso_weights *weights, const float *input,
                         size_t n, double *p)
{
    const float **params = harness_params(net, weights);
    size_t size = n * meso_shape_size(net->layers[0].shape);
    double *exact = malloc(size * sizeof *exact);
    reference_tensor out;
    assert_non_null(exact);
    for (size_t i = 0; i < size; i++)
        exact[i] = input[i];
    reference_net(net, params, exact, n, net->n_layers - 1, &out);
    for (size_t i = 0; i < n; i++)
        p[i] = out.value[(i + 1) * meso_shape_size(out.shape) - 1];
    reference_tensor_free(&out);
    free(exact);
    free(params);
}
