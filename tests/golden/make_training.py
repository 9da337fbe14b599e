#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training by PyTorch in double and single precision → training.safetensors, for
tests/test_training.c.

Nets are those of nets/. Weights and pictures are formulas of small integers that both sides compute
exactly; dropout is off. Recorded are, each behind the net's name,
  ten64.*     ten steps of Adam (Keras' form), MSE, batch 8, pictures of 64 x 64: losses and
              parameters in double precision, each as two floats (x and x.low), and how far single
              precision ends from them, in ORDERS runs that differ in nothing but the order of each
              batch's pictures
  ten256.*    the same with pictures of 256 x 256: the distances alone
  *.nearest_tie       the smallest margin of a ReLU's or a window's decision in the double-precision
                      run
  one8.*, one13.*     gradients of one step, 256 x 256, BCE, of 8 and 13 pictures: norms and
                      projections in double precision, and the relative distance of single
                      precision, for each trained tensor in the net's order

    python3 tests/golden/make_training.py tests/golden/training.safetensors

It needs torch and numpy.
"""
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.append(os.path.join(ROOT, "bench", "peers"))
from meso_model import Model, read_net, same_pads, shapes, size as pair  # noqa: E402

LEARNING_RATE, STEPS, ORDERS = 1e-3, 10, 16
# The first of ten batches, and the batches of one step: where a net has ties, some of
# the farthest (nearest_tie).
FIRST = {"meso4": {64: 1900, 256: 0}, "mesoinception4": {64: 9800}}
PICTURES = {"meso4": {8: 145, 13: 111}, "mesoinception4": {8: 54}}


def mix(x):
    """lowbias32, as in the kernels."""
    x = np.asarray(x, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    x = x ^ (x >> np.uint64(16))
    x = (x * np.uint64(0x7FEB352D)) & mask
    x = x ^ (x >> np.uint64(15))
    x = (x * np.uint64(0x846CA68B)) & mask
    return x ^ (x >> np.uint64(16))


def units(stream, n):
    """n numbers in [-1, 1) with 24 bits, as float32."""
    h = mix(mix(stream) ^ np.arange(n, dtype=np.uint64))
    high = (h >> np.uint64(8)).astype(np.int64) - (1 << 23)
    return high.astype(np.float32) / np.float32(1 << 23)


def read(net):
    with open(os.path.join(ROOT, "nets", net + ".net"), encoding="utf-8") as file:
        return read_net(file.read())


def layout(layers, size):
    """Names and shapes of the parameters in the net's order."""
    layers = [l._replace(keys=dict(l.keys, height=size, width=size)) if l.op == "input" else l
              for l in layers]
    shape, out = shapes(Model(None, layers, None)), []
    for l in layers:
        made = shape[l.name][0]
        if l.op in ("conv", "dense"):
            area = pair(l.keys["window"]) if l.op == "conv" else []
            out.append((l.name + ".kernel", (*area, shape[l.inputs[0]][0], made)))
        elif l.op == "bias":
            out.append((l.name + ".bias", (made,)))
        elif l.op == "batch_norm":
            out += [(f"{l.name}.{p}", (made,))
                    for p in ("gamma", "beta", "moving_mean", "moving_variance")]
    return out


def weights(layers, size):
    out = {}
    for stream, (name, shape) in enumerate(layout(layers, size), 1000):
        u = units(stream, int(np.prod(shape)))
        kind = name.split(".")[1]
        if kind == "kernel":
            area = shape[0] * shape[1] if len(shape) == 4 else 1
            v = np.float32(np.sqrt(6.0 / (area * (shape[-2] + shape[-1])))) * u
        elif kind == "gamma":  # 3 of 10 negative
            negative = mix(np.arange(len(u)) + stream) % np.uint64(10) < 3
            sign = np.where(negative, -1, 1).astype(np.float32)
            v = sign * (np.float32(0.75) + np.float32(0.25) * u)
        elif kind in ("bias", "beta"):
            v = np.float32(0.125) * u
        else:
            v = np.full(len(u), 1 if kind == "moving_variance" else 0, np.float32)
        out[name] = v.reshape(shape)
    return out


def pictures(step, n, size):
    """[n][3][size][size] of k / 256, and classes."""
    classes = np.array([int(mix(step * 64 + i)) >> 5 & 1 for i in range(n)])
    y, x, _ = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    out = []
    for i in range(n):
        places = np.arange(size * size * 3, dtype=np.uint64)
        noise = mix(mix(5000 + step * 64 + i) ^ places) & np.uint64(127)
        slope = x % 32 * 4 if classes[i] else y % 64 * 2
        k = noise.astype(np.int64).reshape(size, size, 3) + slope
        out.append(k.transpose(2, 0, 1) / 256.0)
    return np.array(out), classes


def window_tie(before, gamma, pool):
    """How far a window's decision is from another, in deviations of what came `before` the ReLU.

    Values that are equal, as a 1 x 1 convolution makes them of equal pixels, are so in every
    precision."""
    n, k, h, w = before.shape
    sign = torch.sign(gamma).view(1, -1, 1, 1)
    windows = before.reshape(n, k, h // pool, pool, w // pool, pool).transpose(3, 4)
    windows = windows.reshape(n, k, -1, pool * pool)
    # what counts, and what is next
    first, second = ((windows * sign).topk(2, dim=3).values * sign).unbind(3)
    apart = torch.where(first == second, torch.inf, (first - second).abs())
    margin = torch.where(first > 0, torch.minimum(apart, first), -first)
    return (margin / before.std((0, 2, 3)).view(1, -1, 1)).min().item()


def relu_tie(before):
    return (before.abs() / before.std((0, 2, 3)).view(1, -1, 1, 1)).min().item()


class Run:
    def __init__(self, net, size, dtype, loss):
        self.layers, self.dtype, self.loss, self.nearest = read(net), dtype, loss, np.inf
        self.w = {k: torch.tensor(v, dtype=dtype) for k, v in weights(self.layers, size).items()}
        self.trained = [k for k in self.w if "moving" not in k]
        self.m = {k: torch.zeros_like(self.w[k]) for k in self.trained}
        self.v = {k: torch.zeros_like(self.w[k]) for k in self.trained}
        self.t = 0
        self.bias_of = {l.inputs[0]: l.name for l in self.layers if l.op == "bias"}
        self.read_by_conv = {name for l in self.layers if l.op == "conv" for name in l.inputs}

    def tie(self, margin):
        self.nearest = min(self.nearest, margin)

    def logits(self, x):
        """A convolution adds the bias behind it, and probabilities are left to the loss."""
        w, values, before = self.w, {}, {}  # before: what a ReLU was given, or several side by side
        for l in self.layers:
            inputs = [values[name] for name in l.inputs]
            v = inputs[0] if inputs else x
            if l.op == "conv":
                v = F.conv2d(v, w[l.name + ".kernel"].permute(3, 2, 0, 1),
                             w[self.bias_of[l.name] + ".bias"],
                             padding=tuple(same_pads(l)[:2]), dilation=pair(l.keys["dilation"]))
            elif l.op == "relu":
                before[l.name] = v.detach()
                if l.name in self.read_by_conv:
                    self.tie(relu_tie(before[l.name]))
                v = F.relu(v)
            elif l.op == "concat":
                before[l.name] = torch.cat([before[name] for name in l.inputs], 1)
                v = torch.cat(inputs, 1)
            elif l.op == "batch_norm":
                before[l.name] = before[l.inputs[0]], w[l.name + ".gamma"]
                v = F.batch_norm(v, w[l.name + ".moving_mean"], w[l.name + ".moving_variance"],
                                 w[l.name + ".gamma"],
                                 w[l.name + ".beta"], training=True, momentum=0.01, eps=1e-3)
            elif l.op == "max_pool":
                self.tie(window_tie(*before[l.inputs[0]], pair(l.keys["window"])[0]))
                v = F.max_pool2d(v, pair(l.keys["window"]))
            elif l.op == "flatten":
                v = v.permute(0, 2, 3, 1).flatten(1)
            elif l.op == "dense":
                v = v @ w[l.name + ".kernel"] + w[self.bias_of[l.name] + ".bias"]
            elif l.op == "leaky_relu":
                v = F.leaky_relu(v, float(l.keys["slope"]))
            values[l.name] = v
        return v[:, 0]

    def gradients(self, x, classes):
        for k in self.trained:
            self.w[k].requires_grad_(True)
        z = self.logits(torch.tensor(x, dtype=self.dtype))
        y = torch.tensor(classes, dtype=self.dtype)
        if self.loss == "mse":
            loss = ((torch.sigmoid(z) - y) ** 2).mean()
        else:
            loss = F.binary_cross_entropy_with_logits(z, y)
        grads = torch.autograd.grad(loss, [self.w[k] for k in self.trained])
        for k in self.trained:
            self.w[k].requires_grad_(False)
        return loss.item(), dict(zip(self.trained, grads))

    def step(self, x, classes):
        loss, grads = self.gradients(x, classes)
        self.t += 1
        alpha = LEARNING_RATE * np.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        for k in self.trained:
            self.m[k] += (grads[k] - self.m[k]) * (1 - 0.9)
            self.v[k] += (grads[k] ** 2 - self.v[k]) * (1 - 0.999)
            self.w[k] -= alpha * self.m[k] / (self.v[k].sqrt() + 1e-7)
        return loss


def distance(a, b, names):
    return float(np.sqrt(sum(((a[k].double() - b[k].double()) ** 2).sum().item() for k in names)))


def split(out, name, value):
    """A double as two floats."""
    value = np.atleast_1d(np.asarray(value, dtype=np.float64))
    out[name] = value.astype(np.float32)
    out[name + ".low"] = (value - out[name].astype(np.float64)).astype(np.float32)


def ten_steps(out, net, size, keep):
    batches = [pictures(FIRST[net][size] + step, 8, size) for step in range(STEPS)]
    exact, distances = Run(net, size, torch.float64, "mse"), []
    losses = [exact.step(x, classes) for x, classes in batches]
    for seed in range(ORDERS):
        single, random = Run(net, size, torch.float32, "mse"), np.random.default_rng(seed)
        for x, classes in batches:
            order = random.permutation(8) if seed else np.arange(8)
            single.step(x[order], classes[order])
        distances.append(distance(exact.w, single.w, exact.trained))
    name = f"{net}.ten{size}."
    out[name + "nearest_tie"] = np.array([exact.nearest], np.float32)
    if keep:
        split(out, name + "loss", losses)
        for k in exact.w:
            split(out, name + k, exact.w[k].numpy())
    out[name + "float32_distance"] = np.array(distances, np.float32)


def one_step(out, net, n):
    exact, single = Run(net, 256, torch.float64, "bce"), Run(net, 256, torch.float32, "bce")
    x, classes = pictures(PICTURES[net][n], n, 256)
    loss, g = exact.gradients(x, classes)
    _, h = single.gradients(x, classes)
    name = f"{net}.one{n}."
    out[name + "nearest_tie"] = np.array([exact.nearest], np.float32)
    split(out, name + "loss", loss)
    split(out, name + "norm", [g[k].norm().item() for k in g])
    split(out, name + "projection",
          [(g[k].numpy().ravel() * units(i, g[k].numel()).astype(np.float64)).sum()
           for i, k in enumerate(g)])
    out[name + "float32_distance"] = np.array([distance(g, h, [k]) / g[k].norm().item() for k in g],
                                              np.float32)


def write(path, tensors, metadata):
    header, offset = {"__metadata__": metadata}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(t.shape),
                        "data_offsets": [offset, offset + 4 * t.size]}
        offset += 4 * t.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(np.ascontiguousarray(t, dtype="<f4").tobytes())


def main():
    out = {}
    for net in FIRST:
        torch.set_num_threads(1)  # runs differ in their order of pictures alone
        for size in FIRST[net]:
            ten_steps(out, net, size, size == 64)
        torch.set_num_threads(2)  # sums over two halves are nearer
        for n in PICTURES[net]:
            one_step(out, net, n)
    write(sys.argv[1], out,
          {"made_by": f"PyTorch {torch.__version__}, tests/golden/make_training.py"})


if __name__ == "__main__":
    main()
