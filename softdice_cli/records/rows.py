"""What was counted: the sums of every image, and the pairs that could not be counted.

Rows are what a run keeps. Every score can be computed from them again, without the pixels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from softdice_cli.errors import advice


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key for ids as people expect it: numbers by their value, so that 9 comes before 10."""
    key = []
    for part in re.split(r"([0-9]+)", text):
        if part.isdecimal():
            digits = part.lstrip("0")
            # The longer of two numbers without leading zeros is the greater one.
            key.append((0, len(digits), digits))
        elif part:
            key.append((1, 0, part))
    return key


def image_ids(pair: str, images: int) -> list[str]:
    """The ids of the images of a pair: its own id, or with several images that id and a number each."""
    if images == 1:
        return [pair]
    digits = len(str(images - 1))
    return [f"{pair}[{index:0{digits}}]" for index in range(images)]


@dataclass(frozen=True, slots=True)
class ClassSums:
    """The sums of one class, over one image or many; every score follows from them.

    Attributes:
        probability: P = Σp over the counted pixels, in pixels.
        intersection: I = Σp·y, in pixels.
        truth: Y = Σy, how many pixels have this label.
        predicted: how many pixels the hard decision gives to this class.
        true_positives: how many of those have this label.
        pixels: how many pixels were counted.
    """

    probability: float
    intersection: float
    truth: int
    predicted: int
    true_positives: int
    pixels: int

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        # Workers send these by the thousand, and this way takes less time than the default.
        values = (
            self.probability,
            self.intersection,
            self.truth,
            self.predicted,
            self.true_positives,
            self.pixels,
        )
        return ClassSums, values


Confusion = tuple[tuple[int, int, int], ...]
"""Predicted class, true class, and how many pixels; see `ImageRow.confusion`."""


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
        regions: one entry a region, in the order of the settings.
        confusion: how many pixels of one class were predicted as another, as (predicted, true,
            pixels) of what is not 0, by the places of the classes; what is right stands in `sums`.
            ``None`` where a pixel is not of exactly one class, and in rows of softdice 0.1.0.
        truth: digest of the labels, which says whether two rows are of one truth; empty in rows of softdice 0.1.0.
    """

    id: str
    pred: str
    gt: str
    pixels: int
    ignored: int
    sums: tuple[ClassSums, ...]
    regions: tuple[ClassSums, ...] = ()
    confusion: Confusion | None = None
    truth: str = ""

    def has_truth_of(self, other: ImageRow) -> bool:
        """Whether two rows can be of one truth: by its labels, or where a row does not know them, by their numbers."""
        if self.truth and other.truth and self.truth != other.truth:
            return False
        return self._numbers() == other._numbers()

    def _numbers(self) -> tuple[int, int, list[int]]:
        """The numbers that follow from the truth alone."""
        return self.pixels, self.ignored, [sums.truth for sums in self.sums]


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
