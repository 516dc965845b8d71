# SPDX-License-Identifier: Apache-2.0
"""The closing line of `./dev test` must be right when tests are not."""

import json
import subprocess

import pytest
from conftest import ROOT


def summarize(*runs):
    done = subprocess.run([ROOT / "tests/summary.py", *runs], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()[-1]


def meson_log(path, *entries):
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return f"unit={path}"


@pytest.mark.parametrize(
    "entry, expected",
    [
        ({"result": "OK", "stdout": "1..2\nok 1 - a\nok 2 - b\n"}, (0, "2 passed, 0 failed")),
        ({"result": "OK", "stdout": "1..2\nok 1 - a\nnot ok 2 # SKIP b\n"}, (0, "1 passed, 0 failed, 1 skipped")),
        ({"result": "FAIL", "stdout": "1..2\nok 1 - a\nnot ok 2 - b\n"}, (1, "1 passed, 1 failed")),
        ({"result": "FAIL", "stdout": "1..3\nok 1 - a\n"}, (1, "1 passed, 1 failed")),
        ({"result": "OK", "stdout": "1..3\nok 1 - a\n"}, (1, "1 passed, 1 failed")),
        ({"result": "TIMEOUT", "stdout": ""}, (1, "0 passed, 1 failed")),
        ({"result": "OK", "stdout": "fine\n"}, (0, "1 passed, 0 failed")),
    ],
)
def test_one_program_counts_its_cases(tmp_path, entry, expected):
    assert summarize(meson_log(tmp_path / "log.json", entry)) == expected


def test_a_run_without_tests_is_a_failure(tmp_path):
    assert summarize(meson_log(tmp_path / "log.json")) == (1, "0 passed, 1 failed")
    assert summarize(f"e2e={tmp_path / 'missing.xml'}") == (1, "0 passed, 1 failed")


def test_runs_are_added_up(tmp_path):
    junit = tmp_path / "e2e.xml"
    junit.write_text(
        "<testsuites><testsuite><testcase name='a'/><testcase name='b'><skipped/></testcase>"
        "<testcase name='c'><error/></testcase></testsuite></testsuites>"
    )
    log = meson_log(tmp_path / "log.json", {"result": "OK", "stdout": "ok 1 - a\n"})
    assert summarize(log, f"e2e={junit}") == (1, "2 passed, 1 failed, 1 skipped")
