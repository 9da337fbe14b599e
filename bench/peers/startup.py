# SPDX-License-Identifier: Apache-2.0
"""Process start to one answer: `mesocl predict` of one picture, with PoCL's cache warm and empty,
beside OpenVINO from C++ and from Python and ONNX Runtime from Python, each with its model in the
form it loads fastest."""

import argparse
import csv
import io
import os
import subprocess
import sys
import tempfile
import time

import peers_report as report
from meso_model import read_model, to_onnx
from throughput import draw_pictures

TOLERANCE = 1e-5


def prepare_rivals(arguments, folder, notes):
    """Models on disk and the C++ program; {name: command}."""
    import openvino

    onnx_file, ir_file = os.path.join(folder, "net.onnx"), os.path.join(folder, "net.xml")
    serialized = to_onnx(read_model(arguments.model), 1).SerializeToString()
    with open(onnx_file, "wb") as file:
        file.write(serialized)
    openvino.save_model(openvino.Core().read_model(serialized), ir_file, compress_to_fp16=False)
    here = os.path.dirname(os.path.abspath(__file__))
    script = [sys.executable, os.path.join(here, "startup_rival.py")]
    commands = {"OpenVINO from Python": script + ["openvino", ir_file],
                "ONNX Runtime from Python": script + ["onnxruntime", onnx_file]}
    package = os.path.dirname(openvino.__file__)
    libraries = os.path.join(package, "libs")
    shared = next((name for name in os.listdir(libraries) if name.startswith("libopenvino.so")),
                  "libopenvino.so")
    program = os.path.join(folder, "startup_openvino")
    built = subprocess.run(["c++", "-O2", "-std=c++17", "-I", os.path.join(package, "include"),
                            os.path.join(here, "startup_openvino.cpp"), "-o", program,
                            "-L", libraries, f"-l:{shared}", f"-Wl,-rpath,{libraries}"],
                           capture_output=True, text=True)
    if built.returncode == 0:
        commands["OpenVINO from C++"] = [program, ir_file]
    else:
        notes.append(f"OpenVINO from C++: not built ({(built.stderr.splitlines() or [''])[0]})")
    return commands


def run(command, environment=None):
    """Milliseconds from start to end, and what was printed."""
    started = time.perf_counter()
    said = subprocess.run(command, check=True, capture_output=True, text=True,
                          env=environment).stdout
    return 1e3 * (time.perf_counter() - started), said


def answer_of_ours(said):
    return float(next(csv.DictReader(io.StringIO(said)))["p_real"])


def measure(arguments, picture, commands):
    ours = [arguments.mesocl, "predict", "-w", arguments.model, "--csv", picture]
    rows = {"mesocl predict, warm": [], "mesocl predict, cold": []}
    rows.update({name: [] for name in commands})
    differences = {}
    expected = answer_of_ours(run(ours)[1])
    for name, command in commands.items():
        differences[name] = abs(float(run(command + [picture])[1]) - expected)
        if not differences[name] <= TOLERANCE:
            sys.exit(f"{name}: its answer differs by {differences[name]:.2g}")
    for number in range(arguments.rounds):
        rows["mesocl predict, warm"].append(run(ours)[0])
        for name, command in commands.items():
            rows[name].append(run(command + [picture])[0])
        if number < arguments.cold:
            with tempfile.TemporaryDirectory() as cache:
                environment = dict(os.environ, POCL_CACHE_DIR=cache)
                rows["mesocl predict, cold"].append(run(ours, environment)[0])
    return rows, differences


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a .safetensors file of mesocl convert")
    parser.add_argument("--bin", default="build/bin", help="folder of mesocl; default build/bin")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--cold", type=int, default=5,
                        help="rounds with PoCL's cache empty; default 5")
    parser.add_argument("--out",
                        help="write FILE.md and FILE.json; default: Markdown to standard output")
    arguments = parser.parse_args()
    arguments.mesocl = os.path.join(arguments.bin, "mesocl")
    notes = []
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "picture.ppm")
        with open(picture, "wb") as file:
            file.write(b"P6 256 256 255\n" + draw_pictures()[0].tobytes())
        rows, differences = measure(arguments, picture, prepare_rivals(arguments, folder, notes))
    about = dict(report.machine(), mesocl=report.ours_version(arguments.mesocl))
    text = report.introduction("Process start to one answer", about)
    text += "Milliseconds, medians (range). |Δp|: difference from MesoCL.\n\n"
    text += report.table(["", "ms", "\\|Δp\\|"],
                         [[name, report.cell(report.summary(values)),
                           f"{differences[name]:.1g}" if name in differences else ""]
                          for name, values in rows.items() if values])
    text += "".join(f"\n* {note}\n" for note in notes)
    report.write_record(arguments, text, dict(about, schema="mesocl.peers.startup/1",
                                              milliseconds=rows,
                                              differences=differences, notes=notes))


if __name__ == "__main__":
    main()
