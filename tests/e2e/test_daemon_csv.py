# SPDX-License-Identifier: Apache-2.0
"""CSV in, CSV out."""

import csv
import io
import json

import pytest

CSV = {"Content-Type": "text/csv"}


def post(daemon, route, text, headers=None):
    body = text if isinstance(text, bytes) else text.encode()
    status, reply_headers, answer = daemon.request("POST", route, body, CSV | (headers or {}))
    if reply_headers.get_content_type() == "text/csv":
        return status, list(csv.DictReader(io.StringIO(answer.decode(), newline="")))
    return status, json.loads(answer)["error"]


def test_each_row_gets_the_answer_that_json_gets(hand_daemon):
    text = "handle,followers,posts,avg_likes,country\na,1.5m,812,34567,Norway\r\n\"b, c\",2000,,,\n"
    bodies = [
        {"handle": "a", "followers": 1500000, "posts": 812, "avg_likes": 34567, "country": "Norway"},
        {"handle": "b, c", "followers": 2000},
    ]
    for route, columns in {
        "/score": {"score": "score", "percentile": "percentile", "novelty": "novelty"},
        "/tier": {"tier": "tier"}, "/cluster": {"cluster": "cluster", "cluster_distance": "distance"},
    }.items():
        status, rows = post(hand_daemon, route, text)
        assert status == 200 and [row["handle"] for row in rows] == ["a", "b, c"]
        for row, body in zip(rows, bodies):
            answer = hand_daemon.post(route, body)[1]
            assert row["error"] == ""
            assert row["imputed"].split() == answer["imputed"]
            for column, member in columns.items():
                assert row[column] == str(answer[member]) or float(row[column]) == answer[member]


def test_similar_has_a_row_for_each_neighbour(hand_daemon):
    status, rows = post(hand_daemon, "/similar?k=3", "handle\ndemo_0001\ndemo_0002\n")
    assert status == 200 and [row["rank"] for row in rows] == ["1", "2", "3"] * 2
    answer = hand_daemon.get("/similar?handle=demo_0002&k=3")[1]
    assert [row["similar"] for row in rows[3:]] == [item["handle"] for item in answer["similar"]]


def test_columns_that_nobody_knows_are_told(hand_daemon):
    def told(header, options=""):
        status, headers, answer = hand_daemon.request("POST", "/score" + options, f"{header}\na,5,6,7\n".encode(), CSV)
        return status, headers["X-Unknown-Fields"] or json.loads(answer)["error"]["message"] if status != 200 else headers["X-Unknown-Fields"]

    assert told("handle,followers,Likes avg.,caf\u00e9: \u2713") == (200, "Likes avg., caf??? ???")
    assert told("handle,followers,posts,avg_likes") == (200, None)
    assert told("handle,followers,posts,avg_like", "?strict=true") == (422, "avg_like: no field has that name; did you mean avg_likes?")
    many = ",".join(f"x{i}" for i in range(40))
    headers = hand_daemon.request("POST", "/score", f"followers,{many}\n5{',1' * 40}\n".encode(), CSV)[1]
    assert headers["X-Unknown-Fields"] == ", ".join(f"x{i}" for i in range(16)) + ", ..."
    for text in ("handle;followers\na;5\n", "handle\tfollowers\na\t5\n"):
        assert "commas between them" in post(hand_daemon, "/score", text)[1]["message"]


def test_a_bad_row_is_answered_in_its_place(hand_daemon):
    status, rows = post(hand_daemon, "/score", "handle,followers\na,5\nb,-5\nc\nnobody,\nd,7\n")
    assert status == 200
    assert [bool(row["error"]) for row in rows] == [False, True, True, True, False]
    assert rows[1]["handle"] == "b" and "followers: must be between" in rows[1]["error"]
    assert "line 4" in rows[2]["error"] and "nobody" in rows[3]["error"]


def test_a_row_without_a_value_is_answered_as_an_empty_profile_is(hand_daemon):
    rows = post(hand_daemon, "/score", "handle,followers\n,\n,N/A\n,5\n")[1]
    said = hand_daemon.post("/score", {"instances": [{}]})[1]["predictions"][0]["error"]["message"]
    assert [row["error"] for row in rows] == [said, said, ""] and rows[0]["score"] == ""


@pytest.mark.parametrize("text, said", [
    ("", "empty"), ("followers\n", "no rows"), ("x,y\n1,2\n", "x: no field has that name"),
    ("followers,followers\n1,2\n", "stands twice"), ('followers\n"5\n', "quote is not closed"),
    ('followers\n"5"x\n', "behind a closing quote"), ('followers\n5"5\n', "a quote in a field"),
    (",".join(["followers"] + ["x"] * 300) + "\n5\n", "more than 256 fields"),
])
def test_what_is_no_table_of_profiles_gets_422(hand_daemon, text, said):
    status, error = post(hand_daemon, "/score", text)
    assert status == 422 and said in error["message"], error


def test_other_columns_are_passed_over_or_refused_when_strict(hand_daemon):
    text = "followers,shoe_size\n5000,43\n"
    assert post(hand_daemon, "/score", text)[1][0]["error"] == ""
    status, error = post(hand_daemon, "/score?strict=true", text)
    assert status == 422 and error["field"] == "shoe_size"


def test_bytes_that_are_not_utf8_get_400(hand_daemon):
    assert post(hand_daemon, "/score", b"followers\n\xff\n")[0] == 400
    assert post(hand_daemon, "/score", "followers\n5\n", {"Content-Type": "text/csv; charset=latin-1"})[0] == 415
    assert post(hand_daemon, "/score", "followers\n5\n", {"Accept": "application/json"})[0] == 406


def test_a_byte_order_mark_and_quotes_are_read(hand_daemon):
    text = "\ufeff\"followers\",\"name\"\r\n\"5,000\",\"two\r\nlines, and \"\"quotes\"\"\"\r\n"
    status, rows = post(hand_daemon, "/tier", text)
    assert status == 200 and len(rows) == 1 and rows[0]["size_claimed"] == "nano"


def test_the_body_is_logged_as_it_came(start_daemon, hand_models):
    import sqlite3

    daemon = start_daemon(hand_models)
    text = '"followers"\r\n"5,000"\r\n'
    post(daemon, "/score", text)
    daemon.stop()
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        assert db.execute("SELECT input FROM request WHERE route = '/score'").fetchall() == [(text,)]
