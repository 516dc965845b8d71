# SPDX-License-Identifier: Apache-2.0
"""TLS by certificate files, and gzip in and out."""

import gzip
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
import warnings
import zlib

import pytest

from conftest import INFLUENCED

BODY = json.dumps({"followers": 5000, "avg_likes": 100}).encode()


def make_certificate(directory, name, days=2):
    """(certificate, key) of a self-signed pair."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days),
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=60,
    )
    return certificate, key


def options(certificate, key):
    return [f"--access.tls_certificate={certificate}", f"--access.tls_key={key}"]


def shown(daemon):
    """The certificate that a new connection is shown."""
    return ssl.get_server_certificate(("127.0.0.1", daemon.port), timeout=60)


def until(check, timeout=60):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def pair(tmp_path):
    return make_certificate(tmp_path, "one")


def connect(daemon, certificate):
    context = ssl.create_default_context(cafile=certificate)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", daemon.port), timeout=60), server_hostname="127.0.0.1")


def read(client):
    reply = b""
    while not re.search(rb"\r\n\r\n.*\}", reply, re.DOTALL):
        piece = client.recv(65536)
        if not piece:
            break
        reply += piece
    return reply


def checked(directory, models, certificate, key):
    """(exit, the line about TLS) of --check."""
    done = subprocess.run(
        [INFLUENCED, "--check", f"--models.path={models}", "--server.listen=127.0.0.1:0", *options(certificate, key)],
        cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, re.search(r"^tls +(.*)$", done.stdout, re.M)[1]


def test_check_looks_at_certificate_and_key(hand_models, tmp_path):
    certificate, key = make_certificate(tmp_path, "long", days=90)
    status, line = checked(tmp_path, hand_models, certificate, key)
    assert status == 0 and line.startswith("ok") and re.search(r"until \d{4}-\d\d-\d\d", line)
    key.chmod(0o644)
    status, line = checked(tmp_path, hand_models, certificate, key)
    assert status == 0 and line.startswith("warning") and "chmod o=" in line
    soon = make_certificate(tmp_path, "soon")
    status, line = checked(tmp_path, hand_models, *soon)
    assert status == 0 and line.startswith("warning") and "renew" in line and "expires on" in line
    past = tmp_path / "past.pem"
    subprocess.run(["openssl", "x509", "-in", soon[0], "-signkey", soon[1], "-days", "-1", "-out", past],
                   check=True, capture_output=True, timeout=60)
    status, line = checked(tmp_path, hand_models, past, soon[1])
    assert status == 0 and line.startswith("warning") and "expired on" in line


def test_check_says_what_to_do_about_a_certificate_that_keeps_it_from_starting(hand_models, tmp_path, pair):
    wrong = {"not its key": (pair[0], make_certificate(tmp_path, "two")[1]), "no PEM": (pair[1], pair[1]),
             "not there": (pair[0], tmp_path / "none"), "one alone": (pair[0], "")}
    for name, files in wrong.items():
        status, line = checked(tmp_path, hand_models, *files)
        assert status == 1 and line.startswith("FAILED"), (name, line)
        assert "set both" in line if name == "one alone" else "needed are PEM files" in line, (name, line)


def test_requests_are_answered_over_tls_and_only_so(start_daemon, hand_models, hand_daemon, pair):
    daemon = start_daemon(hand_models, *options(*pair))
    assert "listening on https://" in daemon.log
    status, answer = daemon.post("/score", json.loads(BODY))
    assert status == 200 and answer == hand_daemon.post("/score", json.loads(BODY))[1]
    batch = {"instances": [json.loads(BODY)] * 2000}
    assert daemon.post("/score", batch)[1] == hand_daemon.post("/score", batch)[1]
    with connect(daemon, pair[0]) as client:
        assert client.version() in ("TLSv1.2", "TLSv1.3")
        for _ in range(3):
            client.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read(client).startswith(b"HTTP/1.1 200")
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as plain:
        plain.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert b"HTTP/" not in plain.recv(65536)
        except ConnectionResetError:
            pass


def test_old_versions_are_refused(start_daemon, hand_models, pair):
    daemon = start_daemon(hand_models, *options(*pair))
    context = ssl._create_unverified_context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as raw, pytest.raises(OSError):
        context.wrap_socket(raw)


@pytest.mark.parametrize("data, status", [
    (b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-A: a\n b\r\n\r\n", b"400"), (b"GET / HTTP/1.1\r\nNonsense\r\n\r\n", b"400"),
    (b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"), (b"GET / HTTP/2.5\r\n\r\n", b"505"),
    (b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"), (b"GET /-/he", b"408"),
], ids=["bare LF", "no colon", "414", "505", "413", "408"])
def test_refusals_go_over_tls_as_well(start_daemon, hand_models, pair, data, status):
    daemon = start_daemon(hand_models, *options(*pair), "--server.header_timeout_ms=500")
    with connect(daemon, pair[0]) as client:
        client.sendall(data)
        reply = read(client)
    assert reply.split()[1] == status and b'"error"' in reply, reply


def test_a_handshake_that_does_not_come_is_ended(start_daemon, hand_models, pair):
    daemon = start_daemon(hand_models, *options(*pair), "--server.header_timeout_ms=500")
    for first in (b"", b"\x16\x03\x01"):
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as client:
            client.sendall(first)
            start = time.monotonic()
            assert b"HTTP" not in client.recv(65536)
            assert time.monotonic() - start < 5
    assert daemon.get("/-/healthy")[0] == 200


def test_a_certificate_is_read_again_when_it_changes(start_daemon, hand_models, pair, tmp_path):
    certificate, key = pair
    daemon = start_daemon(hand_models, *options(certificate, key))
    first = shown(daemon)
    held = connect(daemon, certificate)
    for old, new in zip(pair, make_certificate(tmp_path, "two")):
        shutil.copy(new, f"{old}.new")
        (old.parent / f"{old.name}.new").rename(old)
    assert until(lambda: shown(daemon) != first)
    assert shown(daemon) == certificate.read_text()
    held.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
    assert read(held).startswith(b"HTTP/1.1 200")
    held.close()
    second = shown(daemon)
    key.write_text("nonsense")
    assert until(lambda: "the certificate before stays in force" in daemon.log)
    assert shown(daemon) == second


def test_a_key_that_does_not_fit_stops_the_start(start_daemon, hand_models, pair, tmp_path):
    other = make_certificate(tmp_path, "other")
    for certificate, key, said in (
        (pair[0], other[1], "is not the key of access.tls_certificate"),
        (pair[1], pair[1], "access.tls_certificate: "), (pair[0], tmp_path / "none", "none"),
    ):
        with pytest.raises(AssertionError, match=f"(?s)ended with 1.*{said}"):
            start_daemon(hand_models, *options(certificate, key))
            pytest.fail("it started")
        (tmp_path / "daemon-0").rename(tmp_path / f"ended-{key.name}-{certificate.name}")


# ---- gzip ----

def test_a_gzipped_body_is_read(hand_daemon):
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    status, _, body = hand_daemon.request("POST", "/score", gzip.compress(BODY), packed)
    assert status == 200 and json.loads(body) == hand_daemon.post("/score", json.loads(BODY))[1]
    batch = json.dumps({"instances": [json.loads(BODY)] * 3000}).encode()
    assert hand_daemon.request("POST", "/score", gzip.compress(batch), packed)[0] == 200


@pytest.mark.parametrize("body", [
    BODY, b"\x1f\x8b", gzip.compress(BODY)[:-1], gzip.compress(BODY) + b"x", gzip.compress(BODY) * 2, zlib.compress(BODY),
    gzip.compress(BODY)[:-8] + b"\0" * 8,
], ids=["plain", "two bytes", "cut off", "more behind", "two members", "zlib", "another checksum"])
def test_what_is_no_gzip_gets_400(hand_daemon, body):
    status, _, answer = hand_daemon.request("POST", "/score", body, {"Content-Encoding": "gzip"})
    assert status == 400 and json.loads(answer)["error"]["code"] == "not_gzip"


def test_a_bomb_gets_413_and_takes_no_memory(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--server.max_body_bytes=1000000")
    bomb = gzip.compress(b" " * 500_000_000, 9)
    assert len(bomb) < 1_000_000

    def peak():
        with open(f"/proc/{daemon.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))

    before = peak()
    for _ in range(5):
        status, _, answer = daemon.request("POST", "/score", bomb, {"Content-Encoding": "gzip"})
        assert status == 413 and json.loads(answer)["error"]["code"] == "too_large"
    assert peak() - before < 50_000


def test_large_replies_go_out_gzipped_to_those_who_take_it(hand_daemon):
    batch = json.dumps({"instances": [json.loads(BODY)] * 100}).encode()
    plain = hand_daemon.request("POST", "/score", batch)
    packed = hand_daemon.request("POST", "/score", batch, {"Accept-Encoding": "br, gzip"})
    assert plain[1]["Content-Encoding"] is None and packed[1]["Content-Encoding"] == "gzip"
    assert plain[1]["Vary"] == packed[1]["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed[2]) == plain[2] and len(packed[2]) < len(plain[2]) / 5
    for headers in ({"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "identity"}):
        assert hand_daemon.request("POST", "/score", batch, headers)[1]["Content-Encoding"] is None
    assert hand_daemon.request("POST", "/score", BODY, {"Accept-Encoding": "gzip"})[1]["Content-Encoding"] is None
