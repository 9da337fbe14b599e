# SPDX-License-Identifier: Apache-2.0
"""Training steps in PyTorch: eager with channels last, and torch.compile."""

import os

import numpy as np
import torch

from meso_model import read_model
from rival_torch import AVX2, Net

NAME, VERSION = "PyTorch", torch.__version__.split("+")[0]
MODES = [
    ("eager, channels last", 1, 1, True),
    ("eager, channels last", 2, 1, True),
    ("eager, channels last", 1, 2, True),
    ("torch.compile", 1, 1, True),
    ("torch.compile", 2, 1, True),
]


class TrainedNet(torch.nn.Module):
    """The layers of rival_torch.Net, with the dropout that it leaves out, up to the sigmoid."""

    def __init__(self, model):
        super().__init__()
        net = Net(model)
        self.divide = net.divide
        steps = iter(net.steps)
        self.steps = torch.nn.Sequential(*(
            torch.nn.Dropout(float(layer.keys["rate"])) if layer.op == "dropout" else next(steps)
            for layer in model.layers if layer.op not in ("input", "bias")))
        for module in self.steps:
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 0.01

    def forward(self, pixels):
        return self.steps(pixels.permute(0, 3, 1, 2).to(torch.float32) * (1 / self.divide))[:, 0]


def is_chain(model):
    return all(layer.op == "input" or len(layer.inputs) == 1 for layer in model.layers)


def make_net(path):
    model = read_model(path)
    assert is_chain(model), "only nets without branches are trained here"
    return model, TrainedNet(model).to(memory_format=torch.channels_last)


def answers(path, pixels):
    """P(class 1) before training: the same net and weights as the others'."""
    with torch.inference_mode():
        return make_net(path)[1].eval()(torch.from_numpy(pixels)).numpy()


def build(path, mode, threads, batch):
    torch.set_num_threads(threads)
    _, net = make_net(path)
    net.train()
    optimiser = torch.optim.Adam(net.parameters(), 1e-3, eps=1e-7)
    classes = torch.from_numpy((np.arange(batch) % 2).astype(np.float32))
    if "MESO_PEERS_SIMDLEN" in os.environ:
        from torch._inductor import config
        config.cpp.simdlen = int(os.environ["MESO_PEERS_SIMDLEN"])
    forward = torch.compile(net, dynamic=False) if mode == "torch.compile" else net

    def step(pixels):
        optimiser.zero_grad(set_to_none=True)
        loss = ((forward(torch.from_numpy(pixels)) - classes) ** 2).mean()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step
