"""Images drawn again, or swapped between the sides: exact sums, raw bits, percentiles and permutation p-values.

Every sum is exact (see `Grid`) and the random numbers are the bits of PCG64, so one seed gives the same digits on every
machine, up to the last ones of a logarithm, and the same file twice differs by exactly nothing.

Sources: Efron & Tibshirani, An Introduction to the Bootstrap (1993), 13.3 (percentile interval); Phipson & Smyth,
Permutation p-values should never be zero (2010), for (b+1)/(n+1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from softdice_cli import comparison as room
from softdice_cli.comparison.refusals import check_options
from softdice_cli.comparison.sums import Floats, columns_of, scores_of, targets, values_of
from softdice_cli.records import Results, Settings
from softdice_cli.records.intervals import METRICS, Interval, ScoreInterval

IntervalAt = Callable[[int, int], Interval | None]
PValueAt = Callable[[int, int], tuple[float | None, int]]

LEVEL = 0.95
ROUNDING = 1e-12
"""Differences up to here (relative to 1) are rounding, not change."""
_BOOTSTRAP, _PERMUTATION = 0, 1


def intervals(results: Results, *, resamples: int = 10_000, seed: int = 0) -> tuple[ScoreInterval, ...]:
    """Every score of `METRICS` with its interval, metric by metric, in it class by class, then the means.

    Args:
        results: of any images; with none there is nothing, with one there are no intervals.
        resamples: how many bootstrap resamples.
        seed: the same seed gives the same digits.

    Raises:
        ConfigError: `resamples` or `seed` is out of range.
    """
    check_options(resamples, seed, 0)
    interval: IntervalAt = no_interval
    if len(results.images) > 1:
        interval = percentiles(resampled(results.settings, columns_of(results)[None], resamples, seed)[0])
    return tuple(
        ScoreInterval(metric, scope, name, value, interval(m, t))
        for m, metric in enumerate(METRICS if results.images else ())
        for t, ((scope, name), value) in enumerate(
            zip(targets(results.settings), values_of(results, metric), strict=True)
        )
    )


class Grid:
    """Columns as whole numbers small enough that every weighted sum of them is exact in float64, in any order.

    A value x is cut to high·2^-shift + low·2^-(shift + bits), both whole; weights are whole and add up to at most n, so
    that no sum exceeds n·2^bits ≤ 2^53. What is left of x is below 2^-(2·bits) of the greatest.

    Args:
        columns: (*S, n, M), at least 0.

    Attributes:
        parts: (*S, n, M and the columns that have a low part).
    """

    def __init__(self, columns: Floats) -> None:
        self._bits = 53 - (columns.shape[-2] - 1).bit_length()
        self._count = columns.shape[-1]
        self._shift = self._bits - np.frexp(columns.reshape(-1, self._count).max(axis=0))[1]
        scaled = np.ldexp(columns, self._shift)
        high = np.rint(scaled)
        low = np.rint(np.ldexp(scaled - high, self._bits))
        self._wide = low.reshape(-1, self._count).any(axis=0)
        self.parts: Floats = np.concatenate([high, low[..., self._wide]], axis=-1)

    def read(self, sums: Floats) -> Floats:
        """Sums of the parts → sums of the columns, (*T, M), each rounded once."""
        high: Floats = sums[..., : self._count].copy()
        high[..., self._wide] += np.ldexp(sums[..., self._count :], -self._bits)
        return np.asarray(np.ldexp(high, -self._shift), np.float64)


def _chunks(total: int, images: int) -> Iterator[int]:
    """How many resamples to hold at once, until all are done."""
    step = max(1, room._CELLS // images)
    yield from (min(step, total - start) for start in range(0, total, step))


def draws(images: int, resamples: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Indices of the images of each resample, (some, images)."""
    bits, shift = np.random.PCG64([seed, _BOOTSTRAP]), np.uint64(32)
    for count in _chunks(resamples, images):
        drawn = ((bits.random_raw(count * images) >> shift) * np.uint64(images)) >> shift
        yield drawn.astype(np.intp).reshape(count, images)


def _flips(images: int, permutations: int, seed: int) -> Iterator[Floats]:
    """Which images change sides in each permutation, 0 or 1, (some, images)."""
    bits, words = np.random.PCG64([seed, _PERMUTATION]), -(-images // 64)
    for count in _chunks(permutations, images):
        raw = bits.random_raw(count * words).astype("<u8").view(np.uint8).reshape(count, -1)
        yield np.unpackbits(raw, axis=1)[:, :images].astype(np.float64)


def resampled(settings: Settings, columns: Floats, resamples: int, seed: int) -> Floats:
    """Columns (sides, n, M) → scores of every resample, the same images for all sides: (sides, resamples, …)."""
    sides, images, _ = columns.shape
    grid = Grid(columns)
    flat = np.ascontiguousarray(np.moveaxis(grid.parts, 0, 1)).reshape(images, -1)
    done = []
    for drawn in draws(images, resamples, seed):
        places = drawn + np.arange(len(drawn))[:, None] * images
        weights = np.bincount(places.ravel(), minlength=places.size).reshape(places.shape)
        sums = (weights.astype(np.float64) @ flat).reshape(len(drawn), sides, -1)
        done.append(scores_of(settings, grid.read(sums)))
    return np.moveaxis(np.concatenate(done), 1, 0)


def percentiles(drawn: Floats) -> IntervalAt:
    """The middle 95 % of what was drawn, (resamples, metrics, targets), by metric and target; NaN does not count."""

    def interval(metric: int, target: int) -> Interval | None:
        values = drawn[:, metric, target]
        values = values[~np.isnan(values)]
        if not len(values):
            return None
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) + 0.0
        return Interval(float(low), float(high), len(values))

    return interval


def p_values(settings: Settings, columns: Floats, permutations: int, seed: int) -> PValueAt:
    """Permutation p-values of columns (2, n, M), by metric and target, each with how many permutations count for it."""
    grid = Grid(columns)
    totals, change = grid.parts.sum(axis=1), grid.parts[1] - grid.parts[0]
    a, b = scores_of(settings, grid.read(totals))
    observed = np.abs(b - a)
    bar = observed - ROUNDING * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    reached, counted = np.zeros(a.shape, np.int64), np.zeros(a.shape, np.int64)
    for flips in _flips(columns.shape[1], permutations, seed):
        moved = flips @ change
        ours, theirs = (scores_of(settings, grid.read(sums)) for sums in (totals[0] + moved, totals[1] - moved))
        difference = np.abs(theirs - ours)
        reached += (difference >= bar).sum(axis=0)  # never true of NaN
        counted += (~np.isnan(difference)).sum(axis=0)

    def p(metric: int, target: int) -> tuple[float | None, int]:
        cell = metric, target
        if np.isnan(observed[cell]) or not counted[cell]:
            return None, 0
        return float((reached[cell] + 1) / (counted[cell] + 1)), int(counted[cell])

    return p


def no_interval(metric: int, target: int) -> Interval | None:
    """Of a single image, which cannot be resampled."""
    return None


def no_p(metric: int, target: int) -> tuple[float | None, int]:
    """The same for a permutation."""
    return None, 0
