#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the cost of the offline commands grows with the rows.

    tests/bench/scaling.py [--rows 10000,100000,1000000] [--train] [--json]

CPU time and the largest memory of import, of import --pieces, of explore and, with --train, of
training and prediction, on demo data in a temporary folder. The exponent is that of the last two
sizes: the time grows as rows to that power, so 1 is linear.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

from measure import ROOT, Finished, table


def commands(demo, folder, train):
    """name -> arguments, in an order in which each finds what it needs."""
    profiles = demo / "profiles.csv"
    jobs = {
        "import": ["import", profiles],
        "import --pieces": ["import", "--pieces", profiles],
        "explore": ["explore", profiles, "--json"],
    }
    if train:
        models = folder / "models"
        jobs["train"] = ["train", profiles, "--out", models]
        jobs["predict"] = ["predict", profiles, "--bundle", models]
    return jobs


def measure(influence, rows, train):
    with tempfile.TemporaryDirectory(prefix="influence-scaling-") as name:
        folder = Path(name)
        demo = folder / "demo"
        Finished([influence, "synth", "--rows", rows, "--out", demo])
        for job, arguments in commands(demo, folder, train).items():
            done = Finished([influence, *arguments])
            yield {"command": job, "rows": rows, "cpu_s": done.cpu_s, "peak_mib": done.peak_mib}


def exponents(figures):
    """Command -> exponent of its CPU time between its two largest sizes."""
    result = {}
    for command in dict.fromkeys(row["command"] for row in figures):
        rows = sorted((row for row in figures if row["command"] == command), key=lambda row: row["rows"])
        if len(rows) > 1:
            a, b = rows[-2:]
            result[command] = math.log(max(b["cpu_s"], 1e-3) / max(a["cpu_s"], 1e-3)) / math.log(b["rows"] / a["rows"])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rows", default="10000,100000,1000000")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    influence = options.build.resolve() / "src/cli/influence"
    figures = []
    for rows in sorted(int(word) for word in options.rows.split(",")):
        figures.extend(measure(influence, rows, options.train))
    growth = exponents(figures)
    if options.json:
        print(json.dumps({"figures": figures, "exponents": growth}))
        return
    print(table(["command", "rows", "CPU s", "rows/CPU s", "peak MiB", "exponent"],
                [[row["command"], f"{row['rows']:,}", f"{row['cpu_s']:.2f}", f"{row['rows'] / max(row['cpu_s'], 1e-9):,.0f}",
                  f"{row['peak_mib']:.0f}", f"{growth[row['command']]:.2f}" if row["command"] in growth else ""]
                 for row in figures]))


if __name__ == "__main__":
    sys.exit(main())
