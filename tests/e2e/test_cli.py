# SPDX-License-Identifier: Apache-2.0
"""The frame around the commands."""

from conftest import ROOT


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


def test_the_trainers_documented_file_is_what_its_table_says(run):
    path = ROOT / "config/train.conf"
    assert path.read_text(encoding="utf-8") == run("train", "--print-config").stdout
    # And it can be read: what is missing is the table.
    done = run("train", "--config", path, "nowhere.csv", check=False)
    assert done.returncode == 1 and "nowhere.csv" in done.stderr and "train.conf" not in done.stderr
