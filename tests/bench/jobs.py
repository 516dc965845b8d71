#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the offline commands cost: demo data, import, training and prediction, by number of rows.

    tests/bench/jobs.py [--rows 1000,100000] [--json]

Wall and CPU time and the largest memory of each command, on demo data in a temporary folder.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measure import ROOT, Finished, table


def jobs(influence, directory, rows):
    """(name, command) in the order they must run in."""
    demo, models = directory / "demo", directory / "models"
    tables = [f"{demo}/snapshot-2025-06.csv@2025-06", f"{demo}/profiles.csv@2025-09"]
    yield "synth", [influence, "synth", "--rows", rows, "--out", demo]
    yield "import", [influence, "import", *tables]
    yield "train", [influence, "train", *tables, "--out", models]
    yield "predict", [influence, "predict", f"{demo}/profiles.csv", "--bundle", models]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rows", default="1000,20000", type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--only", default="", help="names of commands, with commas; those before them run, too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    influence = options.build.resolve() / "src/cli/influence"
    last = options.only.split(",")[-1]
    figures = []
    for rows in options.rows:
        with tempfile.TemporaryDirectory(prefix="influence-bench-") as name:
            for job, command in jobs(influence, Path(name), rows):
                done = Finished(command)
                figures.append({"command": job, "rows": rows, "wall_s": done.wall_s, "cpu_s": done.cpu_s, "peak_mib": done.peak_mib})
                if job == last:
                    break
    if options.json:
        print(json.dumps(figures))
        return
    print(table(["command", "rows", "wall s", "CPU s", "rows/s", "peak MiB"],
                [[row["command"], f"{row['rows']:,}", f"{row['wall_s']:.2f}", f"{row['cpu_s']:.2f}",
                  f"{row['rows'] / max(row['wall_s'], 1e-9):,.0f}", f"{row['peak_mib']:.0f}"] for row in figures]))


if __name__ == "__main__":
    sys.exit(main())
