# SPDX-License-Identifier: Apache-2.0
"""The frame around the commands."""

import subprocess

import pytest

from conftest import BUILD, INFLUENCE, ROOT


def test_help_goes_to_stdout_and_lists_commands(run):
    done = run("--help")
    assert "usage: influence" in done.stdout
    assert done.stderr == ""


def test_no_command_is_a_usage_error(run):
    done = run(check=False)
    assert done.returncode == 2
    assert done.stdout == "" and "usage" in done.stderr


def test_an_unknown_command_is_named(run):
    done = run("frobnicate", check=False)
    assert done.returncode == 2
    assert "'frobnicate'" in done.stderr and done.stdout == ""
    assert "did you mean 'import'?" in run("improt", check=False).stderr
    assert "did you mean" not in run("foo", check=False).stderr


def test_the_trainers_documented_file_is_what_its_table_says(run):
    path = ROOT / "config/train.conf"
    assert path.read_text(encoding="utf-8") == run("train", "--print-config").stdout
    # And it can be read: what is missing is the table.
    done = run("train", "--config", path, "nowhere.csv", check=False)
    assert done.returncode == 1 and "nowhere.csv" in done.stderr and "train.conf" not in done.stderr


def test_what_is_said_goes_into_no_file_where_the_shell_closed_the_streams(run, tmp_path):
    def files(folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    run("synth", "--rows", 50, "--out", tmp_path / "open")
    for closed, code in (("2>&-", 0), ("<&- >&- 2>&-", 1)):
        out = tmp_path / f"closed-{code}"
        done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh", INFLUENCE, "synth", "--rows", "50", "--out", out],
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == code and files(out) == files(tmp_path / "open")


@pytest.mark.parametrize("words, offered", [
    (("mod",), ["models"]),
    (("models", "pr"), ["promote", "prune"]),
    (("log", "e"), ["export", "erase"]),
    (("models", "promote", "--mod"), ["--models"]),
    (("train", "--score.c"), ["--score.coverage"]),
])
def test_the_shell_completes(words, offered):
    script = f'. "{BUILD}/src/manual/influence"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _influence; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script, "bash", f"{BUILD}/src/cli/influence", *words],
                          capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.split(), done.stderr) == (offered, "")
