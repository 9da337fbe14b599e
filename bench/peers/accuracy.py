# SPDX-License-Identifier: Apache-2.0
"""Accuracy after training: `mesocl train` and PyTorch by one protocol, seed by seed.

MSE on P(real), Adam, batch statistics; with a held-back part the epoch with its best accuracy
counts, otherwise the last one. The test set is scored once for each run. A run is a file in the
folder OUT, so that what is there is not done again and several processes can share the seeds;
whenever it ends, the table of all that is there is printed.
"""

import argparse
import glob
import json
import math
import os
import statistics
import subprocess
import tempfile

MESOCL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "bin",
                      "mesocl")


def seeds(text):
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", help="a built-in net, such as meso4")
    parser.add_argument("train", help="folder with a folder for each class")
    parser.add_argument("test", help="another")
    parser.add_argument("--who", choices=("mesocl", "torch"), action="append", help="default: both")
    parser.add_argument("--seeds", type=seeds, default="1-3", help="5, or 1-10")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--val-split", type=float, default=0.0,
                        help="the last part of each class, in order of name")
    parser.add_argument("--augment", choices=("none", "mesonet"), default="none")
    parser.add_argument("--drop-every", type=int, default=0,
                        help="steps after which the rate falls to a tenth")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    parser.add_argument("--mesocl", default=MESOCL)
    parser.add_argument("--out", required=True, help="folder for the runs")
    arguments = parser.parse_args()
    arguments.who = arguments.who or ["mesocl", "torch"]
    return arguments


def run_mesocl(arguments, seed, folder):
    run = os.path.join(folder, "run")
    command = [arguments.mesocl, "train", arguments.train, "--net", arguments.net, "--seed",
               str(seed), "-o", run, "--epochs", str(arguments.epochs),
               "--batch", str(arguments.batch), "--augment", arguments.augment]
    if arguments.val_split:
        command += ["--val-split", str(arguments.val_split), "--split-by", "last", "--monitor",
                    "val_accuracy"]
    if arguments.drop_every:
        command += ["--schedule", f"iterations,every={arguments.drop_every},rate=0.1,limit=1e-6"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    weights = os.path.join(run, "best.safetensors" if arguments.val_split else "last.safetensors")
    answer = subprocess.run([arguments.mesocl, "evaluate", "-w", weights, arguments.test, "--json"],
                            check=True, capture_output=True, text=True).stdout
    return {"accuracy": json.loads(answer)["accuracy"]}


def run_torch(arguments, seed, folder):
    import accuracy_torch  # takes seconds, and MesoCL alone does without it
    start = os.path.join(folder, "start.safetensors")
    subprocess.run([arguments.mesocl, "init", arguments.net, "--seed", str(seed), "-o", start],
                   check=True)
    return accuracy_torch.run(arguments, seed, start)


def table(out):
    rows = [json.load(open(name)) for name in sorted(glob.glob(os.path.join(out, "*.json")))]
    found = {}
    for row in rows:
        found.setdefault(row["who"], {})[row["seed"]] = row["accuracy"]
    for who, by_seed in found.items():
        each = " ".join(f"{seed}:{by_seed[seed]:.4f}" for seed in sorted(by_seed))
        mean = statistics.mean(by_seed.values())
        print(f"{who}: mean {mean:.4f} of {len(by_seed)} runs ({each})")
    if sorted(found) == ["mesocl", "torch"] and min(map(len, found.values())) > 1:
        print("mesocl - torch: {:+.4f}, 95 % interval {:+.4f} to {:+.4f} (Welch's t)".format(
            *difference(list(found["mesocl"].values()), list(found["torch"].values()))))


def difference(a, b):
    from scipy.stats import t
    parts = [statistics.variance(x) / len(x) for x in (a, b)]
    freedom = sum(parts)**2 / sum(p * p / (len(x) - 1) for p, x in zip(parts, (a, b)))
    mean = statistics.mean(a) - statistics.mean(b)
    half = t.ppf(0.975, freedom) * math.sqrt(sum(parts))
    return mean, mean - half, mean + half


def main():
    arguments = read_arguments()
    os.makedirs(arguments.out, exist_ok=True)
    for seed in arguments.seeds:
        for who in arguments.who:
            name = os.path.join(arguments.out, f"{who}-{seed}.json")
            if os.path.exists(name):
                continue
            with tempfile.TemporaryDirectory() as folder:
                result = {"mesocl": run_mesocl, "torch": run_torch}[who](arguments, seed, folder)
            protocol = {k: v for k, v in vars(arguments).items()
                        if k not in ("seeds", "who", "out", "mesocl")}
            row = dict(result, who=who, seed=seed, protocol=protocol)
            with open(name + ".part", "w") as file:
                json.dump(row, file, indent=1)
            os.rename(name + ".part", name)
    table(arguments.out)


if __name__ == "__main__":
    main()
