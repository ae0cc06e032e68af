"""Two results side by side: what changed, image by image and on the whole, and the verdict on it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from builders import summarized
from two_results import BASE, NAMES, ONE, THREE, hard, made, random_pair, score

from softdice_cli.comparison import compare, intervals, judge, kinds_of
from softdice_cli.errors import ConfigError
from softdice_cli.render.compare import render_comparison, verdict_text
from softdice_cli.scores import score_image


def test_hand_values():
    a = hard((10, 10, 8), (10, 10, 6), (10, 10, 5), (0, 0, 0), (0, 4, 0))  # Dice .8, .6, .5, undefined, 0
    b = hard((10, 10, 9), (10, 10, 6), (10, 10, 3), (0, 2, 0), (0, 0, 0))  # Dice .9, .6, .3, 0, undefined
    c = compare(a, b, resamples=500)
    pooled, mean = score(c, name="cell"), score(c, average="image_mean", name="cell")
    assert (pooled.a, pooled.b) == (2 * 19 / 64, 2 * 18 / 62)
    assert pooled.difference == pooled.b - pooled.a
    assert mean.a == pytest.approx((0.8 + 0.6 + 0.5 + 0) / 4)
    assert mean.b == pytest.approx((0.9 + 0.6 + 0.3 + 0) / 4)
    for s in (pooled, mean):  # undefined on one side: neither better, nor worse, nor tied
        assert (s.better, s.worse, s.tied, s.undefined) == (1, 1, 1, 2)
    # the soft score is never undefined, and worse means higher for the loss: i0 and i4 are better, i2 and i3 worse
    for metric in ("soft_dice", "loss"):
        s = score(c, metric, name="cell")
        assert (s.better, s.worse, s.tied, s.undefined) == (2, 2, 1, 0)
    assert [(i.id, round(i.difference, 9), i.class_name) for i in c.changed] == [
        ("i2", -0.2, "cell"),
        ("i0", 0.1, "cell"),
    ]


def test_a_lower_loss_is_better():
    a, b = hard((10, 10, 5), (10, 10, 5), (10, 10, 5)), hard((10, 10, 6), (10, 10, 7), (10, 10, 4))
    for metric in ("dice", "soft_dice", "loss"):
        s = score(compare(a, b, resamples=100), metric)
        assert (s.better, s.worse, s.tied) == (2, 1, 0)
        assert (s.difference > 0) is (metric != "loss")


def test_the_values_are_those_of_the_results():
    a, b = random_pair(12)
    c = compare(a, b, resamples=100)
    for s in c.scores:
        for results, value in ((a, s.a), (b, s.b)):
            summary = getattr(results, s.average)
            parts = {k.name: k for k in summary.classes} | {
                "mean": summary.means,
                "foreground mean": summary.foreground,
            }
            assert value == getattr(parts[s.name], s.metric)
        assert s.better + s.worse + s.tied + s.undefined == 12
    assert [s.name for s in c.scores[:5]] == [*NAMES, "mean", "foreground mean"]
    assert len(c.scores) == len(kinds_of()) * 5


def test_the_images_that_changed_most():
    a, b = random_pair(30)
    c = compare(a, b, resamples=100, worst=4)
    sizes = {}
    for x, y in zip(a.images, b.images, strict=True):
        means = [[s.dice for s in score_image(THREE, row) if s.dice is not None] for row in (x, y)]
        if all(means):
            sizes[x.id] = np.mean(means[1]) - np.mean(means[0])
    expected = sorted(sizes, key=lambda name: -abs(sizes[name]))[:4]
    assert [i.id for i in c.changed] == expected
    for change in c.changed:
        assert change.difference == pytest.approx(sizes[change.id], abs=1e-12)
    assert compare(a, b, resamples=100, worst=0).changed == ()


def test_the_class_behind_a_change_may_be_undefined_in_one_of_them():
    """The false positive of "pole" went, and lifts the mean from .6 to .85, although "tree" lost a little."""
    a = made(THREE, [[(9.0, 8.0, 10, 10, 9), (9.0, 8.0, 10, 10, 9), (0.5, 0.0, 0, 5, 0)]] * 2)
    b = made(THREE, [[(9.0, 8.0, 10, 10, 9), (9.0, 8.0, 10, 10, 8), (0.5, 0.0, 0, 0, 0)]] * 2)
    change = compare(a, b, resamples=100).changed[0]
    assert (change.a, change.b) == (pytest.approx(0.6), pytest.approx(0.85))
    assert (change.class_name, change.class_a, change.class_b) == ("pole", 0.0, None)


def test_the_only_class_of_an_image_explains_its_change():
    """Without "tree" there is no mean left that could have changed."""
    a = made(THREE, [[(0.0, 0.0, 0, 0, 0), (9.0, 8.0, 10, 10, 9), (0.0, 0.0, 0, 0, 0)]] * 2)
    b = made(THREE, [[(0.0, 0.0, 0, 0, 0), (9.0, 8.0, 10, 10, 5), (0.0, 0.0, 0, 0, 0)]] * 2)
    change = compare(a, b, resamples=100).changed[0]
    assert (change.class_name, change.class_a, change.class_b) == ("tree", 0.9, 0.5)


@pytest.mark.parametrize("seed", range(4))
def test_the_class_without_which_an_image_would_have_changed_least(seed):
    a, b = random_pair(40, seed)
    rows = {x.id: (x, y) for x, y in zip(a.images, b.images, strict=True)}
    changed = compare(a, b, resamples=100, worst=40).changed
    assert len(changed) > 30
    for change in changed:
        scores = [[of.dice for of in score_image(THREE, row)] for row in rows[change.id]]
        left = []
        for out in range(3):
            means = []
            for side in scores:
                kept = [value for place, value in enumerate(side) if place != out and value is not None]
                means.append(np.mean(kept) if kept else math.nan)
            left.append(np.nan_to_num(abs(means[1] - means[0])))
        place = NAMES.index(change.class_name)
        assert left[place] == pytest.approx(min(left), abs=1e-12)
        assert [change.class_a, change.class_b] == [side[place] for side in scores]


def test_rounding_is_not_a_change():
    """The sum of 0.1, 0.2 and 0.3 differs in its last digit from that of 0.3, 0.2 and 0.1."""
    table = [(5.0, hits, 10, 10, hits) for hits in (1, 2, 3)]
    a, b = made(THREE, [table] * 2), made(THREE, [table[::-1]] * 2)
    c = compare(a, b, resamples=100)
    mean = score(c, average="image_mean")
    assert (mean.better, mean.worse, mean.tied) == (0, 0, 2)
    assert c.changed == ()


def test_scopes():
    c = compare(BASE, BASE, resamples=100)
    assert [(s.scope, s.name) for s in c.scores[:2]] == [("class", "cell"), ("mean", "mean")]
    a, b = random_pair(2)
    shown = [(s.scope, s.name) for s in compare(a, b, resamples=100).scores[3:5]]
    assert shown == [("mean", "mean"), ("foreground", "foreground mean")]


@pytest.mark.parametrize("empty", ["skip", "one", "zero"])
def test_results_compared_with_themselves(empty):
    a, _ = random_pair(17)
    a = summarized(replace(a.settings, empty=empty), a.images)
    c = compare(a, a, resamples=300)
    for s in c.scores:
        assert (s.difference, s.interval.low, s.interval.high, s.p) == (0.0, 0.0, 0.0, 1.0)
        assert (s.better, s.worse, s.tied + s.undefined) == (0, 0, 17)
        assert s.undefined == 0 or empty == "skip"
    assert c.changed == ()
    assert judge(c).passed


def test_metrics_that_were_chosen_are_compared_in_both_averages():
    a, b = random_pair(8)
    c = compare(a, b, metrics=["recall", "accuracy"], resamples=100)
    kinds = list(dict.fromkeys((s.metric, s.average) for s in c.scores))
    # hard Dice is what verdicts and images are judged by
    assert kinds == [
        ("dice", "pooled"),
        ("recall", "pooled"),
        ("accuracy", "pooled"),
        ("recall", "image_mean"),
        ("accuracy", "image_mean"),
    ]
    assert [(s.scope, s.name) for s in c.scores if s.metric == "accuracy"] == [("mean", "all classes")] * 2
    for s in c.scores:
        for results, value in ((a, s.a), (b, s.b)):
            if s.scope == "mean":
                assert value == getattr(results, s.average).means.values[s.metric]
    with pytest.raises(ConfigError, match="'dise' is not a metric"):
        compare(a, b, metrics=["dise"])


def test_a_resample_in_which_a_class_is_undefined_does_not_count():
    rare = [[(9.0, 8.0, 10, 9, 8), (9.0, 8.0, 10, 9, 8), (0.0, 0.0, 0, 0, 0)] for _ in range(4)]
    rare[0][2] = (3.0, 2.0, 4, 3, 2)
    a = made(THREE, rare)
    c = compare(a, a, resamples=10_000)
    pole = score(c, name="pole")
    assert pole.interval.resamples == pytest.approx(10_000 * (1 - 0.75**4), abs=200)
    assert (pole.undefined, pole.tied, pole.permutations) == (3, 1, 10_000)
    assert score(c, name="mean").interval.resamples == 10_000  # over the classes that are defined
    assert score(c, "loss", name="pole").interval.resamples == 10_000
    text = render_comparison(c)
    assert "resamples: how many" in text
    assert str(pole.interval.resamples) in text


def test_an_absent_class_has_no_difference():
    a = made(THREE, [[(9.0, 8.0, 10, 9, 8), (9.0, 8.0, 10, 9, 8), (0.5, 0.0, 0, 0, 0)]] * 3)
    b = made(THREE, [[(9.0, 8.0, 10, 9, 8), (9.0, 8.0, 10, 9, 8), (0.5, 0.0, 0, 1, 0)]] * 3)
    c = compare(a, b, resamples=100)
    pole = score(c, name="pole")
    assert (pole.a, pole.b, pole.difference, pole.interval, pole.p, pole.undefined) == (None, 0.0, None, None, None, 3)
    assert pole.permutations == 0
    assert any("pole defined in B alone" in note for note in c.notes)
    assert "NaN" not in render_comparison(c, "json")


def test_one_image_has_no_interval_and_says_so():
    a, b = hard((10, 10, 8)), hard((10, 10, 5))
    c = compare(a, b)
    assert {(s.interval, s.p, s.permutations) for s in c.scores} == {(None, None, 0)}
    assert score(c).difference == pytest.approx(-0.3)
    assert "a single image cannot be resampled" in render_comparison(c)
    assert {s.interval for s in intervals(a)} == {None}
    verdict = judge(c)
    assert c.notes == ("a single image cannot be resampled: there are no intervals and no p-values",)
    # undefined never passes
    assert (verdict.passed, verdict.reason, verdict.value, verdict.operator) == (False, "undefined", None, ">=")
    assert "has no interval" in verdict_text(c, verdict)
    assert intervals(summarized(ONE, [])) == ()


def test_swapping_the_sides_mirrors_everything():
    a, b = random_pair(20)
    there, back = compare(a, b, resamples=400), compare(b, a, resamples=400)
    for s, t in zip(there.scores, back.scores, strict=True):
        assert (s.difference, s.p, s.better, s.worse, s.tied) == (-t.difference, t.p, t.worse, t.better, t.tied)
        assert (s.interval.low, s.interval.high) == pytest.approx((-t.interval.high, -t.interval.low), abs=1e-15)


@pytest.mark.parametrize(
    ("high", "effect", "passed"),
    [
        (-0.01, 0.0, False),  # the whole interval is below 0
        (0.0, 0.0, True),  # it reaches 0
        (-0.01, 0.02, True),  # below 0, and the drop does not matter
        (-0.01, 0.01, True),  # exactly at the bound
        (-0.010000001, 0.01, False),  # unrounded
        (-1e-9, 0.0, False),
    ],
)
def test_verdict(high, effect, passed):
    c = compare(BASE, BASE, resamples=100)
    mean = score(c)
    interval = replace(mean.interval, low=-0.05, high=high)
    c = replace(c, scores=tuple(replace(s, interval=interval) if s is mean else s for s in c.scores))
    verdict = judge(c, effect)
    assert (verdict.value, verdict.operator, verdict.bound) == (high, ">=", -effect)
    assert math.copysign(1.0, verdict.bound) == (-1.0 if effect else 1.0)
    # By default, nothing worse is let through.
    assert judge(c).passed is (high >= 0.0)
    assert verdict.passed is passed
    sentence = verdict_text(c, verdict)
    assert sentence.startswith("met" if passed else "not met")
    shown = float(sentence.split(", ")[1].split("]")[0]), float(sentence.rsplit(" ", 1)[1])
    assert (shown[0] >= shown[1]) is passed  # the printed digits explain it
