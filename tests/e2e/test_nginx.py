# SPDX-License-Identifier: Apache-2.0
"""Three replicas behind nginx, by config/proxy/nginx.conf as it ships: one handle is one replica, and what nginx
refuses by itself looks as what the daemon refuses."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from conftest import ROOT
from test_replicas import N_REPLICAS

pytest_plugins = ["test_replicas"]
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
PERL = "/usr/lib/nginx/modules/ngx_http_perl_module.so"
CONFIG = (ROOT / "config/proxy/nginx.conf").read_text(encoding="utf-8")


@pytest.fixture
def start_nginx(tmp_path):
    """start_nginx(replicas, (text, other)...): the port of an nginx before them, with texts of the file replaced."""
    if not NGINX:
        pytest.skip("no nginx: apt-get install nginx")
    started = []

    def start(replicas, *changes):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        servers = "".join(f"        server {r.address}:{r.port} max_fails=1 fail_timeout=1s;\n" for r in replicas)
        places = "".join(f"    {kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text, n = re.subn(r"(?m)^        server 127\.0\.0\.1:8080.*\n", servers, CONFIG)
        assert n == 1
        for old, new in [("listen 8443;", f"listen 127.0.0.1:{port};"), ("http {\n", "http {\n" + places),
                         ("worker_processes auto;", "worker_processes 1;" + ("user root;" if os.geteuid() == 0 else "")), *changes]:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "nginx.conf"
        path.write_text(text, encoding="utf-8")
        log = tmp_path / "nginx.log"
        started.append(subprocess.Popen(
            [NGINX, "-p", tmp_path, "-c", path, "-e", log, "-g", f"daemon off; pid {tmp_path}/nginx.pid; error_log {log};"]))
        end = time.monotonic() + 30
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert started[-1].poll() is None and time.monotonic() < end, log.read_text(encoding="utf-8")
            time.sleep(0.02)
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


def ask(connection, method, path, body=None, **headers):
    """(status, headers, what the JSON of the answer holds)"""
    connection.request(method, path, body, {"Content-Type": "application/json", **headers})
    reply = connection.getresponse()
    text = reply.read()
    return reply.status, reply.headers, json.loads(text) if reply.headers["Content-Type"] == "application/json" else text


NO_LIMIT = ("        limit_req zone=clients burst=200 nodelay;\n", "")


def places_of(replicas, port, spell):
    """By handle, at which replicas it was asked for, in four ways, of which the last ones are spelled another way."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asked = {}
    for i in range(60):
        handle = f"Demo_{i:04d}"
        ways = [("POST", "/score", json.dumps({"followers": 1000, "handle": handle})),
                ("GET", f"/score?handle={handle}", None),
                ("POST", "/score", '{ "handle" : "@%s", "followers": 1000}' % spell(handle)),
                ("GET", f"/score?explain=true&handle=%40{spell(handle)}", None)]
        for n, way in enumerate(ways):
            assert ask(connection, *way, **{"X-Request-Id": f"{i}-{n}"})[0] in (200, 404)
            asked[f"{i}-{n}"] = handle
    of, found = {}, 0
    for at, replica in enumerate(replicas):
        replica.stop()
        for request_id, _ in replica.rows():
            of.setdefault(asked[request_id], set()).add(at)
            found += 1
    assert found == len(asked) and len(of) == 60
    return of


def test_one_handle_is_one_replicas_in_query_and_body(start_replicas, start_nginx, hand_models):
    replicas = start_replicas(hand_models)
    of = places_of(replicas, start_nginx(replicas, NO_LIMIT), str)
    assert all(len(places) == 1 for places in of.values())
    shares = Counter(next(iter(places)) for places in of.values())
    assert all(shares[at] >= 6 for at in range(N_REPLICAS)), shares


def test_by_perl_a_handle_is_one_replicas_in_any_case(start_replicas, start_nginx, hand_models):
    """The lines of the file's comment; without them there would be two of many handles."""
    if not Path(PERL).exists():
        pytest.skip("no module for Perl: apt-get install libnginx-mod-http-perl")
    line = re.search(r"    # (perl_set .*)\n", CONFIG)[1]
    by_perl = [("events {", f"load_module {PERL};\nevents {{"), ("    map $spelled $key { default $spelled; }\n", f"    {line}\n")]
    replicas = start_replicas(hand_models)
    assert all(len(places) == 1 for places in places_of(replicas, start_nginx(replicas, NO_LIMIT, *by_perl), str.upper).values())


def test_what_nginx_refuses_has_the_daemons_shape(start_replicas, start_nginx, hand_models):
    replicas = start_replicas(hand_models)
    connection = http.client.HTTPConnection("127.0.0.1", start_nginx(replicas, ("rate=100r/s", "rate=1r/s"), ("burst=200", "burst=20")), timeout=30)
    connection.putrequest("POST", "/score")
    connection.putheader("Content-Length", str((256 << 20) + 1))
    connection.putheader("X-Request-Id", "large-1")
    connection.endheaders()  # and nothing of the body
    reply = connection.getresponse()
    error = json.loads(reply.read())["error"]
    assert (reply.status, error["code"], error["request_id"], reply.headers["X-Request-Id"]) == (413, "too_large", "large-1", "large-1")
    assert "proxy" in error["message"]
    connection.close()
    # The daemon's own are left alone.
    status, headers, body = ask(connection, "POST", "/score", "{")
    assert status == 400 and body["error"]["code"] != "too_many_requests" and headers["X-Request-Id"] == body["error"]["request_id"]
    for path in "/-/ready", "/metrics", "/drift":
        assert ask(connection, "GET", path)[0] == 404
    seen = [ask(connection, "GET", "/score?handle=nobody", **{"X-Request-Id": 'a"b'}) for _ in range(60)]
    refused = [answer for answer in seen if answer[0] == 429]
    assert {status for status, _, _ in seen} == {404, 429} and refused
    for _, headers, body in refused:
        assert headers["Retry-After"] == "1" and body["error"]["code"] == "too_many_requests" and body["error"]["message"]
        assert body["error"]["request_id"] == headers["X-Request-Id"] != 'a"b'
    for replica in replicas:
        replica.stop()
    status, end = 429, time.monotonic() + 30
    while status == 429 and time.monotonic() < end:  # until the limit lets one pass again
        time.sleep(0.2)
        status, headers, body = ask(connection, "GET", "/score?handle=nobody")
    assert (status, headers["Retry-After"], body["error"]["code"]) == (503, "1", "unavailable")


def test_nginx_takes_the_bodies_that_the_daemon_takes(start_replicas, start_nginx, hand_models):
    """CSV by its bound, beyond that of JSON, which the daemon itself refuses."""
    daemons = (ROOT / "config/influenced.conf").read_text(encoding="utf-8")
    assert int(re.search(r"(?m)^max_csv_bytes = (\d+)$", daemons)[1]) == int(re.search(r"client_max_body_size (\d+)m;", CONFIG)[1]) << 20
    connection = http.client.HTTPConnection("127.0.0.1", start_nginx(start_replicas(hand_models), NO_LIMIT), timeout=120)
    row = b"5000,10,%s\r\n" % (b"x" * 100)
    csv = b"followers,posts,note\r\n" + row * 60_000
    assert len(csv) > 6_000_000
    status, _, answer = ask(connection, "POST", "/score", csv, **{"Content-Type": "text/csv"})
    assert status == 200 and answer.count(b"\r\n") == 60_001
    status, headers, body = ask(connection, "POST", "/score", b" " * 5_000_000, **{"X-Request-Id": "large-2"})
    assert (status, body["error"]["code"], body["error"]["request_id"]) == (413, "too_large", "large-2")
    assert "4194304" in body["error"]["message"]


def test_a_replica_that_is_killed_fails_nobody(start_replicas, start_nginx, hand_models):
    replicas = start_replicas(hand_models)
    connection = http.client.HTTPConnection("127.0.0.1", start_nginx(replicas, NO_LIMIT), timeout=30)
    statuses = []
    for i in range(200):
        if i == 60:
            replicas[1].kill()
        statuses.append(ask(connection, "POST", "/score", json.dumps({"followers": 1000, "handle": f"h{i % 50}"}))[0])
    assert statuses == [200] * 200
