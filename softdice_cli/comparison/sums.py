"""Results → columns that can be summed over any choice of images, and sums → scores, many at once.

The same ratios as in `scores`, on arrays; ``None`` is NaN here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from softdice_cli.records import Results, Settings
from softdice_cli.records.intervals import Metric, Scope

Floats = NDArray[np.float64]


def targets(settings: Settings) -> list[tuple[Scope, str]]:
    """What each score is of: the classes, then the means."""
    classes: list[tuple[Scope, str]] = [("class", settings.classes[c].name) for c in settings.scored]
    means: list[tuple[Scope, str]] = [("mean", "mean"), ("foreground", "foreground mean")]
    return classes + means[: 2 if _has_foreground(settings) else 1]


def _has_foreground(settings: Settings) -> bool:
    return settings.background and len(settings.scored) > 1


def values_of(results: Results, metric: Metric) -> list[float | None]:
    """The score of each target, as `scores` computed it."""
    summary = results.pooled if metric.average == "pooled" else results.image_mean
    means = [summary.means] if summary.foreground is None else [summary.means, summary.foreground]
    return [getattr(part, metric.name) for part in (*summary.classes, *means)]


def columns_of(results: Results) -> Floats:
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


def scores_of(settings: Settings, sums: Floats) -> Floats:
    """Sums (*S, 6 × classes) → scores (*S, metrics, targets), in the orders of `METRICS` and `targets`."""
    part = np.moveaxis(sums.reshape(*sums.shape[:-1], 6, -1), -2, 0)
    soft = (part[2] + settings.eps) / (part[3] + settings.eps)
    dice, mean = _ratio(part[0], part[1], _empty(settings)), _ratio(part[4], part[5], math.nan)
    classes = np.stack([dice, soft, 0.0 - np.log(soft), mean], axis=-2)
    means = [mean_of(classes)] + ([mean_of(classes[..., 1:])] if _has_foreground(settings) else [])
    return np.concatenate([classes, np.stack(means, axis=-1)], axis=-1)


def mean_of(classes: Floats) -> Floats:
    """Mean over the last axis where defined; added one by one, since NumPy's own order depends on the shape."""
    total, count = np.zeros(classes.shape[:-1]), np.zeros(classes.shape[:-1])
    for index in range(classes.shape[-1]):
        defined = ~np.isnan(classes[..., index])
        total += np.where(defined, classes[..., index], 0.0)
        count += defined
    return _ratio(total, count, math.nan)
