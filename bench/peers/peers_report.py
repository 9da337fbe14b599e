# SPDX-License-Identifier: Apache-2.0
"""What the three comparisons share: the machine, statistics, and how a record is written."""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys


def machine():
    """What the figures belong to; the command line makes them repeatable."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"date": datetime.date.today().isoformat(), "processor": model, "cores": os.cpu_count(),
            "system": platform.platform(), "python": platform.python_version(),
            "command": " ".join([os.path.basename(sys.argv[0])] + sys.argv[1:])}


def ours_version(mesocl):
    said = json.loads(subprocess.run([mesocl, "--version", "--json"], check=True,
                                     capture_output=True).stdout)
    return f"{said['version']} ({said['commit']})"


def summary(samples):
    return {"median": statistics.median(samples), "min": min(samples), "max": max(samples),
            "samples": samples}


def cell(row, digits=0):
    """ "3600 (3500–3700)": median and range; "–" where there is nothing."""
    if not row or not row.get("samples"):
        return "–"
    return f"{row['median']:.{digits}f} ({row['min']:.{digits}f}–{row['max']:.{digits}f})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def write(path, text):
    """Whole or not at all, as all of MesoCL's files."""
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "w") as file:
        file.write(text)
    os.replace(temporary, path)


def write_record(arguments, markdown, record):
    """Markdown and JSON where --out says: FILE.md and FILE.json; without it the Markdown is
    printed."""
    if not arguments.out:
        print(markdown)
        return
    stem = arguments.out.removesuffix(".md")
    write(stem + ".md", markdown)
    write(stem + ".json", json.dumps(record, indent=1) + "\n")
    print(f"written: {stem}.md and {stem}.json", file=sys.stderr)


def introduction(title, about):
    lines = [f"# {title}", "",
             f"{about['processor']}, {about['cores']} cores, {about['date']}; {about['system']}.",
             f"MesoCL {about['mesocl']}. `{about['command']}`", ""]
    return "\n".join(lines) + "\n"
