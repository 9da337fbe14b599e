#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A raw record of bench/peers or device_bench → the summary that docs/benchmarks/ keeps.

    device_bench --json >raw.json
    python3 bench/summarize.py raw.json >docs/benchmarks/FOLDER/device_bench.json

Lists of samples become how many there are, median, least and greatest. Of a result of device_bench
its setting and its main figures stay, of its layers the ten slowest. Records of device_bench inside
one of bench/peers become a row for each setting, with the medians over the records. All other
fields stay, rounded to six digits.
"""
import json
import statistics
import sys
import textwrap

WIDTH = 130
MOST_ROWS = 10
# Lists of measured rows of a result, and what stays of a row.
ROWS = {"layers": ("layer", "kernel", "us", "us_low", "us_high", "gflops"),
        "launches": ("kernel", "us", "us_low", "us_high")}
# What tells one result of device_bench from another.
SETTING = ("platform", "device", "driver", "net", "direction", "path", "tuning", "clblast", "lanes",
           "threads", "batch")
# What is kept of it beside that.
MEASURED = ("images_per_s", "images_per_s_low", "images_per_s_high", "stream_images_per_s",
            "kernels_images_per_s", "port_bound_images_per_s", "latency_p50_ms", "latency_p99_ms",
            "gflops", "peak_gflops", "largest_difference", "share_in_kernels", "share_explained")
LISTS = ("flags", "layers", "launches")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def numbers(value):
    """The numbers of a list of samples, or of a list of such lists; None where it is none."""
    if not isinstance(value, list) or not value:
        return None
    found = []
    for item in value:
        part = [item] if is_number(item) else numbers(item)
        if part is None:
            return None
        found += part
    return found


def six_digits(value):
    if not isinstance(value, float) or value.is_integer():
        return int(value) if isinstance(value, float) else value
    return float(f"{value:.6g}")


def summary_of(samples):
    return {"n": len(samples), "median": six_digits(statistics.median(samples)),
            "min": six_digits(min(samples)), "max": six_digits(max(samples))}


def merged(records):
    """What several records of device_bench say together: the medians of each setting."""
    settings = {}
    for record in records:
        # Older records say of themselves what belongs to each result.
        about = {key: record[key] for key in MEASURED if key in record} | record["provenance"]
        for result in record["results"]:
            result = about | result
            setting = tuple((key, result[key]) for key in SETTING if key in result)
            settings.setdefault(setting, []).append(result)
    rows = []
    for setting, results in settings.items():
        found = {key: [result[key] for result in results] for key in MEASURED
                 if all(is_number(result.get(key)) for result in results)}
        rows.append(dict(setting) | {"records": len(results)} |
                    {key: six_digits(statistics.median(values)) for key, values in found.items()})
    return {"provenance": summarize(records[0]["provenance"]), "results": rows}


def summarize(value, key=None):
    if key == "device_bench" and value:
        return merged(value)
    samples = numbers(value)
    if samples:
        return summary_of(samples)
    if key in ROWS and isinstance(value, list):
        slowest = sorted(value, key=lambda row: -row["us"])[:MOST_ROWS]
        return [summarize({name: row[name] for name in ROWS[key] if name in row})
                for row in slowest]
    if key == "results":
        return [summarize({name: row[name] for name in SETTING + MEASURED + LISTS if name in row})
                for row in value]
    if isinstance(value, list):
        return [summarize(item) for item in value]
    if isinstance(value, dict):
        return {name: summarize(item, name) for name, item in value.items()}
    return six_digits(value)


def is_flat(value):
    return not any(isinstance(item, (dict, list)) and item
                   for item in (value.values() if isinstance(value, dict) else value))


def lines_of(value, indent):
    """JSON with what holds no containers on a line, and neighbouring scalars side by side."""
    text = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or (is_flat(value) and indent + len(text) < WIDTH):
        return text
    lines, room = [], 0
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        text = f"{json.dumps(name)}: " if isinstance(value, dict) else ""
        text += lines_of(item, indent + 1)
        if "\n" not in text and len(text) + 2 < room:
            lines[-1] += ", " + text
            room -= len(text) + 2
        else:
            lines.append(text)
            room = 0 if "\n" in text else WIDTH - indent - len(text)
    space = " " * (indent + 1)
    begin, end = "{}" if isinstance(value, dict) else "[]"
    return begin + "\n" + space + (",\n" + space).join(lines) + "\n" + " " * indent + end


def main():
    if len(sys.argv) != 2:
        sys.exit(textwrap.dedent(__doc__))
    with open(sys.argv[1], encoding="utf-8") as file:
        print(lines_of(summarize(json.load(file)), 0))


if __name__ == "__main__":
    main()
