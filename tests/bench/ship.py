#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exactly once: what is in the table when daemon, shipper and database are killed under load, again and again.

    ./dev bench ship [--rounds 20] [--clients 8] [--seed 0] [--json]

A daemon with log.durability=acknowledged, `influence log ship --follow` beside it, and a PostgreSQL of its own. Clients
ask without a pause, each request under an id of its own, which they never send again. Each round kills one of the
three after a moment drawn at random (kill -9; the database by an immediate stop) and starts it again. In the
end what is left is shipped, and the table is held against the replies that were received and against the log:

rows missing    replies received whose id is not in the table, and rows of the log that are not
rows doubled    ids that stand there more than once

Either of them ends with status 1.
"""

import argparse
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from measure import ROOT, table
from serve import Server, profiles

sys.path.append(str(ROOT / "tests/support"))
from throwaway import running  # noqa: E402

TABLE = "requests"


class Client(threading.Thread):
    """Asks until it is told to stop; `answered` are the ids whose reply it had in full."""

    def __init__(self, number, port, stop):
        super().__init__()
        self.number, self.port, self.stop = number, port, stop
        self.n_sent, self.answered = 0, []
        self.bodies = [json.dumps(profile) for profile in profiles(64, number)]

    def run(self):
        connection = None
        for i in itertools.count():
            if self.stop.is_set():
                return
            try:
                connection = connection or HTTPConnection("127.0.0.1", self.port, timeout=30)
                name = f"client{self.number}-{i}"
                connection.request("POST", "/score", self.bodies[i % 64], {"Content-Type": "application/json", "X-Request-Id": name})
                self.n_sent += 1
                reply = connection.getresponse()
                reply.read()
                if reply.status == 200:
                    self.answered.append(name)
            except (OSError, HTTPException):
                connection = None
                time.sleep(0.02)  # the daemon is away


class Daemon(Server):
    """On one port, however often it is started."""

    def __init__(self, options, directory, models):
        command = (f"{options.build / 'src/daemon/influenced'} --server.listen=127.0.0.1:{{port}} --models.path={models} "
                   f"--server.log_level=error --log.durability=acknowledged --log.path={directory / 'requests.db'}")
        super().__init__("influenced", command, "/score", directory)
        self.command = command.format(port=self.port).split()
        self.directory = directory

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        time.sleep(0.1)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.directory, stdout=log, stderr=log, start_new_session=True)


class Shipper:
    def __init__(self, options, directory, uri):
        self.command = [options.build / "src/cli/influence", "log", "ship", "--db", directory / "requests.db", "--to", uri, "--table", TABLE]
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([*self.command, "--follow"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.start()

    def finish(self):
        self.process.terminate()
        self.process.wait(60)
        subprocess.run(self.command, check=True, stdout=subprocess.DEVNULL)


def kill_database(postgresql):
    postgresql.stop("immediate")
    time.sleep(0.1)
    postgresql.start()


def campaign(options, directory, postgresql):
    models = directory / "models"
    models.mkdir()
    subprocess.run([options.build / "tests/support/make-bundle", models], check=True, stdout=subprocess.DEVNULL)
    daemon, stop, draw = Daemon(options, directory, models), threading.Event(), random.Random(options.seed)
    shipper = Shipper(options, directory, postgresql.uri)
    clients = [Client(i, daemon.port, stop) for i in range(options.clients)]
    victims = {"daemon": daemon.kill, "shipper": shipper.kill, "database": lambda: kill_database(postgresql)}
    kills = Counter()
    try:
        for client in clients:
            client.start()
        for i in range(options.rounds):
            time.sleep(draw.uniform(0.3, 1.5))
            victim = list(victims)[i % 3]
            victims[victim]()
            kills[victim] += 1
        time.sleep(0.5)
    finally:
        stop.set()
        for client in clients:
            client.join()
        daemon.stop()
        shipper.finish()
    return clients, kills


def held_against(directory, postgresql, clients):
    with sqlite3.connect(directory / "requests.db") as db:
        logged = Counter(name for (name,) in db.execute("SELECT request_id FROM request"))
    there = Counter(postgresql.sql(f"SELECT request_id FROM {TABLE}", timeout=300).splitlines())
    answered = Counter(name for client in clients for name in client.answered)
    return {
        "sent": sum(client.n_sent for client in clients),
        "answered": answered.total(),
        "in the log": logged.total(),
        "in the table": there.total(),
        "answered, missing": (answered - there).total(),
        "logged, missing": (logged - there).total(),
        "doubled": sum(n - 1 for n in there.values()),
        "in the table, not in the log": (there - logged).total(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    # The database that is killed must have its rows on disk, as one would.
    with tempfile.TemporaryDirectory(prefix="influence-bench-") as name, running(options.build, settings="-c fsync=on") as postgresql:
        clients, kills = campaign(options, Path(name), postgresql)
        figures = held_against(Path(name), postgresql, clients)
    figures["killed"] = dict(kills)
    if options.json:
        print(json.dumps(figures))
    else:
        shown = {key: f"{value:,}" for key, value in figures.items() if key != "killed"}
        print(f"{options.rounds} rounds, {options.clients} clients; killed: {', '.join(f'{n} x {victim}' for victim, n in kills.items())}\n")
        print(table(list(shown), [list(shown.values())]))
        print(f"\nload average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    bad = ("answered, missing", "logged, missing", "doubled", "in the table, not in the log")
    return 1 if any(figures[key] for key in bad) else 0


if __name__ == "__main__":
    sys.exit(main())
