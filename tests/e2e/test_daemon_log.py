# SPDX-License-Identifier: Apache-2.0
"""The request log: one row a request, in orderly and in disorderly times."""

import json
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import time
from http.client import HTTPConnection, HTTPException

import pytest

from conftest import SANITIZED

BODY = json.dumps({"handle": "x", "followers": 1234567, "posts": 812, "avg_likes": 34567, "country": "Norway"})
HEADERS = {"Content-Type": "application/json"}


def query(daemon, sql, *values):
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        return db.execute(sql, values).fetchall()


def metric(daemon, name):
    text = daemon.get("/metrics")[1]
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


def requests_answered(daemon):
    """How many requests were answered before this look. An answer is counted just after it has left, so
    look until only the look itself is under way, twice, and nothing but the first look was added."""
    last = None
    while True:
        under_way = metric(daemon, "influenced_requests_in_flight ")
        total = metric(daemon, "influenced_requests_total")
        # Two looks a round: the one for the total counts the one before it.
        if under_way == 1 and total == last:
            return total
        last = total + 2


class Load(threading.Thread):
    """Posts to /score on one connection at a time until `n` answers came, or until the daemon is
    gone; counts the answers that came whole."""

    def __init__(self, port, n=10**9):
        super().__init__()
        self.port, self.n, self.answers, self.last = port, n, 0, 0.0
        self.wrong = []  # statuses that are not 200

    def run(self):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        while self.answers < self.n:
            try:
                connection.request("POST", "/score", BODY, HEADERS)
                reply = connection.getresponse()
                reply.read()
            except (OSError, HTTPException):  # the daemon is gone
                return
            if reply.status != 200:
                self.wrong.append(reply.status)
            self.answers += 1
            self.last = time.time()


def load(daemon, threads, n=10**9):
    loads = [Load(daemon.port, n) for _ in range(threads)]
    for one in loads:
        one.start()
    return loads


def finish(loads):
    for one in loads:
        one.join()
        assert not one.wrong
    return sum(one.answers for one in loads)


def test_a_row_tells_who_asked_what_and_got_what(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    status, headers, answer = daemon.request("POST", "/score", BODY.encode(), HEADERS)
    assert status == 200
    daemon.get("/similar?handle=demo_0001&k=3")
    daemon.get("/nope?x=1")
    daemon.stop()
    columns = "request_id, route, status, model, latency_us, caller, input, output, time_us"
    row = query(daemon, f"SELECT {columns} FROM request WHERE route = '/score'")[0]
    assert row[0] == headers["X-Request-Id"]
    assert row[2] == 200 and row[3] == json.loads(answer)["model"]
    assert 0 < row[4] < 10e6
    assert row[6] == BODY and row[7] == answer.decode()
    assert abs(row[8] / 1e6 - time.time()) < 60
    assert query(daemon, "SELECT input FROM request WHERE route = '/similar'") == [("/similar?handle=demo_0001&k=3",)]
    assert query(daemon, "SELECT input, status FROM request WHERE route = '(other)'") == [("/nope?x=1", 404)]
    # The address itself is nowhere.
    assert len(row[5]) == 16 and b"127.0.0.1" not in (daemon.directory / "requests.db").read_bytes()


def test_the_same_caller_has_the_same_hash_after_a_restart(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    daemon.stop()
    daemon.start()
    daemon.stop()
    assert len(query(daemon, "SELECT DISTINCT caller FROM request")) == 1
    for name in ("requests.db", "requests.db.key"):
        assert stat.S_IMODE((daemon.directory / name).stat().st_mode) == 0o600


def test_addresses_are_stored_when_asked_for(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.hash_callers=off")
    daemon.stop()
    assert query(daemon, "SELECT DISTINCT caller FROM request") == [("127.0.0.1",)]


def test_bytes_that_are_no_text_are_kept(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    daemon.post("/score", b"\xff\0\xfe")
    daemon.stop()
    assert query(daemon, "SELECT input FROM request WHERE status = 400") == [(b"\xff\0\xfe",)]


def test_long_bodies_are_cut(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.max_body_bytes=10")
    daemon.post("/score", json.loads(BODY))
    daemon.stop()
    assert query(daemon, "SELECT length(input), length(output) FROM request WHERE route = '/score'") == [(10, 10)]


def test_off_writes_nothing(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.durability=off")
    assert daemon.post("/score", json.loads(BODY))[0] == 200
    daemon.stop()
    assert not (daemon.directory / "requests.db").exists()


@pytest.mark.skipif(not shutil.which("wrk"), reason="needs wrk")
def test_100000_requests_leave_100000_rows(start_daemon, hand_models, tmp_path):
    script = tmp_path / "post.lua"
    script.write_text(f"wrk.method='POST'\nwrk.headers['Content-Type']='application/json'\nwrk.body='{BODY}'\n")
    daemon = start_daemon(hand_models)
    wanted = 5000 if SANITIZED else 100_000
    answered = 0
    while answered < wanted:
        subprocess.run(
            ["wrk", "-t1", "-c64", "-d2", "-s", script, f"{daemon.url}/score"], check=True, capture_output=True
        )
        answered = metric(daemon, 'influenced_requests_total{route="/score",status="200"}')
    while metric(daemon, "influenced_connections ") > 1:  # wrk leaves in the middle of requests
        time.sleep(0.05)
    answered = metric(daemon, 'influenced_requests_total{route="/score",status="200"}')
    before = requests_answered(daemon)
    assert metric(daemon, "influenced_log_dropped_rows_total") == 0
    daemon.stop()
    # The reply that told `before` does not count itself; the one on dropped rows came behind it.
    assert query(daemon, "SELECT count(*) FROM request") == [(before + 2,)]
    assert query(daemon, "SELECT count(*) FROM request WHERE route = '/score' AND status = 200") == [(answered,)]
    assert query(daemon, "SELECT count(*), count(DISTINCT request_id) FROM request")[0][1] == before + 2


@pytest.mark.parametrize("durability", ["batched", "acknowledged"])
def test_sigterm_in_mid_load_loses_no_row(start_daemon, hand_models, durability):
    daemon = start_daemon(hand_models, f"--log.durability={durability}")
    ready = requests_answered(daemon) + 1
    loads = load(daemon, 8)
    time.sleep(1)
    daemon.stop()
    answers = finish(loads)
    assert answers > 50
    assert query(daemon, "SELECT count(*) FROM request") == [(answers + ready,)]


def test_kill_9_loses_no_answer_that_is_acknowledged(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.durability=acknowledged")
    answers = kill_in_mid_load(daemon)
    assert query(daemon, "SELECT count(*) FROM request WHERE route = '/score'")[0][0] >= answers
    goes_on(daemon)


def test_kill_9_loses_no_row_that_is_committed(start_daemon, hand_models):
    """Batched: what waits for the next commit is lost, what the daemon calls committed is not."""
    daemon = start_daemon(hand_models, "--log.durability=batched", "--log.batch_ms=50")
    committed = []

    def writer_catches_up(loads):
        answered = sum(one.answers for one in loads)
        give_up = time.monotonic() + 60
        while not committed or committed[-1] < answered:
            assert time.monotonic() < give_up, "the writer does not keep up"
            committed.append(metric(daemon, "influenced_log_rows_total"))

    kill_in_mid_load(daemon, writer_catches_up)
    assert query(daemon, "SELECT count(*) FROM request")[0][0] >= committed[-1]
    goes_on(daemon)


def kill_in_mid_load(daemon, before_it=lambda loads: None):
    """Gives how many were answered."""
    loads = load(daemon, 8)
    time.sleep(1)
    before_it(loads)
    daemon.kill()
    return finish(loads)


def goes_on(daemon):
    """The log is whole, and takes rows again behind those that are there."""
    assert query(daemon, "PRAGMA integrity_check") == [("ok",)]
    rows = query(daemon, "SELECT count(*) FROM request WHERE route = '/score'")[0][0]
    daemon.start()
    assert daemon.post("/score", json.loads(BODY))[0] == 200
    daemon.stop()
    assert query(daemon, "SELECT count(*) FROM request WHERE route = '/score'")[0][0] == rows + 1


def test_acknowledged_rows_are_there_when_the_answer_is(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.durability=acknowledged", "--log.batch_ms=60000")
    for n in range(20):
        daemon.post("/score", json.loads(BODY))
        assert query(daemon, "SELECT count(*) FROM request WHERE route = '/score'") == [(n + 1,)]


def test_acknowledged_answers_503_while_the_log_cannot_be_written(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.durability=acknowledged", "--log.acknowledge_ms=300")
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        db.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        status, answer = daemon.post("/score", json.loads(BODY))
        assert status == 503 and answer["error"]["code"] == "not_logged"
        assert time.monotonic() - start < 5
        db.rollback()
    for _ in range(50):
        if daemon.post("/score", json.loads(BODY))[0] == 200:
            break
    assert daemon.post("/score", json.loads(BODY))[0] == 200


def test_a_file_that_is_no_log_is_refused(start_daemon, hand_models):
    """Without a key beside it: with one it was a log, and is set aside as damaged."""
    daemon = start_daemon(hand_models)
    daemon.stop()
    path = daemon.directory / "requests.db"
    path.with_name("requests.db.key").unlink()
    for content in (b"not a database, but long enough to look like one" * 100,):
        path.write_bytes(content)
        daemon.start(wait=False)
        assert daemon.process.wait(30) == 1
        assert "request log" in daemon.log and "not a database" in daemon.log
        assert path.read_bytes() == content
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE other (x)")
    daemon.start(wait=False)
    assert daemon.process.wait(30) == 1
    assert "no request log" in daemon.log


def test_a_later_schema_is_refused(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    daemon.stop()
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        db.execute("PRAGMA user_version = 99")
    daemon.start(wait=False)
    assert daemon.process.wait(30) == 1
    assert "later version" in daemon.log


def test_old_rows_are_deleted(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    daemon.post("/score", json.loads(BODY))
    daemon.stop()
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        db.execute("UPDATE request SET time_us = time_us - 100 * 86400 * 1000000 WHERE route = '/score'")
    daemon.start()
    for _ in range(50):
        if query(daemon, "SELECT count(*) FROM request WHERE route = '/score'") == [(0,)]:
            break
        time.sleep(0.1)
    assert query(daemon, "SELECT count(*) FROM request WHERE route = '/score'") == [(0,)]


def test_a_log_that_is_moved_away_takes_all_its_rows_along(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.durability=acknowledged")
    assert finish(load(daemon, 1, 20)) == 20
    (daemon.directory / "requests.db").rename(daemon.directory / "march.db")
    # Those that come before it is noticed belong to one of the two.
    assert finish(load(daemon, 1, 20)) == 20
    for _ in range(100):
        if "a new one begins" in daemon.log:
            break
        time.sleep(0.1)
    assert finish(load(daemon, 1, 20)) == 20
    daemon.stop()
    assert not list(daemon.directory.glob("march.db-*"))
    counted = []
    for name in ("march.db", "requests.db"):
        with sqlite3.connect(daemon.directory / name) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            counted += db.execute("SELECT count(*) FROM request WHERE route = '/score'").fetchone()
    assert counted[0] >= 20 and counted[1] >= 20 and sum(counted) == 60


def test_a_full_lane_drops_rows_and_counts_them(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.queue_bytes=65536")
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        # Somebody holds the database: the writer cannot, and serving goes on.
        db.execute("BEGIN IMMEDIATE")
        loads = load(daemon, 2, 200)
        answers = finish(loads)
        assert answers == 400
        assert metric(daemon, "influenced_log_dropped_rows_total") > 0
        db.rollback()
    daemon.signal(signal.SIGTERM)
    daemon.process.wait(30)
    rows = query(daemon, "SELECT count(*) FROM request WHERE route = '/score'")[0][0]
    assert 0 < rows < answers
