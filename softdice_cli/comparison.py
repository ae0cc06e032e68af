"""Two saved results of the same images → what changed, and how much of it chance alone could do.

Images are what is drawn again: a pooled score of a resample comes from its resampled sums, an image mean from its
resampled scores. Every sum is exact (see `_Grid`) and the random numbers are the bits of PCG64, so one seed gives the
same digits on every machine, up to the last ones of a logarithm, and the same file twice differs by exactly nothing.

Sources: Efron & Tibshirani, An Introduction to the Bootstrap (1993), 13.3 (percentile interval); Phipson & Smyth,
Permutation p-values should never be zero (2010), for (b+1)/(n+1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from softdice_cli.errors import ConfigError, EmptyError, InputError
from softdice_cli.records import Results, Settings, Verdict, natural

Floats = NDArray[np.float64]
Average = Literal["pooled", "image_mean"]
Scope = Literal["class", "mean", "foreground"]
IntervalAt = Callable[[int, int], "Interval | None"]
PValueAt = Callable[[int, int], tuple[float | None, int]]

LEVEL = 0.95
RESAMPLES_RANGE = (100, 100_000)
_ROUNDING = 1e-12
"""Differences up to here (relative to 1) are rounding, not change."""
_CELLS = 2**22
"""How many image weights are held at once (32 MB); it changes no digit."""
_BOOTSTRAP, _PERMUTATION = 0, 1
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Metric:
    """A score and how it is averaged over images."""

    name: Literal["dice", "soft_dice", "loss"]
    average: Average

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is."""
        return -1 if self.name == "loss" else 1


METRICS = (
    Metric("dice", "pooled"),
    Metric("soft_dice", "pooled"),
    Metric("loss", "pooled"),
    Metric("dice", "image_mean"),
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % bootstrap percentile interval, and how many resamples define the score and so stand behind it."""

    low: float
    high: float
    resamples: int


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """A score of one results file with its interval; ``None`` is undefined.

    Attributes:
        metric: which score, and how it is averaged over images.
        scope: a single class, or the mean over all or the foreground classes.
        name: of the class, or ``mean`` or ``foreground mean``.
        value: the score of the results themselves.
        interval: ``None`` for a single image, or where no resample defines the score.
    """

    metric: Metric
    scope: Scope
    name: str
    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """A score in both results, and its change; ``None`` is undefined.

    Attributes:
        metric: which score, and how it is averaged over images.
        scope: a single class, or the mean over all or the foreground classes.
        name: of the class, or ``mean`` or ``foreground mean``.
        a: the score in A.
        b: the score in B.
        difference: B − A; below 0 is worse, but for the loss.
        interval: of the difference; ``None`` for a single image, or where no resample defines it.
        p: two-sided paired permutation p-value; ``None`` where `interval` would be, or the difference is undefined.
        permutations: how many permutations define the difference and so stand behind `p`.
        better: images whose own score is better in B.
        worse: images whose own score is worse in B.
        tied: images whose own score is the same.
        undefined: images without a score of their own in A or in B.
    """

    metric: Metric
    scope: Scope
    name: str
    a: float | None
    b: float | None
    difference: float | None
    interval: Interval | None
    p: float | None
    permutations: int
    better: int
    worse: int
    tied: int
    undefined: int


@dataclass(frozen=True, slots=True)
class ImageChange:
    """Mean hard Dice of one image in both results, and of the class without which it would have changed least.

    The class may be undefined in one of them: a false positive that came or went changes the mean too.
    """

    id: str
    a: float
    b: float
    difference: float
    class_name: str
    class_a: float | None
    class_b: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from A to B.

    Attributes:
        a: what the results are called, usually the file.
        b: the same for B.
        signature: of both.
        images: how many there are in each.
        resamples: how many resamples and permutations were asked for.
        seed: of the random numbers.
        scores: metric by metric, in it class by class, then the means.
        changed: the images that changed most by mean hard Dice, the most first; unchanged ones are not among them.
        notes: what a reader must know, in sentences.
    """

    a: str
    b: str
    signature: str
    images: int
    resamples: int
    seed: int
    scores: tuple[ScoreChange, ...]
    changed: tuple[ImageChange, ...]
    notes: tuple[str, ...]


def compare(
    a: Results,
    b: Results,
    *,
    names: tuple[str, str] = ("A", "B"),
    resamples: int = 10_000,
    seed: int = 0,
    worst: int = 5,
) -> Comparison:
    """What changed from A to B, paired by image id.

    Args:
        a: the results that are compared with.
        b: the results that are judged.
        names: what they are called, for messages and output.
        resamples: how many bootstrap resamples, and how many permutations.
        seed: the same seed gives the same digits.
        worst: how many of the images that changed most to name.

    Raises:
        ConfigError: `resamples`, `seed` or `worst` is out of range.
        EmptyError: there is no image.
        InputError: results are incomplete, or their classes, signatures or images differ.
    """
    _check_options(resamples, seed, worst)
    _refuse_difference(a, b, names)
    settings, columns = a.settings, np.stack([_columns(a), _columns(b)])
    own = _scores(settings, columns)
    interval: IntervalAt = _no_interval
    p: PValueAt = _no_p
    if len(a.images) > 1:
        drawn = _resampled(settings, columns, resamples, seed)
        interval = _percentiles(drawn[1] - drawn[0])
        p = _p_values(settings, columns, resamples, seed)
    scores, changed = tuple(_cells(a, b, own, interval, p)), _changed(a, own, worst)
    count, notes = len(a.images), tuple(_notes(a, b))
    return Comparison(*names, settings.signature, count, resamples, seed, scores, changed, notes)


def intervals(results: Results, *, resamples: int = 10_000, seed: int = 0) -> tuple[ScoreInterval, ...]:
    """Every score of `METRICS` with its interval, metric by metric, in it class by class, then the means.

    Args:
        results: of any images; with none there is nothing, with one there are no intervals.
        resamples: how many bootstrap resamples.
        seed: the same seed gives the same digits.

    Raises:
        ConfigError: `resamples` or `seed` is out of range.
    """
    _check_options(resamples, seed, 0)
    interval: IntervalAt = _no_interval
    if len(results.images) > 1:
        interval = _percentiles(_resampled(results.settings, _columns(results)[None], resamples, seed)[0])
    return tuple(
        ScoreInterval(metric, scope, name, value, interval(m, t))
        for m, metric in enumerate(METRICS if results.images else ())
        for t, ((scope, name), value) in enumerate(
            zip(_targets(results.settings), _values(results, metric), strict=True)
        )
    )


def judge(comparison: Comparison, min_effect: float = 0.0) -> Verdict:
    """Whether B is no worse than A: not met where the whole interval of pooled mean hard Dice is below −min_effect.

    Without an interval nothing can be told, and what is undefined never passes.

    Raises:
        ConfigError: `min_effect` is below 0, or no number.
    """
    if not (math.isfinite(min_effect) and min_effect >= 0):
        raise ConfigError(f"--min-effect {min_effect} is out of range", expected="a difference of Dice, 0 or greater")
    mean = next(s for s in comparison.scores if s.metric == METRICS[0] and s.scope == "mean")
    high, bound = mean.interval.high if mean.interval else None, 0.0 - min_effect
    return Verdict(
        rule=f"--fail-if-worse --min-effect {min_effect!r}",
        value=high,
        operator=">=",
        bound=bound,
        passed=high is not None and high >= bound,
        reason="" if high is not None else "undefined",
    )


def _check_options(resamples: int, seed: int, worst: int) -> None:
    low, high = RESAMPLES_RANGE
    if not low <= resamples <= high:
        raise ConfigError(f"--resamples {resamples} is out of range", expected=f"{low} to {high}")
    if seed < 0 or worst < 0:
        raise ConfigError(f"--{'seed' if seed < 0 else 'worst'} is below 0", expected="0 or greater")


def _refuse_incomplete(results: Results, name: str) -> None:
    if results.failures:
        raise InputError(
            f"is incomplete: {_count(len(results.failures), 'pair')} failed",
            path=name,
            found=_some([failure.id for failure in results.failures]),
            hint="mend them and run softdice eval again; a difference would be that of the missing images",
        )
    if not results.images:
        raise EmptyError("holds no image", path=name, hint="run softdice eval again")


def _refuse_difference(a: Results, b: Results, names: tuple[str, str]) -> None:
    for results, name in zip((a, b), names, strict=True):
        _refuse_incomplete(results, name)
    _refuse_other_classes(a, b, names)
    parts = [r.settings.signature.split("|") for r in (a, b)]
    if parts[0] != parts[1]:
        raise InputError(
            f"has another signature than {names[0]}",
            path=names[1],
            expected="|".join(part for part in parts[0] if part not in parts[1]) or a.settings.signature,
            found="|".join(part for part in parts[1] if part not in parts[0]) or b.settings.signature,
            hint="evaluate both with the same options",
        )
    ids = [[row.id for row in results.images] for results in (a, b)]
    for name, own in zip(names, ids, strict=True):
        if len(set(own)) < len(own):
            raise InputError("holds two images of one id", path=name, hint="run softdice eval again")
    if ids[0] != ids[1]:
        only = [sorted(set(x) - set(y), key=natural) for x, y in (ids, ids[::-1])]
        raise InputError(
            f"has other images than {names[0]}",
            path=names[1],
            expected=_count(len(ids[0]), "image") + (f", also {_some(only[0])}" if only[0] else ""),
            found=_count(len(ids[1]), "image") + (f", also {_some(only[1])}" if only[1] else ""),
            hint="evaluate the same images with both",
        )


def _refuse_other_classes(a: Results, b: Results, names: tuple[str, str]) -> None:
    shown = [[f"{c.name}={'any' if c.value is None else r.settings.label_text(c.value)}" for c in r.settings.classes]
             for r in (a, b)]  # fmt: skip
    for index, (mine, theirs) in enumerate(zip_longest(*shown, fillvalue="no class")):
        if mine != theirs:
            what = f"has other classes than {names[0]}"
            raise InputError(what, path=names[1], expected=f"{mine} as class {index}", found=theirs,
                             hint="evaluate both with the same --class options, in the same order")  # fmt: skip


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _targets(settings: Settings) -> list[tuple[Scope, str]]:
    """What each score is of: the classes, then the means."""
    targets: list[tuple[Scope, str]] = [("class", settings.classes[c].name) for c in settings.scored]
    means: list[tuple[Scope, str]] = [("mean", "mean"), ("foreground", "foreground mean")]
    return targets + means[: 2 if _has_foreground(settings) else 1]


def _has_foreground(settings: Settings) -> bool:
    return settings.background and len(settings.scored) > 1


def _values(results: Results, metric: Metric) -> list[float | None]:
    """The score of each target, as `scores` computed it."""
    summary = results.pooled if metric.average == "pooled" else results.image_mean
    means = [summary.means] if summary.foreground is None else [summary.means, summary.foreground]
    return [getattr(part, metric.name) for part in (*summary.classes, *means)]


def _columns(results: Results) -> Floats:
    """What is summed over images, (n, 6 × classes): numerator and denominator of Dice, soft Dice and image mean."""
    scored, rows = results.settings.scored, results.images
    raw = np.array(
        [
            [(s.probability, s.intersection, s.truth, s.predicted, s.true_positives) for s in row.sums[scored[0] :]]
            for row in rows
        ],
        dtype=np.float64,
    )  # fmt: skip
    probability, intersection, truth, predicted, true_positives = np.moveaxis(raw, -1, 0)
    numerator, denominator = 2 * true_positives, predicted + truth
    dice = _ratio(numerator, denominator, _empty(results.settings))
    defined = ~np.isnan(dice)
    parts = (numerator, denominator, 2 * intersection, probability + truth, np.where(defined, dice, 0.0), defined)
    return np.stack(parts, axis=1).reshape(len(rows), -1)


def _empty(settings: Settings) -> float:
    return {"skip": math.nan, "one": 1.0, "zero": 0.0}[settings.empty]


def _ratio(numerator: Floats, denominator: Floats, empty: float) -> Floats:
    out: Floats = np.full(numerator.shape, empty)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def _scores(settings: Settings, sums: Floats) -> Floats:
    """Sums (*S, 6 × classes) → scores (*S, metrics, targets), in the orders of `METRICS` and `_targets`."""
    part = np.moveaxis(sums.reshape(*sums.shape[:-1], 6, -1), -2, 0)
    soft = (part[2] + settings.eps) / (part[3] + settings.eps)
    dice, mean = _ratio(part[0], part[1], _empty(settings)), _ratio(part[4], part[5], math.nan)
    classes = np.stack([dice, soft, 0.0 - np.log(soft), mean], axis=-2)
    means = [_mean(classes)] + ([_mean(classes[..., 1:])] if _has_foreground(settings) else [])
    return np.concatenate([classes, np.stack(means, axis=-1)], axis=-1)


def _mean(classes: Floats) -> Floats:
    """Mean over the last axis where defined; added one by one, since NumPy's own order depends on the shape."""
    total, count = np.zeros(classes.shape[:-1]), np.zeros(classes.shape[:-1])
    for index in range(classes.shape[-1]):
        defined = ~np.isnan(classes[..., index])
        total += np.where(defined, classes[..., index], 0.0)
        count += defined
    return _ratio(total, count, math.nan)


class _Grid:
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
    step = max(1, _CELLS // images)
    yield from (min(step, total - start) for start in range(0, total, step))


def _draws(images: int, resamples: int, seed: int) -> Iterator[NDArray[np.intp]]:
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


def _resampled(settings: Settings, columns: Floats, resamples: int, seed: int) -> Floats:
    """Columns (sides, n, M) → scores of every resample, the same images for all sides: (sides, resamples, …)."""
    sides, images, _ = columns.shape
    grid = _Grid(columns)
    flat = np.ascontiguousarray(np.moveaxis(grid.parts, 0, 1)).reshape(images, -1)
    done = []
    for drawn in _draws(images, resamples, seed):
        places = drawn + np.arange(len(drawn))[:, None] * images
        weights = np.bincount(places.ravel(), minlength=places.size).reshape(places.shape)
        sums = (weights.astype(np.float64) @ flat).reshape(len(drawn), sides, -1)
        done.append(_scores(settings, grid.read(sums)))
    return np.moveaxis(np.concatenate(done), 1, 0)


def _percentiles(drawn: Floats) -> IntervalAt:
    """The middle 95 % of what was drawn, (resamples, metrics, targets), by metric and target; NaN does not count."""

    def interval(metric: int, target: int) -> Interval | None:
        values = drawn[:, metric, target]
        values = values[~np.isnan(values)]
        if not len(values):
            return None
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) + 0.0
        return Interval(float(low), float(high), len(values))

    return interval


def _p_values(settings: Settings, columns: Floats, permutations: int, seed: int) -> PValueAt:
    """Permutation p-values of columns (2, n, M), by metric and target, each with how many permutations count for it."""
    grid = _Grid(columns)
    totals, change = grid.parts.sum(axis=1), grid.parts[1] - grid.parts[0]
    a, b = _scores(settings, grid.read(totals))
    observed = np.abs(b - a)
    bar = observed - _ROUNDING * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    reached, counted = np.zeros(a.shape, np.int64), np.zeros(a.shape, np.int64)
    for flips in _flips(columns.shape[1], permutations, seed):
        moved = flips @ change
        ours, theirs = (_scores(settings, grid.read(sums)) for sums in (totals[0] + moved, totals[1] - moved))
        difference = np.abs(theirs - ours)
        reached += (difference >= bar).sum(axis=0)  # never true of NaN
        counted += (~np.isnan(difference)).sum(axis=0)

    def p(metric: int, target: int) -> tuple[float | None, int]:
        cell = metric, target
        if np.isnan(observed[cell]) or not counted[cell]:
            return None, 0
        return float((reached[cell] + 1) / (counted[cell] + 1)), int(counted[cell])

    return p


def _no_interval(metric: int, target: int) -> Interval | None:
    return None


def _no_p(metric: int, target: int) -> tuple[float | None, int]:
    return None, 0


def _cells(a: Results, b: Results, own: Floats, interval: IntervalAt, p: PValueAt) -> Iterator[ScoreChange]:
    """Every score of both; `own` are the scores of the single images, (2, n, metrics, targets)."""
    targets = _targets(a.settings)
    for m, metric in enumerate(METRICS):
        for t, ((scope, name), x, y) in enumerate(zip(targets, _values(a, metric), _values(b, metric), strict=True)):
            change = (own[1, :, m, t] - own[0, :, m, t]) * metric.sign
            better, worse = int((change > _ROUNDING).sum()), int((change < -_ROUNDING).sum())
            undefined = int(np.isnan(change).sum())
            difference = None if x is None or y is None else y - x
            value, permutations = p(m, t)
            yield ScoreChange(
                metric=metric, scope=scope, name=name, a=x, b=y, difference=difference,
                interval=None if difference is None else interval(m, t), p=value, permutations=permutations,
                better=better, worse=worse, tied=len(change) - better - worse - undefined, undefined=undefined,
            )  # fmt: skip


def _changed(a: Results, own: Floats, worst: int) -> tuple[ImageChange, ...]:
    """The images that changed most, by mean hard Dice."""
    classes = len(a.settings.scored)
    dice, mean = own[:, :, 0, :classes], own[:, :, 0, classes]
    size = np.nan_to_num(np.abs(mean[1] - mean[0]), nan=0.0)
    ranked = sorted(np.flatnonzero(size > _ROUNDING), key=lambda i: (-size[i], natural(a.images[i].id)))
    changed = []
    for index in ranked[:worst]:
        x, y = float(mean[0, index]), float(mean[1, index])
        most = _explains(dice[:, index])
        ends = [None if math.isnan(value) else float(value) for value in dice[:, index, most]]
        name = a.settings.classes[a.settings.scored[most]].name
        changed.append(ImageChange(a.images[index].id, x, y, y - x, name, *ends))
    return tuple(changed)


def _explains(dice: Floats) -> int:
    """The class of an image, (2, classes), without which its mean would have changed least."""
    without = [_mean(np.delete(dice, index, axis=1)) for index in range(dice.shape[1])]
    return int(np.argmin([0.0 if np.isnan(change := abs(y - x)) else change for x, y in without]))


def _notes(a: Results, b: Results) -> Iterator[str]:
    """What would mislead if it were not said."""
    if len(a.images) == 1:
        yield "a single image cannot be resampled: there are no intervals and no p-values"
    for side, results in (("A", a), ("B", b)):
        if results.shard:
            yield f"{side} is shard {results.shard.index} of {results.shard.count}, not the whole run"
    other = [
        x.id
        for x, y in zip(a.images, b.images, strict=True)
        if x.pixels != y.pixels or [s.truth for s in x.sums] != [s.truth for s in y.sums]
    ]
    if other:
        where = f"{_count(len(other), 'image')}: {_some(other)}"
        yield f"the masks of B are not those of A, by their pixels per class, in {where}"
    for text, x, y in (("pooled", a.pooled, b.pooled), ("image-mean", a.image_mean, b.image_mean)):
        if x.means.dice_classes != y.means.dice_classes:
            yield (
                f"the {text} mean of hard Dice is over {x.means.dice_classes} classes in A and "
                f"{y.means.dice_classes} in B: a class is undefined (0/0) in one of them"
            )
