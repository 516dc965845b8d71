# SPDX-License-Identifier: Apache-2.0
"""`influence models`: what is there, and which one is current."""

import hashlib
import json
import re
import subprocess

import pytest
from conftest import BUILD


@pytest.fixture
def store(tmp_path):
    """A models directory with three small bundles, the last one current."""
    for seed in (1, 2, 3):
        subprocess.run([BUILD / "tests/support/make-bundle", tmp_path, str(seed)], check=True, capture_output=True)
    return tmp_path


def ask(run, store, *words):
    return json.loads(run("models", *words, "--models", store, "--json").stdout)


def test_list_marks_the_current_and_the_previous_one(run, store):
    bundles = ask(run, store, "list")
    assert len(bundles) == 3
    assert [b["id"] for b in bundles] == sorted(b["id"] for b in bundles)
    current = [b for b in bundles if b["current"]]
    assert len(current) == 1 and current[0]["id"] == (store / "current").readlink().name
    assert len([b for b in bundles if b["previous"]]) == 1
    text = run("models", "list", "--models", store).stdout
    assert f"* {current[0]['id']}" in text


def test_show_gives_the_manifest(run, store):
    manifest = ask(run, store, "show")
    assert manifest["id"] == (store / "current").readlink().name
    assert {f["name"] for f in manifest["files"]} >= {"score.blob", "tier.blob", "cluster.blob", "similar.blob"}
    text = run("models", "show", "--models", store).stdout
    assert manifest["id"] in text and "synthetic" in text


def test_show_draws_the_errors_out_of_fold(run, models):
    """In one line between the largest two, and by size with a bar."""
    report = json.loads((models / "current/report.json").read_text())["models"]["score"]
    residuals = report["residuals"]
    text = run("models", "show", "--models", models).stdout
    line = next(line for line in text.splitlines() if "errors out of fold" in line)
    low, shape, high = re.fullmatch(r".*actual: (\S+) (.+) (\S+)", line).groups()
    assert len(shape) == len(residuals["histogram"]["counts"])
    counts = residuals["histogram"]["counts"]
    assert shape[counts.index(max(counts))] == "\u2588"
    assert all((mark == " ") == (count == 0) for mark, count in zip(shape, counts))
    edges = residuals["histogram"]["edges"]
    assert float(low) == pytest.approx(edges[0], abs=0.06) and float(high) == pytest.approx(edges[-1], abs=0.06)
    rows = text[text.index(line):].split("\n\n")[0].splitlines()[2:]
    assert len(rows) == len(residuals["by_tier"]["group"])
    assert [int(row.split()[1]) for row in rows] == residuals["by_tier"]["n"]


def test_a_trained_bundle_is_listed_with_what_it_is_worth(run, models):
    [listed] = ask(run, models, "list")
    manifest = ask(run, models, "show")
    assert listed["rows"] == manifest["rows"] > 0
    for part in ("score", "tier"):
        if manifest[part]["leaderboard"]:
            assert listed[part]["model"] == manifest[part]["chosen"]
            assert listed[part]["mean"] is not None
    assert all(v["whole"] for v in ask(run, models, "verify"))


def test_promote_and_rollback_swap(run, store):
    ids = [b["id"] for b in ask(run, store, "list")]
    before = (store / "current").readlink().name
    other = next(i for i in ids if i != before)
    assert ask(run, store, "promote", other) == {"current": other}
    assert (store / "current").readlink().name == other
    assert ask(run, store, "rollback") == {"current": before}
    assert (store / "current").readlink().name == before


def test_prune_keeps_what_is_in_use(run, store):
    before = {b["id"]: b for b in ask(run, store, "list")}
    assert ask(run, store, "prune", "--keep", "0") == {"removed": 1}
    after = {b["id"] for b in ask(run, store, "list")}
    assert after == {i for i, b in before.items() if b["current"] or b["previous"]}


def mentions(store, handle):
    """Files below the models directory that have the bytes of a handle, links aside."""
    return [path for path in store.rglob("*") if path.is_file() and handle in path.read_bytes()]


def test_erase_removes_every_bundle_that_knows_an_account(run, tmp_path):
    """The one before as well, which prune keeps; the current one is named and stays."""
    for words in ["1"], ["--boosted", "2"], ["3"]:
        subprocess.run([BUILD / "tests/support/make-bundle", *words[:-1], tmp_path, words[-1]], check=True, capture_output=True)
    large, current = ((tmp_path / link).readlink().name for link in ("previous", "current"))
    [first] = [b["id"] for b in ask(run, tmp_path, "list") if b["id"] not in (large, current)]
    # Of the three the large one alone has so many accounts.
    assert mentions(tmp_path, b"demo_20000") and ask(run, tmp_path, "prune", "--keep", "3") == {"removed": 0}
    assert ask(run, tmp_path, "erase", "--handle", "@DEMO_20000") == {"removed": [large], "kept": 0}
    assert mentions(tmp_path, b"demo_20000") == [] and not (tmp_path / "previous").is_symlink()
    assert "no previous" in run("models", "rollback", "--models", tmp_path, check=False).stderr
    assert run("models", "erase", "--handle", "demo_20000", "--models", tmp_path).stdout == "no bundle knows it\n"
    done = run("models", "erase", "--handle", "demo_0007", "--models", tmp_path, "--json", check=False)
    assert (done.returncode, json.loads(done.stdout)) == (1, {"removed": [first], "kept": 1})
    assert f"{current} is the current bundle" in done.stderr and "1 not removed" in done.stderr
    assert [b["id"] for b in ask(run, tmp_path, "list")] == [current]


def test_erase_names_what_only_may_know_an_account(run, store):
    """A text that has the word, a catalogue that cannot be read: those go by ID alone."""
    last, current = ((store / link).resolve() for link in ("previous", "current"))
    [before] = [store / b["id"] for b in ask(run, store, "list") if b["id"] not in (last.name, current.name)]
    (before / "report.json").write_text('{"refused":["line 5 \'demo.baker\'"]}')
    blob = bytearray((last / "similar.blob").read_bytes())
    blob[len(blob) // 2] ^= 4
    (last / "similar.blob").write_bytes(blob)
    done = run("models", "erase", "--handle", "demo.baker", "--models", store, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{before.name}/report.json has the word" in done.stderr and f"{last.name}/similar.blob" in done.stderr
    assert run("models", "erase", before.name, "--models", store).stdout == f"{before.name} removed\n"
    assert ask(run, store, "erase", "previous") == {"removed": [last.name], "kept": 0}
    assert run("models", "erase", current.name, "--models", store, check=False).returncode == 1
    assert [b["id"] for b in ask(run, store, "list")] == [current.name]
    for words in ["erase"], ["erase", "x", "--handle", "y"], ["list", "--handle", "y"], ["erase", "--handle", "@"]:
        assert run("models", *words, "--models", store, check=False).returncode == 2


def test_verify_names_what_is_damaged(run, store):
    assert all(v["whole"] for v in ask(run, store, "verify"))
    current = (store / "current").resolve()
    blob = bytearray((current / "tier.blob").read_bytes())
    blob[len(blob) // 2] ^= 4
    (current / "tier.blob").write_bytes(blob)
    done = run("models", "verify", "--models", store, "--json", check=False)
    assert done.returncode == 1
    bad = [v for v in json.loads(done.stdout) if not v["whole"]]
    assert [v["id"] for v in bad] == [current.name]
    assert "tier.blob" in bad[0]["problem"]
    done = run("models", "promote", current.name, "--models", store, check=False)
    assert done.returncode == 1 and "tier.blob" in done.stderr
    # What is damaged is no way back either, and the one in use stays.
    sound = next(b["id"] for b in ask(run, store, "list") if b["id"] != current.name)
    assert ask(run, store, "promote", sound) == {"current": sound}
    done = run("models", "rollback", "--models", store, check=False)
    assert done.returncode == 1 and "tier.blob" in done.stderr
    assert (store / "current").readlink().name == sound


def test_a_manifest_that_was_made_to_fit_is_found_out(run, store):
    """Another model's blob, with its right digest in the manifest: the id still tells."""
    current = (store / "current").resolve()
    other = next(d for d in store.iterdir() if d.is_dir() and not d.is_symlink() and d != current)
    blob = (other / "score.blob").read_bytes()
    assert blob != (current / "score.blob").read_bytes()
    (current / "score.blob").write_bytes(blob)
    manifest = json.loads((current / "manifest.json").read_text())
    for file in manifest["files"]:
        if file["name"] == "score.blob":
            file.update(bytes=len(blob), sha256=hashlib.sha256(blob).hexdigest())
    (current / "manifest.json").write_text(json.dumps(manifest))
    verdict = run("models", "verify", current.name, "--models", store, check=False)
    assert verdict.returncode == 1 and "its id says" in verdict.stdout


def test_usage_errors_say_what_is_wrong(run, tmp_path):
    for words, reason in ((), "needed"), (("frob",), "'frob'"), (("promote",), "which"), (("list", "x"), "'x'"):
        done = run("models", *words, "--models", tmp_path, check=False)
        assert done.returncode == 2 and reason in done.stderr and done.stdout == ""
    done = run("models", "show", "--models", tmp_path, check=False)
    assert done.returncode == 1 and "influence train" in done.stderr
    done = run("models", "rollback", "--models", tmp_path, check=False)
    assert done.returncode == 1 and "no previous" in done.stderr
    assert run("models", "--help").stdout.startswith("influence models")
