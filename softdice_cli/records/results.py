"""Rows and results: the sums of every image, the scores they give, and what failed.

Rows are what is kept; every score can be computed again from them. The arithmetic lives in `scores`, which fills the
`Scores` and `Summary` shapes declared here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from softdice_cli.records.settings import Settings, classes_to_json, settings_to_json

FORMAT = "softdice-results"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class ClassSums:
    """The sums of one class, over one image or many; everything else follows from them.

    Attributes:
        probability: P = Σp over the counted pixels, in pixels.
        intersection: I = Σp·y, in pixels.
        truth: Y = Σy, how many pixels have this label.
        predicted: how many pixels the hard decision gives to this class.
        true_positives: how many of those have this label.
    """

    probability: float
    intersection: float
    truth: int
    predicted: int
    true_positives: int


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One evaluated image.

    Attributes:
        id: unique name of the image within the results.
        pred: the prediction, as the user named it.
        gt: the truth, as the user named it.
        pixels: how many pixels were counted.
        ignored: how many carry an ignore label.
        sums: one entry a class, in the order of the channels.
    """

    id: str
    pred: str
    gt: str
    pixels: int
    ignored: int
    sums: tuple[ClassSums, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One pair that could not be evaluated: the error in a sentence, what was expected and found, what to try."""

    id: str
    error: str
    expected: str
    found: str
    hint: str


@dataclass(frozen=True, slots=True)
class ClassScores:
    """The scores of one class; ``None`` is undefined. Counts are pixels.

    In an image mean each score is the mean over the images where it is defined; the three ``*_defined`` say how many
    those are (``defined`` is for hard Dice and IoU alike), and are ``None`` elsewhere.
    """

    name: str
    loss: float
    soft_dice: float
    dice: float | None
    iou: float | None
    precision: float | None
    recall: float | None
    truth_pixels: int
    predicted_pixels: int
    true_positives: int
    defined: int | None = None
    precision_defined: int | None = None
    recall_defined: int | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """Means over classes; ``None`` where no class is defined. `dice_classes` says how many stand behind `dice`."""

    loss: float | None
    soft_dice: float | None
    dice: float | None
    iou: float | None
    dice_classes: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Scores of all images together, in one of the two ways of averaging.

    Attributes:
        means: over the scored classes.
        foreground: over the scored classes but the background; ``None`` if that is no subset.
        loss_present: mean loss over the classes that have truth pixels; ``None`` if there are none.
        classes: the scored classes.
    """

    means: Means
    foreground: Means | None
    loss_present: float | None
    classes: tuple[ClassScores, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """The outcome of an evaluation.

    Attributes:
        settings: what the numbers mean.
        images: the evaluated images, sorted by id.
        scores: the scores of each image, in the same order.
        pooled: sums first, then the ratio.
        image_mean: ratio per image, then the mean over images, then over classes.
        failures: the pairs that could not be evaluated, sorted by id.
    """

    settings: Settings
    images: tuple[ImageRow, ...]
    scores: tuple[tuple[ClassScores, ...], ...]
    pooled: Summary
    image_mean: Summary
    failures: tuple[Failure, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every pair was evaluated."""
        return bool(self.images) and not self.failures

    def to_json(self) -> str:
        """The results file: one JSON document, the same bytes for the same data."""
        return json.dumps(_document(self), indent=2, allow_nan=False) + "\n"


def _document(results: Results) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "signature": results.settings.signature,
        "settings": settings_to_json(results.settings),
        "classes": classes_to_json(results.settings),
        "complete": results.complete,
        "pooled": _summary(results.pooled),
        "image_mean": _summary(results.image_mean),
        "images": [_image(row, scores) for row, scores in zip(results.images, results.scores, strict=True)],
        "failures": [asdict(f) for f in results.failures],
        "requirements": [],
    }


def _means(means: Means) -> dict[str, Any]:
    return {
        "loss": means.loss,
        "soft_dice": means.soft_dice,
        "dice": means.dice,
        "iou": means.iou,
        "dice_classes": means.dice_classes,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        **_means(summary.means),
        "loss_present": summary.loss_present,
        "foreground": None if summary.foreground is None else _means(summary.foreground),
        "classes": [_class(scores) for scores in summary.classes],
    }


def _class(scores: ClassScores) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": scores.name,
        "loss": scores.loss,
        "soft_dice": scores.soft_dice,
        "dice": scores.dice,
        "iou": scores.iou,
        "precision": scores.precision,
        "recall": scores.recall,
        "truth_pixels": scores.truth_pixels,
        "predicted_pixels": scores.predicted_pixels,
        "true_positives": scores.true_positives,
    }
    if scores.defined is not None:
        row |= {
            "defined": scores.defined,
            "precision_defined": scores.precision_defined,
            "recall_defined": scores.recall_defined,
        }
    return row


def _image(row: ImageRow, scores: tuple[ClassScores, ...]) -> dict[str, Any]:
    return {
        "id": row.id,
        "pred": row.pred,
        "gt": row.gt,
        "pixels": row.pixels,
        "ignored": row.ignored,
        "sums": {
            "probability": [s.probability for s in row.sums],
            "intersection": [s.intersection for s in row.sums],
            "truth": [s.truth for s in row.sums],
            "predicted": [s.predicted for s in row.sums],
            "true_positives": [s.true_positives for s in row.sums],
        },
        "classes": [_class(score) for score in scores],
    }
