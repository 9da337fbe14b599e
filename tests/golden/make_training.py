#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training of Meso-4 by PyTorch in double and single precision → training.safetensors, for tests/test_training.c.

Weights and pictures are formulas of small integers that both sides compute exactly; dropout is off. Recorded are
  ten64.*     ten steps of Adam (Keras' form), MSE, batch 8, pictures of 64 x 64: losses and parameters in double
              precision, each as two floats (x and x.low), and how far single precision ends from them, in ORDERS runs
              that differ in nothing but the order of each batch's pictures
  ten256.*    the same with pictures of 256 x 256: the distances alone
  *.nearest_tie       the smallest margin of a window's decision in the double-precision run
  one8.*, one13.*   gradients of one step, 256 x 256, BCE, of 8 and 13 pictures: norms and projections in double
              precision, and the relative distance of single precision, for each trained tensor in the net's order

    python3 tests/golden/make_training.py tests/golden/training.safetensors       (needs torch and numpy)
"""
import json
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

LEARNING_RATE, STEPS, ORDERS = 1e-3, 10, 16
FIRST = {64: 1900, 256: 0}  # the first of ten batches
PICTURES = {8: 145, 13: 111}  # at 64 and here no window is so nearly undecided that rounding decides it (nearest_tie)
BLOCKS = [(3, 3, 8, 2), (5, 8, 8, 2), (5, 8, 16, 2), (5, 16, 16, 4)]  # window, channels, filters, pool


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
    return ((h >> np.uint64(8)).astype(np.int64) - (1 << 23)).astype(np.float32) / np.float32(1 << 23)


def layout(size):
    """Names and shapes of the parameters in the net's order."""
    out = []
    for i, (window, channels, filters, _) in enumerate(BLOCKS, 1):
        out += [(f"conv{i}.kernel", (window, window, channels, filters)), (f"conv{i}_bias.bias", (filters,))]
        out += [(f"bn{i}.{p}", (filters,)) for p in ("gamma", "beta", "moving_mean", "moving_variance")]
    out += [("dense1.kernel", ((size // 32) ** 2 * 16, 16)), ("dense1_bias.bias", (16,))]
    return out + [("dense2.kernel", (16, 1)), ("dense2_bias.bias", (1,))]


def weights(size):
    out = {}
    for stream, (name, shape) in enumerate(layout(size), 1000):
        u = units(stream, int(np.prod(shape)))
        kind = name.split(".")[1]
        if kind == "kernel":
            area = shape[0] * shape[1] if len(shape) == 4 else 1
            v = np.float32(np.sqrt(6.0 / (area * (shape[-2] + shape[-1])))) * u
        elif kind == "gamma":  # 3 of 10 negative
            sign = np.where(mix(np.arange(len(u)) + stream) % np.uint64(10) < 3, -1, 1).astype(np.float32)
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
        noise = mix(mix(5000 + step * 64 + i) ^ np.arange(size * size * 3, dtype=np.uint64)) & np.uint64(127)
        k = noise.astype(np.int64).reshape(size, size, 3) + (x % 32 * 4 if classes[i] else y % 64 * 2)
        out.append(k.transpose(2, 0, 1) / 256.0)
    return np.array(out), classes


def nearest_tie(before, gamma, pool):
    """How far a window's decision is from another, in deviations of the convolution's output `before`."""
    n, k, h, w = before.shape
    sign = torch.sign(gamma).view(1, -1, 1, 1)
    windows = before.reshape(n, k, h // pool, pool, w // pool, pool).transpose(3, 4).reshape(n, k, -1, pool * pool)
    first, second = ((windows * sign).topk(2, dim=3).values * sign).unbind(3)  # what counts, and what is next
    margin = torch.where(first > 0, torch.minimum((first - second).abs(), first), -first)
    return (margin / before.std((0, 2, 3)).view(1, -1, 1)).min().item()


class Run:
    def __init__(self, size, dtype, loss):
        self.size, self.dtype, self.loss, self.nearest = size, dtype, loss, np.inf
        self.w = {k: torch.tensor(v, dtype=dtype) for k, v in weights(size).items()}
        self.trained = [k for k in self.w if "moving" not in k]
        self.m = {k: torch.zeros_like(self.w[k]) for k in self.trained}
        self.v = {k: torch.zeros_like(self.w[k]) for k in self.trained}
        self.t = 0

    def logits(self, x):
        w = self.w
        for i, (window, _, _, pool) in enumerate(BLOCKS, 1):
            kernel = w[f"conv{i}.kernel"].permute(3, 2, 0, 1)
            x = F.conv2d(x, kernel, w[f"conv{i}_bias.bias"], padding=window // 2)
            self.nearest = min(self.nearest, nearest_tie(x.detach(), w[f"bn{i}.gamma"], pool))
            x = F.batch_norm(F.relu(x), w[f"bn{i}.moving_mean"], w[f"bn{i}.moving_variance"], w[f"bn{i}.gamma"],
                             w[f"bn{i}.beta"], training=True, momentum=0.01, eps=1e-3)
            x = F.max_pool2d(x, pool)
        x = x.permute(0, 2, 3, 1).flatten(1)
        x = F.leaky_relu(x @ w["dense1.kernel"] + w["dense1_bias.bias"], 0.1)
        return (x @ w["dense2.kernel"] + w["dense2_bias.bias"])[:, 0]

    def gradients(self, x, classes):
        for k in self.trained:
            self.w[k].requires_grad_(True)
        z, y = self.logits(torch.tensor(x, dtype=self.dtype)), torch.tensor(classes, dtype=self.dtype)
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


def ten_steps(out, size, keep):
    batches = [pictures(FIRST[size] + step, 8, size) for step in range(STEPS)]
    exact, distances = Run(size, torch.float64, "mse"), []
    losses = [exact.step(x, classes) for x, classes in batches]
    for seed in range(ORDERS):
        single, random = Run(size, torch.float32, "mse"), np.random.default_rng(seed)
        for x, classes in batches:
            order = random.permutation(8) if seed else np.arange(8)
            single.step(x[order], classes[order])
        distances.append(distance(exact.w, single.w, exact.trained))
    out[f"ten{size}.nearest_tie"] = np.array([exact.nearest], np.float32)
    if keep:
        split(out, f"ten{size}.loss", losses)
        for name in exact.w:
            split(out, f"ten{size}.{name}", exact.w[name].numpy())
    out[f"ten{size}.float32_distance"] = np.array(distances, np.float32)


def one_step(out, n):
    exact, single = Run(256, torch.float64, "bce"), Run(256, torch.float32, "bce")
    x, classes = pictures(PICTURES[n], n, 256)
    loss, g = exact.gradients(x, classes)
    _, h = single.gradients(x, classes)
    out[f"one{n}.nearest_tie"] = np.array([exact.nearest], np.float32)
    split(out, f"one{n}.loss", loss)
    split(out, f"one{n}.norm", [g[k].norm().item() for k in g])
    split(out, f"one{n}.projection",
          [(g[k].numpy().ravel() * units(i, g[k].numel()).astype(np.float64)).sum() for i, k in enumerate(g)])
    out[f"one{n}.float32_distance"] = np.array([distance(g, h, [k]) / g[k].norm().item() for k in g], np.float32)


def write(path, tensors, metadata):
    header, offset = {"__metadata__": metadata}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [offset, offset + 4 * t.size]}
        offset += 4 * t.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(np.ascontiguousarray(t, dtype="<f4").tobytes())


def main():
    out = {}
    torch.set_num_threads(1)  # runs differ in their order of pictures alone
    ten_steps(out, 64, True)
    ten_steps(out, 256, False)
    torch.set_num_threads(2)  # sums over two halves are nearer
    one_step(out, 8)
    one_step(out, 13)
    write(sys.argv[1], out, {"made_by": f"PyTorch {torch.__version__}, tests/golden/make_training.py"})


main()
