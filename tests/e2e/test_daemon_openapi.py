# SPDX-License-Identifier: Apache-2.0
"""/openapi.json: valid, complete, and true of what the daemon answers."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest

from conftest import ROOT, npm_install

LINTER = Path(__file__).parent / "openapi"
DIALECT = jsonschema.Draft202012Validator
PROFILE = {"handle": "@someone", "followers": "1.2M", "engagement_rate": "2,5 %", "posts": 812, "avg_likes": 34567,
           "is_verified": True, "snapshot": "2025-06", "country": "Norway", "category": None}
ROWS = [{"followers": 5000, "country": "Brazil"}, {"followers": 2000000, "country": None}]
INPUTS = [{"name": "followers", "datatype": "INT64", "shape": [2], "data": [5000, 2000000]},
          {"name": "country", "datatype": "BYTES", "shape": [2, 1], "data": [["Brazil"], [None]]}]
CSV = b"handle,followers,posts\r\none,5000,10\r\ntwo,-3,10\r\n"
MODELS = ["score", "tier", "cluster", "similar"]


def need(validator, value, place):
    """As validate(), but without the whole document in the message."""
    problem = jsonschema.exceptions.best_match(validator.iter_errors(value))
    assert problem is None, f"{place}: {problem.json_path}: {problem.message[:300]}"


class Api:
    """The document, and what it says of an exchange."""

    def __init__(self, daemon, token=None):
        self.daemon = daemon
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        status, _, body = daemon.request("GET", "/openapi.json", headers=self.headers)
        assert status == 200, body
        self.document = json.loads(body)
        self.closed = copy.deepcopy(self.document["components"])
        for schema in self.closed["schemas"].values():
            # Readers pass over members that they do not know; a test wants to hear of them.
            if schema.get("type") == "object" and "properties" in schema:
                schema.setdefault("additionalProperties", False)
        self.answered = set()

    def validator(self, schema, closed=False):
        return DIALECT({**schema, "components": self.closed if closed else self.document["components"]})

    def component(self, name):
        return self.validator({"$ref": f"#/components/schemas/{name}"})

    def operation(self, method, path):
        """The template and the operation of a path; {names} stand for anything but a slash."""
        path = path.split("?")[0]
        for template, item in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
                return template, item[method.lower()]
        raise AssertionError(f"{path} is not described")

    def exchange(self, method, path, expect, body=None, headers=None):
        """Ask, and hold question and answer against the document. expect: the status, which must stand there."""
        template, operation = self.operation(method, path)
        is_json = not isinstance(body, (bytes, type(None)))
        data = json.dumps(body).encode() if is_json else body
        headers = headers or ({"Content-Type": "application/json"} if is_json else {})
        if expect == 200 and is_json:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            need(self.validator(schema), body, f"{method} {path}: the question")
        status, got, answer = self.daemon.request(method, path, data, {**self.headers, **headers})
        assert status == expect, f"{method} {path}: {status} {answer[:300]}"
        assert str(status) in operation["responses"], f"{method} {path}: {status} is not described"
        response = operation["responses"][str(status)]
        if status == 304:
            return None
        media = response["content"].get(got.get_content_type(), response["content"].get("*/*"))
        assert media is not None, f"{method} {path}: {got.get_content_type()} is not described"
        value = json.loads(answer) if got.get_content_type() == "application/json" else answer.decode("utf-8", "replace")
        if "schema" in media:
            need(self.validator(media["schema"], closed=True), value, f"{method} {path}: the answer")
        if status == 200:
            self.answered.add((method, template))
        return value


@pytest.fixture(scope="module")
def api(hand_daemon):
    return Api(hand_daemon)


def operations(document):
    return {(method.upper(), path): operation for path, item in document["paths"].items()
            for method, operation in item.items()}


def objects(value):
    """Every object within, itself too."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(part)


def described_path(path):
    return path.replace("*", "{name}")


# ---- the document ----

def test_the_api_page_is_made_of_it(api):
    made = subprocess.run(
        [ROOT / "tests/support/api_page.py"], input=json.dumps(api.document), capture_output=True, text=True, check=True, timeout=60,
    ).stdout
    page = ROOT / "docs/api.md"
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(made, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == made, "docs/api.md is out of date; UPDATE_GOLDEN=1 rewrites it"


def test_every_schema_is_one_and_every_reference_leads_somewhere(api):
    document = api.document
    assert document["openapi"] == "3.1.0" and document["info"]["title"] and document["info"]["version"]
    schemas = [*document["components"]["schemas"].values()]
    schemas += [part["schema"] for part in objects(document["paths"]) if isinstance(part.get("schema"), dict)]
    assert len(schemas) > 150
    for schema in schemas:
        DIALECT.check_schema(schema)
    used = {part["$ref"] for part in objects(document) if isinstance(part.get("$ref"), str)}
    for reference in used:
        part = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
    assert {f"#/components/schemas/{name}" for name in document["components"]["schemas"]} <= used


def test_operations_are_whole(api):
    ids = [operation["operationId"] for operation in operations(api.document).values()]
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"(get|post)[A-Z]\w+", name) for name in ids)
    tags = {tag["name"] for tag in api.document["tags"]}
    for (_, path), operation in operations(api.document).items():
        assert operation["summary"] and set(operation["tags"]) <= tags and "default" in operation["responses"]
        in_path = {p["name"] for p in operation["parameters"] if p["in"] == "path" and p["required"]}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert all(p["schema"] for p in operation["parameters"])


def test_the_routes_are_those_of_the_daemon_and_no_others(api):
    routes = api.daemon.get("/")[1]["routes"]
    wanted = {(method, described_path(route["path"])) for route in routes
              for method in route["methods"].split(", ") if method != "HEAD"}
    assert set(operations(api.document)) == wanted


def test_fields_have_the_range_and_the_help_of_the_daemons_table(api):
    schemas = api.document["components"]["schemas"]
    fields = api.daemon.get("/")[1]["fields"]
    assert [f["name"] for f in fields] == list(schemas["Profile"]["properties"]) == schemas["FieldName"]["enum"]
    for field in fields:
        described = schemas["Profile"]["properties"][field["name"]]
        assert described == schemas["Question"]["properties"][field["name"]]
        assert described["description"].startswith(field["help"])
        if "minimum" in described:
            assert (described["minimum"], described["maximum"]) == (field["min"], field["max"])
        else:
            assert described["type"] == ["string", "null"]


def test_a_number_out_of_range_is_refused_by_schema_and_daemon_alike(api):
    question = api.component("Question")
    numbers = {name: field for name, field in api.document["components"]["schemas"]["Profile"]["properties"].items()
               if "maximum" in field}
    assert len(numbers) > 30
    for name, field in numbers.items():
        for value, good in ((field["maximum"], True), (field["maximum"] * 2 + 1, False), ([], False),
                            (field["minimum"] - 1, False)):
            status = api.daemon.post("/score", {name: value})[0]
            assert (status == 200) == question.is_valid({name: value}) == good, (name, value, status)


@pytest.mark.parametrize("body", [
    {"followers": {}}, {"category": 3}, {"snapshot": 5}, {"k": 0, **PROFILE}, {"k": 1.5, **PROFILE}, {"explain": 3, **PROFILE},
    {"filter": {"category": 3}, **PROFILE}, {"instances": []}, {"instances": 3}, {}, [], {"exclude": [3], **PROFILE},
])
def test_what_the_schema_refuses_the_daemon_refuses(api, body):
    schema = api.operation("POST", "/similar")[1]["requestBody"]["content"]["application/json"]["schema"]
    assert not api.validator(schema).is_valid(body)
    api.exchange("POST", "/similar", 422, body)


def test_tiers_and_features_are_the_models_own(api):
    schemas = api.document["components"]["schemas"]
    tier = api.daemon.post("/tier", ROWS[0])[1]
    assert schemas["TierName"]["enum"] == list(tier["probabilities"]) == schemas["Probabilities"]["required"]
    inputs = [i for model in MODELS for i in api.daemon.get(f"/v2/models/{model}")[1]["inputs"]]
    features = {i["name"] for i in inputs if i["parameters"]["kind"] == "feature"}
    assert set(schemas["V2FeatureName"]["enum"]) == features
    assert len(schemas["V2FeatureName"]["enum"]) == len(features)
    version = api.daemon.get("/-/ready")[1]["model"]
    assert version in api.document["info"]["description"]


# ---- what is answered ----

def ask_everything(api):
    """A good answer of every operation, and of the kinds of answers that it has."""
    version = api.daemon.get("/-/ready")[1]["model"]
    handle = api.daemon.get("/influencers?limit=1")[1]["influencers"][0]["handle"]
    for route in MODELS:
        api.exchange("GET", f"/{route}?handle={handle}&strict=true", 200)
        api.exchange("POST", f"/{route}", 200, {**PROFILE, "explain": True, "k": 3, "nobody_knows": 1})
        api.exchange("POST", f"/{route}", 200, {"followers": 1e10, "posts": 1e7, "avg_likes": 0})
        api.exchange("POST", f"/{route}", 200, {"country": "Norway"})
        answer = api.exchange("POST", f"/{route}?explain=true", 200, {"instances": [PROFILE, {"handle": handle}]})
        assert not any("error" in p for p in answer["predictions"])
        wrong = {"instances": [PROFILE, {"followers": -3}, 7]}
        data = json.dumps(wrong).encode()
        answer = api.exchange("POST", f"/{route}", 200, data, {"Content-Type": "application/json"})
        assert ["error" in p for p in answer["predictions"]] == [False, True, True]
        api.exchange("POST", f"/{route}", 200, CSV, {"Content-Type": "text/csv"})
    api.exchange("POST", "/similar", 200, {**PROFILE, "filter": {"min_followers": "10K"}, "exclude": handle})
    api.exchange("GET", "/cluster", 200)
    api.exchange("GET", "/influencers?q=a&limit=3", 200)
    api.exchange("GET", f"/influencers?handle={handle}", 200)
    for path in ("/", "/report", "/openapi.json", "/-/healthy", "/-/ready", "/-/models", "/metrics", "/drift", "/v2",
                 "/v2/health/live", "/v2/health/ready", "/v2/models", "/ping", "/health", "/version"):
        api.exchange("GET", path, 200)
    for model in MODELS:
        for path in (f"/v2/models/{model}", f"/v2/models/{model}/versions/{version}"):
            for more in ("", "/ready", "/stats"):
                api.exchange("GET", path + more, 200)
            api.exchange("POST", path + "/infer", 200, {"id": "mine", "inputs": INPUTS, "parameters": {"k": 3}})
        wanted = {"inputs": INPUTS, "outputs": [{"name": {"tier": "probabilities", "cluster": "membership"}.get(model, ""),
                                                 "parameters": {"classification": 1}}]}
        if wanted["outputs"][0]["name"]:
            api.exchange("POST", f"/v2/models/{model}/infer", 200, wanted)
        for body in ({"dataframe_records": ROWS}, {"instances": ROWS}, {"inputs": ROWS}, {"inputs": {"followers": [1, "2K"]}},
                     {"dataframe_split": {"columns": ["followers"], "data": [[5000], ["1M"]]}, "params": {"k": 2}}):
            api.exchange("POST", f"/invocations?model={model}", 200, body)
    binary = {"inputs": INPUTS, "parameters": {"binary_data_output": True}}
    api.exchange("POST", "/v2/models/score/infer", 200, binary)
    api.exchange("POST", "/invocations", 200, b"followers\r\n5000\r\n", {"Content-Type": "text/csv"})
    api.exchange("POST", "/v2/repository/index", 200, b"")
    api.exchange("POST", "/v2/repository/index", 200, {"ready": True})
    api.exchange("POST", "/v2/repository/models/tier/unload", 200, b"")
    api.exchange("GET", "/v2/models/tier/ready", 503)
    api.exchange("GET", "/tier?handle=" + handle, 503)
    api.exchange("POST", "/v2/models/tier/infer", 503, {"inputs": INPUTS})
    api.exchange("POST", "/v2/repository/models/tier/load", 200, b"")
    api.exchange("POST", "/-/reload", 200, b"")
    api.exchange("POST", "/-/reload", 200, {"version": version})


def test_good_answers_of_every_operation_are_as_described(daemon):
    api = Api(daemon)
    ask_everything(api)
    page = ("GET", "/app-{name}")  # not in every build
    assert api.answered | {page} == set(operations(api.document))


@pytest.mark.parametrize("method, path, status, body", [
    ("GET", "/score", 422, None), ("GET", "/score?handle=nobody_at_all", 404, None), ("GET", "/tier?handle=a&strict=7", 422, None),
    ("GET", "/score?handle=demo_0001&surprise=1&strict=true", 422, None), ("GET", "/similar?handle=demo_0001&k=0", 422, None),
    ("POST", "/cluster", 400, b"{"), ("POST", "/score", 422, b"[]"), ("POST", "/tier?strict=true", 422, {"folowers": 3}),
    ("POST", "/similar", 404, {"handle": "nobody_at_all"}), ("GET", "/influencers?handle=nobody_at_all", 404, None),
    ("GET", "/influencers?limit=0", 422, None), ("GET", "/report", 404, None),
    ("POST", "/-/reload", 404, {"version": "19990101T000000Z-0000000000000000"}), ("POST", "/-/reload", 422, {"surprise": 1}),
    ("GET", "/v2/models/none", 404, None), ("GET", "/v2/models/score/versions/1/ready", 404, None),
    ("GET", "/v2/models/none/stats", 404, None), ("POST", "/v2/models/none/infer", 404, {"inputs": INPUTS}),
    ("POST", "/v2/models/score/infer", 400, {}), ("POST", "/v2/models/score/infer", 400, b"{"),
    ("POST", "/v2/models/tier/infer", 400, {"inputs": [{**INPUTS[0], "name": "folowers"}]}),
    ("POST", "/v2/repository/index", 400, b"["), ("POST", "/v2/repository/models/none/load", 404, b""),
    ("POST", "/v2/repository/models/none/unload", 404, b""),
    ("POST", "/invocations", 400, {}), ("POST", "/invocations", 400, {"instances": [{"followers": -3}]}),
    ("POST", "/invocations", 404, {"instances": [{"handle": "nobody_at_all"}]}),
    ("POST", "/invocations?model=none", 400, {"instances": ROWS}),
])
def test_errors_are_as_described(api, method, path, status, body):
    api.exchange(method, path, status, body)


@pytest.mark.parametrize("path", ["/score", "/invocations", "/v2/models/score/infer"])
def test_errors_of_the_door_are_as_described(api, path):
    api.exchange("POST", path, 413, b"x" * (5 << 20), {"Content-Type": "application/json"})
    api.exchange("POST", path, 415, b"{}", {"Content-Type": "application/json", "Content-Encoding": "br"})
    api.exchange("POST", path, 400, b"{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    if path.startswith("/v2"):
        return
    api.exchange("POST", path, 415, b"{}", {"Content-Type": "text/html"})
    api.exchange("POST", path, 406, b"{}", {"Content-Type": "application/json", "Accept": "text/html"})


def test_what_a_client_has_is_not_sent_again(api):
    _, headers, _ = api.daemon.request("GET", "/openapi.json")
    api.exchange("GET", "/openapi.json", 304, headers={"If-None-Match": headers["ETag"]})
    assert api.daemon.request("GET", "/openapi.json", headers={"If-None-Match": '"other"'})[0] == 200


# ---- what the configuration changes ----

@pytest.fixture
def guarded(run, start_daemon, hand_models, tmp_path):
    tokens, lines = {}, []
    for scope in ("predict", "metrics", "admin"):
        made = json.loads(run("token", "new", "--scope", scope, "--name", scope, "--json").stdout)
        tokens[scope] = made["token"]
        lines.append(made["line"])
    (tmp_path / "tokens").write_text("\n".join(lines) + "\n")
    options = [f"--access.tokens={tmp_path / 'tokens'}", "--limit.requests_per_s=1000", "--predict.max_instances=2"]
    return start_daemon(hand_models, *options), tokens


def test_tokens_are_told_where_they_are_asked_for(guarded, api):
    assert "securitySchemes" not in api.document["components"]
    assert all(operation["security"] == [] for operation in operations(api.document).values())
    daemon, tokens = guarded
    api = Api(daemon, tokens["predict"])
    assert api.document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    page = daemon.request("GET", "/")[2].decode()
    asset = re.search(r'"/?app-([^"]+)"', page)  # nobody's path is a stranger's: 401
    fill = {"model": "score", "version": daemon.get("/-/ready")[1]["model"], "name": asset[1] if asset else None}
    for (method, path), operation in reversed(operations(api.document).items()):  # load comes after unload
        if "{name}" in path and not asset:
            continue  # built without the page
        scopes = [scope for item in operation["security"] for scope in item["bearer"]]
        asked = path.format(**fill)
        api.headers = {}
        if scopes:
            api.exchange(method, asked, 401, b"" if method == "POST" else None)
            wrong = next(token for scope, token in tokens.items() if scope not in scopes)
            api.headers = {"Authorization": f"Bearer {wrong}"}
            api.exchange(method, asked, 403, b"" if method == "POST" else None)
            api.headers = {"Authorization": f"Bearer {tokens[scopes[0]]}"}
        status = daemon.request(method, asked, b"" if method == "POST" else None, api.headers)[0]
        assert status not in (401, 403), (method, path, status)
    assert "429" in api.operation("GET", "/score")[1]["responses"]
    assert "429" not in api.operation("GET", "/metrics")[1]["responses"]
    assert api.document["components"]["schemas"]["Questions"]["properties"]["instances"]["maxItems"] == 2
    api.headers = {"Authorization": f"Bearer {tokens['predict']}"}
    api.exchange("POST", "/score", 422, {"instances": ROWS + ROWS})


def test_routes_that_are_switched_off_are_not_described(start_daemon, hand_models, api):
    daemon = start_daemon(hand_models, "--server.reload=off")
    paths = set(Api(daemon).document["paths"])
    gone = set(api.document["paths"]) - paths
    assert paths < set(api.document["paths"]) and "/-/reload" in gone
    for path in gone:
        asked = path.format(model="score")
        assert {daemon.request(method, asked, b"" if method == "POST" else None)[0] for method in ("GET", "POST")} == {404}


# ---- the linter ----

def test_redocly_has_nothing_to_say(api, guarded, tmp_path, tmp_path_factory):
    npm_install(LINTER, tmp_path_factory)
    daemon, tokens = guarded
    files = []
    for name, document in (("open", api.document), ("guarded", Api(daemon, tokens["predict"]).document)):
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(json.dumps(document))

    def lint(path):
        done = subprocess.run(
            [LINTER / "node_modules/.bin/redocly", "lint", "--extends=recommended", "--format=json", path], cwd=tmp_path,
            capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "HOME": str(tmp_path), "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        )
        return json.loads(done.stdout)["totals"]

    for path in files:
        assert lint(path) == {"errors": 0, "warnings": 0, "ignored": 0}
    # It does look: without summaries there is something to say.
    broken = copy.deepcopy(api.document)
    del broken["paths"]["/score"]["get"]["summary"]
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    assert lint(tmp_path / "broken.json")["errors"] > 0
