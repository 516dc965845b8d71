#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a training costs by the number of its workers: clock and CPU of each process, for linear models, k-means and boosting.

    ./dev bench workers [--rows 100000] [--workers 1,2,4] [--rounds 3] [--only linear,boosting] [--json]

Demo accounts in as many parts as there are workers, each worker a process of its own that reads its part, joined by
the tracker's variables as workers of many hosts are. Next to no search, and the first worker gathers a tenth of the rows, so that
what is measured is what is done by all. `fit` is the refit on all rows, `k-means` the archetypes, from the stages that
the first worker prints.

The clock's speed-up is worth what the machine's free cores are; that of the busiest process's CPU is what the clock
would say were each process alone on a host.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT, median, table
from serve import free_port

QUICK = ["--search.repeats=1", "--search.folds=2", "--search.max_rows=2000", "--search.fits=1",
         "--network.max_accounts=1000"]
MODELS = {
    "linear": ["--score.models=ridge", "--tier.models=prior"],
    "boosting": ["--score.models=boosting", "--tier.models=boosting"],
}
STAGES = {"fit": "refit on all rows", "k-means": "archetypes"}


def demo_parts(options, directory):
    """{n: the name of n parts}, with {worker} in it."""
    subprocess.run([options.build / "src/cli/influence", "synth", "--rows", str(options.rows), "--seed", "5", "--out", directory / "demo"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    header, *lines = (directory / "demo/profiles.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    names = {}
    for n in options.workers:
        for part in range(n):
            (directory / f"of-{n}-{part}.csv").write_text(header + "".join(lines[part::n]), encoding="utf-8")
        names[n] = str(directory / f"of-{n}-{{worker}}.csv")
    return names


def train(options, directory, name, n, words):
    """{"wall", "cpu", "busiest", "peak", "fit", "k-means", ...} of one training."""
    command = [options.build / "src/cli/influence", "train", name.format(worker=0) if n == 1 else name]
    leader = [*command, "--out", directory / "models", f"--workers.max_rows={max(options.rows // 10, 2000)}", *QUICK, *words]
    environment = dict(os.environ)
    if n > 1:
        address = f"127.0.0.1:{free_port()}"
        leader += ["--workers", str(n), "--listen", address]
        environment |= {"DMLC_TRACKER_URI": "127.0.0.1", "DMLC_TRACKER_PORT": address.split(":")[1]}
    begin = time.monotonic()
    with open(directory / "leader.out", "w+", encoding="utf-8") as out:
        processes = [subprocess.Popen(leader, stdout=out, stderr=subprocess.DEVNULL)]
        processes += [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       env={**environment, "DMLC_TASK_ID": str(rank)}) for rank in range(1, n)]
        usages = []
        for process in processes:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise SystemExit(f"{' '.join(map(str, leader))}: exit {process.returncode}")
            usages.append(usage)
        wall = time.monotonic() - begin
        out.seek(0)
        printed = out.read()
    cpu = [usage.ru_utime + usage.ru_stime for usage in usages]
    figures = {"wall": wall, "cpu": sum(cpu), "busiest": max(cpu), "peak": max(usage.ru_maxrss for usage in usages) / 1024}
    for stage, words_of_it in STAGES.items():
        found = re.search(rf"^ +{re.escape(words_of_it)} +([\d.]+) +([\d.]+)", printed, re.MULTILINE)
        figures[stage], figures[f"{stage} cpu"] = float(found[1]), float(found[2])
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rows", type=int, default=100000)
    parser.add_argument("--workers", default="1,2,4", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(MODELS), type=lambda text: text.split(","))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    if unknown := set(options.only) - set(MODELS):
        parser.error(f"no such models: {', '.join(sorted(unknown))}")
    given = {(kind, n): [] for kind in options.only for n in options.workers}
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as folder:
        directory = Path(folder)
        names = demo_parts(options, directory)
        for _ in range(options.rounds):
            for kind, n in given:
                given[kind, n].append(train(options, directory, names[n], n, MODELS[kind]))
    figures = {key: {name: median([one[name] for one in rounds]) for name in rounds[0]} for key, rounds in given.items()}
    if options.json:
        print(json.dumps([{"models": kind, "workers": n, **one} for (kind, n), one in figures.items()]))
        return
    report = []
    for (kind, n), one in figures.items():
        base = figures[kind, options.workers[0]]
        report.append([kind, n, f"{one['wall']:.1f}", f"{one['cpu']:.1f}", f"{one['busiest']:.1f}", f"{one['fit']:.2f}", f"{one['fit cpu']:.2f}",
                       f"{one['k-means']:.2f}", f"{one['k-means cpu']:.2f}", f"{base['wall'] / one['wall']:.2f}",
                       f"{base['busiest'] / one['busiest']:.2f}", f"{one['peak']:.0f}"])
    print(f"{options.rows:,} demo accounts, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {options.rounds} rounds, medians\n")
    print(table(["models", "workers", "clock s", "CPU s of all", "of the busiest", "fit: clock s", "CPU s", "k-means: clock s", "CPU s",
                 "speed-up by the clock", "by the busiest's CPU", "peak MiB of one"], report))


if __name__ == "__main__":
    sys.exit(main())
