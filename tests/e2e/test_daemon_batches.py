# SPDX-License-Identifier: Apache-2.0
"""Many profiles in one body: answered together, as each would be alone."""

import csv
import io
import random
import subprocess

import pytest
from conftest import BUILD, Daemon, once

CSV = {"Content-Type": "text/csv"}
COLUMNS = ["handle", "followers", "posts", "avg_likes", "following", "country", "category"]


@pytest.fixture(scope="module")
def boosted(tmp_path_factory):
    """A daemon over 300 trees of depth 6 and 33,935 accounts."""
    maker = BUILD / "tests/support/make-bundle"
    models = once(tmp_path_factory, "boosted-models",
                  lambda out: subprocess.run([maker, "--boosted", out], check=True, timeout=120))
    daemon = Daemon(models, tmp_path_factory.mktemp("daemon"))
    yield daemon
    daemon.stop()


def rows(n, seed=0):
    """Accounts of all sizes: with holes, with mistakes, and some that are no more than a handle."""
    draw = random.Random(seed)
    out = []
    for i in range(n):
        row = {
            "handle": f"invented {i}", "followers": int(10 ** draw.uniform(3, 8)), "posts": draw.randint(1, 9000),
            "avg_likes": int(10 ** draw.uniform(1, 6)), "following": draw.randint(0, 7500),
            "country": draw.choice(["Norway", "Chile", "Peru"]), "category": draw.choice(["music", "food", "x"]),
        }
        for field in draw.sample(COLUMNS[1:], draw.randint(0, 4)):
            del row[field]
        kind = draw.randrange(20)
        if kind == 0:
            row["followers"] = -3
        elif kind == 1:
            row = {"handle": f"demo_{draw.randrange(40000):04}"}
        out.append(row)
    return out


def as_csv(profiles):
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(profiles)
    return out.getvalue().encode()


def post_csv(daemon, route, body, **extra):
    status, headers, answer = daemon.request("POST", route, body, CSV | extra)
    assert status == 200 and headers.get_content_type() == "text/csv", answer[:300]
    return answer


def without_frame(answer):
    return {key: value for key, value in answer.items() if key not in ("model", "request_id")}


@pytest.mark.parametrize("route", ["/score", "/tier", "/cluster"])
def test_instances_get_the_answers_that_each_gets_alone(boosted, route):
    profiles = rows(150)
    status, together = boosted.post(route, {"instances": profiles})
    assert status == 200 and len(together["predictions"]) == len(profiles)
    n_refused = 0
    for profile, answer in zip(profiles, together["predictions"]):
        status, alone = boosted.post(route, profile)
        n_refused += status != 200
        if status == 200:
            assert without_frame(alone) == answer
        else:
            assert without_frame(alone["error"]) == without_frame(answer["error"])
    assert 0 < n_refused < 50


def test_explained_instances_get_the_answers_that_each_gets_alone(boosted):
    profiles = rows(5, seed=3)
    together = boosted.post("/score?explain=true", {"instances": profiles})[1]["predictions"]
    for profile, answer in zip(profiles, together):
        assert without_frame(boosted.post("/score?explain=true", profile)[1]) == answer


@pytest.mark.parametrize("route", ["/score", "/tier", "/cluster"])
def test_csv_rows_get_the_answers_that_each_gets_alone(boosted, route):
    profiles = rows(150, seed=1)
    together = post_csv(boosted, route, as_csv(profiles)).decode().splitlines()
    assert len(together) == 1 + len(profiles)
    for profile, line in zip(profiles, together[1:]):
        # The line of a mistake is told; it stands alone in line 2.
        alone = post_csv(boosted, route, as_csv([profile])).decode().splitlines()[1]
        assert alone == line
