"""Σp on the 2⁻⁶⁴ grid with NumPy alone, in as few passes as the values allow.

Float64 adds integers exactly below 2⁵³, and int64 adds them exactly modulo 2⁶⁴; three ways to use that follow, each
for what it is fastest at. All give the same integers: the tests hold them to exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from softdice_cli.overlap.contract import GRID, WORD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

COARSE = 2.0**-33
"""Σ of so many multiples of this as a tile has pixels fits into float64: 33 + 1 + 19 bits."""

_FINE = 2.0**-62
"""A multiple of this that is at most 1 is an int64 in its units."""

_BLOCK_VALUES = 2**16
_LONGEST_RUN = 512
_PROBE = 64
"""A look at so many values mostly saves a pass over all of them."""

_HIGH, _LOW = 1.5 * 2.0**20, 1.5 * 2.0**-12
"""Adding these to a float64 rounds it to a multiple of 2⁻³² or 2⁻⁶⁴, which its last bits then are, as an integer."""


def sum_rows(values: Floats, grain: float = 0.0) -> tuple[int, ...]:
    """Σ of each row of probabilities, in units of 2⁻⁶⁴.

    Args:
        values: ``(C, n)`` with n ≤ `contract.TILE_PIXELS`.
        grain: a power of 2 of which all values are multiples, or 0 where none is known.
    """
    rows = max(1, _BLOCK_VALUES // values.shape[1])
    blocks = (values[start : start + rows] for start in range(0, len(values), rows))
    return tuple(total for block in blocks for total in _sum_block(block, grain))


def _sum_block(values: Floats, grain: float) -> list[int]:
    if grain >= COARSE:
        return _integers(_add_rows(values), GRID)
    if values.dtype == np.float64:
        return list(_by_bits(values))
    return list(_modulo(values)) if grain >= _FINE else _by_words(values, grain, _add_rows)


def sum_parts(parts: list[Floats], grain: float) -> list[int]:
    """Σ of each of several arrays, of which none is empty; for the grain see `sum_rows`."""
    starts = list(accumulate((part.size for part in parts[:-1]), initial=0))
    return _by_words(np.concatenate(parts), grain, lambda word: np.add.reduceat(word, starts, dtype=np.float64))


def _add_rows(values: Floats) -> NDArray[np.float64]:
    sums: NDArray[np.float64] = np.add.reduce(values, axis=-1, dtype=np.float64)
    return sums


def _by_words(values: Floats, grain: float, add: Callable[[Floats], NDArray[np.float64]]) -> list[int]:
    """Sums of the high and the low word of each value, as float64; `add` adds up what belongs together."""
    if grain >= COARSE:
        return _integers(add(values), GRID)
    scaled = values * values.dtype.type(WORD)
    high = np.rint(scaled)
    totals = _integers(add(high), WORD)
    scaled -= high
    if not (scaled[..., :_PROBE].any() or scaled.any()):
        return totals
    unit = WORD if grain >= 1 / GRID else 1
    if unit == 1:  # else the fractions are multiples of 2⁻³², and their sum is as exact as that of integers
        scaled *= values.dtype.type(WORD)
        np.rint(scaled, out=scaled)
    return [high + low for high, low in zip(totals, _integers(add(scaled), unit), strict=True)]


def _integers(sums: NDArray[np.float64], unit: int) -> list[int]:
    return [int(total) for total in (sums * unit).tolist()]


def _modulo(values: Floats) -> Iterator[int]:
    """Sums of float32 multiples of 2⁻⁶² as int64, which are right but for a multiple of 2⁶⁴: that is, of 4 pixels.

    A sum of float32 sums says which one. Whatever the order, m numbers of at most 1 have a float32 sum that is off by
    less than m²·2⁻²⁴; with n / m such sums the whole is off by less than m·n·2⁻²⁴, which is at most 1.
    """
    units = np.empty(values.shape, np.int64)
    np.multiply(values, np.float32(1 / _FINE), out=units, casting="unsafe")
    run = min(_LONGEST_RUN, 2**24 // values.shape[1])
    whole = values.shape[1] // run * run
    runs = np.einsum("crn->cr", values[:, :whole].reshape(len(values), -1, run))
    near = _add_rows(runs) + _add_rows(values[:, whole:])
    for exact, about in zip(units.sum(axis=1).tolist(), near.tolist(), strict=True):
        missing = int(about / _FINE) - exact
        yield (exact + ((missing + 2**63) >> 64 << 64)) * (GRID >> 62)


def _by_bits(values: Floats) -> Iterator[int]:
    """Sums of the two words of float64 values, as the integers that the last bits of a rounded sum are."""
    rounded = np.empty(values.shape, np.float64)
    bits = rounded.view(np.int64)
    np.add(values, _HIGH, out=rounded)
    high = bits.sum(axis=1)
    rounded -= _HIGH
    np.subtract(values, rounded, out=rounded)
    rounded += _LOW
    low = bits.sum(axis=1)
    offsets = (np.array([_HIGH, _LOW]).view(np.int64) * np.int64(values.shape[1])).tolist()
    for one, other in zip(high.tolist(), low.tolist(), strict=True):
        yield _signed(one - offsets[0]) * WORD + _signed(other - offsets[1])


def _signed(difference: int) -> int:
    """A small number that is known modulo 2⁶⁴."""
    return (difference + 2**63) % 2**64 - 2**63
