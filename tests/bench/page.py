#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon the page shows something: milliseconds until the first chart (or table, where one stands before it), and until it answers to a click.

    tests/bench/page.py [--runs 5] DIR...

Each DIR is a models directory. A new Chromium each time, with nothing cached, starting with its own process; medians.
Needs the page in the build (./dev page) and the packages of tests/e2e/page (./dev test installs them).
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from measure import ROOT, median, table
from serve import Server

SECTIONS = ["overview", "explore", "models", "network"]


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
            cells = []
            for section in SECTIONS:
                looks = [look(chromium, f"http://127.0.0.1:{server.port}/", section) for _ in range(runs)]
                cells.append(" / ".join(str(round(median(one[what] for one in looks)))
                                        for what in ("first_chart_ms", "interactive_ms")))
        finally:
            server.stop()
    report = models / "current/report.json"
    return [models.name, f"{report.stat().st_size / 1000:.0f}", *cells]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("page: no chromium: apt-get install chromium")
    rows = [measure(models, chromium, given.runs) for models in given.models]
    print(table(["models", "report kB", *(f"{section}: first / interactive ms" for section in SECTIONS)], rows))


if __name__ == "__main__":
    main()
