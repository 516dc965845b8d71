# SPDX-License-Identifier: Apache-2.0
"""server.max_body_memory: bodies and replies of all requests have one bound."""

import gzip
import json
import re
import socket
import struct
import time

import pytest

BOUND = 20 << 20  # four bodies, whose buffers are of 4 MiB, and a little
BODY = 3_000_000
OPTION = f"--server.max_body_memory={BOUND}"


def figure(daemon, name):
    return int(re.search(rf"^{name} (\d+)$", daemon.get("/metrics")[1], re.MULTILINE)[1])


def held(daemon):
    return figure(daemon, "influenced_body_memory_bytes")


def is_given_back(daemon):
    """But for the little that warm requests keep."""
    end = time.monotonic() + 20
    while held(daemon) > BOUND // 8 or figure(daemon, "influenced_requests_in_flight") > 1:
        assert time.monotonic() < end, held(daemon)
        time.sleep(0.05)
    return True


def head(length, more=""):
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return (f"POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{framing}\r\n{more}\r\n").encode()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def begin(port, first, data=b""):
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    try:
        client.sendall(first + data)
    except OSError:
        pass  # refused in the middle of it
    return client


def reset(client):
    """Gone at once: what is merely closed looks like a client that has sent all and waits."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def answer(client):
    """All until the connection is closed."""
    came = b""
    while piece := client.recv(65536):
        came += piece
    return came


def fill(daemon):
    """Unfinished bodies up to the bound."""
    clients = []
    for _ in range(4):
        clients.append(begin(daemon.port, head(BODY), b" " * (BODY - 1)))
    end = time.monotonic() + 20
    while held(daemon) < 16 << 20:
        assert time.monotonic() < end
        time.sleep(0.05)
    return clients


def assert_refused(came):
    assert came.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: 1\r\n" in came, came[:500]
    assert b"\r\nConnection: close\r\n" in came and b'"code":"memory"' in came


@pytest.mark.parametrize("chunked", [False, True], ids=["at the head", "in mid-body"])
def test_bodies_beyond_the_bound_are_refused_and_others_served(start_daemon, hand_models, chunked):
    daemon = start_daemon(hand_models, OPTION)
    clients = fill(daemon)
    for i in range(20):
        late = begin(daemon.port, head(None) + chunk(b" " * BODY)) if chunked else \
            begin(daemon.port, head(4 << 20))
        assert_refused(answer(late))
        late.close()
        assert held(daemon) <= BOUND
        assert daemon.post("/score", {"followers": 5000 + i})[0] == 200
    assert figure(daemon, "influenced_body_memory_refused_total") == 20
    # Those that were there first are answered.
    for client in clients:
        client.sendall(b"1")
        assert client.recv(4096).startswith(b"HTTP/1.1 422 ")
        client.close()
    assert is_given_back(daemon)


def test_small_requests_are_served_when_nothing_is_left(start_daemon, hand_models):
    """One profile takes some 50 KiB; a body of 100 KB has left its buffer, warm, to whoever comes next."""
    bound = 17 << 20
    daemon = start_daemon(hand_models, f"--server.max_body_memory={bound}", "--server.threads=1")
    warm = [begin(daemon.port, head(100_000), b" " * 99_999) for _ in range(2)]
    for client in warm:
        client.sendall(b"x")
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    clients = fill(daemon)
    small = [begin(daemon.port, head(30_000), b" " * 29_999) for _ in range(40)]
    end = time.monotonic() + 60
    while held(daemon) <= bound:
        assert time.monotonic() < end, (held(daemon), bound)
        time.sleep(0.05)
    for _ in range(8):
        assert daemon.get("/similar?handle=demo_0001&k=20")[0] == 200
        assert daemon.post("/score?explain=true", {"followers": 5000})[0] == 200
    for client in small:
        client.sendall(b"x")
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    for client in [*warm, *small, *clients]:
        client.close()


def test_a_reply_beyond_the_bound_is_refused(start_daemon, hand_models):
    daemon = start_daemon(hand_models, OPTION)
    question = json.dumps({"instances": [{"followers": 5000 + i} for i in range(8000)]}).encode()
    clients = fill(daemon)
    status, headers, body = daemon.request("POST", "/score?explain=true", question, {"Content-Type": "application/json"})
    assert status == 503 and headers["Retry-After"] == "1" and b'"code":"memory"' in body
    for client in clients:
        reset(client)
    assert is_given_back(daemon)
    assert daemon.request("POST", "/score", question, {"Content-Type": "application/json"})[0] == 200
    assert is_given_back(daemon)


def bodies():
    instances = json.dumps({"instances": [{"followers": 5000 + i} for i in range(5000)]}).encode()
    table = b"handle,followers\r\n" + b"".join(b"h%d,%d\r\n" % (i, 1000 + i) for i in range(60_000))
    plain, packed = {"Content-Type": "application/json"}, {"Content-Encoding": "gzip"}
    return {
        "batch": (instances, plain, 200),
        "gzip": (gzip.compress(instances), plain | packed | {"Accept-Encoding": "gzip"}, 200),
        "not gzip": (b"x" * BODY, plain | packed, 400),
        "a bomb": (gzip.compress(b" " * 40_000_000), plain | packed, 413),
        "not JSON": (b"[" * BODY, plain, 400),
        "CSV": (table, {"Content-Type": "text/csv"}, 200),
        "bad CSV": (table + b"\xff" * 100_000, {"Content-Type": "text/csv"}, 400),
    }


@pytest.mark.parametrize("kind", bodies())
def test_what_a_request_held_is_given_back(start_daemon, hand_models, kind):
    daemon = start_daemon(hand_models, OPTION, "--server.body_timeout_ms=4000")
    body, headers, expected = bodies()[kind]
    for _ in range(6):
        assert daemon.request("POST", "/score", body, headers)[0] == expected
    # The same, by clients that leave in the middle and before the answer.
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    first = f"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode()
    for part in (len(body) // 2, len(body) - 1, len(body)):
        for _ in range(3):
            reset(begin(daemon.port, first, body[:part]))
        begin(daemon.port, first, body[:part]).close()
    assert is_given_back(daemon)
    assert figure(daemon, "influenced_body_memory_refused_total") == 0
    assert daemon.post("/score", {"followers": 5000})[0] == 200


def test_bodies_that_never_end_give_back_at_the_deadline(start_daemon, hand_models):
    daemon = start_daemon(hand_models, OPTION, "--server.body_timeout_ms=1500")
    clients = fill(daemon)
    assert is_given_back(daemon)
    for client in clients:
        client.close()
