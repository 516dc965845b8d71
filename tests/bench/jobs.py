#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the offline commands cost: demo data, import, training and prediction.

    tests/bench/jobs.py [--rows 200000] [--train-rows 1000] [--json]

Wall and CPU time and the largest memory of each command, on demo data in a temporary folder.
--rows is for what goes over rows once (synth, import, predict), --train-rows for training; 0 leaves
that part out.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measure import ROOT, Finished, table


class Jobs:
    def __init__(self, influence, directory):
        self.influence, self.directory = influence, directory
        self.models = directory / "models"
        self.figures = []

    def run(self, rows, *arguments):
        done = Finished([self.influence, *arguments])
        self.figures.append({"command": arguments[0], "rows": rows, "wall_s": done.wall_s, "cpu_s": done.cpu_s,
                             "peak_mib": done.peak_mib})

    def demo(self, rows):
        folder = self.directory / f"demo-{rows}"
        self.run(rows, "synth", "--rows", rows, "--out", folder)
        return folder

    def train(self, rows):
        demo = self.demo(rows)
        self.run(rows, "train", f"{demo}/snapshot-2025-06.csv@2025-06", f"{demo}/profiles.csv@2025-09", "--out", self.models)

    def pass_over(self, rows):
        demo = self.demo(rows)
        self.run(rows, "import", f"{demo}/profiles.csv")
        if self.models.exists():
            self.run(rows, "predict", f"{demo}/profiles.csv", "--bundle", self.models)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--train-rows", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name:
        jobs = Jobs(options.build.resolve() / "src/cli/influence", Path(name))
        if options.train_rows:
            jobs.train(options.train_rows)
        if options.rows:
            jobs.pass_over(options.rows)
    if options.json:
        print(json.dumps(jobs.figures))
        return
    print(table(["command", "rows", "wall s", "CPU s", "rows/s", "peak MiB"],
                [[row["command"], f"{row['rows']:,}", f"{row['wall_s']:.2f}", f"{row['cpu_s']:.2f}",
                  f"{row['rows'] / max(row['wall_s'], 1e-9):,.0f}", f"{row['peak_mib']:.0f}"] for row in jobs.figures]))


if __name__ == "__main__":
    sys.exit(main())
