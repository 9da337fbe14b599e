# SPDX-License-Identifier: Apache-2.0
"""LiteRT with XNNPACK. TensorFlow makes its file."""

import os
import subprocess
import sys
import tempfile

import ai_edge_litert
from ai_edge_litert.interpreter import Interpreter

NAME, VERSION = "LiteRT", ai_edge_litert.__version__
MODES = [
    ("reordered", 1, 1, True),
    ("reordered", 2, 1, True),
    ("reordered", 1, 2, True),
]
AVX2 = None  # no switch


def convert(path, batch):
    """In a process of its own, so that TensorFlow's threads and memory are not there when LiteRT is
    timed."""
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "net.tflite")
        subprocess.run([sys.executable, os.path.join(here, "rival_litert.py"), path, str(batch),
                        out], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(out, "rb") as file:
            return file.read()


def build(path, mode, threads, batch):
    interpreter = Interpreter(model_content=convert(path, batch), num_threads=threads)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    made = interpreter.get_output_details()[0]["index"]

    def predict(pixels):
        interpreter.set_tensor(given, pixels)
        interpreter.invoke()
        return interpreter.get_tensor(made)[:, 0]

    return predict


def main():
    import tensorflow as tf
    from meso_model import read_model, reordered
    from tensorflow_net import net_function
    path, batch, out = sys.argv[1:]
    function = net_function(reordered(read_model(path)), int(batch)).get_concrete_function()
    with open(out, "wb") as file:
        file.write(tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())


if __name__ == "__main__":
    main()
