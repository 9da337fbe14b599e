# SPDX-License-Identifier: Apache-2.0
"""Makes tests/fixtures/keras_* and tests/golden/keras_fixtures.json. Not part of CI.

    python3 -m venv /tmp/keras && /tmp/keras/bin/pip install tensorflow-cpu keras tf-keras
    /tmp/keras/bin/python tests/golden/make_keras_fixtures.py

Small nets with seeded weights, saved by Keras 2 (the package tf_keras) and by Keras 3, with what
Keras predicts for two inputs and a sum over each array. Run again, it makes other bytes (HDF5
stores times) but the same weights.
"""

import collections
import io
import json
import os
import pathlib
import re
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "0"

import h5py
import keras
import numpy
import tf_keras

from keras_inputs import SIDE, inputs

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"


def fill(model, seed):
    """Kernels about as large as Glorot's, biases and batch-norm statistics far from their
    defaults."""
    random = numpy.random.default_rng(seed)
    for layer in model.layers:
        values = []
        for weight in layer.weights:
            name = weight.name.split("/")[-1].split(":")[0]
            shape = tuple(weight.shape)
            if name == "kernel":
                limit = (6.0 / (numpy.prod(shape[:-1]) + shape[-1])) ** 0.5
                values.append(random.uniform(-limit, limit, shape))
            else:
                low, high = {"bias": (-0.2, 0.2), "gamma": (-1.5, 1.5), "beta": (-0.5, 0.5),
                             "moving_mean": (-0.3, 0.6), "moving_variance": (0.05, 0.8)}[name]
                values.append(random.uniform(low, high, shape))
        layer.set_weights(values)


def meso4_small(k, divide=False):
    """Meso-4 with fewer filters at 32x32; k is keras or tf_keras."""
    leaky = {"negative_slope": 0.1} if k is keras else {"alpha": 0.1}
    layers = k.layers
    stack = [k.Input((SIDE, SIDE, 3))]
    if divide:
        stack.append(layers.Rescaling(1.0 / 255))
    for filters, window, pool in ((4, 3, 2), (4, 5, 2), (6, 5, 2), (6, 5, 4)):
        stack += [layers.Conv2D(filters, window, padding="same", activation="relu"),
                  layers.BatchNormalization(),
                  layers.MaxPooling2D(pool, padding="same")]
    stack += [layers.Flatten(), layers.Dropout(0.5), layers.Dense(8), layers.LeakyReLU(**leaky),
              layers.Dropout(0.5), layers.Dense(1, activation="sigmoid")]
    return k.Sequential(stack)


def inception_small(k, **norm):
    """A functional net: branches, dilation, strides, VALID padding, and each activation layer."""
    norms = norm or {"scale": False}, norm or {"center": False}
    layers = k.layers
    x = image = k.Input((SIDE, SIDE, 3))
    branches = [layers.Conv2D(2, 1, padding="same", activation="relu")(x)]
    for dilation in (1, 2, 3):
        y = layers.Conv2D(3, 1, padding="same", activation="relu")(x)
        branches.append(layers.Conv2D(3, 3, dilation_rate=dilation, padding="same",
                                      activation="relu")(y))
    x = layers.Concatenate()(branches)
    x = layers.BatchNormalization(**norms[0])(x)
    x = layers.MaxPooling2D((3, 2), strides=2, padding="valid")(x)
    x = layers.Conv2D(5, (3, 4), strides=(2, 1), padding="valid", use_bias=False)(x)
    x = layers.BatchNormalization(**norms[1], epsilon=0.01)(x)
    x = layers.ELU(alpha=0.7)(x)
    x = layers.Conv2D(6, 3, padding="same")(x)
    x = layers.ReLU(max_value=0.9)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(4)(x)
    x = layers.LeakyReLU()(x)
    x = layers.Dense(2)(x)
    x = layers.Activation("softmax")(x)
    return k.Model(image, x)


def strip_names(path):
    """Takes layer names out of a weight file: Keras 3.0 wrote none."""
    with h5py.File(path, "r+") as file:
        file.visititems(lambda _, item: item.attrs.pop("name", None) and None)


def repack(path, change):
    """Writes a .keras anew, compressed, its weight file changed by a function."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    change(weights)
    members["model.weights.h5"] = weights.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


# Layers of the .net files for weights without architecture, in the order of creation.
NET_LAYERS = {
    "meso4_small": {"conv2d": ["conv1", "conv2", "conv3", "conv4"],
                    "batch_normalization": ["bn1", "bn2", "bn3", "bn4"],
                    "dense": ["dense1", "dense2"]},
    "inception_small": {"conv2d": ["a", "b1", "b2", "c1", "c2", "d1", "d2", "conv1", "conv2"],
                        "batch_normalization": ["bn1", "bn2"],
                        "dense": ["dense1", "dense2"]},
}


def tensor_sums(model, net):
    """Name in the net: sum of i * value, i from 1, over the array as Keras orders it."""
    sums = {}
    count = collections.Counter()
    layers = sorted((layer for layer in model.layers if layer.weights),
                    key=lambda layer: int(re.search(r"(?:_(\d+))?$", layer.name)[1] or 0))
    for layer in layers:
        kind = type(layer).__name__
        kind = {"Conv2D": "conv2d", "Dense": "dense",
                "BatchNormalization": "batch_normalization"}[kind]
        name = NET_LAYERS[net][kind][count[kind]] if net else layer.name
        count[kind] += 1
        for weight in layer.weights:
            base = weight.name.split("/")[-1].split(":")[0]
            tensor = f"{name}_bias.bias" if base == "bias" else f"{name}.{base}"
            values = numpy.asarray(weight).astype("float64").ravel()
            sums[tensor] = float(values @ numpy.arange(1, values.size + 1))
    return sums


def save(model, name, rows, scale, net=None):
    if name.endswith(".weights.h5"):
        model.save_weights(FIXTURES / name)
    elif name.endswith(".keras"):
        model.save(FIXTURES / name)
    else:
        model.save(FIXTURES / name, save_format="h5")
    if name == "keras3_inception.weights.h5":
        strip_names(FIXTURES / name)
    if name == "keras3_functional.keras":
        repack(FIXTURES / name, strip_names)
    elif name.endswith(".keras"):
        repack(FIXTURES / name, lambda weights: None)
    expected = {key: [float(p) for p in model.predict(x * numpy.float32(scale), verbose=0)[0]]
                for key, x in inputs().items()}
    rows.append({"file": f"tests/fixtures/{name}",
                 "net": net and f"tests/fixtures/{net}.net",
                 "outputs": expected, "tensors": tensor_sums(model, net)})


def main():
    rows = []
    # Order matters: automatic names count up, so that nothing here is called conv2d or dense_1.
    for seed, (make, k, name) in enumerate([
            (meso4_small, tf_keras, "keras2_sequential.h5"),
            (inception_small, tf_keras, "keras2_functional.h5"),
            (meso4_small, keras, "keras3_sequential.keras"),
            (inception_small, keras, "keras3_functional.keras")]):
        model = make(k)
        fill(model, seed)
        save(model, name, rows, 1 / 255)
    model = meso4_small(keras)
    fill(model, 10)
    save(model, "keras3.weights.h5", rows, 1 / 255, "meso4_small")
    # Arrays without names: only whole batch norms can be told apart.
    model = inception_small(keras, scale=True)
    fill(model, 11)
    save(model, "keras3_inception.weights.h5", rows, 1 / 255, "inception_small")
    model = meso4_small(keras, divide=True)
    fill(model, 12)
    save(model, "keras3_rescaling.keras", rows, 1)
    # The state of an optimiser and of metrics lies beside the layers.
    model = meso4_small(tf_keras)
    model.compile("adam", "mse")
    model.train_on_batch(numpy.zeros((2, SIDE, SIDE, 3)), numpy.zeros((2, 1)))
    fill(model, 13)
    save(model, "keras2_trained.keras", rows, 1 / 255)
    golden = {
        "about": "Written by tests/golden/make_keras_fixtures.py.",
        "keras2": tf_keras.__version__,
        "keras3": keras.__version__,
        "input": {"ramp": "(31h + 17w + 59c) mod 256",
                  "smooth": "floor((h + 2w + 40c) / 3) mod 256",
                  "note": "8-bit pixels of a picture of 32 x 32; the nets see them / 255"},
        "fixtures": rows,
    }
    text = json.dumps(golden, indent=1) + "\n"
    (ROOT / "tests" / "golden" / "keras_fixtures.json").write_text(text)


main()
