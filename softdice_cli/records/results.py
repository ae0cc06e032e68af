"""Rows and results: the sums of every image, the scores they give together, and what failed.

Rows are what is kept; every score can be computed again from them. The arithmetic lives in `scores`, which fills the
`ClassScores`, `Means` and `Summary` declared here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from softdice_cli.errors import advice
from softdice_cli.records.settings import Settings

if TYPE_CHECKING:  # most results have none
    from softdice_cli.records.intervals import ScoreInterval


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key for ids as people expect it: numbers by their value, so that 9 comes before 10."""
    parts = (part for part in re.split(r"([0-9]+)", text) if part)
    return [(0, len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (1, 0, part) for part in parts]


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

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:  # pickled by the thousand, and faster so
        return ClassSums, (self.probability, self.intersection, self.truth, self.predicted, self.true_positives)


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
    pred: str
    gt: str
    error: str
    expected: str
    found: str
    hint: str

    @property
    def details(self) -> list[tuple[str, str]]:
        """What stands below the error wherever it is shown; see `errors.advice`."""
        return advice(self.expected, self.found, self.hint)


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of a run this is.

    Attributes:
        index: from 1 to `count`.
        count: into how many parts the run was cut.
        pairs: how many pairs the whole run has.
        run: digest of the ids of all its pairs, the same in every part.
    """

    index: int
    count: int
    pairs: int
    run: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A requirement and whether it is met.

    Attributes:
        rule: as the user wrote it, or as an option stands for it.
        value: the unrounded number that was judged; ``None`` is undefined, and never passes.
        operator: ``>=``, ``>``, ``<=`` or ``<``.
        bound: the number that it is held against.
        passed: whether it is met.
        reason: why it cannot be met whatever the value (``undefined``, ``incomplete``), or empty.
        images: for a rule on single images that is not met, the images that sank it, the worst first.
    """

    rule: str
    value: float | None
    operator: str
    bound: float
    passed: bool
    reason: str = ""
    images: tuple[str, ...] = ()

    @property
    def margin(self) -> float | None:
        """How far the value is on the right side of the bound; below 0 on the wrong one."""
        if self.value is None:
            return None
        return self.value - self.bound if self.operator.startswith(">") else self.bound - self.value


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


SCORES = ("loss", "soft_dice", "dice", "iou", "precision", "recall")
"""The fields of `ClassScores` that are scores."""


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
        loss_present: mean loss over the classes that have truth pixels, in an image mean over the images that have the
            class; ``None`` if there are none.
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
        images: the evaluated images, sorted by id; `scores.score_image` gives the scores of one.
        pooled: sums first, then the ratio.
        image_mean: ratio per image, then the mean over images, then over classes.
        failures: the pairs that could not be evaluated, sorted by id.
        left_out: files without a partner that were allowed to be missing, one sentence each.
        shard: which part of a run this is, or ``None`` for the whole.
        requirements: what was asked of the scores, and whether it is met; `gates` fills it.
        intervals: 95 % bootstrap intervals, where they were asked for; `comparison` computes them.
    """

    settings: Settings
    images: tuple[ImageRow, ...]
    pooled: Summary
    image_mean: Summary
    failures: tuple[Failure, ...] = ()
    left_out: tuple[str, ...] = ()
    shard: Shard | None = None
    requirements: tuple[Verdict, ...] = ()
    intervals: tuple[ScoreInterval, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every pair was evaluated."""
        return bool(self.images) and not self.failures
