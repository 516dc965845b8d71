#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon the page shows something: milliseconds until the first chart (or table, where one stands before it), and until
it answers to a click.

    tests/bench/page.py [--runs 5] [--synthetic 1000000,..] [--json] DIR...

Each DIR is a models directory; --synthetic makes one more of that many rows of demo data. A new Chromium each time, with
nothing cached, starting with its own process; medians.
Needs the page in the build (./dev page) and the packages of tests/e2e/page (./dev test installs them).
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import ROOT, median, table
from serve import Server

SECTIONS = ["overview", "explore", "models", "network"]
# A short search: how well the models do is of no matter here.
QUICK = ["--search.repeats=1", "--search.folds=2", "--score.models=ridge boosting", "--tier.models=prior softmax"]


def make(rows, build, folder):
    """A models directory of that many rows of demo data."""
    influence = build / "src/cli/influence"
    subprocess.run([influence, "synth", "--rows", str(rows), "--out", folder / "demo"], check=True, stdout=sys.stderr)
    models = folder / f"synthetic-{rows}"
    subprocess.run([influence, "train", folder / "demo/profiles.csv", "--out", models, *QUICK], check=True, stdout=sys.stderr)
    return models


def look(chromium, url, section):
    done = subprocess.run(["node", "drive.mjs", chromium, "speed", url, json.dumps({"section": section})],
                          cwd=ROOT / "tests/e2e/page", capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["found"]


def measure(models, chromium, options):
    """What the models directory's page takes, section by section."""
    daemon, path = options.build / "src/daemon/influenced", shlex.quote(str(models.resolve()))
    with tempfile.TemporaryDirectory() as directory:
        server = Server(models.name, f"{daemon} --models.path={path} --server.listen=127.0.0.1:{{port}} --log.path=log.db",
                        "/score", Path(directory))
        try:
            looks = {section: [look(chromium, f"http://127.0.0.1:{server.port}/", section) for _ in range(options.runs)]
                     for section in SECTIONS}
        finally:
            server.stop()
    every = [one for of in looks.values() for one in of]
    return {
        "models": models.name,
        "report_kb": (models / "current/report.json").stat().st_size / 1000,
        "sections": {section: {what: median([one[what] for one in of]) for what in ("first_chart_ms", "interactive_ms")}
                     for section, of in looks.items()},
        "largest_shift": max(one["cls"] for one in every),
        "longest_task_ms": max(one["longest_ms"] for one in every),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path, metavar="DIR")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--synthetic", default="", metavar="ROWS,..")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("page: no chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="influence-page-") as folder:
        made = [make(int(rows), options.build, Path(folder)) for rows in options.synthetic.split(",") if rows]
        rows = [measure(models, chromium, options) for models in [*options.models, *made]]
    if options.json:
        print(json.dumps(rows))
        return
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(table(["models", "report kB", *(f"{section}: first / interactive ms" for section in SECTIONS),
                 "largest layout shift", "longest task ms"],
                [[row["models"], f"{row['report_kb']:.0f}",
                  *(f"{of['first_chart_ms']:.0f} / {of['interactive_ms']:.0f}" for of in row["sections"].values()),
                  f"{row['largest_shift']:.3f}", f"{row['longest_task_ms']:.0f}"] for row in rows]))


if __name__ == "__main__":
    sys.exit(main())
