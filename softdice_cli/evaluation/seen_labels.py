"""Which labels the files of a run hold, as far as that explains a refusal.

One file seldom shows what a label means: a crop may lack most classes. So a refusal carries what its file holds, and
what all files of a run hold together is what a cure is drawn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np

from softdice_cli.overlap import Tally
from softdice_cli.overlap.tiles import tiles
from softdice_cli.readers import Source
from softdice_cli.records import ImageRow, Settings
from softdice_cli.records.classes import foreground_of

VOID = 255
"""The label that mostly marks pixels to leave out."""

# Pixels that are compared at once.
_LOOKED_AT = 2**18

# Labels that are kept; a file of more holds no classes, and the cure is the same.
_MOST_KEPT = 2**12


class Agreeing(NamedTuple):
    """In how many pixels prediction and truth agree: as labels stand, and if they are shifted by 1.

    Attributes:
        as_is: where label k is channel k.
        shifted: where label k + 1 is channel k.
        lowered: where label k is what the prediction calls k + 1.
    """

    as_is: int = 0
    shifted: int = 0
    lowered: int = 0


@dataclass(frozen=True, slots=True)
class LabelsSeen:
    """What one file, or several together, show of the labels.

    Attributes:
        settings: with the classes resolved; a label that was found in another file is still open.
        truth: pixels of each label in the truths.
        predicted: the same in the predictions, where these are label maps.
        mixed: some file holds several labels besides 0 that are not ignored.
        agreeing: prediction and truth, where classes are exclusive.
        reach: the greatest number that the type of a refused label map holds; 0 for floats and truths.
        hits: of a single class, how many of the pixels of a label are predicted, where that is known.
    """

    settings: Settings
    truth: Mapping[int, int]
    predicted: Mapping[int, int]
    mixed: bool = False
    agreeing: Agreeing = field(default_factory=Agreeing)
    reach: int = 0
    hits: Mapping[int, int] = field(default_factory=dict)

    @property
    def kind(self) -> object:
        """Equal for what has one cure."""
        return "labels", len(self.settings.classes)

    def joined(self, other: LabelsSeen) -> Self:
        """What both show together."""
        return replace(
            self,
            truth=together(self.truth, other.truth),
            predicted=together(self.predicted, other.predicted),
            mixed=self.mixed or other.mixed,
            agreeing=_sum(self.agreeing, other.agreeing),
            reach=max(self.reach, other.reach),
            hits=together(self.hits, other.hits),
        )

    def with_rows(self, rows: Sequence[ImageRow], settings: Settings) -> Self:
        """The same, with what the images show that could be evaluated with these settings."""
        truth, predicted, hits = dict(self.truth), dict(self.predicted), dict(self.hits)
        for row in rows:
            if len(row.sums) == 1 and settings.label is not None:
                hits[settings.label] = hits.get(settings.label, 0) + row.sums[0].true_positives
            _count(truth, settings, [sums.truth for sums in row.sums], row.pixels)
            if settings.prediction == "labels":
                _count(predicted, settings, [sums.predicted for sums in row.sums], row.pixels)
        agreeing = _sum(self.agreeing, agreeing_of_rows(rows))
        return replace(self, truth=truth, predicted=predicted, agreeing=agreeing, hits=hits)

    @property
    def every(self) -> list[int]:
        """All labels of both sides that are not ignored, in order."""
        return [label for label in sorted({*self.truth, *self.predicted}) if label not in self.settings.ignore]

    @property
    def unknown(self) -> list[int]:
        """Those of them that are not classes."""
        known = known_labels(self.settings)
        return [label for label in self.every if label not in known]


def _sum(one: Agreeing, other: Agreeing) -> Agreeing:
    return Agreeing(one.as_is + other.as_is, one.shifted + other.shifted, one.lowered + other.lowered)


def together(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    """The pixels of each label in both, in the order of the labels."""
    total = dict(one)
    for label, pixels in other.items():
        total[label] = total.get(label, 0) + pixels
    return kept(total)


def kept(counts: Mapping[int, int]) -> dict[int, int]:
    """The counts in the order of the labels; of very many the first, and the last."""
    labels = sorted(counts)
    if len(labels) > _MOST_KEPT:
        labels = [*labels[: _MOST_KEPT - 1], labels[-1]]
    return {label: counts[label] for label in labels}


def agreeing_of(tally: Tally | None) -> Agreeing:
    """In how many pixels of a tally prediction and truth agree."""
    if tally is None:
        return Agreeing()
    return Agreeing(sum(tally.true_positives), *_shifted(tally.confusion))


def agreeing_of_maps(truth: Source, prediction: Source) -> Agreeing:
    """The same for two label maps as they are stored, where they have one shape."""
    agreeing = Agreeing()
    if truth.array.shape != prediction.array.shape or not truth.array.ndim:
        return agreeing
    # Views and never single values: an array that is still in its file has no memory to take a value from.
    for other, one in tiles(prediction.array[np.newaxis], [truth.array], _LOOKED_AT):
        labels = truth.load(one).astype(np.int64)
        predicted = prediction.load(other[0]).astype(np.int64)
        counts = [int(np.count_nonzero(predicted == labels - step)) for step in (0, 1, -1)]
        agreeing = _sum(agreeing, Agreeing(*counts))
    return agreeing


def agreeing_of_rows(rows: Iterable[ImageRow]) -> Agreeing:
    """The same for images that were evaluated, where each pixel is of exactly one class."""
    agreeing = Agreeing()
    for row in rows:
        as_is = sum(sums.true_positives for sums in row.sums)
        shifted = _shifted({(chosen, true): pixels for chosen, true, pixels in row.confusion or ()})
        agreeing = _sum(agreeing, Agreeing(as_is, *shifted))
    return agreeing


def _shifted(confusion: Mapping[tuple[int, int], int]) -> tuple[int, int]:
    """The pixels whose label is one higher than what was predicted, and those whose label is one lower."""
    higher = sum(pixels for (chosen, true), pixels in confusion.items() if true == chosen + 1)
    lower = sum(pixels for (chosen, true), pixels in confusion.items() if true == chosen - 1)
    return higher, lower


def _count(counts: dict[int, int], settings: Settings, pixels: list[int], total: int) -> None:
    """Add the pixels of the classes to those of their labels."""
    for definition, found in zip(settings.classes, pixels, strict=True):
        if found and definition.labels:
            counts[definition.labels[0]] = counts.get(definition.labels[0], 0) + found
    # Beside a single class, 0 is the background.
    if len(pixels) == 1 and total > pixels[0]:
        counts[0] = counts.get(0, 0) + total - pixels[0]


def known_labels(settings: Settings) -> set[int]:
    """The labels that are classes, background, or ignored."""
    known = set(settings.ignore)
    for definition in settings.classes:
        known.update(definition.labels)
    if len(settings.classes) == 1 or settings.multilabel:
        # Beside a single class, 0 is the background.
        known.add(0)
    if settings.foreground:
        rule = foreground_of(settings.foreground)
        known.update(rule.inside, rule.outside)
    return known
