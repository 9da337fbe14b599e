# SPDX-License-Identifier: Apache-2.0
"""PyTorch on a CUDA device, beside MesoCL on the same GPU: bench/record.sh runs it.

    python cuda_torch.py WEIGHTS.safetensors [SECONDS]

Predicting in float32, TF32 and half precision: eager, as one CUDA graph, and the graph with the
pictures copied in from pinned memory; then training steps in float32 and TF32, eager. A JSON object
a line, as soon as it is measured; each says how far the mode is from double precision, and a mode
without a right answer is not timed. Without CUDA it tries the eager modes on the processor.
"""
import json
import sys
import time

import torch

from meso_model import read_model
from rival_torch import Net
from train_torch import TrainedNet

BATCHES = (1, 8, 64, 256, 1024)
# Mode: TF32 allowed, type of weights and values, largest right |Δp|.
MODES = {"float32": (False, torch.float32, 1e-5), "TF32": (True, torch.float32, 2e-2),
         "float16": (False, torch.float16, 2e-2)}
CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"


def wait():
    if CUDA:
        torch.cuda.synchronize()


def clock(call, seconds):
    """Seconds of a call, the least of three rounds."""
    call(), call(), wait()
    best = float("inf")
    for _ in range(3):
        n, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds / 3:
            for _ in range(4):
                call()
            wait()
            n += 4
        best = min(best, (time.perf_counter() - begin) / n)
    return best


class HalfNet(Net):
    """Net, whose values have the type of its weights."""

    def forward(self, pixels):
        values = {"x": pixels.permute(0, 3, 1, 2).to(next(self.parameters()).dtype) / self.divide}
        for step, (name, inputs) in zip(self.steps, self.wires):
            values[name] = step(*(values[i] for i in inputs))
        return values[self.wires[-1][0]]


def say(**row):
    print(json.dumps(row), flush=True)


def allow_tf32(allow):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allow


def graph_of(call):
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        call(), call()
    wait()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph


def predict(model, mode, pictures, right, seconds):
    allowed, kind, bound = MODES[mode]
    allow_tf32(allowed)
    net = HalfNet(model).to(DEVICE, kind).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        apart = (net(pictures.to(DEVICE)).double().cpu() - right).abs().max().item()
        if not apart <= bound:
            say(use="predict", mode=mode, way="not timed", batch=len(pictures), images_per_s=None,
                largest_difference=apart)
            return
        for batch in BATCHES if CUDA else BATCHES[:3]:
            host = pictures.repeat(-(-batch // len(pictures)), 1, 1, 1)[:batch].contiguous()
            x = host.to(DEVICE)
            ways = {"eager": lambda: net(x)}
            if CUDA:
                graph, pinned = graph_of(lambda: net(x)), host.pin_memory()
                ways["graph"] = graph.replay
                ways["graph and copy"] = lambda: (x.copy_(pinned, non_blocking=True),
                                                  graph.replay())
            for way, call in ways.items():
                say(use="predict", mode=mode, way=way, batch=batch,
                    images_per_s=batch / clock(call, seconds), largest_difference=apart)


def train(model, mode, pictures, seconds):
    allow_tf32(MODES[mode][0])
    for batch in (32, 128, 512) if CUDA else (32,):
        net = TrainedNet(model).to(DEVICE).to(memory_format=torch.channels_last).train()
        optimiser = torch.optim.Adam(net.parameters(), 1e-3, eps=1e-7)
        x = pictures.repeat(-(-batch // len(pictures)), 1, 1, 1)[:batch].to(DEVICE)
        classes = (torch.arange(batch, device=DEVICE) % 2).float()

        def step():
            optimiser.zero_grad(set_to_none=True)
            ((net(x) - classes) ** 2).mean().backward()
            optimiser.step()

        say(use="train", mode=mode, way="eager", batch=batch,
            images_per_s=batch / clock(step, seconds), largest_difference=None)


def main():
    path, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.4
    model = read_model(path)
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(1)
    pictures = torch.randint(0, 256, (8, 256, 256, 3), dtype=torch.uint8)
    with torch.inference_mode():
        right = HalfNet(model).double()(pictures)
    for mode in MODES:
        predict(model, mode, pictures, right, seconds)
    for mode in ("float32", "TF32"):
        train(model, mode, pictures, seconds)


if __name__ == "__main__":
    main()
