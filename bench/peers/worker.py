# SPDX-License-Identifier: Apache-2.0
"""One rival in one mode in a process of its own: throughput.py starts it and asks it by lines of
JSON.

    worker.py RIVAL                                 one line: what the rival is and its modes
    worker.py RIVAL MODEL MODE THREADS PIXELS       then, line for line:

    {"check": n, "batch": b}         → {"p": [P(class 1) of the first n pictures]}, b: a batch that
                                     will be timed
    {"batch": n, "seconds": s}       → {"images_per_s": …}
"""

import importlib
import json
import os
import sys
import time

import numpy as np


TOLERANCE = 1e-5  # of the answers, unless the rival says otherwise


class Worker:
    def __init__(self, rival, path, mode, threads, pixels):
        self.rival, self.path, self.mode, self.threads = rival, path, mode, threads
        self.pixels = np.load(pixels)
        self.predictors = {}
        self.next = 0

    def predictor(self, batch):
        """Built at first use; warm when it has run for half a second."""
        if batch not in self.predictors:
            self.predictors[batch] = self.rival.build(self.path, self.mode, self.threads, batch)
            self.run(batch, 0.5)
        return self.predictors[batch]

    def run(self, batch, seconds):
        predict = self.predictors[batch]
        n, started = 0, time.perf_counter()
        while True:
            if self.next + batch > len(self.pixels):
                self.next = 0
            predict(self.pixels[self.next:self.next + batch])
            self.next += batch
            n += batch
            elapsed = time.perf_counter() - started
            if elapsed >= seconds:
                return n / elapsed

    def answer(self, question):
        if "check" in question:
            n = question["check"]
            if hasattr(self.rival, "answers"):  # a rival in training, whose steps give none
                self.predictor(question["batch"])
                return {"p": [float(p) for p in self.rival.answers(self.path, self.pixels[:n])]}
            return {"p": [float(p) for p in self.predictor(n)(self.pixels[:n])]}
        batch = question["batch"]
        self.predictor(batch)
        self.run(batch, 0.05)
        return {"images_per_s": self.run(batch, question["seconds"])}


def main():
    # What the rivals print themselves must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    rival = importlib.import_module(sys.argv[1])
    print(json.dumps({"name": rival.NAME, "version": rival.VERSION, "modes": rival.MODES,
                      "avx2": rival.AVX2,
                      "tolerance": getattr(rival, "TOLERANCE", TOLERANCE)}), file=answers,
          flush=True)
    if len(sys.argv) == 2:
        return
    path, mode, threads, pixels = sys.argv[2:]
    worker = Worker(rival, path, mode, int(threads), pixels)
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Exception as error:  # any rival may fail in its own way: the report says how
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
