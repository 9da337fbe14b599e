# SPDX-License-Identifier: Apache-2.0
"""ncnn, float32. Its net is written as its own text and weights, which are simple enough; one image a call."""

import os
import tempfile

import ncnn
import numpy as np

from meso_model import dense_kernel, norm_tensors, read_model, reordered, same_pads, shapes, size

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
    """ncnn's two files: a line for each layer, and its weights in the same order."""

    def __init__(self):
        self.lines, self.weights, self.n_blobs = [], [], 0

    def layer(self, kind, name, inputs, outputs, **keys):
        words = [kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs]
        self.lines.append(" ".join(words + [f"{key[1:]}={value}" for key, value in keys.items()]))
        self.n_blobs += len(outputs)

    def add(self, array, tagged=False):
        if tagged:
            self.weights.append(np.zeros(1, "<u4").tobytes())  # what follows is float32
        self.weights.append(np.ascontiguousarray(array, "<f4").tobytes())


def write_net(model, text, weights):
    out, value, shape = Writer(), {}, shapes(model)
    biases = {l.inputs[0]: l.name for l in model.layers if l.op == "bias"}
    by_name = {l.name: l for l in model.layers}
    readers = {}
    for layer in model.layers:
        for name in layer.inputs if layer.op not in ("bias", "dropout") else []:
            while by_name[name].op in ("bias", "dropout"):
                name = by_name[name].inputs[0]
            readers[name] = readers.get(name, 0) + 1
    for layer in model.layers:
        name, keys = layer.name, layer.keys
        if layer.op in ("bias", "dropout"):
            value[name] = value[layer.inputs[0]]
            continue
        inputs = [value[i].pop() for i in layer.inputs]
        bias = model.tensors.get(biases.get(name, "") + ".bias")
        top = "probability" if layer is model.layers[-1] else "x" if layer.op == "input" else name
        if layer.op == "input":
            out.layer("Input", name, [], [top])
        elif layer.op == "conv":
            (h, w), (dh, dw), pads = size(keys["window"]), size(keys["dilation"]), same_pads(layer)
            kernel = model.tensors[name + ".kernel"].transpose(3, 2, 0, 1)
            out.layer("Convolution", name, inputs, [top], _0=kernel.shape[0], _1=w, _11=h, _2=dw, _12=dh, _3=1, _13=1,
                      _4=pads[1], _14=pads[0], _5=int(bias is not None), _6=kernel.size)
            out.add(kernel, tagged=True)
        elif layer.op == "dense":
            source = by_name[layer.inputs[0]]
            while source.op == "dropout":
                source = by_name[source.inputs[0]]
            kernel = dense_kernel(model, layer, shape[source.inputs[0]] if source.op == "flatten" else None).T
            out.layer("InnerProduct", name, inputs, [top], _0=kernel.shape[0], _1=int(bias is not None), _2=kernel.size)
            out.add(kernel, tagged=True)
        elif layer.op == "batch_norm":
            gamma, beta, mean, variance = norm_tensors(model, layer)
            out.layer("BatchNorm", name, inputs, [top], _0=len(gamma), _1=keys["epsilon"])
            for part in (gamma, mean, variance, beta):
                out.add(part)
        elif layer.op == "max_pool":
            (h, w), (sh, sw) = size(keys["window"]), size(keys["stride"])
            out.layer("Pooling", name, inputs, [top], _0=0, _1=w, _11=h, _2=sw, _12=sh, _5=1)
        else:
            kind, extra = {"relu": ("ReLU", {}), "leaky_relu": ("ReLU", {"_0": keys.get("slope")}), "elu": ("ELU", {"_0": 1}),
                           "sigmoid": ("Sigmoid", {}), "flatten": ("Flatten", {}), "concat": ("Concat", {"_0": 0})}[layer.op]
            out.layer(kind, name, inputs, [top], **extra)
        if bias is not None:
            out.add(bias)
        value[name] = [top]
        if readers.get(name, 0) > 1:
            value[name] = [f"{top}_{i}" for i in range(readers[name])]
            out.layer("Split", f"{name}_split", [top], value[name])
    with open(text, "w") as file:
        file.write("\n".join(["7767517", f"{len(out.lines)} {out.n_blobs}"] + out.lines) + "\n")
    with open(weights, "wb") as file:
        file.write(b"".join(out.weights))
