#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What others notice of a crowd of slow connections, and of somebody's large batches.

    tests/bench/crowd.py slow [--slow 1000] [--rounds 8] [--seconds 2]     throughput and p99 of /score beside them
    tests/bench/crowd.py batches [--rows 100000] [--seconds 20]            how long /-/healthy and /score take beside them

slow: another process holds the connections, each sending a byte of its headers every second, and opens anew what the daemon
closed by its deadline. wrk loads /score for some seconds with and without them, in turn; the ratio of neighbouring seconds
is the figure, and without anything at all ("again") it says what it is worth.

batches: one client asks both routes in turn, with a pause of 2 ms, on one connection; the daemon has one event loop, so
that nothing hides behind a second one. Beside it nobody, or a client that posts batch after batch, as JSON or as CSV.
"""

import argparse
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

from measure import ROOT, median, table
from serve import Server, as_csv, bundle, ours, profiles, write_script

DRIP = b"X-Slow: " + b"x" * 4000


# ---- slow connections ----

class Slow:
    """A connection that was begun and is not ended."""

    def __init__(self, port, number):
        self.socket = socket.socket()
        self.socket.bind((f"127.0.0.{2 + number % 8}", 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(b"POST /score HTTP/1.1\r\nHost: bench\r\n")
        self.socket.setblocking(False)
        self.sent = 0

    def drip(self):
        """False: the daemon closed it."""
        try:
            self.socket.send(DRIP[self.sent:self.sent + 1])
            self.sent += 1
        except OSError:
            return False
        return True


def hold(port, n):
    """Holds n slow connections until it is ended; a line on stdout when all stand."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = [Slow(port, i) for i in range(n)]
    print("standing", flush=True)
    gone = selectors.DefaultSelector()
    for i, one in enumerate(held):
        gone.register(one.socket, selectors.EVENT_READ, i)
    while True:
        for i, one in enumerate(held):
            if i % max(n // 50, 1) == 0:
                closed = {key.data for key, _ in gone.select(0.02)}
                for which in closed:
                    gone.unregister(held[which].socket)
                    held[which].socket.close()
                    held[which] = Slow(port, which)
                    gone.register(held[which].socket, selectors.EVENT_READ, which)
            one.drip()


class Crowd:
    def __init__(self, port, n):
        self.process = subprocess.Popen([sys.executable, __file__, "hold", str(port), str(n)], stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b"standing\n":
            raise SystemExit("the slow connections cannot be opened")

    def disperse(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


def slow(options, directory):
    models, what = bundle(options, directory)
    server = Server("crowd", ours(models, "batched", options, directory), "/score", directory)
    script = str(write_script("/score", directory))
    kinds = ("nobody", "again", "slow")
    rounds = {kind: [] for kind in kinds}
    try:
        server.load(script, options)
        for _ in range(options.rounds):
            for kind in kinds:
                crowd = Crowd(server.port, options.slow) if kind == "slow" else None
                try:
                    rounds[kind].append(server.load(script, options))
                finally:
                    if crowd:
                        crowd.disperse()
    finally:
        server.stop()
    result = {}
    for kind in kinds:
        of = rounds[kind]
        result[kind] = {"requests_s": median([one[1] for one in of]), "p99_ms": median([one[3] for one in of]), "cpu_us": median([one[0] for one in of])}
        for name, at in (("cpu", 0), ("requests", 1), ("p99", 3)):
            result[kind][f"{name}_ratio"] = median([one[at] / base[at] for one, base in zip(of, rounds["nobody"])])
    if options.json:
        print(json.dumps(result))
        return
    names = {"nobody": "nobody", "again": "nobody, again", "slow": f"{options.slow:,} slow connections"}
    print(f"Models: {what}. POST /score, {options.connections} connections, {options.rounds} rounds of {options.seconds} s in turn.\n")
    print(table(["beside", "requests/s", "ratio", "p99 ms", "ratio", "CPU us/request", "ratio"],
                [[names[kind], f"{row['requests_s']:,.0f}", f"{row['requests_ratio']:.2f}", f"{row['p99_ms']:.2f}",
                  f"{row['p99_ratio']:.2f}", f"{row['cpu_us']:.1f}", f"{row['cpu_ratio']:.2f}"] for kind, row in result.items()]))


# ---- batches ----

class Poster(threading.Thread):
    """Posts one batch after the other until it is told to stop."""

    def __init__(self, port, body, kind):
        super().__init__()
        self.port, self.body, self.kind = port, body, kind
        self.stops, self.n, self.problem = threading.Event(), 0, None

    def run(self):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        while not self.stops.is_set():
            connection.request("POST", "/score", self.body, {"Content-Type": self.kind})
            reply = connection.getresponse()
            while reply.read(1 << 20):
                pass
            if reply.status != 200:
                self.problem = reply.status
                return
            self.n += 1
        connection.close()


def waits(server, seconds):
    """{route: [ms]} of one who asks for so long."""
    questions = {"/-/healthy": b"GET /-/healthy HTTP/1.1\r\nHost: bench\r\n\r\n"}
    body = json.dumps(profiles(1)[0]).encode()
    questions["/score"] = b"POST /score HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body), body)
    took = {route: [] for route in questions}
    end = time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < end:
            for route, question in questions.items():
                begin = time.monotonic()
                client.sendall(question)
                if not client.recv(65536).startswith(b"HTTP/1.1 200"):
                    raise SystemExit(f"{route}: not answered")
                took[route].append(1000 * (time.monotonic() - begin))
                time.sleep(0.002)
    return took


def percentile(values, share):
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def batches(options, directory):
    models, what = bundle(options, directory)
    rows = profiles(options.rows)
    bodies = {"nobody": None, "json": json.dumps({"instances": rows}).encode(), "csv": as_csv(rows).encode()}
    command = ours(models, "off", options, directory) + (
        f" --server.threads=1 --server.max_body_bytes={max(len(bodies['json']) + 1000, 1 << 20)}"
        f" --predict.max_instances={options.rows}")
    server = Server("batches", command, "/score", directory)
    result = {}
    try:
        for kind, body in bodies.items():
            poster = Poster(server.port, body, "text/csv" if kind == "csv" else "application/json") if body else None
            if poster:
                poster.start()
                time.sleep(0.5)
            took = waits(server, options.seconds)
            if poster:
                poster.stops.set()
                poster.join()
                if poster.problem:
                    raise SystemExit(f"{kind}: a batch was answered by {poster.problem}")
            result[kind] = {route: {"p50_ms": median(of), "p99_ms": percentile(of, 0.99), "max_ms": max(of), "asked": len(of)}
                            for route, of in took.items()} | {"batches": poster.n if poster else 0, "bytes": len(body or b"")}
    finally:
        server.stop()
    if options.json:
        print(json.dumps(result))
        return
    print(f"Models: {what}. One event loop; batches of {options.rows:,} rows; {options.seconds} s each.\n")
    lines = []
    for kind, of in result.items():
        beside = "nobody" if kind == "nobody" else f"{of['batches']} batches, {kind.upper()}, {of['bytes'] / 1e6:.1f} MB each"
        lines += [[beside, route, of[route]["asked"], *(f"{of[route][name]:.2f}" for name in ("p50_ms", "p99_ms", "max_ms"))]
                  for route in ("/-/healthy", "/score")]
    print(table(["beside", "route", "asked", "p50 ms", "p99 ms", "max ms"], lines))


def main():
    if sys.argv[1:2] == ["hold"]:
        return hold(int(sys.argv[2]), int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["slow", "batches"])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--models")
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.boosted = False
    options.seconds = options.seconds or (2 if options.what == "slow" else 20)
    os.environ.pop("http_proxy", None)
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name:
        return (slow if options.what == "slow" else batches)(options, Path(name))


if __name__ == "__main__":
    sys.exit(main())
