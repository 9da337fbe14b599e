# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime, CPU execution provider, all graph optimisations."""

import onnxruntime

from meso_model import read_model, reordered, to_onnx

NAME, VERSION = "ONNX Runtime", onnxruntime.__version__
MODES = [
    ("given", 1, 1, True),
    ("reordered", 1, 1, True),
    ("reordered", 2, 1, True),
    ("reordered", 1, 2, True),
]
AVX2 = None  # no switch


def build(path, mode, threads, batch):
    model = read_model(path)
    if mode == "reordered":
        model = reordered(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(to_onnx(model, batch).SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])

    def predict(pixels):
        return session.run(None, {"pixels": pixels})[0][:, 0]

    return predict
