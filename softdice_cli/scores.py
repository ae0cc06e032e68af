"""Sums → scores, in plain Python: ratios of one class, pooled and image-mean averages.

Every sum over images is `math.fsum`, so the order of the images cannot change a digit. Undefined is ``None`` from here
to the last output; nothing is rounded.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from softdice_cli.errors import UnreadableError
from softdice_cli.records import (
    SCORES,
    ClassScores,
    ClassSums,
    Failure,
    ImageRow,
    Means,
    Results,
    Settings,
    Shard,
    Summary,
)


def summarize(
    settings: Settings,
    rows: Iterable[ImageRow],
    failures: Iterable[Failure] = (),
    *,
    left_out: Sequence[str] = (),
    shard: Shard | None = None,
) -> Results:
    """Results with every score that the rows give.

    Args:
        settings: with the classes resolved.
        rows: one an image, in any order.
        failures: the pairs that have no row.
        left_out: files without a partner that were allowed to be missing.
        shard: which part of a run the rows are.
    """
    images = tuple(sorted(rows, key=lambda row: row.id))
    pooled = score_classes(settings, pool(row.sums for row in images))
    return Results(
        settings=settings,
        images=images,
        pooled=_summary(settings, pooled, _mean(c.loss for c in pooled if c.truth_pixels)[0]),
        image_mean=_image_mean(settings, pooled, images),
        failures=tuple(sorted(failures, key=lambda failure: failure.id)),
        left_out=tuple(left_out),
        shard=shard,
    )


def restore(data: bytes, path: str) -> Results:
    """The results in a file, every score computed again from its rows.

    Args:
        data: the bytes of the file.
        path: its name, for messages.

    Raises:
        UnreadableError: it is no results file, or of a newer version, or its scores are not those of its sums.
    """
    from softdice_cli.records.saved import parse, read_saved, scores_to_json, summary_to_json

    document = parse(data, path)
    saved = read_saved(document, path)
    results = summarize(saved.settings, saved.images, saved.failures, left_out=saved.left_out, shard=saved.shard)
    claims = {
        "signature": saved.settings.signature,
        "complete": results.complete,
        "pooled": summary_to_json(results.pooled),
        "image_mean": summary_to_json(results.image_mean),
    }
    found = next((d for name, value in claims.items() if (d := _difference(document.get(name), value, name))), None)
    by_id = {image["id"]: image for image in document["images"]}
    for row in results.images:
        computed = [scores_to_json(scores) for scores in score_image(saved.settings, row)]
        found = found or _difference(by_id[row.id].get("classes"), computed, f"images[{row.id}].classes")
    if found or len(by_id) != len(results.images):
        raise UnreadableError(
            "was changed by hand: its scores are not those of its sums",
            path=path,
            found=found or "two images of one id",
            hint="run softdice eval again",
        )
    return results


def _difference(claimed: Any, computed: Any, where: str) -> str | None:
    """The first place where two JSON values differ by more than the last digits of a logarithm."""
    if isinstance(computed, dict) and isinstance(claimed, dict) and claimed.keys() == computed.keys():
        parts = ((claimed[name], value, f"{where}.{name}") for name, value in computed.items())
    elif isinstance(computed, list) and isinstance(claimed, list) and len(claimed) == len(computed):
        parts = ((claimed[i], value, f"{where}[{i}]") for i, value in enumerate(computed))
    elif all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e300 for v in (claimed, computed)):
        close = math.isclose(claimed, computed, rel_tol=1e-12, abs_tol=1e-15)
        return None if close else f"{where} is {claimed!r}, and its sums give {computed!r}"
    else:
        same = claimed == computed and type(claimed) is type(computed)
        return None if same else f"{where} is {str(claimed)[:80]}, and its sums give {str(computed)[:80]}"
    return next((found for part in parts if (found := _difference(*part))), None)


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


def score_image(settings: Settings, row: ImageRow) -> tuple[ClassScores, ...]:
    """Scores of the classes that the settings show, for one image."""
    return score_classes(settings, row.sums)


def score_classes(settings: Settings, sums: Sequence[ClassSums]) -> tuple[ClassScores, ...]:
    """Scores of the classes that the settings show, from the sums of all classes."""
    if not sums:
        return ()
    return tuple(_score(settings, settings.classes[c].name, sums[c]) for c in settings.scored)


def mean_dice(scores: Sequence[ClassScores]) -> float | None:
    """Mean hard Dice over the classes where it is defined."""
    return _mean(s.dice for s in scores)[0]


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


@dataclass
class _Column:
    """The defined values of each score of one class, image by image, in as little memory as they need.

    `present` holds the losses in the images that have the class.
    """

    values: dict[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in SCORES})
    present: array[float] = field(default_factory=lambda: array("d"))

    def add(self, scores: ClassScores) -> None:
        if scores.truth_pixels:
            self.present.append(scores.loss)
        for name, values in self.values.items():
            value = getattr(scores, name)
            if value is not None:
                values.append(value)

    def mean(self, name: str) -> float | None:
        return _mean(self.values[name])[0]


def _image_mean(settings: Settings, pooled: Sequence[ClassScores], images: Iterable[ImageRow]) -> Summary:
    """For each class, the mean of each score over the images where it is defined; counts as in `pooled`."""
    columns = [_Column() for _ in pooled]
    for row in images:
        for column, scores in zip(columns, score_image(settings, row), strict=True):
            column.add(scores)
    classes = tuple(
        replace(
            total,
            loss=column.mean("loss") or 0.0,  # both are defined for every image
            soft_dice=column.mean("soft_dice") or 0.0,
            dice=column.mean("dice"),
            iou=column.mean("iou"),
            precision=column.mean("precision"),
            recall=column.mean("recall"),
            defined=len(column.values["dice"]),
            precision_defined=len(column.values["precision"]),
            recall_defined=len(column.values["recall"]),
        )
        for total, column in zip(pooled, columns, strict=True)
    )
    present = _mean(_mean(column.present)[0] for column in columns)[0]
    return _summary(settings, classes, present)


def _summary(settings: Settings, classes: Sequence[ClassScores], loss_present: float | None) -> Summary:
    has_foreground = settings.background and len(classes) > 1
    return Summary(
        means=_means(classes),
        foreground=_means(classes[1:]) if has_foreground else None,
        loss_present=loss_present,
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
