# SPDX-License-Identifier: Apache-2.0
"""No skew: for every row of the training data the daemon answers what `influence predict` says, by
handle and by the row's own figures."""

import csv
import io
import json

import pytest

QUICK = ["--search.folds=2", "--search.repeats=1", "--score.models=ridge", "--tier.models=softmax"]
NUMBERS = [
    ("/score", "score", lambda a: a["score"]),
    ("/score", "score_low", lambda a: a["interval"]["low"]),
    ("/score", "score_high", lambda a: a["interval"]["high"]),
    ("/tier", "tier_probability", lambda a: a["probabilities"][a["tier"]]),
    ("/cluster", "cluster_distance", lambda a: a["distance"]),
]
WORDS = [
    ("/tier", "tier", lambda a: a["tier"]),
    ("/tier", "size_claimed", lambda a: a["size"]["claimed"] or ""),
    ("/tier", "size_predicted", lambda a: a["size"]["predicted"] or ""),
    ("/cluster", "cluster", lambda a: str(a["cluster"])),
    ("/cluster", "cluster_name", lambda a: a["name"]),
]


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def compare(daemon, expected, instances):
    answers = {route: daemon.post(route, {"instances": instances})[1] for route in ("/score", "/tier", "/cluster")}
    for n, row in enumerate(expected):
        for route, column, value in NUMBERS:
            answer = answers[route]["predictions"][n]
            assert value(answer) == pytest.approx(float(row[column]), rel=0, abs=1e-6), (row, answer)
        for route, column, value in WORDS:
            assert value(answers[route]["predictions"][n]) == row[column], row


def rows_as_profiles(run, files):
    """The cleaned table as `influence import` writes it, as bodies: strings, as they stand there. A
    column may have its unit behind the name: engagement_rate (fraction)."""
    table = read(run("import", *files, "--csv", "-").stdout)
    return [{name.split(" (")[0]: value for name, value in row.items() if value} for row in table]


def check(run, start_daemon, models, files):
    expected = read(run("predict", *files, "--bundle", models).stdout)
    assert len(expected) > 100
    daemon = start_daemon(models)
    compare(daemon, expected, [{"handle": row["handle"]} for row in expected])
    profiles = rows_as_profiles(run, files)
    assert [profile["handle"] for profile in profiles] == [row["handle"] for row in expected]
    compare(daemon, expected, profiles)


@pytest.mark.parametrize("options", [[], ["--search.peers=on"]], ids=["plain", "peers"])
def test_the_daemon_answers_what_predict_says(run, start_daemon, demo, tmp_path, options):
    models = tmp_path / "models"
    run("train", demo / "profiles.csv", "--out", models, *QUICK, *options)
    features = json.loads((models / "current/manifest.json").read_text(encoding="utf-8"))["features"]
    assert any(name.startswith("peer:") for name in features["score"]) == bool(options)
    check(run, start_daemon, models, [demo / "profiles.csv"])


def test_and_on_real_tables(run, start_daemon, shared_data, tmp_path):
    for name in ("top_insta_influencers_data.csv", "smi2022_4sep.csv"):
        models = tmp_path / name
        run("train", shared_data / name, "--out", models, *QUICK)
        check(run, start_daemon, models, [shared_data / name])
