#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dataset_bench stats beside the study's way: Python, one process, each statistic opening the file
for itself.

    python3 bench/peers/dataset_statistics.py build/bin/dataset_bench FOLDER [SAMPLE] [ROUNDS]

Runs both by turns on the same files, compares their figures, and prints images a second by the
clock, and by processor time, which other work on the machine disturbs less. Needs numpy,
opencv-python-headless, pillow, scikit-image.
"""
import csv
import io
import os
import resource
import statistics
import subprocess
import sys
import time

import cv2
import numpy as np
from PIL import Image, ImageStat
from skimage.measure import shannon_entropy

PROPERTIES = ["r", "g", "b", "contrast", "brightness", "entropy"]


def colours(path):
    blue, green, red = np.average(np.average(cv2.imread(path), axis=0), axis=0)
    return [red, green, blue]


def contrast(path):
    lightness = cv2.split(cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2LAB))[0]
    window = np.ones((5, 5), np.uint8)
    low = cv2.erode(lightness, window).astype(np.float64)
    high = cv2.dilate(lightness, window).astype(np.float64)
    total = high + low
    return 100 * np.mean(np.divide(high - low, total, out=np.zeros_like(total), where=total != 0))


def measure(path):
    brightness = ImageStat.Stat(Image.open(path).convert("L")).mean[0]
    return colours(path) + [contrast(path), brightness, shannon_entropy(cv2.imread(path))]


def run_python(files):
    cpu, started = time.process_time(), time.perf_counter()
    rows = {label: np.array([measure(path) for path in paths]) for label, paths in files.items()}
    spent = time.perf_counter() - started, time.process_time() - cpu
    return {label: (row.mean(axis=0), row.std(axis=0)) for label, row in rows.items()}, spent


def run_program(program, folder, sample):
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    out = subprocess.run([program, "stats", folder, "--limit", str(sample), "--study",
                          "--no-cache", "--csv"],
                         check=True, capture_output=True, text=True).stdout
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {}
    for row in csv.DictReader(io.StringIO(out)):
        pair = figures.setdefault(row["class"], (np.zeros(6), np.zeros(6)))
        pair[0][PROPERTIES.index(row["property"])] = float(row["mean"])
        pair[1][PROPERTIES.index(row["property"])] = float(row["std"])
    return figures, (wall, cpu)


def main():
    program, folder = sys.argv[1:3]
    sample, rounds = (int(word) for word in (sys.argv[3:] + ["1000", "3"][len(sys.argv) - 3:]))
    files = {label.lower(): [os.path.join(folder, label, name)
                             for name in sorted(os.listdir(os.path.join(folder, label)))[:sample]]
             for label in ("Fake", "Real")}
    n = sum(len(paths) for paths in files.values())
    spent = {"Python": [], "dataset_bench": []}
    worst = 0
    run_program(program, folder, 10)  # the driver compiles once
    for _ in range(rounds):
        theirs, time_theirs = run_python(files)
        ours, time_ours = run_program(program, folder, sample)
        spent["Python"].append(time_theirs)
        spent["dataset_bench"].append(time_ours)
        worst = max([worst] + [np.abs(ours[label][k] - theirs[label][k]).max() for label in theirs
                               for k in (0, 1)])
    rates = {}
    for name, rows in spent.items():
        rates[name] = [n / statistics.median(column) for column in zip(*rows)]
        print(f"{name:14s} {rates[name][0]:8.0f} images/s by the clock, "
              f"{rates[name][1]:8.0f} a second of processor time")
    cores = os.cpu_count()
    clock, processor = (a / b for a, b in zip(rates["dataset_bench"], rates["Python"]))
    print(f"ratio {clock:.1f} by the clock; by processor time {processor:.1f} on one core, "
          f"so {cores} cores give {cores * processor:.1f}")
    print(f"largest difference of any figure: {worst:.1e}")


if __name__ == "__main__":
    main()
