# SPDX-License-Identifier: Apache-2.0
"""Wheels for tests/get_faces.sh, in the format of PyTorch before 1.6, without PyTorch.

  plant_detector.py KIND WHEEL get_faces.py   writes the wheel; prints the script with its hashes
  plant_detector.py look FILE                 is the file what a good wheel becomes?
"""
import collections
import hashlib
import io
import json
import os
import pickle
import struct
import sys
import types
import zipfile

NETS = {
    "pnet.pt": [("conv1", (10, 3, 3, 3)), ("prelu1", (10,)), ("conv2", (16, 10, 3, 3)),
                ("prelu2", (16,)), ("conv3", (32, 16, 3, 3)), ("prelu3", (32,)),
                ("conv4_1", (2, 32, 1, 1)), ("conv4_2", (4, 32, 1, 1))],
    "rnet.pt": [("conv1", (28, 3, 3, 3)), ("prelu1", (28,)), ("conv2", (48, 28, 3, 3)),
                ("prelu2", (48,)), ("conv3", (64, 48, 2, 2)), ("prelu3", (64,)),
                ("dense4", (128, 576)), ("prelu4", (128,)), ("dense5_1", (2, 128)),
                ("dense5_2", (4, 128))],
    "onet.pt": [("conv1", (32, 3, 3, 3)), ("prelu1", (32,)), ("conv2", (64, 32, 3, 3)),
                ("prelu2", (64,)), ("conv3", (64, 64, 3, 3)), ("prelu3", (64,)),
                ("conv4", (128, 64, 2, 2)), ("prelu4", (128,)), ("dense5", (256, 1152)),
                ("prelu5", (256,)), ("dense6_1", (2, 256)), ("dense6_2", (4, 256)),
                ("dense6_3", (10, 256))],
}


def torch_stub():
    """What the pickle names: a class and a function of modules that are not there."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    class FloatStorage:
        pass

    def _rebuild_tensor_v2():
        pass

    FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    torch.FloatStorage, torch._utils = FloatStorage, utils
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    sys.modules.update({"torch": torch, "torch._utils": utils})
    return torch


TORCH = torch_stub()


class Tensor:
    def __init__(self, key, dims):
        self.key, self.dims = key, dims

    def __reduce__(self):
        n, stride = 1, []
        for side in reversed(self.dims):
            stride.insert(0, n)
            n *= side
        return TORCH._utils._rebuild_tensor_v2, (
            Storage(self.key, n), 0, self.dims, tuple(stride), False, collections.OrderedDict())


class Storage:
    def __init__(self, key, n):
        self.key, self.n = key, n


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        if isinstance(thing, Storage):
            return "storage", TORCH.FloatStorage, thing.key, "cpu", thing.n, None
        return None


def size(dims):
    n = 1
    for side in dims:
        n *= side
    return n


def net(layers, evil):
    """The bytes of a .pt file: value i of each tensor is i."""
    tensors = collections.OrderedDict()
    for name, dims in layers:
        tensors[name + ".weight"] = Tensor(name + "w", dims)
        if "prelu" not in name:
            tensors[name + ".bias"] = Tensor(name + "b", dims[:1])
    if evil:
        tensors["evil"] = Evil()
    out = io.BytesIO()
    keys = sorted(t.key for t in tensors.values() if isinstance(t, Tensor))
    sizes = {t.key: size(t.dims) for t in tensors.values() if isinstance(t, Tensor)}
    for thing in (0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}, tensors, keys):
        Pickler(out, 2).dump(thing)
    for key in keys:
        out.write(struct.pack("<q%df" % sizes[key], sizes[key], *range(sizes[key])))
    return out.getvalue()


def plant(kind, wheel, script):
    with open(script) as file:
        text = file.read()
    hashes = [line.split('"')[1::2] for line in text.split("\n") if '.pt", "' in line]
    with zipfile.ZipFile(wheel, "w") as out:
        for name, layers in NETS.items():
            if kind == "missing" and name == "pnet.pt":
                layers = [layer for layer in layers if layer[0] != "prelu3"]
            content = net(layers, kind == "evil")
            if kind == "short" and name == "onet.pt":
                content = content[:-4]
            out.writestr("facenet_pytorch/data/" + name, content)
            known = next(row[-1] for row in hashes if name in row)
            if kind != "other_net" or name != "rnet.pt":
                text = text.replace(known, hashlib.sha256(content).hexdigest())
    known = text.split('WHEEL = "')[1].split('"')[0]
    with open(wheel, "rb") as file:
        print(text.replace(known, hashlib.sha256(file.read()).hexdigest()), end="")


def look(path):
    with open(path, "rb") as file:
        content = file.read()
    n, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + n])
    assert header["__metadata__"]["mesocl.licence"] == "MIT"
    assert "WIDER FACE" in header["__metadata__"]["mesocl.trained_on"]

    def value(name, *place):
        row, at = header[name], 0
        for side, i in zip(row["shape"], place):
            assert i < side
            at = at * side + i
        begin = 8 + n + row["data_offsets"][0] + 4 * at
        return struct.unpack("<f", content[begin:begin + 4])[0]

    n_values = sum(size(row["shape"]) for name, row in header.items() if name != "__metadata__")
    assert n_values == 495850, n_values
    assert value("p_conv1.kernel", 2, 1, 0, 7) == ((7 * 3 + 0) * 3 + 2) * 3 + 1
    assert value("p_conv1_bias.bias", 7) == 7 and value("o_prelu5.slope", 200) == 200
    assert value("p_head.kernel", 0, 0, 31, 1) == 32 + 31  # two filters, then four
    assert value("p_head.kernel", 0, 0, 31, 2) == 31 and value("p_head_bias.bias", 5) == 3
    assert value("o_head.kernel", 9, 6) == 9 and value("o_head.kernel", 9, 15) == 9 * 256 + 9
    assert value("r_dense.kernel", (2 * 3 + 1) * 64 + 5, 9) == 9 * 576 + (1 * 3 + 2) * 64 + 5
    assert value("o_dense.kernel", (2 * 3 + 1) * 128 + 5, 9) == 9 * 1152 + (1 * 3 + 2) * 128 + 5


if sys.argv[1] == "look":
    look(sys.argv[2])
else:
    plant(*sys.argv[1:])
