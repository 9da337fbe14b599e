# SPDX-License-Identifier: Apache-2.0
"""A MesoCL model file for the rivals: its weights, its net, and the same net as ONNX.

The file is safetensors: eight bytes of header length, a JSON header, the tensors. Tensors are named
<layer>.<parameter> and lie in Keras' order (include/mesocl/weights.h); the net is a text in the
metadata, one line per layer (docs/nets.md).
"""

import json
import struct
from collections import namedtuple

import numpy as np

Layer = namedtuple("Layer", "name op inputs keys")
Model = namedtuple("Model", "name layers tensors")


def read_net(text):
    layers = []
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, rest = (part.strip() for part in line.split("=", 1))
        op, *words = rest.split()
        keys = dict(word.split("=") for word in words if "=" in word)
        layers.append(Layer(name, op, [word for word in words if "=" not in word], keys))
    return layers


def read_model(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", f"{path}: {name} is {entry['dtype']}"
        first, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[first:end], "<f4").reshape(entry["shape"]).copy()
    return Model(metadata["mesocl.net_name"], read_net(metadata["mesocl.net"]), tensors)


def size(text):
    """ "5x3" → [5, 3]: height, width."""
    return [int(number) for number in text.split("x")]


def same_pads(layer):
    """What `pad=same` adds before and after at stride 1: [top, left, bottom, right]."""
    spans = [d * (w - 1) for w, d in zip(size(layer.keys["window"]), size(layer.keys["dilation"]))]
    return [s // 2 for s in spans] + [s - s // 2 for s in spans]


def reordered(model):
    """The net with each max-pool before its batch norm: fewer values to normalise.

    Right only where no scale of the batch norm is negative."""
    layers = list(model.layers)
    for i in range(len(layers) - 1):
        norm, pool = layers[i], layers[i + 1]
        if norm.op != "batch_norm" or pool.op != "max_pool" or pool.inputs != [norm.name]:
            continue
        if (model.tensors[norm.name + ".gamma"] < 0).any():
            raise ValueError(f"{norm.name} has a negative scale: "
                             "the pool cannot be moved before it")
        # The names are swapped as well, so that what follows finds the value it asks for.
        layers[i] = pool._replace(inputs=norm.inputs, name=pool.name + "_moved")
        layers[i + 1] = norm._replace(inputs=[pool.name + "_moved"], name=pool.name,
                                      keys=dict(norm.keys, of=norm.name))
    return model._replace(layers=layers)


def norm_tensors(model, layer):
    """gamma, beta, mean, variance of a batch norm, wherever reordered() has put it."""
    of = layer.keys.get("of", layer.name)
    return [model.tensors[f"{of}.{p}"] for p in ("gamma", "beta", "moving_mean", "moving_variance")]


def dense_kernel(model, layer, shape):
    """The dense kernel for a vector in channel, height, width order; shape: what was flattened, or
    None."""
    kernel = model.tensors[layer.name + ".kernel"]
    if shape is None:
        return kernel
    channels, height, width = shape
    return kernel.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)


def flattened(by_name, found_shapes, layer):
    """What a dense layer's vector was before it was flattened: (channels, height, width), or
    None."""
    source = by_name[layer.inputs[0]]
    while source.op == "dropout":
        source = by_name[source.inputs[0]]
    return found_shapes[source.inputs[0]] if source.op == "flatten" else None


def shapes(model):
    """(channels, height, width) of every layer, (n,) of vectors."""
    found = {}
    for layer in model.layers:
        first = found.get(layer.inputs[0]) if layer.inputs else None
        if layer.op == "input":
            found[layer.name] = tuple(int(layer.keys[k]) for k in ("channels", "height", "width"))
        elif layer.op == "conv":
            assert layer.keys["stride"] == "1x1", f"{layer.name}: not done here"
            assert layer.keys["pad"] == "same", f"{layer.name}: not done here"
            found[layer.name] = (int(layer.keys["filters"]),) + first[1:]
        elif layer.op == "max_pool":
            assert layer.keys["window"] == layer.keys["stride"], f"{layer.name}: not done here"
            steps = size(layer.keys["stride"])
            found[layer.name] = first[:1] + tuple(-(-a // b) for a, b in zip(first[1:], steps))
        elif layer.op == "concat":
            found[layer.name] = (sum(found[name][0] for name in layer.inputs),) + first[1:]
        elif layer.op == "flatten":
            found[layer.name] = (int(np.prod(first)),)
        elif layer.op == "dense":
            found[layer.name] = (int(layer.keys["units"]),)
        else:
            found[layer.name] = first
    return found


class OnnxWriter:
    """The nodes and constants of a graph while it grows; biases go into the convolution or product
    before them."""

    def __init__(self, model):
        self.model, self.shapes, self.nodes, self.constants = model, shapes(model), [], []
        self.by_name = {layer.name: layer for layer in model.layers}
        self.biases = {layer.inputs[0]: layer.name for layer in model.layers if layer.op == "bias"}
        self.values = {}  # what ONNX calls a layer's output

    def constant(self, name, array):
        from onnx import numpy_helper
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, inputs, output, **attributes):
        from onnx import helper
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def bias(self, layer):
        name = self.biases.get(layer.name)
        return [self.constant(name, self.model.tensors[name + ".bias"])] if name else []

    def take(self, layer):
        inputs = [self.values[name] for name in layer.inputs]
        self.values[layer.name] = getattr(self, "op_" + layer.op)(layer, inputs)

    def op_input(self, layer, inputs):
        from onnx import TensorProto
        scale = self.constant("scale", np.float32(1 / float(layer.keys["divide"])))
        self.node("Cast", ["pixels"], "as_float", to=TensorProto.FLOAT)
        self.node("Mul", ["as_float", scale], "scaled")
        return self.node("Transpose", ["scaled"], layer.name, perm=[0, 3, 1, 2])

    def op_conv(self, layer, inputs):
        kernel = self.model.tensors[layer.name + ".kernel"].transpose(3, 2, 0, 1)
        kernel = self.constant(layer.name + ".w", kernel)
        return self.node("Conv", inputs + [kernel] + self.bias(layer), layer.name,
                         kernel_shape=size(layer.keys["window"]),
                         dilations=size(layer.keys["dilation"]), pads=same_pads(layer))

    def op_dense(self, layer, inputs):
        kernel = dense_kernel(self.model, layer, flattened(self.by_name, self.shapes, layer))
        kernel = self.constant(layer.name + ".w", kernel)
        return self.node("Gemm", inputs + [kernel] + self.bias(layer), layer.name)

    def op_batch_norm(self, layer, inputs):
        parts = [self.constant(f"{layer.name}.{i}", t)
                 for i, t in enumerate(norm_tensors(self.model, layer))]
        return self.node("BatchNormalization", inputs + parts, layer.name,
                         epsilon=float(layer.keys["epsilon"]))

    def op_max_pool(self, layer, inputs):
        return self.node("MaxPool", inputs, layer.name, kernel_shape=size(layer.keys["window"]),
                         strides=size(layer.keys["stride"]))

    def op_leaky_relu(self, layer, inputs):
        return self.node("LeakyRelu", inputs, layer.name, alpha=float(layer.keys["slope"]))

    def op_concat(self, layer, inputs):
        return self.node("Concat", inputs, layer.name, axis=1)

    def op_relu(self, layer, inputs):
        return self.node("Relu", inputs, layer.name)

    def op_elu(self, layer, inputs):
        return self.node("Elu", inputs, layer.name)

    def op_flatten(self, layer, inputs):
        return self.node("Flatten", inputs, layer.name)

    def op_sigmoid(self, layer, inputs):
        return self.node("Sigmoid", inputs, layer.name)

    def op_bias(self, layer, inputs):
        return inputs[0]

    op_dropout = op_bias


def to_onnx(model, batch, float_planes=False):
    """The net as ONNX: "pixels" uint8 [batch, height, width, 3] → "probability" [batch, 1].

    float_planes: the input is float [batch, 3, height, width] in 0…1, for rivals that take no
    bytes."""
    import onnx
    from onnx import TensorProto, helper

    writer = OnnxWriter(model)
    if float_planes:
        writer.op_input = lambda layer, inputs: "pixels"
    for layer in model.layers:
        writer.take(layer)
    writer.node("Identity", [writer.values[model.layers[-1].name]], "probability")
    channels, height, width = writer.shapes[model.layers[0].name]
    dims = [batch, channels, height, width] if float_planes else [batch, height, width, channels]
    kind = TensorProto.FLOAT if float_planes else TensorProto.UINT8
    pixels = helper.make_tensor_value_info("pixels", kind, dims)
    answer = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [batch, 1])
    graph = helper.make_graph(writer.nodes, "net", [pixels], [answer], writer.constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(made)
    return made
