# SPDX-License-Identifier: Apache-2.0
"""Bad input: each its status, all of them the one error shape, and the daemon lives on."""

import json
import socket

import pytest

JSON = {"Content-Type": "application/json"}


def refuse(daemon, expected, method="POST", path="/score", body=None, headers=None):
    """The request gets that status and the error shape; gives the error."""
    status, reply_headers, answer = daemon.request(method, path, body, JSON if headers is None else headers)
    assert status == expected, answer
    assert reply_headers.get_content_type() == "application/json"
    error = json.loads(answer)["error"]
    assert set(error) <= {"code", "message", "field", "request_id"}
    assert error["code"] and error["message"]
    assert error["request_id"] == reply_headers["X-Request-Id"]
    assert daemon.get("/-/healthy")[0] == 200
    return error


NOT_JSON = {
    "empty": b"",
    "words": b"followers=5",
    "cut": b'{"followers": 5',
    "text behind": b'{"followers": 5} x',
    "single quotes": b"{'followers': 5}",
    "trailing comma": b'{"followers": 5,}',
    "NaN": b'{"followers": NaN}',
    "Infinity": b'{"followers": Infinity}',
    "leading zero": b'{"followers": 05}',
    "bad UTF-8": b'{"handle": "\xff\xfe"}',
    "overlong UTF-8": b'{"handle": "\xc0\xaf"}',
    "NUL": b'{"followers": 5}\0',
    "nested 1,000 deep": b"[" * 1000 + b"]" * 1000,
    "nested 1,000 deep in a field": b'{"followers":' + b'{"a":' * 1000 + b"1" + b"}" * 1001,
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_gets_400(hand_daemon, body):
    assert refuse(hand_daemon, 400, body=body)["code"] == "not_json"


WRONG = {
    "an array": (b"[]", None),
    "a string": (b'"x"', None),
    "a number": (b"5", None),
    "null": (b"null", None),
    "nothing in it": (b"{}", None),
    "only unknown names": (b'{"folowers": 5}', "folowers"),
    "a negative count": (b'{"followers": -3}', "followers"),
    "too many": (b'{"followers": 1e11}', "followers"),
    "beyond a double": (b'{"followers": 1e999}', "followers"),
    "a key twice": (b'{"followers": 1, "followers": 2}', "followers"),
    "an array for a number": (b'{"followers": [5]}', "followers"),
    "an object for a number": (b'{"followers": {"n": 5}}', "followers"),
    "true for a number": (b'{"followers": true}', "followers"),
    "words for a number": (b'{"followers": "many"}', "followers"),
    "a number for a text": (b'{"followers": 5, "country": 7}', "country"),
    "a number for a month": (b'{"followers": 5, "snapshot": 2022}', "snapshot"),
    "a long text": (b'{"followers": 5, "country": "' + b"x" * 65 + b'"}', "country"),
    "instances is no array": (b'{"instances": {}}', "instances"),
    "no instances": (b'{"instances": []}', "instances"),
    "k is 0": (b'{"followers": 5, "k": 0}', "k"),
    "k is a word": (b'{"followers": 5, "k": "few"}', "k"),
    "explain is a number": (b'{"followers": 5, "explain": 7}', "explain"),
    "filter is no object": (b'{"followers": 5, "filter": 7}', "filter"),
    "exclude holds numbers": (b'{"followers": 5, "exclude": [7]}', "exclude"),
}


@pytest.mark.parametrize("body, field", WRONG.values(), ids=WRONG)
def test_json_of_the_wrong_shape_or_range_gets_422_and_names_the_field(hand_daemon, body, field):
    assert refuse(hand_daemon, 422, body=body).get("field") == field


@pytest.mark.parametrize("query, field", [
    ("k=0", "k"), ("k=1000000", "k"), ("k=1.5", "k"), ("k=-1", "k"), ("k=", "k"), ("k=5&k=6", "k"),
    ("min_followers=-1", "min_followers"), ("min_followers=5&max_followers=4", "min_followers"),
    ("explain=maybe", "explain"), ("exclude=" + "x," * 2000, "exclude"), ("category=%ff", "category"),
])
def test_a_bad_parameter_gets_422_and_is_named(hand_daemon, query, field):
    assert refuse(hand_daemon, 422, "GET", f"/similar?handle=demo_0001&{query}")["field"] == field


def test_a_range_is_told(hand_daemon):
    error = refuse(hand_daemon, 422, "GET", "/similar?handle=demo_0001&k=0")
    assert "between 1 and 1000, got 0" in error["message"]
    error = refuse(hand_daemon, 422, body=b'{"followers": -3}')
    assert error["message"] == "followers: must be between 0 and 10000000000, got -3"


def test_unknown_names_are_reported_or_refused_when_strict(hand_daemon):
    body = {"followers": 5000, "folowing": 7, "shoe_size": 9}
    status, answer = hand_daemon.post("/score", body)
    assert status == 200
    assert answer["unknown_fields"] == ["folowing", "shoe_size"]
    error = refuse(hand_daemon, 422, path="/score?strict=true", body=json.dumps(body).encode())
    assert error["field"] == "folowing"
    assert "did you mean following?" in error["message"]
    assert hand_daemon.post("/score", body | {"strict": True})[0] == 422
    assert refuse(hand_daemon, 422, "GET", "/score?handle=demo_0001&strict=true&explian=1")["field"] == "explian"


def test_a_filter_is_told_where_it_is_not_heeded(hand_daemon):
    answer = hand_daemon.get("/influencers?q=demo&country=Brazil&min_followers=5")[1]
    assert answer["unknown_fields"] == ["country", "min_followers"]
    answer = hand_daemon.get("/score?handle=demo_0001&country=Brazil&followers=5&explain=true&k=3")[1]
    assert answer["unknown_fields"] == ["country", "followers"]
    error = refuse(hand_daemon, 422, "GET", "/influencers?country=Brazil&strict=true")
    assert error["message"] == "country: is nothing that this route takes"
    assert refuse(hand_daemon, 422, "GET", "/tier?handle=demo_0001&strict=1&followers=5")["field"] == "followers"
    assert "unknown_fields" not in hand_daemon.get("/similar?handle=demo_0001&country=Brazil&tier=nano&strict=true")[1]


def test_many_unknown_names_are_counted(hand_daemon):
    body = {"followers": 5000} | {f"x{i}": i for i in range(1000)}
    _, answer = hand_daemon.post("/score", body)
    assert len(answer["unknown_fields"]) + answer["unknown_fields_more"] == 1000


def test_too_many_instances_get_422(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--predict.max_instances=3")
    assert daemon.post("/score", {"instances": [{"followers": 1}] * 3})[0] == 200
    body = json.dumps({"instances": [{"followers": 1}] * 4}).encode()
    assert refuse(daemon, 422, body=body)["field"] == "instances"


def test_no_handle_gets_422(hand_daemon):
    for route in ("/score", "/tier", "/similar", "/cluster?strict=false"):
        assert refuse(hand_daemon, 422, "GET", route)["field"] == "handle"


@pytest.mark.parametrize("handle", ["nobody", "%00", "%ff", "'%20OR%201=1", "x" * 5000, "%F0%9F%98%80"])
def test_an_unknown_handle_gets_404_and_an_impossible_one_an_error(hand_daemon, handle):
    status, _, answer = hand_daemon.request("GET", f"/score?handle={handle}")
    assert status in (400, 404, 422)
    assert json.loads(answer)["error"]["message"]
    assert hand_daemon.get("/-/healthy")[0] == 200


@pytest.mark.parametrize("method, path, allow", [
    ("PUT", "/score", "GET, HEAD, POST"), ("DELETE", "/tier", "GET, HEAD, POST"),
    ("POST", "/metrics", "GET, HEAD"), ("GET", "/-/reload", "POST"), ("BREW", "/score", "GET, HEAD, POST"),
])
def test_the_wrong_method_gets_405_and_allow(hand_daemon, method, path, allow):
    refuse(hand_daemon, 405, method, path, body=b"{}")
    assert hand_daemon.request(method, path, b"{}")[1]["Allow"] == allow


@pytest.mark.parametrize("path", ["/nope", "/score/", "//score", "/../etc/passwd", "/SCORE"])
def test_no_such_path_gets_404(hand_daemon, path):
    assert refuse(hand_daemon, 404, "GET", path)["code"] == "not_found"


@pytest.mark.parametrize("headers", [
    {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data; boundary=x"},
    {"Content-Type": "application/json; charset=latin-1"}, {"Content-Type": "application/jsonx"},
    {"Content-Type": "application/json", "Content-Encoding": "deflate"},
])
def test_a_type_that_is_not_read_gets_415(hand_daemon, headers):
    refuse(hand_daemon, 415, body=b'{"followers": 5}', headers=headers)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/x-www-form-urlencoded"}])
def test_the_type_that_curl_sends_by_itself_is_taken(hand_daemon, headers):
    assert hand_daemon.request("POST", "/score", b'{"followers": 5}', headers)[0] == 200


def test_accept_decides_what_may_be_answered(hand_daemon):
    refuse(hand_daemon, 406, body=b'{"followers": 5}', headers=JSON | {"Accept": "text/html"})
    refuse(hand_daemon, 406, body=b'{"followers": 5}', headers=JSON | {"Accept": "application/json;q=0"})
    for accept in ("*/*", "text/html, application/*;q=0.1", "application/json"):
        assert hand_daemon.request("POST", "/score", b'{"followers": 5}', JSON | {"Accept": accept})[0] == 200


def test_a_body_beyond_the_bound_gets_413(hand_daemon):
    body = b'{"handle": "' + b"x" * 10_000_000 + b'"}'
    assert refuse(hand_daemon, 413, body=body)["code"] == "too_large"


def test_a_large_body_within_the_bound_is_read(hand_daemon):
    body = {"instances": [{"followers": 1000 + i, "country": "Norway"} for i in range(9000)]}
    status, answer = hand_daemon.post("/score", body)
    assert status == 200 and len(answer["predictions"]) == 9000


def raw(daemon, head):
    """The status line of what a raw request gets, or "" when the connection was just closed."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as client:
        client.sendall(head)
        return client.recv(4096).split(b"\r\n")[0].decode()


@pytest.mark.parametrize("part", [b"/score?" + b"a=b&" * 3000, b"/score?" + b"a" * 15000, b"/score?" + b"&" * 15000,
                                  b"/score?" + b"a=b&" * 60 + b"c" * 14000])
def test_a_query_of_any_size_is_answered_and_survived(hand_daemon, part):
    for _ in range(3):
        status = raw(hand_daemon, b"GET " + part + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert status.startswith("HTTP/1.1 4")
    assert hand_daemon.get("/-/healthy")[0] == 200


@pytest.mark.parametrize("header", [b"Cookie: " + b"a=b; " * 2500, b"Cookie: " + b"a=b; " * 100 + b"c" * 13000,
                                    b"X: y\r\n" * 2000 + b"Z: z", b"Cookie: a" + b";" * 13000])
def test_headers_of_any_number_are_answered_and_survived(hand_daemon, header):
    for _ in range(3):
        raw(hand_daemon, b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + header + b"\r\n\r\n")
    assert hand_daemon.get("/-/healthy")[0] == 200


def test_parameters_are_decoded(hand_daemon):
    assert hand_daemon.get("/score?handle=demo%5F0001")[1]["handle"] == "demo_0001"
    assert hand_daemon.get("/score?handle=demo_0001&&explain=true")[1]["explanation"]
    assert hand_daemon.get("/influencers?q=demo+nobody")[0] == 200
    assert hand_daemon.get("/score?handle=%00")[0] == 400


@pytest.mark.parametrize("body", [b"{}", b'{"followers": null}', b'{"handle": ""}', b'{"followers": "N/A"}'])
def test_a_profile_without_a_value_is_no_profile(hand_daemon, body):
    assert "at least one field" in refuse(hand_daemon, 422, body=body)["message"]


def test_a_batch_cannot_ask_for_neighbours_without_bound(hand_daemon):
    body = json.dumps({"instances": [{"handle": "demo_0001"}] * 5000}).encode()
    refuse(hand_daemon, 422, path="/similar?k=1000", body=body)
    assert hand_daemon.request("POST", "/similar?k=2", body, JSON)[0] == 200
