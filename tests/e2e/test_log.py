# SPDX-License-Identifier: Apache-2.0
"""`influence log`: what the daemon wrote, read and erased."""

import csv
import io
import json
import random
import shutil
import sqlite3
import struct
import subprocess

import pytest

from conftest import BUILD

PROFILE = {"followers": 5000, "posts": 10}


@pytest.fixture
def log(start_daemon, hand_models, run):
    """A daemon's log with known rows; log("stats", ...) runs the command on it."""
    daemon = start_daemon(hand_models)
    for _ in range(3):
        daemon.post("/score", PROFILE | {"handle": "somebody"})
    daemon.post("/score", PROFILE | {"handle": "somebody.else"})
    daemon.post("/score", b'{"handle": "\\u0053omebody", "followers": 7}')
    daemon.get("/tier?handle=%73omebody")
    daemon.get("/similar?handle=demo_0001&exclude=SOMEBODY")
    daemon.post("/score", b'"a, b"\n\xff')
    daemon.stop()

    def command(action, *args, check=True):
        return run("log", action, "--db", daemon.directory / "requests.db", *args, check=check)

    command.path = daemon.directory / "requests.db"
    return command


def rows(log, *args):
    return [json.loads(line) for line in log("export", *args).stdout.splitlines()]


def test_stats_count_by_route_and_status(log):
    summary = json.loads(log("stats", "--json").stdout)
    counts = {(r["route"], r["status"]): r["rows"] for r in summary["routes"]}
    assert counts[("/score", 200)] == 5
    assert counts[("/score", 400)] == counts[("/tier", 404)] == counts[("/similar", 200)] == 1
    assert summary["rows"] == sum(counts.values())
    for route in summary["routes"]:
        assert 0 <= route["p50_us"] <= route["p90_us"] <= route["p99_us"] <= route["max_us"]
    text = log("stats", "--route", "/score").stdout
    assert "6 rows" in text and "/tier" not in text


def test_tail_shows_the_newest_and_no_control_characters(log):
    lines = log("tail", "--lines", 2).stdout.splitlines()
    assert len(lines) == 2 and "/similar" in lines[0]
    assert '400' in lines[1] and '"a, b" ' in lines[1]


def test_rows_are_filtered(log):
    assert len(rows(log, "--route", "/score", "--status", "2xx")) == 5
    assert len(rows(log, "--status", "400")) == 1
    assert len(rows(log, "--since", "1h")) == len(rows(log))
    assert rows(log, "--until", "2020-01-01") == []
    assert len(rows(log, "--handle", "somebody")) == 6
    assert len(rows(log, "--handle", "@somebody.else")) == 1
    assert rows(log, "--handle", "some") == []


def test_csv_reads_back(log):
    table = list(csv.DictReader(io.StringIO(log("export", "--format", "csv", "--status", "2xx").stdout, newline="")))
    assert [row["input"] for row in table if row["route"] == "/score"] == [
        row["input"] for row in rows(log, "--route", "/score", "--status", "2xx")
    ]


def test_erase_leaves_nothing_behind(log):
    others = len(rows(log)) - 6
    assert json.loads(log("erase", "--handle", "somebody", "--json").stdout) == {"erased": 6, "logs": 1}
    left = rows(log)
    assert len(left) == others
    assert any("somebody.else" in (row["input"] or "") for row in left)
    for path in log.path.parent.glob("requests.db*"):
        content = path.read_bytes().lower().replace(b"somebody.else", b"")
        assert b"somebody" not in content and b"%73omebody" not in content


def test_erase_goes_through_every_log_of_a_folder(log, run):
    folder = log.path.parent / "replicas"
    folder.mkdir()
    for name in ("requests-a.db", "requests-b.db", "kept.before"):
        shutil.copy(log.path, folder / name)
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    (folder / "requests-a.db.key").write_bytes(b"k" * 32)
    done = run("log", "erase", "--db", folder, "--handle", "somebody", check=False)
    assert (done.returncode, done.stdout) == (1, "18 rows erased, from 3 logs\n")
    assert "other.db" in done.stderr and done.stderr.count("\n") == 1
    (folder / "other.db").unlink()
    done = run("log", "erase", "--db", folder, "--handle", "@Somebody.Else")
    assert (done.stdout, done.stderr) == ("3 rows erased, from 3 logs\n", "")
    for path in folder.iterdir():
        assert b"somebody" not in path.read_bytes().lower(), path
    (folder / "empty").mkdir()
    assert "no request log" in run("log", "erase", "--db", folder / "empty", "--handle", "x", check=False).stderr


def test_erase_names_what_it_cannot_reach(log, run):
    """A file that was set aside as damaged is not searched, and that is no success."""
    damaged = log.path.with_name("requests.db.damaged-20260101T000000Z")
    for path in (damaged, damaged.with_name(damaged.name + "-wal"), log.path.with_name("other.db.damaged-20260101T000000Z")):
        path.write_bytes(b"somebody")
    done = log("erase", "--handle", "somebody", check=False)
    assert (done.returncode, done.stdout) == (1, "6 rows erased\n")
    assert damaged.name in done.stderr and "other.db" not in done.stderr and "-wal" not in done.stderr
    done = run("log", "erase", "--db", log.path.parent, "--handle", "somebody", check=False)
    assert done.returncode == 1 and "other.db.damaged-" in done.stderr


PAGE = 8192  # of a log


def large_log(log, n=300):
    """The log with more rows, every tenth somebody's; its bytes, and the inputs by row."""
    with sqlite3.connect(log.path) as db:
        last = db.execute("SELECT max(id) FROM request").fetchone()[0]
        for i in range(n):
            who = "Somebody" if i % 10 == 0 else f"other_{i}"
            db.execute("INSERT INTO request (time_us, request_id, route, status, latency_us, caller, input) VALUES"
                       " (?, ?, '/score', 200, 9, '', ?)", (10**15 + i, f"r{i}", json.dumps({"handle": who, "pad": "x" * (i % 7 * 900)})))
        inputs = dict(db.execute("SELECT id, input FROM request WHERE id > ?", (last,)))
    db.close()  # and nothing is left beside it
    assert not log.path.with_name("requests.db-wal").exists()
    return log.path.read_bytes(), inputs


def damages(whole):
    """(name, bytes): as disks and copies damage files."""
    chance, pages = random.Random(5), len(whole) // PAGE
    for n in range(5):
        at = PAGE * chance.randrange(2, pages)
        yield f"zeros-{n}", whole[:at] + bytes(PAGE) + whole[at + PAGE:]
        at = chance.randrange(PAGE, len(whole) - 512)
        yield f"noise-{n}", whole[:at] + chance.randbytes(512) + whole[at + 512:]
        yield f"cut-{n}", whole[:chance.randrange(1000, len(whole) - 1)]
        flipped = bytearray(whole)
        for _ in range(20):
            flipped[chance.randrange(PAGE, len(whole))] ^= 1 << chance.randrange(8)
        yield f"flips-{n}", bytes(flipped)
    yield "header", bytes(100) + whole[100:]


def test_erase_of_a_damaged_log_is_whole_or_says_that_it_is_not(log, run, tmp_path):
    """As a file, and among others in a folder, where one without its header is no database any more."""
    codes = {}
    for name, content in damages(large_log(log)[0]):
        for place in "requests.db", "":
            folder = tmp_path / "damaged"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "requests.db").write_bytes(content)
            if not place:
                shutil.copy(log.path, folder / "whole.db")
            done = run("log", "erase", "--db", folder / place, "--handle", "somebody", check=False)
            left = any(b"somebody" in path.read_bytes().lower().replace(b"somebody.else", b"") for path in folder.iterdir())
            codes.setdefault((name.split("-")[0], done.returncode), []).append(left)
            assert done.returncode == 1 or not left, (name, done.stderr)
            if done.returncode == 1:
                assert "requests.db: " in done.stderr and "may hold the handle still" in done.stderr and "delete it" in done.stderr, name
                assert ("\n" in done.stdout) == (not place)
    assert all(True in codes[(kind, 1)] for kind in ("zeros", "cut", "header"))


def test_erase_names_other_files_that_mention_the_handle(log, run):
    export = log.path.with_name("export.jsonl")
    export.write_text(log("export").stdout, encoding="utf-8")
    orphan = log.path.with_name("gone.db-wal")
    orphan.write_bytes(b'"somebody"')
    (log.path.with_name("gone.db-shm")).write_bytes(b'"somebody"')
    (log.path.with_name("notes.txt")).write_text("of somebody.else", encoding="utf-8")
    done = run("log", "erase", "--db", log.path.parent, "--handle", "somebody", check=False)
    assert (done.returncode, done.stdout) == (1, "6 rows erased, from 1 log\n")
    assert [line.split(": ")[1].rsplit("/")[-1] for line in done.stderr.splitlines()] == ["export.jsonl", "gone.db-wal"]


def test_export_reads_past_the_damage(log, run):
    whole, inputs = large_log(log)
    other = log.path.with_name("damaged.db")
    told = []
    for name, content in damages(whole):
        other.write_bytes(content)
        done = run("log", "export", "--db", other, check=False)
        read = [json.loads(line) for line in done.stdout.splitlines()]
        ids = [row["id"] for row in read]
        assert ids == sorted(set(ids)), name
        if name.startswith(("zeros", "cut")) and "places" in done.stderr:
            told.append(len(ids))
            changed = [row["id"] for row in read if inputs.get(row["id"], row["input"]) != row["input"]]
            assert done.returncode == 1 and len(changed) <= 1  # the end of a long text, of which SQLite knows no better
            if name.startswith("zeros"):  # one page of many
                assert len(ids) > len(inputs) * 0.8 and max(ids) == max(inputs), name
    assert len(told) > 4


def test_erase_needs_the_key_of_hashed_handles(log, run):
    """A key that cannot be read may be that of rows that stay; a file that is no key was nobody's."""
    key = log.path.with_name("requests.db.key")
    key.unlink()
    key.mkdir()
    before = len(rows(log))
    for more in (), ("--to", "postgresql://127.0.0.1:1/none", "--table", "requests"):
        done = log("erase", "--handle", "somebody", *more, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "requests.db.key: is a directory" in done.stderr
    assert len(rows(log)) == before
    key.rmdir()
    key.write_text("none")
    assert log("erase", "--handle", "somebody").stdout == "6 rows erased\n"


def test_replay_tells_what_another_bundle_would_have_said(start_daemon, hand_models, run, tmp_path):
    other = tmp_path / "other"
    subprocess.run([BUILD / "tests/support/make-bundle", other, "6"], check=True, capture_output=True)
    daemon = start_daemon(hand_models)
    for route in ("/score", "/tier", "/cluster"):
        daemon.post(route, PROFILE)
        daemon.get(f"{route}?handle=demo_0001")
        daemon.post(route, {"instances": [PROFILE, {"followers": -1}, {"handle": "demo_0002"}]})
    daemon.get("/cluster")
    daemon.post("/score", b"{")
    daemon.stop()
    db = daemon.directory / "requests.db"

    same = json.loads(run("log", "replay", "--db", db, "--bundle", hand_models, "--json").stdout)
    assert same["rows"] == 10 and same["passed_over"] == 4
    assert same["passed_over_by"] == {"refused": 3, "list": 1}
    for route in ("score", "tier", "cluster"):
        assert (same[route]["answers"], same[route]["changed"], same[route]["failed"]) == (4, 0, 0)
    assert same["score"]["largest_difference"] < 1e-6

    # The same formula over other people: what was asked by figures stays, by handle it changes.
    changed = json.loads(run("log", "replay", "--db", db, "--bundle", other, "--json").stdout)
    assert (changed["score"]["changed"], changed["score"]["failed"]) == (2, 0)
    first = changed["differences"][0]
    assert first["question"] == "score" and first["handle"] in ("demo_0001", "demo_0002")
    assert abs(first["after"] - first["before"]) == pytest.approx(changed["score"]["largest_difference"], abs=1e-6)
    with sqlite3.connect(db) as rows_:
        assert rows_.execute("SELECT request_id FROM request WHERE id = ?", (first["id"],)).fetchone() == (first["request_id"],)
    few = json.loads(run("log", "replay", "--db", db, "--bundle", other, "--differences", 1, "--json").stdout)
    assert few["differences"] == [first]
    text = run("log", "replay", "--db", db, "--bundle", other).stdout
    assert "mean difference" in text
    assert ", 4 passed over (3 answered by an error, 1 for all archetypes), 0 failed\n" in text
    assert text.startswith("9 of 10 requests replayed") and first["request_id"] in text


def test_replay_tells_why_some_cannot_be_asked_again(start_daemon, hand_models, models, run):
    """The other bundle has other accounts; what was asked by figures it answers."""
    daemon = start_daemon(hand_models)
    daemon.get("/score?handle=demo_0001")
    daemon.post("/tier", {"instances": [{"handle": "demo_0002"}, PROFILE]})
    daemon.stop()
    db = daemon.directory / "requests.db"
    told = json.loads(run("log", "replay", "--db", db, "--bundle", models, "--json").stdout)
    assert (told["rows"], told["taken"], told["failed"], told["failed_by"]) == (2, 1, 2, {"handle": 2})
    assert (told["score"]["failed"], told["tier"]["answers"], told["tier"]["failed"]) == (1, 2, 1)
    assert "2 failed (2 of handles that the bundle does not know)\n" in run("log", "replay", "--db", db, "--bundle", models).stdout
    hashed = start_daemon(hand_models, "--log.hash_handles=on")
    hashed.get("/score?handle=demo_0001")
    hashed.stop()
    told = json.loads(run("log", "replay", "--db", hashed.directory / "requests.db", "--bundle", hand_models, "--json").stdout)
    assert (told["rows"], told["failed_by"]) == (1, {"hashed": 1})


def test_replay_reads_every_protocol(start_daemon, hand_models, run):
    daemon = start_daemon(hand_models)
    inputs = [{"name": "followers", "datatype": "FP64", "shape": [2, 1], "data": [[5000], [700]]},
              {"name": "posts", "datatype": "INT64", "shape": [2], "data": [10, 20]}]
    for model in ("score", "tier", "cluster"):
        assert daemon.post(f"/v2/models/{model}/infer", {"inputs": inputs})[0] == 200
        assert daemon.request("POST", f"/{model}", b'handle,followers,posts\n"demo_0001",,\nx,5e3,10\ny,-1,\n',
                              {"Content-Type": "text/csv"})[0] == 200
    split = {"dataframe_split": {"columns": ["followers", "else", "posts"], "data": [[5000, "x", 10], [700, None, 20]]}}
    for model in ("score", "tier", "cluster"):
        assert daemon.post(f"/invocations?model={model}", split)[0] == 200
    assert daemon.post("/invocations", {"inputs": {"followers": [5000, 700], "posts": [10, 20]}})[0] == 200
    assert daemon.post("/invocations", {"dataframe_records": [PROFILE], "params": {"model": "tier"}})[0] == 200
    assert daemon.request("POST", "/invocations", b"followers\n5000", {"Content-Type": "text/csv"})[0] == 200
    assert daemon.post("/v2/models/tier/infer", {"inputs": inputs, "outputs": [{"name": "probabilities"}]})[0] == 200
    daemon.stop()
    told = json.loads(run("log", "replay", "--db", daemon.directory / "requests.db", "--bundle", hand_models, "--json").stdout)
    # Archetypes are answered by number there, and one request did not want its tier.
    assert (told["rows"], told["taken"]) == (13, 11)
    assert told["passed_over_by"] == {"protocol": 1, "refused": 3, "answer": 2}
    assert [told[m]["answers"] for m in ("score", "tier", "cluster")] == [9, 7, 4]
    assert [told[m]["changed"] for m in ("score", "tier", "cluster")] == [0, 0, 0] and told["failed"] == 0


def binary_inference(inputs, rows, outputs=None, **more):
    """A request of the binary extension: inputs are (name, datatype, bytes)."""
    body = json.dumps({"inputs": [{"name": name, "datatype": datatype, "shape": [rows, 1], "parameters": {"binary_data_size": len(data)}}
                                  if isinstance(data, bytes) else {"name": name, "datatype": datatype, "shape": [rows], "data": data}
                                  for name, datatype, data in inputs]} | ({"outputs": outputs} if outputs else {}) | more).encode()
    tensors = b"".join(data for _, _, data in inputs if isinstance(data, bytes))
    return body + tensors, {"Inference-Header-Content-Length": str(len(body)), "Content-Type": "application/octet-stream"}


def test_replay_reads_binary_tensors(start_daemon, hand_models, run):
    """In and out, mixed with JSON, with missing values, padding and texts that look like JSON."""
    daemon = start_daemon(hand_models)
    texts = b"".join(struct.pack("<I", len(t)) + t for t in (b'}{"\\', b"demo_0001", b""))
    inputs = [("handle", "BYTES", texts), ("followers", "FP32", struct.pack("<3f", 5000.5, 700, float("nan"))),
              ("posts", "INT64", [10, 20, 30]), ("is_verified", "BOOL", b"\1\0\1"), ("following", "UINT16", struct.pack("<3H", 7, 8, 65535))]
    for model in ("score", "tier", "cluster"):
        for wanted in {"parameters": {"binary_data_output": True}}, {"parameters": {"padding": '"binary_data" \\" }'}}:
            body, headers = binary_inference(inputs, 3, **wanted)
            assert daemon.request("POST", f"/v2/models/{model}/infer", body, headers)[0] == 200
    body, headers = binary_inference(inputs[1:3], 3, [{"name": "percentile", "parameters": {"binary_data": True}},
                                                      {"name": "score", "parameters": {"binary_data": True}}])
    assert daemon.request("POST", "/v2/models/score/infer", body, headers)[0] == 200
    body, headers = binary_inference([("followers", "FP64", struct.pack("<d", 12345.678901234567))], 1,
                                     [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "tier"}])
    assert daemon.request("POST", "/v2/models/tier/infer", body, headers)[0] == 200
    asked = {"score": 9, "tier": 7, "cluster": 6}
    daemon.stop()
    db = daemon.directory / "requests.db"
    told = json.loads(run("log", "replay", "--db", db, "--bundle", hand_models, "--json").stdout)
    assert (told["passed_over"], told["failed"]) == (0, 0) and told["taken"] == told["rows"]
    assert {m: told[m]["answers"] for m in asked} == asked
    assert [told[m]["changed"] for m in asked] == [0, 0, 0] and told["score"]["largest_difference"] < 1e-6


def test_replay_tells_binary_tensors_that_were_cut(start_daemon, hand_models, run):
    daemon = start_daemon(hand_models, "--log.max_body_bytes=200")
    body, headers = binary_inference([("followers", "FP64", struct.pack("<40d", *range(40)))], 40)
    assert daemon.request("POST", "/v2/models/score/infer", body, headers)[0] == 200
    daemon.stop()
    told = json.loads(run("log", "replay", "--db", daemon.directory / "requests.db", "--bundle", hand_models, "--json").stdout)
    assert (told["rows"], told["passed_over_by"]) == (1, {"cut": 1})


def test_replay_tells_bodies_that_were_cut(start_daemon, hand_models, run):
    daemon = start_daemon(hand_models, "--log.max_body_bytes=40")
    daemon.post("/score", PROFILE | {"category": "of a name that is longer than the log takes"})
    assert daemon.request("POST", "/score", b"followers\n5\n", {"Content-Type": "text/csv"})[0] == 200
    daemon.stop()
    told = json.loads(run("log", "replay", "--db", daemon.directory / "requests.db", "--bundle", hand_models, "--json").stdout)
    assert (told["rows"], told["passed_over_by"]) == (2, {"cut": 2})


def test_usage_errors(log, run):
    assert run("log", check=False).returncode == 2
    assert log("frobnicate", check=False).returncode == 2
    assert log("erase", check=False).returncode == 2
    for option, value, takes in (("--since", "yesterday", "7d ago"), ("--status", "99", "404, or 4xx"),
                                 ("--lines", "0", "whole number"), ("--format", "xml", "jsonl or csv")):
        done = log("tail", option, value, check=False)
        assert done.returncode == 2 and takes in done.stderr and f"got '{value}'" in done.stderr
    assert run("log", "stats", "--db", "/nonexistent/x.db", check=False).returncode == 1
