# SPDX-License-Identifier: Apache-2.0
"""influence predict on tables of more than one piece."""

import csv
import random

HEADER = "handle,followers,following,posts,avg_likes,country\n"


def lines(n):
    draw = random.Random(4)
    for i in range(n):
        followers = int(10 ** draw.uniform(3, 8))
        likes = f"{int(followers * 10 ** draw.gauss(-1.6, 0.4))}" if draw.random() < 0.9 else ""
        yield f"invented_{i},{followers},{draw.randint(1, 7000)},{draw.randint(1, 9000)},{likes},Norway\n"


def test_rows_of_later_pieces_get_the_answers_that_they_get_alone(run, hand_models, tmp_path):
    large, small = tmp_path / "large.csv", tmp_path / "small.csv"
    table = list(lines(218_000))
    large.write_text(HEADER + "".join(table))
    small.write_text(HEADER + "".join(table[-1000:]))
    together = run("predict", large, "--bundle", hand_models).stdout.splitlines()
    alone = run("predict", small, "--bundle", hand_models).stdout.splitlines()
    assert len(together) == 1 + len(table) and len(alone) == 1001
    assert together[0] == alone[0] and together[-1000:] == alone[1:]


def test_threads_change_nothing(run, hand_models, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(HEADER + "".join(lines(9_000)))
    one = run("predict", path, "--bundle", hand_models).stdout
    for n in (2, 5):
        assert run("predict", path, "--bundle", hand_models, "--threads", n).stdout == one
    assert run("predict", path, "--bundle", hand_models, "--threads", 0, check=False).returncode == 2


def test_an_account_of_an_earlier_piece_is_answered_once(run, hand_models, tmp_path):
    path = tmp_path / "again.csv"
    table = list(lines(205_000))
    path.write_text(HEADER + "".join(table) + table[17])
    done = run("predict", path, "--bundle", hand_models)
    assert len(done.stdout.splitlines()) == 1 + len(table)
    assert "1 of 205001 rows were set aside" in done.stderr


def test_rows_beyond_the_training_are_told(run, hand_models, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(HEADER + "".join(lines(40)))
    done = run("predict", path, "--bundle", hand_models, "--threads", 3)
    header, *rows = csv.reader(done.stdout.splitlines())
    n = sum(float(row[header.index("novelty")]) > 99 for row in rows)
    assert 0 < n <= 40
    assert f"careful: {n} of 40 rows are unlike nearly every account in training (novelty above 99)" in done.stderr
