# SPDX-License-Identifier: Apache-2.0
"""Request smuggling through a real HAProxy: whatever a client sends, HAProxy and the daemon must agree on
where a request ends. Two frontends share one connection to the daemon: one as HAProxy is by default, one that
lets invalid requests pass (option accept-invalid-http-request), so that the daemon sees more of them.

HAProxy denies /version. Each vector hides a GET /version, so that it comes to the daemon only where HAProxy did
not see it as a request, and is followed by another client. Asked is: (1) the hidden request never comes to the
daemon; (2) the daemon counted as many requests as the client got answers of it; (3) the next client, on the same
connection, gets the answer to its own request, known by its id."""

import re
import shutil
import socket
import subprocess
import time

import pytest

from test_daemon_log import metric

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")

CONFIG = """
global
    maxconn 100
    nbthread 1

defaults
    mode http
    timeout connect 5s
    timeout server 2s
    # A client whose request seems unfinished, or who seems to send no other one, is let go soon.
    timeout client 300ms
    timeout http-request 300ms
    timeout http-keep-alive 150ms
    option http-keep-alive
    retries 0
    default_backend influenced

frontend strict
    bind 127.0.0.1:{strict}

frontend lax
    bind 127.0.0.1:{lax}
    option accept-invalid-http-request

backend influenced
    http-request deny if {{ path /version }}
    # One connection for all clients: what one leaves in it, the next one would get.
    http-reuse always
    server a 127.0.0.1:{daemon} maxconn 1
"""

HIDDEN = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
SECOND = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /score HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /-/healthy HTTP/1.1\r\n"
BODY = b'{"followers": 5000}'
LENGTH = b"Content-Length: %d\r\n"
TE = b"Transfer-Encoding: chunked\r\n"
LAST = b"0\r\n\r\n"
END = b"\r\n"


def cl(data):
    return LENGTH % len(data)


def te(line):
    """A Transfer-Encoding that one of two might not see: a length covers all, the chunks end before."""
    return POST + cl(LAST + HIDDEN) + line + END + LAST + HIDDEN


def chunks(size, end=b"\r\n", behind=HIDDEN):
    return POST + TE + END + size + end + BODY + b"\r\n" + LAST + behind


VECTORS = {
    # ---- a length and chunks ----
    "CL.TE": POST + cl(LAST + HIDDEN) + TE + END + LAST + HIDDEN,
    "TE.CL": POST + TE + b"Content-Length: 4\r\n" + END + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n" + LAST,
    "CL.0 on a GET": GET + b"Host: x\r\n" + cl(HIDDEN) + END + HIDDEN,
    "CL.TE on HTTP/1.0": b"POST /score HTTP/1.0\r\nHost: x\r\n" + cl(LAST + HIDDEN) + TE + END + LAST + HIDDEN,
    "chunked on HTTP/1.0": b"POST /score HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n" + TE + END + LAST + HIDDEN,
    # ---- codings in disguise ----
    "TE: a space before the colon": te(b"Transfer-Encoding : chunked\r\n"),
    "TE: a tab before the colon": te(b"Transfer-Encoding\t: chunked\r\n"),
    "TE: a vertical tab before the value": te(b"Transfer-Encoding:\x0bchunked\r\n"),
    "TE: a NUL behind the value": te(b"Transfer-Encoding: chunked\0\r\n"),
    "TE: xchunked": te(b"Transfer-Encoding: xchunked\r\n"),
    "TE: in quotes": te(b'Transfer-Encoding: "chunked"\r\n'),
    "TE: identity and chunked": te(b"Transfer-Encoding: identity, chunked\r\n"),
    "TE: chunked and identity": te(b"Transfer-Encoding: chunked, identity\r\n"),
    "TE: twice": te(TE + TE),
    "TE: the second unknown": te(TE + b"Transfer-Encoding: cow\r\n"),
    "TE: folded": te(b"Transfer-Encoding:\r\n chunked\r\n"),
    "TE: behind a bare LF": te(b"X-A: b\nTransfer-Encoding: chunked\r\n"),
    "TE: behind a bare CR": te(b"X-A: b\rTransfer-Encoding: chunked\r\n"),
    "TE: with an underscore": te(b"Transfer_Encoding: chunked\r\n"),
    "TE: a space before the name": te(b" Transfer-Encoding: chunked\r\n"),
    "TE: a parameter": te(b"Transfer-Encoding: chunked;q=1\r\n"),
    "TE: in capitals": te(b"TRANSFER-ENCODING: CHUNKED\r\n"),
    "TE: an empty list member": te(b"Transfer-Encoding: ,chunked\r\n"),
    "TE: a letter beyond ASCII": te(b"Transfer-Encoding: chun\xe2\x84\xaaed\r\n"),
    "TE: named in Connection": te(b"Connection: Transfer-Encoding\r\n" + TE),
    # ---- lengths ----
    "CL: two that differ": POST + b"Content-Length: 0\r\n" + cl(HIDDEN) + END + HIDDEN,
    "CL: two that differ, the larger first": POST + cl(HIDDEN) + b"Content-Length: 0\r\n" + END + HIDDEN,
    "CL: a list that differs": POST + b"Content-Length: 0, %d\r\n" % len(HIDDEN) + END + HIDDEN,
    "CL: signed": POST + b"Content-Length: +%d\r\n" % len(HIDDEN) + END + HIDDEN,
    "CL: negative": POST + b"Content-Length: -1\r\n" + END + HIDDEN,
    "CL: in hex": POST + b"Content-Length: 0x%x\r\n" % len(HIDDEN) + END + HIDDEN,
    "CL: a space within": POST + b"Content-Length: 0 %d\r\n" % len(HIDDEN) + END + HIDDEN,
    "CL: a space before the colon": POST + b"Content-Length : %d\r\n" % len(HIDDEN) + END + HIDDEN,
    "CL: beyond 64 bits": POST + b"Content-Length: 18446744073709551616\r\n" + END + HIDDEN,
    "CL: folded": POST + b"Content-Length:\r\n %d\r\n" % len(HIDDEN) + END + HIDDEN,
    "CL: behind a bare LF": POST + b"X-A: b\n" + cl(HIDDEN) + END + HIDDEN,
    "CL: named in Connection": POST + b"Connection: Content-Length\r\n" + cl(HIDDEN) + END + HIDDEN,
    # ---- chunks ----
    "chunk: a signed size": chunks(b"+13"),
    "chunk: 0x": chunks(b"0x13"),
    "chunk: a space before the size": chunks(b" 13"),
    "chunk: a size beyond 64 bits": chunks(b"10000000000000013"),
    "chunk: a size that wraps 32 bits": chunks(b"100000013"),
    "chunk: no size": chunks(b""),
    "chunk: a bare LF behind the size": chunks(b"13", end=b"\n"),
    "chunk: a bare CR behind the size": chunks(b"13", end=b"\r"),
    "chunk: a bare LF in an extension": chunks(b"13;a\nb"),
    "chunk: shorter than its size": chunks(b"40"),
    "chunk: longer than its size": chunks(b"5"),
    "chunk: no CRLF behind the data": POST + TE + END + b"13\r\n" + BODY + LAST + HIDDEN,
    "chunk: two bytes of anything for CRLF": POST + TE + END + b"13\r\n" + BODY + b"xx" + LAST + HIDDEN,
    "chunk: a hidden trailer": POST + TE + END + b"13\r\n" + BODY + b"\r\n0\r\nContent-Length: 50\r\n" + HIDDEN,
    "chunk: a last one of several zeros": POST + TE + END + b"13\r\n" + BODY + b"\r\n000;x\n" + HIDDEN,
    # ---- lines and targets ----
    "a bare LF for the empty line": POST + b"Content-Length: 0\r\n\n" + HIDDEN,
    "bare LFs all through": (POST + b"Content-Length: 0\r\n\r\n").replace(b"\r", b"") + HIDDEN,
    "a request in a value behind a bare CR": GET + b"Host: x\r\nX-A: b\r\r" + HIDDEN,
    "a request in a value behind a bare LF": GET + b"Host: x\r\nX-A: b\n\n" + HIDDEN,
    "a request in a target": b"GET /-/healthy HTTP/1.1\nHost: x\n\n" + HIDDEN,
    "escaped line ends in a target": b"GET /-/healthy%20HTTP/1.1%0d%0a%0d%0aGET%20/version HTTP/1.1\r\nHost: x\r\n\r\n",
    "an upgrade to h2c": b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                         b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN)
                         + HIDDEN,
    "Expect with its body at once": POST + b"Expect: 100-continue\r\n" + cl(HIDDEN) + END + HIDDEN,
    "an unknown expectation": POST + b"Expect: 200-ok\r\n" + cl(HIDDEN) + END + HIDDEN,
    "a method to override": POST + b"X-HTTP-Method-Override: GET\r\n" + cl(HIDDEN) + END + HIDDEN,
}

# One request for whose host or version there are two readings: somebody says 400.
REFUSED = {
    "an absolute target of another host": b"GET http://y/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "two Hosts": b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a second Host with a space before the colon": b"GET /health HTTP/1.1\r\nHost: x\r\nHost : y\r\n\r\n",
    "a Host with a user": b"GET /health HTTP/1.1\r\nHost: y@x\r\n\r\n",
    "a version in two digits": b"GET /health HTTP/1.10\r\nHost: x\r\n\r\n",
    "no Host": b"GET /health HTTP/1.1\r\n\r\n",
}

# Framed as RFC 9112 wants it: the second request is one, for HAProxy as for the daemon. Answers expected.
PIPELINED = {
    "two GETs": (GET + b"Host: x\r\n\r\n" + SECOND, 2),
    "a POST and a GET": (POST + cl(BODY) + END + BODY + SECOND, 2),
    "chunks and a GET": (chunks(b"13", behind=SECOND), 2),
    "chunks with an extension and a GET": (chunks(b"13;a=b", behind=SECOND), 2),
    "a refused POST and a GET": (POST + b"Content-Length: 1\r\n" + END + b"x" + SECOND, 2),
    "a GET with a body and a GET": (GET + b"Host: x\r\nContent-Length: 4\r\n\r\nGET " + SECOND, 2),
    "many": (SECOND * 20, 20),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def proxy(hand_daemon, tmp_path_factory):
    """{"strict": port, "lax": port} of an HAProxy before the daemon."""
    if not HAPROXY:
        pytest.skip("no haproxy")
    directory = tmp_path_factory.mktemp("haproxy")
    ports = {"strict": free_port(), "lax": free_port()}
    config = directory / "haproxy.cfg"
    config.write_text(CONFIG.format(daemon=hand_daemon.port, **ports))
    with open(directory / "stderr", "wb") as log:
        # -db: in the foreground and one process, so that its end is its child's as well.
        process = subprocess.Popen([HAPROXY, "-db", "-f", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 20
        while not all(map(is_open, ports.values())):
            assert process.poll() is None and time.monotonic() < end, (directory / "stderr").read_text()
            time.sleep(0.02)
        yield ports
    finally:
        process.terminate()
        process.wait(20)


def exchange(port, data):
    """All that comes back until HAProxy lets go. The client leaves its side open: a half-closed one may lose
    answers."""
    reply = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        try:
            client.sendall(data)
            while piece := client.recv(65536):
                reply += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    return reply


def answers_of_daemon(reply):
    """How many answers of the daemon are in it: they have an id; HAProxy's own have none."""
    return len(re.findall(rb"(?im)^x-request-id:", reply))


def counted(daemon):
    """Requests by route as the daemon counted them; scrapes aside. An answer is counted just after it has left:
    look until nothing but the look itself is under way, and nothing was added since the look before."""
    last, end = None, time.monotonic() + 20
    while True:
        text = daemon.get("/metrics")[1]
        routes = {}
        for route, n in re.findall(r'^influenced_requests_total\{route="([^"]*)",status="\d+"\} (\d+)$', text, re.M):
            routes[route] = routes.get(route, 0) + int(n)
        routes.pop("/metrics", None)
        if re.search(r"^influenced_requests_in_flight 1$", text, re.M) and routes == last:
            return routes
        last = routes
        assert time.monotonic() < end, "requests stay under way"


def next_client(port, name):
    """What is wrong with the answer to a request of somebody else, or None."""
    reply = exchange(port, b"GET /score?handle=demo_0007 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                           b"X-Request-Id: %s\r\n\r\n" % name)
    is_own = b"\r\nx-request-id: " + name + b"\r\n" in reply.lower()
    if not reply.startswith(b"HTTP/1.1 200 ") or not is_own or answers_of_daemon(reply) != 1:
        return f"the next client got {reply[:300]!r}"
    return None


def total(routes):
    return sum(routes.values())


def complaint(daemon, port, data, tag):
    """(what is wrong or None, answers of the daemon)"""
    before = counted(daemon)
    reply = exchange(port, data)
    problem = next_client(port, tag)
    after = counted(daemon)
    answers = answers_of_daemon(reply)
    asked = total(after) - total(before) - 1
    if problem:
        return problem, answers
    if after.get("/version", 0) != before.get("/version", 0):
        return f"the hidden request came to the daemon: {reply[-300:]!r}", answers
    if asked != answers:
        return f"{asked} requests counted, {answers} answers seen: {reply[:300]!r}", answers
    return None, answers


@pytest.mark.parametrize("frontend", ["strict", "lax"])
def test_no_hidden_request_is_answered(hand_daemon, proxy, frontend, record_property):
    complaints, reached = {}, 0
    for number, (name, data) in enumerate(VECTORS.items()):
        found, answers = complaint(hand_daemon, proxy[frontend], data, b"next-%s-%d" % (frontend.encode(), number))
        reached += answers > 0
        if found:
            complaints[name] = found
    summary = (f"{frontend}: {len(VECTORS) - len(complaints)} of {len(VECTORS)} vectors smuggle nothing; "
               f"{reached} reached the daemon")
    record_property("smuggling", summary)
    print("smuggling:", summary)
    assert not complaints, summary + "\n" + "\n".join(f"{k}: {v}" for k, v in complaints.items())


@pytest.mark.parametrize("frontend", ["strict", "lax"])
@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_two_readings_are_refused(hand_daemon, proxy, frontend, data):
    reply = exchange(proxy[frontend], data)
    assert re.findall(rb"HTTP/1\.1 (\d+)", reply) == [b"400"], reply
    assert next_client(proxy[frontend], b"behind") is None


@pytest.mark.parametrize("frontend", ["strict", "lax"])
@pytest.mark.parametrize("data, expected", PIPELINED.values(), ids=PIPELINED)
def test_a_request_behind_a_whole_one_is_answered_once(hand_daemon, proxy, frontend, data, expected):
    before = counted(hand_daemon)
    reply = exchange(proxy[frontend], data)
    assert next_client(proxy[frontend], b"behind") is None
    after = counted(hand_daemon)
    assert answers_of_daemon(reply) == expected == total(after) - total(before) - 1
    assert after["/health"] > before.get("/health", 0)


def test_a_hidden_request_would_be_noticed(hand_daemon, proxy):
    """The proof that the counts can tell: past HAProxy the hidden request is counted, through it it is denied."""
    before = counted(hand_daemon)
    assert exchange(proxy["lax"], HIDDEN).startswith(b"HTTP/1.1 403 ")
    denied = counted(hand_daemon)
    assert denied == before
    assert answers_of_daemon(exchange(hand_daemon.port, HIDDEN.replace(END, b"\r\nConnection: close\r\n", 1))) == 1
    assert counted(hand_daemon)["/version"] == before.get("/version", 0) + 1


def test_clients_share_a_connection_to_the_daemon(hand_daemon, proxy):
    """Or the next client above would not meet what one before it left."""
    assert next_client(proxy["strict"], b"first") is None
    before = metric(hand_daemon, "influenced_connections_total ")
    for i in range(10):
        assert next_client(proxy["strict"], b"more-%d" % i) is None
    after = metric(hand_daemon, "influenced_connections_total ")
    assert after - before == 1  # that of the scrape itself
