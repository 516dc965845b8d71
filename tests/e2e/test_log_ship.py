# SPDX-License-Identifier: Apache-2.0
"""influence log ship: every row of a request log in PostgreSQL, once, whatever is killed on the way."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.request
from http.client import HTTPException

import pytest

from conftest import INFLUENCE, ROOT, SANITIZED, run_command
from test_daemon_drift import two_bundles
from test_daemon_log import metric

pytest_plugins = ["postgresql"]
BODY = b'{"followers": 120000, "posts": 850, "avg_likes": 4100}'


def ask(daemon, n):
    for _ in range(n):
        request = urllib.request.Request(daemon.url + "/score", data=BODY, headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=30).read()


def rows_in(daemon):
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        return db.execute("SELECT count(*) FROM request").fetchone()[0]


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


@pytest.fixture
def table(postgresql):
    postgresql.sql("DROP TABLE IF EXISTS requests, other, influence_shipped")
    return postgresql


def ship(server, daemon, *more):
    return ["log", "ship", "--db", daemon.directory / "requests.db", "--to", server.uri, "--table", "requests", *more]


def same_rows(server, daemon):
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        here = db.execute("SELECT id, request_id, route, status, input, output FROM request ORDER BY id").fetchall()
    there = server.sql("SELECT id, request_id, route, status, input, output FROM requests ORDER BY id").splitlines()
    assert ["|".join("" if value is None else str(value) for value in row) for row in here] == there
    return len(here)


def test_rows_arrive_once_and_only_what_is_new(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    ask(daemon, 30)
    daemon.stop()
    first = run_command(*ship(table, daemon)).stdout
    assert f"{rows_in(daemon)} rows shipped" in first
    assert "0 rows shipped" in run_command(*ship(table, daemon)).stdout
    assert same_rows(table, daemon) >= 30
    daemon.start()
    ask(daemon, 5)
    daemon.stop()
    run_command(*ship(table, daemon))
    same_rows(table, daemon)
    assert table.sql("SELECT count(DISTINCT origin) FROM requests") == "1"


def test_rows_of_the_shadow_which_have_no_caller_are_shipped_too(table, start_daemon, tmp_path):
    models, shadow, _ = two_bundles(tmp_path)
    daemon = start_daemon(models, f"--models.shadow={shadow}", "--log.batch_ms=10")
    ask(daemon, 5)
    daemon.stop()
    run_command(*ship(table, daemon))
    same_rows(table, daemon)
    assert table.sql("SELECT DISTINCT caller = '' FROM requests WHERE route = '(shadow)'") == "t"


def test_what_is_not_delivered_is_not_deleted(table, hand_models, start_daemon):
    """Retention waits for the delivery, and goes on behind it."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    ask(daemon, 20)
    daemon.stop()
    run_command(*ship(table, daemon))
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        db.execute("UPDATE request SET time_us = 1000000")
        db.execute("UPDATE delivery SET last_id = 7")
    daemon.options.append("--log.max_age_days=1")
    daemon.start()
    ask(daemon, 1)

    def old_ids():
        with sqlite3.connect(daemon.directory / "requests.db") as db:
            return [row[0] for row in db.execute("SELECT id FROM request WHERE time_us = 1000000 ORDER BY id")]

    wait_for(lambda: old_ids()[:1] == [8])
    assert len(old_ids()) >= 13
    daemon.stop()


def test_what_waits_has_a_bound_where_one_is_set(table, hand_models, start_daemon):
    """The oldest go undelivered, and are counted; what is left arrives, each row once."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10", "--log.max_bytes=400000", "--log.max_undelivered_bytes=1000000")
    ask(daemon, 3)
    wait_for(lambda: rows_in(daemon) >= 3)
    run_command(*ship(table, daemon))
    before = int(table.sql("SELECT max(id) FROM requests"))
    body = json.dumps({"followers": 5, "pad": "y" * 20000}).encode()
    for _ in range(120):
        assert daemon.request("POST", "/score", body, {"Content-Type": "application/json"})[0] == 200
    wait_for(lambda: metric(daemon, "influenced_log_undelivered_deleted_rows_total ") > 0
             and metric(daemon, "influenced_log_file_bytes ") <= 1_000_000)
    assert daemon.log.count("deleted undelivered") >= 1
    lost = metric(daemon, "influenced_log_undelivered_deleted_rows_total ")
    daemon.stop()
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        first, n, bodies = db.execute("SELECT min(id), count(*), sum(length(input)) FROM request").fetchone()
    assert n > 20 and 500_000 < bodies < 1_000_000 and first == before + 1 + lost
    run_command(*ship(table, daemon))
    assert table.sql(f"SELECT count(*), count(DISTINCT id), min(id) FROM requests WHERE id > {before}") == f"{n}|{n}|{first}"


def test_the_bound_of_what_waits_takes_nothing_that_was_delivered(table, hand_models, start_daemon):
    """More has been delivered than may wait: it stays as long as log.max_bytes has room."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10", "--log.max_undelivered_bytes=800000")
    ask(daemon, 1)
    wait_for(lambda: rows_in(daemon) >= 1)
    run_command(*ship(table, daemon))
    body = json.dumps({"followers": 5, "pad": "y" * 20000}).encode()
    for round in range(5):
        for _ in range(20):
            assert daemon.request("POST", "/score", body, {"Content-Type": "application/json"})[0] == 200
        wait_for(lambda: rows_in(daemon) >= 1 + 20 * (round + 1))
        run_command(*ship(table, daemon))
    ask(daemon, 3)
    wait_for(lambda: rows_in(daemon) >= 104)
    # Each look is a row itself, and that rows are counted means that retention has had its turn.
    wait_for(lambda: metric(daemon, "influenced_log_undelivered_rows ") >= 3)
    assert metric(daemon, "influenced_log_file_bytes ") > 1_500_000
    assert metric(daemon, "influenced_log_undelivered_deleted_rows_total ") == 0
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        assert db.execute("SELECT min(id), max(id) - count(*) FROM request").fetchone() == (1, 0)


def test_rows_that_wait_are_told_and_can_be_let_go(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models, "--log.batch_ms=10", "--log.max_age_days=1")
    log = daemon.directory / "requests.db"
    ask(daemon, 10)
    assert metric(daemon, "influenced_log_undelivered_rows ") == metric(daemon, "influenced_log_undelivered_seconds ") == 0
    assert run_command("log", "ship", "--db", log, "--forget", check=False).returncode == 1
    run_command(*ship(table, daemon))
    ask(daemon, 7)
    wait_for(lambda: metric(daemon, "influenced_log_undelivered_rows ") >= 7)
    with sqlite3.connect(log, timeout=30) as db:
        db.execute("UPDATE request SET time_us = time_us - 3 * 86400000000")
    wait_for(lambda: metric(daemon, "influenced_log_undelivered_seconds ") > 2 * 86400)
    time.sleep(2)  # retention has looked again

    def old():
        with sqlite3.connect(log, timeout=30) as db:
            return db.execute("SELECT count(*) FROM request WHERE time_us < (unixepoch() - 2 * 86400) * 1000000").fetchone()[0]

    assert old() >= 7
    assert json.loads(run_command("log", "ship", "--db", log, "--forget", "--json").stdout)["undelivered"] >= 7
    wait_for(lambda: old() == 0)
    wait_for(lambda: metric(daemon, "influenced_log_undelivered_rows ") == 0)
    again = run_command("log", "ship", "--db", log, "--forget", check=False)
    assert again.returncode == 1 and "no rows wait for a delivery" in again.stderr
    # To ship again is safe: one origin, each row once, and rows wait again.
    ask(daemon, 3)
    wait_for(lambda: rows_in(daemon) >= 3)
    run_command(*ship(table, daemon))
    assert table.sql("SELECT count(DISTINCT origin), count(*) = count(DISTINCT id) FROM requests") == "1|t"
    ask(daemon, 2)
    wait_for(lambda: metric(daemon, "influenced_log_undelivered_rows ") >= 2)
    daemon.stop()


MENTIONS = [
    '{"handle":"Some_One","followers":5}', '{"handle":"@some_one"}', "/score?handle=some_one", "/score?handle=%40SOME_ONE&k=3",
    "/score?handle=some%5Fone", '{"handle":"\\u0040some_one"}', '{"handle":"some\\u005fone"}', "some_one", "a,some_one,b", "%20some_one%0a",
    '{"text":"x some_one"}',
]
OTHERS = [
    '{"handle":"some_one_else"}', '{"handle":"awesome_one"}', '{"handle":"some.one"}', '{"handle":"someXone"}', '{"handle":"some_one.x"}',
    "/score?handle=some_one%5Fx", "/score?handle=%61some_one", '{"handle":"some_one\\u0061"}', '{"handle":"\\u00e9some_one"}',
    '{"handle":"\u00e9some_one"}', '{"handle":"some_one\u00e9"}', "some_on", "/score?handle=%C3%A9some_one", None,
]


def erased_by(server, daemon, texts, handle):
    """Ids that stay, in the file and in the table, when the texts were asked for."""
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        db.execute("DELETE FROM request")
        for text in texts:
            for pair in ((text, None), (None, text)):
                db.execute("INSERT INTO request (time_us, request_id, route, status, latency_us, caller, input, output)"
                           " VALUES (1, 'r', '/score', 200, 1, 'c', ?, ?)", pair)
    run_command(*ship(server, daemon))
    log = daemon.directory / "requests.db"
    done = run_command("log", "erase", "--db", log, "--to", server.uri, "--table", "requests", "--handle", handle, "--json").stdout
    with sqlite3.connect(log) as db:
        assert db.execute("SELECT count(*) FROM request").fetchone()[0] == 2 * len(texts)  # the file is left alone
    here = json.loads(run_command("log", "erase", "--db", log, "--handle", handle, "--json").stdout)["erased"]
    assert json.loads(done)["erased"] == here
    with sqlite3.connect(log) as db:
        ids = [str(row[0]) for row in db.execute("SELECT id FROM request ORDER BY id")]
    assert server.sql("SELECT id FROM requests ORDER BY id").split() == ids
    server.sql("DROP TABLE requests, influence_shipped")
    return here


def test_a_handle_is_erased_from_the_table_as_from_the_file(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    daemon.stop()
    assert erased_by(table, daemon, MENTIONS + OTHERS, "@some_one") == 2 * len(MENTIONS)
    assert erased_by(table, daemon, ["%40x", "/score?handle=%4040x", "40x", "(a+b)*", "some*"], "40x") == 2 * 2
    assert erased_by(table, daemon, ["a.b", "a+b", "axb", "A.B"], "a.b") == 2 * 2
    missing = run_command("log", "erase", "--handle", "x", "--to", table.uri, check=False)
    assert missing.returncode == 2 and "--table" in missing.stderr


def test_a_hashed_handle_is_erased_from_the_table(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models, "--log.batch_ms=10", "--log.hash_handles=true")
    daemon.get("/score?handle=somebody")
    daemon.get("/score?handle=another")
    daemon.stop()
    run_command(*ship(table, daemon))
    before = int(table.sql("SELECT count(*) FROM requests"))
    log = daemon.directory / "requests.db"
    done = run_command("log", "erase", "--db", log, "--to", table.uri, "--table", "requests", "--handle", "Somebody").stdout
    assert "1 rows erased from the table" in done
    assert int(table.sql("SELECT count(*) FROM requests")) == before - 1


def test_every_row_once_whatever_is_killed(table, hand_models, start_daemon):
    """The database ends at once and comes back, shipper and daemon are killed with -9, under load, again and again."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10", "--log.durability=batched")
    stop = threading.Event()

    def load():
        while not stop.is_set():
            try:
                ask(daemon, 1)
            except (OSError, HTTPException):
                time.sleep(0.05)  # it is killed, and started again

    callers = [threading.Thread(target=load) for _ in range(2)]
    for caller in callers:
        caller.start()
    rounds = 4 if SANITIZED else 8
    chance = random.Random(0)
    try:
        for i in range(rounds):
            process = subprocess.Popen([INFLUENCE, *map(str, ship(table, daemon, "--follow"))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.2 + chance.random() / 2)
            if i % 2 == 1:
                table.stop("immediate")
                time.sleep(0.1)
                table.start()
            elif i % 4 == 2:
                daemon.process.kill()
                daemon.process.wait()
                daemon.start()
            process.kill()
            process.wait()
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    daemon.stop()
    done = run_command(*ship(table, daemon))
    assert "rows shipped" in done.stdout
    assert same_rows(table, daemon) > 20 * rounds


def test_it_follows_and_ends_on_a_signal(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    process = subprocess.Popen([INFLUENCE, *map(str, ship(table, daemon, "--follow", "--json"))], stdout=subprocess.PIPE, text=True)
    ask(daemon, 3)
    wait_for(lambda: table.sql("SELECT to_regclass('requests')") == "requests" and int(table.sql("SELECT count(*) FROM requests WHERE route = '/score'")) == 3)
    process.send_signal(signal.SIGTERM)
    assert '"shipped":' in process.communicate(timeout=30)[0]
    assert process.returncode == 0


def test_a_log_begun_in_the_place_of_another_is_followed_too(table, hand_models, start_daemon):
    """Its ids begin anew: behind the old log's mark its rows would be passed over."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    process = subprocess.Popen([INFLUENCE, *map(str, ship(table, daemon, "--follow"))], stdout=subprocess.DEVNULL)

    def scores():
        there = table.sql("SELECT to_regclass('requests')") == "requests"
        return int(table.sql("SELECT count(*) FROM requests WHERE route = '/score'")) if there else 0

    try:
        ask(daemon, 9)
        wait_for(lambda: scores() == 9)
        daemon.stop()
        for file in daemon.directory.glob("requests.db*"):
            if not file.name.endswith(".key"):
                file.rename(file.with_name("moved-" + file.name))
        time.sleep(1)  # the shipper looks where no log is
        assert process.poll() is None
        daemon.start()
        ask(daemon, 4)
        wait_for(lambda: scores() == 13)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert process.returncode == 0
    assert table.sql("SELECT count(DISTINCT origin) FROM requests") == "2"


def test_each_table_gets_all_rows_and_a_dropped_one_is_told(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    ask(daemon, 5)
    daemon.stop()
    run_command(*ship(table, daemon))
    other = [word if word != "requests" else "other" for word in ship(table, daemon)]
    assert f" {rows_in(daemon)} rows shipped" in run_command(*other).stdout
    assert table.sql("SELECT count(*) FROM requests") == table.sql("SELECT count(*) FROM other") == str(rows_in(daemon))
    # To make it anew and say that there is nothing to do would lose what it held.
    table.sql("DROP TABLE requests")
    done = run_command(*ship(table, daemon), check=False)
    assert done.returncode == 1 and "the table 'requests' is gone" in done.stderr
    assert table.sql("SELECT to_regclass('requests') IS NULL") == "t"
    statement = done.stderr[done.stderr.index("DELETE FROM"):].splitlines()[0]
    table.sql(statement)
    run_command(*ship(table, daemon))
    same_rows(table, daemon)


def test_a_table_of_another_shape_is_told_by_what_it_lacks(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models)
    daemon.stop()
    table.sql("CREATE TABLE requests (origin text)")
    done = run_command(*ship(table, daemon), check=False)
    assert done.returncode == 1 and 'column "id" does not exist' in done.stderr, done.stderr


def test_rows_without_a_mark_are_not_sent_again(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    ask(daemon, 5)
    daemon.stop()
    run_command(*ship(table, daemon))
    table.sql("DROP TABLE influence_shipped")
    assert " 0 rows shipped" in run_command(*ship(table, daemon)).stdout
    same_rows(table, daemon)


def test_a_request_id_that_comes_twice_has_two_rows_in_file_and_table(table, hand_models, start_daemon):
    """A client's retry is a request of its own: each was answered. The last answer of each id is one statement away."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    for _ in range(2):
        request = urllib.request.Request(daemon.url + "/score", data=BODY, headers={"Content-Type": "application/json", "X-Request-Id": "again-1"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert reply.headers["X-Request-Id"] == "again-1"
    daemon.stop()
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        # Two loops may have answered: their rows are numbered as the writer takes them, not by time.
        here = [row[0] for row in db.execute("SELECT id FROM request WHERE request_id = 'again-1' ORDER BY time_us, id")]
    assert len(here) == 2
    run_command(*ship(table, daemon))
    assert table.sql("SELECT id FROM requests WHERE request_id = 'again-1' ORDER BY id").split() == [str(i) for i in sorted(here)]
    view = re.search(r"^    CREATE VIEW requests_once AS\n        .*;$", (ROOT / "docs/postgresql.md").read_text(encoding="utf-8"), re.MULTILINE)[0]
    try:
        table.sql(view)
        assert table.sql("SELECT id FROM requests_once WHERE request_id = 'again-1'") == str(here[1])
    finally:
        table.sql("DROP VIEW IF EXISTS requests_once")


def test_a_user_with_a_schema_of_his_own_can_ship(table, hand_models, start_daemon):
    """PostgreSQL 15 lets nobody make tables in public."""
    table.sql("DROP SCHEMA IF EXISTS logs CASCADE; DROP ROLE IF EXISTS shipper; CREATE ROLE shipper LOGIN; CREATE SCHEMA logs AUTHORIZATION shipper")
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    ask(daemon, 5)
    daemon.stop()
    run_command("log", "ship", "--db", daemon.directory / "requests.db", "--to", table.uri.replace("tester:unseen", "shipper"), "--table", "logs.requests")
    assert table.sql("SELECT count(*) FROM logs.requests") == str(rows_in(daemon))
    table.sql("DROP SCHEMA logs CASCADE; DROP ROLE shipper")


def test_a_database_that_takes_no_writes_is_waited_for(table, hand_models, start_daemon):
    """As a primary that has become a standby."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    ask(daemon, 5)
    table.sql("ALTER ROLE tester SET default_transaction_read_only = on")
    process = subprocess.Popen([INFLUENCE, *map(str, ship(table, daemon, "--follow"))], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert "read-only transaction; again in" in process.stderr.readline()
        table.sql("SET default_transaction_read_only = off; ALTER ROLE tester RESET default_transaction_read_only")
        wait_for(lambda: table.sql("SELECT to_regclass('requests') IS NOT NULL") == "t" and int(table.sql("SELECT count(*) FROM requests")) >= 5)
    finally:
        process.terminate()
        process.communicate(timeout=30)
        table.sql("SET default_transaction_read_only = off; ALTER ROLE tester RESET default_transaction_read_only")


def following(server, daemon):
    return subprocess.Popen([INFLUENCE, *map(str, ship(server, daemon, "--follow"))], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_what_is_cancelled_in_the_server_is_tried_again(table, hand_models, start_daemon):
    """By a time limit or by an administrator: not by whoever ends the shipper."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    ask(daemon, 5)
    run_command(*ship(table, daemon))
    locker = subprocess.Popen([table.psql, "-Xq", table.uri], stdin=subprocess.PIPE, text=True)
    locker.stdin.write("BEGIN; LOCK TABLE requests;\n")
    locker.stdin.flush()
    process = following(table, daemon)
    waiting = "FROM pg_stat_activity WHERE application_name = 'influence' AND wait_event_type = 'Lock'"
    try:
        wait_for(lambda: table.sql(f"SELECT count(*) {waiting}") == "1")
        ask(daemon, 3)
        table.sql(f"SELECT pg_cancel_backend(pid) {waiting}")
        assert "canceling statement due to user request; again in" in process.stderr.readline()
        locker.communicate("ROLLBACK;\n", timeout=30)
        wait_for(lambda: int(table.sql("SELECT count(*) FROM requests WHERE route = '/score'")) == 8)
    finally:
        locker.kill()
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_table_dropped_under_the_shipper_is_told_and_not_made_anew(table, hand_models, start_daemon):
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    ask(daemon, 5)
    run_command(*ship(table, daemon))
    process = following(table, daemon)
    wait_for(lambda: table.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'influence'") == "1")
    time.sleep(1)  # it has looked, and waits for rows
    table.sql("DROP TABLE requests")
    ask(daemon, 5)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1 and "the table 'requests' is gone" in said and "DELETE FROM influence_shipped" in said
    assert table.sql("SELECT to_regclass('requests') IS NULL") == "t"


def test_a_database_that_lacks_letters_is_refused_at_once(table, hand_models, start_daemon):
    """Not at the first request that holds one, which would stop all behind it."""
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    daemon.stop()
    for encoding, code in ("LATIN1", 1), ("SQL_ASCII", 0):
        table.sql("DROP DATABASE IF EXISTS narrow", "postgres")
        table.sql(f"CREATE DATABASE narrow ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", "postgres")
        done = run_command("log", "ship", "--db", daemon.directory / "requests.db", "--to", table.uri.replace("/creators", "/narrow"), "--table", "requests",
                           check=False)
        assert done.returncode == code and ("needs a database in UTF8" in done.stderr) == (code == 1)
        assert table.sql("SELECT to_regclass('requests') IS NULL", "narrow") == ("t" if code else "f")
    table.sql("DROP DATABASE narrow", "postgres")


def test_the_shipper_of_compose_takes_every_log(table, hand_models, start_daemon, tmp_path):
    """Its script, with this machine's places."""
    yaml = pytest.importorskip("yaml", reason="needs python3-yaml")
    service = yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))["services"]["ship"]
    script = service["command"][0].replace("$$", "$")
    for written, here in ("sleep 5", "sleep 0.2"), ("/log/", f"{tmp_path}/"), ("influence log ship", f"{INFLUENCE} log ship"):
        assert script.count(written) == 1
        script = script.replace(written, here)
    for name in "a", "b":
        daemon = start_daemon(hand_models, "--log.batch_ms=10")
        ask(daemon, 3)
        daemon.stop()
        (daemon.directory / "requests.db").rename(tmp_path / f"requests-{name}.db")
    process = subprocess.Popen([*service["entrypoint"], script], env={**os.environ, "SHIP_TO": table.uri, "SHIP_TABLE": "requests"})
    try:
        wait_for(lambda: table.sql("SELECT to_regclass('requests')") == "requests"
                 and table.sql("SELECT count(DISTINCT origin), count(*) FROM requests WHERE route = '/score'") == "2|6")
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def first_log(tmp_path):
    """As the first version made it: no traces, no mark, and ids that come twice once their row is gone."""
    path = tmp_path / "requests.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE request ( id INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, request_id TEXT NOT NULL, route TEXT NOT NULL,"
                   " status INTEGER NOT NULL, model TEXT, latency_us INTEGER NOT NULL, caller TEXT NOT NULL, input TEXT, output TEXT)")
        db.executemany("INSERT INTO request (time_us, request_id, route, status, latency_us, caller, input) VALUES (?, ?, '/score', 200, 9, 'c', ?)",
                       [(1_700_000_000_000_000 + i, f"old-{i}", f'{{"handle": "h{i}"}}') for i in range(20)])
        db.execute("PRAGMA application_id = 1229343815")
        db.execute("PRAGMA user_version = 1")
    db.close()
    return path


def shipped(table, *columns):
    return table.sql(f"SELECT {', '.join(columns)} FROM requests ORDER BY id").splitlines()


def test_a_log_of_the_first_version_is_shipped_whole(table, first_log):
    """Also the rows that come after the newest one was erased: their ids are new ones."""
    command = ["log", "ship", "--db", first_log, "--to", table.uri, "--table", "requests", "--json"]
    assert json.loads(run_command(*command).stdout)["shipped"] == 20
    assert shipped(table, "request_id", "coalesce(trace_id, 'none')") == [f"old-{i}|none" for i in range(20)]
    assert run_command("log", "erase", "--db", first_log, "--handle", "h19").stdout == "1 rows erased\n"
    with sqlite3.connect(first_log) as db:
        db.execute("INSERT INTO request (time_us, request_id, route, status, latency_us, caller) VALUES (1, 'new', '/score', 200, 9, 'c')")
        assert db.execute("SELECT max(id) FROM request").fetchone() == (21,)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    assert json.loads(run_command(*command).stdout)["shipped"] == 1
    assert shipped(table, "request_id")[-2:] == ["old-19", "new"]


def test_a_daemon_goes_on_with_a_log_of_the_first_version(table, first_log, hand_models, start_daemon):
    """All of its rows had been deleted, so that ids would begin anew, below the mark."""
    command = ["log", "ship", "--db", first_log, "--to", table.uri, "--table", "requests", "--json"]
    run_command(*command)
    with sqlite3.connect(first_log) as db:
        db.execute("DELETE FROM sqlite_sequence")  # as the version before left it: a mark and no sequence
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, ' AUTOINCREMENT', '') WHERE name = 'request'")
        db.execute("DELETE FROM request")
    db.close()
    daemon = start_daemon(hand_models, f"--log.path={first_log}")
    request = urllib.request.Request(daemon.url + "/score", data=BODY,
                                     headers={"Content-Type": "application/json", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    urllib.request.urlopen(request, timeout=30).read()
    daemon.stop()
    done = json.loads(run_command(*command).stdout)
    assert done["shipped"] >= 1
    rows = shipped(table, "id", "route", "trace_id")
    assert any(row.endswith(f"|/score|{'a' * 32}") for row in rows[20:])
    assert len(rows) == 20 + done["shipped"] and int(rows[20].split("|")[0]) == 21


def test_a_table_without_traces_goes_on_until_it_has_them(table, first_log):
    command = ["log", "ship", "--db", first_log, "--to", table.uri, "--table", "requests", "--json"]
    run_command(*command)
    table.sql("ALTER TABLE requests DROP COLUMN trace_id")
    add = "INSERT INTO request (time_us, request_id, route, status, latency_us, caller, trace_id) VALUES (1, 'new', '/score', 200, 9, 'c', 't-1')"
    with sqlite3.connect(first_log) as db:
        db.execute("ALTER TABLE request ADD COLUMN trace_id TEXT")
        db.execute(add)
    assert json.loads(run_command(*command).stdout)["shipped"] == 1
    table.sql("ALTER TABLE requests ADD COLUMN trace_id text")
    with sqlite3.connect(first_log) as db:
        db.execute(add)
    db.close()
    assert json.loads(run_command(*command).stdout)["shipped"] == 1
    assert shipped(table, "coalesce(trace_id, 'none')")[-2:] == ["none", "t-1"]


def test_a_log_of_a_later_version_is_refused_by_name(table, first_log):
    with sqlite3.connect(first_log) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    done = run_command("log", "ship", "--db", first_log, "--to", table.uri, "--table", "requests", check=False)
    assert done.returncode == 1 and "written by a later version (schema 2, this one knows 1)" in done.stderr


def test_it_says_what_it_lacks(table, tmp_path):
    assert "--to" in run_command("log", "ship", check=False).stderr
    done = run_command("log", "ship", "--db", tmp_path / "none.db", "--to", table.uri, "--table", "requests", check=False)
    assert done.returncode == 1 and "no such file" in done.stderr
