# SPDX-License-Identifier: Apache-2.0
"""Many profiles in one body: answered together, as each would be alone."""

import csv
import gzip
import http.client
import io
import json
import random
import select
import socket
import sqlite3
import subprocess
import time

import pytest
from conftest import BUILD, SANITIZED, Daemon, once
from test_daemon_memory import figure

CSV = {"Content-Type": "text/csv"}
COLUMNS = ["handle", "followers", "posts", "avg_likes", "following", "country", "category"]


@pytest.fixture(scope="module")
def boosted_models(tmp_path_factory):
    """300 trees of depth 6 and 33,935 accounts."""
    maker = BUILD / "tests/support/make-bundle"
    return once(tmp_path_factory, "boosted-models",
                lambda out: subprocess.run([maker, "--boosted", out], check=True, timeout=120))


@pytest.fixture(scope="module")
def boosted(boosted_models, tmp_path_factory):
    daemon = Daemon(boosted_models, tmp_path_factory.mktemp("daemon"))
    yield daemon
    daemon.stop()


def rows(n, seed=0):
    """Accounts of all sizes: with holes, with mistakes, and some that are no more than a handle."""
    draw = random.Random(seed)
    out = []
    for i in range(n):
        row = {
            "handle": f"invented {i}", "followers": int(10 ** draw.uniform(3, 8)), "posts": draw.randint(1, 9000),
            "avg_likes": int(10 ** draw.uniform(1, 6)), "following": draw.randint(0, 7500),
            "country": draw.choice(["Norway", "Chile", "Peru"]), "category": draw.choice(["music", "food", "x"]),
        }
        for field in draw.sample(COLUMNS[1:], draw.randint(0, 4)):
            del row[field]
        kind = draw.randrange(20)
        if kind == 0:
            row["followers"] = -3
        elif kind == 1:
            row = {"handle": f"demo_{draw.randrange(40000):04}"}
        out.append(row)
    return out


def as_csv(profiles):
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(profiles)
    return out.getvalue().encode()


def post_csv(daemon, route, body, **extra):
    status, headers, answer = daemon.request("POST", route, body, CSV | extra)
    assert status == 200 and headers.get_content_type() == "text/csv", answer[:300]
    return answer


def without_frame(answer):
    return {key: value for key, value in answer.items() if key not in ("model", "request_id")}


@pytest.mark.parametrize("route", ["/score", "/tier", "/cluster"])
def test_instances_get_the_answers_that_each_gets_alone(boosted, route):
    profiles = rows(150)
    status, together = boosted.post(route, {"instances": profiles})
    assert status == 200 and len(together["predictions"]) == len(profiles)
    n_refused = 0
    for profile, answer in zip(profiles, together["predictions"]):
        status, alone = boosted.post(route, profile)
        n_refused += status != 200
        if status == 200:
            assert without_frame(alone) == answer
        else:
            assert without_frame(alone["error"]) == without_frame(answer["error"])
    assert 0 < n_refused < 50


def test_explained_instances_get_the_answers_that_each_gets_alone(boosted):
    profiles = rows(5, seed=3)
    together = boosted.post("/score?explain=true", {"instances": profiles})[1]["predictions"]
    for profile, answer in zip(profiles, together):
        assert without_frame(boosted.post("/score?explain=true", profile)[1]) == answer


@pytest.mark.parametrize("route", ["/score", "/tier", "/cluster"])
def test_csv_rows_get_the_answers_that_each_gets_alone(boosted, route):
    profiles = rows(150, seed=1)
    together = post_csv(boosted, route, as_csv(profiles)).decode().splitlines()
    assert len(together) == 1 + len(profiles)
    for profile, line in zip(profiles, together[1:]):
        # The line of a mistake is told; it stands alone in line 2.
        alone = post_csv(boosted, route, as_csv([profile])).decode().splitlines()[1]
        assert alone == line


# ---- bodies whose rows are answered as they come ----


def many_rows(n):
    """More than a megabyte for 20,000: with quotes, doubled ones, line breaks and commas in fields."""
    profiles = rows(2000, seed=2)
    for i, profile in enumerate(profiles):
        if i % 7 == 0:
            profile["handle"] = 'He said "' + "x" * (i % 50) + '",\nand left ' + str(i)
    return (profiles * (n // 2000 + 1))[:n]


def in_parts(daemon, route, profiles, size):
    """The answers of bodies that are short enough to be read whole."""
    parts = [post_csv(daemon, route, as_csv(profiles[i:i + size])) for i in range(0, len(profiles), size)]
    return b"\r\n".join([parts[0].split(b"\r\n", 1)[0]] + [part.split(b"\r\n", 1)[1][:-2] for part in parts]) + b"\r\n"


def without_lines(answer):
    """Messages of rows with too few fields name a line; there are none here."""
    assert b"line " not in answer
    return answer


@pytest.mark.parametrize("route", ["/score", "/tier", "/cluster", "/similar?k=2"])
def test_a_long_body_gets_the_answers_of_its_parts(boosted, route):
    profiles = many_rows(12_000)
    body = as_csv(profiles)
    assert len(body) > 280_000
    assert without_lines(post_csv(boosted, route, body)) == in_parts(boosted, route, profiles, 1000)


def test_chunks_of_any_size_make_no_difference(boosted):
    body = as_csv(many_rows(12_000))
    draw = random.Random(9)

    def chunks():
        at = 0
        while at < len(body):
            size = draw.choice([1, 3, 1000, 70_000])
            yield body[at:at + size]
            at += size

    whole = post_csv(boosted, "/score", body)
    assert post_csv(boosted, "/score", chunks(), **{"Transfer-Encoding": "chunked"}) == whole


def resident_kib(pid, which):
    with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(which))


def test_memory_does_not_grow_with_the_body(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--log.durability=off", "--server.threads=1")
    one = as_csv(rows(2000, seed=5))
    post_csv(daemon, "/score", one)
    times = 60 if SANITIZED else 300
    body = one + one.split(b"\r\n", 1)[1] * times
    before = resident_kib(daemon.pid, "VmRSS")
    assert len(body) > 70_000 * times
    answer = post_csv(daemon, "/score", body)
    assert answer.count(b"\r\n") == 1 + 2000 * (1 + times)
    if not SANITIZED:  # which keeps memory of its own
        assert resident_kib(daemon.pid, "VmHWM") - before < 8_000


def test_a_broken_row_far_down_refuses_the_body(boosted):
    body = as_csv(many_rows(12_000))
    status, _, answer = boosted.request("POST", "/score", body + b'"not closed,5\r\n', CSV)
    assert status == 422 and b"a quote is not closed" in answer
    line = body.count(b"\n") + 1
    assert f"line {line}:".encode() in answer
    assert boosted.request("POST", "/score", body + b"\xff,5\r\n", CSV)[0] == 400
    status, _, answer = boosted.request("POST", "/score", body + b'"' + b"x" * 3_000_000, CSV)
    assert status == 422 and b"row of more than" in answer
    assert post_csv(boosted, "/score", as_csv(rows(3)))


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_and_replies_are_bounded(start_daemon, hand_models, chunked):
    daemon = start_daemon(hand_models, "--server.max_csv_bytes=400000", "--server.max_body_bytes=2000")
    headers = CSV | ({"Transfer-Encoding": "chunked"} if chunked else {})

    def post(route, body):
        return daemon.request("POST", route, iter([body]) if chunked else body, headers)

    body = as_csv(rows(1000)) + b"\r\n" * 100_000
    status, _, answer = post("/score", body + b"\r\n" * 200_000)
    assert status == 413 and b"400000 bytes" in answer
    assert post("/score", body)[0] == 200
    status, _, answer = post("/similar?k=500", body)
    assert status == 422 and b"the reply has more than 1600000 bytes" in answer
    assert daemon.post("/score", {"x" * 3000: 1})[0] == 413


def test_a_reply_that_cannot_be_kept_is_an_error(start_daemon, hand_models, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    daemon = start_daemon(hand_models)
    status, _, answer = daemon.request("POST", "/score", as_csv(many_rows(12_000)), CSV)
    assert status == 500 and b"cannot keep a long reply" in answer
    assert daemon.get("/-/healthy")[0] == 200


def nothing_is_left(daemon):
    """The daemon gives room back when it sees that a reply has gone, which may be after its reader."""
    end = time.monotonic() + 60
    while figure(daemon, "influenced_spool_bytes") > 0:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_long_replies_are_bounded_together(start_daemon, hand_models):
    """Two that fit alone do not fit together: the second gets 503, and all room is given back."""
    daemon = start_daemon(hand_models, "--server.max_spool_bytes=1500000")
    body = as_csv(many_rows(12_000))
    alone = post_csv(daemon, "/score", body)
    assert 1_000_000 < len(alone) < 1_500_000
    nothing_is_left(daemon)
    first = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    first.putrequest("POST", "/score")
    first.putheader("Content-Type", "text/csv")
    first.putheader("Content-Length", str(len(body)))
    first.endheaders()
    first.send(body[:-10])
    end = time.monotonic() + 60
    while figure(daemon, "influenced_spool_bytes") < 600_000:
        assert time.monotonic() < end
        time.sleep(0.05)
    status, headers, answer = daemon.request("POST", "/score", body, CSV)
    assert status == 503 and b"server.max_spool_bytes" in answer and headers["Retry-After"] == "1"
    assert figure(daemon, "influenced_spool_refused_total") == 1
    first.send(body[-10:])
    assert first.getresponse().read() == alone
    nothing_is_left(daemon)
    assert post_csv(daemon, "/score", body) == alone
    status, _, answer = daemon.request("POST", "/similar?k=50", body, CSV)
    assert status == 422 and b"the reply has more than 1500000 bytes" in answer


@pytest.mark.parametrize("durability", ["batched", "acknowledged"])
def test_the_log_has_the_beginning_of_a_long_body(start_daemon, hand_models, durability):
    daemon = start_daemon(hand_models, f"--log.durability={durability}", "--log.max_body_bytes=1000")
    body = as_csv(many_rows(12_000))
    answer = post_csv(daemon, "/score", body)
    daemon.stop()
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        (kept,) = db.execute("SELECT input, output FROM request WHERE route = '/score'").fetchall()
    as_bytes = [value if isinstance(value, bytes) else value.encode() for value in kept]
    assert as_bytes == [body[:1000], answer[:1000]]


# ---- turns ----


def turns(daemon):
    return figure(daemon, "influenced_turns_total")


def long_bodies():
    """A second of work and more, each by another way; the last one is a reply to be packed."""
    fields = {"followers": 5000, "posts": 40, "avg_likes": 700}
    columns = [{"name": name, "shape": [10_000], "datatype": "FP64", "data": [value] * 10_000}
               for name, value in fields.items()]
    json_type, gzip_csv = {"Content-Type": "application/json"}, CSV | {"Content-Encoding": "gzip"}
    header, row = b"followers,posts,avg_likes\n", b"5000,40,700\n"
    return {
        "explained": ("/score?explain=true", json.dumps({"instances": [fields] * 2000}).encode(), json_type),
        "instances": ("/score", json.dumps({"instances": [fields] * 10_000}).encode(), json_type),
        "v2": ("/v2/models/tier/infer", json.dumps({"inputs": columns}).encode(), json_type),
        "mlflow": ("/invocations", json.dumps({"dataframe_records": [fields] * 10_000}).encode(), json_type),
        "mlflow csv": ("/invocations", header + row * 10_000, CSV),
        "csv": ("/similar?k=2", header + row * 20_000, CSV),
        "packed csv": ("/score", gzip.compress(header + row * 200_000), gzip_csv),
        "packed reply": ("/score", json.dumps({"instances": [fields] * 10_000}).encode(),
                         json_type | {"Accept-Encoding": "gzip"}),
    }


@pytest.mark.parametrize("which", long_bodies())
def test_a_long_answer_is_made_in_turns_and_is_the_same(start_daemon, boosted_models, which):
    daemon = start_daemon(boosted_models, "--server.threads=1", "--log.durability=off")
    route, body, headers = long_bodies()[which]
    status, reply_headers, answer = daemon.request("POST", route, body, headers)
    assert status == 200
    assert turns(daemon) > 0
    if reply_headers.get("Content-Encoding") == "gzip":
        answer = gzip.decompress(answer)
    # Where its rows end: neither lost nor doubled between turns.
    if reply_headers.get_content_type() == "text/csv":
        answered = list(csv.reader(io.StringIO(answer.decode())))
        n, each = {"csv": (20_000, 2), "packed csv": (200_000, 1)}[which]
        assert len(answered) == 1 + n * each and answered[1:] == answered[1:1 + each] * n
    else:
        predictions = json.loads(answer)
        predictions = predictions["outputs"][0]["data"] if which == "v2" else predictions["predictions"]
        n = 2000 if which == "explained" else 10_000
        assert len(predictions) == n and all(one == predictions[0] for one in predictions)


@pytest.mark.parametrize("end, code", [(b"]}", "invalid_field"), (b"}]", "not_json"), (b"", "not_json")])
def test_a_long_body_is_read_in_turns(start_daemon, hand_models, end, code):
    """Refused when it was read: so the turns are the reading's."""
    daemon = start_daemon(hand_models, "--server.threads=1", "--predict.max_instances=10")
    body = b'{"instances": [' + b",".join([b'{"followers": 5000, "posts": 40, "avg_likes": 700}'] * 80_000) + end
    status, _, answer = daemon.request("POST", "/score", body, {"Content-Type": "application/json"})
    error = json.loads(answer)["error"]
    assert status == (422 if code == "invalid_field" else 400) and turns(daemon) > 0
    assert error["field"] == "instances" and "80000" in error["message"] if status == 422 else error["code"] == code


def explained_body():
    """Seconds of work, also where a sanitizer makes each row dear."""
    return json.dumps({"instances": [{"followers": 5000, "posts": 40}] * (2000 if SANITIZED else 10_000)}).encode()


def test_others_are_answered_while_a_long_answer_is_made(start_daemon, boosted_models):
    """On one loop: a reply that is not there yet, its turns, and questions answered between them."""
    daemon = start_daemon(boosted_models, "--server.threads=1")
    body = explained_body()
    head = f"POST /score?explain=true HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=120) as client:
        client.sendall(head.encode() + body)
        while turns(daemon) == 0:
            assert not select.select([client], [], [], 0)[0], "answered without a turn for others"
        before = turns(daemon)
        for _ in range(10):
            assert daemon.post("/score", {"followers": 7000})[0] == 200
        assert turns(daemon) > before
        assert not select.select([client], [], [], 0)[0]
        assert client.recv(12) == b"HTTP/1.1 200"


def test_a_client_that_leaves_between_turns_and_an_end_between_them(start_daemon, boosted_models):
    daemon = start_daemon(boosted_models, "--server.threads=1", "--server.drain_timeout_ms=100")
    body = explained_body()
    head = f"POST /score?explain=true HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    for leaves in (True, False, False):
        client = socket.create_connection(("127.0.0.1", daemon.port), timeout=60)
        before = turns(daemon)
        client.sendall(head.encode() + body)
        while turns(daemon) == before:
            pass
        if leaves:
            client.close()
    daemon.stop()
