# SPDX-License-Identifier: Apache-2.0
"""The request log on disks that fail, and rows that name nobody. Serving goes on, figures say so, and
it heals."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import INFLUENCED, SANITIZED
from test_daemon_log import BODY, HEADERS, finish, load, metric, query


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", path], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("needs a right to mount a tmpfs")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def post(daemon, n=1, **more):
    for _ in range(n):
        status, _, _ = daemon.request("POST", "/score", (json.dumps(json.loads(BODY) | more)).encode(), HEADERS)
        assert status == 200


def wait_for(daemon, name, wanted, timeout=60):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if wanted(metric(daemon, name)):
            return metric(daemon, name)
        time.sleep(0.05)
    raise AssertionError(f"{name} is {metric(daemon, name)}\n{daemon.log}")


def rows_of(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return db.execute("SELECT count(*) FROM request WHERE route = '/score'").fetchone()[0]


def test_a_full_disk_stops_no_answer_and_heals(start_daemon, hand_models, small_disk):
    db = small_disk / "requests.db"
    daemon = start_daemon(hand_models, f"--log.path={db}", "--log.batch_ms=20", "--log.queue_bytes=1048576")
    post(daemon, 10)
    wait_for(daemon, "influenced_log_rows_total", lambda n: n >= 10)
    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    loads = load(daemon, 4, 400)
    answers = finish(loads)  # asserts that each was a 200
    assert answers == 1600
    wait_for(daemon, "influenced_log_failing", lambda n: n == 1)
    assert metric(daemon, "influenced_log_failed_commits_total") > 0
    dropped = metric(daemon, "influenced_log_dropped_rows_total")
    assert "rows wait in memory" in daemon.log
    filler.unlink()
    wait_for(daemon, "influenced_log_failing", lambda n: n == 0)
    post(daemon, 5)
    wait_for(daemon, "influenced_log_queue_rows", lambda n: n <= 1)
    daemon.stop()
    assert "rows are written again" in daemon.log
    assert rows_of(db) >= 1615 - dropped
    print(f"disk full: {answers} answered, 0 lost; {dropped:.0f} rows dropped of {answers}")


def test_it_starts_on_a_full_disk_and_on_a_read_only_one(start_daemon, hand_models, small_disk):
    with open(small_disk / "filler", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    daemon = start_daemon(hand_models, f"--log.path={small_disk / 'requests.db'}")
    post(daemon, 20)
    wait_for(daemon, "influenced_log_failing", lambda n: n == 1)
    (small_disk / "filler").unlink()
    wait_for(daemon, "influenced_log_failing", lambda n: n == 0)
    daemon.stop()
    assert rows_of(small_disk / "requests.db") == 20
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    daemon.start()
    post(daemon, 5)
    wait_for(daemon, "influenced_log_failing", lambda n: n == 1)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    wait_for(daemon, "influenced_log_failing", lambda n: n == 0)
    daemon.stop()
    assert rows_of(small_disk / "requests.db") == 25


def test_acknowledged_answers_503_on_a_full_disk_and_keeps_what_it_answered(start_daemon, hand_models, small_disk):
    db = small_disk / "requests.db"
    daemon = start_daemon(hand_models, f"--log.path={db}", "--log.durability=acknowledged", "--log.acknowledge_ms=300")
    post(daemon, 10)
    with open(small_disk / "filler", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    answered, refused = 10, 0
    # The write-ahead log still has room within its last page or two.
    for _ in range(200):
        status, _, body = daemon.request("POST", "/score", BODY.encode(), HEADERS)
        answered += status == 200
        if status == 503:
            assert json.loads(body)["error"]["code"] == "not_logged"
            refused += 1
            break
    assert refused == 1
    (small_disk / "filler").unlink()
    for _ in range(50):
        if daemon.request("POST", "/score", BODY.encode(), HEADERS)[0] == 200:
            answered += 1
            break
        time.sleep(0.1)
    daemon.stop()
    assert rows_of(db) >= answered > 10


def test_probes_and_figures_wait_for_no_row(start_daemon, hand_models):
    """Else the platform kills a daemon for its log, and nobody is told why."""
    daemon = start_daemon(hand_models, "--log.durability=acknowledged", "--log.acknowledge_ms=500")
    post(daemon, 3)
    with sqlite3.connect(daemon.directory / "requests.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        assert daemon.request("POST", "/score", BODY.encode(), HEADERS)[0] == 503
        wait_for(daemon, "influenced_log_failing", lambda n: n == 1)
        for path in ("/-/healthy", "/-/ready", "/v2/health/live", "/v2/health/ready", "/ping", "/metrics"):
            begin = time.monotonic()
            assert daemon.get(path)[0] == 200 and time.monotonic() - begin < 0.45, path
        other.rollback()
    wait_for(daemon, "influenced_log_failing", lambda n: n == 0)


@pytest.mark.parametrize("damage", ["nonsense", "torn", "key"])
def test_it_starts_on_a_damaged_log(start_daemon, hand_models, damage):
    daemon = start_daemon(hand_models)
    post(daemon, 200)
    daemon.stop()
    db, key = daemon.directory / "requests.db", daemon.directory / "requests.db.key"
    if damage == "key":
        key.write_bytes(b"short")
    else:
        with open(db, "r+b") as file:
            file.seek(0 if damage == "nonsense" else 100)
            file.write(os.urandom(os.path.getsize(db) - 100))
    checked = subprocess.run([INFLUENCED, "--check", f"--models.path={hand_models}", f"--log.path={db}",
                              "--server.listen=127.0.0.1:0"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0
    assert ("set" in checked.stdout) or damage == "key"
    daemon.start()
    post(daemon, 5)
    daemon.stop()
    assert rows_of(db) == (205 if damage == "key" else 5)
    assert len(key.read_bytes()) == 32
    assert len(list(daemon.directory.glob("requests.db.damaged-*"))) == (damage != "key")


def test_a_file_that_was_never_a_log_is_left_alone(start_daemon, hand_models, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"somebody else's file " * 100)
    done = subprocess.run([INFLUENCED, f"--models.path={hand_models}", f"--log.path={path}", "--server.listen=127.0.0.1:0"],
                          capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1 and str(path) in done.stderr and "not a database" in done.stderr
    assert [one.name for one in tmp_path.iterdir() if "notes" in one.name] == ["notes.txt"]


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.batch_ms=20")
    db = daemon.directory / "requests.db"
    post(daemon, 50)
    wait_for(daemon, "influenced_log_rows_total", lambda n: n >= 50)
    with sqlite3.connect(db) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(db, "r+b") as file:  # all but the header
        file.seek(100)
        file.write(os.urandom(os.path.getsize(db) - 100))
    # A commit may still succeed in pages that SQLite has in memory: those rows are set aside with the file.
    before = metric(daemon, "influenced_log_rows_total")
    n = 0
    while not metric(daemon, "influenced_log_set_aside_total"):
        assert n < 5000, daemon.log
        post(daemon, 1)
        n += 1
    aside = metric(daemon, "influenced_log_rows_total") - before
    post(daemon, 30)
    wait_for(daemon, "influenced_log_failing", lambda n: n == 0)
    daemon.stop()
    assert max(30, n + 30 - aside) <= rows_of(db) <= n + 30  # none of those that came after is lost
    assert len(list(daemon.directory.glob("requests.db.damaged-*"))) >= 1


def test_a_file_that_is_moved_away_is_followed_by_a_new_one(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.batch_ms=20")
    post(daemon, 7)
    wait_for(daemon, "influenced_log_rows_total", lambda n: n >= 7)
    for name in ("requests.db", "requests.db-wal", "requests.db-shm"):
        if (daemon.directory / name).exists():
            (daemon.directory / name).rename(daemon.directory / name.replace("requests", "january"))
    end = time.monotonic() + 20
    while "a new one begins" not in daemon.log and time.monotonic() < end:
        time.sleep(0.05)
    post(daemon, 9)
    daemon.stop()
    assert rows_of(daemon.directory / "january.db") == 7
    assert rows_of(daemon.directory / "requests.db") == 9


def test_no_acknowledged_answer_is_lost_by_kill_9(start_daemon, hand_models):
    """Again and again: the rows on disk are never fewer than the answers that came whole."""
    daemon = start_daemon(hand_models, "--log.durability=acknowledged")
    answers = 0
    for _ in range(2 if SANITIZED else 8):
        loads = load(daemon, 6)
        time.sleep(0.4)
        daemon.kill()
        answers += finish(loads)
        assert rows_of(daemon.directory / "requests.db") >= answers
        daemon.start()
    assert answers > 100
    print(f"kill -9: {answers} acknowledged answers, 0 lost")


def ask_until_the_end(port):
    head = "POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    message = f"{head}Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        while True:
            client.sendall(message)
            if not client.recv(65536):
                return


def test_an_end_cuts_off_requests_whose_rows_are_on_their_way(start_daemon, hand_models):
    """Again and again: it takes a request that comes in the last moment of all."""
    daemon = start_daemon(hand_models, "--log.durability=acknowledged", "--server.drain_timeout_ms=0")
    for _ in range(4 if SANITIZED else 10):
        clients = [threading.Thread(target=ask_until_the_end, args=(daemon.port,)) for _ in range(24)]
        for client in clients:
            client.start()
        time.sleep(0.1)
        daemon.stop()
        for client in clients:
            client.join()
        daemon.start()


# ---- who is named ----

def test_rows_name_nobody_when_asked_to(start_daemon, hand_models, run):
    daemon = start_daemon(hand_models, "--log.hash_handles=on")
    post(daemon, 2, handle="Some.Body")
    daemon.post("/score", b'{"\\u0068andle": "some.body", "followers": 7}')
    daemon.post("/score", {"instances": [{"handle": "@some.body", "followers": 9}, {"handle": "demo_0003"}]})
    daemon.get("/tier?handle=demo%5f0007")
    daemon.get("/similar?handle=demo_0007&k=3&exclude=demo_0009")
    daemon.get("/influencers?q=demo_0011")
    daemon.request("POST", "/score", b"handle,followers\nsome.body,5\n", {"Content-Type": "text/csv"})
    daemon.stop()
    text = " ".join(str(row) for row in query(daemon, "SELECT input, output FROM request"))
    assert "some.body" not in text.lower() and "demo_0" not in text and "demo%5f" not in text
    hashes = {row[0] for row in query(
        daemon, "SELECT json_extract(input, '$.handle') FROM request WHERE json_valid(input)") if row[0]}
    assert len(hashes) == 1 and hashes.pop().startswith("#")  # the same person, the same hash
    assert query(daemon, "SELECT count(*) FROM request WHERE input LIKE '%withheld%'")[0][0] == 2
    assert query(daemon, "SELECT count(*) FROM request WHERE input LIKE '%\"followers\": 1234567%'")[0][0] == 2
    db = daemon.directory / "requests.db"
    assert json.loads(run("log", "erase", "--db", db, "--handle", "some.body", "--json").stdout) == {"erased": 4, "logs": 1}


def test_no_door_writes_a_handle_when_handles_are_hashed(start_daemon, hand_models):
    """Own routes and those of other protocols, answers that name others, and messages that repeat what was asked."""
    daemon = start_daemon(hand_models, "--log.hash_handles=on", "--server.reload=on")
    json_type = {"Content-Type": "application/json"}
    known, unknown = "demo_0007", "demo_0nobody"
    tensor = known.encode()
    binary = json.dumps({"inputs": [{"name": "handle", "shape": [1], "datatype": "BYTES", "parameters":
                                     {"binary_data_size": 4 + len(tensor)}}]}).encode()
    for handle in (known, unknown):
        for model in ("score", "tier", "cluster", "similar"):
            daemon.get(f"/{model}?handle={handle}&exclude={handle}")
            daemon.post(f"/{model}", {"handle": handle})
            daemon.post(f"/{model}?k=3", {"instances": [{"handle": handle}, {"user": handle, "followers": 5}]})
            daemon.post(f"/{model}?strict=true", {"user": handle, "tags": [handle, [handle]]})
            daemon.request("POST", f"/{model}", f"handle\n{handle}\n".encode(), {"Content-Type": "text/csv"})
            data = {"name": "handle", "shape": [1], "datatype": "BYTES", "data": [handle]}
            daemon.post(f"/v2/models/{model}/infer", {"id": "7", "inputs": [data]})
            daemon.post(f"/v2/models/{model}/infer", {"inputs": [data | {"name": handle}]})
            for body in ({"dataframe_split": {"columns": ["handle"], "data": [[handle]]}}, {"dataframe_records": [{"handle": handle}]},
                         {"instances": [{"handle": handle}]}):
                daemon.post(f"/invocations?model={model}", body)
        daemon.request("POST", "/v2/models/similar/infer", binary + len(tensor).to_bytes(4, "little") + tensor,
                       json_type | {"Inference-Header-Content-Length": str(len(binary))})
        for path in (f"/{handle}", f"/{handle}/x?handle={handle}", f"/v2/models/{handle}/infer", f"/influencers?handle={handle}",
                     f"/influencers?q={handle}", "/demo%5f0nobody"):
            daemon.get(path)
            daemon.post(path, {"handle": handle})
        daemon.post("/-/reload", {"version": handle})
    daemon.stop()
    assert query(daemon, "SELECT count(*) FROM request")[0][0] > 100
    for row in query(daemon, "SELECT route, input, output FROM request"):
        assert "demo_0" not in str(row).lower() and "demo%5f" not in str(row).lower(), row
    # What replay and drift read is there still.
    assert query(daemon, "SELECT count(*) FROM request WHERE input LIKE '/score?handle=#%'")[0][0] == 2
    assert query(daemon, "SELECT count(*) FROM request WHERE output LIKE '%\"tier\":\"m%'")[0][0] > 0


def test_a_bound_of_bytes_holds_and_keeps_what_fits(start_daemon, hand_models):
    """However fast rows come: the oldest go as fast, and no more of them than need be."""
    daemon = start_daemon(hand_models, "--log.max_bytes=2000000", "--log.batch_ms=20", "--log.queue_bytes=64000000")
    finish(load(daemon, 4, 6000))
    wait_for(daemon, "influenced_log_queue_rows", lambda n: n <= 1)
    wait_for(daemon, "influenced_log_file_bytes", lambda n: 0 < n <= 2_000_000)
    daemon.stop()
    ids = query(daemon, "SELECT min(id), max(id), count(*) FROM request")[0]
    assert ids[1] > 24_000 and ids[0] > 5_000
    assert 1_000 < ids[2] < 10_000  # of some 300 to 1,000 bytes each


def test_the_key_is_renewed_when_it_is_old(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.key_days=30")
    post(daemon)
    daemon.stop()
    key = daemon.directory / "requests.db.key"
    before = key.read_bytes()
    os.utime(key, (time.time() - 31 * 86400,) * 2)
    daemon.start()
    end = time.monotonic() + 20
    while key.read_bytes() == before and time.monotonic() < end:
        time.sleep(0.05)
    post(daemon)
    daemon.stop()
    assert key.read_bytes() != before and len(key.read_bytes()) == 32
    assert query(daemon, "SELECT count(DISTINCT caller) FROM request WHERE route = '/score'")[0][0] == 2


def test_erasing_leaves_nothing_while_the_daemon_writes(start_daemon, hand_models, run):
    daemon = start_daemon(hand_models, "--log.batch_ms=20")
    post(daemon, 40, handle="some.body")
    wait_for(daemon, "influenced_log_queue_rows", lambda n: n <= 1)
    loads = load(daemon, 2, 400)
    erased = json.loads(run("log", "erase", "--db", daemon.directory / "requests.db", "--handle", "some.body",
                            "--json").stdout)
    finish(loads)
    assert erased == {"erased": 40, "logs": 1}
    for path in daemon.directory.glob("requests.db*"):
        assert b"some.body" not in path.read_bytes(), path
    daemon.stop()
    assert rows_of(daemon.directory / "requests.db") == 800


def test_erasing_on_a_full_disk_says_how_far_it_came(start_daemon, hand_models, small_disk, run):
    """The rows are deleted, the rebuilding has no room: exit 1, and once there is room the next erasure ends it."""
    daemon = start_daemon(hand_models)
    post(daemon, 3, handle="somebody")
    post(daemon, 60, handle="other", pad="x" * 20000)
    daemon.stop()
    log = small_disk / "requests.db"
    shutil.copy(daemon.directory / "requests.db", log)
    assert log.stat().st_size > 1_100_000  # twice as much is not there
    done = run("log", "erase", "--db", log, "--handle", "somebody", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "3 rows are deleted, but the file is not rebuilt without them" in done.stderr and "erase again" in done.stderr
    larger = subprocess.run(["mount", "-o", "remount,size=8m", small_disk], capture_output=True, check=False)
    assert larger.returncode == 0, larger.stderr
    assert run("log", "erase", "--db", log, "--handle", "somebody").stdout == "0 rows erased\n"
    assert all(b"somebody" not in path.read_bytes() for path in small_disk.iterdir())


# ---- access lines ----

@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_a_line_a_request_on_stderr(start_daemon, hand_models, form):
    daemon = start_daemon(hand_models, f"--log.access={form}")
    _, headers, _ = daemon.request("GET", "/score?handle=demo_0001")
    daemon.get("/nope?secret=1")
    daemon.stop()
    lines = [line for line in daemon.log.splitlines() if headers["X-Request-Id"] in line]
    assert len(lines) == 1 and "demo_0001" not in daemon.log and "secret" not in daemon.log
    if form == "json":
        said = json.loads(lines[0])
        assert said["route"] == "/score" and said["status"] == 200 and said["bytes"] > 100
        assert 0 < said["seconds"] < 10 and len(said["client"]) == 16
    else:
        said = dict(pair.split("=", 1) for pair in lines[0].split())
        assert said["route"] == "/score" and said["status"] == "200" and said["method"] == "GET"


@pytest.mark.parametrize("hashed", [True, False])
def test_lines_name_the_client_and_what_went_out_without_a_log(start_daemon, hand_models, hashed):
    daemon = start_daemon(hand_models, "--log.access=json", "--log.durability=off",
                          "--log.hash_callers=" + ("on" if hashed else "off"))
    _, headers, body = daemon.request("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    daemon.stop()
    said = json.loads(next(line for line in daemon.log.splitlines() if headers["X-Request-Id"] in line))
    assert said["bytes"] == len(body) == int(headers["Content-Length"])
    assert re.fullmatch("[0-9a-f]{16}" if hashed else r"127\.0\.0\.1", said["client"])


def test_a_reader_that_sleeps_holds_no_request_up(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.access=json")
    daemon.stop()
    read_end, write_end = os.pipe()
    daemon.process = subprocess.Popen(
        [daemon.process.args[0], *daemon.options], stdout=open(daemon.log_path, "ab"), stderr=write_end,
        stdin=subprocess.DEVNULL, cwd=daemon.directory)
    os.close(write_end)
    daemon.log_start = len(daemon.log)
    daemon.wait_until_ready()
    finish(load(daemon, 2, 600))
    assert metric(daemon, "influenced_access_lines_dropped_total") > 0
    os.close(read_end)
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(30) == 0
    shutil.rmtree(daemon.directory, ignore_errors=True)
