#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows in and out of PostgreSQL, and scoring where they are, in a server of its own that is gone afterwards.

    ./dev bench sql [--part rows,score,first,spread] [--rows 100000] [--rounds 3] [--models DIR | --small] [--json]

rows    a table of demo accounts out and in, beside psql's COPY to and from a file
score   each function on each row, beside the same rows through libinfluence alone; of those that give sets a tenth of them
first   what the first call of a connection costs beside later ones: module, and the bundle read once for its checksum
spread  one count of the rows with a score above the middle: by one process, with one and two parallel workers, and
        over two postgres_fdw shards with async append; no index, no parallel workers in shards

Ways are taken in turn, round after round, so that a drift of the machine hits all alike; figures are medians. Of
`rows` and `score` CPU is what to compare. `spread` has two speed-ups: by the clock, which is worth what the machine's free
cores are, and by the busiest process's CPU, which is what the clock would say were each process alone on a core.
Models are hand-made: 300 trees of depth 6 for score and tier each; --small: a linear one, where what is around it
weighs most.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT, TICK, Finished, cpu_seconds, median, table

sys.path.append(str(ROOT / "tests/support"))
from throwaway import running  # noqa: E402

SETTINGS = "-c max_wal_size=4GB -c shared_buffers=256MB -c jit=off"
FIELDS = "followers, following, posts, avg_likes"
NAMED = ", ".join(f"{name} => {name}" for name in ("handle", *FIELDS.split(", "), "category"))
ROWS = """
CREATE TABLE bench AS SELECT i AS id, 'acct_' || i AS handle, exp(random() * 6 + 6)::bigint AS followers,
  (random() * 1000)::int AS following, (random() * 3000)::int AS posts, exp(random() * 5 + 2)::float8 AS avg_likes,
  (array['fashion', 'food', 'travel'])[1 + i % 3] AS category FROM generate_series(1, {rows}) i;
VACUUM ANALYZE bench;
"""


def cpu_ms(pid):
    """Finer than clock ticks."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


class Session:
    """A psql that stays, so that it is known which process of the server works for it."""

    def __init__(self, server):
        self.server = server
        self.process = subprocess.Popen([server.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", server.uri], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.pid = int(self.ask("SELECT pg_backend_pid()"))

    def ask(self, sql):
        """What it prints; a line of its own tells the end."""
        self.process.stdin.write(f"{sql};\n\\echo END\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != "END\n":
            if not line:
                raise SystemExit(f"psql ended: {sql}")
            lines.append(line.rstrip("\n"))
        return "\n".join(lines)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Bench:
    def __init__(self, options, directory, server):
        self.options, self.directory, self.server = options, directory, server
        self.influence = options.build / "src/cli/influence"
        self.figures = {}

    def rounds(self, ways):
        """{name: [what the way gave, a round]}."""
        given = {name: [] for name in ways}
        for _ in range(self.options.rounds):
            for name, way in ways.items():
                given[name].append(way())
        return given

    def support(self, *words):
        return [self.options.build / "tests/support/database-rows", self.server.uri, *words]


# ---- rows in and out ----

def rows(bench):
    n, server = bench.options.rows, bench.server
    subprocess.run([bench.influence, "synth", "--rows", str(n), "--out", bench.directory / "demo"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    accounts, cleaned = bench.directory / "demo/profiles.csv", bench.directory / "cleaned.csv"
    into = ["--csv", server.uri, "--table", "accounts"]
    Finished([bench.influence, "import", accounts, *into], stderr=subprocess.DEVNULL)
    query = "SELECT * FROM accounts"
    Finished([bench.influence, "import", accounts, "--csv", cleaned], stderr=subprocess.DEVNULL)
    psql = [server.psql, "-Xq", "-v", "ON_ERROR_STOP=1", server.uri, "-c"]
    copied = bench.directory / "copied.csv"

    def emptied(command):
        def way():
            server.sql("TRUNCATE accounts; CHECKPOINT")
            return Finished(command, stderr=subprocess.DEVNULL)
        return way

    def run(*command):
        return lambda: Finished(command, stderr=subprocess.DEVNULL)

    outward = {
        "COPY to a file (psql)": run(*psql, f"\\copy ({query}) TO '{copied}' (FORMAT csv, HEADER)"),
        "the same by ours, COPY": run(*bench.support(query, "copy")),
        "the same by ours, row by row": run(*bench.support(query)),
        "import of that file": run(bench.influence, "import", copied),
        "import of the query": run(bench.influence, "import", server.uri, "--query", query),
    }
    inward = {
        "COPY from a file (psql)": emptied([*psql, f"\\copy accounts FROM '{cleaned}' (FORMAT csv, HEADER)"]),
        "import of a file into a file": run(bench.influence, "import", accounts, "--csv", bench.directory / "again.csv"),
        "import of a file into the table": emptied([bench.influence, "import", accounts, *into, "--append"]),
    }
    report = []
    for direction, ways in (("out", outward), ("in", inward)):
        first = None
        for name, ended in bench.rounds(ways).items():
            wall, cpu = median([one.wall_s for one in ended]), median([one.cpu_s for one in ended])
            first = first or wall
            bench.figures[f"{direction}: {name}"] = {"rows_s": n / wall, "cpu_us": 1e6 * cpu / n, "of_copy": first / wall}
            report.append([direction, name, f"{n / wall:,.0f}", f"{first / wall:.2f}", f"{1e6 * cpu / n:.2f}"])
    server.sql("DROP TABLE accounts")
    print(f"\n{n:,} accounts of 22 columns, {cleaned.stat().st_size / n:.0f} bytes each as CSV; fsync on\n")
    print(table(["", "way", "rows/s by the clock", "of COPY's", "client's CPU us a row"], report))


# ---- scoring ----

def expressions():
    return {
        "reading the rows": "sum(followers + following + posts + avg_likes)",
        "influence_score(row)": "sum(influence_score(b))",
        "influence_score(named)": f"sum(influence_score({NAMED}))",
        "influence_tier(row)": "count(influence_tier(b))",
        "influence_cluster(row)": "sum(influence_cluster(b))",
        "influence_predict(row)": "sum((influence_predict(b)).score)",
        "influence_explain(row)": "sum(e.contribution)",
        "influence_similar(row)": "count(s.handle)",
    }


# What is a set is joined to the rows, and slow enough for fewer of them.
FROM = {"influence_explain(row)": "few b, influence_explain(b) e", "influence_similar(row)": "few b, influence_similar(b) s"}


def library(bench):
    """CPU us a row of the engine alone: {"score": ..., "predict": ..., and so on}."""
    copied = bench.directory / "bench.csv"
    if not copied.exists():
        text = bench.server.sql(f"COPY (SELECT handle, {FIELDS}, category FROM bench ORDER BY id) TO STDOUT (FORMAT csv)")
        copied.write_text(text + "\n", encoding="utf-8")
    with open(copied, "rb") as given:
        text = subprocess.run([bench.options.build / "tests/bench/bench-library", bench.server.models], stdin=given,
                              stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name: float(ns) / 1000 for name, ns in re.findall(r"(\w+) ([\d.]+)", text)}


def score(bench):
    n, session = bench.options.rows, Session(bench.server)
    session.ask("SET max_parallel_workers_per_gather = 0; SELECT influence_score(b) FROM bench b LIMIT 1")
    session.ask("CREATE TEMP TABLE few AS SELECT * FROM bench WHERE id % 10 = 0; ANALYZE few")
    n_few = int(session.ask("SELECT count(*) FROM few"))

    def in_sql(name, expression):
        rows_of = FROM.get(name, "bench b")

        def way():
            before = cpu_ms(session.pid)
            session.ask(f"SELECT {expression} FROM {rows_of}")
            return 1000 * (cpu_ms(session.pid) - before) / (n_few if rows_of.startswith("few") else n)
        return way

    ways = {name: in_sql(name, expression) for name, expression in expressions().items()}
    ways["library"] = lambda: library(bench)
    given = bench.rounds(ways)
    session.close()
    alone = {name: median([one[name] for one in given["library"]]) for name in given["library"][0]}
    read = median(given["reading the rows"])
    report = []
    for name in expressions():
        us = median(given[name])
        bench.figures[name] = {"cpu_us": us}
        shown = ["", "", ""]
        if asked := re.match(r"influence_(\w+)", name):
            engine = alone[asked[1]]
            bench.figures[name] |= {"engine_us": engine, "ratio": us / engine, "ratio_without_reading": (us - read) / engine}
            shown = [f"{engine:.2f}", f"{us / engine:.2f}", f"{(us - read) / engine:.2f}"]
        report.append([name, f"{us:.2f}", *shown])
    print(f"\n{n:,} rows in one process; models: {bench.server.models_are}\n")
    print(table(["", "CPU us a row", "the library alone", "ratio", "without reading"], report))


# ---- the first call of a connection ----

N_CONNECTIONS = 20


def first(bench):
    """A backend each, one after the other: the bundle is in the page cache, as another backend has it mapped."""
    question = "SELECT influence_score(followers => 1200000, posts => 850, avg_likes => 41000)"
    steps = {"the module": "LOAD 'influence'", "the first call": question, "the second": question, "the third": question}
    given = {name: [] for name in steps}
    for _ in range(N_CONNECTIONS):
        session = Session(bench.server)
        for name, step in steps.items():
            cpu, begin = cpu_ms(session.pid), time.monotonic()
            session.ask(step)
            wall = 1000 * (time.monotonic() - begin)
            given[name].append((wall, cpu_ms(session.pid) - cpu))
        session.close()
    report = []
    for name, ended in given.items():
        wall, cpu = (median(column) for column in zip(*ended))
        bench.figures[f"first: {name}"] = {"wall_ms": wall, "cpu_ms": cpu}
        report.append([name, f"{wall:.1f}", f"{cpu:.1f}"])
    size = sum(file.stat().st_size for file in (bench.server.models / "current").glob("*.blob"))
    print(f"\n{N_CONNECTIONS} connections, one after the other; models: {bench.server.models_are}, {size / 1e6:.1f} MB\n")
    print(table(["", "clock ms", "CPU ms of the backend"], report))


# ---- parallel workers and shards ----

def make_shards(server, models):
    server.sql("CREATE EXTENSION postgres_fdw")
    for shard in (0, 1):
        name = f"shard{shard}"
        server.sql(f"CREATE DATABASE {name}", "postgres")
        server.sql(f"ALTER DATABASE {name} SET influence.models = '{models}'; ALTER DATABASE {name} SET max_parallel_workers_per_gather = 0", "postgres")
        server.sql("CREATE EXTENSION influence; CREATE TABLE bench (id int, handle text, followers bigint, following int, "
                   "posts int, avg_likes float8, category text)", name)
        server.sql(f"CREATE SERVER {name} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{server.port}', "
                   f"dbname '{name}', extensions 'influence', async_capable 'true');"
                   f"CREATE USER MAPPING FOR tester SERVER {name} OPTIONS (user 'tester', password_required 'false')")
    server.sql("CREATE TABLE sharded (LIKE bench) PARTITION BY HASH (id)")
    for shard in (0, 1):
        server.sql(f"CREATE FOREIGN TABLE sharded{shard} PARTITION OF sharded FOR VALUES WITH (MODULUS 2, REMAINDER {shard}) "
                   f"SERVER shard{shard} OPTIONS (table_name 'bench')")
    server.sql("INSERT INTO sharded SELECT * FROM bench", timeout=600)
    for shard in (0, 1):
        server.sql("VACUUM ANALYZE bench", f"shard{shard}")


def cpu_of(server, session):
    """CPU seconds of the session, of each other process that is there, and of those that have ended."""
    postmaster = int((server.folder / "data/postmaster.pid").read_text().splitlines()[0])
    fields = Path(f"/proc/{postmaster}/stat").read_text().rsplit(")", 1)[1].split()
    others = [int(pid) for pid in session.ask("SELECT pid FROM pg_stat_activity WHERE datname LIKE 'shard%'").split()]
    return {"itself": cpu_seconds(session.pid), "ended": (int(fields[13]) + int(fields[14])) / TICK,
            **{pid: cpu_seconds(pid) for pid in others}}


def spread(bench):
    server = bench.server
    make_shards(server, server.models)
    session = Session(server)
    middle = server.sql("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY influence_score(b)) FROM (SELECT * FROM bench LIMIT 5000) b")
    version = server.sql("SELECT influence_model()")
    session.ask("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0")
    where = f"influence_score_at('{version}', {NAMED}) > {middle}"
    counts = set()

    def way(source, workers):
        def one():
            query = f"SELECT count(*) FROM {source} WHERE {where}"
            session.ask(f"SET max_parallel_workers_per_gather = {workers}")
            plan = session.ask(f"EXPLAIN {query}")
            wanted = {"sharded": "Async Foreign Scan", "bench": "Workers Planned" if workers else "Seq Scan"}[source]
            assert wanted in plan, plan
            before, begin = cpu_of(server, session), time.monotonic()
            counts.add(session.ask(query))
            wall, after = time.monotonic() - begin, cpu_of(server, session)
            time.sleep(0.1)  # the postmaster waits for ended workers in its own time
            after["ended"] = cpu_of(server, session)["ended"]
            used = {name: after[name] - before.get(name, 0) for name in after}
            ended = used.pop("ended")
            return wall, max([ended / max(workers, 1), *used.values()]), ended + sum(used.values())
        return one

    way("sharded", 0)()  # connects
    ways = {"one process": way("bench", 0), "1 worker beside": way("bench", 1), "2 workers beside": way("bench", 2),
            "two shards": way("sharded", 0)}
    given = bench.rounds(ways)
    session.close()
    assert len(counts) == 1, counts
    base, report = None, []
    for name, ended in given.items():
        wall, busiest, cpu = (median(column) for column in zip(*ended))
        busiest = max(busiest, 1 / TICK)  # the kernel counts nothing shorter
        base = base or (wall, busiest)
        bench.figures[name] = {"wall_s": wall, "busiest_cpu_s": busiest, "cpu_s": cpu, "speed_up": base[0] / wall,
                               "speed_up_by_cpu": base[1] / busiest}
        report.append([name, f"{wall:.2f}", f"{cpu:.2f}", f"{busiest:.2f}", f"{base[0] / wall:.2f}", f"{base[1] / busiest:.2f}"])
    print(f"\n{bench.options.rows:,} rows, a count of those with a score above the middle\n")
    print(table(["", "clock s", "CPU s of all", "of the busiest", "speed-up by the clock", "by the busiest's CPU"], report))


PARTS = {"rows": rows, "score": score, "first": first, "spread": spread}


def prepare(bench):
    """The extension, the models where the server's user can read them, and the table that is scored."""
    server, options = bench.server, bench.options
    if not server.has_extension:
        raise SystemExit("the extension was not built: apt-get install postgresql-server-dev-15")
    server.models = server.folder / "models"
    if options.models:
        shutil.copytree(options.models, server.models, symlinks=True)
        server.models_are = "as given"
    else:
        server.models.mkdir()
        subprocess.run([options.build / "tests/support/make-bundle", *["--boosted"][:not options.small], server.models],
                       check=True, stdout=subprocess.DEVNULL)
        server.models_are = "hand-made, linear" if options.small else "hand-made, 300 trees of depth 6 each"
    subprocess.run(["chmod", "-R", "a+rX", server.models], check=True)
    server.sql(f"ALTER DATABASE creators SET influence.models = '{server.models}'", "postgres")
    server.sql("CREATE EXTENSION influence")
    server.sql(ROWS.format(rows=options.rows), timeout=600)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--part", default="rows,score,first,spread", type=lambda text: text.split(","))
    parser.add_argument("--rows", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    unknown = set(options.part) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    out = sys.stdout
    if options.json:
        sys.stdout = sys.stderr
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name, running(options.build, settings=SETTINGS) as server:
        bench = Bench(options, Path(name), server)
        if set(options.part) - {"rows"}:
            prepare(bench)
        for part in options.part:
            PARTS[part](bench)
    print(f"\nload average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {options.rounds} rounds")
    if options.json:
        print(json.dumps(bench.figures), file=out)


if __name__ == "__main__":
    sys.exit(main())
