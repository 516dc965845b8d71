#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a request costs: CPU of the daemon for each route and each durability of the request log.

    tests/bench/serve.py [--models DIR | --boosted] [--routes /score,handle:/similar] [--connections 64]
                         [--rounds 3] [--seconds 2] [--peer NAME='COMMAND with {port}']... [--json]

A route is a path, which is sent a profile by POST, or one behind a word: handle:/similar asks by GET
for a catalogued account, explain:/score for contributions too, batch:/score posts 1,000 profiles as JSON
instances, csv:/score as CSV rows. --boosted serves hand-made models in the size of a large trained one:
300 trees of depth 6 and 33,935 accounts.

All servers run at once, idle but for the one under load, and the rounds go over them in turn, so that
a drift of the machine hits all alike. CPU time divided by answers is the figure to trust on a shared
machine; requests a second say as much about wrk and the neighbours. A peer must answer POST on the
first route; it is measured on that one only. Every answer must be a 200, or the run fails.
"""

import argparse
import json
import os
import random
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from measure import ROOT, cpu_seconds, median, memory_mib, spread, table

TRUSTING = ssl._create_unverified_context()  # of a certificate that was made a moment ago
N_BODIES = 256
N_ROWS = 1000   # of a batch
N_BATCHES = 8
LUA = """
local asked = {%s}
local next = 0
local ready = {}
init = function()
    for i, one in ipairs(asked) do
        ready[i] = wrk.format(one[1], one[2], {["Host"] = "bench", ["Content-Type"] = one[3]}, one[4])
    end
end
request = function()
    next = next %% #ready + 1
    return ready[next]
end
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("RESULT %%d %%d %%d %%f %%f %%f\\n", summary.requests, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6,
        latency:percentile(50), latency:percentile(99)))
end
"""


def profiles(n, seed=0):
    """Invented accounts of all sizes; not always the same fields, as people ask."""
    draw = random.Random(seed)
    out = []
    for i in range(n):
        followers = int(10 ** draw.uniform(3, 8))
        likes = int(followers * 10 ** draw.gauss(-1.6, 0.4))
        profile = {
            "handle": f"invented_{i}", "followers": followers, "posts": draw.randint(10, 9000),
            "avg_likes": likes, "recent_avg_likes": int(likes * draw.uniform(0.5, 1.6)),
            "engagement_rate": round(likes / followers, 5), "country": draw.choice(["Brazil", "India", "Spain"]),
        }
        if draw.random() < 0.3:
            del profile[draw.choice(["posts", "recent_avg_likes", "country"])]
        out.append(profile)
    return out


def as_csv(rows):
    names = ["handle", "followers", "posts", "avg_likes", "recent_avg_likes", "engagement_rate", "country"]
    lines = [",".join(names)] + [",".join(str(row.get(name, "")) for name in names) for row in rows]
    return "\n".join(lines) + "\n"


def catalogued(server):
    """Handles that the server knows."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/influencers?limit=100", timeout=5) as reply:
        return [one["handle"] for one in json.load(reply)["influencers"]]


def questions(route, handles=()):
    """What is asked of a route: [(method, path, content type, body)], and how many rows each has."""
    word, _, path = route.rpartition(":")
    batches = [profiles(N_ROWS, seed) for seed in range(N_BATCHES)]
    if word == "":
        return [("POST", path, "application/json", json.dumps(one)) for one in profiles(N_BODIES)], 1
    if word == "explain":
        return [("POST", path + "?explain=true", "application/json", json.dumps(one)) for one in profiles(N_BODIES)], 1
    if word == "handle":
        return [("GET", f"{path}?handle={urllib.parse.quote(one)}", "text/plain", "") for one in handles], 1
    if word == "batch":
        return [("POST", path, "application/json", json.dumps({"instances": rows})) for rows in batches], N_ROWS
    if word == "csv":
        return [("POST", path, "text/csv", as_csv(rows)) for rows in batches], N_ROWS
    raise SystemExit(f"{route}: '{word}' is not known; handle, explain, batch and csv are")


def write_script(route, directory, handles=()):
    asked = ",".join("{%s}" % ",".join(f"[==[{word}]==]" for word in one) for one in questions(route, handles)[0])
    script = directory / (re.sub(r"\W", "-", route) + ".lua")
    script.write_text(LUA % asked)
    return script


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server under test, ready to answer POST on `route`."""

    def __init__(self, name, command, route, directory, scheme="http", headers=()):
        self.name, self.scheme, self.headers = name, scheme, headers
        self.port = free_port()
        words = shlex.split(command.format(port=self.port))
        self.log = directory / f"{name}.stderr"
        begin = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, cwd=directory, stdout=log, stderr=log,
                                            start_new_session=True)
        body = json.dumps(profiles(1)[0]).encode()
        while not self.answers(route, body):
            if self.process.poll() is not None or time.monotonic() - begin > 60:
                raise SystemExit(f"{name}: does not answer on {route}:\n{self.log.read_text()}")
        self.ready_ms = 1000 * (time.monotonic() - begin)
        self.idle_mib = memory_mib(self.process.pid)

    def answers(self, route, body):
        request = urllib.request.Request(f"{self.scheme}://127.0.0.1:{self.port}{route}", data=body,
                                         headers={"Content-Type": "application/json", **dict(self.headers)})
        try:
            with urllib.request.urlopen(request, timeout=5, context=TRUSTING if self.scheme == "https" else None) as reply:
                return reply.status == 200
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{self.name}: {route} answers {error.code}: {error.read(300)!r}") from None
        except OSError:
            time.sleep(0.0005)
            return False

    def load(self, script, options):
        """One round: (CPU microseconds a request, requests a second, p50 and p99 in ms)."""
        before = cpu_seconds(self.process.pid)
        done = subprocess.run(
            ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "--timeout", "30s", "-s", script,
             f"http://127.0.0.1:{self.port}"], capture_output=True, text=True, check=True)
        cpu = cpu_seconds(self.process.pid) - before
        result = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
        if not result:
            raise SystemExit(f"{self.name}: wrk says nothing: {done.stdout}{done.stderr}")
        requests, refused, broken, seconds, p50, p99 = map(float, result[1].split())
        if refused or broken or not requests:
            raise SystemExit(f"{self.name}: of {requests:.0f} requests {refused:.0f} were refused and {broken:.0f} broke")
        return 1e6 * cpu / requests, requests / seconds, p50 / 1000, p99 / 1000

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(60)


def bundle(options, directory):
    """The models to serve, or hand-made ones, which cost less than trained ones; says which."""
    if options.models:
        return Path(options.models).resolve(), "as given"
    if (ROOT / "models/current").exists() and not options.boosted:
        return ROOT / "models", "models/current"
    maker = options.build / "tests/support/make-bundle"
    made = directory / "models"
    made.mkdir()
    subprocess.run([maker, *["--boosted"][:options.boosted], made], check=True, stdout=subprocess.DEVNULL)
    return made, "hand-made, 300 trees of depth 6, 33,935 accounts" if options.boosted else "hand-made, small"


def ours(models, durability, options, directory):
    return (f"{shlex.quote(str(options.build / 'src/daemon/influenced'))} --server.listen=127.0.0.1:{{port}} "
            f"--models.path={shlex.quote(str(models))} --server.log_level=error --log.durability={durability} "
            f"--log.path={shlex.quote(str(directory / (durability + '.db')))}")


def measure(servers, scripts, options):
    """{(server, route): [a tuple a round]}, the rounds going over all of them in turn."""
    rounds = {}
    for _ in range(options.rounds):
        for server in servers:
            for route in options.routes if server.is_ours else options.routes[:1]:
                rounds.setdefault((server.name, route), []).append(server.load(scripts[route], options))
    return rounds


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--models")
    parser.add_argument("--boosted", action="store_true")
    parser.add_argument("--routes", default="/score,/tier,/cluster,/similar", type=lambda text: text.split(","))
    parser.add_argument("--durability", default="off,batched,acknowledged", type=lambda text: text.split(","))
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    return options


def report(servers, rounds, options, what):
    rows, figures = [], []
    base = None
    for (name, route), values in rounds.items():
        cpu, rate, p50, p99 = (median(column) for column in zip(*values))
        base = base or cpu
        n_rows = questions(route)[1]
        figures.append({"server": name, "route": route, "cpu_us": cpu, "requests_s": rate, "p50_ms": p50, "p99_ms": p99,
                        "rows": n_rows})
        rows.append([name, route, f"{cpu:.1f} ± {spread([value[0] for value in values]):.0f} %", f"{cpu / base:.2f}",
                     f"{1e6 * n_rows / cpu:,.0f}", f"{rate:,.0f}", f"{p50:.2f}", f"{p99:.2f}"])
    daemon = options.build / "src/daemon/influenced"
    processes = [{"server": server.name, "ready_ms": server.ready_ms, "idle_mib": server.idle_mib,
                  "loaded_mib": memory_mib(server.process.pid)} for server in servers]
    if options.json:
        print(json.dumps({"models": what, "binary_bytes": daemon.stat().st_size, "routes": figures, "servers": processes}))
        return
    print(f"Models: {what}. {options.connections} connections, {options.rounds} rounds of {options.seconds} s, medians.\n")
    print(table(["server", "route", "CPU us/request", "ratio", "rows/s a core", "requests/s", "p50 ms", "p99 ms"], rows))
    print()
    print(table(["server", "ready after ms", "idle MiB", "after load MiB"],
                [[row["server"], f"{row['ready_ms']:.0f}", f"{row['idle_mib']:.1f}", f"{row['loaded_mib']:.1f}"] for row in processes]))


def main():
    options = arguments()
    servers = []
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name:
        directory = Path(name)
        models, what = bundle(options, directory)
        try:
            for durability in options.durability:
                server = Server(f"log-{durability}", ours(models, durability, options, directory), options.routes[0].rpartition(":")[2], directory)
                server.is_ours = True
                servers.append(server)
            for peer in options.peer:
                peer_name, _, command = peer.partition("=")
                server = Server(peer_name, command, options.routes[0].rpartition(":")[2], directory)
                server.is_ours = False
                servers.append(server)
            handles = catalogued(servers[0])
            scripts = {route: str(write_script(route, directory, handles)) for route in options.routes}
            report(servers, measure(servers, scripts, options), options, what)
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    sys.exit(main())
