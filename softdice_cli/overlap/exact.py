"""Σp on the grid with NumPy alone, in as few passes as the values allow.

Float64 adds integers exactly below 2⁵³, and int64 adds them exactly modulo 2⁶⁴. Four ways of adding
follow from that, each the fastest for some values:

- `_sum_coarse`: the values are multiples of 2⁻³³, and one float64 sum is exact.
- `_sum_modular`: float32 multiples of 2⁻⁶² are added as int64, and a rough sum says how often those went round.
- `_sum_words`: any float32 is split into two words, which are added as float64.
- `_sum_bits`: any float64 is split into two words, which are added as int64.

All of them give the same integers: the tests hold them to exact arithmetic. A fifth one, `_sum_finely`,
takes any values to a grid finer than 2⁻⁶⁴, which a small ε asks for.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from softdice_cli.overlap.contract import GRID, WORD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Numbers = NDArray[Any]

COARSE = 2.0**-33
"""A float64 holds the sum of as many multiples of this as a tile has pixels: 33 + 1 + 19 bits."""

# In units of this, a multiple of it that is at most 1 is an int64.
_FINE = 2.0**-62

# The same in units of 2⁻⁶⁴.
_FINE_ON_GRID = GRID >> 62

# Values that are worked on at once, so that intermediate arrays stay in a core's cache.
_BLOCK_VALUES = 2**16

# Values that are added in float32 before float64 takes over.
_LONGEST_RUN = 512

# Values of each row to look at before all of them: mostly these tell already.
_PROBE = 64

# Adding this to a float64 rounds it to a multiple of 2⁻³², which its last bits then are, as an
# integer.
_ROUND_HIGH = 1.5 * 2.0**20

# The same for multiples of 2⁻⁶⁴.
_ROUND_LOW = 1.5 * 2.0**-12

_HIGH_BITS, _LOW_BITS = np.array([_ROUND_HIGH, _ROUND_LOW]).view(np.int64).tolist()


class Adder(Protocol):
    """Adds up the values that belong together, in a type."""

    def __call__(self, values: Numbers, dtype: type | None = None) -> Numbers:
        """The sums."""
        ...


def sum_rows(values: Floats, grain: float = 0.0, words: int = 2) -> tuple[int, ...]:
    """Σ of each row of probabilities, in units of 2⁻⁶⁴, or of as many words as are asked for.

    Args:
        values: ``(C, n)`` with n ≤ `contract.TILE_PIXELS`.
        grain: a power of 2 of which all values are multiples, or 0 where none is known.
        words: how many words of 32 bits a pixel has; see `decoding.words_for`.
    """
    pixels = values.shape[1]
    rows = max(1, _BLOCK_VALUES // pixels)
    blocks = [values[start : start + rows] for start in range(0, len(values), rows)]
    if _is_modular(values, grain):
        # One buffer for all blocks, and one rough sum for all rows.
        units = np.empty((rows, pixels), np.int64)
        wrapped: list[int] = []
        for block in blocks:
            wrapped += _add_rows(_in_units(block, units[: len(block)])).tolist()
        return tuple(_in_words(_unwrap_all(wrapped, _roughly_add_rows(values)), words))
    totals: list[int] = []
    for block in blocks:
        totals += _sum(block, grain, _add_rows, [pixels] * len(block), words)
    return tuple(totals)


def sum_parts(parts: list[Floats], grain: float, words: int = 2) -> list[int]:
    """Σ of each of several arrays, of which none is empty; for the grain and the words see `sum_rows`."""
    sizes = [part.size for part in parts]
    starts = list(accumulate(sizes[:-1], initial=0))

    def add_parts(values: Numbers, dtype: type | None = None) -> Numbers:
        sums: Numbers = np.add.reduceat(values, starts, dtype=dtype)
        return sums

    values = np.concatenate(parts)
    if _is_modular(values, grain):
        units = _in_units(values, np.empty(values.shape, np.int64))
        return _in_words(_unwrap_all(add_parts(units).tolist(), add_parts(values, np.float64)), words)
    return _sum(values, grain, add_parts, sizes, words)


def _sum(values: Floats, grain: float, add: Adder, sizes: list[int], words: int) -> list[int]:
    """The sums, in the way that suits values which are not modular; `add` adds up so many values each."""
    if words > 2 and grain < 1 / GRID:
        return _sum_finely(values, add, sizes, words)
    return _in_words(_sum_on_grid(values, grain, add, sizes), words)


def _in_words(totals: list[int], words: int) -> list[int]:
    """Sums in units of 2⁻⁶⁴ in those of so many words."""
    if words == 2:
        return totals
    return [total << 32 * (words - 2) for total in totals]


def _sum_on_grid(values: Floats, grain: float, add: Adder, sizes: list[int]) -> list[int]:
    """The sums in units of 2⁻⁶⁴."""
    if grain >= COARSE:
        return _sum_coarse(values, add)
    if values.dtype == np.float64:
        return _sum_bits(values, add, sizes)
    return _sum_words(values, grain, add)


def _sum_finely(values: Floats, add: Adder, sizes: list[int], words: int) -> list[int]:
    """Sums of the words of each value, the next one of what the last one left over, until nothing is."""
    rest = values
    totals = [0] * len(sizes)
    for left in reversed(range(words)):
        # Both steps are exact, as a word takes the leading bits of what is there.
        rest = rest * rest.dtype.type(WORD)
        word = np.rint(rest)
        sums = _as_integers(add(word, np.float64), 1)
        totals = [total + (found << 32 * left) for total, found in zip(totals, sums, strict=True)]
        rest -= word
        if not _any(rest):
            break
    return totals


def _add_rows(values: Numbers, dtype: type | None = None) -> Numbers:
    sums: Numbers = np.add.reduce(values, axis=-1, dtype=dtype)
    return sums


def _sum_coarse(values: Floats, add: Adder) -> list[int]:
    return _as_integers(add(values, np.float64), GRID)


def _as_integers(sums: Numbers, unit: int) -> list[int]:
    return [int(total) for total in (sums * unit).tolist()]


def _is_modular(values: Floats, grain: float) -> bool:
    """Whether `_in_units` takes the values, and a single float64 sum does not."""
    return values.dtype == np.float32 and _FINE <= grain < COARSE


def _in_units(values: Floats, units: Numbers) -> Numbers:
    """Float32 multiples of 2⁻⁶² as integers in these units, written to `units`."""
    return np.multiply(values, np.float32(1 / _FINE), out=units, casting="unsafe")


def _unwrap_all(wrapped: list[int], rough: Floats) -> list[int]:
    """Sums in units of 2⁻⁶⁴, from their remainders modulo 4 pixels and sums that are off by less than 2 pixels."""
    return [_unwrap(remainder, about) for remainder, about in zip(wrapped, rough.tolist(), strict=True)]


def _unwrap(remainder: int, about: float) -> int:
    missing = int(about / _FINE) - remainder
    # To the nearest multiple of 2⁶⁴: so often the int64 went round.
    turns = (missing + 2**63) >> 64
    return (remainder + (turns << 64)) * _FINE_ON_GRID


def _roughly_add_rows(values: Floats) -> Floats:
    """Sums of rows of at most `contract.TILE_PIXELS` float32 up to 1, mostly added in float32.

    Whatever the order, m numbers of at most 1 have a float32 sum that is off by less than m²·2⁻²⁴.
    With n / m such sums, the whole is off by less than m·n·2⁻²⁴, which is at most 1.
    """
    rows, pixels = values.shape
    run = min(_LONGEST_RUN, 2**24 // pixels)
    whole = pixels // run * run
    sums_of_runs = np.einsum("crn->cr", values[:, :whole].reshape(rows, -1, run))
    return _add_rows(sums_of_runs, np.float64) + _add_rows(values[:, whole:], np.float64)


def _sum_words(values: Floats, grain: float, add: Adder) -> list[int]:
    """Sums of the high and the low word of each float32, as float64."""
    scaled = values * values.dtype.type(WORD)
    high = np.rint(scaled)
    high_sums = _as_integers(add(high, np.float64), WORD)
    scaled -= high
    if not _any(scaled):
        return high_sums
    if grain >= 1 / GRID:
        # The fractions are multiples of 2⁻³², and their sum is as exact as one of integers.
        low_sums = _as_integers(add(scaled, np.float64), WORD)
    else:
        scaled *= values.dtype.type(WORD)
        np.rint(scaled, out=scaled)
        low_sums = _as_integers(add(scaled, np.float64), 1)
    return [high + low for high, low in zip(high_sums, low_sums, strict=True)]


def _any(values: Floats) -> bool:
    """Whether any value is not 0."""
    return bool(values[..., :_PROBE].any() or values.any())


def _sum_bits(values: Floats, add: Adder, sizes: list[int]) -> list[int]:
    """Sums of the two words of each float64, as the integers that the last bits of a rounded value are."""
    rounded = np.empty(values.shape, np.float64)
    bits = rounded.view(np.int64)
    np.add(values, _ROUND_HIGH, out=rounded)
    high_sums = add(bits).tolist()
    # What the first rounding left over is rounded in the same way.
    rounded -= _ROUND_HIGH
    np.subtract(values, rounded, out=rounded)
    rounded += _ROUND_LOW
    low_sums = add(bits).tolist()
    totals: list[int] = []
    for size, high, low in zip(sizes, high_sums, low_sums, strict=True):
        # Each value brought the bits of the number that was added to round it.
        totals.append(_signed(high - size * _HIGH_BITS) * WORD + _signed(low - size * _LOW_BITS))
    return totals


def _signed(remainder: int) -> int:
    """A number between −2⁶³ and 2⁶³ that is known modulo 2⁶⁴."""
    return (remainder + 2**63) % 2**64 - 2**63
