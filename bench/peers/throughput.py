# SPDX-License-Identifier: Apache-2.0
"""Images a second, 8-bit pixels in memory to probability, or through training: MesoCL beside its
rivals, in turns.

Each round measures each rival in each of its modes, then MesoCL, in blocks with pauses between,
because other libraries' threads go on spinning for a while. Every rival runs in processes of its
own, checked against MesoCL's answers before it is timed.
"""

import argparse
import csv
import io
import json
import os
import select
import subprocess
import sys
import tempfile
import time

import numpy as np

import peers_report as report

RIVALS = ["openvino", "torch", "onnxruntime", "mnn", "ncnn", "opencv", "tensorflow", "litert"]
TRAINED = ["torch", "tensorflow"]
WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py")
N_PICTURES = 64  # 12 MB: more than a core's own caches hold, as device_bench does
N_CHECKED = 8
ANSWER_LIMIT = 900  # seconds; a rival that compiles takes long

# Without this, malloc gives every large activation back to the system and takes it again zeroed.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(1 << 34), "MALLOC_TRIM_THRESHOLD_": str(1 << 34)}


class Process:
    """A worker.py and the lines that go to and fro."""

    def __init__(self, row, arguments, pixels):
        environment = dict(os.environ, **MALLOC, OMP_NUM_THREADS=str(row["threads"]))
        environment.pop("OPENBLAS_CORETYPE", None)
        environment.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(sys.prefix, "inductor"))
        environment.update(row["environment"])
        self.process = subprocess.Popen(
            [sys.executable, WORKER, row["module"], arguments.model, row["mode"],
             str(row["threads"]), pixels],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment)
        self.hello = self.read()

    def read(self):
        if not select.select([self.process.stdout], [], [], ANSWER_LIMIT)[0]:
            self.process.kill()
            return {"error": f"no answer within {ANSWER_LIMIT} s"}
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"ended with {self.process.wait()}"}

    def write(self, question):
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # read() says how it ended

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def ask(row, question):
    """All processes of a row at once; their answers."""
    for process in row["processes"]:
        process.write(question)
    return [process.read() for process in row["processes"]]


def make_rows(arguments, notes):
    """One row for each rival, mode, number of threads and processes."""
    rows = []
    known, prefix = (TRAINED, "train_") if arguments.train else (RIVALS, "rival_")
    for name in arguments.rivals.split(",") if arguments.rivals else known:
        if name not in known:
            sys.exit(f"there is no rival {name}; known: {', '.join(known)}")
        # Asked in a process of its own: not all rivals can be loaded into one.
        said = subprocess.run([sys.executable, WORKER, prefix + name], capture_output=True,
                              text=True)
        if said.returncode != 0:
            notes.append(f"{name}: not to be had ({said.stderr.strip().splitlines()[-1]})")
            continue
        rival = json.loads(said.stdout)
        if arguments.avx2 and rival["avx2"] is None:
            notes.append(f"{rival['name']}: left out, it has no switch for AVX2")
            continue
        for mode, threads, copies, exact in rival["modes"]:
            # Without --avx2 both: where a processor runs AVX-512 at half rate, AVX2 can be
            # a rival's best.
            for avx2 in [True] if arguments.avx2 else [False, True]:
                if threads * copies not in arguments.threads:
                    continue
                if avx2 and (not exact or rival["avx2"] is None):
                    continue
                rows.append({"rival": rival["name"], "version": rival["version"],
                             "module": prefix + name, "mode": mode, "threads": threads,
                             "copies": copies, "exact": exact, "avx2": avx2,
                             "environment": rival["avx2"] if avx2 else {},
                             "tolerance": rival["tolerance"], "rates": {}})
    return rows


def draw_pictures():
    """Random colours that run into each other, and some noise: for noise alone, or sharp edges, the
    trained nets are so sure that every answer is 1."""
    random = np.random.default_rng(1)
    colours = random.integers(0, 256, (N_PICTURES, 6, 6, 3))
    blend = np.array([np.interp(np.linspace(0, 5, 256), range(6), unit) for unit in np.eye(6)])
    smooth = np.einsum("ay,nabc,bx->nyxc", blend, colours, blend, optimize=True)
    return np.clip(smooth + random.integers(-8, 9, smooth.shape), 0, 255).astype(np.uint8)


def expected_answers(arguments, pictures, folder):
    """P(class 1) of the pictures by MesoCL, from files that hold the same pixels."""
    names = []
    for i, picture in enumerate(pictures):
        names.append(os.path.join(folder, f"{i}.ppm"))
        with open(names[-1], "wb") as file:
            file.write(b"P6 %d %d 255\n" % picture.shape[1::-1] + picture.tobytes())
    said = subprocess.run([arguments.mesocl, "predict", "-w", arguments.model, "--csv", *names],
                          check=True, capture_output=True, text=True).stdout
    answers = np.array([float(line["p_real"]) for line in csv.DictReader(io.StringIO(said))])
    if np.median(np.minimum(answers, 1 - answers)) < 1e-3:
        sys.exit(f"{arguments.model}: its answers are all near 0 or 1, so nothing can be compared")
    return answers


def start(row, arguments, pixels, expected):
    """Starts a row's processes and compares their answers; a row that fails keeps "error"."""
    row["processes"] = [Process(row, arguments, pixels) for _ in range(row["copies"])]
    answers = ask(row, {"check": N_CHECKED, "batch": arguments.batches[0]})
    for answer in [process.hello for process in row["processes"]] + answers:
        if "error" in answer:
            row["error"] = answer["error"]
            return
    row["difference"] = max(float(np.abs(np.array(answer["p"]) - expected).max())
                            for answer in answers)
    if row["exact"] and not row["difference"] <= row["tolerance"]:
        row["error"] = f"its answers differ by {row['difference']:.2g}"


def measure(row, batch, seconds):
    answers = ask(row, {"batch": batch, "seconds": seconds})
    for answer in answers:
        if "error" in answer:
            row["error"] = f"batch {batch}: {answer['error']}"
            return
    row["rates"].setdefault(batch, []).append(sum(answer["images_per_s"] for answer in answers))


def measure_ours(arguments, threads, ours):
    """One run of device_bench with all batch sizes: one more value for each."""
    environment = dict(os.environ)
    if arguments.avx2:
        environment["POCL_KERNELLIB_NAME"] = "avx2"
    said = subprocess.run(
        [arguments.device_bench, "net", arguments.model, "--json", "--cores", str(threads),
         "--batch", ",".join(map(str, arguments.batches)), "--seconds", str(arguments.seconds)] +
        ["--training"] * arguments.train,
        capture_output=True, text=True, env=environment)
    if said.returncode != 0:
        sys.exit(f"device_bench ended with {said.returncode}: {said.stderr}")
    for result in json.loads(said.stdout)["results"]:
        ours[threads].setdefault(result["batch"], []).append(result["images_per_s"])
    return json.loads(said.stdout)


def run_rounds(arguments, rows, ours):
    detail = []
    for number in range(arguments.rounds):
        for threads in arguments.threads:
            for name in dict.fromkeys(row["rival"] for row in rows):
                for row in rows:
                    if row["rival"] != name or row["threads"] * row["copies"] != threads:
                        continue
                    for batch in arguments.batches:
                        if "error" not in row:
                            measure(row, batch, arguments.seconds)
                            time.sleep(arguments.pause)
                detail.append(measure_ours(arguments, threads, ours))
                time.sleep(arguments.pause)
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    return detail


def mode_of(row):
    copies = f", {row['copies']} processes" * (row["copies"] > 1)
    return row["mode"] + ", AVX2" * row["avx2"] + copies


def label(row):
    return f"{row['rival']} {row['version']}, {mode_of(row)}"


def rates_table(arguments, threads, rows, ours):
    head = [f"images/s, {threads} thread{'s' * (threads > 1)}"]
    head += [f"batch {b}" for b in arguments.batches] + ["\\|Δp\\|"]
    lines = [["**MesoCL**"] + [report.cell(report.summary(ours[threads][b]))
                               for b in arguments.batches] + [""]]
    for row in rows:
        if row["threads"] * row["copies"] != threads:
            continue
        if "error" in row:
            lines.append([label(row), row["error"]] + [""] * len(arguments.batches))
            continue
        cells = [report.cell(report.summary(row["rates"][b])) for b in arguments.batches]
        lines.append([label(row)] + cells + [f"{row['difference']:.1g}"])
    return report.table(head, lines)


def ratio_table(arguments, threads, rows, ours):
    """MesoCL against each rival's best float32 mode: at its equal batch size, and at its own
    best."""
    head = [f"MesoCL / rival, {threads} thread{'s' * (threads > 1)}"]
    head += [f"batch {b}" for b in arguments.batches]
    lines = []
    mine = {b: report.summary(ours[threads][b])["median"] for b in arguments.batches}
    for name in dict.fromkeys(row["rival"] for row in rows):
        good = [r for r in rows if r["rival"] == name and r["threads"] * r["copies"] == threads
                and "error" not in r]
        for exact, of in ((True, ""), (False, " (reduced precision)")):
            chosen = [r for r in good if r["exact"] == exact]
            if not chosen:
                continue
            equal = {b: max(report.summary(r["rates"][b])["median"] for r in chosen)
                     for b in arguments.batches}
            best, at, mode = max((report.summary(r["rates"][b])["median"], b, mode_of(r))
                                 for r in chosen for b in arguments.batches)
            lines.append([f"{name}{of}, equal batch"] +
                         [f"{mine[b] / equal[b]:.2f}" for b in arguments.batches])
            lines.append([f"{name}{of}, its best: {best:.0f} at batch {at} ({mode})"] +
                         [f"{mine[b] / best:.2f}" for b in arguments.batches])
    return report.table(head, lines)


def write_report(arguments, rows, ours, detail, notes):
    about = dict(report.machine(), mesocl=report.ours_version(arguments.mesocl))
    title = "Training" if arguments.train else "Throughput"
    title += f" of {os.path.basename(arguments.model)}"
    title += ", AVX2 on both sides" if arguments.avx2 else ""
    text = report.introduction(title, about)
    text += "Steps of training (MSE, Adam) on 8-bit pixels in memory" if arguments.train else \
        "8-bit pixels in memory to probability"
    text += f", medians (range) of {arguments.rounds} rounds of {arguments.seconds:g} s. "
    if arguments.train:
        text += "|Δp|: largest difference from MesoCL before training. Float32.\n\n"
    else:
        text += ("\"reordered\": the max-pool moved before batch norm by hand. |Δp|: largest "
                 "difference from MesoCL. Float32 unless a row says bf16.\n\n")
    for threads in arguments.threads:
        text += rates_table(arguments, threads, rows, ours) + "\n"
        text += ratio_table(arguments, threads, rows, ours) + "\n"
    text += "".join(f"* {note}\n" for note in notes)
    kept = ("rival", "version", "mode", "threads", "copies", "exact", "avx2", "difference", "error",
            "rates")
    record = dict(about, schema="mesocl.peers.throughput/1", train=arguments.train,
                  avx2=arguments.avx2, ours=ours,
                  notes=notes, device_bench=detail,
                  rivals=[{key: row[key] for key in kept if key in row} for row in rows])
    report.write_record(arguments, text, record)


def numbers(text):
    return [int(word) for word in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a .safetensors file of mesocl convert")
    parser.add_argument("--bin", default="build/bin",
                        help="folder of mesocl and device_bench; default build/bin")
    parser.add_argument("--train", action="store_true",
                        help="steps of training in place of answers")
    parser.add_argument("--rivals",
                        help=f"default: {','.join(RIVALS)}; in training: {','.join(TRAINED)}")
    parser.add_argument("--threads", type=numbers, default=[1, 2], help="default 1,2")
    parser.add_argument("--batches", type=numbers, help="default 1,2,8,32,64; in training 32,64")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="for each block; default 1")
    parser.add_argument("--pause", type=float, default=0.3,
                        help="seconds between blocks; default 0.3")
    parser.add_argument("--avx2", action="store_true", help="no AVX-512 on either side")
    parser.add_argument("--out",
                        help="write FILE.md and FILE.json; default: Markdown to standard output")
    arguments = parser.parse_args()
    arguments.batches = arguments.batches or ([32, 64] if arguments.train else [1, 2, 8, 32, 64])
    arguments.mesocl = os.path.join(arguments.bin, "mesocl")
    arguments.device_bench = os.path.join(arguments.bin, "device_bench")
    return arguments


def main():
    arguments = parse()
    notes, detail = [], []
    rows = make_rows(arguments, notes)
    ours = {threads: {} for threads in arguments.threads}
    with tempfile.TemporaryDirectory() as folder:
        pictures = draw_pictures()
        pixels = os.path.join(folder, "pixels.npy")
        np.save(pixels, pictures)
        expected = expected_answers(arguments, pictures[:N_CHECKED], folder)
        try:
            for row in rows:
                start(row, arguments, pixels, expected)
                print(f"{label(row)}: {row.get('error', 'ready')}", file=sys.stderr)
            detail = run_rounds(arguments, rows, ours)
        finally:
            for row in rows:
                for process in row.get("processes", []):
                    process.close()
    write_report(arguments, rows, ours, detail, notes)


if __name__ == "__main__":
    main()
