"""Results → columns that can be summed over any choice of images, and sums → scores, many at once.

The ratios are those of `metrics`, on arrays. What is ``None`` elsewhere is NaN here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softdice_cli.comparison.kinds import Kind, has_foreground
from softdice_cli.metrics import Metric
from softdice_cli.records import Results, Settings

Floats = NDArray[np.float64]

# Fills a block of columns from the sums of an image, or of many images as arrays.
_Fill = Callable[[list[Any]], list[Floats]]

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
                width = len(settings.scored)
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
        classes = _sums_of(results)
        columns: list[Floats] = []
        for _, fill in self.blocks:
            columns.extend(fill(classes))
        return np.stack(columns, axis=-1)

    def scores(self, sums: Floats) -> list[Floats]:
        """Sums ``(*S, M)`` → for each kind its scores ``(*S, targets)``, in the order of `kinds.targets`."""
        ends = np.cumsum([width for width, _ in self.blocks])
        parts = np.split(sums, ends[:-1], axis=-1)
        found = []
        for kind, (numerator, denominator) in zip(self.kinds, self.places, strict=True):
            found.append(self._scores(kind, parts[numerator], parts[denominator]))
        return found

    def _scores(self, kind: Kind, numerator: Floats, denominator: Floats) -> Floats:
        if kind.average == "pooled":
            scores = _score(kind.metric, numerator, denominator, self.settings)
        else:
            # The sum of the defined scores, over how many they are.
            scores = _ratio(numerator, denominator, math.nan)
        if not kind.metric.per_class:
            return scores
        means = [mean_of(scores)]
        if has_foreground(self.settings):
            means.append(mean_of(scores[..., 1:]))
        return np.concatenate([scores, np.stack(means, axis=-1)], axis=-1)


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
    """Fills a column for each class from its sums, or one column from the sums of all classes."""

    def of_each(classes: list[Any]) -> list[Floats]:
        return [formula(classes[index]) for index in settings.scored]

    def of_all(classes: list[Any]) -> list[Floats]:
        together = [classes[index] for index in settings.together]
        if not together:
            return [np.full(len(classes[0].pixels), math.nan)]
        return [formula(together)]

    if metric.per_class:
        return of_each
    return of_all


def _sums_of(results: Results) -> list[Any]:
    """The sums of each class as arrays over the images ``(n,)``."""
    names = ("probability", "intersection", "truth", "predicted", "true_positives", "pixels")
    classes = []
    for index in range(len(results.settings.classes)):
        sums = [row.sums[index] for row in results.images]
        arrays = {name: np.array([getattr(own, name) for own in sums], np.float64) for name in names}
        classes.append(SimpleNamespace(**arrays))
    return classes


def _score(metric: Metric, numerator: Floats, denominator: Floats, settings: Settings) -> Floats:
    """`Metric.score` on arrays."""
    if metric.smooth:
        ratio = (numerator + settings.eps) / (denominator + settings.eps)
    else:
        ratio = _ratio(numerator, denominator, _EMPTY[settings.empty])
    if metric.negative_log:
        # Subtracting from 0.0 gives 0.0 for a perfect score; a minus sign would give -0.0.
        return 0.0 - np.log(ratio)
    return ratio


def _ratio(numerator: Floats, denominator: Floats, empty: float) -> Floats:
    """Numerator over denominator, and `empty` where the denominator is 0."""
    out: Floats = np.full(numerator.shape, empty)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


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
