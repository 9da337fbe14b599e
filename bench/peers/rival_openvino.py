# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: latency hint or streams, float32 forced; its default precision here is bfloat16, a row
of its own."""

import openvino

from meso_model import read_model, reordered, to_onnx

NAME, VERSION = "OpenVINO", openvino.__version__.split("-")[0]

# (name, threads, processes, exact)
MODES = [
    ("latency", 1, 1, True),
    ("latency", 2, 1, True),
    ("streams", 2, 1, True),
    ("latency", 1, 2, True),
    ("reordered", 1, 1, True),
    ("bf16", 1, 1, False),
    ("bf16", 1, 2, False),
]
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}


def build(path, mode, threads, batch):
    model = read_model(path)
    if mode == "reordered":
        model = reordered(model)
    core = openvino.Core()
    streams = threads if mode == "streams" else 1
    graph = core.read_model(to_onnx(model, max(1, batch // streams)).SerializeToString())
    config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": streams}
    if streams == 1:
        config["PERFORMANCE_HINT"] = "LATENCY"
    if mode != "bf16":
        config["INFERENCE_PRECISION_HINT"] = "f32"
    compiled = core.compile_model(graph, "CPU", config)
    if streams > 1 and batch >= streams:
        return split_over(compiled, streams, batch)
    request = compiled.create_infer_request()

    def predict(pixels):
        return request.infer({0: pixels}, share_inputs=True, share_outputs=True)[0][:, 0]

    return predict


def split_over(compiled, streams, batch):
    """A batch cut into as many requests as there are streams, all under way at once."""
    import numpy as np
    requests = [compiled.create_infer_request() for _ in range(streams)]
    part = batch // streams
    assert part * streams == batch, "batches that the streams divide"

    def predict(pixels):
        for i, request in enumerate(requests):
            request.start_async({0: pixels[i * part:(i + 1) * part]}, share_inputs=True)
        for request in requests:
            request.wait()
        return np.concatenate([request.get_output_tensor(0).data[:, 0] for request in requests])

    return predict
