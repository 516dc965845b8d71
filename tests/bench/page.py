#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon the page shows something: milliseconds until the first chart (or table, where one stands before it), and until it answers to a click.

    tests/bench/page.py [--runs 5] [--synthetic 1000000,..] DIR...

Each DIR is a models directory; --synthetic makes one more of that many rows of demo data. A new Chromium each time, with nothing cached, starting with its own process; medians.
Needs the page in the build (./dev page) and the packages of tests/e2e/page (./dev test installs them).
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from measure import ROOT, median, table
from serve import Server

SECTIONS = ["overview", "explore", "models", "network"]


# A short search: how well the models do is of no matter here.
QUICK = ["--search.repeats=1", "--search.folds=2", "--score.models=ridge boosting", "--tier.models=prior softmax"]


def make(rows, folder):
    """A models directory of that many rows of demo data."""
    influence = ROOT / "build/src/cli/influence"
    subprocess.run([influence, "synth", "--rows", str(rows), "--out", folder / "demo"], check=True)
    models = folder / f"synthetic {rows:,}"
    subprocess.run([influence, "train", folder / "demo/profiles.csv", "--out", models, *QUICK], check=True)
    return models


def look(chromium, url, section):
    done = subprocess.run(["node", "drive.mjs", chromium, "speed", url, json.dumps({"section": section})],
                          cwd=ROOT / "tests/e2e/page", capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["found"]


def measure(models, chromium, runs):
    """A row for the models directory."""
    command = f"{ROOT}/build/src/daemon/influenced --models.path={models.resolve()} --server.listen=127.0.0.1:{{port}} --log.path=log.db"
    with tempfile.TemporaryDirectory() as directory:
        server = Server(models.name, command, "/score", Path(directory))
        try:
            cells, shifts, blocked = [], [], []
            for section in SECTIONS:
                looks = [look(chromium, f"http://127.0.0.1:{server.port}/", section) for _ in range(runs)]
                cells.append(" / ".join(str(round(median(one[what] for one in looks)))
                                        for what in ("first_chart_ms", "interactive_ms")))
                shifts += [one["cls"] for one in looks]
                blocked += [one["longest_ms"] for one in looks]
        finally:
            server.stop()
    report = models / "current/report.json"
    return [models.name, f"{report.stat().st_size / 1000:.0f}", *cells, f"{max(shifts):.3f}", f"{max(blocked):.0f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path, metavar="DIR")
    parser.add_argument("--synthetic", default="", metavar="ROWS,..")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("page: no chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="influence-page-") as folder:
        made = [make(int(rows), Path(folder)) for rows in given.synthetic.split(",") if rows]
        rows = [measure(models, chromium, given.runs) for models in [*given.models, *made]]
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(table(["models", "report kB", *(f"{section}: first / interactive ms" for section in SECTIONS),
                 "largest layout shift", "longest task ms"], rows))


if __name__ == "__main__":
    main()
