"""Which class is taken for which: pixels by predicted and true class, from what was counted anyway.

The right pixels, and how many pixels each class has on both sides, are known by then. So most of the matrix follows
without a look at the pixels, and only what is left open is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.overlap.contract import Pixels
from softdice_cli.overlap.labels import pairs_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.integer[Any]]
    Mask = NDArray[np.bool_]

# With more pairs of classes than this, one look at each wrong pixel costs less than one pass for each pair.
_FEW_PAIRS = 25

_MANY_CHANNELS = 32


def confusion_of(
    chosen: Mask,
    inside: dict[int, Mask],
    codes: Codes,
    keep: Mask | None,
    predicted: list[int],
    hits: list[int],
) -> Pixels:
    """Pixels of one class that were decided to be of another, by (predicted, true).

    Args:
        chosen: where each class is decided for, ``(C, n)``; each counted pixel has exactly one.
        inside: the pixels ``(n,)`` of each class that is there.
        codes: the class ``(n,)`` of each pixel.
        keep: the pixels ``(n,)`` that are counted, or ``None`` for all of them.
        predicted: how many pixels are decided for each class.
        hits: how many of them rightly.
    """
    rows = {channel: count - hits[channel] for channel, count in enumerate(predicted) if count > hits[channel]}
    # Mostly all pixels of a tile are right.
    if not rows:
        return {}
    columns: dict[int, int] = {}
    for channel, mask in inside.items():
        missed = int(np.count_nonzero(mask)) - hits[channel]
        if missed:
            columns[channel] = missed
    if len(rows) * len(columns) > _FEW_PAIRS:
        # Nothing is added for channel 0.
        channels = [channel for channel, count in enumerate(predicted) if count and channel]
        return _of_wrong_pixels(chosen, channels, codes, keep)
    pairs: dict[tuple[int, int], int] = {}
    for row in rows:
        for column in columns:
            if row == column or not rows[row] or not columns[column]:
                continue
            pixels = _following(rows, columns, row, column)
            if pixels is None:
                pixels = int(np.count_nonzero(chosen[row] & inside[column]))
            if pixels:
                pairs[row, column] = pixels
                rows[row] -= pixels
                columns[column] -= pixels
    return pairs


def _following(rows: dict[int, int], columns: dict[int, int], predicted: int, true: int) -> int | None:
    """The pixels of a pair where they follow from what is left: rows and columns before it are done."""
    if not any(left for column, left in _after(columns, true) if column != predicted):
        return rows[predicted]
    if not any(left for row, left in _after(rows, predicted) if row != true):
        return columns[true]
    return None


def _after(items: dict[int, int], key: int) -> list[tuple[int, int]]:
    return [(other, left) for other, left in items.items() if other > key]


def _of_wrong_pixels(chosen: Mask, channels: list[int], codes: Codes, keep: Mask | None) -> Pixels:
    """The same, one wrong pixel after the other."""
    decided = np.zeros(codes.shape, codes.dtype)
    if len(channels) > _MANY_CHANNELS:
        # One look for the few places that are chosen costs less than two passes for each channel.
        numbers, pixels = np.divmod(np.flatnonzero(chosen), codes.size)
        decided[pixels] = numbers
    else:
        part = np.empty_like(decided)
        for channel in channels:
            # Each pixel has one channel, so that a sum is the number of that channel.
            np.multiply(chosen[channel].view(np.uint8), codes.dtype.type(channel), out=part)
            decided += part
    wrong = decided != codes
    if keep is not None:
        wrong &= keep
    places = np.flatnonzero(wrong)
    return pairs_of(decided[places], codes[places], len(chosen))
