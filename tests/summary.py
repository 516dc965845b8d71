#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up test results and ends with the line "N passed, N failed[, N skipped]".

    tests/summary.py LABEL=FILE...

FILE is meson's testlog.json (each program's own TAP lines are counted where it prints them) or a
JUnit file of pytest. A missing file or one without a single test counts as a failure: a run that did
not happen is not a success.
"""

import collections
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PLAN = re.compile(r"^1\.\.(\d+)$")
TAP = re.compile(r"^(not )?ok \d+\b")
SKIP = re.compile(r"^(not )?ok \d+ # SKIP")


def count_program(entry):
    """One program of meson's log. Its exit status has the last word over what it printed."""
    if entry["result"] == "SKIP":
        return collections.Counter(skipped=1)
    counts = collections.Counter()
    planned = 0
    for line in entry.get("stdout", "").splitlines():
        if plan := PLAN.match(line):
            planned += int(plan.group(1))
        elif SKIP.match(line):
            counts["skipped"] += 1
        elif TAP.match(line):
            counts["failed" if line.startswith("not ") else "passed"] += 1
    good = entry["result"] == "OK" and counts.total() >= planned
    if good and not counts:
        return collections.Counter(passed=1)
    if not good and not counts["failed"]:
        counts["failed"] = 1
    return counts


def count_meson(path):
    counts = collections.Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        counts += count_program(json.loads(line))
    return counts


def count_junit(path):
    counts = collections.Counter()
    for case in ElementTree.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            counts["failed"] += 1
        else:
            counts["skipped" if "skipped" in kinds else "passed"] += 1
    return counts


def count(path):
    try:
        counts = count_junit(path) if path.suffix == ".xml" else count_meson(path)
    except (OSError, ValueError, ElementTree.ParseError) as error:
        print(f"summary: {path}: {error}", file=sys.stderr)
        return collections.Counter(failed=1)
    return counts or collections.Counter(failed=1)


def describe(counts):
    text = f"{counts['passed']} passed, {counts['failed']} failed"
    return text + (f", {counts['skipped']} skipped" if counts["skipped"] else "")


def main(runs):
    total = collections.Counter()
    print()
    for run in runs:
        label, path = run.split("=", 1)
        counts = count(Path(path))
        total += counts
        print(f"{label + ':':32} {describe(counts)}")
    print(describe(total))
    return 0 if total["passed"] and not total["failed"] else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
