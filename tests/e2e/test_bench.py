# SPDX-License-Identifier: Apache-2.0
"""The measuring scripts run, so that they are there on the day they are needed."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT, SANITIZED

sys.path.append(str(ROOT / "tests/support"))
from throwaway import programs  # noqa: E402


def bench(script, *arguments):
    command = [sys.executable, ROOT / "tests/bench" / script, "--build", BUILD, "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_trainings_are_measured(shared_data):
    [result] = bench("train.py", "--data", shared_data, "--only", "fake", "--", "--folds", 2, "--repeats", 1,
                     "--tier.models=prior softmax")
    assert result["rows"] == 576 and result["wall_s"] > 0 and result["peak_mib"] > 10
    stages = {stage["name"]: stage["cpu_seconds"] for stage in result["stages"]}
    assert {"import", "network", "tier models", "refit on all rows", "report, bundle"} <= set(stages)
    assert 0 < sum(stages.values()) < result["cpu_s"] + 0.1


def test_requests_are_measured(models):
    if not shutil.which("wrk"):
        pytest.skip("no wrk")
    result = bench("serve.py", "--models", models, "--seconds", 1, "--rounds", 1, "--connections", 8,
                   "--routes", "/score,/similar", "--durability", "off,batched")
    assert [(row["server"], row["route"]) for row in result["routes"]] == [
        ("log-off", "/score"), ("log-off", "/similar"), ("log-batched", "/score"), ("log-batched", "/similar")]
    assert all(row["cpu_us"] > 0 and row["requests_s"] > 0 for row in result["routes"])


def test_instructions_are_counted(models):
    if SANITIZED or not shutil.which("valgrind"):
        pytest.skip("no valgrind, or a build that does not run under it")
    result = {row["row"]: row for row in bench("instructions.py", "--models", models, "--requests", 40, "--only", "drift,token")}
    assert list(result) == ["plain", "drift", "token"]
    plain = result["plain"]
    assert plain["beside"] is None and 10_000 < plain["loop"] < 1_000_000 and plain["body_bytes"] < plain["reply_bytes"]
    for row in ("drift", "token"):
        assert result[row]["beside"] == "plain" and plain["loop"] < result[row]["loop"] < 2 * plain["loop"]


def test_features_are_measured(models):
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    result = {row["row"]: row for row in bench("features.py", "--models", models, "--rounds", 2, "--requests", 200,
                                               "--only", "token,tls,closed-tls")}
    assert list(result) == ["plain", "token", "tls", "closed", "closed-tls"]
    assert all(row["least_us"] > 0 for row in result.values()) and result["token"]["beside"] == "plain"
    # A handshake is some tens of requests.
    assert result["closed-tls"]["more_us"] > 3 * abs(result["tls"]["more_us"])


def test_others_are_measured_beside_a_crowd_and_beside_batches():
    if not shutil.which("wrk"):
        pytest.skip("no wrk")
    slow = bench("crowd.py", "slow", "--slow", 100, "--seconds", 1, "--rounds", 1, "--connections", 8)
    assert list(slow) == ["nobody", "again", "slow"] and all(row["requests_s"] > 0 for row in slow.values())
    batches = bench("crowd.py", "batches", "--rows", 2000, "--seconds", 2)
    assert list(batches) == ["nobody", "json", "csv"] and batches["nobody"]["batches"] == 0 < batches["json"]["batches"]
    assert all(of[route]["asked"] > 0 for of in batches.values() for route in ("/score", "/-/healthy"))


def test_refusals_are_counted_by_tests_that_there_are():
    """./dev bench refusals picks tests by words of their names, and lines by how they begin."""
    script = (ROOT / ".dev/bench.sh").read_text()
    files = re.findall(r"tests/e2e/test_\w+\.py", script)
    words = re.search(r"-k '(.*)'", script)[1].split(" or ")
    lines = re.search(r"\^\((.*)\): ", script)[1].split("|")
    code = "".join((ROOT / file).read_text() for file in files)
    names = re.findall(r"^def (test_\w+)", code, re.MULTILINE)
    assert [word for word in words if not any(word in name for name in names)] == []
    assert [line for line in lines if not re.search(rf'print\(f?"{line}: ?', code)] == []


def test_replies_before_a_crash_have_their_rows():
    if SANITIZED:
        pytest.skip("killed, a sanitizer says nothing")
    done = subprocess.run([sys.executable, ROOT / "tests/bench/upheaval.py", "crash", "--build", BUILD, "--times", "2",
                           "--clients", "8"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    replies, lost, _ = done.stdout.splitlines()[-1].strip("| ").split(" | ")
    assert int(replies.replace(",", "")) > 0 and lost == "0"


def test_accuracy_is_measured_beside_the_peer(shared_data):
    result = bench("accuracy.py", "--data", shared_data, "--only", "T1c", "--repeats", 1)
    assert [row["row"] for row in result] == ["T1c"] and result[0]["metric"] == "macro_f1"
    assert result[0]["n"] == 199 or result[0]["n"] == 200
    assert 0.3 < result[0]["ours"] < 0.7 and result[0]["command"].startswith("influence evaluate")


def test_growth_is_measured():
    result = bench("scaling.py", "--rows", "1000,4000", "--only", "import,explore")
    assert [row["command"] for row in result["figures"]] == ["import", "import", "import --pieces", "import --pieces", "explore", "explore"]
    assert set(result["exponents"]) == {"import", "import --pieces", "explore"}


def test_commands_are_measured():
    result = bench("jobs.py", "--rows", 2000, "--train-rows", 0)
    assert [row["command"] for row in result] == ["synth", "import"]
    assert all(row["wall_s"] > 0 and row["peak_mib"] > 1 for row in result)


def test_what_scale_costs_is_measured():
    if not shutil.which("wrk"):
        pytest.skip("no wrk")
    result = bench("scale.py", "--rows", 2000, "--part", "posts,log,proxy" if shutil.which("haproxy", path="/usr/sbin:/usr/bin") else "posts,log",
                   "--seconds", 1, "--connections", 8)
    figures = {row["what"]: row["value"] for row in result}
    assert figures["posts joined, CPU"] > 0 and 300 < figures["log, a row of /score"] < 3000


def need_postgresql():
    if SANITIZED or not programs():
        pytest.skip("no PostgreSQL server: apt-get install postgresql; nor is a sanitizer measured")


def test_rows_and_scores_in_sql_are_measured():
    need_postgresql()
    if not (BUILD / "src/postgresql/influence.so").exists():
        pytest.skip("the extension was not built: apt-get install postgresql-server-dev-15")
    result = bench("sql.py", "--rows", 4000, "--rounds", 1, "--small")
    assert result["out: import of the query"]["rows_s"] > 0 and result["in: import of a file into the table"]["rows_s"] > 0
    assert result["influence_score(row)"]["engine_us"] > 0
    assert result["first: the first call"]["cpu_ms"] > result["first: the third"]["cpu_ms"] > 0
    assert {"one process", "2 workers beside", "two shards"} < set(result)


def test_a_log_is_shipped_exactly_once_whatever_is_killed():
    """The campaign itself, of three rounds: daemon, shipper and database are each killed once."""
    need_postgresql()
    result = bench("ship.py", "--rounds", 3, "--clients", 4)
    assert result["killed"] == {"daemon": 1, "shipper": 1, "database": 1}
    assert result["sent"] >= result["answered"] > 20 and result["in the table"] >= result["answered"]
    assert [result[key] for key in ("answered, missing", "logged, missing", "doubled", "in the table, not in the log")] == [0, 0, 0, 0]


def test_training_is_measured_by_its_workers():
    if SANITIZED:
        pytest.skip("a sanitizer is not measured")
    result = bench("workers.py", "--rows", 2000, "--workers", "1,2", "--rounds", 1, "--only", "linear")
    assert [(row["models"], row["workers"]) for row in result] == [("linear", 1), ("linear", 2)]
    assert all(0 < row["busiest"] <= row["cpu"] and row["k-means cpu"] > 0 for row in result)
