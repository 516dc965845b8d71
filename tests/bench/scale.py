#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The constants of docs/scale.md: what one account, post, log row and request costs as tables grow.

    tests/bench/scale.py [--part catalogue,places,posts,log,proxy,database] [--rows 10000,100000] [--uri postgresql://...] [--json]

catalogue  demo tables of so many rows: training, the bundle's size, what the daemon needs with it, /similar
places     /score of a model of the smallest table that was trained with edges
posts      twenty posts for each account of the largest table, joined
log        bytes of a row of the request log
proxy      CPU of HAProxy for a request, with config/proxy/haproxy.cfg
database   rows a second out of and into a PostgreSQL of its own, or the database that --uri names, where the tables
           influence_bench* are made and dropped

Training is with one trainer each and next to no search.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT, Finished, memory_mib, table
from serve import Server, free_port, write_script

sys.path.append(str(ROOT / "tests/support"))
from throwaway import running  # noqa: E402

QUICK = ["--score.models=ridge", "--tier.models=softmax", "--search.folds=2", "--search.repeats=1"]
POSTS_EACH = 20


class Bench:
    def __init__(self, options, directory):
        self.options, self.directory, self.figures = options, directory, []
        self.influence = options.build / "src/cli/influence"
        self.demo = {}

    def add(self, what, n, value, unit):
        self.figures.append({"what": what, "n": n, "value": value, "unit": unit})
        print(f"{what} ({n:,}): {value:.4g} {unit}", file=sys.stderr)

    def tables(self, rows):
        """A folder of demo tables of so many accounts."""
        if rows not in self.demo:
            self.demo[rows] = self.directory / f"demo-{rows}"
            Finished([self.influence, "synth", "--rows", rows, "--out", self.demo[rows]], stderr=subprocess.DEVNULL)
        return self.demo[rows]

    def train(self, rows, *more):
        models = self.directory / f"models-{rows}"
        done = Finished([self.influence, "train", self.tables(rows) / "profiles.csv", "--out", models, *QUICK, *more],
                        stderr=subprocess.DEVNULL)
        return models, done

    def daemon(self, models, durability="off"):
        return Server("influenced", f"{self.options.build / 'src/daemon/influenced'} --server.listen=127.0.0.1:{{port}} "
                      f"--models.path={models} --server.threads=1 --server.log_level=error --log.durability={durability} "
                      f"--log.path={self.directory / 'requests.db'}", "/score", self.directory)

    def load(self, server, route):
        return server.load(str(write_script(route, self.directory)), self.options)


def mapped_mib(pid, what):
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(rf"^{what}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024


def catalogue(bench):
    for rows in bench.options.rows:
        models, done = bench.train(rows)
        bench.add("train, CPU", rows, done.cpu_s, "s")
        bench.add("train, memory", rows, done.peak_mib, "MiB")
        blob = (models / "current/similar.blob").stat().st_size
        bench.add("catalogue and index on disk, an account", rows, blob / rows, "bytes")
        server = bench.daemon(models)
        try:
            bench.add("daemon ready after", rows, server.ready_ms, "ms")
            bench.load(server, "/similar")
            cpu, _, p50, _ = bench.load(server, "/similar")
            bench.add("/similar by profile, CPU", rows, cpu, "us")
            bench.add("/similar by profile, median", rows, p50, "ms")
            bench.add("/score, CPU", rows, bench.load(server, "/score")[0], "us")
            bench.add("daemon, memory of its own", rows, mapped_mib(server.process.pid, "Anonymous"), "MiB")
            bench.add("daemon, with what it touched of the bundle", rows, memory_mib(server.process.pid), "MiB")
        finally:
            server.stop()


def places(bench):
    """With edges, the place of a profile in the network is taken from those like it."""
    rows = bench.options.rows[0]
    few = bench.tables(rows) / "few.csv"
    with open(bench.tables(rows) / "edges.csv", encoding="utf-8") as edges:
        few.write_text("".join(line for line, _ in zip(edges, range(1000))), encoding="utf-8")
    server = bench.daemon(bench.train(rows, "--edges", few)[0])
    try:
        bench.load(server, "/score")
        bench.add("/score with places in a network, CPU", rows, bench.load(server, "/score")[0], "us")
    finally:
        server.stop()


def posts(bench):
    rows = bench.options.rows[-1]
    accounts = bench.tables(rows) / "profiles.csv"
    file = bench.directory / "posts.csv"
    draw = random.Random(0)
    with open(file, "w", encoding="utf-8") as out:
        out.write("post_id,username,taken_at,type,likes,comments,video_views,caption_len,n_hashtags,hashtags\n")
        for i in range(POSTS_EACH * rows):
            out.write(f"{1000000000 + i},synthetic_{1 + i % rows:06d},{1700000000 + 50 * i},image,{draw.randrange(100000)},"
                      f"{draw.randrange(900)},,{draw.randrange(400)},2,travel food\n")
    without = Finished([bench.influence, "import", accounts])
    joined = Finished([bench.influence, "import", accounts, "--posts", file])
    bench.add("import, CPU, MB a second", rows, accounts.stat().st_size / 1e6 / without.cpu_s, "MB/s")
    bench.add("import, memory, an account", rows, without.peak_mib * 2**20 / rows, "bytes")
    bench.add("posts joined, CPU", POSTS_EACH * rows, POSTS_EACH * rows / (joined.cpu_s - without.cpu_s), "posts/s")
    bench.add("posts, memory, an account", rows, (joined.peak_mib - without.peak_mib) * 2**20 / rows, "bytes")


def hand_made(bench):
    models = bench.directory / "hand"
    if not models.exists():
        models.mkdir()
        subprocess.run([bench.options.build / "tests/support/make-bundle", models], check=True, stdout=subprocess.DEVNULL)
    return models


def log(bench):
    server = bench.daemon(hand_made(bench), "batched")
    try:
        requests = bench.load(server, "/score")[1] * bench.options.seconds
    finally:
        server.stop()
    size = sum(path.stat().st_size for path in bench.directory.glob("requests.db*"))
    bench.add("log, a row of /score", int(requests), size / requests, "bytes")


def proxy(bench):
    server = bench.daemon(hand_made(bench))
    text = (ROOT / "config/proxy/haproxy.cfg").read_text(encoding="utf-8")
    text = text.replace("127.0.0.2:8080", f"127.0.0.1:{server.port}").replace("maxconn 4000", "maxconn 4000\n    nbthread 1")
    front = None
    try:
        port = free_port()
        path = bench.directory / "haproxy.cfg"
        path.write_text(text.replace("127.0.0.1:8443", f"127.0.0.1:{port}"), encoding="utf-8")
        front = Proxy(port, path, bench.directory)
        time.sleep(1.5)  # until it knows which replica is there
        bench.load(front, "/score")
        cpu, _, p50, _ = bench.load(front, "/score")
        bench.add("HAProxy, CPU", 1, cpu, "us")
        bench.add("through HAProxy, median", 1, p50, "ms")
        bench.add("without, median", 1, bench.load(server, "/score")[2], "ms")
    finally:
        if front:
            front.stop()
        server.stop()


class Proxy(Server):
    def __init__(self, port, path, directory):
        self.name, self.port = "haproxy", port
        program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
        if not program:
            raise SystemExit("proxy: no haproxy")
        with open(directory / "haproxy.log", "wb") as out:
            self.process = subprocess.Popen([program, "-db", "-f", path], stdout=out, stderr=out, start_new_session=True)


def seconds(command, **more):
    begin = time.monotonic()
    Finished(command, **more)
    return time.monotonic() - begin


def database(bench):
    if bench.options.uri:
        in_database(bench, bench.options.uri)
        return
    with running(bench.options.build, settings="-c fsync=on") as server:
        in_database(bench, server.uri)


def in_database(bench, uri):
    rows = bench.options.rows[-1]
    accounts = bench.tables(rows) / "profiles.csv"
    sql = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", uri, "-c"]
    query = "SELECT * FROM influence_bench"
    try:
        into = seconds([bench.influence, "import", accounts, "--csv", uri, "--table", "influence_bench", "--replace"])
        bench.add("import into a table, wall", rows, rows / into, "rows/s")
        with open(bench.directory / "copied.csv", "wb") as out:
            begin = time.monotonic()
            subprocess.run([*sql, f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)"], stdout=out, check=True)
        bench.add("COPY to a file, wall", rows, rows / (time.monotonic() - begin), "rows/s")
        bench.add("import of a table, wall", rows, rows / seconds([bench.influence, "import", uri, "--query", query]), "rows/s")
        bench.add("import of that file, wall", rows, rows / seconds([bench.influence, "import", bench.directory / "copied.csv"]), "rows/s")
        size = subprocess.check_output([*sql, "SELECT pg_total_relation_size('influence_bench')"])
        bench.add("an account in a table", rows, int(size) / rows, "bytes")
        ship(bench, uri, sql)
    finally:
        subprocess.run([*sql, "DROP TABLE IF EXISTS influence_bench, influence_bench_log"], check=False, stderr=subprocess.DEVNULL)


def ship(bench, uri, sql):
    server = bench.daemon(hand_made(bench), "batched")
    try:
        for _ in range(5):
            bench.load(server, "/score")
    finally:
        server.stop()
    taken = seconds([bench.influence, "log", "ship", "--db", bench.directory / "requests.db", "--to", uri,
                     "--table", "influence_bench_log"])
    n, size = map(int, subprocess.check_output(
        [*sql, "SELECT count(*), pg_total_relation_size('influence_bench_log') FROM influence_bench_log"], text=True).split("|"))
    bench.add("log shipped, wall", n, n / taken, "rows/s")
    bench.add("a row of the log in a table", n, size / n, "bytes")


PARTS = {"catalogue": catalogue, "places": places, "posts": posts, "log": log, "proxy": proxy, "database": database}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--part", default="catalogue,places,posts,log,proxy,database", type=lambda text: text.split(","))
    parser.add_argument("--rows", default="10000,100000", type=lambda text: sorted(int(n) for n in text.split(",")))
    parser.add_argument("--uri", help="of a database for the part database, instead of a PostgreSQL of its own")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    unknown = set(options.part) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="influence-scale-") as name:
        bench = Bench(options, Path(name))
        for part in options.part:
            PARTS[part](bench)
    if options.json:
        print(json.dumps(bench.figures))
    else:
        print(table(["what", "of", "figure", "unit"],
                    [[f["what"], f"{f['n']:,}", f"{f['value']:,.4g}", f["unit"]] for f in bench.figures]))


if __name__ == "__main__":
    sys.exit(main())
