# SPDX-License-Identifier: Apache-2.0
"""`influence evaluate`: honest figures, by the protocol."""

import json
import random

import pytest
from conftest import spread, write_table


@pytest.fixture(scope="module")
def evaluate(run):
    return lambda *arguments: json.loads(run("evaluate", *arguments, "--json").stdout)


def chosen(result):
    return next(entry for entry in result["leaderboard"] if entry["chosen"])


def test_a_number_is_regressed(evaluate, demo):
    result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--models", "constant ridge",
                      "--repeats", 2)
    assert result["task"] == "regression" and result["rows"] == 600 and result["repeats"] == 2
    assert result["chosen"] == "ridge" and chosen(result)["metrics"]["r2"]["mean"] > 0.4
    assert "influence_score" not in result["features"]


def test_a_target_may_be_named_as_its_header(evaluate, run, tmp_path):
    rows = [{"Account": f"account_{i}", "Followers": 1000 + 7 * i, "Deal price": 10 + spread(i), "Worth it?": "yes" if spread(i) > 0.5 else "no"}
            for i in range(80)]
    table = write_table(tmp_path / "deals.csv", rows)
    printed = run("import", table).stdout
    for given, name in (("Deal price", "deal_price"), ("DEAL-PRICE", "deal_price"), ("Worth it?", "worth_it"), ("Followers", "followers")):
        models = "prior" if name == "worth_it" else "constant"
        assert evaluate(table, "--target", given, "--models", models, "--repeats", 1)["target"] == name
        assert f" {name} " in printed
    assert "deal_price" not in evaluate(table, "--target", "followers", "--exclude", "Deal-Price", "--models", "ridge", "--repeats", 1)["features"]


def test_bins_make_classes(evaluate, demo):
    for bins, n in (("tertile", 3), ("quantiles:5", 5), ("40,60,80", 4)):
        result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--bins", bins,
                          "--models", "prior softmax", "--repeats", 1)
        assert result["task"] == "classification" and len(result["classes"]) == n
        assert result["chosen"] == "softmax"


def test_features_can_be_chosen_and_left_out(evaluate, demo):
    base = (demo / "profiles.csv", "--target", "influence_score", "--models", "ridge", "--repeats", 1)
    assert evaluate(*base, "--features", "followers")["features"] == ["ln_followers"]
    assert not [name for name in evaluate(*base, "--exclude", "followers")["features"] if "ln_followers" == name]


def leaks(result):
    return {leak["column"]: leak["reason"] for leak in result["leakage"]}


def test_columns_of_the_tables_own_are_seen(evaluate, own_table):
    result = evaluate(own_table, "--target", "worth", "--models", "constant ridge", "--repeats", 1)
    assert "extra_text:mood=glad" in result["features"] and result["chosen"] == "ridge"
    blind = evaluate(own_table, "--target", "worth", "--models", "ridge", "--repeats", 1, "--exclude", "mood")
    assert chosen(result)["metrics"]["mae"]["mean"] < chosen(blind)["metrics"]["mae"]["mean"] - 1
    only = evaluate(own_table, "--target", "worth", "--models", "ridge", "--repeats", 1, "--features", "mood,size")
    assert all("mood" in name or "follow" in name for name in only["features"])
    none = evaluate(own_table, "--target", "worth", "--models", "ridge", "--repeats", 1, "--exclude", "extra")
    assert not [name for name in none["features"] if "extra" in name]


def test_what_gives_the_target_away_is_found_and_named(evaluate, own_table, run):
    base = ("--models", "ridge", "--repeats", 1)
    ranked = evaluate(own_table, "--target", "odds", *base)
    assert "ranks the rows" in leaks(ranked)["odds_squared"]
    assert not [name for name in ranked["features"] if "odds" in name]
    computed = leaks(evaluate(own_table, "--target", "quality", *base))
    assert len(computed) == 1 and "followers / reach_units" in list(computed.values())[0]
    done = run("evaluate", own_table, "--target", "odds", "--features", "odds_squared", check=False)
    assert done.returncode == 1 and "ranks the rows" in done.stderr and "--allow-leakage" in done.stderr
    allowed = evaluate(own_table, "--target", "odds", "--features", "odds_squared", "--allow-leakage",
                       "odds_squared", *base)
    assert chosen(allowed)["metrics"]["spearman"]["mean"] > 0.99


def test_texts_that_give_the_target_away_are_found(evaluate, tmp_path):
    """A continent is known by its country, and a size by the band it falls into; but not what merely goes along."""
    where = {"Peru": "America", "Chile": "America", "Kenya": "Africa", "Ghana": "Africa", "Nepal": "Asia"}
    rows, draw = [], random.Random(5)
    for i in range(200):
        followers, country = int(1000 * 2 ** (8 * draw.random())), draw.choice(list(where))
        rows.append({"handle": f"account_{i}", "followers": followers, "country": country, "continent": where[country],
                     "band": "small" if followers < 8000 else "middle" if followers < 64000 else "large",
                     "agency": f"agency {draw.randrange(30)}", "bio": f"I am number {i}",
                     "taste": where[country] if i % 10 else "travel"})
    table = write_table(tmp_path / "texts.csv", rows)
    base = ("--models", "prior", "--repeats", 1)
    assert leaks(evaluate(table, "--target", "continent", *base)) == {"country": "each of its values is of one class"}
    # Two countries make a continent: of the continent the country is not known.
    assert "continent" not in leaks(evaluate(table, "--target", "country", *base))
    number = ("--models", "constant", "--repeats", 1)
    assert leaks(evaluate(table, "--target", "followers", *number)) == {"band": "its values are ranges of the target"}
    cut = leaks(evaluate(table, "--target", "followers", "--bins", "quantiles:4", *base))
    assert cut == {"band": "its values are ranges of the target"}
    seen = evaluate(table, "--target", "continent", "--allow-leakage", "country", *base)
    assert not leaks(seen) and [name for name in seen["features"] if "country" in name]


def test_a_rare_class_is_no_sign_of_leakage(evaluate, tmp_path):
    """With six rows in 300 any number falls apart into few stretches."""
    rows = [{"handle": f"account_{i}", "followers": int(1000 * 2 ** (8 * spread(i))), "posts": int(1 + 900 * spread(i, 1)),
             "fake": "yes" if i % 50 == 7 else "no"} for i in range(300)]
    result = evaluate(write_table(tmp_path / "rare.csv", rows), "--target", "fake", "--models", "prior", "--repeats", 1)
    assert not leaks(result)


def test_the_most_frequent_classes_stay_and_the_others_are_taken_together(evaluate, own_table):
    result = evaluate(own_table, "--target", "mood", "--top", 1, "--models", "prior", "--repeats", 1)
    assert [(c["name"], c["rows"]) for c in result["classes"]] == [("glad", 54), ("(other)", 106)]


def test_rows_can_be_left_out_and_figures_taken_of_a_part(evaluate, own_table, run):
    base = (own_table, "--target", "worth", "--models", "constant ridge", "--repeats", 1)
    whole, part = evaluate(*base), evaluate(*base, "--where", "mood=glad,followers>=10k")
    assert whole["rows"] == 160 and 20 < part["rows"] < 54
    scored = evaluate(*base, "--scored", "worth>=15")
    assert scored["rows"] == 160 and 20 < scored["scored"] < 160
    assert chosen(scored)["metrics"]["mae"]["mean"] != chosen(whole)["metrics"]["mae"]["mean"]
    for condition, message in (("mood>=3", "texts"), ("nowhere=1", "nowhere"), ("followers", "condition"),
                               ("followers>=1e12", "left")):
        done = run("evaluate", own_table, "--target", "worth", "--where", condition, check=False)
        assert done.returncode == 1 and message in done.stderr


def test_labels_come_from_a_file_of_their_own(evaluate, own_table, tmp_path, run):
    labels = tmp_path / "labels.csv"
    labels.write_text("user;seen;verdict\n" + "".join(
        f"@ACCOUNT_{i};{i};{'good' if i % 3 == 0 else 'bad'}\n" for i in range(100)) + "stranger;1;bad\n",
        encoding="utf-8")
    result = evaluate(own_table, "--labels", f"{labels}:verdict", "--models", "prior softmax", "--repeats", 1,
                      "--allow-leakage", "mood")
    assert result["target"] == "verdict" and result["rows"] == 100
    assert {c["name"]: c["rows"] for c in result["classes"]} == {"good": 34, "bad": 66}
    assert chosen(result)["metrics"]["accuracy"]["mean"] > 0.95  # the mood says it all
    done = run("evaluate", own_table, "--labels", labels, check=False)
    assert done.returncode == 1 and "name one" in done.stderr
    labels.write_text("when;verdict\nmonday;good\ntuesday;bad\n", encoding="utf-8")
    done = run("evaluate", own_table, "--labels", labels, check=False)
    assert done.returncode == 1 and "column 'when' has no handle in common" in done.stderr


def test_growth_is_foreseen_from_the_months_before(evaluate, tmp_path):
    files = []
    for month, name in ((0, "2022-03"), (3, "2022-06"), (6, "2022-09")):
        rows = []
        for i in range(120):
            rate = 0.02 * (spread(i) - 0.3)
            followers = int(1e6 * (1 + spread(i, 1)) * (1 + rate) ** month)
            if i == 7 and month == 6:
                followers //= 3  # another account under the same name
            if not (i == 9 and month == 0):
                rows.append({"handle": f"account_{i}", "followers": followers, "likes": 1000 + i})
        files.append(f"{write_table(tmp_path / f'{name}.csv', rows)}@{name}")
    result = evaluate(*files, "--target", "growth", "--models", "constant ridge", "--repeats", 1)
    assert result["rows"] == 118 and "follower_growth" in result["features"]
    assert chosen(result)["metrics"]["r2"]["mean"] > 0.9  # growth goes on as before
    two = evaluate(*files[1:], "--target", "growth", "--models", "constant ridge", "--repeats", 1)
    assert two["rows"] == 119 and "follower_growth" not in two["features"]
    assert chosen(two)["metrics"]["r2"]["mean"] < 0.3


def test_a_posts_lift_over_its_account_is_learnt_across_accounts(evaluate, tmp_path, run):
    accounts = [{"handle": f"account_{i}", "followers": 1000 * (i + 1), "uploads": 10} for i in range(40)]
    posts = []
    for i in range(40):
        for p in range(8):
            kind = ["image", "video"][p % 2]
            likes = 100 * (i + 1) * (2 if kind == "video" else 1) * (0.9 + 0.2 * spread(8 * i + p))
            posts.append({"username": f"account_{i}", "taken_at": 1500000000 + 90000 * p, "type": kind,
                          "likes": int(likes), "caption_len": int(100 * spread(8 * i + p, 1))})
    posts.append({"username": "stranger", "taken_at": 1500000000, "type": "image", "likes": 5, "caption_len": 1})
    table, of_posts = write_table(tmp_path / "accounts.csv", accounts), write_table(tmp_path / "posts.csv", posts)
    base = (table, "--posts", of_posts, "--target", "post_lift", "--repeats", 1)
    result = evaluate(*base, "--models", "constant ridge", "--select", "r2")
    assert result["rows"] == 40 * 6  # the youngest two of each are still gathering likes
    assert result["chosen"] == "ridge" and chosen(result)["metrics"]["r2"]["mean"] > 0.8
    assert not [name for name in result["features"] if "likes" in name]
    hit = evaluate(*base, "--bins", "0.405", "--models", "prior softmax")
    assert [c["name"] for c in hit["classes"]] == ["<= 0.405", "> 0.405"]
    done = run("evaluate", table, "--target", "post_lift", check=False)
    assert done.returncode == 1 and "--posts" in done.stderr


def test_posts_before_tell_which_accounts_hits_are_of(evaluate, tmp_path):
    """Half of the accounts vary much: hits are theirs, and nothing but their posts before tells so."""
    draw = random.Random(1)
    accounts = [{"handle": f"account_{i}", "followers": 5000} for i in range(60)]
    posts = [{"username": f"account_{i}", "taken_at": 1500000000 + 90000 * p, "type": "image",
              "likes": int(1000 * 2 ** ((3 if i % 2 else 0.2) * (draw.random() - 0.5)))}
             for i in range(60) for p in range(12)]
    table, of_posts = write_table(tmp_path / "accounts.csv", accounts), write_table(tmp_path / "posts.csv", posts)
    base = (table, "--posts", of_posts, "--target", "post_lift", "--bins", "0.405", "--repeats", 1, "--select", "auc",
            "--models", "prior boosting", "--fits", 1)
    result = evaluate(*base, "--features", "post_spread_before")
    assert result["features"] == ["extra:post_spread_before"]
    assert chosen(result)["metrics"]["auc"]["mean"] > 0.65
    # Whatever else the post itself has tells nothing.
    rest = evaluate(*base, "--features", "post_hour,post_age_days,post_gap_days,post_weekend")
    assert chosen(rest)["metrics"]["auc"]["mean"] < 0.6


def test_a_target_made_of_noise_is_reported_as_weak(evaluate, demo, tmp_path):
    lines = (demo / "profiles.csv").read_text(encoding="utf-8").splitlines()
    # A multiplicative hash of the row number: as good as random, and the same everywhere.
    noise = ["luck"] + [str(i * 2654435761 % 1000) for i in range(1, len(lines))]
    path = tmp_path / "profiles.csv"
    path.write_text("".join(f"{line},{luck}\n" for line, luck in zip(lines, noise)), encoding="utf-8")
    result = evaluate(path, "--target", "luck", "--models", "constant ridge", "--repeats", 2, "--select", "r2")
    assert chosen(result)["metrics"]["r2"]["mean"] < 0.05


def test_the_same_seed_gives_the_same_figures(evaluate, demo):
    def metrics(seed):
        result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--models", "ridge boosting",
                          "--repeats", 1, "--folds", 2, "--seed", seed)
        return [entry["metrics"] for entry in result["leaderboard"]]
    assert metrics(7) == metrics(7) != metrics(8)


def test_intervals_cover_what_they_state_in_every_size_of_account(evaluate, demo):
    result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--models", "ridge", "--repeats", 2)
    assert 0.88 <= result["interval_covered"] <= 0.92 and result["interval_width"] > 0
    groups = [group for group in result["interval_groups"] if group["rows"] >= 100]
    assert len(groups) >= 2
    assert all(0.85 <= group["covered"] <= 0.95 for group in groups)
    # What defines the target must not choose the interval.
    hidden = evaluate(demo / "profiles.csv", "--target", "followers", "--models", "ridge", "--repeats", 1)
    assert hidden["interval_groups"] == []


def test_probabilities_come_with_their_reliability(evaluate, demo):
    result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--bins", "tertile", "--models",
                      "softmax", "--repeats", 1)
    table = result["reliability"]
    assert result["calibration"] in ("none", "temperature", "vector")
    assert sum(row["rows"] for row in table) == 600
    ece = sum(row["rows"] * abs(row["stated"] - row["observed"]) for row in table) / 600
    assert result["ece_calibrated"] == pytest.approx(ece, abs=1e-9)
    assert all(row["low"] <= row["stated"] <= row["high"] for row in table)


def test_the_selection_is_judged_as_a_whole(evaluate, demo):
    result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--models", "constant ridge elastic_net",
                      "--repeats", 2, "--fits", 4)
    selection = result["selection"]
    assert sum(selection["folds"].values()) == 10 and "constant" not in selection["folds"]
    best = chosen(result)["metrics"]["mae"]["mean"]
    assert best * 0.98 < selection["metrics"]["mae"]["mean"] < best * 1.05


def test_one_standard_error_prefers_the_simpler_model(evaluate, demo):
    base = (demo / "profiles.csv", "--target", "influence_score", "--models", "ridge elastic_net", "--repeats", 3)
    metrics = {entry["name"]: entry["metrics"]["mae"] for entry in evaluate(*base)["leaderboard"]}
    result = evaluate(*base, "--rule", "one_se")
    best = min(metrics.values(), key=lambda mae: mae["mean"])
    within = metrics["ridge"]["mean"] <= best["mean"] + best["sd"] / 3 ** 0.5
    assert result["chosen"] == ("ridge" if within else "elastic_net")


def rows_of_groups(tmp_path, n_groups=30, size=10):
    """The target is the group's own luck, which the columns give away only through the group."""
    path = tmp_path / "groups.csv"
    lines = ["handle,followers,posts,team,day,worth"]
    for i in range(n_groups * size):
        team = i % n_groups
        luck = team * 2654435761 % 997
        lines.append(f"account{i},{1000 + luck * 13 + i},{100 + team},team {team},{i},{team * 7919 % 101}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_groups_stay_together(evaluate, tmp_path):
    base = (rows_of_groups(tmp_path), "--target", "worth", "--models", "constant neighbours", "--features",
            "followers,posts", "--repeats", 1, "--select", "r2")
    known = {e["name"]: e["metrics"]["r2"]["mean"] for e in evaluate(*base)["leaderboard"]}
    unknown = {e["name"]: e["metrics"]["r2"]["mean"] for e in evaluate(*base, "--group", "team")["leaderboard"]}
    assert known["neighbours"] > 0.8 and unknown["neighbours"] < 0.3


def test_time_trains_on_what_is_older(evaluate, tmp_path):
    # Worth changes its sign half way: the past says nothing of the future, which plain folds cannot tell.
    path = tmp_path / "days.csv"
    rows = [f"account{i},{1000 + i * 2654435761 % 9973},{i}" for i in range(200)]
    rows = [f"{row},{(1 if i < 100 else -1) * int(row.split(',')[1])}" for i, row in enumerate(rows)]
    path.write_text("\n".join(["handle,followers,day,worth", *rows]) + "\n", encoding="utf-8")
    base = (path, "--target", "worth", "--models", "ridge boosting", "--features", "followers,day", "--repeats", 1)
    plain = evaluate(*base, "--select", "r2")
    dated = evaluate(*base, "--select", "r2", "--time", "day", "--folds", 3)
    assert dated["scored"] == 150 and plain["scored"] == 200
    assert chosen(plain)["metrics"]["r2"]["mean"] > 0.8 > chosen(dated)["metrics"]["r2"]["mean"]


def test_classes_have_an_area_under_the_curve(evaluate, demo):
    result = evaluate(demo / "profiles.csv", "--target", "influence_score", "--bins", "60", "--models",
                      "prior ordinal", "--repeats", 1, "--select", "auc")
    area = {entry["name"]: entry["metrics"]["auc"]["mean"] for entry in result["leaderboard"]}
    assert result["chosen"] == "ordinal" and area["ordinal"] > 0.75 and 0.3 < area["prior"] < 0.6


@pytest.mark.parametrize("arguments, message", [
    (("--target", "influence_score", "--group", "nothing"), "nothing"),
    (("--target", "influence_score", "--time", "category"), "category"),
    (("--target", "influence_score", "--time", "followers", "--group", "category"), "only one"),
    (("--target", "influence_score", "--rule", "worst"), "one_se"),
    (("--target", "influence_score", "--fits", "0"), "fits"),
    (("--target", "influence_score", "--models", "ordinal"), "ordinal"),
    (("--target", "nothing"), "nothing"),
    ((), "--target"),
    (("--target", "influence_score", "--bins", "5,4"), "bins"),
    (("--target", "influence_score", "--folds", "1"), "folds"),
    (("--target", "influence_score", "--top", "3"), "numbers"),
    (("--target", "growth"), "snapshots"),
    (("--labels", "nowhere.csv"), "nowhere.csv"),
    (("--target", "influence_score", "--features", "nothing"), "nothing"),
])
def test_what_cannot_be_evaluated_is_refused_by_name(run, demo, arguments, message):
    done = run("evaluate", demo / "profiles.csv", *arguments, check=False)
    assert done.returncode in (1, 2) and message in done.stderr


def test_the_figures_of_the_protocol_on_the_real_table(evaluate, shared_data):
    table = shared_data / "top_insta_influencers_data.csv"
    result = evaluate(table, "--target", "influence_score", "--models", "huber ridge", "--select", "mae",
                      "--exclude", "extra")
    assert result["rows"] == 200 and result["folds"] == 5 and result["repeats"] == 5
    assert chosen(result)["metrics"]["mae"]["mean"] < 3.97
    tiers = evaluate(table, "--target", "influence_score", "--bins", "82,86", "--models", "softmax",
                     "--exclude", "extra")
    assert chosen(tiers)["metrics"]["macro_f1"]["mean"] > 0.61


def test_sizes_and_categories_are_told_one_by_one(evaluate, demo, run):
    words = (demo / "profiles.csv", "--repeats", 2, "--folds", 3)
    found = evaluate(*words, "--target", "influence_score", "--models", "ridge")
    groups = found["groups"]
    assert {group["by"] for group in groups} == {"size", "category"}
    sizes = [group for group in groups if group["by"] == "size"]
    assert [group["group"] for group in sizes][:2] == ["nano", "micro"] and sum(group["rows"] for group in sizes) > 0.95 * found["rows"]
    categories = [group["rows"] for group in groups if group["by"] == "category"]
    assert categories == sorted(categories, reverse=True) and 2 <= len(categories) <= 8 and min(categories) >= 10
    assert all(group["low"] < group["mae"] < group["high"] for group in groups)
    # Errors of all sizes together are the error of the leaderboard's repeats, which differ by their folds alone.
    mean = sum(group["mae"] * group["rows"] for group in sizes) / sum(group["rows"] for group in sizes)
    assert mean == pytest.approx(found["leaderboard"][0]["metrics"]["mae"]["mean"], rel=0.03)
    text = run("evaluate", *words, "--target", "is_verified", "--models", "softmax").stdout
    assert "share told right of softmax in each size and category" in text and "\n  size      nano " in text


def test_few_rows_and_rare_classes_are_warned_of(evaluate, tmp_path):
    rows = [{"handle": f"account_{i}", "followers": 1000 + 7919 * i % 9973, "posts": 10 + i % 50, "kind": "ab"[i % 2] if i > 5 else "rare"}
            for i in range(130)]
    found = evaluate(write_table(tmp_path / "rare.csv", rows), "--target", "kind", "--models", "prior softmax", "--repeats", 1)
    assert found["warnings"] == ["kind: class 'rare' has 6 of 130 rows: it will be missed"]
    found = evaluate(write_table(tmp_path / "few.csv", rows[6:86]), "--target", "kind", "--models", "prior softmax", "--repeats", 1)
    assert found["warnings"] == ["only 80 rows: figures swing with the folds, trust none of them"]


def test_labels_of_nobody_are_counted(run, own_table, tmp_path):
    rows = [{"account": f"account_{i}", "fit": ["no", "yes"][i % 2]} for i in range(100)]
    rows += [{"account": f"stranger_{i}", "fit": "yes"} for i in range(7)]
    labels = write_table(tmp_path / "labels.csv", rows)
    words = ["evaluate", own_table, "--labels", f"{labels}:fit", "--models", "prior", "--repeats", 1]
    assert "careful: 7 of 107 labels are of accounts that the table does not have" in run(*words).stdout
    assert json.loads(run(*words, "--json").stdout)["warnings"] == [
        "7 of 107 labels are of accounts that the table does not have: nothing is learnt from them"]


def test_columns_that_drifted_between_snapshots_are_named(run, tmp_path):
    def month(name, factor):
        return write_table(tmp_path / name, [
            {"handle": f"account_{i}", "followers": 1000 + 97 * i, "posts": (50 + i) * factor, "luck": i * 13 % 71}
            for i in range(150)])
    def warnings(factor):
        files = [f"{month('march.csv', 1)}@2025-03", f"{month('june.csv', factor)}@2025-06"]
        words = ["evaluate", *files, "--target", "luck", "--models", "constant", "--repeats", 1, "--json"]
        return json.loads(run(*words).stdout)["warnings"]
    assert warnings(1) == []
    assert [text.split(" (")[0] for text in warnings(9)] == ["posts drifted between 2025-03 and 2025-06"]
