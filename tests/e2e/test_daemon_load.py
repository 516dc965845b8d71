# SPDX-License-Identifier: Apache-2.0
"""Very many connections at once: slow, half open, idle."""

import re
import resource
import socket
import time

import pytest

from conftest import SANITIZED

GET = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n"


def hold(port, n, data):
    """n connections that sent `data`; spread over loopback addresses, so that ports suffice."""
    held = []
    for i in range(n):
        client = socket.socket()
        client.bind((f"127.0.0.{2 + i % 8}", 0))
        client.connect(("127.0.0.1", port))
        client.sendall(data)
        held.append(client)
    return held


@pytest.mark.parametrize("n, data", [
    (1000, GET + b"X-"), (1000, b""), (1000, GET + b"\r\n"), (10000, GET + b"\r\n"),
], ids=["1,000 slow", "1,000 silent", "1,000 idle", "10,000 idle"])
def test_others_are_served_beside_very_many_connections(start_daemon, hand_models, n, data):
    if SANITIZED and n > 1000:
        pytest.skip("a sanitizer's memory")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < n + 500:
        pytest.skip(f"{hard} descriptors at most")
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    # The daemon starts with the low limit and raises it by itself.
    daemon = start_daemon(hand_models, f"--server.max_connections={n + 100}", "--server.header_timeout_ms=120000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    try:
        held = hold(daemon.port, n, data)
        for _ in range(50):
            assert daemon.post("/score", {"followers": 5000})[0] == 200
        # Those that are still in the queue of the socket come within moments.
        end = time.monotonic() + 30
        while not re.search(rf"^influenced_connections ({n}|{n + 1})$", daemon.get("/metrics")[1], re.MULTILINE):
            assert time.monotonic() < end
            time.sleep(0.1)
    finally:
        for client in held:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert daemon.get("/-/healthy")[0] == 200


def ask(client):
    client.sendall(GET + b"\r\n")
    assert client.recv(4096).startswith(b"HTTP/1.1 200")


def test_those_who_wait_for_a_descriptor_get_it_beside_others(start_daemon, hand_models):
    """Out of descriptors nobody is let in; when there are some again, those who wait are, however busy the rest is."""
    daemon = start_daemon(hand_models, "--server.threads=1")
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (80, 80))
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as busy:
        ask(busy)
        held = hold(daemon.port, 100, b"")
        end = time.monotonic() + 20
        while "accept: Too many open files" not in daemon.log:
            assert time.monotonic() < end
            ask(busy)
        for client in held:
            client.close()
        with socket.create_connection(("127.0.0.1", daemon.port)) as late:
            late.settimeout(0.05)
            late.sendall(GET + b"\r\n")
            for _ in range(400):
                ask(busy)
                try:
                    assert late.recv(4096).startswith(b"HTTP/1.1 200")
                    break
                except socket.timeout:
                    pass
            else:
                pytest.fail("those who have a connection leave no turn for others")
