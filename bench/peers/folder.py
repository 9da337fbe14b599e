# SPDX-License-Identifier: Apache-2.0
"""A folder of JPEG files to predictions on all cores: `mesocl predict` beside the best pipelines of
its rivals.

Rivals run as one process for each core, each with its share of the files; their imports and
compilation are not counted, only the loop. MesoCL is counted twice: the whole process from start to
end, and the loop alone, from the difference between a run over the folder and one over the folder
three times.
"""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import time

import peers_report as report
from throughput import MALLOC

# (name, rival, mode, decoder)
PIPELINES = [
    ("OpenVINO + simplejpeg", "rival_openvino", "latency", "simplejpeg"),
    ("PyTorch inductor + OpenCV", "rival_torch", "inductor reordered", "cv2"),
    ("PyTorch TorchScript + OpenCV", "rival_torch", "TorchScript oneDNN", "cv2"),
    ("ONNX Runtime + simplejpeg", "rival_onnxruntime", "reordered", "simplejpeg"),
]


def jpegs(folder):
    found = [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names
             if name.lower().endswith((".jpg", ".jpeg"))]
    return sorted(found)


def run_ours(arguments, times):
    """Seconds of a whole run over the files `times` times, and P(class 1) by file."""
    started = time.perf_counter()
    said = subprocess.run([arguments.mesocl, "predict", "-w", arguments.model, "--csv", "-"],
                          check=True,
                          input="".join(path + "\n" for path in arguments.files * times),
                          capture_output=True, text=True)
    seconds = time.perf_counter() - started
    return seconds, {line["file"]: float(line["p_real"])
                     for line in csv.DictReader(io.StringIO(said.stdout))}


def run_rival(arguments, pipeline, batch):
    """Seconds of the loop, seconds before it, and P(class 1) by file."""
    name, module, mode, decode_by = pipeline
    here = os.path.dirname(os.path.abspath(__file__))
    environment = dict(os.environ, **MALLOC, OMP_NUM_THREADS="1")
    environment.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(sys.prefix, "inductor"))
    shares = [arguments.files[i::arguments.processes] for i in range(arguments.processes)]
    started = time.perf_counter()
    processes = [
        subprocess.Popen([sys.executable, os.path.join(here, "folder_worker.py"), module, mode,
                          decode_by, str(batch),
                          arguments.model, *share], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, env=environment) for share in shares]
    if any(process.stdout.readline() != "ready\n" for process in processes):
        for process in processes:
            process.kill()
        raise RuntimeError("did not start")
    ready = time.perf_counter()
    for process in processes:
        print("go", file=process.stdin, flush=True)
    answers = [process.stdout.readline() for process in processes]
    seconds = time.perf_counter() - ready
    for process in processes:
        process.communicate()
    p = {}
    for share, answer in zip(shares, answers):
        p.update(zip(share, json.loads(answer)))
    return seconds, ready - started, p


def difference(a, b):
    assert a.keys() == b.keys(), "not the same files were scored"
    return max(abs(a[name] - b[name]) for name in a)


def measure(arguments):
    """{name: row}; a row has rates of the loop, rates of the whole process, largest |Δp|, or
    "error"."""
    ours = {"rates": [], "whole": []}
    rows = {(pipeline[0], batch): {"rates": [], "whole": [], "difference": 0.0}
            for pipeline in PIPELINES for batch in arguments.batches}
    n = len(arguments.files)
    run_ours(arguments, 1)  # files and compiled kernels into their caches
    for number in range(arguments.rounds):
        for pipeline in PIPELINES:
            for batch in arguments.batches:
                once, expected = run_ours(arguments, 1)
                ours["whole"].append(n / once)
                ours["rates"].append(2 * n / (run_ours(arguments, 3)[0] - once))
                time.sleep(arguments.pause)
                row = rows[pipeline[0], batch]
                if "error" in row:
                    continue
                try:
                    loop, before, p = run_rival(arguments, pipeline, batch)
                except (RuntimeError, ValueError) as error:
                    row["error"] = str(error)
                    continue
                row["rates"].append(n / loop)
                row["whole"].append(n / (loop + before))
                row["difference"] = max(row["difference"], difference(p, expected))
                time.sleep(arguments.pause)
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    return ours, rows


def write_report(arguments, ours, rows):
    about = dict(report.machine(), mesocl=report.ours_version(arguments.mesocl))
    text = report.introduction("A folder of JPEG files to predictions", about)
    text += (f"{len(arguments.files)} files, {arguments.processes} cores, files in the page cache, "
             f"medians (range) of {arguments.rounds} rounds. "
             "|Δp|: largest difference from MesoCL.\n\n")
    mine = {key: report.summary(ours[key]) for key in ("rates", "whole")}
    lines = [["**mesocl predict**", report.cell(mine["rates"]), report.cell(mine["whole"]),
              "", "", ""]]
    for (name, batch), row in rows.items():
        label = f"{name}, {arguments.processes} processes, batch {batch}"
        if "error" in row or not row["rates"]:
            lines.append([label, row.get("error", "not run"), "", "", "", ""])
            continue
        loop, whole = report.summary(row["rates"]), report.summary(row["whole"])
        lines.append([label, report.cell(loop), report.cell(whole),
                      f"{mine['rates']['median'] / loop['median']:.2f}",
                      f"{mine['whole']['median'] / loop['median']:.2f}",
                      f"{row['difference']:.1g}"])
    text += report.table(["", "images/s, loop alone", "images/s, whole process",
                          "MesoCL's loop / its loop",
                          "MesoCL's whole process / its loop", "\\|Δp\\|"], lines)
    record = dict(about, schema="mesocl.peers.folder/1", n_files=len(arguments.files), ours=ours,
                  rivals=[dict(row, pipeline=name, batch=batch)
                          for (name, batch), row in rows.items()])
    report.write_record(arguments, text, record)


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a .safetensors file of mesocl convert")
    parser.add_argument("folder", help="with JPEG files of 256 x 256 pixels")
    parser.add_argument("--bin", default="build/bin", help="folder of mesocl; default build/bin")
    parser.add_argument("--files", type=int, dest="most", default=1000,
                        help="at most so many; default 1000")
    parser.add_argument("--processes", type=int, default=os.cpu_count(),
                        help="of a rival; default: one for each core")
    parser.add_argument("--batches", type=lambda text: [int(word) for word in text.split(",")],
                        default=[1, 8])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pause", type=float, default=0.3,
                        help="seconds between runs; default 0.3")
    parser.add_argument("--out",
                        help="write FILE.md and FILE.json; default: Markdown to standard output")
    arguments = parser.parse_args()
    arguments.mesocl = os.path.join(arguments.bin, "mesocl")
    arguments.files = jpegs(arguments.folder)[:arguments.most]
    if not arguments.files:
        sys.exit(f"{arguments.folder}: no JPEG files")
    return arguments


def main():
    arguments = parse()
    write_report(arguments, *measure(arguments))


if __name__ == "__main__":
    main()
