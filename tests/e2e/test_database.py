# SPDX-License-Identifier: Apache-2.0
"""Rows out of and into a real PostgreSQL."""

import contextlib
import csv
import io
import json
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import BUILD, INFLUENCE, SANITIZED, run_command

pytest_plugins = ["postgresql"]

TABLE = """
DROP TABLE IF EXISTS creators;
CREATE TABLE creators (handle text, followers bigint, posts integer, avg_likes numeric(12, 2), engagement_rate real,
  is_verified boolean, category text, country text, seen timestamptz, labels text[], fee money, gap interval);
INSERT INTO creators SELECT 'acct_' || i, 1000 + 7 * i, 10 + i % 90, 20.5 + i, 0.01 + i / 1e5, i % 3 = 0,
  (array['fashion', 'food', 'a "b", c'])[1 + i % 3], CASE WHEN i % 10 > 0 THEN 'Spain' END, '2025-03-01 12:00+02',
  array['x', 'y z'], 12.5, '90 seconds' FROM generate_series(1, 500) i;
"""


@pytest.fixture(scope="module")
def creators(postgresql):
    postgresql.sql(TABLE)
    return postgresql


def spool_files():
    return [name for name in os.listdir(os.environ.get("TMPDIR", "/tmp")) if name.startswith("influence-")]


def imported(server, query, *more):
    return run_command("import", server.uri, "--query", query, "--csv", "-", *more)


def test_a_query_reads_like_a_file(creators):
    before = spool_files()
    done = imported(creators, "SELECT * FROM creators ORDER BY followers -- all of them\n;")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 500
    first = rows[0]
    assert (first["handle"], first["followers"], first["posts"], first["avg_likes"]) == ("acct_1", "1007", "11", "21.5")
    assert (first["is_verified"], rows[2]["is_verified"]) == ("0", "1")
    assert first["seen"].startswith("2025-03-01 10:00:00")
    assert (first["labels"], float(first["fee"]), float(first["gap"])) == ("x y z", 12.5, 90.0)
    assert rows[9]["country"] == "" and first["country"] == "Spain"
    assert "unseen" not in done.stdout + done.stderr and "tester" not in done.stdout + done.stderr
    assert spool_files() == before
    # The report calls it by its database, not by the file that the rows went through.
    assert f"\n127.0.0.1:{creators.port}/creators\n  500 rows kept" in "\n" + done.stderr.split("database\n")[-1]


@pytest.mark.parametrize("end", [
    ";", "; -- the last one", ";; /* one; /* within */ another; */ ;\n", "-- no end;", "/* ; */",
    "WHERE handle <> ';' AND handle <> E'\\';' AND handle <> $x$;'$x$ AND 1 <> $$2$$ -- ;\n;",
])
def test_a_query_ends_as_people_end_it(creators, end):
    done = imported(creators, f'SELECT handle, followers, posts, 1 AS "a;b" FROM creators {end}')
    assert len(done.stdout.splitlines()) == 501


def test_odd_columns_come_as_texts_or_are_missing(creators):
    query = """SELECT 'acct_' || i AS handle, i * 1000 AS followers, CASE WHEN i > 5 THEN 'NaN'::float8 ELSE i END AS posts,
      array[i, 2] AS whole, '{"a": [1, "x,y"]}'::jsonb AS document, '\\xdead'::bytea AS bytes, 'a'::"char" AS letter,
      '2025-01-01 00:30+02'::timestamptz AS seen, ''::text AS empty, NULL::text AS nothing, B'101' AS bits,
      NULL::float8 AS "Quo""ted, name" FROM generate_series(1, 20) i"""
    done = imported(creators, query)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 20 and [row["posts"] for row in rows[4:6]] == ["5", ""]
    first = rows[0]
    assert (first["whole"], first["document"], first["bytes"]) == ("{1,2}", '{"a": [1, "x,y"]}', "\\xdead")
    assert (first["letter"], first["seen"], first["bits"]) == ("a", "2024-12-31 22:30:00+00", "101")
    assert first.get('Quo"ted, name', "") == ""
    # Infinity is no figure: a column that holds nothing else is not taken as one, and that is said.
    done = run_command("import", creators.uri, "--query", "SELECT handle, 'Infinity'::numeric AS followers FROM creators", check=False)
    assert done.returncode == 1 and "holds no numbers" in done.stderr and "'Infinity'" in done.stdout


def test_many_columns(creators):
    columns = ", ".join(f"i AS c{c}" for c in range(1597))
    done = imported(creators, f"SELECT 'acct_' || i AS handle, i AS followers, i AS posts, {columns} FROM generate_series(1, 30) i")
    assert len(done.stdout.splitlines()) == 31 and len(done.stdout.splitlines()[0].split(",")) == 1600
    wide = ", ".join(f"repeat('x', 20) || i AS c{c}" for c in range(1597))
    done = run_command("import", creators.uri, "--query", f"SELECT 'acct_' || i AS handle, i AS followers, i AS posts, {wide} FROM "
                       "generate_series(1, 30) i", "--csv", creators.uri, "--table", "wide", check=False)
    assert done.returncode == 1 and "row is too big" in done.stderr
    assert creators.sql("SELECT to_regclass('wide') IS NULL") == "t"


def no_room():
    """Files of 20 kB are the largest there can be: a full disk, but for the words."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


def test_a_spool_that_cannot_be_names_its_place(creators, tmp_path):
    query = "SELECT 'acct_' || i AS handle, i AS followers, i AS posts FROM generate_series(1, 20000) i"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = run_command("import", creators.uri, "--query", query, check=False, env=environment, preexec_fn=no_room)
    assert done.returncode == 1 and f"{tmp_path} (TMPDIR): cannot write the rows: " in done.stderr
    assert not list(tmp_path.iterdir())
    environment["TMPDIR"] = str(tmp_path / "nowhere")
    done = run_command("import", creators.uri, "--query", query, check=False, env=environment)
    assert done.returncode == 1 and f"{tmp_path}/nowhere: the rows of a query cannot be kept there (TMPDIR)" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_training_that_is_ended_leaves_no_rows_behind(creators, tmp_path, number):
    """The rows are in a file that has no name; the first signal ends it, also when they are there."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [INFLUENCE, "train", creators.uri, "--query", "SELECT * FROM creators", "--out", tmp_path / "models", "--search.repeats=50"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    while "importing" not in (line := process.stderr.readline()):
        assert line
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == -number
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("influence-")]


def test_rows_without_copy_are_the_same(creators):
    slow = subprocess.run(
        [BUILD / "tests/support/database-rows", creators.uri, "SELECT handle, category, country FROM creators ORDER BY followers"],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout
    fast = creators.sql("COPY (SELECT handle, category, country FROM creators ORDER BY followers) TO STDOUT (FORMAT csv, HEADER)")
    assert list(csv.reader(io.StringIO(slow))) == list(csv.reader(io.StringIO(fast)))


@pytest.mark.skipif(bool(SANITIZED), reason="a sanitizer keeps what was freed")
@pytest.mark.parametrize("way", [[], ["copy"]])
def test_memory_does_not_grow_with_the_rows_that_are_read(creators, way):
    """300 MB of them through 64 MB, whether the server knows COPY or not."""
    done = subprocess.run(
        [BUILD / "tests/support/database-rows", creators.uri, "SELECT i, repeat('x', 1000) AS text FROM generate_series(1, 300000) i", *way],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, 64 << 20)),
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_evaluate_reads_a_query_like_a_file(creators, tmp_path):
    table = tmp_path / "creators.csv"
    query = "SELECT handle, followers, posts, avg_likes, category FROM creators ORDER BY handle"
    table.write_text(creators.sql(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)") + "\n", encoding="utf-8")
    words = ["--target", "avg_likes", "--folds", 2, "--repeats", 1, "--models", "constant ridge", "--json"]
    of_query, of_file = ({entry["name"]: entry["metrics"] for entry in json.loads(run_command("evaluate", *source, *words).stdout)["leaderboard"]}
                         for source in ([creators.uri, "--query", query], [table]))
    assert of_query == of_file and set(of_file) == {"constant", "ridge"}


@pytest.mark.parametrize(
    "query, complaint",
    [
        ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
        ("DELETE FROM creators", "a SELECT is needed"),
        ("DELETE FROM creators RETURNING handle, followers", "read-only"),
        ("SELECT 1; SELECT 2", "multiple commands"),
        ("SELECT handle, followers / 0 AS followers FROM creators", "division by zero"),
        ("SELECT handle, followers FROM creators WHERE false", "no rows"),
    ],
)
def test_a_bad_query_is_named(creators, query, complaint):
    done = run_command("import", creators.uri, "--query", query, check=False)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert creators.sql("SELECT count(*) FROM creators") == "500"


def test_a_database_needs_a_query_and_a_query_a_database(creators, demo):
    assert "--query" in run_command("import", creators.uri, check=False).stderr
    assert "postgresql://" in run_command("import", demo / "profiles.csv", "--query", "SELECT 1", check=False).stderr


def test_posts_and_edges_come_out_of_a_database_too(creators, demo, tmp_path):
    """What is said of posts, edges and accounts is the same as of files."""
    for kind in "posts", "edges":
        with open(demo / f"{kind}.csv", encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))[:1500]
        part = tmp_path / f"{kind}.csv"
        with open(part, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        values = ", ".join("(%d, %s)" % (i, ", ".join("'%s'" % cell.replace("'", "''") if cell else "NULL" for cell in row)) for i, row in enumerate(rows))
        creators.sql(f"DROP TABLE IF EXISTS {kind}_in; CREATE TABLE {kind}_in (line int, {', '.join(name + ' text' for name in header)});"
                     f"INSERT INTO {kind}_in VALUES {values}")
        query = f"SELECT {', '.join(header)} FROM {kind}_in ORDER BY line"
        words = [demo / "profiles.csv", "--csv", "-"]
        by_file = run_command("import", *words, f"--{kind}", part).stdout
        by_query = run_command("import", *words, f"--{kind}", creators.uri, f"--{kind}-query", query).stdout
        assert by_query == by_file != run_command("import", *words).stdout
        report = run_command("import", demo / "profiles.csv", "--json", f"--{kind}", creators.uri, f"--{kind}-query", query).stdout
        assert "/proc/" not in report and f"127.0.0.1:{creators.port}/" in report
        missing = run_command("import", demo / "profiles.csv", f"--{kind}", creators.uri, check=False)
        assert missing.returncode == 1 and f"a database needs a --{kind}-query" in missing.stderr
        alone = run_command("import", demo / "profiles.csv", f"--{kind}", part, f"--{kind}-query", "SELECT 1", check=False)
        assert alone.returncode == 1 and f"--{kind}-query needs a postgresql:// source" in alone.stderr


@pytest.mark.parametrize("by", ["environment", "service"])
def test_what_a_uri_leaves_open_is_named_as_it_was_found(creators, tmp_path, by):
    services = tmp_path / "services.conf"
    services.write_text(f"[shop]\nhost=127.0.0.1\nport={creators.port}\ndbname=creators\nuser=tester\n", encoding="utf-8")
    given = {"environment": {"PGHOST": "127.0.0.1", "PGPORT": str(creators.port), "PGDATABASE": "creators", "PGUSER": "tester"},
             "service": {"PGSERVICE": "shop", "PGSERVICEFILE": str(services)}}[by]
    done = subprocess.run([INFLUENCE, "import", "postgresql://", "--query", "SELECT * FROM creators", "--json"],
                          env={**os.environ, **given}, capture_output=True, text=True, check=True)
    assert f'"127.0.0.1:{creators.port}/creators"' in done.stdout and "localhost" not in done.stdout


def test_labels_are_joined_in_the_query(creators, demo):
    done = run_command("train", demo / "profiles.csv", "--labels", creators.uri, check=False)
    assert done.returncode == 2 and "join the labels in the --query" in done.stderr


def test_a_wrong_server_or_user_is_told_apart(creators):
    closed = "postgresql://nobody:unseen@127.0.0.1:1/creators"
    done = run_command("import", closed, "--query", "SELECT 1", check=False)
    assert done.returncode == 1 and "Connection refused" in done.stderr and "unseen" not in done.stderr
    absent = creators.uri.replace("/creators", "/absent")
    assert 'database "absent" does not exist' in run_command("import", absent, "--query", "SELECT 1", check=False).stderr


@pytest.fixture(name="weak")
def fixture_weak(creators):
    """The URI of a user who may do little, with a password that the server asks for."""
    creators.sql("DROP TABLE IF EXISTS may_add, others; DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN PASSWORD 'Known-1';"
                 "CREATE TABLE may_add (handle text, followers float8); GRANT INSERT ON may_add TO weak; CREATE TABLE others (handle text, followers float8)")
    hba = creators.folder / "data/pg_hba.conf"
    open_to_all = hba.read_text(encoding="utf-8")
    hba.write_text(f"host all weak 127.0.0.1/32 scram-sha-256\n{open_to_all}", encoding="utf-8")
    creators.sql("SELECT pg_reload_conf()")
    yield creators.uri.replace("tester:unseen", "weak:Known-1")
    hba.write_text(open_to_all, encoding="utf-8")
    creators.sql("SELECT pg_reload_conf(); DROP TABLE may_add, others; DROP ROLE weak")


def test_who_may_not_is_told_so_without_the_password(creators, weak):
    def fails(uri, query="SELECT * FROM creators", *more):
        done = run_command("import", uri, "--query", query, *more, check=False)
        assert done.returncode == 1
        assert "Known-1" not in done.stdout + done.stderr and "Wrong" not in done.stdout + done.stderr
        return done.stderr

    assert "password authentication failed" in fails(weak.replace("Known-1", "Wrong-2"))
    assert "no password supplied" in fails(weak.replace(":Known-1", ""))
    assert "URI cannot be read" in fails(weak.replace("Known-1", "Wrong%zz"))
    assert "permission denied for table creators" in fails(weak)
    mine = ["SELECT 'a' || i AS handle, i AS followers FROM generate_series(1, 30) i", "--csv", weak]
    assert "permission denied for schema public" in fails(weak, *mine, "--table", "fresh")
    assert "permission denied for table others" in fails(weak, *mine, "--table", "others", "--append")
    # The right to insert is enough for a table that is there.
    run_command("import", weak, "--query", *mine, "--table", "may_add", "--append")
    assert creators.sql("SELECT count(*) FROM may_add") == "30"


@pytest.mark.parametrize("name", ["", "schema.", ".table", "x" * 64])
def test_a_table_needs_a_name_that_fits(creators, name):
    done = run_command("import", creators.uri, "--query", "SELECT * FROM creators", "--csv", creators.uri, "--table", name, check=False)
    assert done.returncode == 1 and "of 1 to 63 bytes each" in done.stderr


def test_a_table_is_named_as_it_is_written(creators):
    name = 'we"ird; DROP TABLE creators'
    run_command("import", creators.uri, "--query", "SELECT * FROM creators", "--csv", creators.uri, "--table", name)
    assert creators.sql('SELECT count(*) FROM "we""ird; DROP TABLE creators"; DROP TABLE "we""ird; DROP TABLE creators"') == "500"


def predict(server, models, *more, check=True):
    return run_command(
        "predict", server.uri, "--query", "SELECT * FROM creators", "--bundle", models, "--to", server.uri, "--table", "scores", *more,
        check=check,
    )


def test_scores_go_into_a_table_whole(creators, models, tmp_path):
    creators.sql("DROP TABLE IF EXISTS scores")
    predict(creators, models)
    local = run_command("predict", creators.uri, "--query", "SELECT * FROM creators", "--bundle", models).stdout
    rows = {row["handle"]: row for row in csv.DictReader(io.StringIO(local))}
    there = [line.split("|") for line in creators.sql("SELECT handle, score, tier, imputed FROM scores").splitlines()]
    assert len(there) == len(rows) == 500
    for handle, score, tier, imputed in there:
        assert float(score) == float(rows[handle]["score"])
        assert (tier, imputed) == (rows[handle]["tier"], rows[handle]["imputed"])
    refused = predict(creators, models, check=False)
    assert refused.returncode == 1 and "--append or --replace" in refused.stderr
    predict(creators, models, "--append")
    assert creators.sql("SELECT count(*) FROM scores") == "1000"
    predict(creators, models, "--replace")
    assert creators.sql("SELECT count(*) FROM scores") == "500"


def test_a_table_of_other_columns_is_left_alone(creators, models):
    creators.sql("DROP TABLE IF EXISTS scores; CREATE TABLE scores (handle text)")
    done = predict(creators, models, "--append", check=False)
    assert done.returncode == 1 and "score" in done.stderr and "does not exist" in done.stderr
    assert creators.sql("SELECT count(*) FROM scores") == "0"
    creators.sql("DROP TABLE scores")


def test_a_cleaned_table_goes_into_a_schema(creators):
    creators.sql("DROP SCHEMA IF EXISTS \"Clean up\" CASCADE; CREATE SCHEMA \"Clean up\"")
    run_command("import", creators.uri, "--query", "SELECT * FROM creators", "--csv", creators.uri, "--table", "Clean up.all")
    assert creators.sql('SELECT count(*), sum(followers) FROM "Clean up"."all"') == "500|1376750"


def test_ctrl_c_stops_the_server_too(creators):
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()"
    process = subprocess.Popen(
        [INFLUENCE, "import", creators.uri, "--query", "SELECT handle, followers, pg_sleep(0.2) FROM creators"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    deadline = time.monotonic() + 30
    while creators.sql(sleeping) == "0" and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1 and "stopped on request" in stderr
    while creators.sql(sleeping) != "0" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert creators.sql(sleeping) == "0"


@pytest.mark.parametrize("way", ["reading", "writing"])
def test_ctrl_c_is_heard_where_the_server_waits_for_a_lock(creators, way):
    creators.sql("DROP TABLE IF EXISTS locked; CREATE TABLE locked (handle text UNIQUE, followers float8)")
    if way == "reading":
        hold, words = "LOCK TABLE locked IN ACCESS EXCLUSIVE MODE", ["--query", "SELECT * FROM locked"]
    else:
        # More rows than the sockets take: the client waits until it can send.
        hold = "INSERT INTO locked VALUES ('acct_7', 1)"
        words = ["--query", "SELECT 'acct_' || i AS handle, i AS followers FROM generate_series(1, 300000) i", "--csv", creators.uri, "--table", "locked", "--append"]
    holder = subprocess.Popen([creators.psql, "-XqAt", creators.uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'influence' AND wait_event_type = 'Lock'"
    try:
        holder.stdin.write(f"BEGIN; {hold};\n\\echo held\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        process = subprocess.Popen([INFLUENCE, "import", creators.uri, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while creators.sql(waiting) == "0" and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
        assert process.returncode == 1 and "stopped on request" in stderr
        while creators.sql(waiting) != "0":
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        holder.communicate("ROLLBACK;\n", timeout=30)
    assert creators.sql("SELECT count(*) FROM locked") == "0"


def test_an_error_of_the_server_says_where(creators):
    creators.sql("DROP TABLE IF EXISTS whole; CREATE TABLE whole (handle text UNIQUE, followers int)")
    into = ["--csv", creators.uri, "--table", "whole", "--append"]
    done = run_command("import", creators.uri, "--query", "SELECT 'a' || i AS handle, i + 0.5 AS avg_likes, i + 7 AS followers FROM generate_series(1, 30) i", *into, check=False)
    assert done.returncode == 1 and 'column "avg_likes" of relation "whole" does not exist' in done.stderr
    creators.sql("INSERT INTO whole VALUES ('a3', 1)")
    done = run_command("import", creators.uri, "--query", "SELECT 'a' || i AS handle, i + 7 AS followers FROM generate_series(1, 30) i", *into, check=False)
    assert done.returncode == 1 and "(Key (handle)=(a3) already exists.)" in done.stderr
    creators.sql("ALTER TABLE whole ALTER followers TYPE date USING NULL")
    done = run_command("import", creators.uri, "--query", "SELECT 'b' || i AS handle, i + 7 AS followers FROM generate_series(1, 30) i", *into, check=False)
    assert done.returncode == 1 and "(COPY whole, line 1, column followers:" in done.stderr


def test_the_end_of_a_password_with_an_at_is_not_shown():
    done = run_command("import", "postgresql://tester:sec@ret@127.0.0.1/shop", "--query", "SELECT 1", check=False)
    assert done.returncode == 1 and "an @ in the password is written %40" in done.stderr and "ret@" not in done.stderr


def wait_in_the_server(server, what, condition):
    """Until `what` is told of a connection of ours of which the condition holds."""
    ask = f"SELECT {what} FROM pg_stat_activity WHERE application_name = 'influence' AND {condition}"
    deadline = time.monotonic() + 120
    while server.sql(ask) == "":
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Wire:
    """A port that leads to the server, until it is cut."""

    def __init__(self, port):
        self.port_of_server, self.ends = port, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                ends = self.listener.accept()[0], socket.create_connection(("127.0.0.1", self.port_of_server))
                self.ends.extend(ends)
                for one, other in ends, reversed(ends):
                    threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    def pump(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    def cut(self):
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("where", ["before a row", "among the rows"])
def test_a_connection_lost_while_reading_is_opened_again(creators, where):
    """The query starts over, and no row comes twice. The gate is closed for the first attempt alone."""
    creators.sql("DROP TABLE IF EXISTS gate; CREATE TABLE gate (open boolean)")
    creators.sql("""CREATE OR REPLACE FUNCTION pass(number bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
        BEGIN WHILE number = 0 AND NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.05); END LOOP; RETURN number; END $$""")
    # Rows of a kilobyte, so that those before the gate have been sent when it is met.
    first = 1 if where == "before a row" else 2000
    query = f"SELECT handle, followers, repeat('x', 1000) AS text, pass(row_number() OVER () - {first}) AS passed FROM creators, generate_series(1, 8)"
    wire = Wire(creators.port)
    words = ["import", creators.uri.replace(str(creators.port), str(wire.port)), "--query", query, "--json"]
    with subprocess.Popen([INFLUENCE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_in_the_server(creators, "pid", "wait_event = 'PgSleep'")
        wire.cut()
        creators.sql("INSERT INTO gate VALUES (true)")
        stdout, stderr = process.communicate(timeout=120)
    wire.listener.close()
    assert process.returncode == 0 and "reading again" in stderr, stderr
    assert json.loads(stdout)["sources"][0]["rows"] == 4000


def test_a_writer_whose_connection_is_lost_leaves_the_table_as_it_was(creators, models):
    creators.sql("DROP TABLE IF EXISTS scores")
    words = ["predict", creators.uri, "--query", "SELECT * FROM creators", "--bundle", models, "--to", creators.uri, "--table", "scores"]
    run_command(*words)
    whole = creators.sql("SELECT count(*), sum(score) FROM scores")
    with subprocess.Popen([creators.psql, "-Xq", creators.uri], stdin=subprocess.PIPE, text=True) as holder:
        holder.stdin.write("BEGIN; LOCK TABLE scores IN ACCESS EXCLUSIVE MODE;\n")
        holder.stdin.flush()
        with subprocess.Popen([INFLUENCE, *map(str, words), "--replace"], stderr=subprocess.PIPE, text=True) as process:
            wait_in_the_server(creators, "pg_terminate_backend(pid)", "wait_event_type = 'Lock'")
            _, stderr = process.communicate(timeout=120)
        holder.communicate("ROLLBACK;\n", timeout=60)
    assert process.returncode == 1 and "terminating connection" in stderr, stderr
    assert creators.sql("SELECT count(*), sum(score) FROM scores") == whole


@pytest.mark.parametrize("words", [
    ["import", "postgresql://tester:secret@127.0.0.1:{}/db?password=secret", "--query", "SELECT 1"],
    ["fetch", "http://127.0.0.1:{}/table.csv?signature=secret", "--out"],
])
def test_the_process_list_shows_no_secret(tmp_path, words):
    """A server that takes the connection and says nothing: by then the words are gone, and what they say is used."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        words = [word.format(listener.getsockname()[1]) for word in words]
        with subprocess.Popen([INFLUENCE, *words, *([tmp_path] if words[-1] == "--out" else [])],
                              stderr=subprocess.PIPE) as process:
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                process.kill()
                pytest.skip(process.stderr.read().decode())  # built without libpq
            shown = (Path("/proc") / str(process.pid) / "cmdline").read_bytes()
            process.kill()
            peer.close()
    assert words[0].encode() in shown and b"127.0.0.1" in shown
    assert b"secret" not in shown
