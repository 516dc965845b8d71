# SPDX-License-Identifier: Apache-2.0
"""What is asked for and cannot be had is refused by name before anything is learned."""

import pytest

# Stages that take time: none of them may have begun.
LATE = ("network", "score models", "tier models", "growth models", "cross-validation")
NOTHING_LEFT = "size,engagement,activity,growth,content,category,country,audience_country,extra"
OF_NUMBERS = ("constant", "ridge", "boosting_lad")
OF_CLASSES = ("prior", "softmax", "forest_balanced")

WORDS = [
    (("--models", "ridge risge"), ("--models", "'risge'", *OF_NUMBERS)),
    (("--models", ""), ("--models", "names no model", *OF_NUMBERS)),
    (("--models", "softmax"), ("--models", "'softmax' learns classes", *OF_NUMBERS)),
    (("--target", "category", "--models", "ridge"), ("--models", "'ridge' learns numbers", *OF_CLASSES)),
    (("--target", "nowhere"), ("'nowhere'", "it has: handle")),
    (("--features", "nowhere"), ("--features", "'nowhere'")),
    (("--target", "category", "--features", "followers,nowhere"), ("--features", "'nowhere'")),
    (("--features", "followers,posts_per_week"), ("--features", "'posts_per_week'", "no row")),
    (("--features", "hashtags"), ("--features", "'hashtags'", "no row")),
    (("--exclude", NOTHING_LEFT), ("no usable columns",)),
    (("--target", "category", "--exclude", NOTHING_LEFT), ("no usable columns",)),
    (("--where", "followers"), ("--where", "'followers'", "condition")),
    (("--where", "nowhere>3"), ("--where", "'nowhere'")),
    (("--group", "nowhere"), ("--group", "'nowhere'")),
    (("--monotone", "nowhere=+1"), ("--monotone", "'nowhere'")),
]

OF_EVALUATE = [
    (("--select", "auc"), ("--select", "'auc'")),
    (("--scored", "nowhere>3"), ("--scored", "'nowhere'")),
    (("--time", "nowhere"), ("--time", "'nowhere'")),
]

OF_TRAIN = [
    (("--score.models=ridge risge",), ("score.models", "'risge'", *OF_NUMBERS)),
    (("--tier.models=prior ridge",), ("tier.models", "'ridge' learns numbers", *OF_CLASSES)),
    (("--growth.models=prior",), ("growth.models", "'prior' learns classes")),
    (("--network.models=risge",), ("network.models", "'risge'")),
    (("--tier.by=column", "--tier.column=nowhere"), ("'nowhere'",)),
    (("--target", "composite", "--models", "ridge"), ("--models", "formula")),
]


def check(run, command, demo, options, sentences):
    done = run(command, demo / "profiles.csv", *options, check=False)
    assert done.returncode == 1
    assert all(sentence in done.stderr for sentence in sentences), done.stderr
    assert not [stage for stage in LATE if f"{stage}\n" in done.stderr]


@pytest.mark.parametrize(("options", "sentences"), WORDS + OF_EVALUATE)
def test_evaluate_refuses_before_it_learns(run, demo, options, sentences):
    target = () if "--target" in options else ("--target", "influence_score")
    check(run, "evaluate", demo, (*target, *options), sentences)


@pytest.mark.parametrize(("options", "sentences"), WORDS + OF_TRAIN)
def test_train_refuses_before_it_learns(run, demo, tmp_path, options, sentences):
    check(run, "train", demo, (*options, "--out", tmp_path / "models"), sentences)
    assert not (tmp_path / "models").exists()


def test_a_place_that_cannot_hold_models_is_refused_first(run, demo, tmp_path):
    (tmp_path / "file").write_text("here", encoding="utf-8")
    for place in (tmp_path / "file", tmp_path / "file" / "models", "/proc/models"):
        check(run, "train", demo, ("--out", place), (str(place).removesuffix("/models"),))
