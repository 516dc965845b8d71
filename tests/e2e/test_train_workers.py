# SPDX-License-Identifier: Apache-2.0
"""`influence train --workers`: several processes give what one gives, or an error and no bundle."""

import contextlib
import csv
import hashlib
import json
import os
import re
import shlex
import signal
import socket
import statistics
import subprocess
import textwrap
import time
from pathlib import Path

import pytest
from conftest import INFLUENCE, ROOT

pytest_plugins = ["postgresql"]

QUICK = ["--search.repeats=1", "--search.folds=2", "--tier.models=prior"]
RIDGE = [*QUICK, "--score.models=ridge"]
BOOSTING = [*QUICK, "--score.models=boosting", "--search.fits=1"]


@pytest.fixture(scope="module")
def tables(demo, tmp_path_factory):
    """A table to train on, the same in two parts, and one to score."""
    folder = tmp_path_factory.mktemp("tables")
    header, *rows = (demo / "profiles.csv").read_text(encoding="utf-8").splitlines()
    for name, part in {"all": rows[:450], "part-0": rows[:200], "part-1": rows[200:450], "held": rows[450:]}.items():
        (folder / f"{name}.csv").write_text("\n".join([header, *part]) + "\n", encoding="utf-8")
    return folder


def answers(run, models, table):
    return list(csv.DictReader(run("predict", table, "--bundle", models).stdout.splitlines()))


def manifest(models):
    return json.loads((models / "current/manifest.json").read_text(encoding="utf-8"))


def assert_same(run, table, one, several):
    alone, together = answers(run, one, table), answers(run, several, table)
    assert len(alone) == len(together) > 100
    for a, b in zip(alone, together):
        assert a["handle"] == b["handle"] and a["tier"] == b["tier"] and a["cluster"] == b["cluster"]
        assert abs(float(a["score"]) - float(b["score"])) <= 1e-7  # of weights that agree to 1e-9, times features
    assert manifest(one)["archetypes"] == manifest(several)["archetypes"]


@pytest.fixture(scope="module")
def alone(run, tables, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone")
    run("train", tables / "all.csv", *RIDGE, "--out", out)
    return out


@pytest.mark.parametrize("n", [2, 3])
def test_several_give_what_one_gives(run, tables, alone, tmp_path, n):
    done = run("train", tables / "all.csv", *RIDGE, "--workers", n, "--out", tmp_path)
    assert f"450 accounts of {n} workers, of which the first had 450 to decide by" in done.stdout
    workers = manifest(tmp_path)["workers"]
    assert len(workers["rows"]) == n and sum(workers["rows"]) == 450 and min(workers["rows"]) > 50
    assert_same(run, tables / "held.csv", alone, tmp_path)


def test_each_worker_reads_its_own_file(run, tables, alone, tmp_path):
    run("train", tables / "part-{worker}.csv", *RIDGE, "--workers", 2, "--out", tmp_path)
    assert manifest(tmp_path)["workers"] == {"rows": [200, 250], "rows_of_rank_0": 450}
    sums = {name: hashlib.sha256((tables / name).read_bytes()).hexdigest() for name in ("part-0.csv", "part-1.csv")}
    report = json.loads((tmp_path / "current/report.json").read_text(encoding="utf-8"))
    for data in manifest(tmp_path)["data"], report["bundle"]["data"]:
        assert [(file["name"], file["rows"], file["sha256"]) for file in data] == [
            ("part-0.csv", 200, sums["part-0.csv"]), ("part-1.csv", 250, sums["part-1.csv"])]
    assert "| part-1.csv |" in (tmp_path / "current/card.md").read_text(encoding="utf-8")
    assert_same(run, tables / "held.csv", alone, tmp_path)


def errors_of(run, models, table):
    """Mean absolute error of the score on rows that were not trained on."""
    truth = {row["handle"]: row["influence_score"] for row in csv.DictReader(table.open(encoding="utf-8"))}
    return statistics.fmean(abs(float(row["score"]) - float(truth[row["handle"]]))
                            for row in answers(run, models, table) if truth[row["handle"]])


def test_boosting_is_as_good_as_with_another_seed(run, tables, tmp_path):
    alone = []
    for seed in range(3):
        run("train", tables / "all.csv", *BOOSTING, "--seed", seed, "--out", tmp_path / f"alone-{seed}")
        alone.append(errors_of(run, tmp_path / f"alone-{seed}", tables / "held.csv"))
    run("train", tables / "all.csv", *BOOSTING, "--workers", 2, "--out", tmp_path / "together")
    together = errors_of(run, tmp_path / "together", tables / "held.csv")
    spread = 3 * statistics.stdev(alone) + 0.03 * statistics.fmean(alone)
    assert abs(together - statistics.fmean(alone)) <= spread, (alone, together)


def test_what_is_asked_of_a_model_is_asked_of_all_workers(run, tables, tmp_path):
    """Constraints that only one process knew of would not hold, and would be refused."""
    words = [tables / "all.csv", *BOOSTING, "--target", "influence_score", "--where", "followers>=2000",
             "--monotone", "ln_avg_likes=-1,ln_followers=-1,ln_engagement_rate=-1"]
    run("train", *words, "--out", tmp_path / "alone")
    run("train", *words, "--workers", 2, "--out", tmp_path / "together")
    rows = {models: answers(run, tmp_path / models, tables / "held.csv") for models in ("alone", "together")}
    differences = [abs(float(a["score"]) - float(b["score"])) for a, b in zip(rows["alone"], rows["together"])]
    assert statistics.fmean(differences) < 4, differences  # points of a score


def test_the_first_worker_can_hold_less_than_all(run, demo, tmp_path):
    table = tmp_path / "many.csv"
    run("synth", "--rows", 2500, "--seed", 4, "--out", tmp_path / "many")
    (tmp_path / "many/profiles.csv").rename(table)
    done = run("train", table, *RIDGE, "--workers", 2, "--workers.max_rows=1000", "--out", tmp_path / "models")
    workers = manifest(tmp_path / "models")["workers"]
    assert sum(workers["rows"]) == 2500 and 800 < workers["rows_of_rank_0"] < 1200
    assert f"careful: {workers['rows_of_rank_0']} of 2500 accounts were gathered" in done.stdout
    # Archetypes are counted over all accounts, also those that were not gathered.
    shown = done.stdout.split("archetypes: ")[1].splitlines()[1:]
    assert sum(int(line.split()[0]) for line in shown if line.strip()[:1].isdigit()) >= 2500


def children_of(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            if stat.read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()[1] == str(pid):
                found.append(int(stat.parent.name))
    return found


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("busy", [False, True])
def test_a_lost_worker_ends_it_and_leaves_no_bundle(tables, tmp_path, busy):
    """Killed while they join, or while the first worker searches by itself."""
    process = subprocess.Popen(
        [INFLUENCE, "train", tables / "all.csv", "--search.repeats=20", "--search.budget_rows=100000",
         "--workers", "3", "--out", tmp_path / "models"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        seen = []
        while busy and not any("score models" in line for line in seen):
            seen.append(process.stderr.readline())
            assert seen[-1], seen
        victims = []
        while not victims:
            assert process.poll() is None
            victims = children_of(process.pid)
            time.sleep(0.01)
        os.kill(victims[0], signal.SIGKILL)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "worker 1 was ended by signal 9" in stderr
    assert "another worker has gone" in stderr or "before the training began" in stderr
    assert not (tmp_path / "models").exists() or not list((tmp_path / "models").iterdir())
    deadline = time.monotonic() + 60
    while any(is_running(child) for child in victims):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_lost_leader_ends_its_workers_and_leaves_nothing(tables, tmp_path):
    """Killed in the middle of the training, with the tracker that is in it."""
    spool = tmp_path / "spool"
    spool.mkdir()
    process = subprocess.Popen(
        [INFLUENCE, "train", tables / "all.csv", "--search.repeats=20", "--search.budget_rows=100000",
         "--workers", "3", "--out", tmp_path / "models"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(spool)})
    try:
        while "score models" not in (line := process.stderr.readline()):
            assert line
        children = children_of(process.pid)
        assert len(children) == 2
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while any(is_running(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not list(spool.iterdir())
    assert not (tmp_path / "models").exists() or not list((tmp_path / "models").iterdir())


def test_a_leader_of_another_host_that_is_lost_is_told(tables, tmp_path):
    port = free_port()
    words = [INFLUENCE, "train", tables / "part-{worker}.csv"]
    joining = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env={
        **os.environ, "DMLC_TRACKER_URI": "127.0.0.1", "DMLC_TRACKER_PORT": str(port), "DMLC_TASK_ID": "1"})
    leader = subprocess.Popen([*words, "--search.repeats=20", "--search.budget_rows=100000", "--workers", "2", "--listen", f"127.0.0.1:{port}",
                               "--out", tmp_path / "models"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while "score models" not in (line := leader.stderr.readline()):
            assert line
        leader.kill()
        leader.communicate(timeout=60)
        _, stderr = joining.communicate(timeout=60)
    finally:
        leader.kill()
        joining.kill()
    assert joining.returncode == 1 and "another worker has gone" in stderr
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["models"])
    assert not (tmp_path / "models").exists() or not list((tmp_path / "models").iterdir())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_workers_of_other_hosts_join_by_their_environment(run, tables, alone, tmp_path):
    port = free_port()
    joining = subprocess.Popen(
        [INFLUENCE, "train", tables / "part-{worker}.csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "DMLC_TRACKER_URI": "127.0.0.1", "DMLC_TRACKER_PORT": str(port), "DMLC_TASK_ID": "1"})
    try:
        run("train", tables / "part-{worker}.csv", *RIDGE, "--workers", 2, "--listen", f"127.0.0.1:{port}",
            "--out", tmp_path)
        stdout, stderr = joining.communicate(timeout=60)
    finally:
        joining.kill()
    assert (joining.returncode, stdout) == (0, ""), stderr
    assert_same(run, tables / "held.csv", alone, tmp_path)


def test_each_worker_asks_a_database_for_its_part(run, tables, postgresql, tmp_path):
    run("import", tables / "all.csv", "--csv", postgresql.uri, "--table", "workers")
    query = "SELECT * FROM workers WHERE mod(ascii(right(handle, 1)), {workers}) = {worker}"
    parts = [int(postgresql.sql("SELECT count(*) FROM (%s) q" % query.format(workers=2, worker=rank))) for rank in (0, 1)]
    run("train", postgresql.uri, "--query", query, *RIDGE, "--workers", 2, "--out", tmp_path)
    assert sum(parts) == 450 and manifest(tmp_path)["workers"] == {"rows": parts, "rows_of_rank_0": 450}


def test_the_ssh_example_runs_as_written(run, tables, alone, tmp_path):
    """Each host is a directory of its own, with its own file under the same name."""
    text = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    script = textwrap.dedent(re.search(r"By ssh:\n\n((?:    .*\n)+)", text)[1])
    assert script.count("ssh node$i ") == 1 and script.count("influence train /data/accounts.csv --own-files") == 2
    header, *rows = (tables / "all.csv").read_text(encoding="utf-8").splitlines()
    for host in range(4):
        (tmp_path / f"node{host}").mkdir()
        (tmp_path / f"node{host}/accounts.csv").write_text("\n".join([header, *rows[host * 110:(host + 1) * 110 if host < 3 else None]]) + "\n", encoding="utf-8")
    for written, here in (("ssh node$i ", f"env -C {tmp_path}/node$i "), ("/data/accounts.csv", "accounts.csv"), ("10.0.0.1", "127.0.0.1"),
                          ("9091", str(free_port())), ("influence train", f"{INFLUENCE} train"), ("--out models", f"--out models {shlex.join(RIDGE)}")):
        assert written in script
        script = script.replace(written, here)
    done = subprocess.run(["sh", "-c", f"cd {tmp_path}/node0\n{script}\nleader=$?; wait; exit $leader"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert manifest(tmp_path / "node0/models")["workers"] == {"rows": [110, 110, 110, 120], "rows_of_rank_0": 450}
    assert_same(run, tables / "held.csv", alone, tmp_path / "node0/models")


NAMELESS = "SELECT followers, posts, avg_likes, avg_comments, following, influence_score FROM workers ORDER BY "


def followers_of(models):
    """What is said of the followers of the rows that the first worker decided by; drawn with gaps and doubles they are others."""
    report = json.loads((models / "current/report.json").read_text(encoding="utf-8"))
    return next(column for column in report["data"]["columns"] if column["name"] == "followers")


def test_rows_without_handles_are_each_in_one_part_in_whatever_order_they_come(run, tables, postgresql, tmp_path):
    """Each worker asks for itself, and gets another order."""
    postgresql.sql("DROP TABLE IF EXISTS workers")
    run("import", tables / "all.csv", "--csv", postgresql.uri, "--table", "workers")
    for name, order, n in ("alone", "handle", 1), ("together", "random()", 2):
        run("train", postgresql.uri, "--query", NAMELESS + order, *RIDGE, "--workers", n, "--out", tmp_path / name)
    assert followers_of(tmp_path / "together") == followers_of(tmp_path / "alone")
    rows = manifest(tmp_path / "together")["workers"]["rows"]
    assert sum(rows) == 450 and min(rows) > 150
    assert [file["rows"] for file in manifest(tmp_path / "together")["data"]] == [450]


def test_rows_that_each_worker_draws_anew_are_refused(run, tables, postgresql, tmp_path):
    postgresql.sql("DROP TABLE IF EXISTS workers")
    run("import", tables / "all.csv", "--csv", postgresql.uri, "--table", "workers")
    for query in NAMELESS + "random() LIMIT 300", "SELECT * FROM workers ORDER BY random() LIMIT 300":
        done = run("train", postgresql.uri, "--query", query, *RIDGE, "--workers", 2, "--out", tmp_path / "models", check=False)
        assert done.returncode == 1 and "worker 1 has read other rows than worker 0" in done.stderr, done.stderr
        assert not (tmp_path / "models").exists()


def test_the_kubernetes_sample_runs(run, tables, alone, tmp_path):
    """What its pods run, as processes: four parts, one tracker, one bundle."""
    sample = (ROOT / "config/kubernetes/train.yaml").read_text(encoding="utf-8")
    script = textwrap.dedent(re.search(r"args:\n +- \|\n(.*?)\n +resources:", sample, re.DOTALL)[1])
    header, *rows = (tables / "all.csv").read_text(encoding="utf-8").splitlines()
    for worker in range(4):
        part = "\n".join([header, *rows[worker * 110:(worker + 1) * 110 if worker < 3 else None]])
        (tmp_path / f"creators-{worker}.csv").write_text(part + "\n", encoding="utf-8")
    assert script.count("/data/") == script.count("/models") == script.count("influence train") == 1
    script = script.replace("/data/", f"{tmp_path}/").replace("influence train", f"{INFLUENCE} train")
    script = script.replace("/models", f"{tmp_path}/models {' '.join(map(shlex.quote, RIDGE))}")
    shared = {"DMLC_TRACKER_URI": "127.0.0.1", "DMLC_TRACKER_PORT": str(free_port()), "POD_IP": "127.0.0.1"}
    pods = [
        subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                         env={**os.environ, **shared, "JOB_COMPLETION_INDEX": str(index)})
        for index in (3, 1, 0, 2)
    ]
    for pod in pods:
        _, stderr = pod.communicate(timeout=120)
        assert pod.returncode == 0, stderr
    assert manifest(tmp_path / "models")["workers"] == {"rows": [110, 110, 110, 120], "rows_of_rank_0": 450}
    assert_same(run, tables / "held.csv", alone, tmp_path / "models")


def test_what_cannot_be_is_said(run, tables, demo, tmp_path):
    def fails(code, *words):
        done = run("train", *words, "--out", tmp_path / "models", check=False)
        assert done.returncode == code and not (tmp_path / "models").exists()
        return done.stderr

    assert "two workers have the account 'synthetic_" in fails(
        1, tables / "all.csv", *RIDGE, "--workers", 2, "--own-files")
    assert "part-2.csv: No such file" in fails(1, tables / "part-{worker}.csv", *RIDGE, "--workers", 3)
    assert "--edges is for one process" in fails(
        2, tables / "all.csv", "--edges", demo / "edges.csv", "--workers", 2)
    for everywhere in ("0.0.0.0:9091", "[::]:9091"):
        assert "--listen: give the address at which" in fails(2, tables / "all.csv", "--workers", 2, "--listen", everywhere)
    assert "--listen needs --workers" in fails(2, tables / "all.csv", "--listen", "127.0.0.1:1")
    assert "--workers: must be between 1 and" in fails(2, tables / "all.csv", "--workers", "0")
    assert "not all workers have come to 127.0.0.1" in fails(
        1, tables / "all.csv", "--workers", 2, "--listen", f"127.0.0.1:{free_port()}", "--join-timeout", 1)
    # 20 rows a worker are needed.
    few = tmp_path / "few.csv"
    few.write_text("".join((tables / "all.csv").open(encoding="utf-8").readlines()[:40]), encoding="utf-8")
    assert "a worker has only" in fails(1, few, *RIDGE, "--workers", 3)
