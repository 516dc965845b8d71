# SPDX-License-Identifier: Apache-2.0
"""The network of a training run: communities and links of real edges, or of likeness."""

import csv
import json
import random

import pytest
from report_schema import check_report, is_absent

QUICK = ("--search.folds=2", "--search.repeats=1", "--score.models=constant ridge", "--tier.models=prior softmax")
CAMPS = ("food", "travel", "beauty")


def train(run, out, *arguments):
    run("train", *arguments, "--out", out, *QUICK)
    report = json.loads(run("report", "--bundle", out, "--json").stdout)
    check_report(report)
    return report["network"]


@pytest.fixture(scope="module")
def camps(tmp_path_factory):
    """Three camps of 60, one category each; nine of ten mentions stay inside."""
    rng = random.Random(5)
    folder = tmp_path_factory.mktemp("camps")
    rows = [f"demo_{i:03},{CAMPS[i % 3]},{rng.randrange(1000, 900000)},{rng.randrange(10, 3000)},{rng.randrange(10, 9000)}\n"
            for i in range(180)]
    (folder / "accounts.csv").write_text("username,category,followers,posts,avg_likes\n" + "".join(rows))
    links = set()
    while len(links) < 900:
        a, b = rng.randrange(180), rng.randrange(180)
        if a != b and (a % 3 == b % 3 or rng.random() < 0.05):
            links.add((a, b))
    (folder / "edges.csv").write_text(
        "kind,source,target\n" + "".join(f"mention,demo_{a:03},demo_{b:03}\n" for a, b in sorted(links)))
    (folder / "brands.csv").write_text("influencer,brand\n" + "".join(
        f"demo_{i:03},brand_{CAMPS[i % 3]}_{j}\n" for i in range(180) for j in range(8) if rng.random() < 0.5))
    return folder


@pytest.fixture(scope="module")
def network(run, camps, tmp_path_factory):
    return train(run, tmp_path_factory.mktemp("models"), camps / "accounts.csv", "--edges", camps / "edges.csv",
                 "--edges", camps / "brands.csv")


def test_communities_of_edges_are_the_camps(network):
    assert network["kind"] == "edges" and network["links"] == 900 and network["neighbours"] == 0
    assert [c["size"] for c in network["communities"]] == [60, 60, 60]
    for community in network["communities"]:
        theme = community["themes"][0]
        assert theme["kind"] == "category" and theme["name"] in CAMPS
        assert theme["value"] == 1 and theme["overall"] == pytest.approx(1 / 3, abs=1e-5)
        assert community["within"] > 0.8


def test_homophily_is_beyond_chance(network):
    homophily = network["homophily"]
    assert homophily["assortativity"] > 0.7 > 0.1 > homophily["high"] > homophily["low"]


def test_suggested_links_and_brands_stay_in_the_camp(network, camps):
    known = set((camps / "edges.csv").read_text().split())
    for part in ("collaborations", "brands"):
        assert network[part]["auc"] > 0.7 and network[part]["suggested"]
    inside = [link for link in network["collaborations"]["suggested"]
              if int(link["from"][5:]) % 3 == int(link["to"][5:]) % 3]
    assert len(inside) >= 0.9 * len(network["collaborations"]["suggested"])
    for link in network["collaborations"]["suggested"]:
        assert f"mention,{link['from']},{link['to']}" not in known
    for link in network["brands"]["suggested"]:
        assert link["to"].split("_")[1] == CAMPS[int(link["from"][5:]) % 3]


def test_terminal_and_card_say_what_the_network_is(run, camps, tmp_path):
    told = run("train", camps / "accounts.csv", "--edges", camps / "edges.csv", "--edges", camps / "brands.csv", "--out",
               tmp_path, *QUICK).stdout
    network = json.loads(run("report", "--bundle", tmp_path, "--json").stdout)["network"]
    card = (tmp_path / "current/card.md").read_text(encoding="utf-8").split("\n## Network\n")[1].split("\n## ")[0]
    lines = told.split("\nnetwork: 180 accounts, 900 edges from the files, ")[1].split("\n\n")[0].splitlines()
    assert lines[0] == f"{network['isolated']} without any"
    for text in (lines[1], card):
        assert f"{len(network['communities'])} communities of 5 accounts or more, modularity {network['modularity']:.2f} " in text
    for community, line in zip(network["communities"], lines[3:6]):
        assert line.split()[:4] == f"{community['size']} {100 * community['within']:.0f} % {community['name']}".split()
        assert f"\n| {community['name']} | {community['size']} | {100 * community['within']:.0f} % | category " in card
    for key, line in (("hubs", lines[6]), ("bridges", lines[7])):
        assert [word.split()[0] for word in line.split(":")[1].split(",")] == [a["handle"] for a in network[key][:3]]
    found = network["homophily"]
    for text in (lines[8], card):
        assert (f"homophily by category {found['assortativity']:.2f}, as by chance {found['low']:.2f} to {found['high']:.2f}: "
                f"{100 * found['within']:.0f} % of {found['n']} edges") in text
    for key, line in (("collaborations", lines[9]), ("brands", lines[10])):
        found = network[key]
        popularity = next(score["auc"] for score in found["scores"] if score["name"] == "popularity")
        figures = (f"suggested {key} by {found['method']}: AUC {found['auc']:.3f} +- {found['sd']:.3f} on {found['held']} links "
                   f"held out, popularity alone {popularity:.3f}; of the better half of the pairs {100 * found['precision']:.0f} %")
        assert figures in line and figures.replace("+-", "±") in card
    # Cards are passed on: who is a hub stays in the report.
    assert "demo_" not in card and "brand_" not in card


def test_terminal_and_card_call_likeness_by_its_name(run, camps, tmp_path):
    told = run("train", camps / "accounts.csv", "--out", tmp_path, *QUICK).stdout
    card = (tmp_path / "current/card.md").read_text(encoding="utf-8")
    for text in (told, card):
        assert "each joined to the 10 most like it by their figures: likeness, no acquaintance" in text
        assert ", so none to speak of: " in text and "suggested collaborations" not in text


def test_without_edges_likeness_makes_the_network(run, camps, tmp_path):
    network = train(run, tmp_path, camps / "accounts.csv")
    assert network["kind"] == "similarity" and network["neighbours"] == 10 and network["isolated"] == 0
    assert is_absent(network["collaborations"]) and is_absent(network["brands"])
    # Categories were dealt without regard to figures, which alone make accounts alike.
    assert network["homophily"]["assortativity"] < 0.1


def test_likeness_of_a_large_table_is_that_of_accounts_drawn(run, camps, tmp_path):
    network = train(run, tmp_path, camps / "accounts.csv", "--network.max_accounts=100")
    assert (network["n"], network["of"]) == (100, 180)
    shown = {account["handle"]: account["followers"] for account in network["hubs"] + network["bridges"]}
    with open(camps / "accounts.csv", encoding="utf-8") as file:
        table = {row["username"]: float(row["followers"]) for row in csv.DictReader(file)}
    assert shown == {handle: table[handle] for handle in shown}
    assert len(set(network["drawn"]["handle"])) == 100


def test_edges_give_features_that_the_edges_own_figures_may_not_see(run, camps):
    files = (camps / "accounts.csv", "--edges", camps / "edges.csv", "--repeats", 1, "--folds", 2, "--json")
    seen = json.loads(run("evaluate", *files, "--target", "avg_likes", "--models", "ridge").stdout)["features"]
    assert {"net_pagerank", "ln_net_core", "net_clustering", "net_betweenness"} & set(seen)
    seen = json.loads(run("evaluate", *files, "--target", "edges_in", "--models", "ridge").stdout)["features"]
    assert not [name for name in seen if "net_" in name]


def test_the_same_seed_gives_the_same_network(run, camps, tmp_path, network):
    again = train(run, tmp_path, camps / "accounts.csv", "--edges", camps / "edges.csv", "--edges",
                  camps / "brands.csv")
    assert again == network


def test_real_edges_have_real_themes(run, shared_data, tmp_path):
    network = train(run, tmp_path, shared_data / "kim_influencers.txt", "--edges", shared_data / "derived_kim_edges.csv",
                    "--search.max_rows=500")
    assert network["n"] == 33935 and network["links"] > 27000 and network["modularity"] > 0.6
    assert network["homophily"]["assortativity"] > 0.4
    assert network["collaborations"]["auc"] > 0.7


PLACE = {"net_pagerank", "net_core", "net_clustering", "net_betweenness"}


def test_an_unseen_profile_gets_its_place_from_its_neighbours(run, demo, tmp_path, start_daemon):
    run("train", demo / "profiles.csv", "--edges", demo / "edges.csv", *QUICK, "--score.models=ridge", "--out",
        tmp_path / "models")
    daemon = start_daemon(tmp_path / "models")

    def get(path):
        status, answer = daemon.get(path)
        assert status == 200, answer
        return answer

    def explain(profile):
        status, answer = daemon.post("/score?explain=true", profile)
        assert status == 200, answer
        points = {c["feature"]: c["points"] for c in answer["explanation"]["contributions"]}
        return answer, points["net_pagerank"]

    line, unseen, gaps, widths = [], [], [], []
    for i in range(1, 600, 40):
        record = {k: v for k, v in get(f"/influencers?handle=synthetic_{i:06}")["profile"].items() if k != "handle"}
        whole, points = explain(record)
        assert not PLACE & set(whole["imputed"])
        line.append((record["net_pagerank"], points))
        bare = {k: v for k, v in record.items() if k not in PLACE}
        answer, points = explain(bare)
        assert set(answer["imputed"]) >= PLACE
        status, similar = daemon.post("/similar", {**bare, "k": 10})
        assert status == 200 and similar["similar"][0]["distance"] == pytest.approx(0, abs=1e-3)
        places = [get(f"/influencers?handle={s['handle']}")["profile"]["net_pagerank"] for s in similar["similar"]]
        unseen.append((sum(places) / 10, points))
        gaps.append(abs(answer["score"] - whole["score"]))
        widths.append(whole["interval"]["high"] - whole["interval"]["low"])
    assert max(gaps) < 0.1 * min(widths)
    # Ridge is linear: what it makes of a neighbours' mean lies on the line through two known places.
    (x0, y0), (x1, y1) = min(line), max(line)
    assert abs(y1 - y0) > 1e-3
    for x, y in unseen:
        assert y == pytest.approx(y0 + (x - x0) * (y1 - y0) / (x1 - x0), abs=1e-4)


def test_degrees_are_the_same_in_training_and_in_service(run, demo, tmp_path, start_daemon):
    run("train", demo / "profiles.csv", "--edges", demo / "edges.csv", *QUICK, "--score.models=ridge", "--out",
        tmp_path / "models")
    kinds = {"comment": "comments", "tag": "tags", "mention": "mentions"}
    degrees = {}
    with open(demo / "edges.csv", encoding="utf-8") as file:
        for edge in csv.DictReader(file):
            for end, other, way in (("source", "target", "out"), ("target", "source", "in")):
                for name in (f"{kinds[edge['kind']]}_{way}", f"edges_{way}"):
                    degrees.setdefault((edge[end], name), set()).add(edge[other])
    names = [f"{kind}_{way}" for kind in ("edges", *kinds.values()) for way in ("in", "out")]
    daemon = start_daemon(tmp_path / "models")
    answers = {}
    for handle in [f"synthetic_{i:06}" for i in range(1, 600, 40)]:
        record = daemon.get(f"/influencers?handle={handle}")[1]["profile"]
        assert {name: record[name] for name in names} == {name: len(degrees.get((handle, name), ())) for name in names}
        assert "follows_in" not in record and "brand_links" not in record
        by_handle = daemon.get(f"/score?handle={handle}&explain=true")[1]
        by_record = daemon.post("/score?explain=true", {k: v for k, v in record.items() if k != "handle"})[1]
        assert by_record["score"] == by_handle["score"]
        # A file tells no place in the network: neighbours do.
        bare = {k: v for k, v in record.items() if k not in PLACE | {"community", "net_neighbour_score"}}
        answers[handle] = daemon.post("/score", {**bare, "handle": handle})[1]["score"]
        read = {c["feature"] for c in by_record["explanation"]["contributions"]}
        assert {f"ln_{name}" for name in names} <= read
    predicted = csv.DictReader(run("predict", demo / "profiles.csv", "--edges", demo / "edges.csv", "--bundle",
                                   tmp_path / "models").stdout.splitlines())
    found = {row["handle"]: float(row["score"]) for row in predicted}
    for handle, score in answers.items():
        assert found[handle] == pytest.approx(score, abs=1e-4)


def test_what_edges_tell_counts_for_accounts_whose_edges_are_known(run, camps, tmp_path):
    """The camp is in no figure: edges tell it, of a profile without them nobody knows it."""
    found = {}
    for known in ("on", "off"):
        out = tmp_path / known
        run("train", camps / "accounts.csv", "--edges", camps / "edges.csv", "--out", out, *QUICK[:3], "--tier.by=column",
            "--tier.column=category", "--tier.models=prior softmax", f"--network.known={known}")
        report = json.loads(run("report", "--bundle", out, "--json").stdout)
        board = report["models"]["tier"]["leaderboard"]
        found[known] = {entry["name"]: entry["metrics"]["macro_f1"]["mean"] for entry in board}
    assert found["on"]["propagation"] > 0.8 > 0.5 > found["off"]["propagation"]
    predicted = csv.DictReader(run("predict", camps / "accounts.csv", "--bundle", tmp_path / "on").stdout.splitlines())
    right = [row["tier"] == CAMPS[int(row["handle"][5:]) % 3] for row in predicted]
    assert sum(right) > 0.9 * len(right) == 0.9 * 180
