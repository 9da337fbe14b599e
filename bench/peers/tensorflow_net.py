# SPDX-License-Identifier: Apache-2.0
"""The net as a TensorFlow function, for rival_tensorflow.py and rival_litert.py. Written with
tf.nn, not Keras: the converter to LiteRT drops the weights of Keras 3 models without a word."""

import tensorflow as tf

from meso_model import norm_tensors, size


def net_function(model, batch):
    """A function of uint8 [batch, height, width, 3] that gives [batch, 1]. NHWC, so dense kernels
    fit as they are."""
    first = model.layers[0]
    shape = [batch] + [int(first.keys[key]) for key in ("height", "width", "channels")]

    def steps(pixels):
        values = {first.name: tf.cast(pixels, tf.float32) * (1 / float(first.keys["divide"]))}
        for layer in model.layers[1:]:
            values[layer.name] = apply(model, layer, [values[name] for name in layer.inputs])
        return values[model.layers[-1].name]

    return tf.function(steps, input_signature=[tf.TensorSpec(shape, tf.uint8)])


def apply(model, layer, inputs):
    x, keys = inputs[0], layer.keys
    if layer.op == "conv":
        return tf.nn.conv2d(x, model.tensors[layer.name + ".kernel"], 1, "SAME",
                            dilations=size(keys["dilation"]))
    if layer.op == "bias":
        return tf.nn.bias_add(x, model.tensors[layer.name + ".bias"])
    if layer.op == "dense":
        return tf.linalg.matmul(x, model.tensors[layer.name + ".kernel"])
    if layer.op == "batch_norm":
        gamma, beta, mean, variance = norm_tensors(model, layer)
        scale = gamma / (variance + float(keys["epsilon"]))**0.5
        return x * scale + (beta - mean * scale)
    if layer.op == "max_pool":
        return tf.nn.max_pool2d(x, size(keys["window"]), size(keys["stride"]), "SAME")
    return {
        "relu": lambda: tf.nn.relu(x), "elu": lambda: tf.nn.elu(x),
        "sigmoid": lambda: tf.nn.sigmoid(x),
        "leaky_relu": lambda: tf.nn.leaky_relu(x, float(keys["slope"])), "dropout": lambda: x,
        "flatten": lambda: tf.reshape(x, [x.shape[0], -1]), "concat": lambda: tf.concat(inputs, 3),
    }[layer.op]()
