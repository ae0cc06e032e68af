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
_FEW_PAIRS = 12


def confusion_of(
    chosen: Mask, inside: dict[int, Mask], codes: Codes, wrongly: dict[int, int], missed: dict[int, int]
) -> Pixels:
    """Pixels of one class that were decided to be of another, by (predicted, true).

    Args:
        chosen: where each class is decided for, ``(C, n)``; each counted pixel has exactly one.
        inside: the pixels ``(n,)`` of each class that is there.
        codes: the class ``(n,)`` of each pixel.
        wrongly: how many pixels were decided for each class wrongly, where there are any.
        missed: how many pixels of each class were missed, where there are any; as many as `wrongly` together.
    """
    rows, columns = dict(wrongly), dict(missed)
    if len(rows) * len(columns) > _FEW_PAIRS:
        return _of_wrong_pixels(chosen, inside, codes, list(rows))
    pairs: dict[tuple[int, int], int] = {}
    for predicted in wrongly:
        for true in missed:
            if predicted == true or not rows[predicted] or not columns[true]:
                continue
            pixels = _following(rows, columns, predicted, true)
            if pixels is None:
                pixels = int(np.count_nonzero(chosen[predicted] & inside[true]))
            if pixels:
                pairs[predicted, true] = pixels
                rows[predicted] -= pixels
                columns[true] -= pixels
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


def _of_wrong_pixels(chosen: Mask, inside: dict[int, Mask], codes: Codes, predicted: list[int]) -> Pixels:
    """The same, one wrong pixel after the other."""
    right = np.zeros(codes.shape, np.bool_)
    for channel, mask in inside.items():
        right |= chosen[channel] & mask
    decided = np.zeros(codes.shape, codes.dtype)
    wrong = np.zeros(codes.shape, np.bool_)
    for channel in predicted:
        missed = chosen[channel] & ~right
        wrong |= missed
        np.copyto(decided, codes.dtype.type(channel), where=missed)
    places = np.flatnonzero(wrong)
    return pairs_of(decided[places], codes[places], len(chosen))
