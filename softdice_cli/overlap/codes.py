"""Labels as stored → codes that the engines count.

A code below the number of classes C is that class; the three codes above it are for everything else. Where a truth says
of each class by itself whether it is there, each class has a row of the codes of a single class. Codes are looked up in
a table or in the sorted labels, and never computed in the stored type (``C*y + h`` overflows uint8 at C > 16).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from softdice_cli.records import Settings
from softdice_cli.records.classes import Foreground, foreground_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.integer[Any]]

OTHER, IGNORED, UNKNOWN = 0, 1, 2
"""Offsets above C: counted without a class (the background of a one-channel map), left out, and refused."""

INSIDE, OUTSIDE = 0, 1 + OTHER
"""The codes of a single class."""


class Translation(Protocol):
    """Translates the labels of one mask."""

    def __call__(self, labels: NDArray[Any]) -> Codes:
        """Codes ``(n,)`` or ``(C, n)`` of labels ``(n,)``; of labels ``(C, n)`` of independent channels, ``(C, n)``."""
        ...


class LabelCodes:
    """Translates labels of which each has at most one code.

    Args:
        known: the code of each label that is a class or ignored.
        classes: C.
    """

    def __init__(self, known: Mapping[int, int], classes: int) -> None:
        self._unknown = classes + UNKNOWN
        small = np.uint8 if self._unknown < 2**8 else np.int32
        self._labels = np.array(sorted(known), dtype=np.int64)
        self._codes = np.array([known[label] for label in sorted(known)], dtype=small)
        self._tables: dict[str, Codes] = {}
        # Labels below this are their own codes.
        self._plain = 0
        if all(known.get(code) == code for code in range(classes)):
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

    def _search(self, labels: NDArray[Any]) -> Codes:
        places = np.searchsorted(self._labels, labels).clip(max=len(self._labels) - 1)
        return np.where(self._labels[places] == labels, self._codes[places], self._codes.dtype.type(self._unknown))


_COMPARISONS: dict[str, np.ufunc] = {"!=": np.not_equal, ">": np.greater, ">=": np.greater_equal}


class CutCodes:
    """Translates values that a cut divides into a single class and its background.

    Args:
        cut: what is inside.
        ignore: labels that are left out, whatever the cut says of them.
    """

    def __init__(self, cut: Foreground, ignore: Iterable[int]) -> None:
        self._compare = _COMPARISONS[cut.operator]
        # Not a Python float, which would be rounded to the type of the labels.
        self._bound = np.float64(cut.bound)
        self._ignore = list(ignore)

    def __call__(self, labels: NDArray[Any]) -> Codes:
        """Codes of an array of numbers, in the same shape."""
        codes = np.where(self._compare(labels, self._bound), np.uint8(INSIDE), np.uint8(OUTSIDE))
        if self._ignore:
            codes[np.isin(labels, self._ignore)] = 1 + IGNORED
        if labels.dtype.kind == "f":
            codes[~np.isfinite(labels)] = 1 + UNKNOWN
        return codes


class ChannelCodes:
    """Translates a truth with a channel for each class, of which each says whether the class is there.

    Args:
        one: translates a channel.
    """

    def __init__(self, one: LabelCodes | CutCodes) -> None:
        self._one = one

    def __call__(self, labels: NDArray[Any]) -> Codes:
        """Codes ``(C, n)`` of labels ``(C, n)``."""
        codes = self._one(labels)
        if codes.max(initial=0) > OUTSIDE:
            codes = codes.copy()
            ignored = codes == 1 + IGNORED
            some = ignored.any(axis=0)
            # A pixel is left out of all classes or of none.
            strange = (codes == 1 + UNKNOWN).any(axis=0) | (some & ~ignored.all(axis=0))
            codes[:, strange] = 1 + UNKNOWN
        return codes


class MemberCodes:
    """Translates label maps of which a label can be of several classes, or of none.

    Args:
        owned: the labels of each class.
        ignore: labels that are left out.
    """

    def __init__(self, owned: list[tuple[int, ...]], ignore: Iterable[int]) -> None:
        labels = sorted({0, *(label for own in owned for label in own)})
        kinds = dict(zip(labels, range(len(labels)), strict=True))
        kinds.update(dict.fromkeys(ignore, len(labels) + IGNORED))
        self._kind = LabelCodes(kinds, len(labels))
        rows = np.full((len(owned), len(labels) + 3), OUTSIDE, np.uint8)
        for row, own in zip(rows, owned, strict=True):
            row[[kinds[label] for label in own]] = INSIDE
        rows[:, len(labels) + IGNORED] = 1 + IGNORED
        rows[:, len(labels) + UNKNOWN] = 1 + UNKNOWN
        self._rows = rows

    def __call__(self, labels: NDArray[Any]) -> Codes:
        """Codes ``(C, n)`` of labels ``(n,)``."""
        codes: Codes = self._rows.take(self._kind(labels), axis=1)
        return codes


@functools.lru_cache(maxsize=16)
def translation(settings: Settings, channels: bool = False) -> Translation:
    """The translation for these settings; made once for all masks, as its tables take longer than a small mask.

    Args:
        settings: with the classes resolved; what is open means that no label is foreground.
        channels: the truth has a channel for each class.
    """
    if settings.multilabel and not channels:
        return MemberCodes([definition.labels for definition in settings.classes], settings.ignore)
    if settings.foreground:
        rule = foreground_of(settings.foreground)
        one = _cut_out(settings, rule)
        return ChannelCodes(one) if channels else one
    if channels:
        return ChannelCodes(_one(settings, ()))
    if len(settings.classes) == 1:
        return _one(settings, settings.classes[0].labels)
    known = dict.fromkeys(settings.ignore, len(settings.classes) + IGNORED)
    for index, definition in enumerate(settings.classes):
        known.update(dict.fromkeys(definition.labels, index))
    return LabelCodes(known, len(settings.classes))


def _cut_out(settings: Settings, rule: Foreground) -> LabelCodes | CutCodes:
    """The codes of a single class that a rule cuts out of a truth."""
    if rule.operator == "==":
        return _one(settings, rule.inside, rule.outside)
    return CutCodes(rule, settings.ignore)


def _one(settings: Settings, labels: tuple[int, ...], background: tuple[int, ...] = ()) -> LabelCodes:
    """The codes of a single class: beside it, 0 is the background, unless the class itself has the label 0."""
    known = {0: OUTSIDE, **dict.fromkeys(background, OUTSIDE), **dict.fromkeys(labels, INSIDE)}
    known.update(dict.fromkeys(settings.ignore, 1 + IGNORED))
    return LabelCodes(known, 1)
