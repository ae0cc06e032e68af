"""Images drawn again, or swapped between the sides: percentile intervals and permutation p-values.

Every sum is exact (see `Grid`), and the random numbers are the raw bits of PCG64. So one seed gives
the same digits on every machine, except for the last digits of a logarithm, and a file compared
with itself differs by exactly nothing.

Sources: Efron & Tibshirani, An Introduction to the Bootstrap (1993), 13.3 (percentile interval);
Phipson & Smyth, Permutation p-values should never be zero (2010), for (b+1)/(n+1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from softdice_cli.comparison.kinds import kinds_of, targets, values_of
from softdice_cli.comparison.refusals import check_options
from softdice_cli.comparison.sums import Floats, Plan, over_the_same
from softdice_cli.records import Results
from softdice_cli.records.intervals import Interval, ScoreInterval
from softdice_cli.scores import quantile

IntervalAt = Callable[[int, int], Interval | None]
"""The interval of a kind and a target, by their places."""

PValueAt = Callable[[int, int], tuple[float | None, int]]
"""The p-value of a kind and a target, by their places, and how many permutations count for it."""

LEVEL = 0.95
"""How much of what was drawn lies within an interval."""

# Where such an interval begins and ends, as shares that are exact.
_ENDS = (1, 40), (39, 40)

ROUNDING = 1e-12
"""Differences up to here (relative to 1) are rounding, not change."""

CELLS = 2**22
"""How many image weights are held at once (32 MB); it changes no digit."""

# What follows the seed, so that draws and flips do not share their bits.
_BOOTSTRAP, _PERMUTATION = 0, 1


def intervals(
    results: Results, *, metrics: Sequence[str] | None = None, resamples: int = 10_000, seed: int = 0
) -> tuple[ScoreInterval, ...]:
    """Scores with their intervals, ordered by kind; within a kind, classes first, then means, then regions.

    Args:
        results: of any images. Without an image there are no scores, and with a single one there
            are no intervals.
        metrics: names of metrics; those that tables show by default.
        resamples: how many bootstrap resamples.
        seed: the same seed gives the same digits.

    Raises:
        ConfigError: there is no such metric, or `resamples` or `seed` is out of range.
    """
    check_options(resamples, seed, 0)
    plan = Plan.of(results.settings, kinds_of(metrics))
    if not results.images:
        return ()
    interval: IntervalAt = no_interval
    if len(results.images) > 1:
        drawn = resampled(plan, plan.columns(results)[None], resamples, seed)
        interval = percentiles([scores[0] for scores in drawn])
    found = []
    for place, kind in enumerate(plan.kinds):
        values = values_of(results, kind)
        for target, (scope, name) in enumerate(targets(results.settings, kind.metric)):
            found.append(
                ScoreInterval(
                    metric=kind.metric.name,
                    average=kind.average,
                    scope=scope,
                    name=name,
                    value=values[target],
                    interval=interval(place, target),
                )
            )
    return tuple(found)


class Grid:
    """Columns as whole numbers, so small that every weighted sum of them is exact in float64, in any order.

    A value x becomes high·2^-shift + low·2^-(shift + bits), where high and low are whole numbers up
    to 2^bits. Weights are whole and add up to at most n, so no sum exceeds n·2^bits ≤ 2^53. What is
    left of x is below 2^-(2·bits) of the greatest value of its column.

    Args:
        columns: ``(*S, n, M)``.

    Attributes:
        parts: ``(*S, n, M + W)``: the high part of each column, then the low parts of those W
            columns that have one.
    """

    def __init__(self, columns: Floats) -> None:
        # A sum of n whole numbers needs log2(n) bits more than each of them, and float64 holds 53.
        self._bits = 53 - (columns.shape[-2] - 1).bit_length()
        self._count = columns.shape[-1]
        greatest = np.abs(columns).reshape(-1, self._count).max(axis=0)
        # The greatest value of each column fills all its bits.
        self._shift = self._bits - np.frexp(greatest)[1]
        scaled = np.ldexp(columns, self._shift)
        high = np.rint(scaled)
        low = np.rint(np.ldexp(scaled - high, self._bits))
        # Columns of whole numbers, such as pixels, have no low part, and halve the work.
        self._wide = low.reshape(-1, self._count).any(axis=0)
        self.parts: Floats = np.concatenate([high, low[..., self._wide]], axis=-1)

    def read(self, sums: Floats) -> Floats:
        """Sums of the parts ``(*T, M + W)`` → sums of the columns ``(*T, M)``, each rounded once."""
        high: Floats = sums[..., : self._count].copy()
        high[..., self._wide] += np.ldexp(sums[..., self._count :], -self._bits)
        return np.asarray(np.ldexp(high, -self._shift), np.float64)


def _chunks(total: int, images: int) -> Iterator[int]:
    """How many resamples to hold at once, until all are done."""
    step = max(1, CELLS // images)
    for start in range(0, total, step):
        yield min(step, total - start)


def draws(images: int, resamples: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Indices of the images of each resample, ``(some, images)``."""
    bits = np.random.PCG64([seed, _BOOTSTRAP])
    shift = np.uint64(32)
    for count in _chunks(resamples, images):
        # A fraction of 32 bits times the number of images, cut down to a whole index.
        fractions = bits.random_raw(count * images) >> shift
        drawn = (fractions * np.uint64(images)) >> shift
        yield drawn.astype(np.intp).reshape(count, images)


def flips(images: int, permutations: int, seed: int) -> Iterator[Floats]:
    """Which images change sides in each permutation, 0 or 1, ``(some, images)``."""
    bits = np.random.PCG64([seed, _PERMUTATION])
    # Words of 64 bits, rounded up; each permutation begins with a new word.
    words = -(-images // 64)
    for count in _chunks(permutations, images):
        # The order of the bytes is set, so that every machine reads the same bits.
        raw = bits.random_raw(count * words).astype("<u8").view(np.uint8).reshape(count, -1)
        yield np.unpackbits(raw, axis=1)[:, :images].astype(np.float64)


def resampled(plan: Plan, columns: Floats, resamples: int, seed: int) -> list[Floats]:
    """The scores of every resample, of which all sides get the same images.

    Args:
        plan: which scores.
        columns: ``(sides, n, M)``, as the plan gives them.
        resamples: how many.
        seed: the same seed gives the same digits.

    Returns:
        For each kind ``(sides, resamples, targets)``.
    """
    sides, images, _ = columns.shape
    grid = Grid(columns)
    # (n, sides · parts), so that one product of matrices sums up both sides.
    flat = np.ascontiguousarray(np.moveaxis(grid.parts, 0, 1)).reshape(images, -1)
    done: list[list[Floats]] = [[] for _ in plan.kinds]
    for drawn in draws(images, resamples, seed):
        # How often each image was drawn, by one count over all resamples of this chunk.
        places = drawn + np.arange(len(drawn))[:, None] * images
        weights = np.bincount(places.ravel(), minlength=places.size).reshape(places.shape)
        sums = (weights.astype(np.float64) @ flat).reshape(len(drawn), sides, -1)
        for parts, scores in zip(done, plan.scores(grid.read(sums)), strict=True):
            parts.append(scores)
    return [np.moveaxis(np.concatenate(parts), 1, 0) for parts in done]


def percentiles(drawn: Sequence[Floats]) -> IntervalAt:
    """The middle 95 % of what was drawn, ``(resamples, targets)`` for each kind; NaN does not count."""

    def interval(kind: int, target: int) -> Interval | None:
        values = drawn[kind][:, target]
        values = values[~np.isnan(values)]
        if not len(values):
            return None
        ordered = np.sort(values).tolist()
        # Adding 0.0 turns -0.0 into 0.0.
        low, high = (quantile(ordered, part, whole) + 0.0 for part, whole in _ENDS)
        return Interval(low, high, len(values))

    return interval


def p_values(plan: Plan, columns: Floats, permutations: int, seed: int) -> PValueAt:
    """Two-sided permutation p-values of columns ``(2, n, M)``, and how many permutations count."""
    grid = Grid(columns)
    totals = grid.parts.sum(axis=1)
    observed = over_the_same(plan, plan.scores(grid.read(totals)))
    tests = [PermutationTest(a, b) for a, b in observed]
    # Swapping an image adds its change to one side and takes it from the other.
    change = grid.parts[1] - grid.parts[0]
    for swapped in flips(columns.shape[1], permutations, seed):
        moved = swapped @ change
        sides = np.stack([totals[0] + moved, totals[1] - moved])
        for test, (a, b) in zip(tests, over_the_same(plan, plan.scores(grid.read(sides))), strict=True):
            test.add(a, b)

    def p(kind: int, target: int) -> tuple[float | None, int]:
        return tests[kind].p(target)

    return p


class PermutationTest:
    """How many permutations give at least the difference that was observed, for the scores of one kind.

    Args:
        a: the scores of A, ``(targets,)``.
        b: the scores of B.
    """

    def __init__(self, a: Floats, b: Floats) -> None:
        self._observed = np.abs(b - a)
        # A permutation that gives the observed difference but for rounding has to count.
        self._bar = self._observed - ROUNDING * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
        self._reached = np.zeros(a.shape, np.int64)
        self._counted = np.zeros(a.shape, np.int64)

    def add(self, a: Floats, b: Floats) -> None:
        """Count the scores of the two sides in some permutations, ``(some, targets)``."""
        difference = np.abs(b - a)
        # NaN reaches nothing, as no comparison with it is true.
        self._reached += (difference >= self._bar).sum(axis=0)
        self._counted += (~np.isnan(difference)).sum(axis=0)

    def p(self, target: int) -> tuple[float | None, int]:
        """The p-value of a target, and how many permutations define its difference."""
        count = int(self._counted[target])
        if np.isnan(self._observed[target]) or not count:
            return None, 0
        # The order that was observed counts as one permutation more, so the p-value is never 0.
        return float((self._reached[target] + 1) / (count + 1)), count


def no_interval(kind: int, target: int) -> Interval | None:
    """The interval of a score of a single image: there is none, as one image cannot be resampled."""
    return None


def no_p(kind: int, target: int) -> tuple[float | None, int]:
    """The p-value of a score of a single image: there is none, as one image cannot be permuted."""
    return None, 0
