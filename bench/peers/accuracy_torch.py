# SPDX-License-Identifier: Apache-2.0
"""One run of training in PyTorch, for accuracy.py: pictures by Pillow, Keras' meaning of the
settings."""

import math
import os

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from meso_model import read_model, shapes
from train_torch import make_net

NAMES = ("Fake", "Real")  # class 0, class 1


def read_folder(folder, size):
    """uint8 [n, height, width, 3] of each class, in order of name, resized by NEAREST as Keras
    does."""
    read = []
    for name in NAMES:
        path = os.path.join(folder, name)
        files = sorted(os.listdir(path))
        pixels = np.empty((len(files), size[0], size[1], 3), np.uint8)
        for i, file in enumerate(files):
            picture = Image.open(os.path.join(path, file)).convert("RGB")
            if picture.size != (size[1], size[0]):
                picture = picture.resize((size[1], size[0]), Image.NEAREST)
            pixels[i] = np.asarray(picture)
        read.append(pixels)
    return read


def joined(parts):
    return (torch.from_numpy(np.concatenate(parts)),
            torch.cat([torch.full((len(part),), float(i)) for i, part in enumerate(parts)]))


def augmented(pixels, random):
    """The paper's changes, as Keras 2.9 makes them: rotation 15, zoom 0.2, channel shift 30,
    flip, brightness 0.8 to 1.2.

    Colours lie within those of the picture after a channel shift, and brightness cuts to whole
    numbers."""
    n, height, width = pixels.shape[:3]
    theta, zoom = np.radians(random.uniform(-15, 15, n)), random.uniform(0.8, 1.2, (n, 2))
    shift, flip = random.uniform(-30, 30, n), random.random(n) < 0.5
    bright = random.uniform(0.8, 1.2, n)
    matrix = np.zeros((n, 2, 3), np.float32)  # (x, y) of the result to (x, y) of the picture
    mirror = np.where(flip, -1, 1)
    matrix[:, 0, 0] = mirror * np.cos(theta) * zoom[:, 1]
    matrix[:, 0, 1] = np.sin(theta) * zoom[:, 0]
    matrix[:, 1, 0] = -mirror * np.sin(theta) * zoom[:, 1]
    matrix[:, 1, 1] = np.cos(theta) * zoom[:, 0]
    planes = pixels.permute(0, 3, 1, 2).to(torch.float32)
    grid = functional.affine_grid(torch.from_numpy(matrix), planes.shape, align_corners=True)
    moved = functional.grid_sample(planes, grid, mode="bilinear", padding_mode="border",
                                   align_corners=True)
    flat = moved.reshape(n, -1)
    low, high = flat.min(1).values[:, None], flat.max(1).values[:, None]
    flat = torch.minimum(torch.maximum(flat + torch.from_numpy(shift.astype(np.float32))[:, None],
                                       low), high)
    factor = torch.from_numpy(bright.astype(np.float32))[:, None]
    flat = torch.clamp(torch.floor(torch.floor(flat) * factor), 0, 255)
    return flat.reshape(n, 3, height, width).permute(0, 2, 3, 1)


def accuracy(net, pixels, classes):
    net.eval()
    with torch.inference_mode():
        answers = torch.cat([net(part) for part in pixels.split(32)])
    net.train()
    return float(((answers > 0.5) == (classes > 0.5)).double().mean())


def run(arguments, seed, start):
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    model = read_model(start)
    size = shapes(model)[model.layers[0].name][1:]
    classes = read_folder(arguments.train, size)
    kept = [len(part) - int(len(part) * arguments.val_split) for part in classes]
    pixels, labels = joined([part[:n] for part, n in zip(classes, kept)])
    held_back = joined([part[n:] for part, n in zip(classes, kept)])
    net = make_net(start).train()
    optimiser = torch.optim.Adam(net.parameters(), 1e-3, eps=1e-7)
    step, best, weights, best_epoch = 0, -math.inf, None, None
    for epoch in range(arguments.epochs):
        for batch in torch.from_numpy(random.permutation(len(labels))).split(arguments.batch):
            if arguments.drop_every:
                rate = max(1e-3 * 0.1**(step // arguments.drop_every), 1e-6)
                for group in optimiser.param_groups:
                    group["lr"] = rate
            given = pixels[batch]
            if arguments.augment != "none":
                given = augmented(given, random)
            optimiser.zero_grad(set_to_none=True)
            ((net(given) - labels[batch])**2).mean().backward()
            optimiser.step()
            step += 1
        held = accuracy(net, *held_back) if arguments.val_split else epoch
        if held > best:
            best, best_epoch = held, epoch + 1
            weights = {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(weights)
    del pixels, held_back, classes
    scored = accuracy(net, *joined(read_folder(arguments.test, size)))
    return {"accuracy": scored, "best_epoch": best_epoch,
            "held_back": best if arguments.val_split else None}
