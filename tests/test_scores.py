"""The definitions, by hand: sums → scores, pooled and per image."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from builders import image_row, summarized

from softdice_cli.records import ClassDef, ImageRow, Settings
from softdice_cli.scores import pool, score_image

TWO = Settings(classes=(ClassDef("a", 0), ClassDef("b", 1)))
THREE = Settings(classes=(ClassDef("a", 0), ClassDef("b", 1), ClassDef("c", 2)))


def row(*sums: tuple[float, float, int, int, int], id: str = "x") -> ImageRow:
    return image_row(id, *sums)


# P, I, truth, predicted, true positives of each class; the reference values are those of the design
T1 = row((1.1, 0.8, 1, 1, 1), (0.9, 0.7, 1, 1, 1))
T2 = row((2, 2, 2, 2, 2), (1, 1, 1, 1, 1), (0, 0, 0, 0, 0))
T3 = row((0.7, 0.6, 1, 1, 1), (0.4, 0.2, 1, 0, 0), (0.9, 0, 0, 1, 0))
T4 = (row((1.3, 0.9, 1, 1, 1), (0.7, 0.6, 1, 1, 1), id="x"), row((1.5, 1.5, 2, 2, 2), (0.5, 0, 0, 0, 0), id="y"))
T6 = row((1, 0.5, 1, 2, 1), (1, 0.5, 1, 0, 0))


@pytest.mark.parametrize(
    ("image", "settings", "losses", "dice"),
    [
        # T1: two pixels, both right
        (T1, TWO, [-math.log(0.761905895686211), -math.log(0.7368434902974195)], [1, 1]),
        # T2: perfect, class 2 absent and not predicted: soft Dice ε/ε = 1, hard Dice undefined
        (T2, THREE, [0, 0, 0], [1, 1, None]),
        # T3: class 2 absent but predicted on one pixel: a false positive counts as 0
        (T3, THREE, [0.34830424330524473, 1.2527451116394954, 11.407576060361786], [1, 0, 0]),
        # T6: ties go to the first class
        (T6, TWO, [0.6931421805974449, 0.6931421805974449], [2 / 3, 0]),
    ],
)
def test_hand_values(image, settings, losses, dice):
    results = summarized(settings, [image])
    assert [c.loss for c in results.pooled.classes] == pytest.approx(losses, rel=0, abs=1e-15)
    assert [c.dice for c in results.pooled.classes] == dice
    assert results.pooled.means.loss == pytest.approx(math.fsum(losses) / len(losses), abs=1e-15)
    assert score_image(settings, image) == results.pooled.classes


def test_pooled_sums_first_and_image_mean_ratio_first():
    results = summarized(TWO, T4)
    assert [c.loss for c in results.pooled.classes] == pytest.approx(
        [0.18924164044380992, 0.6061320157159193], abs=1e-15
    )
    assert results.pooled.means.loss == pytest.approx(0.39768682807986466, abs=1e-15)
    assert [c.dice for c in results.pooled.classes] == [1, 1]
    assert [[c.dice for c in image] for image in (score_image(TWO, row) for row in T4)] == [[1, 1], [1, None]]
    # class b is defined on one image only, and its mean says so
    assert [(c.dice, c.defined["dice"], c.defined["recall"]) for c in results.image_mean.classes] == [
        (1, 2, 2),
        (1, 1, 1),
    ]


@pytest.mark.parametrize(
    ("empty", "dice", "mean", "behind"),
    [
        ("skip", [1, 1, None], 1.0, 2),  # undefined, and left out of the mean
        ("one", [1, 1, 1], 1.0, 3),
        ("zero", [1, 1, 0], 2 / 3, 3),
    ],
)
def test_empty_changes_only_what_is_0_by_0(empty, dice, mean, behind):
    results = summarized(replace(THREE, empty=empty), [T2])
    assert [c.dice for c in results.pooled.classes] == dice
    assert results.pooled.means.dice == pytest.approx(mean)
    assert results.pooled.means.defined["dice"] == behind
    false_positive = summarized(replace(THREE, empty=empty), [T3]).pooled.classes[2]
    assert (false_positive.dice, false_positive.iou, false_positive.precision) == (0, 0, 0)


def test_iou_precision_and_recall_come_from_the_same_counts():
    scores = summarized(TWO, [row((5, 3, 8, 6, 4), (3, 1, 0, 2, 0))]).pooled.classes
    assert (scores[0].iou, scores[0].precision, scores[0].recall) == (4 / 10, 4 / 6, 4 / 8)
    assert (scores[1].dice, scores[1].precision, scores[1].recall) == (0, 0, None)


def test_means_say_what_they_are_over():
    pooled = summarized(THREE, [T3]).pooled
    assert pooled.foreground is not None
    assert pooled.foreground.dice == 0
    assert pooled.means.dice == pytest.approx(1 / 3)
    assert pooled.loss_present == pytest.approx((0.34830424330524473 + 1.2527451116394954) / 2)
    without = summarized(replace(THREE, background=False), [T3]).pooled
    assert [c.name for c in without.classes] == ["b", "c"]
    assert without.foreground is None
    assert without.means.dice == 0


def test_perfect_is_zero_and_not_minus_zero():
    assert math.copysign(1, summarized(THREE, [T2]).pooled.classes[0].loss) == 1


def test_no_image_gives_no_score():
    results = summarized(TWO, [])
    assert (results.pooled.classes, results.pooled.means.loss, results.complete) == ((), None, False)


def test_order_of_images_changes_no_digit():
    rng = random.Random(3)
    rows = [row((rng.random() * 10**rng.randint(-9, 9), rng.random(), 5, 5, 3), (rng.random(), 0.1, 4, 4, 2), id=str(i))
            for i in range(50)]  # fmt: skip
    expected = summarized(TWO, rows)
    for _ in range(10):
        rng.shuffle(rows)
        assert summarized(TWO, rows) == expected
    halves = [pool(r.sums for r in rows[:20]), pool(r.sums for r in rows[20:])]
    assert pool(halves)[0].truth == expected.pooled.classes[0].truth_pixels


def test_pooled_sums_are_rounded_once():
    """What adding one float after the other would lose: 0.1 ten times is 1, and 2⁵³ + 1 + 1 is 2⁵³ + 2."""
    tenths = [row((0.1, 0.1, 1, 1, 1), (0, 0, 0, 0, 0), id=str(i)) for i in range(10)]
    large = [row((p, 0.0, 1, 1, 1), (0, 0, 0, 0, 0), id=str(i)) for i, p in enumerate((2.0**53, 1.0, 1.0))]
    assert pool(image.sums for image in tenths)[0].probability == 1.0
    assert pool(image.sums for image in large)[0].probability == 2.0**53 + 2


def test_the_image_mean_of_what_is_present_leaves_out_images_without_the_class():
    """T4: class b is in the first image only, so its loss in the second hangs on ε."""
    first, second = (score_image(TWO, image) for image in T4)
    expected = ((first[0].loss + second[0].loss) / 2 + first[1].loss) / 2
    summary = summarized(TWO, T4).image_mean
    assert summary.loss_present == pytest.approx(expected, abs=1e-15)
    assert summary.means.loss > 2 * expected
