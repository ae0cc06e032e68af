"""The one list of metrics.

An entry says everything about a metric: what it is called, how it follows from the sums of a class,
which way is better, and where it is shown and compared. Results, tables, CSV, schema, rules,
comparisons, intervals and help texts follow from this list, so a metric that is a ratio of sums is
one entry here and its tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from softdice_cli.records import ClassSums

# Most runs have no intervals, and need not import them.
if TYPE_CHECKING:
    from softdice_cli.records.intervals import Average

AVERAGES: tuple[Average, ...] = ("pooled", "image_mean")


NEARLY_ALL = 1 - 2.0**-10
"""Of a ratio above this, −ln is computed as ln(1 + gap / numerator), since the ratio has only few digits of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: a ratio of sums.

    Attributes:
        name: in files, rules and Python.
        title: in tables.
        formula: how it is computed, for people.
        numerator: the numerator from the sums of a class; from those of all classes where the
            metric has no class. It has to be linear in the sums, so that sums over images can be
            taken first, and it has to work on NumPy arrays in place of numbers, so that thousands
            of resamples are scored at once.
        denominator: likewise.
        smooth: ε is added to the numerator and to the denominator, so the ratio is always defined.
            Otherwise 0/0 is undefined, unless the settings say what it counts as.
        gap: the denominator minus the numerator, from the same sums and without losing digits where they are nearly
            equal. With it, the score is −ln of the ratio.
        lower_is_better: whether a smaller score is better.
        low: least bound that a rule may ask for.
        high: greatest bound that a rule may ask for.
        per_class: whether each class has a score of its own. Otherwise there is one for all classes
            together.
        shown: whether a table shows it when no columns are chosen.
        compared: the averages that have an interval and are compared.
    """

    name: str
    title: str
    formula: str
    numerator: Callable[[Any], Any]
    denominator: Callable[[Any], Any]
    smooth: bool = False
    gap: Callable[[Any], Any] | None = None
    lower_is_better: bool = False
    low: float = 0.0
    high: float = 1.0
    per_class: bool = True
    shown: bool = False
    compared: tuple[Average, ...] = AVERAGES

    def score(self, sums: ClassSums | Sequence[ClassSums], eps: float, empty: float | None) -> float | None:
        """The score of one class, or of all classes where the metric has no class.

        Args:
            sums: over one image or many.
            eps: ε, in pixels.
            empty: what 0/0 counts as; ``None`` leaves it undefined.
        """
        numerator, denominator = self.numerator(sums), self.denominator(sums)
        if self.smooth:
            ratio: float = (numerator + eps) / (denominator + eps)
        elif denominator:
            ratio = numerator / denominator
        else:
            return empty
        if self.gap is None:
            return ratio
        if ratio > NEARLY_ALL:
            return math.log1p(self.gap(sums) / (numerator + eps))
        return -math.log(ratio)


def _soft_gap(sums: Any) -> Any:
    # P and Y are at least I, and the digits that they share with it vanish exactly.
    return (sums.probability - sums.intersection) + (sums.truth - sums.intersection)


def _soft_overlap(sums: Any) -> Any:
    return 2 * sums.intersection


def _soft_total(sums: Any) -> Any:
    return sums.probability + sums.truth


def _true_negatives(sums: Any) -> Any:
    return sums.pixels - sums.predicted - sums.truth + sums.true_positives


def _correct(classes: Sequence[Any]) -> Any:
    """Pixels whose decision is their label; the background of a single class counts as one."""
    correct = sum(sums.true_positives for sums in classes)
    if len(classes) == 1:
        correct = correct + _true_negatives(classes[0])
    return correct


METRICS: tuple[Metric, ...] = (
    Metric(
        name="loss",
        title="loss",
        formula="−ln(soft Dice)",
        numerator=_soft_overlap,
        denominator=_soft_total,
        smooth=True,
        gap=_soft_gap,
        lower_is_better=True,
        low=-math.inf,
        high=math.inf,
        shown=True,
        compared=("pooled",),
    ),
    Metric(
        name="soft_dice",
        title="soft Dice",
        formula="(2I + ε) / (P + Y + ε)",
        numerator=_soft_overlap,
        denominator=_soft_total,
        smooth=True,
        shown=True,
        compared=("pooled",),
    ),
    Metric(
        name="dice",
        title="hard Dice",
        formula="2 TP / (predicted + truth)",
        numerator=lambda sums: 2 * sums.true_positives,
        denominator=lambda sums: sums.predicted + sums.truth,
        shown=True,
    ),
    Metric(
        name="iou",
        title="IoU",
        formula="TP / (predicted + truth − TP)",
        numerator=lambda sums: sums.true_positives,
        denominator=lambda sums: sums.predicted + sums.truth - sums.true_positives,
        shown=True,
    ),
    Metric(
        name="precision",
        title="precision",
        formula="TP / predicted",
        numerator=lambda sums: sums.true_positives,
        denominator=lambda sums: sums.predicted,
    ),
    Metric(
        name="recall",
        title="recall",
        formula="TP / truth",
        numerator=lambda sums: sums.true_positives,
        denominator=lambda sums: sums.truth,
    ),
    Metric(
        name="specificity",
        title="specificity",
        formula="TN / (pixels − truth), where TN = pixels − predicted − truth + TP",
        numerator=_true_negatives,
        denominator=lambda sums: sums.pixels - sums.truth,
    ),
    Metric(
        name="accuracy",
        title="accuracy",
        formula="pixels whose decision is their label / pixels",
        numerator=_correct,
        denominator=lambda classes: classes[0].pixels,
        per_class=False,
    ),
)

BY_NAME = {metric.name: metric for metric in METRICS}
PER_CLASS = tuple(metric for metric in METRICS if metric.per_class)
WITHOUT_CLASS = tuple(metric for metric in METRICS if not metric.per_class)
SHOWN = tuple(metric for metric in METRICS if metric.shown)
