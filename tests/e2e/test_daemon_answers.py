# SPDX-License-Identifier: Apache-2.0
"""What the four routes answer, on a bundle made by hand."""

import json
import re

import pytest

from conftest import ROOT

PROFILE = {"followers": 1234567, "posts": 812, "avg_likes": 34567, "country": "Norway"}
ROUTES = ["/score", "/tier", "/cluster", "/similar"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_profile_and_the_same_profile_in_a_batch_get_the_same_answer(hand_daemon, route):
    status, single = hand_daemon.post(route, PROFILE)
    assert status == 200
    status, batch = hand_daemon.post(route, {"instances": [PROFILE, PROFILE]})
    assert status == 200
    assert batch["model"] == single.pop("model")
    assert batch["predictions"] == [single, single]


@pytest.mark.parametrize("route", ROUTES)
def test_a_bad_instance_is_answered_in_its_place(hand_daemon, route):
    status, batch = hand_daemon.post(route, {"instances": [PROFILE, {"followers": -3}, 7, PROFILE]})
    assert status == 200
    good, negative, number, last = batch["predictions"]
    assert "error" not in good and good == last
    assert negative["error"]["field"] == "followers"
    assert negative["error"]["code"] == "invalid_field"
    assert "0 and 1" in negative["error"]["message"]
    assert "object" in number["error"]["message"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_handle_stands_for_the_catalogued_profile(hand_daemon, route):
    status, by_query = hand_daemon.get(f"{route}?handle=demo_0007")
    assert status == 200
    assert by_query["handle"] == "demo_0007"
    assert hand_daemon.get(f"{route}?handle=@DEMO_0007")[1] | {"handle": ""} == by_query | {"handle": ""}
    assert hand_daemon.post(route, {"handle": "demo_0007"})[1] == by_query


@pytest.mark.parametrize("route", ROUTES)
def test_an_unknown_handle_names_the_closest(hand_daemon, route):
    status, answer = hand_daemon.get(f"{route}?handle=demo_00077")
    assert status == 404
    assert answer["error"]["code"] == "not_found"
    assert "demo_0007" in answer["error"]["message"]


def test_numbers_are_read_as_people_write_them(hand_daemon):
    exact = {"followers": 475800000, "engagement_rate": 0.0139, "avg_likes": 1234567, "is_verified": 1}
    spelt = {"followers": "475.8m", "engagement_rate": "1.39%", "avg_likes": "1,234,567", "is_verified": True}
    assert hand_daemon.post("/score", spelt) == hand_daemon.post("/score", exact)


def test_missing_words_and_null_are_missing(hand_daemon):
    bare = hand_daemon.post("/score", {"followers": 1000})
    assert hand_daemon.post("/score", {"followers": 1000, "posts": None, "avg_likes": "N/A"}) == bare
    assert {"posts", "avg_likes"} <= set(bare[1]["imputed"])


def test_contributions_add_up_to_the_score(hand_daemon):
    _, answer = hand_daemon.post("/score?explain=true", PROFILE)
    explanation = answer["explanation"]
    total = explanation["base"] + sum(c["points"] for c in explanation["contributions"])
    assert total == pytest.approx(answer["score"], abs=1e-4)
    assert "explanation" not in hand_daemon.post("/score", PROFILE)[1]


def test_a_score_lies_in_its_interval_and_says_how_sure_it_is(hand_daemon):
    _, answer = hand_daemon.post("/score", PROFILE)
    interval = answer["interval"]
    assert interval["low"] <= answer["score"] <= interval["high"]
    assert interval["coverage"] == 0.9
    assert 0 <= answer["percentile"] <= 100
    weights = [part["weight"] for part in answer["composite"]["parts"].values()]
    assert sum(weights) == pytest.approx(1, abs=1e-3)


def test_an_answer_beyond_the_data_says_so(hand_daemon):
    status, answer = hand_daemon.post("/score", {"followers": 1e10, "posts": 1e7, "avg_likes": 0})
    assert status == 200
    assert ("beyond" in answer) == ("caution" in answer) == (answer["novelty"] > 99)
    assert answer["beyond"] is True


def test_who_asks_for_reasons_is_told_how_far_the_nearest_accounts_are(hand_daemon):
    near = hand_daemon.post("/similar", PROFILE | {"k": 5})[1]
    mean = sum(item["distance"] for item in near["similar"]) / 5
    assert near["isolation"]["distance"] == pytest.approx(mean, abs=1e-6)
    explained = hand_daemon.post("/score", PROFILE | {"explain": True})[1]
    assert explained["isolation"] == near["isolation"]
    assert "isolation" not in hand_daemon.post("/score", PROFILE)[1]
    filtered = hand_daemon.post("/similar", PROFILE | {"k": 5, "filter": {"category": "food"}})[1]
    assert filtered["isolation"] == near["isolation"] and filtered["similar"] != near["similar"]
    far = hand_daemon.post("/similar", {"followers": 1e10, "posts": 1e7, "avg_likes": 0})[1]["isolation"]
    assert far["percentile"] > 99 and far["beyond"] is True


def test_probabilities_and_memberships_sum_to_one(hand_daemon):
    tier = hand_daemon.post("/tier", PROFILE)[1]
    assert sum(tier["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert tier["tier"] == max(tier["probabilities"], key=tier["probabilities"].get)
    assert tier["size"]["claimed"] == "mega"
    cluster = hand_daemon.post("/cluster", PROFILE)[1]
    assert sum(cluster["membership"]) == pytest.approx(1, abs=1e-6)


def test_the_audience_check_doubts_what_is_unlike_its_peers(daemon):
    usual = {"followers": 20000, "following": 400, "engagement_rate": 0.03, "posts": 300, "avg_likes": 580}
    odd = usual | {"following": 7500, "engagement_rate": 0.00005, "avg_likes": 1}
    good, bad = (daemon.post("/tier", profile)[1]["audience"] for profile in (usual, odd))
    assert 0 <= bad["score"] < good["score"] - 30 and good["score"] <= 100
    assert {reason["part"] for reason in bad["reasons"]} >= {"engagement", "following"}
    doubts = [reason["doubt"] for reason in bad["reasons"]]
    assert doubts == sorted(doubts, reverse=True) and all(0.3 <= doubt <= 1 for doubt in doubts)
    unknown = daemon.post("/tier", {"followers": 20000})[1]["audience"]
    assert not unknown["reasons"] or unknown["score"] is not None


def test_get_without_a_handle_lists_the_archetypes(hand_daemon):
    status, answer = hand_daemon.get("/cluster")
    assert status == 200
    assert [c["cluster"] for c in answer["clusters"]] == [0, 1, 2]
    assert answer["clusters"][2]["traits"][0]["feature"] == "ln_followers"


def test_filters_of_similar_hold_and_do_not_shorten_the_list(hand_daemon):
    base = hand_daemon.get("/similar?handle=demo_0003&k=20")[1]
    assert len(base["similar"]) == base["k"] == base["found"] == 20
    assert "demo_0003" not in [item["handle"] for item in base["similar"]]
    assert base["exact"] is True
    distances = [item["distance"] for item in base["similar"]]
    assert distances == sorted(distances)

    query = "/similar?handle=demo_0003&k=20&category=MUSIC&min_followers=10k&max_followers=1m"
    filtered = hand_daemon.get(query)[1]
    assert len(filtered["similar"]) == 20
    for item in filtered["similar"]:
        assert item["category"] == "music" and 1e4 <= item["followers"] <= 1e6

    first = base["similar"][0]["handle"]
    without = hand_daemon.get(f"/similar?handle=demo_0003&k=19&exclude={first}")[1]
    assert [i["handle"] for i in without["similar"]] == [i["handle"] for i in base["similar"][1:]]


def test_filters_in_a_body_are_those_of_the_query(hand_daemon):
    filters = {"category": "food", "country": "Chile", "exclude": ["demo_0010"], "min_followers": "1k"}
    body = hand_daemon.post("/similar", PROFILE | {"k": 7, "filter": filters})
    query = hand_daemon.post(
        "/similar?k=7&category=food&country=Chile&exclude=demo_0010&min_followers=1000", PROFILE
    )
    assert body[0] == 200 and body == query


def test_influencers_are_found_by_what_they_are_called(hand_daemon):
    status, answer = hand_daemon.get("/influencers?q=demo_001&limit=5")
    assert status == 200
    assert len(answer["influencers"]) == 5
    assert all(item["handle"].startswith("demo_001") for item in answer["influencers"])
    assert answer["catalogued"] == 500


def test_the_index_lists_routes_and_fields(hand_daemon):
    status, answer = hand_daemon.get("/")
    assert status == 200
    assert set(ROUTES) < {route["path"] for route in answer["routes"]}
    assert "followers" in {field["name"] for field in answer["fields"]}


def test_head_is_get_without_a_body(hand_daemon):
    status, headers, body = hand_daemon.request("HEAD", "/score?handle=demo_0001")
    assert status == 200 and body == b"" and int(headers["Content-Length"]) > 0


def members_of(text):
    """The names of an answer's members on the first level, of JSON that may be shortened by "...": what stands deeper is cut."""
    while True:
        inner = re.sub(r"(?<!^)\{[^{}]*\}|\[[^\[\]{}]*\]", "0", text.strip())
        if inner == text.strip():
            return re.findall(r'"(\w+)":', text)
        text = inner


def test_the_answers_of_the_readme_have_the_members_that_the_daemon_gives(daemon):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"^    \$ curl -s '?127\.0\.0\.1:8080(/[^' ]+)'?(?: -d '(.*)')?\n((?:    .*\n)+)", readme, re.MULTILINE)
    assert [path.partition("?")[0] for path, _, _ in examples] == ["/score", "/tier", "/cluster", "/similar"]
    for path, body, answer in examples:
        path = re.sub("synthetic_[0-9]+", "synthetic_000007", path)
        status, told = daemon.post(path, json.loads(body)) if body else daemon.get(path)
        # Only of accounts unlike the others.
        given = set(told) - {"beyond", "caution"}
        assert status == 200 and set(members_of(answer)) - {"beyond", "caution"} == given, path
