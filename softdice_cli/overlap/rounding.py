"""How coarsely probabilities were rounded before they were saved: the values themselves say so.

A network in bfloat16, or ``np.round(p, 2)``, leaves sums over the channels that are as far from 1 as the rounding is
coarse, whatever wider type the values are stored in. That all values lie on one grid tells the rounding apart from maps
that do not sum to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.overlap.decoding import WIDEST_QUANTIZED, Decoding, tolerance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# What is added to the tolerance for the rounding of the stored type itself.
_STORED = 1e-6

# Bytes of the types in which every rounding is seen.
_WIDE = 4


@dataclass(frozen=True, slots=True)
class Grid:
    """Values that a rounding leaves.

    Attributes:
        name: for a sentence.
        sums: how far the sum over so many channels may lie from 1.
        holds: whether an array of floats lies on it, as bools of the same shape.
        coarse: its steps are seen in float16 as well.
    """

    name: str
    sums: Callable[[int], float]
    holds: Callable[[Array], Array]
    coarse: bool = False


def _steps(count: int, off: float) -> Grid:
    """The multiples of 1/count, where a rounding is off by so much of a step."""

    def holds(values: Array) -> Array:
        nearest = np.rint(values.astype(np.float64) * count) / count
        # The nearest number of the stored type, or its neighbour where that was computed in another way.
        close: Array = np.abs(values - nearest) <= np.finfo(values.dtype).eps * np.abs(nearest)
        return close

    name = f"steps of 1/{count}"
    if off == 0.5:
        name = f"{len(str(count)) - 1} decimals"
    return Grid(name, lambda classes: min(classes * off / count + _STORED, WIDEST_QUANTIZED), holds, count <= 255)


def _is_bfloat16(values: Array) -> Array:
    narrow = values.astype(np.float32)
    exact: Array = (narrow == values) & (narrow.view(np.uint32) & 0xFFFF == 0)
    return exact


def _is_float16(values: Array) -> Array:
    with np.errstate(over="ignore"):
        exact: Array = values.astype(np.float16) == values
    return exact


# The coarse ones first: what lies on two of them was rounded to the coarser one. Probabilities that
# were multiplied by 255 may have been rounded or cut off.
_GRIDS = (
    _steps(10**2, 0.5),
    Grid("bfloat16", lambda _: tolerance(2.0**-7), _is_bfloat16),
    _steps(255, 1),
    _steps(10**3, 0.5),
    Grid("float16", lambda _: tolerance(2.0**-10), _is_float16),
    _steps(10**4, 0.5),
    _steps(65535, 1),
)


def may_be_rounded(low: float, high: float) -> bool:
    """Whether sums over the channels in this range may be those of rounded probabilities."""
    return low >= 1 - WIDEST_QUANTIZED and high <= 1 + WIDEST_QUANTIZED


def grid_of(chunks: Iterable[Array]) -> Grid | None:
    """The coarsest known grid that all finite values lie on, over arrays of floats, or ``None``."""
    left = list(_GRIDS)
    for values in chunks:
        if values.dtype.itemsize < _WIDE:
            # Its numbers are too few to show a rounding that is finer.
            left = [grid for grid in left if grid.coarse]
        native = values.astype(values.dtype.newbyteorder("="), copy=False)
        finite = native[np.isfinite(native)]
        left = [grid for grid in left if grid.holds(finite).all()]
        if not left:
            return None
    return left[0] if left else None


def widened(decoding: Decoding, grid: Grid) -> Decoding:
    """The decoding with the tolerance that a rounding asks for; the same where it has a wider one already."""
    widest = max(decoding.sum_tolerance or 0.0, grid.sums(decoding.classes))
    return replace(decoding, sum_tolerance=widest)
