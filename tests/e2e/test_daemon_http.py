# SPDX-License-Identifier: Apache-2.0
"""HTTP as it should not be: sizes, times and numbers of connections. What is malformed is in
test_daemon_strict.py."""

import json
import re
import socket
import time

import pytest


def talk(daemon, data, timeout=60):
    """Send bytes and read until the daemon closes or is silent; gives (status, headers, body)."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=timeout) as client:
        client.sendall(data)
        reply = b""
        while True:
            head, found, body = reply.partition(b"\r\n\r\n")
            lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            if found and lengths and len(body) >= lengths[0]:
                break
            piece = client.recv(65536)
            if not piece:
                break
            reply += piece
    assert reply, "closed without an answer"
    return int(reply.split()[1]), head, body


def refused(daemon, status, data):
    got, head, body = talk(daemon, data)
    assert got == status, (head, body)
    assert b"application/json" in head, (head, body)
    error = json.loads(body)["error"]
    assert error["code"] and error["message"]
    assert daemon.get("/-/healthy")[0] == 200
    return error


GET = b"GET /-/healthy HTTP/1.1\r\n"
POST = b"POST /score HTTP/1.1\r\nHost: x\r\n"
BODY = b'{"followers": 5000}'

def test_good_requests_in_unusual_dress_are_answered(hand_daemon):
    for host in (b"x", b"x:80", b"[::1]:8080", b"127.0.0.1", b"", b"a-b.example_c"):
        assert talk(hand_daemon, GET + b"Host: " + host + b"\r\n\r\n")[0] == 200
    assert talk(hand_daemon, b"GET /-/healthy HTTP/1.0\r\n\r\n")[0] == 200
    chunks = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + BODY[:5] + b"\r\ne\r\n" + BODY[5:]
    assert talk(hand_daemon, POST + chunks + b"\r\n0\r\n\r\n")[0] == 200


def test_a_post_without_a_length_gets_411(hand_daemon):
    refused(hand_daemon, 411, POST + b"\r\n")


def test_a_large_body_is_refused_before_it_is_sent(hand_daemon):
    refused(hand_daemon, 413, POST + b"Content-Length: 10000000\r\nExpect: 100-continue\r\n\r\n")
    refused(hand_daemon, 413, POST + b"Content-Length: 10000000\r\n\r\n")


def test_a_large_body_in_chunks_gets_413(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--server.max_body_bytes=10000")
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    refused(daemon, 413, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 4 + b"0\r\n\r\n")


def test_a_long_target_gets_414(hand_daemon):
    refused(hand_daemon, 414, b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")


def test_large_headers_get_431(hand_daemon):
    refused(hand_daemon, 431, GET + b"Host: x\r\nX-A: " + b"x" * 40000 + b"\r\n\r\n")
    refused(hand_daemon, 431, GET + b"Host: x\r\n" + b"X-A: y\r\n" * 8000 + b"\r\n")


def test_an_unknown_version_gets_505(hand_daemon):
    refused(hand_daemon, 505, b"GET /-/healthy HTTP/2.5\r\nHost: x\r\n\r\n")


def drip(daemon, first, piece, every_s, until_s):
    """Send `first`, then `piece` again and again; gives what came back and after how long."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=every_s) as client:
        start = time.monotonic()
        client.sendall(first)
        reply = b""
        while time.monotonic() - start < until_s:
            try:
                got = client.recv(65536)
                if not got:
                    break
                reply += got
            except TimeoutError:
                try:
                    client.sendall(piece)
                except OSError:
                    break
            except OSError:
                break
        return reply, time.monotonic() - start


@pytest.mark.parametrize("first, piece", [
    (GET, b"X-A: y\r\n"), (b"G", b"E"), (POST + b"Content-Length: 1000\r\n\r\n", b" "),
], ids=["headers", "request line", "body"])
def test_bytes_that_drip_in_do_not_extend_the_deadline(start_daemon, hand_models, first, piece):
    daemon = start_daemon(hand_models, "--server.header_timeout_ms=700", "--server.body_timeout_ms=700")
    reply, seconds = drip(daemon, first, piece, 0.1, 10)
    assert reply.startswith(b"HTTP/1.1 408"), reply
    assert json.loads(reply.partition(b"\r\n\r\n")[2])["error"]["code"] == "timeout"
    assert 0.5 < seconds < 3


@pytest.mark.parametrize("first, piece", [
    (b"GET /v2/models/score HTTP/1.1\r\n", b"X-A: y\r\n"),
    (b"POST /v2/models/score/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b" "),
], ids=["headers", "body"])
def test_who_is_late_on_v2_hears_it_as_the_protocol_has_it(start_daemon, hand_models, first, piece):
    daemon = start_daemon(hand_models, "--server.header_timeout_ms=700", "--server.body_timeout_ms=700")
    head, _, body = drip(daemon, first, piece, 0.1, 10)[0].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408") and json.loads(body) == {"error": "the request took too long"}
    assert re.search(rb"\r\nX-Request-Id: [0-9a-f]{16}\r\n", head) and b"\r\nDate: " in head
    status, head, body = talk(daemon, b"GET /v2?x HTTP/1.1\r\nHost: x\r\nX-A: " + b"x" * 40000 + b"\r\n\r\n")
    assert status == 431 and json.loads(body) == {"error": "the headers are too large"}
    assert b"\r\nX-Request-Id: " in head and b"\r\nX-Content-Type-Options: nosniff\r\n" in head


def test_a_request_line_that_drips_in_behind_an_answered_one_is_noticed(start_daemon, hand_models):
    """Between requests a connection may be silent for long, but not begin and not end."""
    daemon = start_daemon(hand_models, "--server.header_timeout_ms=500", "--server.idle_timeout_ms=20000")
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as client, \
            socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as silent:
        for one in (client, silent):
            one.sendall(GET + b"Host: x\r\n\r\n")
            assert one.recv(65536).startswith(b"HTTP/1.1 200")
        start = time.monotonic()
        client.settimeout(0.1)
        reply = b""
        while not reply and time.monotonic() - start < 18:
            try:
                client.sendall(b"G")
                reply = client.recv(65536)
            except TimeoutError:
                pass
        assert reply.startswith(b"HTTP/1.1 408") and time.monotonic() - start < 18
        silent.sendall(GET + b"Host: x\r\n\r\n")
        assert silent.recv(65536).startswith(b"HTTP/1.1 200")


def test_an_idle_connection_is_closed(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--server.idle_timeout_ms=500")
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as client:
        client.sendall(GET + b"Host: x\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        start = time.monotonic()
        assert client.recv(1) == b""
        assert 0.3 < time.monotonic() - start < 15


def test_connections_beyond_the_bound_get_503_and_others_go_on(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--server.max_connections=5")
    time.sleep(0.1)
    held = [socket.create_connection(("127.0.0.1", daemon.port), timeout=60) for _ in range(5)]
    for client in held:
        client.sendall(GET + b"Host: x\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
    status, head, body = talk(daemon, GET + b"Host: x\r\n\r\n")
    assert status == 503 and b"Retry-After" in head and b"too_many_connections" in body
    for client in held:
        client.sendall(GET + b"Host: x\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        client.close()
    time.sleep(0.2)
    assert daemon.get("/-/healthy")[0] == 200


def test_slow_connections_do_not_slow_others(hand_daemon):
    held = [socket.create_connection(("127.0.0.1", hand_daemon.port)) for _ in range(300)]
    for client in held:
        client.sendall(GET + b"Host: x\r\nX-")
    start = time.monotonic()
    for _ in range(50):
        assert hand_daemon.get("/-/healthy")[0] == 200
    assert time.monotonic() - start < 5
    for client in held:
        client.close()


def test_pipelined_requests_are_answered_in_order(hand_daemon):
    paths = [b"/-/healthy", b"/-/ready", b"/nope"]
    data = b"".join(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths)
    with socket.create_connection(("127.0.0.1", hand_daemon.port), timeout=60) as client:
        client.sendall(data)
        reply = b""
        while reply.count(b"HTTP/1.1") < 3 or not reply.endswith(b"}"):
            reply += client.recv(65536)
    assert [reply.index(word) for word in (b"healthy", b"ready", b"not_found")] == sorted(
        reply.index(word) for word in (b"healthy", b"ready", b"not_found")
    )


def test_a_client_that_leaves_early_is_no_trouble(hand_daemon):
    for data in (b"", b"GET", GET, POST + b"Content-Length: 100\r\n\r\n{", POST + b"Content-Length: 19\r\n\r\n" + BODY):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", hand_daemon.port)) as client:
                client.sendall(data)
    assert hand_daemon.get("/-/healthy")[0] == 200
