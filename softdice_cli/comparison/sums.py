"""Results → columns that can be summed over any choice of images, and sums → scores, many at once.

The same ratios as in `metrics`, on arrays; ``None`` is NaN here.
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

_EMPTY = {"skip": math.nan, "one": 1.0, "zero": 0.0}


@dataclass(frozen=True)
class Plan:
    """Which columns the scores of some kinds follow from, and where each of them finds its own.

    Attributes:
        settings: what the scores mean.
        kinds: the scores.
        places: for each kind, which block of columns is its numerator and which its denominator.
        blocks: how many columns each block has, and the function of the sums of an image that fills it.
    """

    settings: Settings
    kinds: tuple[Kind, ...]
    places: tuple[tuple[int, int], ...]
    blocks: tuple[tuple[int, Callable[[list[Any]], list[Floats]]], ...]

    @staticmethod
    def of(settings: Settings, kinds: Sequence[Kind]) -> Plan:
        """The plan for scores of results with these settings; kinds that need the same columns share them."""
        keys: dict[object, int] = {}
        blocks: list[tuple[int, Callable[[list[Any]], list[Floats]]]] = []
        places = []
        for kind in kinds:
            width = len(settings.scored) if kind.metric.per_class else 1
            place = []
            for key, fill in _columns(settings, kind):
                if key not in keys:
                    keys[key] = len(blocks)
                    blocks.append((width, fill))
                place.append(keys[key])
            places.append((place[0], place[1]))
        return Plan(settings, tuple(kinds), tuple(places), tuple(blocks))

    def columns(self, results: Results) -> Floats:
        """What is summed over images, ``(n, M)``."""
        classes = _sums_of(results)
        return np.stack([column for _, fill in self.blocks for column in fill(classes)], axis=-1)

    def scores(self, sums: Floats) -> list[Floats]:
        """Sums ``(*S, M)`` → for each kind its scores ``(*S, targets)``, in the order of `kinds.targets`."""
        ends = np.cumsum([width for width, _ in self.blocks])
        parts = np.split(sums, ends[:-1], axis=-1)
        return [
            self._scores(kind, parts[numerator], parts[denominator])
            for kind, (numerator, denominator) in zip(self.kinds, self.places, strict=True)
        ]

    def _scores(self, kind: Kind, numerator: Floats, denominator: Floats) -> Floats:
        if kind.average == "pooled":
            scores = _score(kind.metric, numerator, denominator, self.settings)
        else:
            scores = _ratio(numerator, denominator, math.nan)
        if not kind.metric.per_class:
            return scores
        means = [mean_of(scores)]
        if has_foreground(self.settings):
            means.append(mean_of(scores[..., 1:]))
        return np.concatenate([scores, np.stack(means, axis=-1)], axis=-1)


def _columns(settings: Settings, kind: Kind) -> list[tuple[object, Callable[[list[Any]], list[Floats]]]]:
    """Numerator and denominator of a kind: what tells each from other columns, and the function that fills it."""
    metric = kind.metric

    def of(formula: Callable[[Any], Any]) -> Callable[[list[Any]], list[Floats]]:
        if metric.per_class:
            return lambda classes: [formula(classes[index]) for index in settings.scored]
        return lambda classes: [formula(classes)]

    def value(classes: Any) -> Floats:
        return _score(metric, metric.numerator(classes), metric.denominator(classes), settings)

    if kind.average == "pooled":
        return [
            (metric.numerator, of(metric.numerator)),
            (metric.denominator, of(metric.denominator)),
        ]
    return [
        ((metric.name, "value"), of(lambda classes: np.nan_to_num(value(classes), nan=0.0))),
        ((metric.name, "defined"), of(lambda classes: (~np.isnan(value(classes))).astype(np.float64))),
    ]


def _sums_of(results: Results) -> list[Any]:
    """The sums of each class as arrays over the images ``(n,)``."""
    names = ("probability", "intersection", "truth", "predicted", "true_positives", "pixels")
    return [
        SimpleNamespace(
            **{name: np.array([getattr(row.sums[index], name) for row in results.images], np.float64) for name in names}
        )
        for index in range(len(results.settings.classes))
    ]


def _score(metric: Metric, numerator: Floats, denominator: Floats, settings: Settings) -> Floats:
    """`Metric.score` on arrays."""
    if metric.smooth:
        ratio = (numerator + settings.eps) / (denominator + settings.eps)
    else:
        ratio = _ratio(numerator, denominator, _EMPTY[settings.empty])
    return 0.0 - np.log(ratio) if metric.negative_log else ratio


def _ratio(numerator: Floats, denominator: Floats, empty: float) -> Floats:
    out: Floats = np.full(numerator.shape, empty)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def mean_of(classes: Floats) -> Floats:
    """Mean over the last axis where defined; added one by one, since NumPy's own order depends on the shape."""
    total, count = np.zeros(classes.shape[:-1]), np.zeros(classes.shape[:-1])
    for index in range(classes.shape[-1]):
        defined = ~np.isnan(classes[..., index])
        total += np.where(defined, classes[..., index], 0.0)
        count += defined
    return _ratio(total, count, math.nan)
