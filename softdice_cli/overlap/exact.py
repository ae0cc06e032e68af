"""Σp on the 2⁻⁶⁴ grid with NumPy alone, in as few passes as the values allow.

Float64 adds integers exactly below 2⁵³, and int64 adds them exactly modulo 2⁶⁴; three ways to use that follow, each
for what it is fastest at. All give the same integers: the tests hold them to exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from softdice_cli.overlap.contract import GRID, WORD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Numbers = NDArray[Any]

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


class Adder(Protocol):
    """Adds up what belongs together, in a type."""

    def __call__(self, values: Numbers, dtype: type | None = None) -> Numbers:
        """The sums."""
        ...


def sum_rows(values: Floats, grain: float = 0.0) -> tuple[int, ...]:
    """Σ of each row of probabilities, in units of 2⁻⁶⁴.

    Args:
        values: ``(C, n)`` with n ≤ `contract.TILE_PIXELS`.
        grain: a power of 2 of which all values are multiples, or 0 where none is known.
    """
    rows = max(1, _BLOCK_VALUES // values.shape[1])
    blocks = [values[start : start + rows] for start in range(0, len(values), rows)]
    if _is_modular(values, grain):
        units, sums = np.empty((rows, values.shape[1]), np.int64), []
        for block in blocks:
            sums += _add_rows(_in_units(block, units[: len(block)])).tolist()
        return tuple(map(_completed, sums, _nearly_add_rows(values).tolist()))
    totals = (_sum(block, grain, _add_rows, [block.shape[1]] * len(block)) for block in blocks)
    return tuple(chain.from_iterable(totals))


def sum_parts(parts: list[Floats], grain: float) -> list[int]:
    """Σ of each of several arrays, of which none is empty; for the grain see `sum_rows`."""
    sizes = [part.size for part in parts]
    starts = list(accumulate(sizes[:-1], initial=0))

    def add(values: Numbers, dtype: type | None = None) -> Numbers:
        sums: Numbers = np.add.reduceat(values, starts, dtype=dtype)
        return sums

    values = np.concatenate(parts)
    if _is_modular(values, grain):
        units = _in_units(values, np.empty(values.shape, np.int64))
        return list(map(_completed, add(units).tolist(), add(values, np.float64).tolist()))
    return list(_sum(values, grain, add, sizes))


def _is_modular(values: Floats, grain: float) -> bool:
    """Whether `_in_units` takes the values, and no single sum of float64 does."""
    return values.dtype == np.float32 and _FINE <= grain < COARSE


def _in_units(values: Floats, units: Numbers) -> Numbers:
    """Float32 multiples of 2⁻⁶² as integers in these units."""
    return np.multiply(values, np.float32(1 / _FINE), out=units, casting="unsafe")


def _completed(exact: int, about: float) -> int:
    """A sum of such integers, known modulo 2⁶⁴, that is of 4 pixels, and within 2 pixels; in units of 2⁻⁶⁴."""
    missing = int(about / _FINE) - exact
    return (exact + ((missing + 2**63) >> 64 << 64)) * (GRID >> 62)


def _sum(values: Floats, grain: float, add: Adder, sizes: list[int]) -> Iterable[int]:
    """Sums by float64: `add` adds up what belongs together, so many values each."""
    if grain >= COARSE:
        return _integers(add(values, np.float64), GRID)
    return _by_bits(values, add, sizes) if values.dtype == np.float64 else _by_words(values, grain, add)


def _add_rows(values: Numbers, dtype: type | None = None) -> Numbers:
    sums: Numbers = np.add.reduce(values, axis=-1, dtype=dtype)
    return sums


def _nearly_add_rows(values: Floats) -> Floats:
    """Sums of rows of at most `contract.TILE_PIXELS` float32 up to 1, mostly added in float32.

    Whatever the order, m numbers of at most 1 have a float32 sum that is off by less than m²·2⁻²⁴; with n / m such
    sums the whole is off by less than m·n·2⁻²⁴, which is at most 1.
    """
    run = min(_LONGEST_RUN, 2**24 // values.shape[1])
    whole = values.shape[1] // run * run
    runs = np.einsum("crn->cr", values[:, :whole].reshape(len(values), -1, run))
    return _add_rows(runs, np.float64) + _add_rows(values[:, whole:], np.float64)


def _by_words(values: Floats, grain: float, add: Adder) -> list[int]:
    """Sums of the high and the low word of each value, as float64."""
    scaled = values * values.dtype.type(WORD)
    high = np.rint(scaled)
    totals = _integers(add(high, np.float64), WORD)
    scaled -= high
    if not (scaled[..., :_PROBE].any() or scaled.any()):
        return totals
    unit = WORD if grain >= 1 / GRID else 1
    if unit == 1:  # else the fractions are multiples of 2⁻³², and their sum is as exact as that of integers
        scaled *= values.dtype.type(WORD)
        np.rint(scaled, out=scaled)
    return [high + low for high, low in zip(totals, _integers(add(scaled, np.float64), unit), strict=True)]


def _integers(sums: Numbers, unit: int) -> list[int]:
    return [int(total) for total in (sums * unit).tolist()]


def _by_bits(values: Floats, add: Adder, sizes: list[int]) -> Iterator[int]:
    """Sums of the two words of float64 values, as the integers that the last bits of a rounded value are."""
    rounded = np.empty(values.shape, np.float64)
    bits = rounded.view(np.int64)
    np.add(values, _HIGH, out=rounded)
    high = add(bits).tolist()
    rounded -= _HIGH
    np.subtract(values, rounded, out=rounded)
    rounded += _LOW
    low = add(bits).tolist()
    of_high, of_low = np.array([_HIGH, _LOW]).view(np.int64).tolist()
    for size, one, other in zip(sizes, high, low, strict=True):
        yield _signed(one - size * of_high) * WORD + _signed(other - size * of_low)


def _signed(difference: int) -> int:
    """A small number that is known modulo 2⁶⁴."""
    return (difference + 2**63) % 2**64 - 2**63
