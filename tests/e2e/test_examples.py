# SPDX-License-Identifier: Apache-2.0
"""Every example of docs/postgresql.md, and those of docs/scale.md that its replicas' and workers' tests do not run, as
printed: but for the database's address, the folder of models, and what stands for a name of one's own."""

import csv
import os
import re
import sqlite3
import subprocess
import textwrap
import time

import pytest

from conftest import INFLUENCE, ROOT, SANITIZED

pytest_plugins = ["postgresql"]

# What a training looks for; the examples leave it at the defaults, which take minutes.
QUICK = "--search.repeats=1 --search.folds=2 --search.fits=1 --score.models=ridge --tier.models=softmax --growth.models=ridge"
# By their first words: what runs them elsewhere.
ELSEWHERE = {
    "CREATE EXTENSION influence": "test_extension.py",
    "CREATE VIEW requests_once": "test_log_ship.py",
    "influenced --server.listen": "test_replicas.py",
    "for i in 1 2 3": "test_train_workers.py",
}


def blocks(page):
    """What is indented, each piece between empty lines by itself."""
    found = re.findall(r"(?:^    .*\n)+", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE)
    return [textwrap.dedent(text) for text in found]


def example(page, *begins):
    """The one block that begins so, or those in a row."""
    found = [block for block in blocks(page) if re.sub(" +", " ", block).startswith(begins)]
    assert len(found) == len(begins), (page, begins)
    return found


class Shop:
    """The databases `shop` and `logs` at postgresql://db, and a folder to type commands in."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.here = f"postgresql://tester:unseen@127.0.0.1:{server.port}/"
        bin_dir = folder / "bin"
        bin_dir.mkdir()
        (bin_dir / "influence").write_text(f'#!/bin/sh\n[ "$1" != train ] || set -- "$@" {QUICK}\nexec {INFLUENCE} "$@"\n', encoding="utf-8")
        (bin_dir / "influence").chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"}

    def typed(self, text):
        assert "postgresql://db/" in text or "postgresql://" not in text
        return text.replace("postgresql://db/", self.here)

    def shell(self, text):
        done = subprocess.run(["bash", "-ec", self.typed(text)], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                              timeout=600, check=False)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def sql(self, text, database="shop"):
        return self.server.sql(text, database, timeout=300)


@pytest.fixture(scope="module")
def shop(postgresql, demo, tmp_path_factory):
    """Tables as the examples name them: creators with an id, two months, posts."""
    if SANITIZED:
        pytest.skip("trainings take long, and a server without the sanitizer cannot load a module with it")
    shop = Shop(postgresql, tmp_path_factory.mktemp("shop"))
    for name in "shop", "logs":
        postgresql.sql(f"DROP DATABASE IF EXISTS {name}", "postgres")
        postgresql.sql(f"CREATE DATABASE {name}", "postgres")
    (shop.folder / "creators.csv").write_bytes((demo / "profiles.csv").read_bytes())
    (shop.folder / "accounts.csv").write_bytes((demo / "profiles.csv").read_bytes())
    for file, table in ("profiles", "creators"), ("snapshot-2025-03", "march"), ("snapshot-2025-06", "june"):
        shop.shell(f"influence import {demo / file}.csv --csv postgresql://db/shop --table {table}")
    shop.sql("ALTER TABLE creators ADD COLUMN id serial")
    with open(demo / "posts.csv", encoding="utf-8", newline="") as file:
        posts = list(csv.DictReader(file))
    values = ",".join(f"('{post['username']}', to_timestamp({post['taken_at']}), '{post['type']}', {post['likes']}, {post['comments']})" for post in posts)
    shop.sql(f"CREATE TABLE posts (handle text, time timestamptz, type text, likes int, comments int); INSERT INTO posts VALUES {values}")
    yield shop
    for name in "shop", "logs":
        postgresql.sql(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


def test_every_example_is_run_by_somebody():
    """A new block in one of the two pages needs a place here."""
    here = (ROOT / "tests/e2e/test_examples.py").read_text(encoding="utf-8")
    for page in "postgresql.md", "scale.md":
        for block in blocks(page):
            first = re.sub(" +", " ", block)
            elsewhere = [file for begin, file in ELSEWHERE.items() if first.startswith(begin)]
            run = re.findall(r'example\("([a-z]+\.md)"((?:,\s+"[^"]+")+)\)', here)
            assert elsewhere or any(page == of and first.startswith(begin) for of, words in run for begin in re.findall(r'"([^"]+)"', words)), block


def test_the_first_commands_read_train_score_and_write(shop):
    tables, posts = example("postgresql.md", "influence explore", "influence train postgresql://db/shop --query")
    shop.shell(tables)
    assert shop.sql("SELECT count(*) > 400 AND count(score) = count(*) FROM scores") == "t"
    assert shop.sql("SELECT (SELECT count(*) FROM creators_clean) = (SELECT count(*) FROM creators)") == "t"
    before = os.readlink(shop.folder / "models/current")
    shop.shell(posts)
    manifest = (shop.folder / "models/current/manifest.json").read_text(encoding="utf-8")
    assert os.readlink(shop.folder / "models/current") != before and "post" in manifest


@pytest.fixture(scope="module")
def scoring(shop, hand_models):
    """Where the extension answers, by the hand-made models, from settings made as the page says beside its block."""
    server = shop.server
    if not server.has_extension:
        pytest.skip("the extension was not built: apt-get install postgresql-server-dev-15")
    models = server.folder / "models of examples"
    subprocess.run(["cp", "-a", hand_models, models], check=True)
    subprocess.run(["chmod", "-R", "a+rX", models], check=True)
    alter = "ALTER DATABASE shop SET influence.models = '...'"
    assert f"`{alter}`" in (ROOT / "docs/postgresql.md").read_text(encoding="utf-8")
    shop.sql(f"CREATE EXTENSION influence; {alter.replace('...', str(models))}")
    return shop


def test_questions_in_sql_are_answered(scoring):
    [questions] = example("postgresql.md", "SELECT handle, influence_score(c)")
    assert questions.count("'some_handle'") == 1
    n_rows = []
    for question in questions.replace("some_handle", "demo_0007").replace("Spain", "Norway").strip().split(";\n"):
        n_rows.append(len(scoring.sql(question).splitlines()))
    n_creators = int(scoring.sql("SELECT count(*) FROM creators"))
    assert n_rows[:3] == [n_creators, 1, 20] and 0 < n_rows[3] <= 5 and n_rows[4] > 1
    [own] = example("postgresql.md", "SELECT influence_score(r)")
    assert float(scoring.sql(own)) > 0


def test_a_version_stands_in_an_index_and_a_new_build_takes_the_place(scoring):
    [index] = example("postgresql.md", "CREATE INDEX")
    [version] = re.findall(r"'(\d{8}T\d{6}Z-[0-9a-f]{16})'", index)
    index = index.replace(version, scoring.sql("SELECT influence_model()"))
    scoring.sql(index)
    condition = re.search(r"ON creators \((.*)\);", index)[1]
    plan = scoring.sql(f"SET enable_seqscan = off; EXPLAIN SELECT * FROM creators WHERE {condition} > 50")
    assert "creators_influence_score_at_idx" in plan
    again = "DROP EXTENSION influence CASCADE; CREATE EXTENSION influence;"
    assert f"`{again}`" in (ROOT / "docs/postgresql.md").read_text(encoding="utf-8")
    scoring.sql(again)
    assert scoring.sql("SELECT to_regclass('creators_influence_score_at_idx') IS NULL") == "t"
    scoring.sql(index)


def requests(folder, handle):
    with sqlite3.connect(folder / "run/requests.db") as db:
        return db.execute("SELECT count(*) FROM request WHERE input LIKE ?", [f"%{handle}%"]).fetchone()[0]


def test_the_log_is_shipped_and_erased(shop, hand_models, start_daemon):
    follow, erase, once = *example("postgresql.md", "influence log ship", "influence log erase"), *example("scale.md", "SELECT DISTINCT ON")
    assert follow.count("\n") == 1
    daemon = start_daemon(hand_models, "--log.batch_ms=10")
    (shop.folder / "run").symlink_to(daemon.directory)
    for handle in "some_one", "another":
        assert daemon.post("/score", {"handle": handle, "followers": 52000})[0] == 200
    with subprocess.Popen(["bash", "-c", f"exec {shop.typed(follow).strip()}"], cwd=shop.folder, env=shop.environment) as shipper:
        try:
            end = time.monotonic() + 120
            while shop.sql("SELECT to_regclass('requests')", "logs") != "requests" or len(shop.sql("SELECT id FROM requests WHERE route = '/score'", "logs").split()) < 2:
                assert time.monotonic() < end and shipper.poll() is None
                time.sleep(0.2)
        finally:
            shipper.terminate()
    assert shipper.returncode == 0
    with_handle = "SELECT count(*) FROM requests WHERE input LIKE '%{}%'"
    assert requests(shop.folder, "some_one") == 1 and shop.sql(with_handle.format("some_one"), "logs") == "1"
    shop.shell(erase)
    assert requests(shop.folder, "some_one") == 0 and shop.sql(with_handle.format("some_one"), "logs") == "0"
    assert requests(shop.folder, "another") == 1 and shop.sql(with_handle.format("another"), "logs") == "1"
    assert len(shop.sql(once, "logs").splitlines()) == int(shop.sql("SELECT count(DISTINCT request_id) FROM requests", "logs")) > 0
    forget = "influence log ship --forget"
    assert f"`{forget}`" in (ROOT / "docs/postgresql.md").read_text(encoding="utf-8")
    shop.shell(forget)


def test_trainings_by_workers(shop):
    [trainings] = example("scale.md", "influence train accounts.csv --workers 4")
    header, *rows = (shop.folder / "accounts.csv").read_text(encoding="utf-8").splitlines()
    for i in range(4):
        (shop.folder / f"accounts-{i}.csv").write_text("\n".join([header, *rows[i::4]]) + "\n", encoding="utf-8")
    before = set((shop.folder / "models").glob("2*"))
    shop.shell(trainings)
    assert len(set((shop.folder / "models").glob("2*")) - before) == 3


def test_shards_go_into_one_table(shop, demo):
    """The first one makes the table."""
    [shard] = example("scale.md", "influence import shard-07.csv")
    for number, part in ("06", slice(0, 200)), ("07", slice(200, 400)):
        header, *rows = (demo / "profiles.csv").read_text(encoding="utf-8").splitlines()
        (shop.folder / f"shard-{number}.csv").write_text("\n".join([header, *rows[part]]) + "\n", encoding="utf-8")
        (shop.folder / f"posts-{number}.csv").write_bytes((demo / "posts.csv").read_bytes())
    shop.sql("DROP TABLE creators CASCADE")
    shop.shell(shard.replace("07.csv", "06.csv").replace(" --append", ""))
    shop.shell(shard)
    assert shop.sql("SELECT count(*) FROM creators") == "400"


def options_of(script):
    return set(re.findall(r'add_argument\("(--[a-z-]+)"', (ROOT / "tests/bench" / script).read_text(encoding="utf-8")))


def test_commands_of_tables_are_of_scripts_that_take_them():
    """`./dev bench ...` where a figure says what measured it; test_bench.py runs the scripts."""
    bench = (ROOT / ".dev/bench.sh").read_text(encoding="utf-8")
    script_of = {word: script for words, script in re.findall(r"^    ([a-z |]+)\) .*?tests/bench/(\w+\.py)", bench, re.MULTILINE) for word in words.split(" | ")}
    script_of |= {name: f"{name}.py" for name in ("scale", "ship", "sql", "workers")} | {"accuracy": "accuracy.py"}
    typed = set()
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "tests/bench/README.md"]:
        typed |= set(re.findall(r"`\./dev bench ([^`]*)`", re.sub(r"\n *", " ", page.read_text(encoding="utf-8"))))
    assert len(typed) > 15
    for command in typed:
        name, *words = command.split()
        assert re.search(rf"(^ *|\| ){name}( \||\))", bench, re.MULTILINE) or f"== {name} ]]" in bench, command
        if name in script_of:
            assert {word for word in words if word.startswith("--")} <= options_of(script_of[name]), command
        if "--part" in words:
            parts = re.search(r"^PARTS = \{(.*)\}", (ROOT / "tests/bench" / script_of[name]).read_text(encoding="utf-8"), re.MULTILINE)[1]
            assert set(words[words.index("--part") + 1].split(",")) <= set(re.findall(r'"(\w+)":', parts)), command
