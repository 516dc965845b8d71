# SPDX-License-Identifier: Apache-2.0
"""`influence links`: links held out and told from pairs that are none; links suggested."""

import json
import random

import pytest


@pytest.fixture(scope="module")
def links(run):
    return lambda *arguments: json.loads(run("links", *arguments, "--json").stdout)


@pytest.fixture(scope="module")
def camps(tmp_path_factory):
    """Fans follow half of the stars of their own camp, of two."""
    rng = random.Random(3)
    path = tmp_path_factory.mktemp("links") / "follows.csv"
    rows = [f"fan_{fan},star_{star}\n" for fan in range(40) for star in range(60)
            if fan % 2 == star % 2 and rng.random() < 0.5]
    path.write_text("follower,followed\n" + "".join(rows))
    return path


def test_links_are_foretold_and_suggested_within_camps(links, camps):
    result = links(camps, "--suggest", 25, "--repeats", 3)
    known = set(camps.read_text().split())
    assert result["links"] == len(known) - 1 and result["accounts"] == 100
    assert result["auc"] > 0.75 and {s["name"]: s["auc"] for s in result["scores"]}["popularity"] < 0.65
    assert sum(s["chosen"] for s in result["scores"]) == 3
    assert len(result["suggestions"]) == 25
    for link in result["suggestions"]:
        assert f"{link['from']},{link['to']}" not in known
        assert int(link["from"][4:]) % 2 == int(link["to"][5:]) % 2


def test_the_same_seed_gives_the_same_answer(links, camps):
    assert links(camps, "--seed", 4) == links(camps, "--seed", 4)
    assert links(camps, "--seed", 4)["auc"] != links(camps, "--seed", 5)["auc"]


def test_kinds_are_chosen_by_name(run, links, demo):
    everything = links(demo / "edges.csv", "--repeats", 1, "--suggest", 0)
    some = links(demo / "edges.csv", "--repeats", 1, "--suggest", 0, "--kinds", "comment,tag")
    assert 0 < some["links"] < everything["links"]
    wrong = run("links", demo / "edges.csv", "--kinds", "likes", check=False)
    assert wrong.returncode == 1 and "'likes' is no kind of edge" in wrong.stderr


def test_what_cannot_be_is_refused(run, tmp_path, demo):
    few = tmp_path / "few.csv"
    few.write_text("source,target\na,b\nb,c\n")
    refused = run("links", few, check=False)
    assert refused.returncode == 1 and "too few" in refused.stderr
    refused = run("links", demo / "profiles.csv", check=False)
    assert refused.returncode == 1 and "edges" in refused.stderr
    assert run("links", few, "--holdout", "0.9", check=False).returncode == 2
    assert run("links", check=False).returncode == 2


def test_real_follow_edges_reach_the_best_peer(links, shared_data):
    result = links(shared_data / "derived_top100_follow_edges.csv", "--suggest", 0)
    assert result["held"] == 1837
    assert result["auc"] >= 0.87
