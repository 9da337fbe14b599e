# SPDX-License-Identifier: Apache-2.0
"""MNN, precision high (its "normal" is float32 on x86 too, but may take shortcuts)."""

import os
import tempfile

import MNN
import _tools  # MNN's converter; its own command line would report to its makers

from meso_model import read_model, reordered, to_onnx

NAME, VERSION = "MNN", MNN.version()
MODES = [
    ("reordered", 1, 1, True),
    ("reordered", 2, 1, True),
    ("reordered", 1, 2, True),
    ("given", 1, 1, True),
]
AVX2 = None  # no switch
TOLERANCE = 1e-4  # its sigmoid is an approximation


def build(path, mode, threads, batch):
    model = read_model(path)
    if mode == "reordered":
        model = reordered(model)
    with tempfile.TemporaryDirectory() as folder:
        onnx_file, mnn_file = os.path.join(folder, "net.onnx"), os.path.join(folder, "net.mnn")
        with open(onnx_file, "wb") as file:
            file.write(to_onnx(model, batch).SerializeToString())
        _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", onnx_file,
                           "--MNNModel", mnn_file])
        settings = {"backend": "CPU", "precision": "high", "numThread": threads}
        runtime = MNN.nn.create_runtime_manager((settings,))
        net = MNN.nn.load_module_from_file(mnn_file, ["pixels"], ["probability"],
                                           runtime_manager=runtime, shape_mutable=False)

    def predict(pixels):
        given = MNN.expr.const(pixels, pixels.shape, MNN.expr.NHWC, MNN.expr.uint8)
        return MNN.expr.convert(net.forward(given), MNN.expr.NCHW).read().reshape(-1)

    return predict
