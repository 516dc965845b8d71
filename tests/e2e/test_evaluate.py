# SPDX-License-Identifier: Apache-2.0
"""`influence evaluate`: honest figures, by the protocol."""

import json

import pytest


@pytest.fixture(scope="module")
def evaluate(run):
    return lambda *arguments: json.loads(run("evaluate", *arguments, "--json").stdout)


def chosen(result):
    return next(entry for entry in result["leaderboard"] if entry["chosen"])


def test_a_number_is_regressed(evaluate, demo):
    result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--models", "constant ridge",
                      "--repeats", 2)
    assert result["task"] == "regression" and result["rows"] == 600 and result["repeats"] == 2
    assert result["chosen"] == "ridge" and chosen(result)["metrics"]["r2"]["mean"] > 0.4
    assert "influence_score" not in result["features"]


def test_bins_make_classes(evaluate, demo):
    for bins, n in (("tertile", 3), ("quantiles:5", 5), ("40,60,80", 4)):
        result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--bins", bins,
                          "--models", "prior softmax", "--repeats", 1)
        assert result["task"] == "classification" and len(result["classes"]) == n
        assert result["chosen"] == "softmax"


def test_features_can_be_chosen_and_left_out(evaluate, demo):
    base = (demo / "profiles.csv", "--target", "influence_score", "--models", "ridge", "--repeats", 1)
    assert evaluate(*base, "--features", "followers")["features"] == ["ln_followers"]
    assert not [name for name in evaluate(*base, "--exclude", "followers")["features"] if "ln_followers" == name]


def test_a_target_made_of_noise_is_reported_as_weak(evaluate, demo, tmp_path):
    lines = (demo / "profiles.csv").read_text(encoding="utf-8").splitlines()
    # A multiplicative hash of the row number: as good as random, and the same everywhere.
    noise = ["luck"] + [str(i * 2654435761 % 1000) for i in range(1, len(lines))]
    path = tmp_path / "profiles.csv"
    path.write_text("".join(f"{line},{luck}\n" for line, luck in zip(lines, noise)), encoding="utf-8")
    result = evaluate(path, "--target", "luck", "--models", "constant ridge", "--repeats", 2, "--select", "r2")
    assert chosen(result)["metrics"]["r2"]["mean"] < 0.05


def test_the_same_seed_gives_the_same_figures(evaluate, demo):
    def metrics(seed):
        result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--models", "ridge boosting",
                          "--repeats", 1, "--folds", 2, "--seed", seed)
        return [entry["metrics"] for entry in result["leaderboard"]]
    assert metrics(7) == metrics(7) != metrics(8)


@pytest.mark.parametrize("arguments, message", [
    (("--target", "nothing"), "nothing"),
    ((), "--target"),
    (("--target", "influence_score", "--bins", "5,4"), "bins"),
    (("--target", "influence_score", "--folds", "1"), "folds"),
    (("--target", "influence_score", "--features", "nothing"), "nothing"),
])
def test_what_cannot_be_evaluated_is_refused_by_name(run, demo, arguments, message):
    done = run("evaluate", demo / "profiles.csv", *arguments, check=False)
    assert done.returncode in (1, 2) and message in done.stderr


def test_the_figures_of_the_protocol_on_the_real_table(evaluate, shared_data):
    table = shared_data / "top_insta_influencers_data.csv"
    result = evaluate(table, "--target", "influence_score", "--models", "huber ridge", "--select", "mae")
    assert result["rows"] == 200 and result["folds"] == 5 and result["repeats"] == 5
    assert chosen(result)["metrics"]["mae"]["mean"] < 3.97
    tiers = evaluate(table, "--target", "influence_score", "--bins", "82,86", "--models", "softmax")
    assert chosen(tiers)["metrics"]["macro_f1"]["mean"] > 0.61
