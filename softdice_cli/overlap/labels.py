"""Labels as stored → codes that the engines count, and how many pixels carry which label.

A code below the number of classes C is that class; the three codes above it are for everything
else. Codes are looked up in a table or in the sorted labels, and never computed in the stored type
(``C*y + h`` overflows uint8 at C > 16).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.overlap.contract import GRID, Tally
from softdice_cli.records import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.integer[Any]]
    Mask = NDArray[np.bool_]

OTHER, IGNORED, UNKNOWN = 0, 1, 2
"""Offsets above C: counted without a class (the background of a one-channel map), left out, and refused."""

# Distinct labels that are counted: a file in which every pixel had a label of its own would fill
# the memory.
_MOST_LABELS = 2**18

# Up to so many classes, comparing with each of them costs less than one `bincount`.
_FEW_CLASSES = 24


def _codes_of(settings: Settings, value: int | None) -> dict[int, int]:
    """The code of each label that is a class or ignored."""
    classes = len(settings.classes)
    known: dict[int, int] = {}
    if classes == 1:
        # Beside a single class, 0 is the background, unless the class itself is labelled 0.
        known[0] = classes + OTHER
        if value is not None:
            known[value] = 0
    for index, definition in enumerate(settings.classes):
        for label in definition.labels:
            known[label] = index
    for label in settings.ignore:
        known[label] = classes + IGNORED
    return known


class LabelCodes:
    """Translates labels of one mask.

    Args:
        settings: with the classes resolved.
        value: the label of the single class whose value the settings leave open.
    """

    def __init__(self, settings: Settings, value: int | None) -> None:
        classes = len(settings.classes)
        known = _codes_of(settings, value)
        self._unknown = classes + UNKNOWN
        small = np.uint8 if self._unknown < 2**8 else np.int32
        self._labels = np.array(sorted(known), dtype=np.int64)
        self._codes = np.array([known[label] for label in sorted(known)], dtype=small)
        self._tables: dict[str, Codes] = {}
        # Labels below this are their own codes.
        self._plain = 0
        if all(definition.value == index for index, definition in enumerate(settings.classes)):
            self._plain = classes

    def __call__(self, labels: NDArray[Any]) -> Codes:
        """Codes of an integer array, in the same shape."""
        # Floats are whole numbers here: `readers.labels` has seen to that.
        if labels.dtype.kind == "f":
            labels = labels.astype(np.int64)
        if labels.dtype == self._codes.dtype == np.uint8 and labels.max(initial=0) < self._plain:
            return labels
        if labels.dtype.itemsize > 2:
            if not 0 <= labels.min(initial=0) <= labels.max(initial=0) < 2**16:
                return self._search(labels)
            labels = labels.astype(np.uint16)
        native = labels.astype(labels.dtype.newbyteorder("="), copy=False)
        return self._table(native.dtype).take(native.view(f"u{native.dtype.itemsize}"))

    def _table(self, dtype: np.dtype[Any]) -> Codes:
        """The code of every label that a type of one or two bytes holds, in the order of their bits."""
        table = self._tables.get(dtype.str)
        if table is None:
            every = np.arange(2 ** (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}")
            table = self._search(every.view(dtype))
            self._tables[dtype.str] = table
        return table

    @staticmethod
    @functools.lru_cache(maxsize=16)
    def of(settings: Settings, value: int | None) -> LabelCodes:
        """The translation for these settings; made once for all masks, as its tables take longer than a small mask."""
        return LabelCodes(settings, value)

    def _search(self, labels: NDArray[Any]) -> Codes:
        places = np.searchsorted(self._labels, labels).clip(max=len(self._labels) - 1)
        return np.where(self._labels[places] == labels, self._codes[places], self._codes.dtype.type(self._unknown))


def count_labels(chunks: Iterable[NDArray[Any]]) -> dict[int, int]:
    """How many pixels carry each label, over arrays of whole numbers of any shape.

    Where there are more labels than any mask has, the counting ends with those that were found by
    then.
    """
    counts: dict[int, int] = {}
    for chunk in chunks:
        for value, count in zip(*_distinct(chunk), strict=True):
            counts[value] = counts.get(value, 0) + count
        if len(counts) > _MOST_LABELS:
            break
    return dict(sorted(counts.items()))


def _distinct(chunk: NDArray[Any]) -> tuple[list[int], list[int]]:
    if chunk.dtype in (np.uint8, np.uint16):
        counts = np.bincount(chunk.reshape(-1))
        present = counts.nonzero()[0]
        return present.tolist(), counts[present].tolist()
    values, found = np.unique(chunk, return_counts=True)
    values, found = values[: _MOST_LABELS + 1], found[: _MOST_LABELS + 1]
    return [int(value) for value in values.tolist()], found.tolist()


def find_codes(codes: Codes, classes: int) -> tuple[list[int], dict[int, Mask]]:
    """How many pixels carry each of the C + 3 codes, and where each class is that is there at all."""
    if classes > _FEW_CLASSES:
        counts: list[int] = np.bincount(codes, minlength=classes + 3).tolist()
        return counts, {channel: codes == channel for channel in range(classes) if counts[channel]}
    masks = [codes == code for code in range(classes + IGNORED)]
    counts = [int(np.count_nonzero(mask)) for mask in masks]
    rest = codes.size - sum(counts)
    # Mostly there is no other pixel, and the comparison is saved.
    unknown = int(np.count_nonzero(codes == classes + UNKNOWN)) if rest else 0
    inside = {channel: masks[channel] for channel in range(classes) if counts[channel]}
    return [*counts, rest - unknown, unknown], inside


def tally_label_map(predicted: Codes, truth: Codes, classes: int) -> tuple[Tally, int]:
    """The tally of a label map, whose one-hot is the probability, and how many of its pixels are in no class.

    Args:
        predicted: codes ``(n,)`` of the label map.
        truth: codes ``(n,)`` of the same pixels in the mask.
        classes: C.
    """
    labels, _ = find_codes(truth, classes)
    if any(labels[classes + IGNORED :]):
        counted = truth < classes + IGNORED
        predicted, truth = predicted[counted], truth[counted]
    found, _ = find_codes(predicted, classes)
    hits = tuple(find_codes(truth[predicted == truth], classes)[0][:classes])
    pixels = tuple(found[:classes])
    tally = Tally(
        probability=tuple(count * GRID for count in pixels),
        intersection=tuple(count * GRID for count in hits),
        truth=tuple(labels[:classes]),
        predicted=pixels,
        true_positives=hits,
        pixels=int(truth.size),
        ignored=labels[classes + IGNORED],
        unknown=labels[classes + UNKNOWN],
    )
    return tally, sum(found[classes + IGNORED :])
