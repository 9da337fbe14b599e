# SPDX-License-Identifier: Apache-2.0
"""Training steps in Keras on TensorFlow, with and without XLA."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402  (reads the line above)
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from meso_model import norm_tensors, read_model, size  # noqa: E402

NAME, VERSION = "Keras on TensorFlow", f"{keras.__version__} on {tf.__version__}"
MODES = [
    ("train_on_batch", 1, 1, True),
    ("train_on_batch", 2, 1, True),
    ("train_on_batch, XLA", 1, 1, True),
    ("train_on_batch, XLA", 2, 1, True),
]
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}


def layer_of(layer, has_bias):
    keys, layers = layer.keys, keras.layers
    if layer.op == "conv":
        return layers.Conv2D(int(keys["filters"]), size(keys["window"]), padding="same",
                             dilation_rate=size(keys["dilation"]), use_bias=has_bias)
    if layer.op == "dense":
        return layers.Dense(int(keys["units"]), use_bias=has_bias)
    return {
        "relu": lambda: layers.ReLU(), "elu": lambda: layers.ELU(),
        "leaky_relu": lambda: layers.LeakyReLU(negative_slope=float(keys["slope"])),
        "batch_norm": lambda: layers.BatchNormalization(momentum=0.99,
                                                        epsilon=float(keys["epsilon"])),
        "max_pool": lambda: layers.MaxPooling2D(size(keys["window"]), size(keys["stride"]), "same"),
        "flatten": lambda: layers.Flatten(), "dropout": lambda: layers.Dropout(float(keys["rate"])),
        "sigmoid": lambda: layers.Activation("sigmoid"), "concat": lambda: layers.Concatenate(),
    }[layer.op]()


def make_net(path):
    model = read_model(path)
    first, *rest = model.layers
    biases = {layer.inputs[0]: layer.name for layer in rest if layer.op == "bias"}
    pixels = keras.Input([int(first.keys[key]) for key in ("height", "width", "channels")],
                         dtype="uint8")
    values, made = {first.name: keras.layers.Rescaling(1 / float(first.keys["divide"]))(pixels)}, []
    for layer in rest:
        inputs = [values[name] for name in layer.inputs]
        values[layer.name] = inputs[0]
        if layer.op != "bias":
            made.append((layer, layer_of(layer, layer.name in biases)))
            values[layer.name] = made[-1][1](inputs if layer.op == "concat" else inputs[0])
    net = keras.Model(pixels, values[rest[-1].name])
    for layer, one in made:
        if layer.op in ("conv", "dense"):
            bias = [model.tensors[biases[layer.name] + ".bias"]] if layer.name in biases else []
            one.set_weights([model.tensors[layer.name + ".kernel"]] + bias)
        elif layer.op == "batch_norm":
            one.set_weights(norm_tensors(model, layer))
    return net


def answers(path, pixels):
    """P(class 1) before training: the same net and weights as the others'."""
    return make_net(path)(pixels, training=False).numpy()[:, 0]


def build(path, mode, threads, batch):
    # Refused once TensorFlow has begun; the first call in a process counts.
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    net = make_net(path)
    net.compile(keras.optimizers.Adam(1e-3, epsilon=1e-7), "mse", jit_compile=mode.endswith("XLA"))
    classes = (np.arange(batch) % 2).astype(np.float32)[:, None]
    return lambda pixels: net.train_on_batch(pixels, classes)
