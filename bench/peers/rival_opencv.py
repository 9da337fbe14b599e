# SPDX-License-Identifier: Apache-2.0
"""OpenCV's dnn module."""

import cv2
import numpy as np

from meso_model import read_model, reordered, shapes, to_onnx

NAME, VERSION = "OpenCV", cv2.__version__
MODES = [
    ("reordered", 1, 1, True),
    ("reordered", 2, 1, True),
    ("reordered", 1, 2, True),
]
AVX2 = None  # OPENCV_CPU_DISABLE does not reach all of dnn


def build(path, mode, threads, batch):
    cv2.setNumThreads(threads)
    model = reordered(read_model(path))
    onnx = to_onnx(model, batch, float_planes=True).SerializeToString()
    net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx, np.uint8))
    scale = 1 / float(model.layers[0].keys["divide"])
    height, width = shapes(model)[model.layers[0].name][1:]

    def predict(pixels):
        net.setInput(cv2.dnn.blobFromImages(list(pixels), scale, (width, height)))
        return net.forward().reshape(-1)

    return predict
