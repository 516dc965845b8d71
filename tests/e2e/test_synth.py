# SPDX-License-Identifier: Apache-2.0
"""influence synth: demo data that says what it is."""
import csv
import json
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
INFLUENCE = str(pathlib.Path(os.environ.get("INFLUENCE_BUILD", ROOT / "build")) / "src/cli/influence")
FILES = ["profiles.csv", "snapshot-2025-03.csv", "snapshot-2025-06.csv", "snapshot-2025-09.csv", "posts.csv", "edges.csv"]


def synth(*arguments, status=0):
    result = subprocess.run([INFLUENCE, "synth", *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == status, result.stderr
    return result


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_row_of_every_file_says_that_it_is_synthetic(tmp_path):
    synth("--rows", 300, "--out", tmp_path)
    for name in FILES:
        rows = rows_of(tmp_path / name)
        assert rows, name
        assert all(row["synthetic"] == "1" for row in rows), name
        handles = [row.get("handle") or row.get("username") or row.get("source") for row in rows]
        assert all(handle.startswith("synthetic_") for handle in handles), name
    assert json.loads((tmp_path / "synthetic.json").read_text())["synthetic"] is True


def test_the_files_fit_together(tmp_path):
    made = json.loads(synth("--rows", 400, "--seed", 3, "--out", tmp_path, "--json").stdout)
    profiles = {row["handle"]: row for row in rows_of(tmp_path / "profiles.csv")}
    assert made["profiles"] == len(profiles) == 400
    for row in rows_of(tmp_path / "snapshot-2025-09.csv"):
        assert profiles[row["handle"]]["followers"] == row["followers"]
    posts = rows_of(tmp_path / "posts.csv")
    assert made["posts"] == len(posts) == len({row["post_id"] for row in posts})
    assert {row["username"] for row in posts} <= profiles.keys()
    edges = rows_of(tmp_path / "edges.csv")
    assert made["edges"] == len(edges)
    assert all(row["source"] != row["target"] and row["target"] in profiles for row in edges)


def test_a_seed_always_gives_the_same_bytes(tmp_path):
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        synth("--rows", 200, "--seed", seed, "--out", tmp_path / folder)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "c" / name).read_bytes()


def test_nothing_but_the_files_is_left(tmp_path):
    synth("--rows", 10, "--out", tmp_path)
    synth("--rows", 20, "--out", tmp_path)  # a folder of its own may be made again
    assert sorted(os.listdir(tmp_path)) == sorted([*FILES, "synthetic.json"])


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "profiles.csv").write_text("mine\n")
    assert "profiles.csv" in synth("--rows", 10, "--out", tmp_path, status=1).stderr
    assert os.listdir(tmp_path) == ["profiles.csv"]


def test_an_interrupt_leaves_nothing_half_written(tmp_path):
    process = subprocess.Popen([INFLUENCE, "synth", "--rows", "50000000", "--out", tmp_path],
                               stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 10
    while not list(tmp_path.glob(".synth-*/profiles.csv")) and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 1 and "stopped" in stderr
    assert os.listdir(tmp_path) == []


def test_wrong_use_is_told(tmp_path):
    for arguments in ([], ["--rows", "0", "--out", tmp_path], ["--rows", "5"], ["--rows", "x", "--out", tmp_path],
                      ["--rows", "5", "--out", tmp_path, "more"], ["--nonsense"], ["--seed", "-1"]):
        assert "usage: influence synth" in synth(*arguments, status=2).stderr


def test_the_documented_parameters_are_the_ones_in_use():
    documented = (ROOT / "docs" / "synthetic-data.md").read_text()
    assert synth("--parameters").stdout in documented
