# SPDX-License-Identifier: Apache-2.0
"""A MesoCL model file for the rivals: its weights, its net, and the same net as ONNX.

The file is safetensors: eight bytes of header length, a JSON header, the tensors. Tensors are named
<layer>.<parameter> and lie in Keras' order (include/mesocl/weights.h); the net is a text in the metadata,
one line per layer (docs/nets.md).
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


def same_pads(layer, extra=0):
    """What `pad=same` adds before and after at stride 1: [top, left, bottom, right]."""
    spans = [d * (w - 1) for w, d in zip(size(layer.keys["window"]), size(layer.keys.get("dilation", "1x1")))]
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
            raise ValueError(f"{norm.name} has a negative scale: the pool cannot be moved before it")
        # The names are swapped as well, so that what follows finds the value it asks for.
        layers[i] = pool._replace(inputs=norm.inputs, name=pool.name + "_moved")
        layers[i + 1] = norm._replace(inputs=[pool.name + "_moved"], name=pool.name, keys=dict(norm.keys, of=norm.name))
    return model._replace(layers=layers)


def norm_tensors(model, layer):
    """gamma, beta, mean, variance of a batch norm, wherever reordered() has put it."""
    of = layer.keys.get("of", layer.name)
    return [model.tensors[f"{of}.{p}"] for p in ("gamma", "beta", "moving_mean", "moving_variance")]


def dense_kernel(model, layer, shape):
    """The dense kernel for a vector in channel, height, width order; shape: what was flattened, or None."""
    kernel = model.tensors[layer.name + ".kernel"]
    if shape is None:
        return kernel
    channels, height, width = shape
    return kernel.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)


def shapes(model):
    """(channels, height, width) of every layer, (n,) of vectors."""
    found = {}
    for layer in model.layers:
        first = found.get(layer.inputs[0]) if layer.inputs else None
        if layer.op == "input":
            found[layer.name] = tuple(int(layer.keys[k]) for k in ("channels", "height", "width"))
        elif layer.op == "conv":
            assert layer.keys["stride"] == "1x1" and layer.keys["pad"] == "same", f"{layer.name}: not done here"
            found[layer.name] = (int(layer.keys["filters"]),) + first[1:]
        elif layer.op == "max_pool":
            assert layer.keys["window"] == layer.keys["stride"], f"{layer.name}: not done here"
            found[layer.name] = first[:1] + tuple(-(-a // b) for a, b in zip(first[1:], size(layer.keys["stride"])))
        elif layer.op == "concat":
            found[layer.name] = (sum(found[name][0] for name in layer.inputs),) + first[1:]
        elif layer.op == "flatten":
            found[layer.name] = (int(np.prod(first)),)
        elif layer.op == "dense":
            found[layer.name] = (int(layer.keys["units"]),)
        else:
            found[layer.name] = first
    return found


def to_onnx(model, batch, float_planes=False):
    """The net as ONNX: "pixels" uint8 [batch, height, width, 3] → "probability" [batch, 1].

    Bias is put into the convolution or product before it, as every exporter does. float_planes: the input
    is float [batch, 3, height, width] in 0…1, for rivals that take no bytes."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, initializers, value, shape = [], [], {}, shapes(model)

    def constant(name, array):
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    biases = {l.inputs[0]: l for l in model.layers if l.op == "bias"}
    for layer in model.layers:
        name, keys = layer.name, layer.keys
        inputs = [value[i] for i in layer.inputs]
        bias = [constant(f"{name}.b", model.tensors[biases[name].name + ".bias"])] if name in biases else []
        if layer.op == "input":
            channels, height, width = shape[name]
            if float_planes:
                value[name] = "pixels"
                continue
            node("Cast", ["pixels"], "as_float", to=TensorProto.FLOAT)
            node("Mul", ["as_float", constant("scale", np.float32(1 / float(keys["divide"])))], "scaled")
            value[name] = node("Transpose", ["scaled"], name, perm=[0, 3, 1, 2])
        elif layer.op == "conv":
            kernel = constant(f"{name}.w", model.tensors[name + ".kernel"].transpose(3, 2, 0, 1))
            value[name] = node("Conv", inputs + [kernel] + bias, name, kernel_shape=size(keys["window"]),
                               dilations=size(keys["dilation"]), pads=same_pads(layer))
        elif layer.op in ("bias", "dropout"):
            value[name] = inputs[0]
        elif layer.op == "batch_norm":
            parts = [constant(f"{name}.{i}", t) for i, t in enumerate(norm_tensors(model, layer))]
            value[name] = node("BatchNormalization", inputs + parts, name, epsilon=float(keys["epsilon"]))
        elif layer.op == "max_pool":
            value[name] = node("MaxPool", inputs, name, kernel_shape=size(keys["window"]), strides=size(keys["stride"]))
        elif layer.op == "flatten":
            value[name] = node("Flatten", inputs, name)
        elif layer.op == "dense":
            source = next(l for l in model.layers if l.name == layer.inputs[0])
            while source.op == "dropout":
                source = next(l for l in model.layers if l.name == source.inputs[0])
            flat = shape[source.inputs[0]] if source.op == "flatten" else None
            kernel = constant(f"{name}.w", dense_kernel(model, layer, flat))
            value[name] = node("Gemm", inputs + [kernel] + bias, name)
        else:
            op = {"relu": "Relu", "leaky_relu": "LeakyRelu", "elu": "Elu", "concat": "Concat", "sigmoid": "Sigmoid"}[layer.op]
            extra = {"leaky_relu": lambda: {"alpha": float(keys["slope"])}, "concat": lambda: {"axis": 1},
                     "elu": lambda: {"alpha": float(keys.get("alpha", 1))}}.get(layer.op, dict)()
            value[name] = node(op, inputs, name, **extra)

    channels, height, width = shape[model.layers[0].name]
    node("Identity", [value[model.layers[-1].name]], "probability")
    dims = [batch, channels, height, width] if float_planes else [batch, height, width, channels]
    kind = TensorProto.FLOAT if float_planes else TensorProto.UINT8
    graph = helper.make_graph(nodes, model.name.replace(".", "_"),
                              [helper.make_tensor_value_info("pixels", kind, dims)],
                              [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [batch, 1])], initializers)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(made)
    return made
