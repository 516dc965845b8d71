# SPDX-License-Identifier: Apache-2.0
"""Drift as the daemon sees it and as the log tells it; the shadow beside the main model."""

import csv
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import time

import pytest

from conftest import BUILD
from test_daemon_log import metric
from test_log import binary_inference


def profiles_of(demo):
    """The training rows, as bodies."""
    fields = ("followers", "following", "posts", "avg_likes", "avg_comments", "category", "country")
    with open(demo / "profiles.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {k: row[k] for k in fields if row.get(k)}


def figures(part):
    return {f["name"]: f for f in part["features"]} | {"output": part["output"]}


def ask_all(daemon, profiles):
    for route in ("/score", "/tier"):
        status, answer = daemon.post(route, {"instances": profiles})
        assert status == 200 and not any("error" in p for p in answer["predictions"])


@pytest.fixture
def calm(demo):
    return list(profiles_of(demo))


def test_what_training_saw_has_not_drifted_and_what_it_did_not_see_has(start_daemon, models, calm):
    daemon = start_daemon(models)
    status, before = daemon.get("/drift")
    assert status == 200 and before["score"]["rows"] == 0 and before["score"]["output"]["psi"] is None
    ask_all(daemon, calm)
    seen = daemon.get("/drift")[1]
    assert seen["score"]["rows"] == seen["tier"]["rows"] == len(calm)
    for name in ("ln_followers", "ln_posts"):
        assert figures(seen["score"])[name]["psi"] < 0.05
        assert figures(seen["score"])[name]["out_of_range"] < 0.05
    # Ten times the followers, from nowhere in particular.
    other = start_daemon(models)
    ask_all(other, [p | {"followers": 30 * float(p["followers"]), "country": "Atlantis"} for p in calm])
    moved = figures(other.get("/drift")[1]["score"])
    assert moved["ln_followers"]["psi"] > 0.25 and moved["ln_followers"]["drift"] == "major"
    assert moved["ln_followers"]["wasserstein"] > 1 > moved["ln_posts"]["wasserstein"]
    assert moved["ln_followers"]["out_of_range"] > 0.1
    assert moved["country"]["unseen"] == 1
    name = 'influenced_drift_psi{model="score",feature="ln_followers"}'
    assert metric(other, name) == pytest.approx(moved["ln_followers"]["psi"])
    assert metric(other, 'influenced_drift_rows{model="score"}') == len(calm)
    # What nobody sends has no distribution to compare, and moved most of all.
    poor = start_daemon(models)
    ask_all(poor, [{k: v for k, v in p.items() if k != "posts"} for p in calm])
    lost = figures(poor.get("/drift")[1]["score"])["ln_posts"]
    assert (lost["drift"], lost["psi"], lost["missing"], lost["missing_reference"]) == ("major", None, 1, 0)
    assert metric(poor, 'influenced_drift_missing_training_ratio{model="score",feature="ln_posts"}') == 0


def test_the_log_tells_the_same_drift_as_the_daemon(start_daemon, models, calm, run):
    daemon = start_daemon(models, "--log.max_body_bytes=1000000")
    ask_all(daemon, calm[:300])
    for profile in calm[300:330]:
        assert daemon.post("/score", profile)[0] == 200
    handle = "synthetic_000003"
    assert daemon.get(f"/score?handle={handle}")[0] == 200
    said = daemon.get("/drift")[1]
    daemon.stop()
    told = json.loads(run("log", "drift", "--db", daemon.directory / "requests.db", "--bundle", models, "--json").stdout)
    assert told["model"] == said["model"] and told["score"]["rows"] == 331
    for part in ("score", "tier"):
        assert told[part] == said[part]
    text = run("log", "drift", "--db", daemon.directory / "requests.db", "--bundle", models).stdout
    assert "ln_followers" in text and "331" in text and "careful: of fewer than 500 profiles" in text and "\n\n\n" not in text
    text = run("log", "drift", "--db", daemon.directory / "requests.db", "--bundle", models, "--route", "/score").stdout
    assert "tier: no profile to compare" in text and "score: 331 profiles" in text


# ---- the other protocols ----

FIELDS = ("followers", "following", "posts", "avg_likes", "avg_comments")


def numbers_of(calm):
    """The same profiles in a form that every protocol can say: numbers alone, all of them there."""
    return [{k: float(p[k]) for k in FIELDS} for p in calm if all(k in p for k in FIELDS)]


def infer(daemon, model, columns):
    """All rows at once; columns: name -> values."""
    inputs = [{"name": k, "datatype": "FP64", "shape": [len(v)], "data": v} for k, v in columns.items()]
    status, answer = daemon.post(f"/v2/models/{model}/infer", {"inputs": inputs})
    assert status == 200, answer
    return answer


def invoke(daemon, model, rows):
    """Half of them as records, half as CSV."""
    half = len(rows) // 2
    assert daemon.post(f"/invocations?model={model}", {"dataframe_records": rows[:half]})[0] == 200
    text = "\n".join([",".join(FIELDS), *(",".join(repr(r[k]) for k in FIELDS) for r in rows[half:])])
    headers = {"Content-Type": "text/csv"}
    assert daemon.request("POST", f"/invocations?model={model}", text.encode(), headers)[0] == 200


def test_drift_is_the_same_by_every_protocol(start_daemon, models, calm, run):
    rows = numbers_of(calm)
    own, v2, binary, mlflow = (start_daemon(models, "--log.max_body_bytes=1000000") for _ in range(4))
    for model in ("score", "tier"):
        assert own.post(f"/{model}", {"instances": rows})[0] == 200
        infer(v2, model, {k: [r[k] for r in rows] for k in FIELDS})
        body, headers = binary_inference([(k, "FP64", struct.pack(f"<{len(rows)}d", *(r[k] for r in rows))) for k in FIELDS], len(rows))
        assert binary.request("POST", f"/v2/models/{model}/infer", body, headers)[0] == 200
        invoke(mlflow, model, rows)
    said = own.get("/drift")[1]
    assert said["score"]["rows"] == said["tier"]["rows"] == len(rows) > 100
    for other in (v2, binary, mlflow):
        drift = other.get("/drift")[1]
        assert (drift["score"], drift["tier"]) == (said["score"], said["tier"])
    # And so tells the log.
    for daemon, n in ((own, 2), (v2, 2), (binary, 2), (mlflow, 4)):
        daemon.stop()
        db = daemon.directory / "requests.db"
        told = json.loads(run("log", "drift", "--db", db, "--bundle", models, "--json").stdout)
        assert (told["rows"], told["taken"], told["passed_over"], told["failed"]) == (n, n, 0, 0)
        assert (told["score"], told["tier"]) == (said["score"], said["tier"])


def test_the_log_tells_the_drift_of_features_and_of_csv(start_daemon, models, calm, run):
    daemon = start_daemon(models, "--log.max_body_bytes=1000000")
    rows = numbers_of(calm)
    text = "\n".join([",".join(FIELDS), *(",".join(repr(r[k]) for k in FIELDS) for r in rows)])
    headers = {"Content-Type": "text/csv"}
    metadata = daemon.get("/v2/models/score")[1]
    features = [i["name"] for i in metadata["inputs"] if i["parameters"]["kind"] == "feature"]
    for model in ("score", "tier"):
        assert daemon.request("POST", f"/{model}", text.encode(), headers)[0] == 200
    infer(daemon, "score", {name: [0.1, 0.5, 1.5] for name in features})
    said = daemon.get("/drift")[1]
    daemon.stop()
    told = json.loads(run("log", "drift", "--db", daemon.directory / "requests.db", "--bundle", models, "--json").stdout)
    assert told["score"]["rows"] == len(rows) + 3
    assert (told["score"], told["tier"]) == (said["score"], said["tier"])


def test_the_log_tells_the_drift_of_what_the_model_itself_answered(start_daemon, models, bundle, hand_models, calm, run, tmp_path):
    """A canary's rows are in the same log, and not in /drift of the main model."""
    both = tmp_path / "both"
    shutil.copytree(models, both, symlinks=True)
    other = hand_models / os.readlink(hand_models / "current")
    shutil.copytree(other, both / other.name)
    daemon = start_daemon(both, f"--models.canary={other.name}", "--models.canary_share=0.5")
    for profile in numbers_of(calm)[:60]:
        assert daemon.post("/score", profile)[0] == 200
    said = daemon.get("/drift")[1]
    daemon.stop()
    db = daemon.directory / "requests.db"
    told = json.loads(run("log", "drift", "--db", db, "--bundle", models, "--json").stdout)
    assert 0 < said["score"]["rows"] < 60 and told["score"] == said["score"]
    assert told["passed_over_by"] == {"model": 60 - said["score"]["rows"]} and told["taken"] == said["score"]["rows"]
    text = run("log", "drift", "--db", db, "--bundle", models).stdout
    assert text.startswith(f"{told['taken']} of 60 requests compared with {bundle.name}, ")
    told = json.loads(run("log", "drift", "--db", db, "--bundle", models, "--any-model", "--json").stdout)
    assert told["score"]["rows"] == 60 and told["passed_over"] == 0


def test_drift_can_be_switched_off_and_old_bundles_have_none(start_daemon, models, hand_models):
    daemon = start_daemon(models, "--drift.window_minutes=0")
    assert daemon.get("/drift")[0] == 404
    assert "influenced_drift_psi" not in daemon.get("/metrics")[1]
    daemon = start_daemon(hand_models)
    status, answer = daemon.get("/drift")
    assert status == 404 and "earlier version" in answer["error"]["message"]


# ---- the shadow ----

def two_bundles(tmp_path):
    models = tmp_path / "models"
    ids = []
    for seed in (1, 0):
        done = subprocess.run([BUILD / "tests/support/make-bundle", models, str(seed)], check=True,
                              capture_output=True, text=True)
        ids.append(done.stdout.strip())
    return models, *ids


def wait_until(daemon, name, value):
    for _ in range(200):
        if metric(daemon, name) >= value:
            return
        time.sleep(0.05)
    raise AssertionError(daemon.get("/metrics")[1])


def outcome(question, result):
    return f'influenced_shadow_predictions_total{{question="{question}",outcome="{result}"}}'


def test_a_shadow_is_asked_in_silence_and_compared(start_daemon, tmp_path):
    models, shadow, main = two_bundles(tmp_path)
    daemon = start_daemon(models, f"--models.shadow={shadow}")
    for i in range(50):
        status, answer = daemon.get(f"/score?handle=demo_{i:04d}")
        assert status == 200 and answer["model"] == main
        assert daemon.get(f"/tier?handle=demo_{i:04d}")[1]["model"] == main
    # The shadow's intercept is one point higher: all scores differ by it, and no tier does.
    wait_until(daemon, outcome("score", "differs"), 50)
    wait_until(daemon, outcome("tier", "agrees"), 50)
    assert metric(daemon, outcome("score", "agrees")) == 0
    assert metric(daemon, "influenced_shadow_score_difference_points_sum") == pytest.approx(50, abs=0.01)
    assert metric(daemon, "influenced_shadow_skipped_total") == 0
    assert metric(daemon, f'influenced_role_info{{role="shadow",version="{shadow}"}}') == 1
    promtool = shutil.which("promtool")
    if promtool:
        text = daemon.get("/metrics")[1]
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    daemon.stop()
    with sqlite3.connect(daemon.directory / "requests.db") as db:
        rows = db.execute("SELECT request_id, model, output FROM request WHERE route = '(shadow)'").fetchall()
        asked = {r[0] for r in db.execute("SELECT request_id FROM request WHERE route = '/score'")}
    assert len(rows) == 50 and {r[0] for r in rows} == asked
    assert {r[1] for r in rows} == {shadow}
    said = json.loads(rows[0][2])
    assert said["question"] == "score" and said["shadow"] - said["main"] == pytest.approx(1, abs=1e-6)


def test_a_shadow_sees_every_protocol(start_daemon, tmp_path):
    bundles, shadow, _ = two_bundles(tmp_path)
    daemon = start_daemon(bundles, f"--models.shadow={shadow}")
    rows = [{"followers": 1000.0 * i, "following": 10.0, "posts": 5.0 * i, "avg_likes": 30.0 * i, "avg_comments": 2.0}
            for i in range(1, 51)]
    for model in ("score", "tier", "cluster"):
        infer(daemon, model, {k: [r[k] for r in rows] for k in FIELDS})
        invoke(daemon, model, rows)
    for model in ("score", "tier", "cluster"):
        wait_until(daemon, f'influenced_shadow_predictions_total{{question="{model}"', 100)
    # The shadow's intercept is one point higher.
    assert metric(daemon, outcome("score", "differs")) == metric(daemon, outcome("tier", "agrees")) == 100
    assert metric(daemon, "influenced_shadow_skipped_total") == 0


def test_a_shadow_is_asked_about_all_features_at_once(start_daemon, models, bundle):
    """A profile may come as the model's features, which are more than a profile has fields of its own."""
    daemon = start_daemon(models, f"--models.shadow={bundle.name}")
    for model in ("score", "tier", "cluster"):
        metadata = daemon.get(f"/v2/models/{model}")[1]
        features = [i["name"] for i in metadata["inputs"] if i["parameters"]["kind"] == "feature"]
        assert len(features) > 10
        infer(daemon, model, {name: [0.1, 0.5, 1.5] for name in features})
        wait_until(daemon, outcome(model, "agrees"), 3)
    assert metric(daemon, "influenced_shadow_skipped_total") == 0


def test_a_shadow_takes_its_share_and_acknowledged_answers_do_not_wait_for_it(start_daemon, tmp_path):
    models, shadow, _ = two_bundles(tmp_path)
    daemon = start_daemon(models, f"--models.shadow={shadow}", "--models.shadow_share=0.25", "--server.threads=1",
                          "--log.durability=acknowledged")
    for i in range(100):
        assert daemon.get(f"/score?handle=demo_{i:04d}")[0] == 200
    wait_until(daemon, outcome("score", "differs"), 22)
    time.sleep(0.1)
    assert metric(daemon, outcome("score", "differs")) in range(22, 29)


def test_a_shadow_that_cannot_be_had_leaves_the_main_model_alone(start_daemon, hand_models):
    daemon = start_daemon(hand_models, "--models.shadow=/nowhere/at/all")
    assert daemon.get("/score?handle=demo_0001")[0] == 200
    wait_until(daemon, outcome("score", "failed"), 1)
    assert "shadow model: " in daemon.log
