"""Intervals and p-values beside SciPy's, exact sums, and digits that only the seed decides."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from builders import summarized
from scipy import stats
from two_results import THREE, hard, random_pair, score

from softdice_cli.comparison import compare, intervals, kinds_of, resampling
from softdice_cli.comparison.kinds import values_of
from softdice_cli.comparison.resampling import Grid, PermutationTest, draws, flips, percentiles
from softdice_cli.comparison.sums import Plan
from softdice_cli.metrics import METRICS
from softdice_cli.records import Results, Settings


def sums(results: Results) -> np.ndarray:
    """(5, classes, images): P, I, truth, predicted, true positives."""
    names = ("probability", "intersection", "truth", "predicted", "true_positives")
    return np.array([[[getattr(s, n) for s in row.sums] for row in results.images] for n in names], float).swapaxes(
        1, 2
    )


def dice(table, axis):
    total = table.sum(axis=axis)
    return np.mean(2 * total[4] / (total[2] + total[3]), axis=0)


def soft(table, axis):
    p, i, y = table[:3].sum(axis=axis)
    return np.mean((2 * i + 1e-5) / (p + y + 1e-5), axis=0)


def loss(table, axis):
    p, i, y = table[:3].sum(axis=axis)
    return np.mean(-np.log((2 * i + 1e-5) / (p + y + 1e-5)), axis=0)


def image_mean(table, axis):
    with np.errstate(invalid="ignore"):
        own = 2 * table[4] / (table[2] + table[3])
    return np.mean(np.nanmean(own, axis=axis), axis=0)


STATISTICS = [("dice", "pooled", dice), ("soft_dice", "pooled", soft), ("loss", "pooled", loss),
              ("dice", "image_mean", image_mean)]  # fmt: skip


class Fed(np.random.Generator):
    """A generator that gives SciPy the very indices that ours draws."""

    def __init__(self, indices):
        super().__init__(np.random.PCG64())
        self.indices = indices

    def integers(self, low, high=None, size=None, **_):
        assert size == self.indices.shape
        return self.indices


def scipy_interval(a, b, statistic, rng, resamples):
    tables = sums(a), sums(b)

    def difference(index, axis=-1):
        x, y = (statistic(t[..., index.astype(int)], -1) for t in tables)
        return y - x

    done = stats.bootstrap(
        (np.arange(len(a.images)),), difference, n_resamples=resamples, method="percentile", vectorized=True, rng=rng
    )
    return done.confidence_interval


@pytest.mark.parametrize(("metric", "average", "statistic"), STATISTICS)
def test_intervals_are_scipys_on_the_same_draws(metric, average, statistic):
    a, b = random_pair(40, shift=0.05)
    indices = np.concatenate(list(draws(40, 999, 3)))
    theirs = scipy_interval(a, b, statistic, Fed(indices), 999)
    ours = score(compare(a, b, resamples=999, seed=3), metric, average).interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=1e-12)
    assert ours.resamples == 999


@pytest.mark.parametrize(("metric", "average", "statistic"), STATISTICS)
def test_intervals_are_scipys_on_its_own_draws(metric, average, statistic):
    a, b = random_pair(40, shift=0.05)
    theirs = scipy_interval(a, b, statistic, np.random.default_rng(1), 20_000)
    ours = score(compare(a, b, resamples=20_000), metric, average).interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.05 * (theirs.high - theirs.low))


def test_paired_samples_as_scipy_pairs_them():
    a, b = random_pair(25)
    (_, _, t, p, tp), (_, _, t2, p2, tp2) = (table[:, 0] for table in (sums(a), sums(b)))

    def difference(tp, d, tp2, d2, axis=-1):
        return 2 * tp2.sum(axis) / d2.sum(axis) - 2 * tp.sum(axis) / d.sum(axis)

    fed = Fed(np.concatenate(list(draws(25, 999, 0))))
    theirs = stats.bootstrap(
        (tp, t + p, tp2, t2 + p2),
        difference,
        paired=True,
        method="percentile",
        vectorized=True,
        n_resamples=999,
        rng=fed,
    ).confidence_interval
    ours = score(compare(a, b, resamples=999), name="sky").interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=1e-12)


@pytest.mark.parametrize(("metric", "average", "statistic"), STATISTICS)
@pytest.mark.parametrize("shift", [0.0, 0.08])
def test_p_values_are_scipys_exact_ones(metric, average, statistic, shift):
    a, b = random_pair(9, shift=shift, absent=0.0)
    both = np.concatenate([sums(a), sums(b)], axis=-1)

    def difference(x, y, axis=-1):
        return statistic(both[..., y.astype(int)], -1) - statistic(both[..., x.astype(int)], -1)

    data = np.arange(9), np.arange(9) + 9
    theirs = stats.permutation_test(data, difference, permutation_type="samples", vectorized=True, n_resamples=np.inf)
    assert len(theirs.null_distribution) == 2**9
    ours = score(compare(a, b, resamples=50_000), metric, average)
    assert ours.p == pytest.approx(theirs.pvalue, abs=0.01)
    assert ours.permutations == 50_000


def test_a_p_value_is_never_zero():
    """(b + 1) / (n + 1): where no permutation reaches the difference, the observed order itself still counts."""
    a, b = hard(*[(10, 10, 5)] * 40), hard(*[(10, 10, 6)] * 40)
    for permutations in (100, 1000):
        change = score(compare(a, b, resamples=permutations), name="cell")
        assert change.p == 1 / (permutations + 1)
    assert score(compare(a, a, resamples=100), name="cell").p == 1.0


@pytest.mark.parametrize("metric", [metric.name for metric in METRICS])
@pytest.mark.parametrize(
    ("classes", "options"),
    [
        (3, {}),
        # what 0/0 counts as
        (3, {"empty": "one"}),
        (3, {"empty": "zero"}),
        # no background, so no foreground mean either
        (3, {"background": False}),
        # the fewest classes with and without a foreground mean
        (2, {}),
        (2, {"background": False}),
        (1, {"eps": 0.5}),
    ],
)
def test_resampled_scores_are_those_of_the_results_that_were_drawn(metric, classes, options):
    """Each draw of images, evaluated as results of its own, gives the scores that the columns give."""
    a, _ = random_pair(6, seed=3)
    settings = Settings(classes=THREE.classes[:classes], **options)
    a = summarized(settings, [replace(row, sums=row.sums[:classes]) for row in a.images])
    plan = Plan.of(a.settings, kinds_of([metric]))
    drawn = resampling.resampled(plan, plan.columns(a)[None], 100, 5)
    for number, indices in enumerate(np.concatenate(list(draws(6, 100, 5)))[:20]):
        rows = [replace(a.images[index], id=str(place)) for place, index in enumerate(indices)]
        again = summarized(a.settings, rows)
        for place, kind in enumerate(plan.kinds):
            expected = [math.nan if value is None else value for value in values_of(again, kind)]
            assert drawn[place][0, number] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_one_result_alone_has_scipys_intervals():
    a, _ = random_pair(40)
    table, indices = sums(a), np.concatenate(list(draws(40, 999, 3)))
    for metric, average, statistic in STATISTICS:
        theirs = stats.bootstrap(
            (np.arange(40),), lambda i, axis, s=statistic: s(table[..., i], -1), n_resamples=999,
            method="percentile", vectorized=True, rng=Fed(indices),
        ).confidence_interval  # fmt: skip
        ours = next(
            s
            for s in intervals(a, resamples=999, seed=3)
            if (s.metric, s.average, s.scope) == (metric, average, "mean")
        )
        assert (ours.interval.low, ours.interval.high) == pytest.approx(tuple(theirs), abs=1e-12)
        assert ours.interval.low <= ours.value <= ours.interval.high


def test_every_weighted_sum_is_exact():
    rng = np.random.default_rng(0)
    columns = rng.random((1, 50, 3)) * [1.0, 3e5, 1e-9]
    grid = Grid(columns)
    weights = rng.multinomial(50, [1 / 50] * 50, size=20).astype(float)
    read = grid.read(weights @ grid.parts[0])
    assert np.array_equal(read, grid.read(weights[:, ::-1] @ grid.parts[0][::-1]))  # any order
    for w, found in zip(weights, read, strict=True):
        for c in range(3):
            exact = sum(Fraction(x) * int(n) for x, n in zip(columns[0, :, c], w, strict=True))
            assert found[c] == pytest.approx(float(exact), rel=2e-16)


def test_the_seed_decides_every_digit_and_the_chunks_none(monkeypatch):
    a, b = random_pair(70)
    first = compare(a, b, resamples=1000, seed=5)
    monkeypatch.setattr(resampling, "CELLS", 70 * 7)
    assert compare(a, b, resamples=1000, seed=5) == first
    assert compare(a, b, resamples=1000, seed=6).scores != first.scores
    shuffled = summarized(b.settings, b.images[::-1])
    assert compare(a, shuffled, resamples=1000, seed=5) == first
    # the raw bits of PCG64 are promised by NumPy, so these stay
    assert next(draws(10, 1, 0))[0].tolist() == [6, 2, 0, 0, 8, 9, 6, 7, 5, 9]
    # and the bits behind each permutation, which begins with a new word
    assert next(flips(65, 2, 0)).astype(int)[:, [0, 1, 2, 3, 62, 63, 64]].tolist() == [
        [0, 0, 1, 0, 1, 1, 1],
        [1, 0, 1, 1, 0, 1, 1],
    ]


def test_only_so_many_images_are_held_at_once(monkeypatch):
    monkeypatch.setattr(resampling, "CELLS", 70)
    assert [drawn.shape for drawn in draws(10, 16, 0)] == [(7, 10), (7, 10), (2, 10)]
    assert [swapped.shape for swapped in flips(10, 16, 0)] == [(7, 10), (7, 10), (2, 10)]
    # a resample is never cut
    assert [drawn.shape for drawn in draws(71, 2, 0)] == [(1, 71), (1, 71)]


@pytest.mark.parametrize("images", [1, 2, 3, 4, 5, 64, 65])
def test_a_grid_uses_the_bits_that_sums_leave(images):
    """However large the weights, no sum of whole numbers exceeds 2^53, and no column is cut more than it has to be."""
    columns = np.full((2, images, 3), [0.999, 999e9, 0.1]) / np.arange(1, images + 1)[:, None]
    parts = Grid(columns).parts
    assert np.array_equal(parts, np.rint(parts))
    greatest = np.abs(parts).max(axis=(0, 1)) * images
    assert (greatest <= 2.0**53).all()
    # Within a factor of 2 for the mantissa, and another one where the number of images is not a power of 2.
    assert (greatest[:3] > 2.0**51).all()
    if images in (1, 2, 4, 64):
        assert greatest[0] > 2.0**52


def test_whole_numbers_have_no_low_part():
    columns = np.array([[[1.0, 0.1], [3.0, 0.2]]])
    assert Grid(columns).parts.shape == (1, 2, 3)


def test_the_bounds_of_an_interval_are_never_a_negative_zero():
    interval = percentiles([np.full((3, 1), -0.0)])(0, 0)
    assert [math.copysign(1.0, bound) for bound in (interval.low, interval.high)] == [1.0, 1.0]


def test_what_no_resample_defines_has_no_interval():
    drawn = np.array([[math.nan, 1.0], [math.nan, math.nan], [math.nan, 3.0]])
    interval = percentiles([drawn])
    assert interval(0, 0) is None
    assert interval(0, 1).resamples == 2


def p_of(observed: tuple[float, float], *permuted: tuple[float, float]) -> tuple[float | None, int]:
    """The p-value of scores that were observed in A and B, after permutations of them."""
    test = PermutationTest(*(np.array([score]) for score in observed))
    for a, b in permuted:
        test.add(np.array([[a]]), np.array([[b]]))
    return test.p(0)


@pytest.mark.parametrize(
    ("observed", "permuted", "reaches"),
    [
        # as large, larger, smaller, and on the other side
        ((0.1, 0.4), (0.1, 0.4), True),
        ((0.1, 0.4), (0.1, 0.5), True),
        ((0.1, 0.4), (0.1, 0.3), False),
        ((0.1, 0.4), (0.4, 0.1), True),
        # smaller by what may be rounding, relative to 1 or to the greater of the scores
        ((0.0, 0.3), (0.0, 0.3 - 0.9e-12), True),
        ((0.0, 0.3), (0.0, 0.3 - 1.1e-12), False),
        ((30.0, 10.0), (0.0, 20.0 - 2.9e-11), True),
        ((30.0, 10.0), (0.0, 20.0 - 3.1e-11), False),
        ((10.0, 30.0), (0.0, 20.0 - 2.9e-11), True),
        ((10.0, 30.0), (0.0, 20.0 - 3.1e-11), False),
        # at the bar itself
        ((0.0, 1.0), (0.0, 1.0 - 1e-12), True),
    ],
)
def test_which_permutations_reach_what_was_observed(observed, permuted, reaches):
    assert p_of(observed, permuted) == ((1 if reaches else 1 / 2), 1)


def test_permutations_without_a_difference_do_not_count():
    nan = math.nan
    assert p_of((0.1, 0.4), (0.1, nan), (0.1, 0.2), (0.1, 0.9)) == (2 / 3, 2)
    # without any that counts, or without a difference that was observed, there is no p-value
    assert p_of((0.1, 0.4), (nan, nan)) == (None, 0)
    assert p_of((0.1, nan), (0.1, 0.2)) == (None, 0)


def test_two_images_are_enough_for_an_interval():
    a, _ = random_pair(2, absent=0.0)
    assert all(entry.interval is not None for entry in intervals(a, resamples=100))


def test_defaults_are_those_of_the_documentation():
    a, b = random_pair(8)
    assert intervals(a) == intervals(a, resamples=10_000, seed=0)
    found = compare(a, b)
    assert (found.a, found.b, found.resamples, found.seed, len(found.changed)) == ("A", "B", 10_000, 0, 5)
    assert found == compare(a, b, resamples=10_000, seed=0, worst=5)
