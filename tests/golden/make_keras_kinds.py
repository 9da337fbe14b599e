# SPDX-License-Identifier: Apache-2.0
"""Makes tests/fixtures/kind_* and tests/golden/keras_kinds.json. Not part of CI.

    python3 -m venv /tmp/keras && /tmp/keras/bin/pip install keras jax h5py
    KERAS_BACKEND=jax /tmp/keras/bin/python tests/golden/make_keras_kinds.py

Files of one small net as other writers leave them: layers that act in training alone, bfloat16,
float64, several files, the names of Keras 1 and of TensorFlow 1.13; and files that are refused. The
older writers' files are a file of today with their names put in. Beside them what Keras predicts.
"""

import json
import pathlib
import zipfile

import h5py
import keras
import numpy
from keras import layers

from keras_inputs import SIDE, inputs

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"


def make(before=(), behind=(), activation="sigmoid"):
    return keras.Sequential([
        layers.Input((SIDE, SIDE, 3)), *before,
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.BatchNormalization(), *behind, layers.MaxPooling2D(8), layers.Flatten(),
        layers.Dense(1, activation=activation)])


def fill(model):
    """Values that bfloat16 holds, so that no file rounds them."""
    random = numpy.random.default_rng(5)
    for variable in model.weights:
        low, high = (0.5, 1.5) if "variance" in variable.path else (-0.3, 0.3)
        bits = random.uniform(low, high, variable.shape).astype("float32").view("uint32")
        variable.assign((bits & 0xFFFF0000).view("float32"))


def change(path, classes, settings, numbers="float32"):
    """Renames classes and settings of the layers in an .h5, and stores its numbers otherwise."""
    with h5py.File(path, "r+") as file:
        model = json.loads(file.attrs["model_config"])
        for layer in model["config"]["layers"]:
            config = layer["config"]
            for today, was in settings.get(layer["class_name"], {}).items():
                value = config.pop(today)
                if was:
                    config.update(was(value) if callable(was) else {was: value})
            layer["class_name"] = classes.get(layer["class_name"], layer["class_name"])
        file.attrs["model_config"] = json.dumps(model)
        found = []
        file.visititems(lambda name, item: found.append(name)
                        if isinstance(item, h5py.Dataset) else None)
        for name in found:
            values = file[name][()]
            del file[name]
            file[name] = values.astype(numbers)


def deflate(path):
    """Writes a .keras anew, compressed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


KERAS_1 = {
    "Conv2D": {"filters": "nb_filter", "strides": "subsample", "padding": "border_mode",
               "kernel_size": lambda size: {"nb_row": size[0], "nb_col": size[1]},
               "data_format": lambda _: {"dim_ordering": "tf"}, "use_bias": "bias",
               "dilation_rate": None, "groups": None},
    "MaxPooling2D": {"padding": "border_mode", "data_format": lambda _: {"dim_ordering": "tf"}},
    "BatchNormalization": {"center": lambda _: {"mode": 0}, "scale": None},
    "Flatten": {"data_format": None},
    "Dense": {"units": "output_dim", "use_bias": "bias"},
}


def main():
    rows = []

    def row(name, model, net=None, squash=lambda p: p):
        outputs = {key: [float(squash(numpy.float64(model.predict(x / 255, verbose=0)[0][0])))]
                   for key, x in inputs().items()}
        rows.append({"file": f"tests/fixtures/kind_{name}",
                     "net": net and f"tests/fixtures/{net}.net", "outputs": outputs,
                     "tensors": {}})

    plain = make()
    fill(plain)
    for name, numbers, classes, settings in [
            ("keras1.h5", "float64", {"Conv2D": "Convolution2D"}, KERAS_1),
            ("tf1.h5", "float16", {"BatchNormalization": "BatchNormalizationV1"}, {})]:
        plain.save(FIXTURES / f"kind_{name}")
        change(FIXTURES / f"kind_{name}", classes, settings, numbers)
        row(name, plain)
    # So small that the batch norm lies in two of them.
    plain.save_weights(FIXTURES / "kind_parts.weights.json", max_shard_size=470 / 2**30)
    row("parts.weights.json", plain, "kind")
    idle = {"before": [layers.RandomFlip(), layers.RandomRotation(0.1)],
            "behind": [layers.GaussianNoise(0.1), layers.SpatialDropout2D(0.2),
                       layers.ActivityRegularization(l2=0.1), layers.Activation("linear"),
                       layers.Identity()], "activation": None}
    logit = make(**idle)
    fill(logit)
    keras.config.set_dtype_policy("bfloat16")
    stored = make(**idle)
    fill(stored)
    stored.save(FIXTURES / "kind_bfloat16.keras")
    keras.config.set_dtype_policy("float32")
    row("bfloat16.keras", logit, squash=lambda z: 1 / (1 + numpy.exp(-z)))
    # Refused.
    plain.quantize("int8")
    plain.save(FIXTURES / "kind_int8.keras")
    plain.save_weights(FIXTURES / "kind_int8.weights.h5")
    norm = layers.Normalization()
    norm.adapt(numpy.ones((1, SIDE, SIDE, 3)))
    make(before=[norm]).save(FIXTURES / "kind_normalization.keras")
    for path in FIXTURES.glob("kind_*.keras"):
        deflate(path)
    golden = {"about": "Written by tests/golden/make_keras_kinds.py.", "keras": keras.__version__,
              "fixtures": rows}
    text = json.dumps(golden, indent=1) + "\n"
    (ROOT / "tests" / "golden" / "keras_kinds.json").write_text(text)


main()
