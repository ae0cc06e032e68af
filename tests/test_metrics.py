"""The list of metrics: each by hand, what is undefined, and that everything follows from the list."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from builders import image_row, summarized
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, recall_score

from softdice_cli import evaluate
from softdice_cli.comparison.kinds import kinds_of
from softdice_cli.comparison.sums import Plan
from softdice_cli.errors import ConfigError
from softdice_cli.gates import judge, measure, parse_rule
from softdice_cli.gates.rules import NAMES
from softdice_cli.metrics import BY_NAME, METRICS, PER_CLASS
from softdice_cli.records import ClassDef, ClassSums, ImageRow, Run, Settings
from softdice_cli.scores import quantile, spread_of, summarize

# P, I, truth, predicted and true positives over 20 pixels
SUMS = ClassSums(7.0, 5.0, 8, 6, 4, 20)
NOTHING = ClassSums(0.0, 0.0, 0, 0, 0, 20)
EVERYTHING = ClassSums(20.0, 20.0, 20, 20, 20, 20)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss", -math.log((2 * 5 + 0.5) / (7 + 8 + 0.5))),
        ("soft_dice", (2 * 5 + 0.5) / (7 + 8 + 0.5)),
        ("dice", 2 * 4 / (6 + 8)),
        ("iou", 4 / (6 + 8 - 4)),
        ("precision", 4 / 6),
        ("recall", 4 / 8),
        # 20 - 8 negatives, of which 20 - 8 - 6 + 4 are rejected
        ("specificity", 10 / 12),
    ],
)
def test_hand_values(name, value):
    assert BY_NAME[name].score(SUMS, 0.5, None) == value


@pytest.mark.parametrize(
    "sums",
    [
        # P, I and Y, of which P differs from Y by less than a ratio near 1 can hold
        (1 + 2.0**-52, 1.0, 1),
        (1000 + 2.0**-43, 1000.0, 1000),
        (4096.0, 4096 - 2.0**-41, 4096),
        (10.0, 10 - 1e-9, 10),
        (1e6, 1e6 - 0.125, 1_000_000),
        # around the ratio from which on the logarithm is that of the gap
        (1000.0, 999.03, 1000),
        (1000.0, 999.02, 1000),
        (7.0, 3.0, 8),
        (3.0, 0.0, 0),
    ],
)
@pytest.mark.parametrize("eps", [1e-5, 1e-20, 1.0])
def test_the_loss_near_0_has_its_own_digits(sums, eps):
    probability, intersection, truth = sums
    found = BY_NAME["loss"].score(ClassSums(probability, intersection, truth, 0, 0, 10**6), eps, None)
    numerator = 2 * Fraction(intersection) + Fraction(eps)
    denominator = Fraction(probability) + truth + Fraction(eps)
    with localcontext() as context:
        context.prec = 60
        ratio = numerator / denominator
        expected = float(-(Decimal(ratio.numerator) / Decimal(ratio.denominator)).ln())
    assert found == pytest.approx(expected, rel=1e-12, abs=0)
    # and the arrays of a comparison give the same, as far as the ratio goes
    settings = Settings(classes=(ClassDef("a", 1),), eps=eps)
    plan = Plan.of(settings, kinds_of(["loss"]))
    row = ImageRow("x", "p", "m", 10**6, 0, (ClassSums(probability, intersection, truth, truth, 0, 10**6),))
    scores = plan.scores(plan.columns(summarize(Run(settings=settings, rows=(row,))))[0])
    assert scores[0][0] == pytest.approx(found, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("pixels", [1, 3, 10**6, 10**15])
@pytest.mark.parametrize("eps", [1e-5, 1e-100])
def test_a_perfect_loss_is_0_and_not_below(pixels, eps):
    loss = BY_NAME["loss"].score(ClassSums(float(pixels), float(pixels), pixels, pixels, pixels, pixels), eps, None)
    assert (loss, math.copysign(1, loss)) == (0.0, 1.0)
    worse = math.nextafter(pixels, 0)
    assert BY_NAME["loss"].score(ClassSums(float(pixels), worse, pixels, pixels, pixels, pixels), eps, None) > 0


def test_every_metric_has_a_hand_value_and_unique_names():
    names = [metric.name for metric in METRICS]
    assert sorted(names) == sorted([*(metric.name for metric in PER_CLASS), "accuracy"])
    assert len({metric.title for metric in METRICS}) == len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "sums"),
    [("dice", NOTHING), ("iou", NOTHING), ("precision", NOTHING), ("recall", NOTHING), ("specificity", EVERYTHING)],
)
def test_nothing_by_nothing_is_undefined_unless_the_settings_say_otherwise(name, sums):
    assert BY_NAME[name].score(sums, 1e-5, None) is None
    assert BY_NAME[name].score(sums, 1e-5, 1.0) == 1.0
    # 0/0 and not 0/n: the other end of the range is defined
    assert BY_NAME[name].score(NOTHING if sums is EVERYTHING else EVERYTHING, 1e-5, None) == 1.0


def test_accuracy_is_of_all_classes_together():
    two = [ClassSums(0, 0, 12, 11, 9, 20), ClassSums(0, 0, 8, 9, 6, 20)]
    assert BY_NAME["accuracy"].score(two, 1e-5, None) == 15 / 20
    # of a single class, the pixels that are rejected rightly count as well
    assert BY_NAME["accuracy"].score([SUMS], 1e-5, None) == (4 + 10) / 20


def test_specificity_and_accuracy_are_those_of_scikit_learn(tmp_path):
    rng = np.random.default_rng(4)
    pairs, pixels = [], []
    for index in range(3):
        raw = rng.random((4, 9, 11 + index))
        truth = rng.integers(0, 4, raw.shape[1:]).astype(np.uint8)
        truth[0, :3] = 255
        np.save(tmp_path / f"p{index}.npy", (raw / raw.sum(0)).astype(np.float32))
        np.save(tmp_path / f"m{index}.npy", truth)
        pairs.append((tmp_path / f"p{index}.npy", tmp_path / f"m{index}.npy"))
        pixels.append((truth[truth < 4], raw.argmax(0)[truth < 4]))
    results = evaluate(pairs, settings=Settings(ignore=(255,)))
    truth, decided = (np.concatenate(parts) for parts in zip(*pixels, strict=True))
    for index, scores in enumerate(results.pooled.classes):
        # specificity is the recall of what is not the class
        assert scores.specificity == recall_score(truth == index, decided == index, pos_label=False)
    assert results.pooled.means.accuracy == accuracy_score(truth, decided)
    images = [accuracy_score(*image) for image in pixels]
    assert results.image_mean.means.accuracy == pytest.approx(math.fsum(images) / 3, abs=1e-15)
    assert results.image_mean.means.defined["accuracy"] == 3
    assert results.image_mean.means.spread["accuracy"].sd == pytest.approx(np.std(images, ddof=1), abs=1e-15)


def test_rules_are_about_every_metric():
    assert set(NAMES) == {*BY_NAME, "loss_present"}
    classes = Settings(classes=(ClassDef("a", 0), ClassDef("b", 1)))
    rows = [image_row("x", (12, 9, 12, 11, 9), (8, 6, 8, 9, 6)), image_row("y", (12, 9, 12, 12, 12), (8, 6, 8, 8, 8))]
    results = summarized(classes, rows)
    assert measure(results, parse_rule("accuracy>0").score) == 35 / 40
    assert measure(results, parse_rule("image_min:accuracy>0").score) == 15 / 20
    assert measure(results, parse_rule("image_mean:accuracy>0").score) == (15 / 20 + 1) / 2
    assert measure(results, parse_rule("specificity[b]>0").score) == (24 - 3) / 24
    (verdict,) = judge(results, [parse_rule("image_min:accuracy>=0.8")])
    assert (verdict.passed, verdict.images) == (False, ("x",))
    with pytest.raises(ConfigError, match="at character 9") as caught:
        parse_rule("accuracy[b]>=0.5")
    assert caught.value.expected == "no class: accuracy is of all classes together"


@pytest.mark.parametrize(
    "values", [[0.8], [0.8, 0.9], [0.1, 0.8, 0.2, 0.4], [0.25, 0.5, 0.75, 1.0, 0.125], [0.3] * 101]
)
def test_spread_is_that_of_numpy(values):
    spread = spread_of(values)
    quartiles = np.quantile(values, [0.25, 0.5, 0.75])
    assert (spread.q1, spread.median, spread.q3) == pytest.approx(tuple(quartiles), abs=1e-15)
    if len(values) == 1:
        assert spread.sd is None
    else:
        assert spread.sd == pytest.approx(np.std(values, ddof=1), abs=1e-15)


def exact_quantile(ordered, part: int, whole: int) -> Fraction:
    place, rest = divmod(part * (len(ordered) - 1), whole)
    below, above = (Fraction(ordered[min(index, len(ordered) - 1)]) for index in (place, place + 1))
    return below + (above - below) * Fraction(rest, whole)


@pytest.mark.parametrize("percent", [0, 1, 5, 25, 29, 50, 57, 58, 75, 99, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 100, 101])
def test_a_quantile_between_equal_neighbours_is_their_value(percent, count):
    for value in (0.8, 0.1, 1 / 3, 5e-324, -12.5):
        assert quantile([value] * count, percent, 100) == value
    results = summarized(
        Settings(classes=(ClassDef("a", 0),)),
        [image_row(f"{index:03}", (4, 4, 5, 5, 4)) for index in range(count)],
    )
    assert results.image_mean.classes[0].dice == pytest.approx(0.8)
    if 0 < percent < 100:
        (verdict,) = judge(results, [parse_rule(f"image_p{percent:02}:dice>=0.8")])
        assert (verdict.passed, verdict.value) == (True, 0.8)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60), st.integers(0, 100), st.integers(0, 100))
def test_a_quantile_is_the_exact_one_rounded_once(values, one, other):
    ordered = sorted(values)
    low, high = (quantile(ordered, percent, 100) for percent in sorted((one, other)))
    # in order, between their neighbours, and as near as float64 can be
    assert low <= high
    place = one * (len(ordered) - 1) // 100
    assert ordered[place] <= quantile(ordered, one, 100) <= ordered[min(place + 1, len(ordered) - 1)]
    assert quantile(ordered, one, 100) == float(exact_quantile(ordered, one, 100))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.integers(0, 100))
def test_a_quantile_is_that_of_numpy_but_for_the_last_digits(values, percent):
    assert quantile(sorted(values), percent, 100) == pytest.approx(np.quantile(values, percent / 100), abs=1e-14)


def test_the_spread_of_a_class_is_over_the_images_where_it_is_defined():
    settings = Settings(classes=(ClassDef("a", 0), ClassDef("b", 1)))
    rows = [
        image_row("x", (4, 4, 4, 4, 4), (4, 2, 4, 4, 2)),
        image_row("y", (4, 4, 4, 4, 4), (4, 4, 4, 4, 4)),
        image_row("z", (8, 8, 8, 8, 8), (0, 0, 0, 0, 0)),
    ]
    b = summarized(settings, rows).image_mean.classes[1]
    assert (b.defined["dice"], b.defined["loss"]) == (2, 3)
    assert (b.spread["dice"].q1, b.spread["dice"].median, b.spread["dice"].q3) == (0.625, 0.75, 0.875)
    assert b.spread["dice"].sd == pytest.approx(math.sqrt(0.125))
    # the spread of the mean is that of the means of the images over their own classes: 0.75, 1 and 1
    means = summarized(settings, rows).image_mean.means
    assert (means.dice, means.spread["dice"].median) == ((1 + 0.75) / 2, 1.0)
    # and it says which mean it is around, which is another one where an image lacks a class
    assert means.spread["dice"].mean == (0.75 + 1 + 1) / 3
    assert b.spread["dice"].mean == b.dice
    assert means.spread["dice"].q1 == 0.875
    foreground = summarized(settings, rows).image_mean.foreground
    assert (foreground.spread["dice"].q1, foreground.spread["dice"].median) == (0.625, 0.75)
    nowhere = summarized(settings, [replace(row, sums=(row.sums[0], NOTHING)) for row in rows]).image_mean.classes[1]
    assert nowhere.spread["dice"].median is None
    assert nowhere.dice is None
