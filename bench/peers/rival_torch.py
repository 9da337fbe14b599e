# SPDX-License-Identifier: Apache-2.0
"""PyTorch: inductor with freezing, channels last; TorchScript with oneDNN fusion where the release
has it."""

import os

os.environ.setdefault("TORCHINDUCTOR_FREEZING", "1")
# No pool of compilers that stays beside each process.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import torch  # noqa: E402  (reads the lines above)
from torch.nn import functional  # noqa: E402

from meso_model import (dense_kernel, flattened, norm_tensors,  # noqa: E402
                        read_model, reordered, same_pads, shapes, size)

NAME, VERSION = "PyTorch", torch.__version__.split("+")[0]
MODES = [
    ("inductor reordered", 1, 1, True),
    ("inductor reordered", 2, 1, True),
    ("inductor reordered", 1, 2, True),
    ("inductor given", 1, 1, True),
    ("TorchScript oneDNN", 1, 1, True),
    ("TorchScript oneDNN", 2, 1, True),
    ("TorchScript oneDNN", 1, 2, True),
]
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2",
        "MESO_PEERS_SIMDLEN": "256"}


class Net(torch.nn.Module):
    """The layers in order; biases go into the convolution or product before them."""

    left_out = ("bias", "dropout")

    def __init__(self, model):
        super().__init__()
        self.steps = torch.nn.ModuleList()
        self.wires = []
        shape, skip = shapes(model), {}
        biases = {l.inputs[0]: l.name for l in model.layers if l.op == "bias"}
        kinds = {l.name: l for l in model.layers}
        for layer in model.layers:
            if layer.op == "input":
                skip[layer.name] = "x"
                self.divide = float(layer.keys["divide"])
                continue
            inputs = [skip.get(name, name) for name in layer.inputs]
            if layer.op in self.left_out:
                skip[layer.name] = inputs[0]
                continue
            bias = model.tensors.get(biases.get(layer.name, "") + ".bias")
            self.steps.append(self.step(model, layer, bias, shape, kinds))
            self.wires.append((layer.name, inputs))
        self.eval()

    @staticmethod
    def step(model, layer, bias, shape, kinds):
        keys, nn = layer.keys, torch.nn
        if layer.op == "conv":
            top, left, bottom, right = same_pads(layer)
            assert top == bottom and left == right
            made = nn.Conv2d(shape[layer.inputs[0]][0], int(keys["filters"]), size(keys["window"]),
                             padding=(top, left), dilation=size(keys["dilation"]),
                             bias=bias is not None)
            kernel = model.tensors[layer.name + ".kernel"].transpose(3, 2, 0, 1)
            made.weight.data = torch.from_numpy(kernel.copy())
        elif layer.op == "dense":
            kernel = dense_kernel(model, layer, flattened(kinds, shape, layer))
            made = nn.Linear(*kernel.shape, bias=bias is not None)
            made.weight.data = torch.from_numpy(kernel.T.copy())
        elif layer.op == "batch_norm":
            gamma, beta, mean, variance = (torch.from_numpy(t) for t in norm_tensors(model, layer))
            made = nn.BatchNorm2d(len(gamma), eps=float(keys["epsilon"]))
            made.weight.data, made.bias.data = gamma, beta
            made.running_mean, made.running_var = mean, variance
        else:
            made = {
                "relu": lambda: nn.ReLU(), "elu": lambda: nn.ELU(),
                "leaky_relu": lambda: nn.LeakyReLU(float(keys["slope"])),
                "sigmoid": lambda: nn.Sigmoid(),
                "max_pool": lambda: nn.MaxPool2d(size(keys["window"]), size(keys["stride"])),
                "flatten": lambda: nn.Flatten(), "concat": lambda: Concat(),
                "dropout": lambda: nn.Dropout(float(keys["rate"])),
            }[layer.op]()
        if bias is not None:
            made.bias.data = torch.from_numpy(bias)
        return made

    def forward(self, pixels):
        # [n, height, width, 3] seen as [n, 3, height, width] is channels last without a copy.
        values = {"x": pixels.permute(0, 3, 1, 2).to(torch.float32) * (1 / self.divide)}
        for step, (name, inputs) in zip(self.steps, self.wires):
            values[name] = step(*(values[i] for i in inputs))
        return values[self.wires[-1][0]]


class Concat(torch.nn.Module):
    def forward(self, *parts):
        return torch.cat(parts, 1)


def build(path, mode, threads, batch):
    torch.set_num_threads(threads)
    model = read_model(path)
    if "reordered" in mode:
        model = reordered(model)
    net = Net(model).to(memory_format=torch.channels_last)
    if "MESO_PEERS_SIMDLEN" in os.environ:
        from torch._inductor import config
        config.cpp.simdlen = int(os.environ["MESO_PEERS_SIMDLEN"])
    height, width = shapes(model)[model.layers[0].name][1:]
    example = torch.zeros((batch, height, width, 3), dtype=torch.uint8)
    with torch.inference_mode():
        if mode.startswith("inductor"):
            run = torch.compile(net, dynamic=False)
        else:
            torch.jit.enable_onednn_fusion(True)
            run = torch.jit.freeze(torch.jit.trace(net, example))
        run(example), run(example)

    def predict(pixels):
        with torch.inference_mode():
            return run(torch.from_numpy(pixels))[:, 0].numpy()

    return predict
