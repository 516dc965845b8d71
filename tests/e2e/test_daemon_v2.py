# SPDX-License-Identifier: Apache-2.0
"""The Open Inference Protocol over REST, and MLflow's scoring protocol."""

import json
import math
import struct

import pytest

MODELS = ["score", "tier", "cluster", "similar"]
ROWS = [
    {"followers": 5000, "avg_likes": 100, "posts": 40, "country": "Brazil"},
    {"followers": 2_000_000, "avg_likes": 81000, "posts": 900, "country": "France"},
    {"followers": 31000, "avg_likes": 2500, "posts": 12, "country": "Nowhere"},
]


def tensor(name, datatype, values, shape=None, **more):
    return {"name": name, "datatype": datatype, "shape": shape or [len(values)], "data": values, **more}


def inputs(rows=None):
    rows = rows or ROWS
    kinds = {"country": "BYTES"}
    return [tensor(name, kinds.get(name, "FP64"), [row[name] for row in rows]) for name in rows[0]]


def post(daemon, path, body, headers=None):
    """(status, headers, bytes)"""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return daemon.request("POST", path, data, headers or {})


def infer(daemon, model, body, **headers):
    status, _, answer = post(daemon, f"/v2/models/{model}/infer", body, headers)
    assert status == 200, answer
    return json.loads(answer)


def outputs(answer):
    return {output["name"]: output for output in answer["outputs"]}


def refused(daemon, path, body, status=400, headers=None):
    got, _, answer = post(daemon, path, body, headers)
    assert got == status, answer
    error = json.loads(answer)
    assert list(error) == ["error"] and isinstance(error["error"], str) and error["error"]
    return error["error"]


# ---- the server and its models ----

def test_server_health_and_metadata(hand_daemon):
    status, server = hand_daemon.get("/v2")
    assert status == 200 and server["name"] == "influenced"
    assert set(server["extensions"]) == {"classification", "binary_tensor_data", "model_repository", "statistics"}
    assert hand_daemon.get("/v2/health/live") == (200, {"live": True})
    assert hand_daemon.get("/v2/models") == (200, {"models": ["score", "tier", "cluster", "similar"]})
    assert hand_daemon.get("/v2/health/ready") == (200, {"ready": True})
    for model in MODELS:
        status, metadata = hand_daemon.get(f"/v2/models/{model}")
        assert status == 200 and metadata["name"] == model and len(metadata["versions"]) == 1
        version = metadata["versions"][0]
        assert hand_daemon.get(f"/v2/models/{model}/versions/{version}")[1] == metadata
        for path in (f"/v2/models/{model}/ready", f"/v2/models/{model}/versions/{version}/ready"):
            assert hand_daemon.get(path) == (200, {"name": model, "ready": True})
        names = {item["name"] for item in metadata["inputs"]}
        assert {"followers", "handle", "country"} <= names
        assert any(item["parameters"]["kind"] == "feature" for item in metadata["inputs"])
        for item in metadata["inputs"] + metadata["outputs"]:
            assert item["datatype"] in ("FP64", "INT64", "BYTES", "BOOL") and item["shape"][0] == -1
        # What metadata promises of outputs is what infer gives.
        given = infer(hand_daemon, model, {"inputs": inputs()})
        assert [(o["name"], o["datatype"], o["shape"][1:]) for o in given["outputs"]] == [
            (o["name"], o["datatype"], o["shape"][1:]) for o in metadata["outputs"]]


@pytest.mark.parametrize("path", [
    "/v2/models/none", "/v2/models/none/ready", "/v2/models/score/versions/1", "/v2/models/score/versions/1/ready",
    "/v2/models/score/nothing", "/v2/nothing", "/v2/models//ready",
])
def test_what_is_not_there_gets_404_in_the_protocols_shape(hand_daemon, path):
    status, answer = hand_daemon.get(path)
    assert status == 404 and list(answer) == ["error"]


def test_the_wrong_method_has_the_protocols_shape_as_well(hand_daemon):
    assert hand_daemon.request("GET", "/v2/models/score/infer")[0] == 405
    refused(hand_daemon, "/v2/health/live", b"", 405)


# ---- infer ----

def test_score_is_what_the_own_route_says(hand_daemon):
    own = hand_daemon.post("/score", {"instances": ROWS})[1]
    answer = infer(hand_daemon, "score", {"id": "mine", "inputs": inputs()})
    assert answer["id"] == "mine" and answer["model_name"] == "score" and answer["model_version"] == own["model"]
    given = outputs(answer)
    assert given["score"]["shape"] == [3] and given["score"]["datatype"] == "FP64"
    assert given["score"]["data"] == [p["score"] for p in own["predictions"]]
    assert given["interval_low"]["data"] == [p["interval"]["low"] for p in own["predictions"]]
    assert given["composite"]["data"] == pytest.approx([p["composite"]["score"] for p in own["predictions"]], abs=1e-4)


def test_tier_cluster_and_similar_are_what_the_own_routes_say(hand_daemon):
    tier = outputs(infer(hand_daemon, "tier", {"inputs": inputs()}))
    own = hand_daemon.post("/tier", {"instances": ROWS})[1]["predictions"]
    assert tier["tier"]["data"] == [p["tier"] for p in own]
    assert tier["probabilities"]["data"] == [v for p in own for v in p["probabilities"].values()]
    assert tier["probabilities"]["shape"] == [3, len(own[0]["probabilities"])]
    cluster = outputs(infer(hand_daemon, "cluster", {"inputs": inputs()}))
    own = hand_daemon.post("/cluster", {"instances": ROWS})[1]["predictions"]
    assert cluster["cluster"]["data"] == [p["cluster"] for p in own]
    assert cluster["membership"]["data"] == [v for p in own for v in p["membership"]]
    similar = outputs(infer(hand_daemon, "similar", {"inputs": inputs(), "parameters": {"k": 4}}))
    own = hand_daemon.post("/similar", {"instances": ROWS, "k": 4})[1]["predictions"]
    assert similar["handles"]["data"] == [s["handle"] for p in own for s in p["similar"]]
    assert similar["handles"]["shape"] == [3, 4]


def test_a_handle_stands_for_the_catalogued_profile(hand_daemon):
    answer = infer(hand_daemon, "score", {"inputs": [tensor("handle", "BYTES", ["demo_0001", "demo_0002"])]})
    assert outputs(answer)["score"]["data"] == [
        hand_daemon.get(f"/score?handle=demo_000{i}")[1]["score"] for i in (1, 2)]


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BYTES"])
def test_every_datatype_flat_nested_and_binary_is_the_same_value(hand_daemon, datatype):
    formats = {"FP32": "f", "FP64": "d", "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q",
               "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q"}
    values = ["100", "7"] if datatype == "BYTES" else [100, 7]
    if datatype == "BYTES":
        binary = b"".join(struct.pack("<I", len(v)) + v.encode() for v in values)
    else:
        binary = struct.pack(f"<2{formats[datatype]}", *values)
    flat = infer(hand_daemon, "score", {"id": "x", "inputs": [tensor("posts", datatype, values)]})
    column = infer(hand_daemon, "score", {"id": "x", "inputs": [tensor("posts", datatype, values, [2, 1])]})
    nested = infer(hand_daemon, "score", {"id": "x", "inputs": [tensor("posts", datatype, [[v] for v in values], [2, 1])]})
    head = json.dumps({"id": "x", "inputs": [
        {"name": "posts", "datatype": datatype, "shape": [2], "parameters": {"binary_data_size": len(binary)}}]}).encode()
    packed = infer(hand_daemon, "score", head + binary, **{
        "Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"})
    assert flat == column == nested == packed


def test_bool_and_missing_values(hand_daemon):
    answer = infer(hand_daemon, "score", {"inputs": [
        tensor("is_verified", "BOOL", [True, False]), tensor("followers", "FP64", [5000, None])]})
    own = hand_daemon.post("/score", {"instances": [{"is_verified": True, "followers": 5000}, {"is_verified": False}]})[1]
    assert outputs(answer)["score"]["data"] == [p["score"] for p in own["predictions"]]


def test_a_feature_may_be_given_in_place_of_its_fields(hand_daemon):
    """ln_followers is ln(1 + followers): given alone it must score as the field does, but for what else the field
    is read for."""
    metadata = hand_daemon.get("/v2/models/score")[1]
    features = {item["name"] for item in metadata["inputs"] if item["parameters"]["kind"] == "feature"}
    assert "ln_followers" in features
    scores = outputs(infer(hand_daemon, "score", {"inputs": [
        tensor("avg_likes", "FP64", [100.0] * 3), tensor("ln_followers", "FP64", [1.0, math.log1p(5000), 18.0])]}))["score"]["data"]
    assert len(set(scores)) == 3
    # A given feature wins over the one that the fields make.
    both = [tensor("followers", "FP64", [5000.0, 9e6]), tensor("ln_followers", "FP64", [math.log1p(5000)] * 2)]
    only = set(features) - {"ln_followers"}
    both += [tensor(name, "FP64", [0.5, 0.5]) for name in only]
    given = outputs(infer(hand_daemon, "score", {"inputs": both}))["score"]["data"]
    assert given[0] == given[1]


def test_outputs_are_those_that_were_asked_for(hand_daemon):
    answer = infer(hand_daemon, "score", {"inputs": inputs(), "outputs": [{"name": "percentile"}]})
    assert [o["name"] for o in answer["outputs"]] == ["percentile"]


def test_classification_gives_the_top_classes(hand_daemon):
    whole = outputs(infer(hand_daemon, "tier", {"inputs": inputs()}))["probabilities"]
    top = outputs(infer(hand_daemon, "tier", {
        "inputs": inputs(), "outputs": [{"name": "probabilities", "parameters": {"classification": 2}}]}))["probabilities"]
    assert top["datatype"] == "BYTES" and top["shape"] == [3, 2]
    own = hand_daemon.post("/tier", {"instances": ROWS})[1]["predictions"]
    width = whole["shape"][1]
    for row in range(3):
        values = whole["data"][row * width:(row + 1) * width]
        classes = [c.split(":", 2) for c in top["data"][2 * row:2 * row + 2]]
        assert [float(c[0]) for c in classes] == pytest.approx(sorted(values, reverse=True)[:2], abs=1e-7)
        for value, index, label in classes:
            assert values[int(index)] == pytest.approx(float(value), abs=1e-7)
            assert list(own[row]["probabilities"])[int(index)] == label


def test_binary_outputs_hold_the_same_values(hand_daemon):
    for model in MODELS:
        plain = infer(hand_daemon, model, {"inputs": inputs()})
        status, headers, body = post(
            hand_daemon, f"/v2/models/{model}/infer", {"inputs": inputs(), "parameters": {"binary_data_output": True}})
        assert status == 200 and headers["Content-Type"] == "application/octet-stream"
        n = int(headers["Inference-Header-Content-Length"])
        head, rest = json.loads(body[:n]), body[n:]
        for output, expected in zip(head["outputs"], plain["outputs"]):
            size = output["parameters"]["binary_data_size"]
            piece, rest = rest[:size], rest[size:]
            if output["datatype"] == "BYTES":
                values = []
                while piece:
                    length = struct.unpack_from("<I", piece)[0]
                    values.append(piece[4:4 + length].decode())
                    piece = piece[4 + length:]
                assert values == expected["data"]
            else:
                values = struct.unpack(f"<{size // 8}{'q' if output['datatype'] == 'INT64' else 'd'}", piece)
                assert list(values) == pytest.approx(expected["data"], abs=1e-8)
        assert rest == b""


def test_an_id_is_made_when_there_is_none(hand_daemon):
    status, headers, body = post(hand_daemon, "/v2/models/score/infer", {"inputs": inputs()}, {"X-Request-Id": "abc"})
    assert status == 200 and json.loads(body)["id"] == headers["X-Request-Id"] == "abc"


def test_no_content_type_is_no_trouble(hand_daemon):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", hand_daemon.port, timeout=60)
    body = json.dumps({"inputs": inputs()}).encode()
    connection.putrequest("POST", "/v2/models/score/infer")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    assert connection.getresponse().read().startswith(b'{"model_name":"score"')
    connection.putrequest("POST", "/v2/repository/index")
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 200 and len(json.loads(reply.read())) == 4
    connection.close()


GOOD = {"name": "followers", "shape": [1], "datatype": "FP64", "data": [1]}
BAD = {
    "no JSON": b"{", "an array": [], "no inputs": {}, "inputs are no array": {"inputs": {}}, "no tensor": {"inputs": []},
    "no name": {"inputs": [{**GOOD, "name": None}]}, "an unknown name": {"inputs": [{**GOOD, "name": "follower"}]},
    "no datatype": {"inputs": [{**GOOD, "datatype": None}]}, "FP16": {"inputs": [{**GOOD, "datatype": "FP16"}]},
    "no shape": {"inputs": [{**GOOD, "shape": None}]}, "an empty shape": {"inputs": [{**GOOD, "shape": []}]},
    "shape 0": {"inputs": [{**GOOD, "shape": [0], "data": []}]}, "shape -1": {"inputs": [{**GOOD, "shape": [-1]}]},
    "two columns": {"inputs": [{**GOOD, "shape": [1, 2], "data": [1, 2]}]}, "a fraction": {"inputs": [{**GOOD, "shape": [1.5]}]},
    "too few values": {"inputs": [{**GOOD, "shape": [2]}]}, "too many values": {"inputs": [{**GOOD, "data": [1, 2]}]},
    "nested too deep": {"inputs": [{**GOOD, "data": [[[1]]]}]}, "a row of two": {"inputs": [{**GOOD, "shape": [2], "data": [[1, 2]]}]},
    "no data": {"inputs": [{**GOOD, "data": None}]}, "text for a number": {"inputs": [{**GOOD, "data": ["1"]}]},
    "a fraction for INT64": {"inputs": [{**GOOD, "datatype": "INT64", "data": [1.5]}]},
    "300 for UINT8": {"inputs": [{**GOOD, "datatype": "UINT8", "data": [300]}]},
    "a number for BOOL": {"inputs": [{**GOOD, "name": "is_verified", "datatype": "BOOL", "data": [1]}]},
    "a number for a text": {"inputs": [{**GOOD, "name": "country"}]}, "out of range": {"inputs": [{**GOOD, "data": [-1]}]},
    "stands twice": {"inputs": [GOOD, GOOD]}, "other rows": {"inputs": [GOOD, {**GOOD, "name": "posts", "shape": [2], "data": [1, 2]}]},
    "all missing": {"inputs": [{**GOOD, "data": [None]}]}, "too many rows": {"inputs": [{**GOOD, "shape": [10001], "data": [1] * 10001}]},
    "an unknown output": {"inputs": [GOOD], "outputs": [{"name": "x"}]}, "outputs are no array": {"inputs": [GOOD], "outputs": {}},
    "no classes": {"inputs": [GOOD], "outputs": [{"name": "score", "parameters": {"classification": 1}}]},
    "binary without a header": {"inputs": [{"name": "followers", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}]},
    "data twice": {"inputs": [{**GOOD, "parameters": {"binary_data_size": 8}}]},
    "a shape beyond memory": {"inputs": [{**GOOD, "shape": [1e18]}]},
    "an empty text": {"inputs": [{**GOOD, "datatype": "BYTES", "data": [""]}]},
    "a word for missing": {"inputs": [{**GOOD, "datatype": "BYTES", "data": ["N/A"]}]},
    "a feature beyond all": {"inputs": [{**GOOD, "name": "ln_followers", "data": [-1e13]}]},
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_is_no_inference_gets_400(hand_daemon, body):
    refused(hand_daemon, "/v2/models/score/infer", body)


@pytest.mark.parametrize("size, binary, length", [
    (8, b"\0" * 7, None), (8, b"\0" * 9, None), (9, b"\0" * 9, None), (-1, b"", None), (2 ** 62, b"\0" * 8, None),
    (8, b"\0" * 8, "x"), (8, b"\0" * 8, "-1"), (8, b"\0" * 8, "100000"), (8, b"\0" * 8, "0"), (8, b"\0" * 8, "10"),
])
def test_binary_that_does_not_fit_gets_400(hand_daemon, size, binary, length):
    head = json.dumps({"inputs": [
        {"name": "followers", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": size}}]}).encode()
    refused(hand_daemon, "/v2/models/score/infer", head + binary, 400,
            {"Inference-Header-Content-Length": str(len(head)) if length is None else length})


@pytest.mark.parametrize("model", ["score", "cluster", "similar"])
@pytest.mark.parametrize("number", [math.inf, -math.inf, 1e308])
def test_a_feature_without_bound_is_no_answer(hand_daemon, model, number):
    """Infinity would be near to nobody, in an archetype nonetheless, and in the drift figures for an hour."""
    head = json.dumps({"inputs": [
        {"name": "ln_followers", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": 8}}]}).encode()
    said = refused(hand_daemon, f"/v2/models/{model}/infer", head + struct.pack("<d", number), 400,
                   {"Inference-Header-Content-Length": str(len(head))})
    assert "ln_followers: must be between" in said


@pytest.mark.parametrize("binary", [b"\1\0\0", b"\5\0\0\0abc", b"\xff\xff\xff\xff", b"\1\0\0\0\xff", b"\2\0\0\0a\0", b"\1\0\0\0ab"])
def test_bytes_that_are_cut_off_get_400(hand_daemon, binary):
    head = json.dumps({"inputs": [
        {"name": "country", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(binary)}}]}).encode()
    refused(hand_daemon, "/v2/models/score/infer", head + binary, 400, {"Inference-Header-Content-Length": str(len(head))})


# ---- repository and statistics ----

def test_a_model_is_unloaded_and_loaded(start_daemon, hand_models):
    daemon = start_daemon(hand_models)
    for body in (b"", b"{}", b'{"ready": true}'):
        status, _, answer = post(daemon, "/v2/repository/index", body)
        assert status == 200
        assert [(m["name"], m["state"]) for m in json.loads(answer)] == [(name, "READY") for name in MODELS]
    assert post(daemon, "/v2/repository/models/tier/unload", b"")[0] == 200
    index = {m["name"]: m for m in json.loads(post(daemon, "/v2/repository/index", b"{}")[2])}
    assert index["tier"]["state"] == "UNAVAILABLE" and index["score"]["state"] == "READY"
    assert len(json.loads(post(daemon, "/v2/repository/index", {"ready": True})[2])) == 3
    assert daemon.get("/v2/models/tier/ready") == (503, {"name": "tier", "ready": False})
    refused(daemon, "/v2/models/tier/infer", {"inputs": inputs()}, 503)
    assert daemon.post("/tier", ROWS[0])[0] == 503 and daemon.post("/score", ROWS[0])[0] == 200
    assert post(daemon, "/v2/repository/models/tier/load", b"{}")[0] == 200
    assert daemon.get("/v2/models/tier/ready") == (200, {"name": "tier", "ready": True})
    assert daemon.post("/tier", ROWS[0])[0] == 200
    refused(daemon, "/v2/repository/models/none/load", b"", 404)


def test_statistics_count_what_was_asked(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--server.threads=2")
    for _ in range(4):
        infer(daemon, "score", {"inputs": inputs()})
    refused(daemon, "/v2/models/score/infer", {})
    stats = daemon.get("/v2/models/score/stats")[1]["model_stats"][0]
    assert stats["name"] == "score" and stats["inference_count"] == 12 and stats["execution_count"] == 4
    assert stats["inference_stats"]["success"]["count"] == 4 and stats["inference_stats"]["fail"]["count"] == 1
    assert stats["inference_stats"]["success"]["ns"] > 0
    assert daemon.get("/v2/models/tier/stats")[1]["model_stats"][0]["execution_count"] == 0


# ---- MLflow ----

CSV = "followers,avg_likes,posts,country,whatever\n" + "".join(
    f"{r['followers']},{r['avg_likes']},{r['posts']},{r['country']},x\n" for r in ROWS)
TABLES = {
    "dataframe_split": {"dataframe_split": {
        "index": [0, 1, 2], "columns": [*ROWS[0], "whatever"], "data": [[*r.values(), 1] for r in ROWS]}},
    "dataframe_records": {"dataframe_records": ROWS},
    "instances": {"instances": ROWS},
    "inputs by column": {"inputs": {name: [r[name] for r in ROWS] for name in ROWS[0]}},
    "inputs by row": {"inputs": ROWS},
}


@pytest.mark.parametrize("table", [*TABLES.values(), CSV.encode()], ids=[*TABLES, "CSV"])
def test_mlflow_gets_a_prediction_a_row(hand_daemon, table):
    headers = {"Content-Type": "text/csv" if isinstance(table, bytes) else "application/json"}
    own = {"score": "score", "tier": "tier", "cluster": "cluster"}
    for model, member in own.items():
        status, reply_headers, body = post(hand_daemon, f"/invocations?model={model}", table, headers)
        expected = hand_daemon.post(f"/{model}", {"instances": ROWS})[1]
        assert status == 200 and json.loads(body) == {"predictions": [p[member] for p in expected["predictions"]]}
        assert reply_headers["X-Model"] == expected["model"]
    body = post(hand_daemon, "/invocations?model=similar", table, headers)[2]
    assert [len(row) for row in json.loads(body)["predictions"]] == [10, 10, 10]


def test_mlflow_params_choose_the_model(hand_daemon):
    body = {**TABLES["dataframe_records"], "params": {"model": "similar", "k": 3}}
    assert [len(row) for row in json.loads(post(hand_daemon, "/invocations", body)[2])["predictions"]] == [3, 3, 3]


@pytest.mark.parametrize("body, headers", [
    (b"{", {}), ([], {}), ({}, {}), ({"instances": [], "inputs": []}, {}), ({"instances": 1}, {}), ({"instances": [1]}, {}),
    ({"instances": [{"followers": -1}]}, {}), ({"dataframe_split": {"columns": ["followers"]}}, {}),
    ({"dataframe_split": {"columns": ["followers"], "data": [[1, 2]]}}, {}),
    ({"dataframe_split": {"columns": ["followers", "posts"], "data": [[1]]}}, {}),
    ({"dataframe_split": {"columns": ["followers", "followers"], "data": [[1, 2]]}}, {}),
    ({"dataframe_split": {"columns": ["followers"], "data": [1]}}, {}), ({"inputs": {"followers": [1], "posts": [1, 2]}}, {}),
    ({"inputs": {"followers": 1}}, {}), ({"instances": ROWS, "params": {"model": "none"}}, {}),
    (b"", {"Content-Type": "text/csv"}), (b"followers\n1,2\n", {"Content-Type": "text/csv"}),
    (b"followers\n-1\n", {"Content-Type": "text/csv"}), (b"followers,posts\n,\n", {"Content-Type": "text/csv"}),
    ({"dataframe_split": {"columns": ["followers"], "data": [[None]]}}, {}), ({"dataframe_records": [{}]}, {}),
])
def test_mlflow_gets_its_own_shape_of_errors(hand_daemon, body, headers):
    status, _, answer = post(hand_daemon, "/invocations", body, headers)
    assert status == 400, answer
    error = json.loads(answer)
    assert error["error_code"] == "BAD_REQUEST" and error["message"]


def test_mlflow_probes(hand_daemon):
    for path in ("/ping", "/health"):
        assert hand_daemon.get(path) == (200, "\n")
    status, version = hand_daemon.get("/version")
    assert status == 200 and version.strip() == hand_daemon.get("/v2")[1]["version"]
