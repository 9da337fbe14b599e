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


class TrainedNet(Net):
    """The layers of rival_torch.Net, with the dropout that it leaves out."""

    left_out = ("bias",)

    def __init__(self, model):
        super().__init__(model)
        for module in self.steps:
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 0.01

    def forward(self, pixels):
        return super().forward(pixels)[:, 0]


def make_net(path):
    return TrainedNet(read_model(path)).to(memory_format=torch.channels_last)


def answers(path, pixels):
    """P(class 1) before training: the same net and weights as the others'."""
    with torch.inference_mode():
        return make_net(path).eval()(torch.from_numpy(pixels)).numpy()


def build(path, mode, threads, batch):
    torch.set_num_threads(threads)
    net = make_net(path)
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
