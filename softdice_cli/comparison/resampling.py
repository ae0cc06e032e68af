"""Images drawn again, or swapped between the sides: exact sums, raw bits, percentiles and permutation p-values.

Every sum is exact (see `Grid`) and the random numbers are the bits of PCG64. So one seed gives the same digits on every
machine, except for the last ones of a logarithm, and the same file twice differs by exactly nothing.

Sources: Efron & Tibshirani, An Introduction to the Bootstrap (1993), 13.3 (percentile interval); Phipson & Smyth,
Permutation p-values should never be zero (2010), for (b+1)/(n+1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from softdice_cli.comparison.kinds import kinds_of, targets, values_of
from softdice_cli.comparison.refusals import check_options
from softdice_cli.comparison.sums import Floats, Plan
from softdice_cli.records import Results
from softdice_cli.records.intervals import Interval, ScoreInterval

IntervalAt = Callable[[int, int], Interval | None]
"""The interval of a kind and a target, by their places."""

PValueAt = Callable[[int, int], tuple[float | None, int]]
"""The p-value of a kind and a target, and how many permutations count for it."""

LEVEL = 0.95

ROUNDING = 1e-12
"""Differences up to here (relative to 1) are rounding, not change."""

CELLS = 2**22
"""How many image weights are held at once (32 MB); it changes no digit."""

_BOOTSTRAP, _PERMUTATION = 0, 1


def intervals(
    results: Results, *, metrics: Sequence[str] | None = None, resamples: int = 10_000, seed: int = 0
) -> tuple[ScoreInterval, ...]:
    """Scores with their intervals, ordered by kind; within a kind, classes first, then means.

    Args:
        results: of any images; with none there is nothing, with one there are no intervals.
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
    for k, kind in enumerate(plan.kinds):
        values = values_of(results, kind)
        for t, (scope, name) in enumerate(targets(results.settings, kind.metric)):
            found.append(ScoreInterval(kind.metric.name, kind.average, scope, name, values[t], interval(k, t)))
    return tuple(found)


class Grid:
    """Columns as whole numbers small enough that every weighted sum of them is exact in float64, in any order.

    A value x is cut to high·2^-shift + low·2^-(shift + bits), both whole; weights are whole and add up to at most n, so
    that no sum exceeds n·2^bits ≤ 2^53. What is left of x is below 2^-(2·bits) of the greatest.

    Args:
        columns: ``(*S, n, M)``.

    Attributes:
        parts: ``(*S, n, M + W)``, where W of the columns have a low part.
    """

    def __init__(self, columns: Floats) -> None:
        self._bits = 53 - (columns.shape[-2] - 1).bit_length()
        self._count = columns.shape[-1]
        greatest = np.abs(columns).reshape(-1, self._count).max(axis=0)
        self._shift = self._bits - np.frexp(greatest)[1]
        scaled = np.ldexp(columns, self._shift)
        high = np.rint(scaled)
        low = np.rint(np.ldexp(scaled - high, self._bits))
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
    yield from (min(step, total - start) for start in range(0, total, step))


def draws(images: int, resamples: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Indices of the images of each resample, ``(some, images)``."""
    bits, shift = np.random.PCG64([seed, _BOOTSTRAP]), np.uint64(32)
    for count in _chunks(resamples, images):
        drawn = ((bits.random_raw(count * images) >> shift) * np.uint64(images)) >> shift
        yield drawn.astype(np.intp).reshape(count, images)


def _flips(images: int, permutations: int, seed: int) -> Iterator[Floats]:
    """Which images change sides in each permutation, 0 or 1, ``(some, images)``."""
    bits, words = np.random.PCG64([seed, _PERMUTATION]), -(-images // 64)
    for count in _chunks(permutations, images):
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
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) + 0.0
        return Interval(float(low), float(high), len(values))

    return interval


def p_values(plan: Plan, columns: Floats, permutations: int, seed: int) -> PValueAt:
    """Two-sided permutation p-values of columns ``(2, n, M)``, each with how many permutations count for it."""
    grid = Grid(columns)
    totals, change = grid.parts.sum(axis=1), grid.parts[1] - grid.parts[0]
    sides = [plan.scores(grid.read(total)) for total in totals]
    observed = [np.abs(b - a) for a, b in zip(*sides, strict=True)]
    # A permutation that gives the observed difference but for rounding has to count as one that reaches it.
    bars = [
        size - ROUNDING * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
        for size, a, b in zip(observed, *sides, strict=True)
    ]
    reached = [np.zeros(size.shape, np.int64) for size in observed]
    counted = [np.zeros(size.shape, np.int64) for size in observed]
    for flips in _flips(columns.shape[1], permutations, seed):
        moved = flips @ change
        ours, theirs = (plan.scores(grid.read(sums)) for sums in (totals[0] + moved, totals[1] - moved))
        for k, bar in enumerate(bars):
            difference = np.abs(theirs[k] - ours[k])
            # NaN reaches nothing, as no comparison with it is true.
            reached[k] += (difference >= bar).sum(axis=0)
            counted[k] += (~np.isnan(difference)).sum(axis=0)

    def p(kind: int, target: int) -> tuple[float | None, int]:
        count = int(counted[kind][target])
        if np.isnan(observed[kind][target]) or not count:
            return None, 0
        return float((reached[kind][target] + 1) / (count + 1)), count

    return p


def no_interval(kind: int, target: int) -> Interval | None:
    """Of a single image, which cannot be resampled."""
    return None


def no_p(kind: int, target: int) -> tuple[float | None, int]:
    """The same for a permutation."""
    return None, 0
