# SPDX-License-Identifier: Apache-2.0
"""A warm daemon answers without asking for memory."""

import itertools
import json
import struct
from http.client import HTTPConnection

import pytest

from conftest import BUILD, SANITIZED

pytestmark = pytest.mark.skipif(bool(SANITIZED), reason="a sanitizer replaces the allocator")
COUNTER = BUILD / "tests/support/libcount-allocations.so"
CONNECTIONS = 8


class Counts:
    def __init__(self, path):
        self.path = path

    def now(self):
        """Allocations so far: of the daemon itself, of the C library, of libmicrohttpd."""
        return struct.unpack("4Q", self.path.read_bytes())[:3]


@pytest.fixture
def counted(start_daemon, monkeypatch, tmp_path):
    """counted(models, option...): a daemon whose allocations are counted, and the counts."""
    def start(models, *options):
        path = tmp_path / "counts"
        monkeypatch.setenv("LD_PRELOAD", str(COUNTER))
        monkeypatch.setenv("COUNT_ALLOCATIONS", str(path))
        daemon = start_daemon(models, "--server.threads=1", *options)
        monkeypatch.delenv("LD_PRELOAD")
        return daemon, Counts(path)
    return start


def bodies():
    """All sizes of request, small and large, with fields that are not always there."""
    for i in itertools.count():
        profile = {"handle": f"invented_{i % 37}", "followers": 1000 + 977 * i % 10**7, "posts": "1.2k",
                   "engagement_rate": "3.4%", "country": "Norway"}
        if i % 3 == 0:
            del profile["posts"]
        if i % 5 == 0:
            profile["unknown to us"] = "x" * (i % 100)
        yield json.dumps(profile)


def ask(connections, route, body, n):
    for i in range(n):
        connection = connections[i % len(connections)]
        connection.request("POST", route, next(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        assert reply.status == 200
        reply.read()


@pytest.mark.parametrize("durability", ["off", "batched", "acknowledged"])
def test_a_request_allocates_nothing_of_ours(counted, hand_models, durability):
    daemon, counts = counted(hand_models, f"--log.durability={durability}")
    connections = [HTTPConnection("127.0.0.1", daemon.port, timeout=60) for _ in range(CONNECTIONS)]
    body = bodies()
    assert counts.now()[0] > 0, "opening models takes memory"
    for route in ("/score", "/score?explain=true", "/tier", "/cluster", "/similar?k=5"):
        ask(connections, route, body, 200)
        before = counts.now()
        ask(connections, route, body, 200)
        ours, on_behalf, library = (after - now for after, now in zip(counts.now(), before))
        assert library >= 200, "the library allocates for each reply: is anything counted?"
        assert (ours, on_behalf) == (0, 0), route
    for connection in connections:
        connection.close()
