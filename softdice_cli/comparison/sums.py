"""Results → columns that can be summed over any choice of images, and sums → scores, many at once.

The ratios are those of `metrics`, on arrays. What is ``None`` elsewhere is NaN here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softdice_cli.comparison.kinds import Kind
from softdice_cli.metrics import NEARLY_ALL, Metric
from softdice_cli.records import ClassSums, Results, Settings

Floats = NDArray[np.float64]

# Fills a block of columns from the sums of the classes and of the regions, each as arrays over the images.
_Fill = Callable[[list[Any], list[Any]], list[Floats]]

# What 0/0 counts as.
_EMPTY = {"skip": math.nan, "one": 1.0, "zero": 0.0}


@dataclass(frozen=True)
class Plan:
    """Which columns the scores of some kinds follow from, and where each kind finds its own.

    Attributes:
        settings: what the scores mean.
        kinds: the scores.
        places: for each kind, which block of columns is its numerator and which one its
            denominator.
        blocks: how many columns each block has, and the function that fills them from the sums of
            the images.
    """

    settings: Settings
    kinds: tuple[Kind, ...]
    places: tuple[tuple[int, int], ...]
    blocks: tuple[tuple[int, _Fill], ...]

    @staticmethod
    def of(settings: Settings, kinds: Sequence[Kind]) -> Plan:
        """The plan for scores of results with these settings; kinds that need the same columns share them."""
        # Formulas that several metrics share are the same function, and fill one block.
        keys: dict[object, int] = {}
        blocks: list[tuple[int, _Fill]] = []
        places = []
        for kind in kinds:
            width = 1
            if kind.metric.per_class:
                width = len(settings.scored) + len(settings.regions)
            columns = _columns(settings, kind)
            for key, fill in columns:
                if key not in keys:
                    keys[key] = len(blocks)
                    blocks.append((width, fill))
            (numerator, _), (denominator, _) = columns
            places.append((keys[numerator], keys[denominator]))
        return Plan(settings, tuple(kinds), tuple(places), tuple(blocks))

    def columns(self, results: Results) -> Floats:
        """What is summed over images, ``(n, M)``."""
        classes = _over_images([row.sums for row in results.images], len(results.settings.classes))
        regions = _over_images([row.regions for row in results.images], len(results.settings.regions))
        columns: list[Floats] = []
        for _, fill in self.blocks:
            columns.extend(fill(classes, regions))
        return np.stack(columns, axis=-1)

    def scores(self, sums: Floats) -> list[Floats]:
        """Sums ``(*S, M)`` → for each kind its scores ``(*S, targets)``, in the order of `kinds.targets`."""
        ends = np.cumsum([width for width, _ in self.blocks])
        parts = np.split(sums, ends[:-1], axis=-1)
        found = []
        for kind, (numerator, denominator) in zip(self.kinds, self.places, strict=True):
            found.append(self._scores(kind, parts[numerator], parts[denominator]))
        return found

    def means(self) -> Iterator[tuple[int, slice]]:
        """The place of each mean among the targets, and those of the classes, or regions, that it is over."""
        classes, regions = len(self.settings.scored), len(self.settings.regions)
        yield classes, slice(classes)
        place = classes + 1
        if self.settings.has_foreground:
            yield place, slice(1, classes)
            place += 1
        if regions:
            yield place + regions, slice(place, place + regions)

    def _scores(self, kind: Kind, numerator: Floats, denominator: Floats) -> Floats:
        if kind.average == "pooled":
            scores = _score(kind.metric, numerator, denominator, self.settings)
        else:
            # The sum of the defined scores, over how many they are.
            scores = _ratio(numerator, denominator, math.nan)
        if not kind.metric.per_class:
            return scores
        classes, regions = np.split(scores, [len(self.settings.scored)], axis=-1)
        means = [mean_of(classes)]
        if self.settings.has_foreground:
            means.append(mean_of(classes[..., 1:]))
        parts = [classes, np.stack(means, axis=-1)]
        if self.settings.regions:
            parts += [regions, mean_of(regions)[..., None]]
        return np.concatenate(parts, axis=-1)


def _columns(settings: Settings, kind: Kind) -> tuple[tuple[object, _Fill], tuple[object, _Fill]]:
    """Numerator and denominator of a kind: a key that tells it from others, and what fills it."""
    metric = kind.metric

    def value(classes: Any) -> Floats:
        return _score(metric, metric.numerator(classes), metric.denominator(classes), settings)

    def defined_value(classes: Any) -> Floats:
        return np.nan_to_num(value(classes), nan=0.0)

    def is_defined(classes: Any) -> Floats:
        return (~np.isnan(value(classes))).astype(np.float64)

    if kind.average == "pooled":
        return (
            (metric.numerator, _filling(settings, metric, metric.numerator)),
            (metric.denominator, _filling(settings, metric, metric.denominator)),
        )
    return (
        ((metric.name, "value"), _filling(settings, metric, defined_value)),
        ((metric.name, "defined"), _filling(settings, metric, is_defined)),
    )


def _filling(settings: Settings, metric: Metric, formula: Callable[[Any], Floats]) -> _Fill:
    """Fills a column for each class and region from its sums, or one column from the sums of all classes."""

    def of_each(classes: list[Any], regions: list[Any]) -> list[Floats]:
        scored = [classes[index] for index in settings.scored]
        return [formula(sums) for sums in [*scored, *regions]]

    def of_all(classes: list[Any], regions: list[Any]) -> list[Floats]:
        together = [classes[index] for index in settings.together]
        if not together:
            return [np.full(len(classes[0].pixels), math.nan)]
        return [formula(together)]

    if metric.per_class:
        return of_each
    return of_all


def _over_images(rows: Sequence[tuple[ClassSums, ...]], count: int) -> list[Any]:
    """The sums of each of so many classes, or regions, as arrays over the images ``(n,)``."""
    names = ("probability", "intersection", "truth", "predicted", "true_positives", "pixels")
    found = []
    for index in range(count):
        sums = [row[index] for row in rows]
        arrays = {name: np.array([getattr(own, name) for own in sums], np.float64) for name in names}
        found.append(SimpleNamespace(**arrays))
    return found


def _score(metric: Metric, numerator: Floats, denominator: Floats, settings: Settings) -> Floats:
    """`Metric.score` on arrays."""
    if metric.smooth:
        ratio = (numerator + settings.eps) / (denominator + settings.eps)
    else:
        ratio = _ratio(numerator, denominator, _EMPTY[settings.empty])
    if metric.gap is None:
        return ratio
    # The gap is taken from the sums themselves, so that a resample needs no further column: a score that is
    # nearly 0 has fewer digits here, and the same value to 1e-15.
    excess = (denominator - numerator) / (numerator + settings.eps)
    return np.where(ratio > NEARLY_ALL, np.log1p(excess), -np.log(ratio))


def _ratio(numerator: Floats, denominator: Floats, empty: float) -> Floats:
    """Numerator over denominator, and `empty` where the denominator is 0."""
    out: Floats = np.full(numerator.shape, empty)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def over_the_same(plan: Plan, scores: list[Floats]) -> list[Floats]:
    """Scores of two sides ``(2, *S, targets)``, where a mean is NaN if a class of it is defined on one side alone.

    The difference of such means would be of other classes, and not of other predictions.
    """
    found = []
    for kind, values in zip(plan.kinds, scores, strict=True):
        if kind.metric.per_class:
            values = values.copy()
            alone = np.isnan(values[0]) != np.isnan(values[1])
            for mean, members in plan.means():
                values[..., mean][:, alone[..., members].any(axis=-1)] = math.nan
        found.append(values)
    return found


def mean_of(classes: Floats) -> Floats:
    """Mean over the last axis where defined."""
    total = np.zeros(classes.shape[:-1])
    count = np.zeros(classes.shape[:-1])
    # The classes are added one by one, since the order in which NumPy adds depends on the shape.
    for index in range(classes.shape[-1]):
        defined = ~np.isnan(classes[..., index])
        total += np.where(defined, classes[..., index], 0.0)
        count += defined
    return _ratio(total, count, math.nan)
