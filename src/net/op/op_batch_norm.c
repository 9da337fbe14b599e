/* SPDX-License-Identifier: Apache-2.0
 *
 * batch_norm: out = gamma · (in − mean) / √(variance + epsilon) + beta, by channel (Ioffe, Szegedy
 * 2015; epsilon 1e-3 in Keras). mean and variance are the moving ones at inference and where the
 * layer is frozen, the batch's in training.
 */
#include "net/op/op.h"

static const meso_key keys[] = {{.name = "epsilon",
                                 .kind = MESO_KEY_REAL,
                                 .offset = MESO_SETTING(batch_norm.epsilon),
                                 .low = 1e-12,
                                 .high = 1},
                                {0}};

static size_t params(const meso_layer *layer, const meso_shape *inputs, meso_param *params)
{
    static const meso_param_kind kinds[] = {MESO_PARAM_GAMMA, MESO_PARAM_BETA, MESO_PARAM_MEAN,
                                            MESO_PARAM_VARIANCE};
    (void)layer;
    for (size_t i = 0; i < 4; i++)
        params[i] = (meso_param){.kind = kinds[i], .n_dims = 1, .dims = {(size_t)inputs[0].c}};
    return 4;
}

static meso_status forward(meso_device *device, const meso_step *step)
{
    const meso_tensor_view *in = &step->inputs[0], *out = &step->output;
    return meso_launch(device, MESO_KERNEL_BATCH_NORM_FORWARD,
                       MESO_GLOBAL(out->shape.w, out->shape.h, step->n * (size_t)out->shape.c),
                       MESO_ARGS(MESO_VIEW(in), step->params[0], step->params[1], step->params[2],
                                 step->params[3], step->layer->set.batch_norm.epsilon,
                                 MESO_VIEW(out)));
}

static meso_status measure(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *in = &t->step.inputs[0];
    if (t->frozen)
        return MESO_OK;
    return meso_train_launch(device, t, MESO_KERNEL_BATCH_NORM_MEASURE,
                             MESO_GLOBAL(in->shape.c, t->step.n, 1),
                             MESO_ARGS(MESO_VIEW(in), t->saved));
}

static meso_status combine(meso_device *device, const meso_train_step *t)
{
    const meso_shape shape = t->step.layer->shape;
    const double values = (double)t->batch * shape.h * shape.w;
    if (t->frozen)
        return MESO_OK;
    return meso_train_launch(
        device, t, MESO_KERNEL_BATCH_NORM_COMBINE, MESO_GLOBAL(shape.c, 1, 1),
        MESO_ARGS(t->saved, shape.c, (int)t->batch, shape.h * shape.w,
                  t->step.layer->set.batch_norm.epsilon, t->step.params[2], t->step.params[3],
                  t->momentum, t->biased_variance || values < 2 ? 1 : values / (values - 1)));
}

static meso_status apply(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *in = &t->step.inputs[0], *out = &t->step.output;
    if (t->frozen)
        return meso_op_forward(device, &t->step);
    return meso_train_launch(
        device, t, MESO_KERNEL_BATCH_NORM_APPLY, MESO_TRAIN_BLOCKS(t, out->shape),
        MESO_ARGS(MESO_VIEW(in), t->saved, t->step.params[0], t->step.params[1], MESO_VIEW(out)));
}

static meso_status backward_measure(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *in = &t->step.inputs[0], *d_out = &t->d_output;
    if (t->frozen)
        return MESO_OK;
    return meso_train_launch(device, t, MESO_KERNEL_BATCH_NORM_BACKWARD_MEASURE,
                             MESO_GLOBAL(in->shape.c, meso_step_groups(t), 1),
                             MESO_ARGS(MESO_VIEW(in), MESO_VIEW(d_out), t->saved, t->d_params[0],
                                       t->d_params[1], (int)t->step.n));
}

static meso_status backward_combine(meso_device *device, const meso_train_step *t)
{
    const meso_shape shape = t->step.layer->shape;
    if (t->frozen)
        return MESO_OK;
    return meso_train_launch(
        device, t, MESO_KERNEL_BATCH_NORM_BACKWARD_COMBINE, MESO_GLOBAL(shape.c, 1, 1),
        MESO_ARGS(t->d_params[0], t->d_params[1], shape.c, (int)meso_step_groups(t),
                  (double)t->batch * shape.h * shape.w, t->saved));
}

static meso_status backward_apply(meso_device *device, const meso_train_step *t)
{
    const meso_tensor_view *in = &t->step.inputs[0], *d_out = &t->d_output, *d_in = &t->d_inputs[0];
    if (!d_in->buffer)
        return MESO_OK;
    if (t->frozen)
        return meso_train_launch(
            device, t, MESO_KERNEL_BATCH_NORM_BACKWARD_FROZEN, MESO_TRAIN_BLOCKS(t, in->shape),
            MESO_ARGS(MESO_VIEW(d_out), t->step.params[0], t->step.params[3],
                      t->step.layer->set.batch_norm.epsilon, MESO_VIEW(d_in), t->add[0]));
    return meso_train_launch(device, t, MESO_KERNEL_BATCH_NORM_BACKWARD_APPLY,
                             MESO_TRAIN_BLOCKS(t, in->shape),
                             MESO_ARGS(MESO_VIEW(in), MESO_VIEW(d_out), t->saved, t->step.params[0],
                                       MESO_VIEW(d_in), t->add[0]));
}

/* As cl/train/train_norm.cl lays it out. */
static size_t saved(const meso_layer *layer, size_t batch)
{
    return (size_t)layer->shape.c * (6 + 2 * batch);
}

const meso_op meso_op_batch_norm = {
    .name = "batch_norm",
    .keras_class = "BatchNormalization",
    .min_inputs = 1,
    .max_inputs = 1,
    .keys = keys,
    .shape = meso_same_shape,
    .params = params,
    .forward = forward,
    .train = {measure, combine, apply},
    .backward = {backward_measure, backward_combine, backward_apply},
    .saved = saved};
