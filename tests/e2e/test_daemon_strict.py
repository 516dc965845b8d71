# SPDX-License-Identifier: Apache-2.0
"""The strict door, case by case: bytes in, status and code out. Sections are those of RFC 9112, or of
RFC 9110 where the name says so. Each case is sent on a connection of its own and, where it is about
framing, followed by a request that must not be answered (smuggled)."""

import json
import socket

import pytest

GET = b"GET /-/healthy HTTP/1.1\r\n"
HOST = b"Host: x\r\n"
POST = b"POST /score HTTP/1.1\r\nHost: x\r\n"
BODY = b'{"followers": 5000}'
LENGTH = b"Content-Length: 19\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"\r\n"


def chunk(data=BODY, size=None, end=b"\r\n"):
    return (size if size is not None else b"%x" % len(data)) + end + data + end


# Closed without an answer: libmicrohttpd does so when the first line has no space, and leaves no way.
SILENT = 0

BAD = {
    # ---- the request line ----
    "3: two spaces behind the method": (b"GET  /-/healthy HTTP/1.1\r\n" + HOST + END, 400),
    "3: two spaces before the version": (b"GET /-/healthy  HTTP/1.1\r\n" + HOST + END, 400),
    "3: a tab for a space": (b"GET\t/-/healthy HTTP/1.1\r\n" + HOST + END, 400),
    "3: a space behind the version": (b"GET /-/healthy HTTP/1.1 \r\n" + HOST + END, 400),
    "3: a space in the target": (b"GET /-/hea lthy HTTP/1.1\r\n" + HOST + END, 400),
    "3: no version": (b"GET /-/healthy\r\n" + HOST + END, 400),
    "3: a word alone": (b"GET\r\n" + HOST + END, SILENT),
    "3.1: a method that is no token": (b"GE@T /-/healthy HTTP/1.1\r\n" + HOST + END, 400),
    "3.2: a NUL in the target": (b"GET /-/hea\0lthy HTTP/1.1\r\n" + HOST + END, 400),
    "3.2: a control character in the target": (b"GET /-/hea\x01lthy HTTP/1.1\r\n" + HOST + END, 400),
    "3.2: a NUL as an escape in the path": (b"GET /-/healthy%00 HTTP/1.1\r\n" + HOST + END, 400),
    "3.2: a line end as an escape in the path": (b"GET /-/healthy%0D%0AX-A:b HTTP/1.1\r\n" + HOST + END, 400),
    "3.2: DEL as an escape in the path": (b"GET /-/healthy%7f HTTP/1.1\r\n" + HOST + END, 400),
    "RFC 3986 2.3: a letter as an escape in the path": (b"GET /-/health%79 HTTP/1.1\r\n" + HOST + END, 400),
    "RFC 3986 2.3: a dash as an escape in the path": (b"GET /%2D/healthy HTTP/1.1\r\n" + HOST + END, 400),
    "RFC 3986 2.2: a slash as an escape in the path": (b"GET /-%2fhealthy HTTP/1.1\r\n" + HOST + END, 400),
    "3.2: a NUL as an escape in the query": (b"GET /score?handle=a%00b HTTP/1.1\r\n" + HOST + END, 400),
    "3.2: a target without a slash": (b"GET healthy HTTP/1.1\r\n" + HOST + END, 400),
    "3.2.2: an absolute target of another host": (b"GET http://y/-/healthy HTTP/1.1\r\n" + HOST + END, 400),
    "3.2.2: an absolute target with a user": (b"GET http://u@x/-/healthy HTTP/1.1\r\n" + HOST + END, 400),
    "3.2.2: an absolute target of another scheme": (b"GET ftp://x/-/healthy HTTP/1.1\r\n" + HOST + END, 400),
    "3.2.3: an authority": (b"CONNECT x:80 HTTP/1.1\r\n" + HOST + END, 400),
    "3.2.4: an asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST + END, 400),
    "2.3: HTTP/2.0": (b"GET /-/healthy HTTP/2.0\r\n" + HOST + END, 505),
    "2.3: HTTP/0.9": (b"GET /-/healthy HTTP/0.9\r\n" + HOST + END, 505),
    "2.3: a version in small letters": (b"GET /-/healthy http/1.1\r\n" + HOST + END, 400),
    "2.3: a version of two digits": (b"GET /-/healthy HTTP/1.10\r\n" + HOST + END, 400),
    "3: another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", SILENT),
    # ---- line ends ----
    "2.2: a bare LF behind the request line": (b"GET /-/healthy HTTP/1.1\n" + HOST + END, 400),
    "2.2: a bare LF behind a header": (GET + b"Host: x\nAccept: */*\r\n" + END, 400),
    "2.2: a bare LF behind the last header": (GET + HOST + b"Accept: */*\n" + END, 400),
    "2.2: a bare CR in a value": (GET + HOST + b"X-A: a\rb\r\n" + END, 400),
    "2.2: a bare CR before CRLF": (GET + HOST + b"X-A: a\r\r\n" + END, 400),
    "2.2: a bare LF for the empty line, before a body": (POST + LENGTH + b"\n" + BODY, 400),
    "2.2: white space before the first header": (GET + b" " + HOST + END, 400),
    "2.2: a NUL for the empty line": (GET + HOST + b"\0X-A: b\r\n" + END, 400),
    # ---- Host ----
    "3.2: no Host": (GET + END, 400),
    "3.2: two Hosts": (GET + HOST + HOST + END, 400),
    "3.2: two differing Hosts": (GET + HOST + b"Host: y\r\n" + END, 400),
    "3.2: a Host with a space": (GET + b"Host: x y\r\n" + END, 400),
    "3.2: a Host with a slash": (GET + b"Host: x/y\r\n" + END, 400),
    "3.2: a Host with a user": (GET + b"Host: u@x\r\n" + END, 400),
    "3.2: a list of Hosts": (GET + b"Host: x, y\r\n" + END, 400),
    "3.2: a Host with letters for a port": (GET + b"Host: x:abc\r\n" + END, 400),
    "3.2: a Host with an open bracket": (GET + b"Host: [::1\r\n" + END, 400),
    **{f"3.2: a Host of {host.decode()}": (GET + b"Host: " + host + b"\r\n" + END, 400) for host in (
        b"a|b", b"a#b", b"`id`", b"a^b", b"a{b", b"%zz", b"%4", b"[::::::]", b"[.]", b"[1.2.3.4]", b"[]", b"[::1]x", b"x:99999", b"x:+1",
        b":80", b"x:80:80", b"[::1")},
    # ---- headers ----
    "5: a line without a colon": (GET + HOST + b"Nonsense\r\n" + END, 400),
    "5.1: a name that is no token": (GET + HOST + b"Bad@Name: 1\r\n" + END, 400),
    "5.1: a space in a name": (GET + HOST + b"Bad Name: 1\r\n" + END, 400),
    "5.1: a space before the colon": (GET + HOST + b"Accept : */*\r\n" + END, 400),
    "5.1: a tab before the colon": (GET + HOST + b"Accept\t: */*\r\n" + END, 400),
    "5.1: an empty name": (GET + HOST + b": nothing\r\n" + END, 400),
    "5.1: a NUL in a name": (GET + HOST + b"Ac\0cept: */*\r\n" + END, 400),
    "5.1: a letter beyond ASCII in a name": (GET + HOST + "Größe: 1\r\n".encode() + END, 400),
    "5.2: a folded value": (GET + HOST + b"X-A: a\r\n b\r\n" + END, 400),
    "5.2: a value folded with a tab": (GET + HOST + b"X-A: a\r\n\tb\r\n" + END, 400),
    "5.2: a folded Content-Length": (POST + b"Content-Length:\r\n 19\r\n" + END + BODY, 400),
    "9110 5.5: a NUL in a value": (GET + HOST + b"X-A: a\0b\r\n" + END, 400),
    "9110 5.5: a NUL at the end of a value": (GET + HOST + b"X-A: a\0\r\n" + END, 400),
    "9110 5.5: a control character in a value": (GET + HOST + b"X-A: a\x01b\r\n" + END, 400),
    "9110 5.5: DEL in a value": (GET + HOST + b"X-A: a\x7fb\r\n" + END, 400),
    "9110 5.3: two Content-Types": (
        POST + LENGTH + b"Content-Type: application/json\r\nContent-Type: text/csv\r\n" + END + BODY, 400),
    "9110 5.3: two Authorizations": (
        GET + HOST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n" + END, 400),
    # ---- the body's length ----
    "6.1: chunked and a length": (POST + LENGTH + CHUNKED + END + b"0\r\n\r\n", 400),
    "6.1: a length and chunked": (POST + CHUNKED + LENGTH + END + b"0\r\n\r\n", 400),
    "6.1: an unknown coding": (POST + b"Transfer-Encoding: gzip\r\n" + END, 400),
    "6.1: identity": (POST + b"Transfer-Encoding: identity\r\n" + LENGTH + END + BODY, 400),
    "6.1: two codings": (POST + b"Transfer-Encoding: gzip, chunked\r\n" + END + b"0\r\n\r\n", 400),
    "6.1: chunked twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n" + END + b"0\r\n\r\n", 400),
    "6.1: two Transfer-Encodings": (POST + CHUNKED + CHUNKED + END + b"0\r\n\r\n", 400),
    "6.1: chunked with a parameter": (POST + b"Transfer-Encoding: chunked;q=1\r\n" + END + b"0\r\n\r\n", 400),
    "6.1: chunked behind a vertical tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n" + END + b"0\r\n\r\n", 400),
    "6.1: chunked in quotes": (POST + b'Transfer-Encoding: "chunked"\r\n' + END + b"0\r\n\r\n", 400),
    "6.1: an empty Transfer-Encoding": (POST + b"Transfer-Encoding:\r\n" + LENGTH + END + BODY, 400),
    "6.1: chunked on HTTP/1.0": (b"POST /score HTTP/1.0\r\n" + CHUNKED + END + b"0\r\n\r\n", 400),
    "6.3: two lengths": (POST + LENGTH + LENGTH + END + BODY, 400),
    "6.3: differing lengths": (POST + LENGTH + b"Content-Length: 5\r\n" + END + BODY, 400),
    "6.3: a positive length": (POST + b"Content-Length: +19\r\n" + END + BODY, 400),
    "6.3: a negative length": (POST + b"Content-Length: -1\r\n" + END + BODY, 400),
    "6.3: a list of lengths": (POST + b"Content-Length: 19, 19\r\n" + END + BODY, 400),
    "6.3: a length in hex": (POST + b"Content-Length: 0x13\r\n" + END + BODY, 400),
    "6.3: a length with a fraction": (POST + b"Content-Length: 19.0\r\n" + END + BODY, 400),
    "6.3: a length with a space within": (POST + b"Content-Length: 1 9\r\n" + END + BODY, 400),
    "6.3: an empty length": (POST + b"Content-Length: \r\n" + END + BODY, 400),
    "6.3: a length beyond 64 bits": (POST + b"Content-Length: 99999999999999999999\r\n" + END + BODY, 413),
    "6.3: a POST without a length": (POST + END, 411),
    # ---- chunks ----
    "7.1: a size that is no number": (POST + CHUNKED + END + chunk(size=b"zz") + b"0\r\n\r\n", 400),
    "7.1: a signed size": (POST + CHUNKED + END + chunk(size=b"+13") + b"0\r\n\r\n", 400),
    "7.1: a size with 0x": (POST + CHUNKED + END + chunk(size=b"0x13") + b"0\r\n\r\n", 400),
    "7.1: a space before the size": (POST + CHUNKED + END + chunk(size=b" 13") + b"0\r\n\r\n", 400),
    "7.1: an empty size": (POST + CHUNKED + END + chunk(size=b"") + b"0\r\n\r\n", 400),
    "7.1: a size beyond 64 bits": (POST + CHUNKED + END + chunk(size=b"fffffffffffffffff") + b"0\r\n\r\n", 413),
    "7.1: data longer than its size": (POST + CHUNKED + END + chunk(size=b"5") + b"0\r\n\r\n", 400),
    # ---- sizes ----
    "9110 15.5.14: a body beyond the bound": (POST + b"Content-Length: 10000000\r\n" + END, 413),
    "9110 15.5.15: a long target": (b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\n" + HOST + END, 414),
    "6585 5: a large header": (GET + HOST + b"X-A: " + b"x" * 40000 + b"\r\n" + END, 431),
    "6585 5: many headers": (GET + HOST + b"X-A: y\r\n" * 8000 + END, 431),
    # ---- content ----
    "9110 8.4: an unknown Content-Encoding": (POST + LENGTH + b"Content-Encoding: br\r\n" + END + BODY, 415),
    "9110 8.3: a type that is not read": (POST + LENGTH + b"Content-Type: text/html\r\n" + END + BODY, 415),
    "9110 15.5.6: a method that the path does not take": (b"DELETE /score HTTP/1.1\r\n" + HOST + END, 405),
    "9110 9.3.8: TRACE": (b"TRACE /score HTTP/1.1\r\n" + HOST + END, 405),
}

CODES = {400: "bad_request", 405: "method_not_allowed", 411: "length_required", 413: "too_large",
         414: "target_too_long", 431: "headers_too_large", 505: "version"}
# Behind these the connection goes on: the request was understood.
GOES_ON = {405, 411, 415}
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

GOOD = {
    "2.2: an empty line before the request line": END + GET + HOST + END,
    "3.2.2: an absolute target of this host": b"GET http://x/-/healthy HTTP/1.1\r\n" + HOST + END,
    "3.2: an empty Host": GET + b"Host:\r\n" + END,
    "3.2: a Host with a port": GET + b"Host: x:80\r\n" + END,
    "3.2: a Host with an empty port": GET + b"Host: x:\r\n" + END,
    "3.2: a Host with an escape": GET + b"Host: b%C3%BCcher.example\r\n" + END,
    "3.2: an underscore in a Host": GET + b"Host: my_service:65535\r\n" + END,
    "3.2: an IPv4 address in IPv6": GET + b"Host: [::ffff:10.0.0.1]\r\n" + END,
    "3.2: an IPv6 Host": GET + b"Host: [::1]:8080\r\n" + END,
    "5: white space around a value": GET + b"Host: \t x \t\r\n" + END,
    "5: no white space before a value": GET + b"Host:x\r\n" + END,
    "5.5: an empty value": GET + HOST + b"X-A:\r\n" + END,
    "9110 5.5: bytes beyond ASCII in a value": GET + HOST + "X-A: ä\r\n".encode() + END,
    "6.3: HTTP/1.0 without Host": b"GET /-/healthy HTTP/1.0\r\n\r\n",
    "7.1: chunks": POST + CHUNKED + END + chunk(BODY[:5]) + chunk(BODY[5:]) + b"0\r\n\r\n",
    "7.1: a size with zeros before it": POST + CHUNKED + END + chunk(size=b"00013") + b"0\r\n\r\n",
    "7.1.1: a chunk extension": POST + CHUNKED + END + chunk(size=b"13;a=b") + b"0\r\n\r\n",
    "7.1.2: a trailer": POST + CHUNKED + END + chunk() + b"0\r\nX-A: b\r\n\r\n",
    "10.1.1: Expect": POST + LENGTH + b"Expect: 100-continue\r\n" + END + BODY,
}


def exchange(port, data, timeout=10):
    """All that comes back until the daemon closes, or is silent for a moment behind a whole reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
        try:
            client.sendall(data)
        except OSError:
            pass  # refused in the middle of it
        reply = b""
        while True:
            try:
                piece = client.recv(65536)
            except ConnectionResetError:
                break
            except TimeoutError:
                break
            if not piece:
                break
            reply += piece
            if b"\r\n\r\n" in reply:
                client.settimeout(0.3)
        return reply


def split(reply):
    head, _, body = reply.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def complaint(port, data, status):
    """What is wrong with the answer, or None."""
    reply = exchange(port, data + (SMUGGLED if status not in GOES_ON else b""))
    if status == SILENT:
        return None if reply == b"" else f"answered: {reply[:100]!r}"
    if not reply.startswith(b"HTTP/1.1 "):
        return f"no answer: {reply[:100]!r}"
    got, head, body = split(reply)
    if got != status:
        return f"{got} in place of {status}: {body[:200]!r}"
    if status not in GOES_ON and b"smuggled" in reply:
        return "what followed was taken for a request"
    if b"application/json" not in head:
        return "another shape"
    error = json.JSONDecoder().raw_decode(body.decode())[0]["error"]
    if error["code"] != CODES.get(status, error["code"]) or not error["message"]:
        return f"code {error['code']}"
    return None


def test_every_case_is_refused(hand_daemon, record_property):
    complaints = {}
    for name, (data, status) in BAD.items():
        found = complaint(hand_daemon.port, data, status)
        if found:
            complaints[name] = found
    assert hand_daemon.get("/-/healthy")[0] == 200
    summary = f"{len(BAD) - len(complaints)} refused of {len(BAD)} tried"
    record_property("strict", summary)
    print("strict:", summary)
    assert not complaints, summary + "\n" + "\n".join(f"{k}: {v}" for k, v in complaints.items())


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_what_is_allowed_is_answered(hand_daemon, data):
    reply = exchange(hand_daemon.port, data)
    if reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
        reply = reply[len(b"HTTP/1.1 100 Continue\r\n\r\n"):]
    assert split(reply)[0] == 200, reply


def test_a_head_in_single_bytes_is_the_same_head(hand_daemon):
    """Where the pieces of a head end must not matter to what is seen of it."""
    for data, status in (
        (GET + HOST + b"X-A: b\r\n" + END, b"200"), (GET + HOST + b"X-A: a\nX-B: b\r\n" + END, b"400"),
        (GET + HOST + b"X-A: a\r\n b\r\n" + END, b"400"), (GET + HOST + b"X-A: a\0b\r\n" + END, b"400"),
    ):
        with socket.create_connection(("127.0.0.1", hand_daemon.port), timeout=10) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i in range(len(data)):
                client.sendall(data[i:i + 1])
            assert client.recv(65536).split()[1] == status
