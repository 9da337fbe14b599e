/* SPDX-License-Identifier: Apache-2.0 */
#include "reference_train.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/op/op.h"

static void freeze(reference_trainer *t)
{
    char patterns[256];
    snprintf(patterns, sizeof patterns, "%s", t->options.freeze ? t->options.freeze : "");
    for (char *p = strtok(patterns, ","); p; p = strtok(NULL, ","))
        for (size_t i = 0; i < t->net->n_layers; i++)
            t->frozen[i] |= fnmatch(p, t->net->layers[i].name, 0) == 0;
}

void reference_trainer_open(reference_trainer *t, const meso_net *net, const meso_weights *weights,
                            const meso_trainer_options *options)
{
    *t = (reference_trainer){.net = net, .options = *options};
    freeze(t);
    for (size_t i = 0; i < net->n_params; i++) {
        const size_t n = net->params[i].n_values;
        const meso_tensor *tensor = meso_weights_find(weights, net->params[i].name);
        t->params[i] = calloc(n, sizeof(double));
        t->gradients[i] = calloc(n, sizeof(double));
        t->first[i] = calloc(n, sizeof(double));
        t->second[i] = calloc(n, sizeof(double));
        for (size_t k = 0; k < n; k++)
            t->params[i][k] = tensor->values[k];
    }
}

void reference_trainer_close(reference_trainer *t)
{
    for (size_t i = 0; i < t->net->n_params; i++) {
        free(t->params[i]);
        free(t->gradients[i]);
        free(t->first[i]);
        free(t->second[i]);
    }
}

static reference_layer layer_of(const reference_trainer *t, size_t i, size_t n)
{
    const meso_layer *layer = &t->net->layers[i];
    reference_layer l = {.net = t->net,
                         .layer = layer,
                         .n = n,
                         .frozen = t->frozen[i],
                         .seed = t->options.settings.seed,
                         .step = t->steps};
    for (size_t k = 0; k < layer->n_params; k++)
        l.params[k] = t->params[layer->first_param + k];
    return l;
}

static void inputs_of(const meso_layer *layer, const reference_tensor *tensors,
                      reference_tensor *inputs)
{
    for (size_t k = 0; k < layer->n_inputs; k++)
        inputs[k] = tensors[layer->inputs[k]];
}

/* The mean loss from probabilities and logits as the definitions have it; d: gradient of the last
 * layer's input. */
static double loss_of(const reference_trainer *t, const reference_tensor *logits,
                      const reference_tensor *p, const uint8_t *classes, size_t n,
                      reference_tensor *d)
{
    const size_t outputs = (size_t)p->shape.c;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < outputs; c++) {
            const size_t e = i * outputs + c;
            const double y = outputs == 1 ? classes[i] : classes[i] == c, v = p->value[e];
            const double z = logits->value[e];
            if (t->options.settings.loss == MESO_LOSS_MSE) {
                sum += (v - y) * (v - y) / (double)(n * outputs);
                for (size_t k = 0; k < outputs; k++) {
                    const double slope =
                        outputs == 1 ? v * (1 - v) : v * ((k == c) - p->value[i * outputs + k]);
                    d->value[i * outputs + k] += 2 * (v - y) * slope / (double)(n * outputs);
                }
            } else {
                sum += outputs == 1 ? (fmax(z, 0) - z * y + log1p(exp(-fabs(z)))) / (double)n
                                    : -y * log(v) / (double)n;
                d->value[e] = (v - y) / (double)n;
            }
        }
    return sum;
}

static void add_gradients(reference_trainer *t, size_t i, const reference_gradients *g,
                          reference_tensor *d, size_t n)
{
    const meso_layer *layer = &t->net->layers[i];
    for (size_t k = 0; k < layer->n_inputs; k++)
        for (size_t e = 0; e < n * meso_shape_size(g->inputs[k].shape); e++)
            d[layer->inputs[k]].value[e] += g->inputs[k].value[e];
    for (size_t k = 0; k < layer->n_params && k < 2; k++)
        memcpy(t->gradients[layer->first_param + k], g->params[k],
               t->net->params[layer->first_param + k].n_values * sizeof(double));
}

static void move_statistics(reference_trainer *t, size_t i, const reference_tensor *in, size_t n)
{
    const meso_layer *layer = &t->net->layers[i];
    const double count = (double)(n * (size_t)in->shape.h * (size_t)in->shape.w);
    const double correction = t->options.settings.bn_biased_variance ? 1 : count / (count - 1);
    if (layer->op != &meso_op_batch_norm || t->frozen[i])
        return;
    for (int c = 0; c < in->shape.c; c++) {
        double mean, variance;
        double *moving[] = {&t->params[layer->first_param + 2][c],
                            &t->params[layer->first_param + 3][c]};
        reference_moments(in, n, c, &mean, &variance);
        *moving[0] += (mean - *moving[0]) * (1 - t->options.settings.bn_momentum);
        *moving[1] += (variance * correction - *moving[1]) * (1 - t->options.settings.bn_momentum);
    }
}

static void update(reference_trainer *t, double learning_rate)
{
    const meso_train_settings *o = &t->options.settings;
    const double steps = (double)t->steps;
    const double alpha =
        learning_rate * sqrt(1 - pow(o->beta2, steps)) / (1 - pow(o->beta1, steps));
    for (size_t i = 0; i < t->net->n_params; i++) {
        const meso_param *param = &t->net->params[i];
        if (t->frozen[param->layer] || param->kind == MESO_PARAM_MEAN ||
            param->kind == MESO_PARAM_VARIANCE)
            continue;
        for (size_t k = 0; k < param->n_values; k++) {
            const double g = t->gradients[i][k];
            double *m = &t->first[i][k], *v = &t->second[i][k];
            if (o->optimizer == MESO_OPTIMIZER_SGD) {
                *m = o->momentum * *m - learning_rate * g;
                t->params[i][k] += *m;
                continue;
            }
            *m = o->beta1 * *m + (1 - o->beta1) * g;
            *v = o->beta2 * *v + (1 - o->beta2) * g * g;
            t->params[i][k] -= alpha * *m / (sqrt(*v) + o->epsilon);
        }
    }
}

double reference_trainer_step(reference_trainer *t, const float *values, const uint8_t *classes,
                              size_t n, double learning_rate)
{
    const size_t last = t->net->n_layers - 1;
    const meso_shape s = t->net->layers[0].shape;
    reference_tensor *tensors = calloc(last + 1, sizeof *tensors), *d = calloc(last + 1, sizeof *d);
    reference_tensor inputs[MESO_MAX_INPUTS];
    t->steps++;
    tensors[0] = reference_tensor_new(s, n);
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < (size_t)s.h * (size_t)s.w; p++)
            for (size_t c = 0; c < (size_t)s.c; c++)
                tensors[0].value[(i * (size_t)s.c + c) * (size_t)s.h * (size_t)s.w + p] =
                    values[(i * (size_t)s.h * (size_t)s.w + p) * (size_t)s.c + c];
    for (size_t i = 0; i <= last; i++) {
        const reference_layer l = layer_of(t, i, n);
        inputs_of(l.layer, tensors, inputs);
        if (i > 0)
            reference_train_forward(&l, inputs, 0, &tensors[i]);
        d[i] = reference_tensor_new(l.layer->shape, n);
    }
    const size_t logits = t->net->layers[last].inputs[0];
    const double loss = loss_of(t, &tensors[logits], &tensors[last], classes, n, &d[logits]);
    for (size_t i = last; i-- > 1;) {
        const reference_layer l = layer_of(t, i, n);
        reference_gradients g;
        inputs_of(l.layer, tensors, inputs);
        reference_backward(&l, inputs, &tensors[i], &d[i], 0, &g);
        add_gradients(t, i, &g, d, n);
        reference_gradients_free(&g);
    }
    for (size_t i = 1; i <= last; i++)
        move_statistics(t, i, &tensors[t->net->layers[i].inputs[0]], n);
    update(t, learning_rate);
    for (size_t i = 0; i <= last; i++) {
        reference_tensor_free(&tensors[i]);
        reference_tensor_free(&d[i]);
    }
    free(tensors);
    free(d);
    return loss;
}
