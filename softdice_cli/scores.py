"""Sums → scores, in plain Python: ratios of one class, pooled and image-mean averages.

Every sum over images is `math.fsum`, so the order of the images cannot change a digit. Undefined is ``None`` from here
to the last output; nothing is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from softdice_cli.records import ClassScores, ClassSums, Failure, ImageRow, Means, Results, Settings, Summary


def summarize(settings: Settings, rows: Iterable[ImageRow], failures: Iterable[Failure] = ()) -> Results:
    """Results with every score that the rows give.

    Args:
        settings: with the classes resolved.
        rows: one an image, in any order.
        failures: the pairs that have no row.
    """
    images = tuple(sorted(rows, key=lambda row: row.id))
    scores = tuple(score_classes(settings, row.sums) for row in images)
    pooled = score_classes(settings, pool(row.sums for row in images))
    return Results(
        settings=settings,
        images=images,
        scores=scores,
        pooled=_summary(settings, pooled),
        image_mean=_summary(settings, _image_mean(pooled, scores) if images else ()),
        failures=tuple(sorted(failures, key=lambda failure: failure.id)),
    )


def pool(sums: Iterable[tuple[ClassSums, ...]]) -> tuple[ClassSums, ...]:
    """Sums over images, class by class: exact, whatever the order."""
    return tuple(
        ClassSums(
            probability=math.fsum(s.probability for s in column),
            intersection=math.fsum(s.intersection for s in column),
            truth=sum(s.truth for s in column),
            predicted=sum(s.predicted for s in column),
            true_positives=sum(s.true_positives for s in column),
        )
        for column in zip(*sums, strict=True)
    )


def score_classes(settings: Settings, sums: Sequence[ClassSums]) -> tuple[ClassScores, ...]:
    """Scores of the classes that the settings show, from the sums of all classes."""
    if not sums:
        return ()
    return tuple(_score(settings, settings.classes[c].name, sums[c]) for c in settings.scored)


def _score(settings: Settings, name: str, sums: ClassSums) -> ClassScores:
    soft = (2 * sums.intersection + settings.eps) / (sums.probability + sums.truth + settings.eps)
    union = sums.predicted + sums.truth - sums.true_positives
    empty = {"skip": None, "one": 1.0, "zero": 0.0}[settings.empty]
    return ClassScores(
        name=name,
        loss=-math.log(soft) + 0.0,  # + 0.0: a perfect score is 0.0, not -0.0
        soft_dice=soft,
        dice=_ratio(2 * sums.true_positives, sums.predicted + sums.truth, empty),
        iou=_ratio(sums.true_positives, union, empty),
        precision=_ratio(sums.true_positives, sums.predicted, empty),
        recall=_ratio(sums.true_positives, sums.truth, empty),
        truth_pixels=sums.truth,
        predicted_pixels=sums.predicted,
        true_positives=sums.true_positives,
    )


def _ratio(numerator: int, denominator: int, empty: float | None) -> float | None:
    return numerator / denominator if denominator else empty


def _mean(values: Iterable[float | None]) -> tuple[float | None, int]:
    """Mean of the defined values, and how many those are."""
    defined = [value for value in values if value is not None]
    return (math.fsum(defined) / len(defined) if defined else None), len(defined)


def _image_mean(pooled: Sequence[ClassScores], images: Sequence[tuple[ClassScores, ...]]) -> tuple[ClassScores, ...]:
    """For each class, the mean of each score over the images where it is defined; counts as in `pooled`."""
    return tuple(_column_mean(total, column) for total, column in zip(pooled, zip(*images, strict=True), strict=True))


def _column_mean(total: ClassScores, column: Sequence[ClassScores]) -> ClassScores:
    dice, defined = _mean(s.dice for s in column)
    precision, precision_defined = _mean(s.precision for s in column)
    recall, recall_defined = _mean(s.recall for s in column)
    return replace(
        total,
        loss=math.fsum(s.loss for s in column) / len(column),
        soft_dice=math.fsum(s.soft_dice for s in column) / len(column),
        dice=dice,
        iou=_mean(s.iou for s in column)[0],
        precision=precision,
        recall=recall,
        defined=defined,
        precision_defined=precision_defined,
        recall_defined=recall_defined,
    )


def _summary(settings: Settings, classes: Sequence[ClassScores]) -> Summary:
    has_foreground = settings.background and len(classes) > 1
    return Summary(
        means=_means(classes),
        foreground=_means(classes[1:]) if has_foreground else None,
        loss_present=_mean(c.loss for c in classes if c.truth_pixels)[0],
        classes=tuple(classes),
    )


def _means(classes: Sequence[ClassScores]) -> Means:
    dice, dice_classes = _mean(c.dice for c in classes)
    return Means(
        loss=_mean(c.loss for c in classes)[0],
        soft_dice=_mean(c.soft_dice for c in classes)[0],
        dice=dice,
        iou=_mean(c.iou for c in classes)[0],
        dice_classes=dice_classes,
    )
