# SPDX-License-Identifier: Apache-2.0
"""The report of a bundle: its schema, the page as one file, and `models show`."""

import csv
import hashlib
import json
import re

import pytest
from report_schema import check_report


# The report's shape does not depend on how long the search was.
QUICK = ("--search.folds=2", "--search.repeats=1", "--score.models=constant ridge",
         "--tier.models=prior softmax")


@pytest.fixture(scope="module")
def models(run, demo, tmp_path_factory):
    out = tmp_path_factory.mktemp("models")
    first, *_, last = sorted(demo.glob("snapshot-*.csv"))
    months = [f"{path}@{path.stem.removeprefix('snapshot-')}" for path in (first, last)]
    run("train", *months[:1], f"{demo / 'profiles.csv'}@{months[1][-7:]}", "--out", out, *QUICK)
    return out


@pytest.fixture(scope="module")
def bundle(models):
    return (models / "current").resolve()


@pytest.fixture(scope="module")
def report(run, models):
    return json.loads(run("report", "--bundle", models, "--json").stdout)


def test_the_trainers_report_keeps_to_the_schema(report):
    check_report(report)
    assert report["kind"] == "bundle" and report["synthetic"] is True


def test_two_months_are_compared(report):
    comparison = report["data"]["comparison"]
    assert comparison["before"] < comparison["after"] and comparison["in_both"] > 0
    assert report["explore"]["growth"]["n"] > 0


def test_the_report_carries_the_id_of_its_bundle(report, bundle):
    assert report["bundle"]["id"] == bundle.name


def test_a_bundle_of_its_own_is_taken_as_well_as_a_models_directory(run, bundle, report):
    assert json.loads(run("report", "--bundle", bundle, "--json").stdout) == report


def test_the_page_of_a_bundle_is_one_file(run, models, bundle, tmp_path):
    out = tmp_path / "report.html"
    done = run("report", "--bundle", models, "--out", out, check=False)
    if done.returncode == 1 and "page" in done.stderr:
        assert not out.exists()
        pytest.skip("this build has no page")
    assert done.returncode == 0, done.stderr
    html = out.read_text(encoding="utf-8")
    assert bundle.name in html and "<script src=" not in html
    assert run("report", "--bundle", models, "--out", "-").stdout == html


def test_what_is_missing_is_said(run, tmp_path):
    nothing = run("report", "--bundle", tmp_path, "--out", tmp_path / "r.html", check=False)
    assert nothing.returncode == 1 and "influence train" in nothing.stderr
    assert run("report", check=False).returncode == 2
    assert run("report", "file.csv", "--out", "r.html", check=False).returncode == 2


def test_a_broken_report_is_refused_by_name(run, bundle, tmp_path):
    copy = tmp_path / "bundle"
    copy.mkdir()
    for file in bundle.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    for broken in (b"", b"[]", b'{"schema":', b'{"schema":1,"schema":1}'):
        (copy / "report.json").write_bytes(broken)
        done = run("report", "--bundle", copy, "--json", check=False)
        assert done.returncode == 1 and "report.json" in done.stderr and done.stdout == ""


def test_models_show_names_the_models_and_what_to_mind(run, models, report):
    text = run("models", "show", "--models", models).stdout
    assert f"id: {report['bundle']['id']}" in text
    assert "synthetic demo data" in text
    # One repeat has no spread: none is made up.
    listed = run("models", "list", "--models", models).stdout
    assert not re.search(r"\bnan\b", text + listed) and "+-" not in text
    for board in (report["models"]["score"], report["models"]["tier"]):
        for row in board["leaderboard"]:
            assert ("> " if row["chosen"] else "  ") + row["name"] in text
    for name in report["archetypes"]["names"]:
        assert name in text
    for caution in report["overview"]["careful"]:
        assert caution["text"] in text


def test_the_card_says_what_a_reader_must_know(run, demo, tmp_path):
    """Licence, hashes, figures by group, and a month that is not like the one before."""
    first, *_, last = sorted(demo.glob("snapshot-*.csv"))
    with open(last, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["followers"] = str(40 * int(float(row["followers"]))) if row["followers"] else ""
    moved = tmp_path / "moved.csv"
    with open(moved, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    run("train", f"{first}@2025-01", f"{moved}@2025-04", "--licence", "CC0-1.0", "--out", tmp_path, *QUICK)
    card = (tmp_path / "current/card.md").read_text(encoding="utf-8")
    for heading in ("Data", "Score", "Tier", "Archetypes", "Intended use", "Out of scope", "Limits",
                    "What the data cannot tell", "How to reproduce"):
        assert f"\n## {heading}" in card
    assert "Licence of the data: CC0-1.0." in card
    assert hashlib.sha256(moved.read_bytes()).hexdigest() in card
    assert "'moved.csv@2025-04'" in card
    assert "| size | accounts | told right | 95 % |" in card
    drift = re.search(r"followers drifted between 2025-01 and 2025-04 \(PSI [\d.]+\)", card)
    assert drift
    report = json.loads(run("report", "--bundle", tmp_path, "--json").stdout)
    assert report["bundle"]["licence"] == "CC0-1.0"
    assert any(drift[0] in item["text"] for item in report["overview"]["careful"])
    assert {"import", "tier models", "archetypes"} <= {stage["name"] for stage in report["bundle"]["stages"]}


def test_training_draws_what_it_found(run, demo, tmp_path):
    out = run("train", demo / "profiles.csv", "--out", tmp_path / "models", *QUICK).stdout
    for title in ("what the score goes by", "what the tier goes by"):
        first, second = out.split(title)[1].splitlines()[1:3]
        assert first.count("\u2588") == 24 > second.count("\u2588"), title
    sizes = out.split("archetypes:")[1].splitlines()[1:3]
    assert any(line.count("\u2588") == 24 for line in sizes)
