#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the cost of the offline commands grows with the rows.

    tests/bench/scaling.py [--rows 10000,100000,1000000] [--large] [--only import,predict] [--json]

CPU time and the largest memory of import, of import --pieces, of explore, of training with its defaults,
of what of it builds the index of neighbours and writes the models, and of prediction, on demo data in a
temporary folder. --large adds ten million rows (some 15 GB of memory, as much disk, half an hour). The
exponents are those of the last two sizes: time, or memory, grows as rows to that power, so 1 is linear.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

from measure import ROOT, Finished, table

LARGE = 10000000
INDEX = "train: index, models written"


def commands(demo, folder):
    """name -> arguments, in an order in which each finds what it needs."""
    profiles = demo / "profiles.csv"
    models = folder / "models"
    return {
        "import": ["import", profiles],
        "import --pieces": ["import", "--pieces", profiles],
        "explore": ["explore", profiles, "--json"],
        "train": ["train", profiles, "--out", models],
        "predict": ["predict", profiles, "--bundle", models],
    }


def index_stage(models):
    """The stage of the training, from its own report."""
    stages = json.loads((models / "current/report.json").read_text())["bundle"]["stages"]
    return next(stage for stage in stages if stage["name"] == "models written")


def measure(influence, rows, only):
    with tempfile.TemporaryDirectory(prefix="influence-scaling-") as name:
        folder = Path(name)
        demo = folder / "demo"
        Finished([influence, "synth", "--rows", rows, "--out", demo])
        for job, arguments in commands(demo, folder).items():
            if only and job.split()[0] not in only:
                continue
            done = Finished([influence, *arguments])
            yield {"command": job, "rows": rows, "cpu_s": done.cpu_s, "peak_mib": done.peak_mib}
            if job == "train":
                stage = index_stage(folder / "models")
                yield {"command": INDEX, "rows": rows, "cpu_s": stage["cpu_seconds"], "peak_mib": stage["peak_mb"]}


def exponents(figures, what):
    """Command -> exponent of its time or memory between its two largest sizes."""
    result = {}
    for command in dict.fromkeys(row["command"] for row in figures):
        rows = sorted((row for row in figures if row["command"] == command), key=lambda row: row["rows"])
        if len(rows) > 1:
            a, b = rows[-2:]
            result[command] = math.log(max(b[what], 1e-3) / max(a[what], 1e-3)) / math.log(b["rows"] / a["rows"])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rows", default="10000,100000,1000000")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    influence = options.build.resolve() / "src/cli/influence"
    figures = []
    sizes = {int(word) for word in options.rows.split(",")} | ({LARGE} if options.large else set())
    for rows in sorted(sizes):
        figures.extend(measure(influence, rows, [word for word in options.only.split(",") if word]))
    figures.sort(key=lambda row: [*commands(Path(), Path()), INDEX].index(row["command"]))
    time, memory = exponents(figures, "cpu_s"), exponents(figures, "peak_mib")
    if options.json:
        print(json.dumps({"figures": figures, "exponents": time, "memory_exponents": memory}))
        return
    last = max(sizes)
    print(table(["command", "rows", "CPU s", "rows/CPU s", "peak MiB", "exponent of time", "of memory"],
                [[row["command"], f"{row['rows']:,}", f"{row['cpu_s']:.2f}", f"{row['rows'] / max(row['cpu_s'], 1e-9):,.0f}",
                  f"{row['peak_mib']:.0f}", f"{time[row['command']]:.2f}" if row["command"] in time and row["rows"] == last else "",
                  f"{memory[row['command']]:.2f}" if row["command"] in memory and row["rows"] == last else ""]
                 for row in figures]))


if __name__ == "__main__":
    sys.exit(main())
