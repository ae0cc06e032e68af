"""Labels as stored → codes that the engines count, and how many pixels carry which label.

A code below the number of classes C is that class; the three above it are for what is no class. Lookup is by table or
by search in the sorted labels, never by arithmetic in the stored type (``C*y + h`` overflows uint8 at C > 16).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softdice_cli.overlap.contract import GRID, Tally
from softdice_cli.records import Settings

OTHER, IGNORED, UNKNOWN = 0, 1, 2
"""Offsets above C: counted but of no class (the background of a one-channel map), left out, and refused."""


class LabelCodes:
    """Translates labels of one mask.

    Args:
        settings: with the classes resolved.
        value: the label of the single class whose value the settings leave open.
    """

    def __init__(self, settings: Settings, value: int | None) -> None:
        classes = len(settings.classes)
        known = {c.value: index for index, c in enumerate(settings.classes) if c.value is not None}
        if classes == 1:
            known = {0: classes + OTHER} | known
            if value is not None:
                known[value] = 0
        known |= dict.fromkeys(settings.ignore, classes + IGNORED)
        self._unknown = classes + UNKNOWN
        self._labels = np.array(sorted(known), dtype=np.int64)
        self._codes = np.array([known[label] for label in sorted(known)], dtype=np.intp)
        self._tables: dict[str, NDArray[np.intp]] = {}

    def __call__(self, labels: NDArray[Any]) -> NDArray[np.intp]:
        """Codes of an integer array, in the same shape."""
        if labels.dtype.kind == "f":  # whole numbers, as `readers.labels` has seen to
            labels = labels.astype(np.int64)
        if labels.dtype.itemsize > 2:
            return self._search(labels)
        table = self._tables.get(labels.dtype.str)
        if table is None:
            every = np.arange(2 ** (8 * labels.dtype.itemsize), dtype=f"u{labels.dtype.itemsize}")
            table = self._tables[labels.dtype.str] = self._search(every.view(labels.dtype.newbyteorder("=")))
        unsigned = f"u{labels.dtype.itemsize}"
        return table.take(labels.astype(labels.dtype.newbyteorder("="), copy=False).view(unsigned))

    def _search(self, labels: NDArray[Any]) -> NDArray[np.intp]:
        places = np.searchsorted(self._labels, labels).clip(max=len(self._labels) - 1)
        return np.where(self._labels[places] == labels, self._codes[places], self._unknown)


def count_labels(chunks: Iterable[NDArray[Any]]) -> dict[int, int]:
    """How many pixels carry each label, over arrays of whole numbers of any shape."""
    counts: dict[int, int] = {}
    for chunk in chunks:
        for value, count in zip(*_distinct(chunk), strict=True):
            counts[value] = counts.get(value, 0) + count
    return dict(sorted(counts.items()))


def _distinct(chunk: NDArray[Any]) -> tuple[list[int], list[int]]:
    if chunk.dtype in (np.uint8, np.uint16):
        counts = np.bincount(chunk.reshape(-1))
        present = counts.nonzero()[0]
        return present.tolist(), counts[present].tolist()
    values, found = np.unique(chunk, return_counts=True)
    return [int(value) for value in values.tolist()], found.tolist()


def tally_label_map(predicted: NDArray[np.intp], truth: NDArray[np.intp], classes: int) -> tuple[Tally, int]:
    """The tally of a label map, whose one-hot is the probability, and how many of its labels are no class.

    Args:
        predicted: codes ``(n,)`` of the label map.
        truth: codes ``(n,)`` of the same pixels in the mask.
        classes: C.
    """
    labels = np.bincount(truth, minlength=classes + 3)
    counted = truth < classes + IGNORED
    predicted, truth = predicted[counted], truth[counted]
    found = np.bincount(predicted, minlength=classes + 3)
    hits = tuple(np.bincount(truth[predicted == truth], minlength=classes)[:classes].tolist())
    pixels = tuple(found[:classes].tolist())
    tally = Tally(
        probability=tuple(count * GRID for count in pixels),
        intersection=tuple(count * GRID for count in hits),
        truth=tuple(labels[:classes].tolist()),
        predicted=pixels,
        true_positives=hits,
        pixels=int(truth.size),
        ignored=int(labels[classes + IGNORED]),
        unknown=int(labels[classes + UNKNOWN]),
    )
    return tally, int(found[classes + IGNORED :].sum())
