# SPDX-License-Identifier: Apache-2.0
"""A rival from Python: start to one answer, with as little as possible in between. startup.py
runs it.

    startup_rival.py openvino|onnxruntime MODEL PICTURE.ppm
"""

import sys

import numpy as np

rival, model, picture = sys.argv[1:]
with open(picture, "rb") as file:
    width, height = map(int, file.readline().split()[1:3])
    pixels = np.frombuffer(file.read(), np.uint8).reshape(1, height, width, 3)
if rival == "openvino":
    import openvino
    config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(model, "CPU", config)
    p = compiled({0: pixels})[0][0, 0]
else:
    import onnxruntime
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    p = session.run(None, {"pixels": pixels})[0][0, 0]
print(p)
