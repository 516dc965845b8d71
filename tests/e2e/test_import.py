# SPDX-License-Identifier: Apache-2.0
"""influence import: tables as people have them, and an account of what was done to them."""
import csv
import gzip
import io
import json
import os
import re
import resource
import statistics

import pytest
from conftest import ROOT

GOLDEN = ROOT / "tests/golden/import"


def table_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def import_table(run, *files, options=()):
    """(rows of the cleaned table, report)"""
    done = run("import", *files, "--csv", "-", "--json", *options)
    return table_of(done.stdout), json.loads(done.stderr)


def rules_of(source):
    return {event["rule"]: event["count"] for event in source["events"]}


def refused(run, *files, **more):
    done = run("import", *files, check=False, **more)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr.splitlines()[-1]


# ---- a messy table of invented accounts ----


def test_a_messy_table_becomes_the_golden_one(run, tmp_path):
    clean = tmp_path / "clean.csv"
    done = run("import", "messy.csv", "--csv", clean, "--json", cwd=GOLDEN)
    expected = {"messy.clean.csv": clean.read_text(encoding="utf-8"), "messy.report.json": done.stdout}
    for name, text in expected.items():
        if os.environ.get("UPDATE_GOLDEN"):
            (GOLDEN / name).write_text(text, encoding="utf-8")
        assert text == (GOLDEN / name).read_text(encoding="utf-8"), f"{name} differs; UPDATE_GOLDEN=1 rewrites it"


def test_the_text_report_names_lines_and_counts(run):
    text = run("import", "messy.csv", cwd=GOLDEN).stdout
    assert re.search(r"Creator +handle +alias", text)
    assert re.search(r"refused +1 .*\[summary_row\]\n +line \d+ 'Total'", text)


def test_a_cleaned_table_imports_unchanged(run, tmp_path):
    first = tmp_path / "first.csv"
    second = tmp_path / "second.csv"
    run("import", GOLDEN / "messy.csv", "--csv", first)
    run("import", first, "--csv", second)
    assert first.read_text(encoding="utf-8") == second.read_text(encoding="utf-8")


# ---- every kind of dirt, over a table of which the truth is known ----


@pytest.fixture(scope="module")
def truth(demo):
    with open(demo / "profiles.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    keep = ["handle", "category", "country", "followers", "posts", "avg_likes", "engagement_rate"]
    columns = [rows[0].index(name) for name in keep]
    # Accounts above 10,000: below, a figure without a suffix is as good as one with it.
    rows = [[row[i] for i in columns] for row in rows]
    return [rows[0]] + [row for row in rows[1:] if float(row[3]) > 10000][:150]


COUNTS = (3, 4, 5)
RATE = 6


def shorten(cell):
    """12345 -> 12345, but 1234567 -> 1.234567m: nothing is lost."""
    for suffix, size in (("m", 10**6), ("k", 10**3)):
        if float(cell) >= size:
            return f"{float(cell) / size:.6f}".rstrip("0").rstrip(".") + suffix
    return cell


def edit(rows, change, columns):
    return [rows[0]] + [
        [change(cell) if i in columns and cell else cell for i, cell in enumerate(row)] for row in rows[1:]
    ]


def percent(mark):
    return lambda cell: f"{float(cell) * 100:.6f}".rstrip("0").rstrip(".") + mark


def rename(rows, *headers):
    return [list(headers)] + rows[1:]


def write(rows, delimiter=",", end="\n", encoding="utf-8", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return out.getvalue().encode(encoding)


def decimal_commas(rows):
    return edit(edit(rows, shorten, COUNTS), lambda c: c.replace(".", ","), range(3, 7))


def shuffled(rows):
    return [[row[i] for i in (6, 3, 1, 5, 0, 2, 4)] for row in rows]


DIRT = {
    "plain": write,
    "crlf": lambda t: write(t, end="\r\n"),
    "cr": lambda t: write(t, end="\r"),
    "no_final_line_end": lambda t: write(t).rstrip(b"\n"),
    "bom": lambda t: write(t, encoding="utf-8-sig"),
    "utf16": lambda t: write(t, encoding="utf-16"),
    "utf16_without_bom": lambda t: write(t, encoding="utf-16-be"),
    "gzip": lambda t: gzip.compress(write(t)),
    "gzip_in_two_members": lambda t: gzip.compress(write(t)[:999]) + gzip.compress(write(t)[999:]),
    "tabs": lambda t: write(t, delimiter="\t"),
    "semicolons": lambda t: write(t, delimiter=";"),
    "pipes": lambda t: write(t, delimiter="|"),
    "all_quoted": lambda t: write(t, quoting=csv.QUOTE_ALL),
    "suffixes": lambda t: write(edit(t, shorten, COUNTS)),
    "capital_suffixes": lambda t: write(edit(t, lambda c: shorten(c).upper(), COUNTS)),
    "spaced_suffixes": lambda t: write(edit(t, lambda c: re.sub("([km])$", r" \1", shorten(c)), COUNTS)),
    "written_suffixes": lambda t: write(edit(t, lambda c: shorten(c).replace("m", " million").replace("k", " thousand"), COUNTS)),
    "grouped": lambda t: write(edit(t, lambda c: f"{int(c):,}", COUNTS)),
    "grouped_by_points": lambda t: write(edit(t, lambda c: f"{int(c):,}".replace(",", "."), COUNTS), delimiter=";"),
    "grouped_by_spaces": lambda t: write(edit(t, lambda c: f"{int(c):,}".replace(",", "\u00a0"), COUNTS)),
    "exponents": lambda t: write(edit(t, lambda c: f"{float(c):.9E}", COUNTS)),
    "floats": lambda t: write(edit(t, lambda c: f"{float(c):.1f}", COUNTS)),
    "percent_marks": lambda t: write(edit(t, percent("%"), [RATE])),
    "percent_without_marks": lambda t: write(edit(t, percent(""), [RATE])),
    "decimal_commas": lambda t: write(decimal_commas(t), delimiter=";"),
    "decimal_commas_quoted": lambda t: write(decimal_commas(t)),
    "other_names": lambda t: write(rename(t, "User Name", "Niche", "Country Name", "# of Followers", "Media Count", "Average Likes", "Eng. Rate")),
    "names_with_line_breaks": lambda t: write(rename(t, "\nUsername ", "Category\r\n", " Country", "Followers\n", "Posts ", "avg likes\n", "engagement rate")),
    "camel_case": lambda t: write(rename(t, "userName", "primaryCategory", "countryCode", "followersCount", "postsCount", "avgLikes", "engagementRate")),
    "other_language": lambda t: write(rename(t, "usuario", "categoría", "país", "seguidores", "publicaciones", "promedio de likes", "tasa de engagement")),
    "typos": lambda t: write(rename(t, "usernmae", "category", "country", "folowers", "posts", "avg_lkies", "engagement_rat")),
    "units_in_headers": lambda t: write(rename(edit(edit(t, lambda c: f"{int(c) / 1e6:.6f}", [3]), percent(""), [RATE]), "handle", "category", "country", "followers (millions)", "posts", "avg likes", "engagement rate (%)")),
    "other_order": lambda t: write(shuffled(t)),
    "missing_words": lambda t: write([[cell or "N/A" for cell in row] for row in t]),
    "extra_columns": lambda t: write([row + ["x, y", "1"] for row in rename(t, *t[0])]),
    "repeated_header": lambda t: write(t[:40] + [t[0]] + t[40:]),
    "blank_lines": lambda t: write(t).replace(b"\n", b"\n\n"),
    "ruled": lambda t: write(t).replace(b"\n", b"\n" + b"=" * 70 + b"\n", 1),
    "titled": lambda t: b"All our accounts\n\n" + write(t),
    "separator_line": lambda t: b"sep=;\r\n" + write(t, delimiter=";"),
    "total": lambda t: write(t + [["Total", "", "", "99999999", "9999", "9999", ""]]),
    "footnote": lambda t: write(t) + b"Source: nobody\n",
    "trailing_delimiters": lambda t: write(t).replace(b"\n", b",,\n"),
    "trailing_delimiter_in_rows": lambda t: write([t[0]] + [row + [""] for row in t[1:]]),
    "trailing_delimiter_in_header": lambda t: write([t[0] + [""]] + t[1:]),
    "row_numbers": lambda t: write([[""] + t[0]] + [[str(i)] + row for i, row in enumerate(t[1:])]),
    "row_names": lambda t: write([t[0]] + [[str(i)] + row for i, row in enumerate(t[1:])]),
    "at_signs": lambda t: write(edit(t, lambda c: "@" + c, [0])),
    "apostrophes": lambda t: write(edit(t, lambda c: "'" + c, [0])),
    "formulas": lambda t: write(edit(t, lambda c: f'="{c}"', range(7))),
    "links": lambda t: write(edit(t, lambda c: f"https://www.instagram.com/{c}/", [0])),
    "repeated_rows": lambda t: write(t + t[5:25]),
    "spaces": lambda t: write([[f"  {cell} " for cell in row] for row in t]),
    "nul_bytes": lambda t: write(t).replace(b"synthetic_0", b"synth\0etic_0"),
}


@pytest.mark.parametrize("dirt", DIRT)
def test_dirt_changes_no_value(run, tmp_path, truth, dirt):
    path = tmp_path / "dirty.csv"
    path.write_bytes(DIRT[dirt](truth))
    rows, _ = import_table(run, path)
    assert len(rows) == len(truth) - 1
    for wanted, got in zip(truth[1:], rows):
        assert [got[name] for name in ("handle", "category", "country")] == wanted[:3]
        for i, name in enumerate(("followers", "posts", "avg_likes", "engagement_rate (fraction)"), 3):
            assert float(got[name]) == pytest.approx(float(wanted[i]), rel=1e-9), (name, wanted)


def test_lost_suffixes_are_not_believed(run, tmp_path, truth):
    """A copy whose k and m were stripped: the file is refused for its followers, a column set aside."""
    path = tmp_path / "stripped.csv"
    path.write_bytes(write(edit(truth, lambda c: shorten(c).rstrip("km"), COUNTS)))
    assert "scale of the followers cannot be told" in refused(run, path)
    path.write_bytes(write(edit(truth, lambda c: shorten(c).rstrip("km"), [5])))
    rows, report = import_table(run, path)
    assert "avg_likes" not in rows[0]
    assert rules_of(report["sources"][0])["scale_lost"] == 1


# ---- what is no table ----


def test_paths_that_are_no_tables_are_errors(run, tmp_path):
    assert "No such file" in refused(run, tmp_path / "nothing.csv")
    assert "is a directory" in refused(run, tmp_path)
    os.mkfifo(tmp_path / "fifo")
    assert "not a regular file" in refused(run, tmp_path / "fifo", timeout=10)
    (tmp_path / "empty.csv").touch()
    assert "is empty" in refused(run, tmp_path / "empty.csv")
    (tmp_path / "header.csv").write_text("handle,followers\n", encoding="utf-8")
    assert "header and no rows" in refused(run, tmp_path / "header.csv")
    assert "is no month" in refused(run, f"{tmp_path}/header.csv@2022-13")


def test_a_table_without_known_columns_says_what_it_needs(run, tmp_path):
    (tmp_path / "posts.csv").write_text("username,caption,likes\na,b,1\n", encoding="utf-8")
    message = refused(run, tmp_path / "posts.csv")
    assert "needs a column of followers" in message
    assert "'caption'" in message


def bounded():
    resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))


@pytest.mark.skipif("INFLUENCE_SANITIZER" in os.environ, reason="sanitizers reserve address space")
def test_a_line_of_a_gigabyte_is_refused_in_bounded_memory(run, tmp_path):
    sparse = tmp_path / "sparse.csv"
    sparse.write_text("handle,followers\na,1\n", encoding="utf-8")
    os.truncate(sparse, 1 << 30)
    packed = tmp_path / "packed.csv.gz"
    with gzip.open(packed, "wb", compresslevel=1) as out:
        out.write(b"handle,followers\na,1\n")
        for _ in range(1024):
            out.write(b"x" * (1 << 20))
    for path in (sparse, packed):
        message = refused(run, path, preexec_fn=bounded, timeout=60)
        assert "line 3: a field has more than 1048576 bytes" in message


def test_a_full_disk_is_an_error(run):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = run("import", GOLDEN / "messy.csv", "--csv", "/dev/full", check=False)
        assert done.returncode == 1
        assert "No space left" in done.stderr
        assert full


def test_wrong_usage_is_status_2(run):
    assert run("import", check=False).returncode == 2
    assert run("import", "--nonsense", check=False).returncode == 2
    assert "FILE[@YYYY-MM]" in run("import", "--help").stdout


def test_a_users_table_teaches_new_headers(run, tmp_path):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/agency.ini").write_text(
        "[table]\nname = agency\n[columns]\nwho = handle\nreach = followers thousands\n", encoding="utf-8"
    )
    (tmp_path / "table.csv").write_text("who,reach\nann.b,12.5\ncleo.d,3\n", encoding="utf-8")
    assert "needs a column of followers" in refused(run, tmp_path / "table.csv")
    rows, report = import_table(run, tmp_path / "table.csv", options=("--schemas", tmp_path / "schemas"))
    assert [row["followers"] for row in rows] == ["12500", "3000"]
    assert report["sources"][0]["schema"] == "agency"
    (tmp_path / "schemas/agency.ini").write_text("[columns]\nwho = nobody\n", encoding="utf-8")
    done = run("import", tmp_path / "table.csv", "--schemas", tmp_path / "schemas", check=False)
    assert "agency.ini:2: 'nobody' is no field" in done.stderr


# ---- snapshots ----


def test_snapshots_join_by_handle(run, demo):
    rows, report = import_table(
        run, f"{demo}/snapshot-2025-03.csv@2025-03", f"{demo}/snapshot-2025-06.csv@2025-06"
    )
    assert {row["snapshot"] for row in rows} == {"2025-06"}
    assert all(row["previous_months"] == "3" for row in rows if row["previous_followers"])
    assert sum(row["previous_followers"] != "" for row in rows) > 0.9 * len(rows)
    assert {event["rule"] for event in report["events"]} >= {"snapshot_joined"}


# ---- the real data: counts and sums only ----

REAL = {
    # file: rows, kept, present values of some fields
    "top_insta_influencers_data.csv": (200, 200, {"recent_avg_likes": 192, "engagement_rate (fraction)": 199, "country": 138}),
    "smi2022_1mar.csv": (1000, 997, {"authentic_engagement": 989, "audience_country": 984}),
    "smi2022_2jun.csv": (1022, 979, {"authentic_engagement": 966, "audience_country": 964}),
    "smi2022_3aug_top1000.csv": (1000, 962, {"authentic_engagement": 943, "category": 884}),
    "smi2022_4sep.csv": (1050, 983, {"authentic_engagement": 979, "audience_country": 979}),
    "smi2022_5nov.csv": (1000, 998, {"authentic_engagement": 995, "category": 950}),
    "kim_influencers.txt": (33935, 33935, {"category": 33934, "following": 33935}),
    "derived_ig2017_profiles.csv": (978, 978, {"following": 977}),
    "derived_ig2019_profiles.csv": (1897, 1897, {"followers": 1896}),
    "fake_accounts_train.csv": (576, 576, {"fake": 576, "bio_length": 576}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_tables_import(run, shared_data, name):
    n_rows, n_kept, present = REAL[name]
    rows, report = import_table(run, shared_data / name)
    source = report["sources"][0]
    assert (source["rows"], source["kept"], len(rows)) == (n_rows, n_kept, n_kept)
    assert {field: sum(row[field] != "" for row in rows) for field in present} == present


def test_the_real_numbers_are_right(run, shared_data):
    rows, _ = import_table(run, shared_data / "top_insta_influencers_data.csv")
    followers = [float(row["followers"]) for row in rows]
    assert max(followers) == 475800000
    assert statistics.median(followers) == 50050000
    # total_likes = posts x avg_likes, as the data's README has it: every scale is right.
    ratio = statistics.median(
        float(r["total_likes"]) / float(r["posts"]) / float(r["avg_likes"]) for r in rows
    )
    assert ratio == pytest.approx(1.004, abs=5e-4)


# Largest and middle value of all rows as they stand in the files, computed without this importer.
REAL_SCALES = {
    "smi2022_1mar.csv": {"followers": (487.2e6, 14.55e6), "avg_engagement": (20.8e6, 533.75e3)},
    "smi2022_2jun.csv": {"followers": (523.3e6, 14.1e6), "avg_engagement": (13.2e6, 456.75e3)},
    "smi2022_3aug_top1000.csv": {"followers": (528.4e6, 14.1e6), "avg_engagement": (13.3e6, 463.3e3)},
    "smi2022_4sep.csv": {"followers": (546.6e6, 14.6e6), "avg_engagement": (12.7e6, 426.25e3)},
    "smi2022_5nov.csv": {"followers": (549.3e6, 14.8e6), "authentic_engagement": (13.1e6, 336.45e3)},
    "kim_influencers.txt": {"followers": (96476007, 16125), "posts": (127520, 937)},
}


@pytest.mark.parametrize("name", REAL_SCALES)
def test_real_scales_are_right(run, shared_data, name):
    rows, _ = import_table(run, shared_data / name)
    for field, (largest, middle) in REAL_SCALES[name].items():
        values = [float(row[field]) for row in rows if row[field]]
        # Duplicated rows are gone, which moves the middle a little.
        assert max(values) == largest and statistics.median(values) == pytest.approx(middle, rel=0.08)


def test_real_dirt_is_found(run, shared_data):
    _, report = import_table(run, shared_data / "smi2022_2jun.csv")
    assert rules_of(report["sources"][0])["row_shifted"] == 16
    rows, report = import_table(run, shared_data / "smi2022_3aug_top1000.csv")
    assert rules_of(report["sources"][0])["category_fused"] == 300
    assert len({row["category"] for row in rows}) < 40
    _, report = import_table(run, shared_data / "kim_influencers.txt")
    assert rules_of(report["sources"][0]) == {"rule_line": 1, "category_typo": 2, "category_unknown": 1}
    _, report = import_table(
        run, f"{shared_data}/derived_ig2017_profiles.csv@2017-04", f"{shared_data}/derived_ig2019_profiles.csv@2019-04"
    )
    joined = rules_of(report)
    assert (joined["snapshot_joined"], joined["handle_reassigned"]) == (928, 32)


def test_real_copies_agree_with_their_originals(run, shared_data):
    variants = shared_data / "variants"
    pairs = {
        "top_insta_lf.csv": "top_insta_influencers_data.csv",
        "top_insta_nan_spelt.csv": "top_insta_influencers_data.csv",
        "smi2022_mar_lotenn.csv": "smi2022_1mar.csv",
        "smi2022_altered_1mar.csv": "smi2022_1mar.csv",
    }
    assert {path.name for path in variants.iterdir()} == set(pairs)
    for copy, original in pairs.items():
        assert import_table(run, variants / copy)[0] == import_table(run, shared_data / original)[0], copy


@pytest.mark.parametrize(
    ("name", "hint"),
    [("instagram_reach_99posts.csv", None), ("derived_kim_posts.csv", "--posts FILE"), ("derived_kim_edges.csv", "--edges FILE"),
     ("derived_folds_n200.csv", None), ("derived_top100_follow_edges.csv", "--edges FILE"),
     ("derived_ig2019_posts.csv", "--posts FILE"), ("derived_kim_brand_edges.csv", "--edges FILE")],
)
def test_real_files_that_hold_no_profiles_are_refused(run, shared_data, name, hint):
    message = refused(run, shared_data / name)
    assert "no table of profiles" in message
    assert hint in message if hint else "beside a table of profiles" not in message


def test_demo_posts_and_edges_given_as_profiles_are_told_their_place(run, demo):
    assert "give them beside a table of profiles: --posts FILE" in refused(run, demo / "posts.csv")
    assert "give them beside a table of profiles: --edges FILE" in refused(run, demo / "edges.csv")


def test_files_with_and_without_a_month_do_not_mix(run, demo):
    done = run("import", f"{demo / 'snapshot-2025-06.csv'}@2025-06", demo / "profiles.csv", check=False)
    assert done.returncode == 1 and "give every file its month" in done.stderr
