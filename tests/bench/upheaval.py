#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What clients notice of a crash, and of a reload.

    tests/bench/upheaval.py crash [--times 20] [--clients 32]    kill -9 under load, log.durability=acknowledged
    tests/bench/upheaval.py reload [--times 10]                  exchange the model under load

crash: clients ask without a pause; after a second or so the daemon is killed and started again on the same
log. Each reply that a client had in full must have its row, or the run fails.

reload: wrk loads the daemon for one second at a time, every other second with a reload in its middle; p99 of
the two kinds, and every request must be answered with 200.
"""

import argparse
import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from measure import ROOT, median, table
from serve import Server, bundle, ours, profiles, write_script


class Client(threading.Thread):
    """Asks until the daemon is gone; `ids` are those of the replies it had in full."""

    def __init__(self, port, bodies):
        super().__init__()
        self.port, self.bodies, self.ids = port, bodies, []

    def run(self):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while True:
                connection.request("POST", "/score", random.choice(self.bodies), {"Content-Type": "application/json"})
                reply = connection.getresponse()
                reply.read()
                if reply.status == 200:
                    self.ids.append(reply.headers["X-Request-Id"])
        except (OSError, HTTPException):
            connection.close()


def crash(options, directory):
    models, what = bundle(options, directory)
    command = ours(models, "acknowledged", options, directory)
    bodies = [json.dumps(profile) for profile in profiles(64)]
    replies, lost, unseen = 0, 0, 0
    for _ in range(options.times):
        server = Server("acknowledged", command, "/score", directory)
        clients = [Client(server.port, bodies) for _ in range(options.clients)]
        for client in clients:
            client.start()
        time.sleep(random.uniform(0.5, 1.5))
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        for client in clients:
            client.join()
        had = {one for client in clients for one in client.ids}
        # Opened as the next daemon would: what the killed one had committed is there.
        with sqlite3.connect(directory / "acknowledged.db") as db:
            kept = {one for (one,) in db.execute("SELECT request_id FROM request")}
            db.execute("DELETE FROM request")
        replies += len(had)
        lost += len(had - kept)
        unseen += len(kept - had) - 1  # the one that saw the daemon ready
    print(f"Models: {what}. kill -9 under {options.clients} clients, {options.times} times, acknowledged.\n")
    print(table(["replies received", "of them without a row", "rows whose reply nobody received"],
                [[f"{replies:,}", lost, unseen]]))
    return 1 if lost else 0


def one_second(server, script, options, reload):
    """p99 in ms, requests and failures of a second of load."""
    load = subprocess.Popen(["wrk", "-t1", f"-c{options.connections}", "-d1s", "-s", script,
                             f"http://127.0.0.1:{server.port}"], stdout=subprocess.PIPE, text=True)
    if reload:
        time.sleep(0.5)
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}/-/reload", method="POST")
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert reply.status == 200
    result = re.search(r"^RESULT (.*)$", load.communicate()[0], re.MULTILINE)
    requests, refused, broken, _, _, p99 = map(float, result[1].split())
    return p99 / 1000, requests, refused + broken


def reload(options, directory):
    models, what = bundle(options, directory)
    server = Server("batched", ours(models, "batched", options, directory) + " --server.reload=on", "/score", directory)
    try:
        script = str(write_script("/score", directory))
        one_second(server, script, options, False)
        seconds = {False: [], True: []}
        for _ in range(options.times):
            for kind in seconds:
                seconds[kind].append(one_second(server, script, options, kind))
    finally:
        server.stop()
    rows = []
    for kind, name in ((False, "usual second"), (True, "second of the swap")):
        p99 = [second[0] for second in seconds[kind]]
        rows.append([name, f"{median(p99):.2f}", f"{max(p99):.2f}", f"{sum(second[1] for second in seconds[kind]):,.0f}",
                     f"{sum(second[2] for second in seconds[kind]):.0f}"])
    ratio = median([second[0] for second in seconds[True]]) / median([second[0] for second in seconds[False]])
    print(f"Models: {what}. {options.connections} connections, {options.times} seconds of each kind in turn, batched.\n")
    print(table(["", "p99 ms, median", "worst", "requests", "failed"], rows))
    print(f"\nThe swap's p99 is {ratio:.2f} times the usual.")
    return 1 if any(second[2] for kind in seconds.values() for second in kind) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["crash", "reload"])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--models")
    parser.add_argument("--times", type=int)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.boosted = True
    options.times = options.times or (20 if options.what == "crash" else 10)
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name:
        return crash(options, Path(name)) if options.what == "crash" else reload(options, Path(name))


if __name__ == "__main__":
    sys.exit(main())
