# SPDX-License-Identifier: Apache-2.0
"""The extension "influence" in a real PostgreSQL: its scripts against what they should print, many rows, parallel
workers, two shards, and a model that is swapped under it."""

import difflib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from conftest import BUILD, ROOT, SANITIZED, run_command, write_table

pytest_plugins = ["postgresql"]
SCRIPTS = ROOT / "tests/postgresql"


@pytest.fixture(scope="module")
def server(postgresql, hand_models):
    """The database server with the extension, and the hand-made models where its user can read them."""
    if SANITIZED:
        pytest.skip("a server without the sanitizer cannot load a module with it")
    if not postgresql.has_extension:
        pytest.skip("the extension was not built: apt-get install postgresql-server-dev-15")
    models = postgresql.folder / "models"
    shutil.copytree(hand_models, models, symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", models], check=True)
    postgresql.models = models
    postgresql.sql(f"ALTER DATABASE creators SET influence.models = '{models}'", "postgres")
    postgresql.sql("DROP EXTENSION IF EXISTS influence CASCADE; CREATE EXTENSION influence")
    return postgresql


def test_the_script_is_made_anew_with_the_library():
    """Its arguments are the library's fields, by their places: an old script beside a new module refuses every call."""
    script = next((BUILD / "src/postgresql").glob("influence--*.sql"), None)
    if not script:
        pytest.skip("the extension was not built: apt-get install postgresql-server-dev-15")
    asked = subprocess.run(["ninja", "-C", BUILD, "-t", "query", script.relative_to(BUILD)],
                           capture_output=True, text=True, timeout=60, check=True).stdout
    assert re.search(r"libinfluence\.so", asked), asked
    made = subprocess.run([BUILD / "src/postgresql/make-extension-script"], capture_output=True, text=True, timeout=60, check=True)
    assert script.read_text(encoding="utf-8") == made.stdout


@pytest.mark.parametrize("script", sorted(path.stem for path in (SCRIPTS / "sql").glob("*.sql")))
def test_script(server, script):
    """As pg_regress does: what psql prints is what is expected."""
    if script.startswith("01"):
        server.sql("DROP TABLE IF EXISTS creators CASCADE")
    done = subprocess.run(
        [server.psql, "-Xaq", "-h", "127.0.0.1", "-p", str(server.port), "-U", "tester", "creators", "-f", SCRIPTS / "sql" / f"{script}.sql"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
    )
    printed = re.sub(r"psql:.*?: ((?:ERROR|NOTICE|WARNING))", r"\1", done.stdout)
    printed = re.sub(r"^LOCATION:.*\n", "", printed, flags=re.MULTILINE).replace(str(server.models), "MODELS")
    expected = SCRIPTS / "expected" / f"{script}.out"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(printed, encoding="utf-8")
    difference = difflib.unified_diff(expected.read_text(encoding="utf-8").splitlines(), printed.splitlines(), lineterm="")
    assert not (text := "\n".join(difference)), text


ROWS = """
DROP TABLE IF EXISTS many CASCADE;
CREATE TABLE many AS SELECT 'acct_' || i AS handle, exp(6 + random() * 8)::bigint AS followers, exp(3 + random() * 5)::int AS posts,
  exp(2 + random() * 6)::int AS avg_likes, (array['fashion', 'food', 'travel'])[1 + i % 3] AS category
  FROM generate_series(1, 20000) i;
ANALYZE many;
"""


def test_rows_score_as_influence_predict_does(server):
    server.sql(ROWS)
    there = dict(line.split("|") for line in server.sql("SELECT handle, influence_score(m) FROM many m LIMIT 500").splitlines())
    local = run_command("predict", server.uri, "--query", "SELECT * FROM many LIMIT 500", "--bundle", server.models).stdout
    scores = {line.split(",")[0]: line.split(",")[1] for line in local.splitlines()[1:]}
    assert there.keys() == scores.keys()
    for handle, score in there.items():
        assert float(score) == pytest.approx(float(scores[handle]), abs=1e-6)


@pytest.fixture(scope="module")
def by_mood(server, tmp_path_factory):
    """(models directory, its table in the database, expected scores) of a bundle that reads two columns of its table's own."""
    folder = tmp_path_factory.mktemp("mood")
    rows = [{"handle": f"account_{i}", "followers": 1000 + 7919 * i % 9973, "posts": 10 + 31 * i % 97,
             "reel_views": 100 + 541 * i % 9001, "mood": ["glad", "calm", "cross"][i * 7 % 3]} for i in range(240)]
    for row in rows:
        row["worth"] = row["reel_views"] / 100 + {"glad": 30, "calm": 0, "cross": -30}[row["mood"]]
    table = write_table(folder / "mood.csv", rows)
    run_command("train", table, "--target", "worth", "--extras", "--folds", 2, "--repeats", 1, "--score.models=constant ridge",
                "--tier.models=prior softmax", "--out", server.folder / "mood")
    subprocess.run(["chmod", "-R", "a+rX", server.folder / "mood"], check=True)
    run_command("import", table, "--csv", server.uri, "--table", "moods", "--replace")
    scores = run_command("predict", table, "--bundle", server.folder / "mood").stdout.splitlines()[1:]
    return server.folder / "mood", {line.split(",")[0]: float(line.split(",")[1]) for line in scores}


def test_rows_bring_columns_of_the_tables_own(server, by_mood):
    models, scores = by_mood
    ask = f"SET client_min_messages = warning; SET influence.models = '{models}'; SELECT "
    there = dict(line.split("|") for line in server.sql(ask + "handle, influence_score(m) FROM moods m").splitlines())
    assert len(there) == 240 and all(float(score) == pytest.approx(scores[handle], abs=1e-6) for handle, score in there.items())
    # As texts, as numbers of any type, as named; what is NULL counts as missing.
    row = "SELECT followers, posts, {} FROM moods WHERE handle = 'account_17'"
    for columns, same in (("reel_views::int, mood::varchar", "t"), ("(reel_views::numeric / 1000)::text || 'k' AS reel_views, mood", "t"),
                          ("reel_views::numeric, NULL::text AS mood", "f"), ("reel_views, 'calm' AS mood", "f")):
        assert server.sql(ask + f"abs(influence_score(r) - {scores['account_17']}) < 1e-6 FROM ({row.format(columns)}) r") == same, columns
    # A row of nothing else is a row of the bundle's; of another bundle it is none.
    assert float(server.sql(ask + "influence_score(r) FROM (SELECT 'glad' AS mood) r")) > 30
    with pytest.raises(AssertionError, match="no column of the row is a field"):
        server.sql("SELECT influence_score(r) FROM (SELECT 'glad' AS mood) r")
    # By version each row is read by what its own bundle asks for.
    version = server.sql(ask + "influence_model()")
    assert server.sql(ask + f"influence_score_at('{version}', m) = influence_score(m) FROM moods m LIMIT 1") == "t"


def told_by(server, text):
    """The notices of a script."""
    done = subprocess.run([server.psql, "-XqAt", "-h", "127.0.0.1", "-p", str(server.port), "-U", "tester", "creators"],
                          input=text, capture_output=True, text=True, timeout=60, check=False)
    return done.stderr


@pytest.mark.parametrize("call, lacking", [
    ("influence_score(r) FROM (SELECT 5000 AS followers, 'glad' AS mood, 3 AS likes_avg) r", '"reel_views"'),
    ("influence_score(followers => 5000)", '"reel_views", "mood"'),
    ("influence_score(m) FROM moods m", None),
])
def test_columns_that_are_not_brought_are_told(server, by_mood, call, lacking):
    told = told_by(server, f"SET influence.models = '{by_mood[0]}'; SELECT {call}")
    assert re.findall(r"NOTICE:  influence: counted as missing: (.*)", told) == ([lacking] if lacking else [])
    assert re.findall(r"NOTICE:  influence: not looked at: (.*)", told) == (['"likes_avg"'] if "likes_avg" in call else [])


@pytest.mark.parametrize("call, is_told", [
    ("influence_score('demo_0001')", True),
    ("influence_tier(r) FROM (SELECT 'demo_0001' AS handle, 'x' AS name) r", True),
    ("influence_score(handle => 'demo_0001', followers => 5000)", False),
    ("influence_score(r) FROM (SELECT 'demo_0001' AS handle, NULL::bigint AS followers) r", False),
    ("count(*) FROM influence_similar('demo_0001', 2)", False),
])
def test_a_handle_alone_is_told_to_be_not_looked_up(server, call, is_told):
    told = told_by(server, f"SELECT {call}")
    assert "ERROR" not in told
    assert ("nothing but a name is given: all figures count as missing" in told) == is_told


def mappings(pid, name):
    """What the kernel says of each mapping of a file of that name: {"Rss": kB, ...}."""
    text = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8")
    pieces = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.MULTILINE)
    return [{key: int(kb) for key, kb in re.findall(r"^(\w+): +(\d+) kB", piece, re.MULTILINE)} for piece in pieces
            if piece.partition("\n")[0].endswith(f"/{name}")]


@pytest.mark.skipif(os.geteuid() != 0, reason="the memory of another user's processes is root's to look at")
def test_backends_share_one_copy_of_a_bundle(server):
    sessions = []
    try:
        for _ in range(2):
            sessions.append(subprocess.Popen([server.psql, "-XqAt", server.uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            sessions[-1].stdin.write("SELECT count(*) FROM influence_similar('demo_0007');\nSELECT pg_backend_pid();\n")
            sessions[-1].stdin.flush()
            sessions[-1].stdout.readline()
        for pid in [int(session.stdout.readline()) for session in sessions]:
            [blob] = mappings(pid, "similar.blob")
            assert blob["Rss"] > 0 == blob["Private_Clean"] + blob["Private_Dirty"], blob
    finally:
        for session in sessions:
            session.communicate(timeout=60)


@pytest.mark.parametrize("answers", ["influence_explain(m)", "influence_similar(m, 3)"])
def test_sets_of_many_rows_leave_nothing_in_the_memory_of_the_query(server, answers):
    """Which is given back when the query ends, however many rows it has."""
    server.sql(ROWS)

    def kept(n_rows):
        return int(server.sql(f"""
            WITH asked AS MATERIALIZED (SELECT count(a) AS n FROM (SELECT * FROM many LIMIT {n_rows}) m, {answers} a)
            SELECT sum(total_bytes) FROM asked, pg_backend_memory_contexts WHERE n > {n_rows}"""))

    assert kept(20000) < kept(100) + 1000000


def test_parallel_workers_give_the_same_sum(server):
    server.sql(ROWS)
    query = "SELECT count(*), sum(influence_score(m))::numeric(20, 4) FROM many m"
    settings = ("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; "
                "SET max_parallel_workers_per_gather = {}; ")
    plan = server.sql(settings.format(2) + f"EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) {query}")
    assert re.search(r"Workers Launched: [12]", plan), plan
    assert server.sql(settings.format(2) + query) == server.sql(settings.format(0) + query)


def test_parallel_workers_make_an_index_in_a_session_that_asked_nothing_before(server):
    """As pg_restore does it: the module is loaded by CREATE INDEX, which has workers."""
    version = os.readlink(server.models / "current")
    score = f"influence_score_at('{version}', followers => followers)"
    server.sql("DROP TABLE IF EXISTS indexed; CREATE TABLE indexed AS SELECT g AS followers FROM generate_series(1, 2000) g;"
               "ALTER TABLE indexed SET (parallel_workers = 2)")
    assert server.sql("SHOW max_parallel_maintenance_workers") != "0"
    server.sql(f"CREATE INDEX indexed_by_score ON indexed (({score}))")
    server.sql("REINDEX INDEX indexed_by_score; ANALYZE indexed")
    count = f"SELECT count(*) FROM indexed WHERE {score} > 40"
    assert "indexed_by_score" in server.sql(f"SET enable_seqscan = off; EXPLAIN {count}")
    assert server.sql(f"SET enable_seqscan = off; {count}") == server.sql(f"SET enable_indexscan = off; SET enable_bitmapscan = off; {count}")


def test_two_shards_filter_where_the_rows_are(server):
    """A partitioned table over two foreign servers: the condition is sent to both, which run it side by side.

    postgres_fdw sends a function of texts only when one of them is a column of the table: the handle.
    """
    version = server.sql("SELECT influence_model()")
    server.sql("CREATE EXTENSION IF NOT EXISTS postgres_fdw; DROP TABLE IF EXISTS sharded CASCADE;")
    for shard in (1, 2):
        server.sql(f"DROP DATABASE IF EXISTS shard{shard}", "postgres")
        server.sql(f"CREATE DATABASE shard{shard}", "postgres")
        server.sql(f"ALTER DATABASE shard{shard} SET influence.models = '{server.models}'", "postgres")
        server.sql(
            "CREATE EXTENSION influence; CREATE TABLE creators AS SELECT i AS id, 'acct_' || i AS handle, 500.0 * i::float8 AS followers, 100.0::float8 AS posts,"
            f" 30.0 * i::float8 AS avg_likes FROM generate_series({shard}, 4000, 2) i", f"shard{shard}",
        )
        server.sql(
            f"DROP SERVER IF EXISTS shard{shard} CASCADE; CREATE SERVER shard{shard} FOREIGN DATA WRAPPER postgres_fdw"
            f" OPTIONS (host '127.0.0.1', port '{server.port}', dbname 'shard{shard}', extensions 'influence', async_capable 'true');"
            f" CREATE USER MAPPING FOR tester SERVER shard{shard} OPTIONS (user 'tester', password_required 'false');"
        )
    server.sql("CREATE TABLE sharded (id int, handle text, followers float8, posts float8, avg_likes float8) PARTITION BY HASH (id)")
    for shard in (1, 2):
        server.sql(
            f"CREATE FOREIGN TABLE sharded{shard} PARTITION OF sharded FOR VALUES WITH (MODULUS 2, REMAINDER {shard - 1})"
            f" SERVER shard{shard} OPTIONS (table_name 'creators')"
        )
    score = f"influence_score_at('{version}', handle => handle, followers => followers, posts => posts, avg_likes => avg_likes)"
    middle = server.sql(f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY {score}) FROM sharded")
    query = f"SELECT count(*) FROM sharded WHERE {score} > {middle}"
    plan = server.sql(f"EXPLAIN (VERBOSE, COSTS off) {query}")
    assert plan.count("Async Foreign Scan") == 2, plan
    assert plan.count("Remote SQL") == 2 and all("influence_score_at" in line for line in plan.splitlines() if "Remote SQL" in line), plan
    local = sum(int(server.sql(query.replace("sharded", "creators"), f"shard{shard}")) for shard in (1, 2))
    assert int(server.sql(query)) == local and 0 < local < 4000


@pytest.fixture(name="two_models")
def fixture_two_models(server, models):
    """(the version that is current, another one); in the end the first is current again."""
    before, other = server.sql("SELECT influence_model()"), Path(models / "current").resolve()
    if not (server.models / other.name).exists():
        shutil.copytree(other, server.models / other.name)
        subprocess.run(["chmod", "-R", "a+rX", server.models], check=True)
    yield before, other.name
    link = server.models / "current"
    link.unlink()
    link.symlink_to(before)


def test_a_new_model_takes_over_between_statements(server, two_models):
    """`current` is looked at once a statement; a version that is named stays."""
    before, other = two_models
    run_command("models", "promote", other, "--models", server.models)
    assert server.sql("SELECT influence_model()") == other
    assert server.sql(f"SET influence.version = '{before}'; SELECT influence_model()") == before


def test_a_database_of_another_encoding_has_the_same_answers(server):
    """Letters that are two bytes for the library are one byte there."""
    server.sql("DROP DATABASE IF EXISTS latin", "postgres")
    server.sql("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", "postgres")
    server.sql(f"ALTER DATABASE latin SET influence.models = '{server.models}'", "postgres")
    ask = """SET client_encoding = 'UTF8'; CREATE EXTENSION IF NOT EXISTS influence;
      SELECT influence_score(followers => 1000, country => 'Côte d''Ivoire', category => 'Décoration'),
        influence_tier(r), (influence_predict(r)).cluster_name, (SELECT count(*) FROM influence_explain(r)),
        (SELECT count(*) FROM influence_similar('demo_0007', 3, country => 'Côte'))
      FROM (SELECT 1000 AS followers, 'Côte d''Ivoire'::varchar AS country, 'été' AS handle) r;"""
    assert server.sql(ask, "latin") == server.sql(ask).splitlines()[-1]
    for wrong, said in (("influence_score(r) FROM (SELECT 'très'::text AS followers) r", "got 'tr??s'"),
                        ("influence_similar('été')", "handle: '??t??'")):
        with pytest.raises(AssertionError, match=re.escape(said)):
            server.sql(f"SET client_encoding = 'UTF8'; SELECT {wrong}", "latin")
    server.sql("DROP DATABASE latin", "postgres")


def in_psql(server, *lines):
    """A psql that has been given these lines, and can be given more."""
    process = subprocess.Popen([server.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", server.uri], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    process.stdin.write("\n".join(lines) + "\n")
    process.stdin.flush()
    return process


def test_a_cursor_keeps_its_model(server, two_models):
    before, other = two_models
    server.sql(ROWS)
    process = in_psql(server, "BEGIN; DECLARE c CURSOR FOR SELECT influence_model(), influence_score(m) IS NOT NULL FROM many m;",
                      "FETCH 2 FROM c;")
    assert [process.stdout.readline() for _ in range(2)] == 2 * [f"{before}|t\n"]
    run_command("models", "promote", other, "--models", server.models)
    printed, _ = process.communicate("FETCH 2 FROM c;\nSELECT influence_model();\nCOMMIT;\n", timeout=60)
    assert printed.splitlines() == 2 * [f"{before}|t"] + [other]


def test_parallel_workers_have_the_model_of_their_leader(server, two_models):
    """The model changes between the leader's look and the workers' start."""
    before, other = two_models
    server.sql(ROWS)
    process = in_psql(
        server, "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;",
        "SET parallel_leader_participation = off; SELECT influence_model();",
        "SELECT influence_model(), count(*) FROM many m WHERE (SELECT length(influence_model() || pg_sleep(3)::text)) > 0 GROUP BY 1;")
    assert process.stdout.readline() == before + "\n"
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    deadline = time.monotonic() + 30
    while server.sql(sleeping) == "0":
        assert time.monotonic() < deadline
    run_command("models", "promote", other, "--models", server.models)
    assert server.sql("SELECT influence_model()") == other
    printed, _ = process.communicate(timeout=60)
    assert printed == f"{before}|20000\n"


def test_the_documents_first_commands_run_as_written(server):
    """In a session that has not heard of the extension, and in the next one."""
    text = (ROOT / "docs/postgresql.md").read_text(encoding="utf-8")
    block = re.search(r"((?:    .*\n)*    CREATE EXTENSION influence;.*\n(?:    .*\n)*)", text)[1]
    server.sql("DROP DATABASE IF EXISTS fresh", "postgres")
    server.sql("CREATE DATABASE fresh", "postgres")
    try:
        server.sql(block.replace("/var/lib/influence/models", str(server.models)), "fresh")
        deadline = time.monotonic() + 30
        while server.sql("SELECT current_setting('influence.models', true)", "fresh") != str(server.models):
            assert time.monotonic() < deadline
        assert server.sql("SELECT influence_score(followers => 1200000, posts => 850, avg_likes => 41000) > 0", "fresh") == "t"
    finally:
        server.sql("LOAD 'influence'; ALTER SYSTEM RESET influence.models", "fresh")
        server.sql("SELECT pg_reload_conf()", "postgres")
