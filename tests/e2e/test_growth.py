# SPDX-License-Identifier: Apache-2.0
"""The forecast of growth: what is reported is what held-out accounts show, and chance ships nothing."""

import csv
import ctypes
import io
import json
import random

import pytest

from conftest import BUILD

QUICK = ("--search.folds=3", "--search.repeats=1", "--score.models=ridge", "--tier.models=softmax",
         "--growth.models=constant huber")
MONTHS = ("2025-03", "2025-06", "2025-09")


def files_of(demo, months=MONTHS):
    return [f"{demo / f'snapshot-{month}.csv'}@{month}" for month in months]


def train(run, out, *arguments):
    """The directory, manifest and report of a new bundle."""
    run("train", *arguments, *QUICK, "--out", out)
    bundle = out / "current"
    manifest, report = (json.loads((bundle / f"{name}.json").read_text(encoding="utf-8"))
                        for name in ("manifest", "report"))
    return bundle, manifest, report


@pytest.fixture(scope="module")
def three_months(run, demo, tmp_path_factory):
    return train(run, tmp_path_factory.mktemp("models"), *files_of(demo))


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for i in order[at:end]:
            result[i] = (at + end - 1) / 2
        at = end
    return result


def spearman(a, b):
    a, b = ranks(a), ranks(b)
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    product = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    return product / (sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)) ** 0.5


def test_figures_are_those_of_the_held_out_accounts(three_months):
    _, _, report = three_months
    growth = report["growth"]
    seen = growth["predicted"]
    actual, predicted = seen["actual"], seen["predicted"]
    assert growth["n"] == len(actual) == 600
    assert growth["spearman"] == pytest.approx(spearman(actual, predicted), abs=1e-9)
    assert growth["mae"] == pytest.approx(sum(abs(a - p) for a, p in zip(actual, predicted)) / len(actual))
    inside = [low <= a <= high for a, low, high in zip(actual, seen["low"], seen["high"])]
    assert growth["coverage"]["observed"] == pytest.approx(sum(inside) / len(inside), abs=1e-9)
    assert 0.86 <= growth["coverage"]["observed"] <= 0.94
    middle = sorted(actual)
    median = (middle[299] + middle[300]) / 2
    assert growth["baseline"]["mae"] == pytest.approx(sum(abs(a - median) for a in actual) / len(actual))
    for i, group in enumerate(growth["by_tier"]["group"]):
        members = [k for k, tier in enumerate(seen["tier"]) if tier == group]
        assert growth["by_tier"]["n"][i] == len(members)
        if len(members) >= 10:
            assert growth["by_tier"]["spearman"][i] == pytest.approx(
                spearman([actual[k] for k in members], [predicted[k] for k in members]), abs=1e-9)


def test_the_period_is_the_newest_and_the_one_before_judges_it(three_months):
    bundle, manifest, report = three_months
    growth = report["growth"]
    assert (growth["base"], growth["until"], growth["months"]) == ("2025-06", "2025-09", 3)
    assert growth["ships"] and growth["spearman_low"] > 0
    assert "growth.blob" in [f["name"] for f in manifest["files"]] and "follower_growth" in manifest["features"]["growth"]
    earlier = growth["earlier"]
    assert (earlier["base"], earlier["until"], earlier["n"]) == ("2025-03", "2025-06", 600)
    assert not earlier["had_growth"] and -1 <= earlier["spearman"] <= 1 and 0 <= earlier["observed"] <= 1
    card = (bundle / "card.md").read_text(encoding="utf-8")
    assert "## Growth in the next period" in card and growth["text"] in card


def test_the_daemon_the_report_and_predict_forecast_the_same(run, start_daemon, demo, three_months):
    bundle, _, report = three_months
    predicted = {row["handle"]: row for row in csv.DictReader(io.StringIO(
        run("predict", *files_of(demo), "--bundle", bundle.parent).stdout, newline=""))}
    top = report["growth"]["forecast"]["rows"]
    daemon = start_daemon(bundle.parent)
    for handle, *expected in zip(top["handle"], top["forecast"], top["low"], top["high"]):
        status, answer = daemon.get(f"/score?handle={handle}")
        growth = answer["growth"]
        assert status == 200 and growth["months"] == 3 and growth["coverage"] == 0.9
        assert [growth[k] for k in ("forecast", "low", "high")] == pytest.approx(expected, abs=1e-7)
        assert [float(predicted[handle][k]) for k in ("growth", "growth_low", "growth_high")] == pytest.approx(expected)
    places = [daemon.get(f"/score?handle={handle}")[1]["growth"]["percentile"] for handle in top["handle"]]
    assert places == sorted(places, reverse=True) and places[0] == 100

    many = {"instances": [{"handle": handle} for handle in top["handle"]]}
    together = [one["growth"]["forecast"] for one in daemon.post("/score", many)[1]["predictions"]]
    assert together == pytest.approx(top["forecast"], abs=1e-7)
    status, _, text = daemon.request("POST", "/score", b"followers,previous_followers,previous_months\r\n"
                                     b"20000,19000,3\r\n20000,20000,3\r\n-1,,\r\n", {"Content-Type": "text/csv"})
    fast, slow, bad = csv.DictReader(io.StringIO(text.decode(), newline=""))
    assert status == 200 and float(fast["growth_low"]) < float(fast["growth"]) < float(fast["growth_high"])
    assert float(fast["growth"]) != float(slow["growth"]) and not bad["growth"] and "followers" in bad["error"]
    growth = daemon.post("/score", {"followers": 20000})[1]["growth"]
    assert {"previous_followers", "previous_months"} <= set(growth["imputed"])


class Growth(ctypes.Structure):
    """struct ifl_growth."""

    _fields_ = [(name, ctypes.c_double) for name in ("forecast", "low", "high", "coverage", "months", "percentile")]


def test_other_doors_forecast_the_same(start_daemon, three_months):
    bundle, _, report = three_months
    top = report["growth"]["forecast"]["rows"]
    daemon = start_daemon(bundle.parent)
    profile = daemon.get(f"/influencers?handle={top['handle'][0]}")[1]["profile"]
    inputs = [{"name": name, "datatype": "FP64", "shape": [1], "data": [value]}
              for name, value in profile.items() if isinstance(value, (int, float)) and not isinstance(value, bool)]
    inputs += [{"name": name, "datatype": "BYTES", "shape": [1], "data": [profile[name]]}
               for name in ("category", "audience_country") if profile.get(name)]
    status, answer = daemon.post("/v2/models/score/infer", {"inputs": inputs})
    outputs = {output["name"]: output["data"][0] for output in answer["outputs"]}
    assert status == 200
    assert outputs["growth"] == pytest.approx(top["forecast"][0], abs=1e-7)
    assert outputs["growth_low"] == pytest.approx(top["low"][0], abs=1e-7)

    library = BUILD / "src/runtime/libinfluence.so"
    if b"__asan_init" in library.read_bytes():
        pytest.skip("a library with sanitizers cannot be loaded here")
    ifl = ctypes.CDLL(str(library))
    engine, session, growth = ctypes.c_void_p(), ctypes.c_void_p(), Growth()
    assert ifl.ifl_engine_open(str(bundle).encode(), ctypes.byref(engine), None) == 0
    assert ifl.ifl_session_new(engine, ctypes.byref(session), None) == 0
    assert ifl.ifl_set_handle(session, top["handle"][0].encode(), None) == 0
    assert ifl.ifl_growth(session, ctypes.byref(growth), None) == 0
    assert (growth.forecast, growth.low, growth.months) == pytest.approx((top["forecast"][0], top["low"][0], 3))
    ifl.ifl_session_free(session)
    ifl.ifl_engine_close(engine)


def test_two_months_forecast_and_know_no_earlier_period(run, demo, tmp_path):
    out = run("train", *files_of(demo, MONTHS[1:]), *QUICK, "--out", tmp_path / "models").stdout
    report = json.loads((tmp_path / "models/current/report.json").read_text(encoding="utf-8"))
    assert "growth (100 ln ratio of followers): 2025-06 to 2025-09" in out
    assert report["growth"]["forecast"]["n"] == 600 and "absent" in report["growth"]["earlier"]
    shown = run("models", "show", "--models", tmp_path / "models").stdout
    assert "FORECAST  growth" in shown and report["growth"]["forecast"]["rows"]["handle"][0] in shown


def test_posts_of_the_period_itself_tell_nothing(run, demo, tmp_path):
    """Posts whose likes are the followers to come: seen only if they were made before."""
    with open(demo / "snapshot-2025-09.csv", newline="", encoding="utf-8") as source:
        later = [(row["handle"], row["followers"]) for row in csv.DictReader(source)]
    found = {}
    for day in ("2025-05-02", "2025-07-02", ""):
        posts = tmp_path / f"posts-{day}.csv"
        lines = "".join(f"{handle},{day},{likes}\n" for handle, likes in later)
        posts.write_text("username,date,likes\n" + lines, encoding="utf-8")
        _, manifest, report = train(run, tmp_path / f"models-{day}", *files_of(demo, MONTHS[1:]), "--posts", posts)
        seen = any("likes" in name for name in manifest["features"]["growth"])
        found[day] = (seen, report["growth"]["spearman"])
    assert found["2025-05-02"][0] and not found["2025-07-02"][0] and not found[""][0]
    assert found["2025-05-02"][1] > found["2025-07-02"][1] + 0.1
    assert found["2025-07-02"][1] == found[""][1]


def test_one_snapshot_forecasts_nothing(run, demo, tmp_path):
    bundle, manifest, report = train(run, tmp_path / "models", demo / "profiles.csv")
    assert "two or more snapshots" in report["growth"]["absent"]
    assert "growth.blob" not in [f["name"] for f in manifest["files"]] and not (bundle / "growth.blob").exists()


def test_chance_is_called_chance_and_ships_nothing(run, demo, tmp_path):
    """Growth that nothing tells: followers times a factor drawn at random."""
    rng = random.Random(7)
    with open(demo / "snapshot-2025-06.csv", newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    for row in rows:
        row["followers"] = round(float(row["followers"]) * rng.uniform(0.8, 1.3))
    with open(tmp_path / "later.csv", "w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    bundle, manifest, report = train(run, tmp_path / "models", *files_of(demo, ["2025-06"]),
                                     f"{tmp_path / 'later.csv'}@2025-09")
    growth = report["growth"]
    assert growth["strength"] == "none" and not growth["ships"] and growth["spearman_low"] <= 0
    assert "absent" in growth["forecast"] and not (bundle / "growth.blob").exists()
    assert any("no growth is forecast" in warning for warning in manifest["warnings"])
