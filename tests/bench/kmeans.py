#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an iteration of k-means costs, ours beside scikit-learn's, on the same rows.

    tests/bench/kmeans.py [--sizes 100000x16x8,1000000x16x8] [--json]

Milliseconds of CPU on one thread, Lloyd's algorithm, float32 rows without clusters (so that neither
converges early): the difference of 25 and of 5 iterations, the least of five rounds. scikit-learn is
the package python3-sklearn, with the BLAS that is installed; its products are what it spends most on,
so say which. Without it ours stands alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from array import array
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

from measure import ROOT, table  # noqa: E402

ROUNDS, SHORT, LONG = 5, 5, 25


def make_rows(path, n):
    import random
    rng = random.Random(0)
    with path.open("wb") as file:
        for begin in range(0, n, 1 << 16):
            array("f", (rng.gauss(0, 1) for _ in range(min(1 << 16, n - begin)))).tofile(file)


def ours(build, path, n, p, k):
    done = subprocess.run([build / "tests/bench/bench-learn", path, str(n), str(p), str(k)], check=True,
                          capture_output=True, text=True)
    return min(float(line) for line in done.stdout.split())


def theirs(path, n, p, k):
    """None: scikit-learn is not there."""
    try:
        import numpy
        from sklearn.cluster import KMeans
    except ImportError:
        return None
    warnings.filterwarnings("ignore")
    rows = numpy.fromfile(path, dtype=numpy.float32).reshape(n, p)
    starts = rows[numpy.random.default_rng(0).choice(n, k, replace=False)]

    def fit(iterations):
        model = KMeans(n_clusters=k, init=starts, n_init=1, max_iter=iterations, tol=0, algorithm="lloyd")
        begin = time.process_time()
        model.fit(rows)
        return time.process_time() - begin, model.n_iter_

    rounds = []
    for _ in range(ROUNDS):
        (few, n_few), (many, n_many) = fit(SHORT), fit(LONG)
        rounds.append(1e3 * (many - few) / (n_many - n_few))
    return min(rounds)


def blas():
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown"
    found = [f"{lib['internal_api']} {lib['version']}" for lib in threadpool_info() if lib["user_api"] == "blas"]
    return found[0] if found else "reference"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--sizes", default="100000x16x8,1000000x16x2,1000000x16x8")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = []
    for size in options.sizes.split(","):
        n, p, k = map(int, size.split("x"))
        with tempfile.TemporaryDirectory(prefix="influence-kmeans-") as folder:
            path = Path(folder) / "rows.f32"
            make_rows(path, n * p)
            figures.append({"n": n, "p": p, "k": k, "ours_ms": ours(options.build.resolve(), path, n, p, k),
                            "sklearn_ms": theirs(path, n, p, k)})
    if options.json:
        print(json.dumps({"figures": figures, "blas": blas()}))
        return
    print(table(["rows", "columns", "clusters", "ours, ms an iteration", f"scikit-learn (BLAS: {blas()})", "ratio"],
                [[f"{row['n']:,}", row["p"], row["k"], f"{row['ours_ms']:.2f}",
                  f"{row['sklearn_ms']:.2f}" if row["sklearn_ms"] else "not installed",
                  f"{row['ours_ms'] / row['sklearn_ms']:.2f}" if row["sklearn_ms"] else ""] for row in figures]))


if __name__ == "__main__":
    sys.exit(main())
