# SPDX-License-Identifier: Apache-2.0
"""The proxy configurations as they ship, before a daemon that asks for no token: what strangers reach through them."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import time

import pytest

from conftest import ROOT, Daemon, run_command
from test_daemon_access import make_tokens

SBIN = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
VERSION = "20261128T000000Z-0123456789abcdef"


def haproxy(text, port):
    text = re.sub(r"(?ms)^resolvers docker\n.*?\n\n", "", text)
    text = re.sub(r"(?m)^    server (b|c) .*\n", "", text)
    text = text.replace("init-addr none resolvers docker", "")
    text, n = re.subn(r"(server a 127\.0\.0\.2:8080|server-template influenced 10 influenced:8080)", f"server a 127.0.0.1:{port}", text)
    assert n == 1
    return text


def in_place_of(pattern, text, by):
    text, n = re.subn(pattern, by, text)
    assert n == 1, pattern
    return text


def start_haproxy(text, daemon_port, folder):
    listener = socket.create_server(("127.0.0.1", 0))
    (folder / "proxy.cfg").write_text(in_place_of(r"bind \S*:(8443|8080)", haproxy(text, daemon_port), f"bind fd@{listener.fileno()}"))
    command = [shutil.which("haproxy", path=SBIN), "-db", "-f", folder / "proxy.cfg"]
    with open(folder / "log", "wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, pass_fds=[listener.fileno()]), listener.getsockname()[1]


def start_nginx(text, daemon_port, folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = in_place_of(r"(?m)^        listen 8443;", text, f"        listen 127.0.0.1:{port};")
    text = in_place_of(r"rate=100r/s", text, "rate=100000r/s")
    text = in_place_of(r"(?m)^        server 127.0.0.1:8080", text, f"        server 127.0.0.1:{daemon_port}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    text = text.replace("http {", "http {" + "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds), 1)
    (folder / "proxy.conf").write_text(f"daemon off; pid {folder}/pid;\n{text}")
    command = [shutil.which("nginx", path=SBIN), "-e", folder / "error", "-c", folder / "proxy.conf", "-p", folder]
    with open(folder / "log", "wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log), port


PROXIES = {
    "config/proxy/haproxy.cfg": ("haproxy", start_haproxy),
    "docker/haproxy.cfg": ("haproxy", start_haproxy),
    "config/proxy/nginx.conf": ("nginx", start_nginx),
}


def ask(port, method, path):
    """(status, whether the daemon gave the answer, body) with the path as it is written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path)
    if method == "POST":
        connection.putheader("Content-Length", "2")
    connection.endheaders()
    if method == "POST":
        connection.send(b"{}")
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, reply.headers["X-Content-Type-Options"] == "nosniff", body


@pytest.fixture(params=PROXIES)
def proxy(request, start_daemon, hand_models, tmp_path):
    """(daemon, port of the proxy)"""
    program, start = PROXIES[request.param]
    if not shutil.which(program, path=SBIN):
        pytest.skip(f"no {program}: apt-get install {program}")
    daemon = start_daemon(hand_models)
    folder = tmp_path / "proxy"
    folder.mkdir()
    process, port = start((ROOT / request.param).read_text(encoding="utf-8"), daemon.port, folder)
    try:
        end = time.monotonic() + 60
        while True:
            assert process.poll() is None and time.monotonic() < end, (folder / "log").read_text()
            try:
                if ask(port, "GET", "/score?handle=demo_0001")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.05)
        yield daemon, port
    finally:
        process.terminate()
        process.wait(30)


def spellings(path):
    """The same path to whoever reads escapes: each character, and all of them, escaped; and ways around."""
    escaped = [f"%{ord(c):02x}" for c in path]
    yield path
    for i in range(1, len(path)):
        yield path[:i] + escaped[i] + path[i + 1:]
        yield path[:i] + escaped[i].upper() + path[i + 1:]
    yield "/" + "".join(escaped[1:])
    yield "/score/.." + path
    yield "/score/%2e%2e" + path
    yield "/" + path
    yield "/." + path
    yield path.replace("/", "\\")
    yield path + "?x=/score"
    yield path + "%00"
    yield "/score%2f.." + path
    yield f"http://127.0.0.1{path}"


@pytest.fixture(scope="module")
def table(tmp_path_factory, hand_models):
    """(asked, operators'): (method, path) of each route, as the daemon tells them by the scopes that it asks for."""
    directory = tmp_path_factory.mktemp("table")
    secret = make_tokens(run_command, directory / "tokens", a="predict")["a"]
    daemon = Daemon(hand_models, directory, f"--access.tokens={directory / 'tokens'}")
    try:
        routes = daemon.get("/")[1]["routes"]
        asked, operators = [], [("GET", "/-/healthy"), ("GET", "/-/ready")]
        for route in routes:
            path = route["path"].replace("/app-*", "/app-0.js").replace("{model}", "score").replace("{version}", VERSION)
            for method in {"GET", "POST"} & set(route["methods"].split(", ")):
                headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
                status = daemon.request(method, path, b"{}" if method == "POST" else None, headers)[0]
                if status == 403:
                    operators.append((method, path))
                elif not path.startswith("/-/"):
                    asked.append((method, path))
    finally:
        daemon.stop()
    assert len(operators) >= 9 and len(asked) >= 20
    return asked, operators


def test_no_spelling_of_an_operators_path_passes(proxy, table):
    """Not one is answered by the daemon but by a refusal: what a proxy lets pass is no path to it."""
    daemon, port = proxy
    before = daemon.get("/-/models")[1]
    tried = 0
    for method, path in table[1]:
        for spelling in spellings(path):
            status, is_daemons, body = ask(port, method, spelling)
            tried += 1
            assert status in (400, 404), (method, spelling, status, body[:200])
            assert spelling != path or not is_daemons, (method, spelling)
    assert tried > 400
    # Nor did any of them do what it says.
    assert daemon.get("/-/models")[1] == before
    assert daemon.get("/score?handle=demo_0001")[0] == 200


def test_all_that_clients_ask_passes(proxy, table):
    daemon, port = proxy
    for method, path in table[0]:
        status, is_daemons, body = ask(port, method, path)
        assert is_daemons, (method, path, status, body[:200])
    page = re.findall(r'"(/?app-[^"]+)"', daemon.request("GET", "/", None, {"Accept": "text/html"})[2].decode())
    for path in page:
        assert ask(port, "GET", "/" + path.lstrip("/"))[0] == 200


@pytest.mark.parametrize("path", ["/%2D/ready", "/%2d/reload", "/-%2Fready", "/%6detrics", "/%64rift", "/v2/repository%2Fmodels/score/unload",
                                  "/v2/models/score%2Fstats", "/%76%32", "/-/read%79", "/-/ready%7E", "/%2e/metrics"])
def test_the_daemon_itself_takes_no_escape_of_what_needs_none(hand_daemon, path):
    for method in ("GET", "POST"):
        status, _, body = hand_daemon.request(method, path, b"{}" if method == "POST" else None)
        assert status == 400 and "escapes a character" in str(json.loads(body)["error"])


def test_escapes_that_are_needed_are_read(hand_daemon):
    assert hand_daemon.get("/a%20b%C3%A9")[1]["error"]["message"].startswith("no such path: /a bé")
    assert hand_daemon.get("/score?handle=%64emo%5F0001")[0] == 200
