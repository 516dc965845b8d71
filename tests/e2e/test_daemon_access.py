# SPDX-License-Identifier: Apache-2.0
"""Who is let in: tokens, origins, rates, the routes of administrators."""

import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import INFLUENCED

BODY = json.dumps({"followers": 5000}).encode()


def ask(daemon, method, path, token=None, body=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    status, headers, body = daemon.request(method, path, body, headers)
    code = None
    if status >= 400:
        code = json.loads(body)["error"]["code"]
    return status, headers, code


def make_tokens(run, path, **scopes):
    """A file with a token for each name; gives name -> token."""
    tokens = {}
    lines = ["# who may come in", ""]
    for name, scope in scopes.items():
        made = json.loads(run("token", "new", "--scope", scope, "--name", name, "--json").stdout)
        tokens[name] = made["token"]
        lines.append(made["line"])
    path.write_text("\n".join(lines) + "\n")
    return tokens


@pytest.fixture
def guarded(run, start_daemon, hand_models, tmp_path):
    path = tmp_path / "tokens"
    tokens = make_tokens(run, path, shop="predict", prometheus="metrics", ops="admin,metrics")
    daemon = start_daemon(hand_models, f"--access.tokens={path}")
    return daemon, tokens, path


@pytest.mark.parametrize("text, said", [
    (None, "influence token new"), ("shop predict", "tokens:1: "), ("# nobody yet\n", "nobody is let in"),
], ids=["not there", "malformed", "empty"])
def test_check_looks_at_the_tokens(hand_models, tmp_path, text, said):
    path = tmp_path / "tokens"
    if text is not None:
        path.write_text(text)
    done = subprocess.run([INFLUENCED, "--check", f"--models.path={hand_models}", "--server.listen=127.0.0.1:0",
                           f"--access.tokens={path}"], capture_output=True, text=True, timeout=60, check=False)
    line = re.search(r"^access +(.*)$", done.stdout, re.M)[1]
    assert said in line and "influence token new" in line, done.stdout
    assert done.returncode == (0 if text and text[0] == "#" else 1)
    assert line.startswith("warning" if done.returncode == 0 else "FAILED")


def test_a_token_opens_what_its_scopes_say(guarded):
    daemon, tokens, _ = guarded
    allowed = {
        ("POST", "/score"): {"shop"}, ("GET", "/similar?handle=demo_0001"): {"shop"},
        ("GET", "/influencers?q=demo"): {"shop"},
        ("GET", "/metrics"): {"prometheus", "ops"}, ("POST", "/-/reload"): {"ops"},
    }
    for (method, path), names in allowed.items():
        body = BODY if path == "/score" else b"" if method == "POST" else None
        for name, token in tokens.items():
            status, headers, code = ask(daemon, method, path, token, body)
            if name in names:
                assert status == 200, (path, name, code)
            else:
                assert (status, code) == (403, "forbidden"), (path, name)
                assert "insufficient_scope" in headers["WWW-Authenticate"]
        status, headers, code = ask(daemon, method, path, None, body)
        assert (status, code) == (401, "unauthorized") and headers["WWW-Authenticate"].startswith("Bearer")
    for path in ("/-/healthy", "/-/ready", "/"):
        assert ask(daemon, "GET", path)[0] == 200


@pytest.mark.parametrize("spoil", [
    lambda t: t[:-1], lambda t: t + "A", lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: "",
    lambda t: t.swapcase(), lambda t: "x" * 10000,
], ids=["shorter", "longer", "another last letter", "empty", "other case", "very long"])
def test_what_is_nearly_a_token_opens_nothing(guarded, spoil):
    daemon, tokens, _ = guarded
    token = spoil(tokens["shop"])
    status, _, body = daemon.request("POST", "/score", BODY, {"Authorization": f"Bearer {token}"})
    assert status == 401, body
    assert daemon.request("POST", "/score", BODY, {"Authorization": f"Basic {tokens['shop']}"})[0] == 401


def until(check, timeout=60):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


def test_tokens_change_without_a_restart_and_a_bad_file_changes_nothing(guarded, run):
    daemon, tokens, path = guarded
    new = make_tokens(run, path, other="predict")
    assert until(lambda: ask(daemon, "POST", "/score", new["other"], BODY)[0] == 200)
    assert ask(daemon, "POST", "/score", tokens["shop"], BODY)[0] == 401
    path.write_text("other predict nothing\n")
    assert until(lambda: "tokens before stay in force" in daemon.log)
    assert re.search(r"tokens:1: other: the SHA-256 must be", daemon.log)
    assert ask(daemon, "POST", "/score", new["other"], BODY)[0] == 200


def test_an_emptied_file_of_tokens_locks_nobody_out_unless_it_is_told_so(guarded):
    """An editor truncates, then writes; SIGHUP means it."""
    daemon, tokens, path = guarded
    text = path.read_text()
    path.write_text("# nobody\n")
    assert until(lambda: "has no token any more" in daemon.log)
    assert ask(daemon, "POST", "/score", tokens["shop"], BODY)[0] == 200
    daemon.process.send_signal(signal.SIGHUP)
    assert until(lambda: ask(daemon, "POST", "/score", tokens["shop"], BODY)[0] == 401)
    path.write_text(text)
    assert until(lambda: ask(daemon, "POST", "/score", tokens["shop"], BODY)[0] == 200)


@pytest.mark.parametrize("means_it", [False, True], ids=["seen", "sighup"])
def test_a_file_of_tokens_with_zeros_behind_changes_nothing(guarded, means_it):
    """What a power cut leaves of a file: the beginning, or nothing, and zeros to its length."""
    daemon, tokens, path = guarded
    text = path.read_bytes()
    for kept in (text.index(b"prometheus"), 0):
        path.write_bytes(text[:kept].ljust(len(text), b"\0"))
        if means_it:
            daemon.process.send_signal(signal.SIGHUP)
        assert until(lambda: f"has a NUL at byte {kept}; the tokens before stay in force" in daemon.log), daemon.log
        assert ask(daemon, "GET", "/metrics", tokens["prometheus"])[0] == 200
        assert ask(daemon, "POST", "/score", tokens["shop"], BODY)[0] == 200


def test_a_file_of_tokens_of_the_same_age_is_another_one(guarded, run, tmp_path):
    """As cp -p and archives put files in place."""
    daemon, _, path = guarded
    beside = tmp_path / "beside"
    new = make_tokens(run, beside, other="predict")
    before = path.stat()
    os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.rename(beside, path)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert until(lambda: ask(daemon, "POST", "/score", new["other"], BODY)[0] == 200)


def test_a_malformed_file_stops_the_start(hand_models, tmp_path):
    path = tmp_path / "tokens"
    for text in ("a b c", "name predict", "na/me predict " + "0" * 64, "name everything " + "0" * 64):
        path.write_text(text + "\n")
        done = subprocess.run(
            [INFLUENCED, f"--models.path={hand_models}", "--server.listen=127.0.0.1:0", f"--access.tokens={path}",
             "--log.durability=off"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and re.search(r"access\.tokens: \S*tokens:1: ", done.stderr), done.stderr


def test_no_secret_is_told(guarded):
    """Neither logs, errors, metrics, request log nor the list of processes know a token."""
    daemon, tokens, _ = guarded
    said = b""
    for token in tokens.values():
        for path in ("/score?handle=x&y=z", "/nowhere", "/metrics"):
            status, headers, body = daemon.request("GET", path, None, {"Authorization": f"Bearer {token}"})
            said += body + str(headers).encode()
    said += daemon.request("GET", "/metrics", None, {"Authorization": f"Bearer {tokens['ops']}"})[2]
    with open(f"/proc/{daemon.pid}/cmdline", "rb") as file:
        said += file.read()
    daemon.stop()
    said += daemon.log.encode()
    for name in os.listdir(daemon.directory):
        said += (daemon.directory / name).read_bytes()
    for token in tokens.values():
        assert token.encode() not in said and token[4:].encode() not in said


def test_the_admin_routes_are_off_unless_enabled(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--server.reload=off")
    listed = {route["path"] for route in daemon.get("/")[1]["routes"]}
    assert "/score" in listed and not listed & {"/-/reload", "/-/models", "/v2/repository/models/{model}/load"}
    assert ask(daemon, "POST", "/-/reload", None, b"")[::2] == (404, "not_found")


def test_listening_to_others_without_tokens_is_warned_of(start_daemon, hand_models, hand_daemon):
    daemon = start_daemon(hand_models, "--server.listen=0.0.0.0:0")
    assert re.search(r"warning: .*0\.0\.0\.0:\d+ can be reached from other machines", daemon.log)
    assert "other machines" not in hand_daemon.log


# ---- origins ----

def test_no_origin_is_admitted_unless_it_is_listed(hand_daemon, start_daemon, hand_models):
    evil = {"Origin": "https://evil.example"}
    status, headers, _ = ask(hand_daemon, "GET", "/-/healthy", **evil)
    assert status == 200 and "Access-Control-Allow-Origin" not in headers
    assert ask(hand_daemon, "OPTIONS", "/score", **evil)[0] == 405

    daemon = start_daemon(hand_models, "--access.cors_origins=https://a.example, https://b.example:8443")
    for origin in ("https://a.example", "https://b.example:8443"):
        status, headers, _ = ask(daemon, "GET", "/-/healthy", Origin=origin)
        assert headers["Access-Control-Allow-Origin"] == origin and headers["Vary"] == "Origin"
        status, headers, _ = ask(
            daemon, "OPTIONS", "/score", Origin=origin, Access_Control_Request_Method="POST")
        assert status == 204 and "POST" in headers["Access-Control-Allow-Methods"]
        assert "Authorization" in headers["Access-Control-Allow-Headers"]
    for origin in ("https://a.example.evil", "https://a.exampl", "null", "*", ""):
        status, headers, _ = ask(daemon, "GET", "/-/healthy", Origin=origin)
        assert status == 200 and "Access-Control-Allow-Origin" not in headers
        assert ask(daemon, "OPTIONS", "/score", Origin=origin)[0] == 405


# ---- rates ----

def test_a_client_beyond_its_rate_gets_429_and_others_do_not(run, start_daemon, hand_models, tmp_path):
    path = tmp_path / "tokens"
    tokens = make_tokens(run, path, a="predict", b="predict")
    daemon = start_daemon(
        hand_models, f"--access.tokens={path}", "--limit.requests_per_s=1", "--limit.burst=5", "--server.threads=2")
    got = [ask(daemon, "POST", "/score", tokens["a"], BODY) for _ in range(30)]
    statuses = [status for status, _, _ in got]
    assert statuses[:5] == [200] * 5 and statuses.count(429) >= 15
    status, headers, code = next(item for item in got if item[0] == 429)
    assert code == "too_many_requests" and 1 <= int(headers["Retry-After"]) <= 5
    assert ask(daemon, "POST", "/score", tokens["b"], BODY)[0] == 200
    # Wrong tokens count to the address; probes do not count.
    assert [ask(daemon, "POST", "/score", "x" * 47, BODY)[0] for _ in range(30)].count(429) >= 15
    assert all(ask(daemon, "GET", "/-/healthy")[0] == 200 for _ in range(30))


# ---- ids ----

@pytest.mark.parametrize("name", ["a", "a-b_c.d~1", "x" * 64, "550e8400-e29b-41d4-a716-446655440000"])
def test_a_request_id_is_taken_over(hand_daemon, name):
    assert ask(hand_daemon, "GET", "/-/healthy", X_Request_Id=name)[1]["X-Request-Id"] == name
    status, _, body = hand_daemon.request("GET", "/nowhere", None, {"X-Request-Id": name})
    assert json.loads(body)["error"]["request_id"] == name


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", 'a"b', "a,b", "a;b", "ä".encode().decode("latin-1")])
def test_a_request_id_that_is_none_is_replaced(hand_daemon, name):
    made = ask(hand_daemon, "GET", "/-/healthy", X_Request_Id=name)[1]["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_trace_goes_on_and_names_the_request(hand_daemon):
    headers = ask(hand_daemon, "GET", "/-/healthy", traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")[1]
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", headers["traceparent"])
    assert "00f067aa0ba902b7" not in headers["traceparent"] and headers["X-Request-Id"] == TRACE
    headers = ask(
        hand_daemon, "GET", "/-/healthy", traceparent=f"cc-{TRACE}-00f067aa0ba902b7-00-more", X_Request_Id="mine")[1]
    assert headers["traceparent"].startswith(f"00-{TRACE}-") and headers["X-Request-Id"] == "mine"


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_a_trace_is_found_in_log_and_lines_behind_a_proxy_that_gives_ids(start_daemon, hand_models, run, form):
    daemon = start_daemon(hand_models, f"--log.access={form}")
    ask(daemon, "GET", "/score?handle=demo_0001", traceparent=f"00-{TRACE}-00f067aa0ba902b7-01", X_Request_Id="proxys")
    ask(daemon, "GET", "/score?handle=demo_0002", X_Request_Id="untraced")
    daemon.stop()
    rows = {}
    for line in run("log", "export", "--db", daemon.directory / "requests.db", "--route", "/score").stdout.splitlines():
        row = json.loads(line)
        rows[row["request_id"]] = row["trace_id"]
    assert rows == {"proxys": TRACE, "untraced": None}
    table = run("log", "export", "--db", daemon.directory / "requests.db", "--route", "/score",
                "--format", "csv").stdout.splitlines()
    assert table[0].endswith(",output,trace_id") and sorted(line.endswith("," + TRACE) for line in table[1:]) == [False, True]
    lines = {i: next(x for x in daemon.log.splitlines() if i in x) for i in ("proxys", "untraced")}
    said = {i: json.loads(x)["trace_id"] if form == "json" else re.search(r" trace_id=(\S+)", x)[1]
            for i, x in lines.items()}
    assert said == {"proxys": TRACE, "untraced": None if form == "json" else "-"}


def test_a_log_of_before_traces_goes_on_and_is_read(start_daemon, hand_models, run):
    """Also by the daemon of before, to which one may go back: the schema's version is the same."""
    daemon = start_daemon(hand_models)
    daemon.get("/score?handle=demo_0001")
    daemon.stop()
    path = daemon.directory / "requests.db"
    with sqlite3.connect(path) as db:
        version = db.execute("PRAGMA user_version").fetchone()
        db.execute("ALTER TABLE request DROP COLUMN trace_id")
    read = [json.loads(x) for x in run("log", "tail", "--db", path, "--route", "/score", "--json").stdout.splitlines()]
    assert [row["trace_id"] for row in read] == [None]
    daemon.start()
    ask(daemon, "GET", "/score?handle=demo_0002", traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    daemon.stop()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT trace_id FROM request WHERE route = '/score' ORDER BY id").fetchall() == [(None,), (TRACE,)]
        assert db.execute("PRAGMA user_version").fetchone() == version == (1,)


@pytest.mark.parametrize("value", [
    "", "00", f"00-{TRACE}-00f067aa0ba902b7", f"00-{TRACE}-00f067aa0ba902b7-01-x", f"ff-{TRACE}-00f067aa0ba902b7-01",
    f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
])
def test_a_trace_that_is_none_is_passed_over(hand_daemon, value):
    headers = ask(hand_daemon, "GET", "/-/healthy", traceparent=value)[1]
    assert "traceparent" not in headers and re.fullmatch(r"[0-9a-f]{16}", headers["X-Request-Id"])


# ---- the command ----

def test_a_token_is_new_each_time_and_only_its_hash_is_in_the_line(run):
    seen = set()
    for _ in range(3):
        token, line = run("token", "new", "--scope", "predict,metrics", "--name", "shop").stdout.splitlines()
        assert re.fullmatch(r"ifl_[A-Za-z0-9_-]{43}", token)
        assert line == f"shop predict,metrics {hashlib.sha256(token.encode()).hexdigest()}"
        seen.add(token)
    assert len(seen) == 3
    for words in (["new"], ["new", "--scope", "all"], ["new", "--scope", "predict", "--name", "a b"], ["old"], []):
        done = run("token", *words, check=False)
        assert done.returncode == 2 and done.stdout == ""


def test_strangers_are_turned_away_everywhere_and_leave_no_text(guarded):
    """No path tells whether it is there, and a body of 60 kB is no row of 60 kB."""
    daemon, tokens, _ = guarded
    spam = json.dumps({"name": "spam" * 15000}).encode()
    for method, path in (("GET", "/nope?spam"), ("POST", "/spam"), ("POST", "/score"), ("POST", "/similar"), ("GET", "/score?spam")):
        status, headers, _ = ask(daemon, method, path, None, spam if method == "POST" else None)
        assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer"), path
        assert ask(daemon, method, path, tokens["prometheus"])[0] == (403 if path[:4] in ("/sco", "/sim") else 404)
    assert ask(daemon, "POST", "/score", tokens["shop"], b'{"name": "kept"}')[0] == 200
    daemon.stop()
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        rows = db.execute("SELECT status, coalesce(input, '') || coalesce(output, '') FROM request WHERE route NOT LIKE '/-/%'").fetchall()
    assert [status for status, _ in rows].count(401) == 5 and [text for status, text in rows if status in (401, 403)] == [""] * 8
    assert any("kept" in text for _, text in rows)


def test_paths_that_are_not_there_count_to_the_rate(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--limit.requests_per_s=1", "--limit.burst=5")
    statuses = [daemon.get(f"/nope/{i}")[0] for i in range(10)]
    assert statuses[:5] == [404] * 5 and 429 in statuses[5:8]
    assert daemon.get("/-/healthy")[0] == 200
