#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What TLS, tokens, drift, the shadow and the request log add to a request, in microseconds of the daemon's CPU.

    tests/bench/features.py [--models DIR] [--only tls,token] [--rounds 15] [--requests 1000] [--json]

Each row is a daemon of its own with one feature more than the plain one, which has none of them. All run at once, idle
but for the one that is asked, and the rounds go over them in turn. One client asks over one connection, one request
after the other; CPU is that of the daemon's threads by the scheduler's own count, from when the connection stands. Noise only
adds, so the least of the rounds is given, and what it is more than that of the row beside; "plain, again" is the same
daemon a second time, and tells how far to trust the rest. The rows "closed" open a connection for each request.
The shadow's and the log's threads, for which nobody waits, are in their figures.
"""

import argparse
import hashlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from instructions import Client, message
from measure import ROOT, median, table
from serve import TRUSTING, Server, bundle, ours, profiles

ROUTE = "/score"
TOKEN = "ifl_" + "a" * 43
SHOWN = (("Authorization", f"Bearer {TOKEN}"),)
CLOSED = (("Connection", "close"),)
IDLE_S = 0.3  # until threads behind the loop have done their work
FEWER = 10    # requests of a round where each opens a connection: one of so many


def tokens(n, directory):
    """A file of n tokens, the last of which is shown: the option for it."""
    shown = ["ifl_" + f"{i:043d}" for i in range(n - 1)] + [TOKEN]
    path = directory / f"tokens-{n}"
    path.write_text("".join(f"t{i} predict {hashlib.sha256(token.encode()).hexdigest()}\n" for i, token in enumerate(shown)))
    return f"--access.tokens={path}"


def certificate(directory):
    """The options for a certificate as they are customary: an elliptic curve's."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=bench", "-keyout", directory / "key.pem", "-out", directory / "certificate.pem"],
        check=True, capture_output=True)
    return f"--access.tls_certificate={directory / 'certificate.pem'} --access.tls_key={directory / 'key.pem'}"


def cases(models, directory):
    """name: (options beyond the plain ones, scheme, headers, the row it is compared with)"""
    version = (Path(models) / "current").resolve().name
    tls = certificate(directory)
    return {
        "plain": ("", "http", (), None),
        "plain, again": ("", "http", (), "plain"),
        "drift": ("--drift.window_minutes=60", "http", (), "plain"),
        "shadow": (f"--models.shadow={version}", "http", (), "plain"),
        "log": ("--log.durability=batched", "http", (), "plain"),
        "token": (tokens(1, directory), "http", SHOWN, "plain"),
        "tokens-100": (tokens(100, directory), "http", SHOWN, "plain"),
        "tls": (tls, "https", (), "plain"),
        "closed": ("", "http", CLOSED, None),
        "closed-tls": (tls, "https", CLOSED, "closed"),
    }


def start(name, case, models, options, directory):
    more, scheme, headers, _ = case
    command = ours(models, "off", options, directory) + " --drift.window_minutes=0 " + more
    command = command.replace("/off.db", f"/{name.replace(', ', '-')}.db")
    return Server(name.replace(", ", "-"), command, ROUTE, directory, scheme, headers)


def cpu_us(pid):
    """Of all threads, by the nanosecond."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1000


class Asking(Client):
    def __init__(self, server):
        super().__init__(server.port)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server.scheme == "https":
            self.socket = TRUSTING.wrap_socket(self.socket)


def one_round(server, bodies, n):
    """CPU us a request."""
    messages = [message(body, dict(server.headers)) for body in bodies]
    is_closed = server.headers == CLOSED
    client = None if is_closed else Asking(server)
    n = n // FEWER if is_closed else n
    before = cpu_us(server.process.pid)
    for i in range(n):
        asking = Asking(server) if is_closed else client
        asking.ask(messages[i % len(messages)])
        if is_closed:
            asking.socket.close()
    time.sleep(IDLE_S)
    cost = (cpu_us(server.process.pid) - before) / n
    if client:
        client.socket.close()
    return cost


def measure(servers, options):
    """{name: [CPU us a request, by round]}"""
    rounds = {name: [] for name in servers}
    bodies = [json.dumps(profile).encode() for profile in profiles(64)]
    for _ in range(options.rounds):
        for name, server in servers.items():
            rounds[name].append(one_round(server, bodies, options.requests))
    return rounds


def figures(rounds, every):
    for name, values in rounds.items():
        beside = every[name][3]
        yield {"row": name, "beside": beside, "least_us": min(values), "median_us": median(values),
               "more_us": min(values) - min(rounds[beside]) if beside else None}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--models")
    parser.add_argument("--boosted", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), help="some rows, and those they are compared with")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    return options


def main():
    options = arguments()
    if not shutil.which("openssl"):
        raise SystemExit("openssl is not installed")
    servers = {}
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name:
        directory = Path(name)
        models, what = bundle(options, directory)
        every = cases(models, directory)
        for row in options.only or []:
            if row not in every:
                raise SystemExit(f"--only: no row {row}; there are {', '.join(every)}")
        wanted = {row for row in every if not options.only or row in options.only
                  or row in {every[only][3] for only in options.only}}
        try:
            for row in every:
                if row in wanted:
                    servers[row] = start(row, every[row], models, options, directory)
            results = list(figures(measure(servers, options), every))
        finally:
            for server in servers.values():
                server.stop()
    if options.json:
        print(json.dumps(results))
        return
    print(f"Models: {what}. POST {ROUTE}, {options.rounds} rounds of {options.requests:,} requests.\n")
    print(table(["row", "CPU us/request, least", "median", "beside", "us more"],
                [[row["row"], f"{row['least_us']:.1f}", f"{row['median_us']:.1f}", row["beside"] or "",
                  f"{row['more_us']:+.1f}" if row["beside"] else ""] for row in results]))


if __name__ == "__main__":
    sys.exit(main())
