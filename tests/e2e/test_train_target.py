# SPDX-License-Identifier: Apache-2.0
"""`influence train` with a target of one's own: what evaluate takes, learnt, told of and served."""

import csv
import ctypes
import json
import math

import pytest
from conftest import BUILD, write_table
from report_schema import check_report

QUICK = ("--folds", 2, "--repeats", 1, "--score.models=constant ridge", "--tier.models=prior softmax")


@pytest.fixture(scope="module")
def train(run, tmp_path_factory):
    """train(FILE, OPTION...) gives a models directory with one bundle."""

    def go(*arguments):
        out = tmp_path_factory.mktemp("models")
        run("train", *arguments, *QUICK, "--out", out)
        return out

    return go


def read(models, name="manifest.json"):
    return json.loads((models / "current" / name).read_text(encoding="utf-8"))


def columns_of(leakage):
    return {leak["column"] for leak in leakage}


def test_a_number_of_the_tables_own_is_scored_by_its_name(train, tmp_path, start_daemon):
    rows = [{"handle": f"account_{i}", "followers": 1000 + 977 * i, "posts": 10 + 7919 * i % 311,
             "fee": 50 + (1000 + 977 * i) // 20} for i in range(120)]
    models = train(write_table(tmp_path / "fees.csv", rows), "--target", "fee")
    manifest, report = read(models), read(models, "report.json")
    assert manifest["target"] == report["models"]["score"]["target"] == "fee"
    # It was computed from followers.
    assert columns_of(manifest["score"]["leakage"]) == {"followers"}
    assert report["models"]["score"]["leakage"] == manifest["score"]["leakage"]
    assert manifest["features"]["score"] == ["ln_posts"]
    assert any("followers gives fee away" in warning for warning in manifest["warnings"])
    card = (models / "current/card.md").read_text(encoding="utf-8")
    assert "## Score: fee" in card and "--target 'fee'" in card and "- followers: ranks" in card
    answer = start_daemon(models).post("/score", {"posts": 100})[1]
    assert answer["target"] == "fee" and 0 < answer["score"] < 7000
    assert answer["interval"]["low"] < answer["score"] < answer["interval"]["high"]


def test_classes_of_the_tables_own_are_tiers_by_its_name(train, own_table, start_daemon):
    models = train(own_table, "--target", "mood")
    manifest = read(models)
    assert manifest["tiers"] == read(models, "report.json")["models"]["tier"]["target"] == "mood"
    assert manifest["target"] == "composite" and manifest["tier"]["classes"] == ["calm", "cross", "glad"]
    assert "## Tier: mood" in (models / "current/card.md").read_text(encoding="utf-8")
    answer = start_daemon(models).post("/tier", {"followers": 20000})[1]
    assert answer["target"] == "mood" and set(answer["probabilities"]) == {"calm", "cross", "glad"}
    assert answer["size"]["claimed"] == "micro"


def test_columns_of_the_tables_own_are_seen_when_asked_for(train, own_table):
    manifest = read(train(own_table, "--target", "worth"))
    assert not [name for name in manifest["features"]["score"] if "extra" in name]
    warning = next(w for w in manifest["warnings"] if "table's own" in w)
    assert "mood" in warning and "worth" not in warning and "--extras" in warning
    manifest = read(train(own_table, "--target", "worth", "--features", "followers,mood"))
    assert {name.split("=")[0] for name in manifest["features"]["score"]} == {"ln_followers", "extra_text:mood"}


@pytest.fixture(scope="module")
def by_reels(train, tmp_path_factory):
    """A table whose worth two columns of its own make, with a bundle that reads them."""
    rows = [{"handle": f"account_{i}", "followers": 1000 + 7919 * i % 9973, "posts": 10 + 31 * i % 97,
             "Reel Views": 100 + 541 * i % 9001, "Mood": ["glad", "calm", "cross"][i * 7 % 3], "k": i % 5}
            for i in range(240)]
    for row in rows:
        row["worth"] = row["Reel Views"] / 100 + {"glad": 30, "calm": 0, "cross": -30}[row["Mood"]]
    table = write_table(tmp_path_factory.mktemp("reels") / "reels.csv", rows)
    return rows, table, train(table, "--target", "worth", "--extras")


def test_predict_takes_columns_of_the_tables_own(by_reels, run, tmp_path):
    rows, table, models = by_reels
    scores = list(csv.DictReader(run("predict", table, "--bundle", models).stdout.splitlines()))
    errors = [abs(float(score["score"]) - row["worth"]) for score, row in zip(scores, rows)]
    assert max(errors) < 3 and all("mood" not in score["imputed"] for score in scores)
    bare = write_table(tmp_path / "bare.csv", [{"handle": "someone", "followers": 5000, "Mood": "glad"}])
    score = next(csv.DictReader(run("predict", bare, "--bundle", models).stdout.splitlines()))
    assert "reel_views" in score["imputed"].split() and "mood" not in score["imputed"].split()


def test_a_request_brings_columns_of_the_tables_own_by_name(by_reels, start_daemon):
    rows, _, models = by_reels
    daemon = start_daemon(models)
    row = rows[17]
    profile = {"followers": row["followers"], "posts": row["posts"], "reel_views": row["Reel Views"], "mood": row["Mood"]}
    want = row["worth"]
    answer = daemon.post("/score", profile)[1]
    assert abs(answer["score"] - want) < 3
    assert "imputed_columns" not in answer and "unknown_fields" not in answer
    # However it is asked: as people write numbers, in a batch, by handle, as a table, by the protocols.
    spelt = dict(profile, reel_views=f"{row['Reel Views'] / 1000}k")
    batch = daemon.post("/score", {"instances": [spelt, {"followers": 5000, "mood": None}]})[1]["predictions"]
    assert batch[0]["score"] == answer["score"]
    assert batch[1]["imputed_columns"] == ["reel_views", "mood"]
    assert abs(daemon.get(f"/score?handle={row['handle']}")[1]["score"] - answer["score"]) < 1e-6
    text = ",".join(profile) + "\n" + ",".join(map(str, profile.values())) + "\n5000,1,,\n"
    sheet = daemon.request("POST", "/score", text.encode(), {"Content-Type": "text/csv"})[2]
    table = list(csv.DictReader(sheet.decode().splitlines()))
    assert float(table[0]["score"]) == answer["score"] and "mood" in table[1]["imputed"].split()
    inputs = [{"name": name, "datatype": "BYTES" if isinstance(value, str) else "FP64", "shape": [1], "data": [value]}
              for name, value in profile.items()]
    outputs = daemon.post("/v2/models/score/infer", {"inputs": inputs})[1]["outputs"]
    assert outputs[0]["data"] == [answer["score"]]
    for body in ({"dataframe_records": [profile]}, {"inputs": {name: [value] for name, value in profile.items()}},
                 {"dataframe_split": {"columns": list(profile), "data": [list(profile.values())]}}):
        assert daemon.post("/invocations", body)[1]["predictions"] == [answer["score"]]
    # The others are as unknown as ever.
    assert daemon.post("/score", dict(profile, worth=3))[1]["unknown_fields"] == ["worth"]
    status, refused = daemon.post("/score", dict(profile, reel_views=[1]))[:2]
    assert status == 422 and refused["error"]["field"] == "reel_views"
    # Described where a client looks; an option's name cannot be a column's.
    schemas = daemon.get("/openapi.json")[1]["components"]["schemas"]
    assert {"reel_views", "mood"} <= set(schemas["Profile"]["properties"])
    named = {i["name"]: i["datatype"] for i in daemon.get("/v2/models/score")[1]["inputs"]}
    assert named["reel_views"] == "FP64" and named["mood"] == "BYTES" and "k" not in named


def test_the_log_is_asked_again_with_columns_of_the_tables_own(by_reels, train, start_daemon, run):
    rows, table, models = by_reels
    daemon = start_daemon(models, "--log.max_body_bytes=1000000")
    profiles = [{"followers": row["followers"], "posts": row["posts"], "reel_views": row["Reel Views"], "mood": row["Mood"]}
                for row in rows[:60]]
    daemon.post("/score", {"instances": profiles})
    daemon.post("/score", dict(profiles[0], reel_views="2.5k"))
    daemon.get(f"/score?handle={rows[3]['handle']}")
    sheet = "\n".join(",".join(map(str, line)) for line in [profiles[0], *(profile.values() for profile in profiles)]) + "\n"
    daemon.request("POST", "/score", sheet.encode(), {"Content-Type": "text/csv"})
    inputs = [{"name": name, "datatype": "BYTES" if name == "mood" else "FP64", "shape": [60],
               "data": [profile[name] for profile in profiles]} for name in profiles[0]]
    daemon.post("/v2/models/score/infer", {"inputs": inputs})
    daemon.post("/invocations", {"dataframe_records": profiles})
    daemon.post("/invocations", {"dataframe_split": {"columns": list(profiles[0]), "data": [list(p.values()) for p in profiles]}})
    daemon.stop()
    log = ("--db", daemon.directory / "requests.db", "--json")
    same = json.loads(run("log", "replay", *log, "--bundle", models).stdout)["score"]
    assert same["answers"] == 5 * 60 + 2 and same["changed"] == same["failed"] == 0
    # A bundle that reads one of them alone gives other answers, and few of them by chance the same.
    other = train(table, "--target", "worth", "--features", "followers,mood")
    changed = json.loads(run("log", "replay", *log, "--bundle", other).stdout)["score"]
    assert changed["changed"] > 290 and changed["failed"] == 0
    # What was asked lies where the table's first rows lie: nothing counts as missing.
    drift = json.loads(run("log", "drift", *log, "--bundle", models).stdout)["score"]
    features = {feature["name"]: feature for feature in drift["features"]}
    own = {name: figures for name, figures in features.items() if "reel_views" in name or "mood" in name}
    assert own and all(figures["missing"] < 0.01 and figures["psi"] < 0.6 for figures in own.values()), own


class Score(ctypes.Structure):
    """struct ifl_score, as far as its score."""

    _fields_ = [("target", ctypes.c_char_p), ("score", ctypes.c_double), ("rest", ctypes.c_double * 32)]


@pytest.fixture
def library(by_reels):
    """The public library with a session of the bundle that reads columns of its own."""
    path = BUILD / "src/runtime/libinfluence.so"
    if b"__asan_init" in path.read_bytes():
        pytest.skip("a library with sanitizers cannot be loaded here")
    ifl = ctypes.CDLL(str(path))
    ifl.ifl_column_name.restype = ctypes.c_char_p
    ifl.ifl_column_count.restype = ctypes.c_size_t
    engine, session, score = ctypes.c_void_p(), ctypes.c_void_p(), Score()
    assert ifl.ifl_engine_open(str(by_reels[2]).encode(), ctypes.byref(engine), None) == 0
    assert ifl.ifl_session_new(engine, ctypes.byref(session), None) == 0

    def ask():
        assert ifl.ifl_score_only(session, ctypes.byref(score), None) == 0
        return score.score

    yield ifl, session, ask
    ifl.ifl_session_free(session)
    ifl.ifl_engine_close(engine)


def test_a_program_brings_columns_of_the_tables_own(by_reels, library, start_daemon):
    rows, _, models = by_reels
    ifl, session, ask = library
    daemon = start_daemon(models)
    assert [ifl.ifl_column_name(session, i) for i in range(ifl.ifl_column_count(session))] == [b"reel_views", b"mood"]
    assert ifl.ifl_column_name(session, 2) is None and ifl.ifl_column_find(session, b"worth") == -1
    assert [ifl.ifl_column_is_text(session, i) for i in range(3)] == [0, 1, 0]
    row = rows[17]
    profile = {"followers": row["followers"], "posts": row["posts"], "reel_views": row["Reel Views"], "mood": row["Mood"]}
    for name, value in profile.items():
        assert ifl.ifl_set(session, name.encode(), str(value).encode(), None) == 0
    want = daemon.post("/score", profile)[1]["score"]
    assert ask() == pytest.approx(want, abs=1e-7)
    # By their numbers, as numbers, and as missing.
    assert ifl.ifl_set_column(session, 1, None, None) == 0
    assert ifl.ifl_set_column_number(session, 0, ctypes.c_double(7500), None) == 0
    without = daemon.post("/score", {**profile, "reel_views": 7500, "mood": None})[1]["score"]
    assert ask() == pytest.approx(without, abs=1e-7) and abs(without - want) > 3
    assert ifl.ifl_set_column_number(session, 0, ctypes.c_double(float("nan")), None) == 0
    lacking = daemon.post("/score", {name: profile[name] for name in ("followers", "posts")})[1]["score"]
    assert ask() == pytest.approx(lacking, abs=1e-7)
    # Of a catalogued account, and one of them changed.
    assert ifl.ifl_set_handle(session, row["handle"].encode(), None) == 0
    assert ask() == pytest.approx(want, abs=1e-6)
    assert ifl.ifl_set(session, b"mood", b"cross" if row["Mood"] != "cross" else b"glad", None) == 0
    assert abs(ask() - want) > 20
    ifl.ifl_clear(session)
    assert ifl.ifl_set(session, b"followers", b"5000", None) == 0
    assert ask() == pytest.approx(daemon.post("/score", {"followers": 5000})[1]["score"], abs=1e-7)
    assert ifl.ifl_set(session, b"worth", b"3", None) == 1
    assert ifl.ifl_set_column(session, 2, b"3", None) == 1
    assert ifl.ifl_set_column_number(session, 0, ctypes.c_double(float("inf")), None) == 1


def test_bins_and_the_most_frequent_make_classes(train, demo):
    manifest = read(train(demo / "profiles.csv", "--target", "engagement_rate", "--bins", "tertile"))
    assert manifest["tiers"] == "engagement_rate" and len(manifest["tier"]["classes"]) == 3
    # avg_likes and followers define it.
    assert "avg_likes" in columns_of(manifest["tier"]["leakage"])
    assert not {"ln_avg_likes", "ln_engagement_rate"} & set(manifest["features"]["tier"])
    manifest = read(train(demo / "profiles.csv", "--target", "category", "--top", 2))
    assert len(manifest["tier"]["classes"]) == 3 and "(other)" in manifest["tier"]["classes"]


def test_labels_come_from_a_file_of_their_own(train, demo, tmp_path, start_daemon):
    rows = [{"account": f"synthetic_{i:06}", "fit": ["no", "yes"][i % 2]} for i in range(300)]
    labels = write_table(tmp_path / "labels.csv", rows)
    models = train(demo / "profiles.csv", "--labels", f"{labels}:fit")
    assert read(models)["tiers"] == "fit" and read(models)["tier"]["classes"] == ["no", "yes"]
    card = (models / "current/card.md").read_text(encoding="utf-8")
    assert "--labels 'labels.csv:fit'" in card and str(tmp_path) not in card
    answer = start_daemon(models).get("/tier?handle=synthetic_000001")[1]
    assert answer["target"] == "fit" and set(answer["probabilities"]) == {"no", "yes"}


def test_what_may_be_seen_is_the_targets_and_what_may_not_is_all_models(train, demo):
    base = (demo / "profiles.csv", "--target", "influence_score")
    manifest = read(train(*base, "--features", "followers,posts"))
    assert set(manifest["features"]["score"]) == {"ln_followers", "ln_posts", "ln_posts_per_follower"}
    assert "ln_posts" in manifest["features"]["tier"] and len(manifest["features"]["tier"]) > 2
    manifest = read(train(*base, "--exclude", "country,audience_country,category"))
    for part in ("score", "tier"):
        assert not [name for name in manifest["features"][part] if "country" in name or "category" in name]
    allowed = read(train(demo / "profiles.csv", "--target", "avg_likes", "--features", "avg_engagement",
                         "--allow-leakage", "avg_engagement"))
    assert allowed["features"]["score"] == ["ln_avg_engagement"]


def test_the_rows_are_those_that_meet_the_conditions(train, run, demo):
    where = ("--where", "followers>=10000")
    manifest = read(train(demo / "profiles.csv", "--target", "influence_score", *where, "--models", "ridge"))
    answer = run("evaluate", demo / "profiles.csv", "--target", "influence_score", *where, "--models", "ridge",
                 "--folds", 2, "--repeats", 1, "--exclude", "extra", "--fits", 12, "--json")
    evaluated = json.loads(answer.stdout)
    assert manifest["rows"] == evaluated["rows"] < 600
    assert "nano" not in manifest["tier"]["classes"]
    # What train says of its model is what evaluate says.
    assert manifest["score"]["leaderboard"][0]["metrics"] == evaluated["leaderboard"][0]["metrics"]


def test_rows_of_a_group_stay_in_one_fold(train, tmp_path):
    """Twins of other names: with both in one fold, a model cannot know one by the other."""
    rows = []
    for i in range(60):
        for twin in "ab":
            rows.append({"handle": f"account_{i}{twin}", "followers": 1000 + 900 * i, "house": i,
                         "worth": (i * 2654435761) % 97})
    table = write_table(tmp_path / "twins.csv", rows)
    base = (table, "--target", "worth", "--models", "neighbours", "--features", "followers", "--search.select=r2")
    r2 = [read(train(*base, *more))["score"]["leaderboard"][0]["metrics"]["r2"]["mean"]
          for more in ((), ("--group", "house"))]
    assert r2[0] > r2[1] + 0.3 and r2[1] < 0.2


def test_time_judges_by_models_of_older_accounts(train, run, tmp_path):
    """Worth changes its sign half way: the past says nothing of the future, which plain folds cannot tell."""
    rows = []
    for i in range(200):
        followers = 1000 + i * 2654435761 % 9973
        rows.append({"handle": f"account_{i}", "followers": followers, "day": i, "worth": followers * (1 if i < 100 else -1),
                     "steady": round(1000 * math.log(followers))})
    table = write_table(tmp_path / "days.csv", rows)
    base = (table, "--target", "worth", "--models", "constant ridge neighbours", "--features", "followers,day", "--select", "r2",
            "--fits", 4)
    plain, models = read(train(*base)), train(*base, "--time", "day")
    dated = read(models)
    best = [manifest["score"]["selection"]["metrics"]["r2"]["mean"] for manifest in (plain, dated)]
    assert best[0] > 0.5 > 0 > best[1]
    assert dated["time"] == "day" and "time" not in plain
    # What train says is what evaluate says, of the 133 newer accounts.
    evaluated = json.loads(run("evaluate", *base, *QUICK[:4], "--time", "day", "--json").stdout)
    found, expected = ({entry["name"]: entry["metrics"] for entry in of} for of in (dated["score"]["leaderboard"], evaluated["leaderboard"]))
    assert found == expected and evaluated["scored"] == 133
    report = json.loads(run("report", "--bundle", models, "--json").stdout)
    check_report(report)
    # Intervals are of the same accounts' errors: wide where the past says nothing, narrow where it says all.
    assert dated["score"]["interval_width"] > plain["score"]["interval_width"]
    steady = read(train(table, "--target", "steady", "--models", "ridge", "--features", "followers", "--allow-leakage",
                        "followers", "--time", "day"))
    assert steady["score"]["interval_width"] < 100 and 0.8 <= steady["score"]["interval_covered"] <= 1
    card = (models / "current/card.md").read_text(encoding="utf-8")
    assert "Folds go by day: " in card and "--time 'day'" in card
    run("models", "verify", "--models", models)


def test_hashtags_tell_of_a_category_by_default(run, demo, tmp_path, start_daemon):
    run("train", demo / "profiles.csv", "--posts", demo / "posts.csv", "--target", "category", "--fits", 1,
        "--folds", 2, "--repeats", 1, "--score.models=ridge", "--out", tmp_path)
    manifest = read(tmp_path)
    assert manifest["tier"]["chosen"] == "text"
    # Of sizes, which are bins of a number, they are not asked.
    assert "text" not in [entry["name"] for entry in manifest["size"]["leaderboard"]]
    answer = start_daemon(tmp_path).post("/tier", {"hashtags": "ootd style fashion fashionblogger"})[1]
    assert answer["tier"] == "fashion"


def test_brands_tell_of_a_category(run, tmp_path, start_daemon):
    """An account is known by the brands that it tags: of the edges files in training, of the request in service."""
    shops = {"food": ("pan.works", "oven_co", "salt"), "fashion": ("denim.house", "silk", "heels_co"), "pets": ("paw", "leash.co", "kibble")}
    rows, edges = [], []
    for i in range(180):
        category = list(shops)[i % 3]
        rows.append({"handle": f"account_{i}", "followers": 1000 + 7919 * i % 9973, "posts": 10 + i % 50, "category": category})
        # Two of its own, one of another's, and a shop that all know, the most often.
        tagged = [shops[category][i // 3 % 3], shops[category][(i // 3 + 1) % 3], shops[list(shops)[(i + 1) % 3]][i // 9 % 3]]
        edges += [{"influencer": f"account_{i}", "brand": brand, "posts": 1 + n} for n, brand in enumerate(tagged)]
        edges.append({"influencer": f"account_{i}", "brand": "@Big.Shop", "posts": 9})
    table, brands = write_table(tmp_path / "accounts.csv", rows), write_table(tmp_path / "brands.csv", edges)
    base = (table, "--edges", brands, "--target", "category", "--folds", 3, "--repeats", 1)
    seen = run("evaluate", *base, "--features", "brands", "--models", "prior text").stdout
    assert "seen: brands\n" in seen
    found = json.loads(run("evaluate", *base, "--features", "followers,brands", "--models", "prior text softmax", "--json").stdout)
    f1 = {model["name"]: model["metrics"]["macro_f1"]["mean"] for model in found["leaderboard"]}
    assert f1["text"] > 0.9 and f1["softmax"] < 0.5
    without = run("evaluate", *base, "--exclude", "brands", "--models", "prior text", check=False)
    assert "brands" not in without.stdout and "> text" not in without.stdout

    run("train", *base, "--fits", 1, "--tier.models=prior softmax text", "--score.models=ridge", "--network.models=", "--out", tmp_path / "models")
    assert read(tmp_path / "models")["tier"]["chosen"] == "text"
    daemon = start_daemon(tmp_path / "models")
    for category, names in shops.items():
        assert daemon.post("/tier", {"brands": f"@{names[0].upper()}, {names[2]}"})[1]["tier"] == category
    assert daemon.get("/influencers?handle=account_0")[1]["profile"]["brands"] == "big.shop denim.house oven_co pan.works"
    answers = run("predict", table, "--edges", brands, "--bundle", tmp_path / "models").stdout
    told = [row["tier"] for row in csv.DictReader(answers.splitlines())]
    assert sum(tier == row["category"] for tier, row in zip(told, rows)) > 160


def test_an_answer_never_goes_against_a_constraint(run, train, demo, start_daemon):
    base = (demo / "profiles.csv", "--target", "influence_score", "--features", "ln_posts,ln_avg_likes")
    models = train(*base, "--models", "boosting neighbours", "--fits", 1, "--monotone", "ln_posts=+1,ln_avg_likes=-1")
    board = {entry["name"]: entry for entry in read(models)["score"]["leaderboard"]}
    assert board["boosting"]["chosen"] and board["neighbours"]["left_out"] == "ln_posts"
    assert "--monotone 'ln_posts=+1,ln_avg_likes=-1'" in (models / "current/card.md").read_text(encoding="utf-8")
    daemon = start_daemon(models)

    def scores(field, other):
        steps = [{field: round(1.35 ** i), other: 900} for i in range(45)]
        return [answer["score"] for answer in daemon.post("/score", {"instances": steps})[1]["predictions"]]

    rising, falling = scores("posts", "avg_likes"), scores("avg_likes", "posts")
    assert rising == sorted(rising) and rising[-1] > rising[0]
    # Without the constraint likes raise the score.
    assert falling == sorted(falling, reverse=True)
    done = run("train", *base, "--models", "neighbours", "--monotone", "ln_posts=+1", *QUICK, "--out", models,
               check=False)
    assert done.returncode == 1 and "no model keeps" in done.stderr
