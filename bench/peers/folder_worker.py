# SPDX-License-Identifier: Apache-2.0
"""One process of a rival's pipeline over a list of JPEG files: decode, then the net. folder.py
starts it, waits for the first line (imported, compiled, warm), says go, and gets one line with
every P(class 1)."""

import importlib
import json
import os
import sys

import numpy as np


def decoder(name):
    if name == "simplejpeg":
        import simplejpeg

        def decode(path):
            with open(path, "rb") as file:
                return simplejpeg.decode_jpeg(file.read(), colorspace="RGB")
    else:
        import cv2

        cv2.setNumThreads(1)

        def decode(path):
            return cv2.imread(path, cv2.IMREAD_COLOR_RGB)

    return decode


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the rivals print themselves
    module, mode, decode_by, batch, model = sys.argv[1:6]
    batch, files = int(batch), sys.argv[6:]
    decode = decoder(decode_by)
    predict = importlib.import_module(module).build(model, mode, 1, batch)
    pixels = np.zeros((batch, 256, 256, 3), np.uint8)
    for _ in range(5):
        decode(files[0])
        predict(pixels)
    print("ready", file=answers, flush=True)
    sys.stdin.readline()
    p = []
    for first in range(0, len(files), batch):
        part = files[first:first + batch]  # the last one is filled up with what the buffer holds
        for i, path in enumerate(part):
            pixels[i] = decode(path)
        p += [float(value) for value in predict(pixels)[:len(part)]]
    print(json.dumps(p), file=answers, flush=True)


if __name__ == "__main__":
    main()
