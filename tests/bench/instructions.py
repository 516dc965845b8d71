#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a feature adds to a request, in instructions: figures that do not depend on who else uses the machine.

    tests/bench/instructions.py [--models DIR] [--requests 1000] [--only token,gzip-out] [--json]

Each row is a daemon of its own under valgrind --tool=callgrind, asked over one connection, one request after the
other, everything else switched off. It runs twice, with some requests and with thrice as many: the difference, divided
by the requests more, is what a request costs without the start. The kernel's work is not in it. Loop: the thread that
answers; all: with the threads for which nobody waits.
"""

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT, table
from serve import bundle, free_port, profiles

BATCH = 100
PLAIN = ["--drift.window_minutes=0", "--log.durability=off", "--server.gzip_min_bytes=0"]
TOKEN = "ifl_" + "a" * 43
IDLE_S = 1.0  # until threads behind the loop have done their work
NEVER = 1 << 40
NO_REPEATED = {"GLIBC_TUNABLES": f"glibc.cpu.x86_rep_stosb_threshold={NEVER}:glibc.cpu.x86_rep_movsb_threshold={NEVER}"}


def bodies(n):
    return [json.dumps(profile).encode() for profile in profiles(n)]


def batches(n):
    return [json.dumps({"instances": profiles(BATCH, seed)}).encode() for seed in range(n)]


def tokens(n, directory):
    """A file of n tokens, the last of which is shown: the option for it."""
    shown = ["ifl_" + f"{i:043d}" for i in range(n - 1)] + [TOKEN]
    path = directory / f"tokens-{n}"
    path.write_text("".join(f"t{i} predict {hashlib.sha256(token.encode()).hexdigest()}\n" for i, token in enumerate(shown)))
    return f"--access.tokens={path}"


def cases(models, directory):
    """name: (bodies, headers, options, the row it is compared with)"""
    single, batch = bodies(64), batches(8)
    packed = {"Content-Encoding": "gzip"}
    accepts = {"Accept-Encoding": "gzip"}
    shown = {"Authorization": f"Bearer {TOKEN}"}
    always = ["--server.gzip_min_bytes=1"]
    return {
        "plain": (single, {}, [], None),
        "drift": (single, {}, ["--drift.window_minutes=60"], "plain"),
        "shadow": (single, {}, [f"--models.shadow={models}"], "plain"),
        "log": (single, {}, ["--log.durability=batched"], "plain"),
        "token": (single, shown, [tokens(1, directory)], "plain"),
        "tokens-100": (single, shown, [tokens(100, directory)], "plain"),
        "gzip-in": ([gzip.compress(body, mtime=0) for body in single], packed, [], "plain"),
        "gzip-out": (single, accepts, always, "plain"),
        "batch": (batch, {}, [], None),
        "batch-gzip-in": ([gzip.compress(body, mtime=0) for body in batch], packed, [], "batch"),
        "batch-gzip-out": (batch, accepts, always, "batch"),
    }


class Client:
    """One connection that is kept."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.reply = b""

    def ask(self, message):
        """The reply's body as it came."""
        self.socket.sendall(message)
        while b"\r\n\r\n" not in self.reply:
            self.take()
        head, _, rest = self.reply.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"not answered: {self.reply[:500]!r}")
        length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head)[1])
        self.reply = rest
        while len(self.reply) < length:
            self.take()
        body, self.reply = self.reply[:length], self.reply[length:]
        return body

    def take(self):
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise SystemExit("the daemon closed the connection")
        self.reply += piece


def message(body, headers):
    lines = [b"POST /score HTTP/1.1", b"Host: x", b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    lines += [f"{name}: {value}".encode() for name, value in headers.items()]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def start(models, options, directory):
    port = free_port()
    command = ["valgrind", "--tool=callgrind", "--separate-threads=yes", "-q",
               f"--callgrind-out-file={directory / 'out'}", options.build / "src/daemon/influenced",
               f"--server.listen=127.0.0.1:{port}", f"--models.path={models}", "--server.threads=1",
               "--server.log_level=error", f"--log.path={directory / 'requests.db'}", *options.more]
    with open(directory / "stderr", "wb") as log:
        process = subprocess.Popen(list(map(str, command)), cwd=directory, stdout=log, stderr=log, start_new_session=True,
                                   env=os.environ | NO_REPEATED)
    end = time.monotonic() + 120
    while True:
        try:
            return process, Client(port)
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit((directory / "stderr").read_text()) from None
            time.sleep(0.05)


def instructions(directory):
    """{thread: instructions}; threads are numbered as they begin, which is always alike."""
    return {path.name: int(re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.M)[1])
            for path in directory.glob("out-*")}


def get(client, path):
    return client.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


def check_watched(client, name, n):
    """Nothing that was to be measured may have been left out."""
    if name == "drift" and json.loads(get(client, "/drift"))["score"]["rows"] != n:
        raise SystemExit("drift: not all requests were seen")
    if name == "shadow":
        asked = re.findall(rb'^influenced_shadow_predictions_total.*outcome="(?:agrees|differs)"} (\d+)', get(client, "/metrics"), re.M)
        if sum(map(int, asked)) != n:
            raise SystemExit(f"shadow: {n} requests, {sum(map(int, asked))} compared")


def has_reference(models, options, directory):
    """Whether the bundle knows what it was trained on."""
    directory.mkdir()
    options.more = []
    process, client = start(models, options, directory)
    try:
        client.socket.sendall(b"GET /drift HTTP/1.1\r\nHost: x\r\n\r\n")
        return client.socket.recv(65536).startswith(b"HTTP/1.1 200 ")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(120)


def run(name, case, n, models, options, directory):
    """(instructions by thread, mean bytes in, mean bytes out)"""
    directory.mkdir()
    sent, headers, more, _ = case
    options.more = [*PLAIN, *more]
    process, client = start(models, options, directory)
    messages = [message(body, headers) for body in sent]
    try:
        received = sum(len(client.ask(messages[i % len(messages)])) for i in range(n))
        time.sleep(IDLE_S)
        check_watched(client, name, n)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(120)
    return instructions(directory), sum(map(len, sent)) / len(sent), received / n


def measure(name, case, models, options, directory):
    n = max(options.requests // 20, 10) if name.startswith("batch") else options.requests
    few, _, _ = run(name, case, n, models, options, directory / f"{name}-few")
    many, bytes_in, bytes_out = run(name, case, 3 * n, models, options, directory / f"{name}-many")
    more = [(many[thread] - few[thread]) / (2 * n) for thread in many]
    return {"row": name, "beside": case[3], "body_bytes": round(bytes_in), "reply_bytes": round(bytes_out),
            "loop": round(max(more)), "all": round(sum(more))}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--models")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--only", type=lambda text: text.split(","), help="some rows, and those they are compared with")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    return options


def main():
    options = arguments()
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not installed")
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name:
        directory = Path(name)
        models, what = bundle(options, directory)
        version = (Path(models) / "current").resolve().name
        every = cases(version, directory)
        for row in options.only or []:
            if row not in every:
                raise SystemExit(f"--only: no row {row}; there are {', '.join(every)}")
        if not has_reference(models, options, directory / "reference"):
            print("drift: left out, the models do not say what they were trained on", file=sys.stderr)
            del every["drift"]
        wanted = [row for row in every if not options.only or row in options.only
                  or row in {every[only][3] for only in options.only}]
        results = {row: measure(row, every[row], models, options, directory) for row in wanted}
    if options.json:
        print(json.dumps(list(results.values())))
        return
    rows = []
    for row in results.values():
        base = results.get(row["beside"])
        more = [f"{row[which] - base[which]:+,}" if base else "" for which in ("loop", "all")]
        rows.append([row["row"], row["body_bytes"], row["reply_bytes"], f"{row['loop']:,}", f"{row['all']:,}", *more])
    print(f"Models: {what}. POST /score, {options.requests:,} requests; batches of {BATCH}.\n")
    print(table(["row", "body bytes", "reply bytes", "loop", "all", "loop more", "all more"], rows))


if __name__ == "__main__":
    main()
