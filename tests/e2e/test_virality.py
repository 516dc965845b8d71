# SPDX-License-Identifier: Apache-2.0
"""What lifts a post, in the report of a training run that was given posts."""

import json
import random

import pytest
from report_schema import check_report, is_absent

QUICK = ("--search.folds=2", "--search.repeats=1", "--score.models=constant ridge", "--tier.models=prior softmax")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """60 accounts of 12 posts: videos get 1.5 times the likes, the rest is luck."""
    rng = random.Random(7)
    folder = tmp_path_factory.mktemp("posts")
    accounts, posts = ["handle,followers,uploads,avg_likes\n"], ["username,taken_at,type,likes,caption_len\n"]
    for i in range(60):
        likes = rng.randrange(200, 5000)
        accounts.append(f"account_{i},{rng.randrange(1000, 900000)},{rng.randrange(20, 900)},{likes}\n")
        for p in range(12):
            kind = rng.choice(["image", "video"])
            got = likes * (1.5 if kind == "video" else 1) * rng.lognormvariate(0, 0.3)
            posts.append(f"account_{i},{1500000000 + 90000 * p},{kind},{int(got)},{rng.randrange(300)}\n")
    (folder / "accounts.csv").write_text("".join(accounts))
    (folder / "posts.csv").write_text("".join(posts))
    return folder


def report_of(run, out, *arguments):
    run("train", *arguments, "--out", out, *QUICK)
    report = json.loads(run("report", "--bundle", out, "--json").stdout)
    check_report(report)
    return report["virality"]


def test_the_report_says_by_how_much_videos_are_lifted(run, tables, tmp_path):
    found = report_of(run, tmp_path, tables / "accounts.csv", "--posts", tables / "posts.csv")
    assert found["n"] == 60 * 10 and found["accounts"] == 60  # the newest posts are still gathering likes
    factors = {factor["name"]: factor for factor in found["factors"]}
    assert "sponsorship" not in factors  # not in the file
    levels = {level["name"]: level for level in factors["type"]["levels"]}
    told = next(level for level in levels.values() if not level["reference"])
    truth = 0.5 if told["name"] == "video" else 1 / 1.5 - 1
    assert told["low"] < truth < told["high"] and told["high"] - told["low"] < 0.25
    assert factors["type"]["r2_lost"] > 10 * factors["caption"]["r2_lost"]


def test_terminal_and_card_say_what_lifts_a_post(run, tables, tmp_path):
    told = run("train", tables / "accounts.csv", "--posts", tables / "posts.csv", "--out", tmp_path, *QUICK).stdout
    found = json.loads(run("report", "--bundle", tmp_path, "--json").stdout)["virality"]
    card = (tmp_path / "current/card.md").read_text(encoding="utf-8")
    lines = told.split("what lifts a post above its account's others: 600 posts of 60 accounts\n")[1].split("\n\n")[0].splitlines()
    assert f"explains {100 * found['r2']:.0f} %" in lines[0] and f"explain {100 * found['r2']:.1f} %" in card
    # What explains most comes first, with its interval; chance is not told as an effect.
    kind = next(factor for factor in found["factors"] if factor["name"] == "type")
    level, reference = sorted(kind["levels"], key=lambda level: level["reference"])
    effect = f"{level['name']}: {100 * level['effect']:+.0f} % ({100 * level['low']:+.0f} to {100 * level['high']:+.0f})"
    assert lines[1].split() == f"type {100 * kind['r2_lost']:.1f} % {effect}, beside {reference['name']}".split()
    assert any("nothing that differs" in line for line in lines[2:])
    rows = [line for line in card.split("## What lifts a post")[1].split("\n## ")[0].splitlines() if line.startswith("| ")][1:]
    assert len(rows) == sum(len(factor["levels"]) - 1 for factor in found["factors"])
    assert rows[0].startswith(f"| type | {100 * kind['r2_lost']:.1f} % | {level['name']} | {reference['name']} | {level['n']} |")
    assert "what lifts a post above" not in run("train", tables / "accounts.csv", "--out", tmp_path, *QUICK).stdout


def test_without_posts_the_report_says_what_it_needs(run, tables, tmp_path):
    found = report_of(run, tmp_path, tables / "accounts.csv")
    assert is_absent(found) and "--posts" in found["absent"]
