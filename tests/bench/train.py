#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `influence train` costs on the shared data, with its defaults: time, memory, and of which parts.

    tests/bench/train.py [--data ../shared/data] [--only kim,2022] [--json] [-- --folds 2]

Each set is trained once, one after the other, into a temporary folder. Parts are those of the
training's own table of stages; the peak of a part is the process's up to its end. Clock and CPU are
apart where others use the machine: believe the CPU.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from measure import ROOT, Finished, table

SNAPSHOTS = [f"smi2022_{name}.csv@2022-{month}" for name, month in
             (("1mar", "03"), ("2jun", "06"), ("3aug_top1000", "08"), ("4sep", "09"), ("5nov", "11"))]
KIM_POSTS = ["kim_influencers.txt", "--posts", "derived_kim_posts.csv"]
SETS = {
    "top": ["top_insta_influencers_data.csv"],
    "2022": SNAPSHOTS,
    "fake": ["fake_accounts_train.csv"],
    "2017": ["derived_ig2017_profiles.csv", "--posts", "derived_ig2017_posts.csv"],
    "2019": ["derived_ig2019_profiles.csv", "--posts", "derived_ig2019_posts.csv"],
    "growth": ["derived_ig2017_profiles.csv@2017-06", "derived_ig2019_profiles.csv@2019-06"],
    "kim": ["kim_influencers.txt"],
    "kim-posts": KIM_POSTS,
    "kim-edges": [*KIM_POSTS, "--edges", "derived_kim_edges.csv", "--edges", "derived_kim_brand_edges.csv"],
}
# What a search consists of; the other stages are the "rest".
PARTS = [
    ("search", ("score models", "tier models", "size models", "growth models", "growth, an earlier period")),
    ("refit", ("refit on all rows",)),
    ("network", ("network",)),
    ("why", ("importance, dependence",)),
    ("archetypes", ("archetypes",)),
]


def train(influence, data, words):
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name:
        told = Path(name) / "told.json"
        with open(told, "wb") as out:
            done = Finished([influence, "train", *words, "--out", f"{name}/models", "--json"], cwd=data, stdout=out)
        answer = json.loads(told.read_text(encoding="utf-8"))
    return {"rows": answer["rows"], "wall_s": done.wall_s, "cpu_s": done.cpu_s, "peak_mib": done.peak_mib,
            "stages": answer["stages"]}


def cpu_of(row, names):
    return sum(stage["cpu_seconds"] for stage in row["stages"] if stage["name"] in names)


def summary(rows):
    known = [name for _, names in PARTS for name in names]
    lines = []
    for row in rows:
        parts = [f"{cpu_of(row, names):.1f}" for _, names in PARTS]
        rest = sum(stage["cpu_seconds"] for stage in row["stages"] if stage["name"] not in known)
        lines.append([row["set"], f"{row['rows']:,}", f"{row['wall_s']:.1f}", f"{row['cpu_s']:.1f}", f"{row['peak_mib']:.0f}",
                      *parts, f"{rest:.1f}"])
    return table(["set", "rows", "clock s", "CPU s", "peak MiB", *(f"{name}: CPU s" for name, _ in PARTS), "rest"], lines)


def stages(row):
    return table([f"{row['set']}: stage", "clock s", "CPU s", "peak MB"],
                 [[stage["name"], f"{stage['seconds']:.2f}", f"{stage['cpu_seconds']:.2f}", f"{stage['peak_mb']:.0f}"]
                  for stage in row["stages"]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared/data")))
    parser.add_argument("--only", help="sets, separated by commas: " + ", ".join(SETS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("more", nargs="*", help="words for train in place of its defaults, behind --")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else list(SETS)
    unknown = [name for name in wanted if name not in SETS]
    if unknown:
        parser.error(f"no set '{unknown[0]}'")
    if not options.data.is_dir():
        sys.exit(f"skipped: no real data in {options.data}")
    influence = options.build.resolve() / "src/cli/influence"
    rows = []
    for name in wanted:
        rows.append({"set": name, "files": SETS[name], **train(influence, options.data, [*SETS[name], *options.more])})
    if options.json:
        print(json.dumps(rows))
        return
    print(summary(rows))
    for row in rows:
        print("\n" + stages(row))


if __name__ == "__main__":
    main()
