# SPDX-License-Identifier: Apache-2.0
"""ncnn, float32. Its net is written as its own text and weights, which are simple enough; one image
a call."""

import os
import tempfile

import ncnn
import numpy as np

from meso_model import (dense_kernel, flattened, norm_tensors, read_model, reordered, same_pads,
                        shapes, size)

NAME, VERSION = "ncnn", ncnn.__version__
MODES = [
    ("reordered", 1, 1, True),
    ("reordered", 2, 1, True),
    ("reordered", 1, 2, True),
]
AVX2 = None  # no switch


def build(path, mode, threads, batch):
    model = reordered(read_model(path))
    net = ncnn.Net()
    net.opt.num_threads = threads
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, "use_" + name, False)
    with tempfile.TemporaryDirectory() as folder:
        text, weights = os.path.join(folder, "net.param"), os.path.join(folder, "net.bin")
        write_net(model, text, weights)
        assert net.load_param(text) == 0 and net.load_model(weights) == 0
    height, width = shapes(model)[model.layers[0].name][1:]
    scale = [1 / float(model.layers[0].keys["divide"])] * 3

    def predict(pixels):
        answers = np.empty(len(pixels), np.float32)
        for i, picture in enumerate(pixels):
            given = ncnn.Mat.from_pixels(picture, ncnn.Mat.PixelType.PIXEL_RGB, width, height)
            given.substract_mean_normalize([], scale)
            extractor = net.create_extractor()
            extractor.input("x", given)
            answers[i] = np.array(extractor.extract("probability")[1])[0]
        return answers

    return predict


class Writer:
    """ncnn's two files: a line for each layer, and its weights in the same order. A value that
    several layers read goes through a Split, which gives each its own name."""

    def __init__(self, model):
        self.model, self.shapes = model, shapes(model)
        self.by_name = {layer.name: layer for layer in model.layers}
        self.biases = {layer.inputs[0]: layer.name for layer in model.layers if layer.op == "bias"}
        self.lines, self.weights, self.n_blobs, self.values = [], [], 0, {}
        self.n_readers = {}
        for layer in model.layers:
            for name in layer.inputs if layer.op not in ("bias", "dropout") else []:
                while self.by_name[name].op in ("bias", "dropout"):
                    name = self.by_name[name].inputs[0]
                self.n_readers[name] = self.n_readers.get(name, 0) + 1

    def line(self, kind, name, inputs, outputs, keys=()):
        words = [kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs]
        self.lines.append(" ".join(words + [f"{key}={value}" for key, value in dict(keys).items()]))
        self.n_blobs += len(outputs)

    def add(self, array, tagged=False):
        if tagged:
            self.weights.append(np.zeros(1, "<u4").tobytes())  # what follows is float32
        self.weights.append(np.ascontiguousarray(array, "<f4").tobytes())

    def conv(self, layer, bias):
        (h, w), (dh, dw) = size(layer.keys["window"]), size(layer.keys["dilation"])
        pads = same_pads(layer)
        kernel = self.model.tensors[layer.name + ".kernel"].transpose(3, 2, 0, 1)
        self.add(kernel, tagged=True)
        return "Convolution", {0: kernel.shape[0], 1: w, 11: h, 2: dw, 12: dh, 3: 1, 13: 1,
                               4: pads[1], 14: pads[0], 5: int(bias is not None), 6: kernel.size}

    def dense(self, layer, bias):
        kernel = dense_kernel(self.model, layer, flattened(self.by_name, self.shapes, layer)).T
        self.add(kernel, tagged=True)
        return "InnerProduct", {0: kernel.shape[0], 1: int(bias is not None), 2: kernel.size}

    def batch_norm(self, layer, bias):
        gamma, beta, mean, variance = norm_tensors(self.model, layer)
        for part in (gamma, mean, variance, beta):
            self.add(part)
        return "BatchNorm", {0: len(gamma), 1: layer.keys["epsilon"]}

    def max_pool(self, layer, bias):
        (h, w), (sh, sw) = size(layer.keys["window"]), size(layer.keys["stride"])
        return "Pooling", {0: 0, 1: w, 11: h, 2: sw, 12: sh, 5: 1}

    def take(self, layer):
        if layer.op in ("bias", "dropout"):
            self.values[layer.name] = self.values[layer.inputs[0]]
            return
        inputs = [self.values[name].pop() for name in layer.inputs]
        bias = self.model.tensors.get(self.biases.get(layer.name, "") + ".bias")
        simple = {"input": ("Input", {}), "relu": ("ReLU", {}), "elu": ("ELU", {0: 1}),
                  "sigmoid": ("Sigmoid", {}),
                  "leaky_relu": ("ReLU", {0: layer.keys.get("slope")}), "flatten": ("Flatten", {}),
                  "concat": ("Concat", {0: 0})}
        kind, keys = (simple[layer.op] if layer.op in simple
                      else getattr(self, layer.op)(layer, bias))
        if bias is not None:
            self.add(bias)
        last = layer is self.model.layers[-1]
        top = "x" if layer.op == "input" else "probability" if last else layer.name
        self.line(kind, layer.name, inputs, [top], keys)
        self.values[layer.name] = [top]
        if self.n_readers.get(layer.name, 0) > 1:
            self.values[layer.name] = [f"{top}_{i}" for i in range(self.n_readers[layer.name])]
            self.line("Split", layer.name + "_split", [top], list(self.values[layer.name]))


def write_net(model, text, weights):
    writer = Writer(model)
    for layer in model.layers:
        writer.take(layer)
    with open(text, "w") as file:
        file.write("\n".join(["7767517", f"{len(writer.lines)} {writer.n_blobs}"] + writer.lines) +
                   "\n")
    with open(weights, "wb") as file:
        file.write(b"".join(writer.weights))
