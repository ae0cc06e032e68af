"""Bits that were packed as a fax, by the codes of CCITT: modified Huffman, Group 3 and Group 4.

libtiff goes on after a damaged code, so that other pixels come out without an error, and it writes
what it thinks to standard error, which belongs to softdice. So the codes are followed here, and a
row that does not come out at its width ends the reading.

The codes are those of ITU-T recommendations T.4 and T.6.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from softdice_cli.readers.tiff.fax_codes import BLACK, HORIZONTAL, LONGEST, MODES, PASS, WHITE
from softdice_cli.readers.tiff.strips import DamagedError

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

_RUNS = (WHITE, BLACK)

# A run that is longer is followed by the rest of it.
_SHORT = 63

# The mark before a row of Group 3: eleven zeros and a one.
_MARK = 12

# Marks behind the last row, with a bit behind each of them in Group 3, and zeros.
_ENDING = re.compile(r"(0{11,}11?)*0*")

# Bytes that these take at most, without the last zeros.
_LONGEST_ENDING = 64


@dataclass(frozen=True, slots=True)
class Scheme:
    """Which of the codes are used.

    Attributes:
        differences: rows are described by how they differ from the row above: all of them, or
            those whose mark says so.
        marked: a mark stands before each row.
        aligned: each row begins with a byte.
    """

    differences: bool
    marked: bool = False
    aligned: bool = False


HUFFMAN = Scheme(differences=False, aligned=True)
GROUP_3 = Scheme(differences=False, marked=True)
GROUP_3_2D = Scheme(differences=True, marked=True)
GROUP_4 = Scheme(differences=True)


def unpack_fax(data: bytes, width: int, rows: int, scheme: Scheme) -> Array:
    """The bits of a strip or a tile: ``(rows, width)``, where white is 0.

    Raises:
        DamagedError: the codes do not come out at these rows.
    """
    codes = _Codes(data)
    bits = np.zeros((rows, width), np.uint8)
    changes: list[int] = []
    for row in bits:
        changes = _row(codes, width, changes, scheme)
        row[changes] = 1
    codes.check_end()
    # A pixel is black after an odd number of changes.
    black: Array = np.bitwise_xor.accumulate(bits, axis=1)
    return black


class _Codes:
    """The bits of a strip, of which codes are taken from the front."""

    def __init__(self, data: bytes) -> None:
        self._length = len(data) * 8
        # So that bits can be looked at beyond the end.
        self._data = data + bytes(4)
        self._at = 0

    def peek(self, count: int = LONGEST) -> int:
        """The next bits, at most 24; zeros behind the last one."""
        byte = self._at >> 3
        word = int.from_bytes(self._data[byte : byte + 4], "big")
        return word >> (32 - count - (self._at & 7)) & ((1 << count) - 1)

    def skip(self, count: int) -> None:
        """Take so many bits.

        Raises:
            DamagedError: there are not so many.
        """
        self._at += count
        if self._at > self._length:
            raise DamagedError("rows that end too early")

    def align(self) -> None:
        """Go on with the next byte."""
        self._at = (self._at + 7) & ~7

    def take_mark(self) -> bool:
        """Whether a mark stands here, which is taken then; zeros may stand before it, to fill up bytes."""
        if self.peek(_MARK - 1):
            return False
        while not self.peek(_MARK):
            self.skip(1)
        self.skip(_MARK)
        return True

    def run(self, color: int) -> int:
        """How many pixels of this colour follow."""
        table, total, run = _RUNS[color], 0, _SHORT + 1
        while run > _SHORT:
            length, run = table[self.peek()]
            if not length:
                raise DamagedError("a code that stands for no run")
            self.skip(length)
            total += run
        return total

    def check_end(self) -> None:
        """Refuses what is more than rows need."""
        byte = self._at >> 3
        rest = self._data[byte:].rstrip(b"\0")
        bits = "".join(f"{value:08b}" for value in rest[:_LONGEST_ENDING])[self._at & 7 :]
        if len(rest) > _LONGEST_ENDING or not _ENDING.fullmatch(bits):
            raise DamagedError("more than its rows")


def _row(codes: _Codes, width: int, above: list[int], scheme: Scheme) -> list[int]:
    """Where the colour changes in the next row; the first change is from white to black."""
    differences = scheme.differences
    if scheme.aligned:
        codes.align()
    if scheme.marked:
        marked = codes.take_mark()
        # Rows without a mark can be told apart only where there is one kind of them.
        if differences and not marked:
            raise DamagedError("a row without a mark")
        if differences:
            differences = not codes.peek(1)
            codes.skip(1)
    changes = _by_differences(codes, width, above) if differences else _by_runs(codes, width)
    # At the end of the row, nothing changes.
    if changes and changes[-1] == width:
        changes.pop()
    return changes


def _by_runs(codes: _Codes, width: int) -> list[int]:
    """The changes of a row that is a run of white, one of black, and so on."""
    changes: list[int] = []
    at = color = 0
    while at < width:
        at += codes.run(color)
        color = 1 - color
        _change(changes, at)
    _check_width(at, width)
    return changes


def _by_differences(codes: _Codes, width: int, above: Sequence[int]) -> list[int]:
    """The changes of a row by how they lie to those of the row above."""
    # Behind its last change, all changes of the row above are at its end.
    reference = [*above, width, width, width]
    changes: list[int] = []
    # The first change may be at the first pixel, which lies behind the pixel where it begins.
    at, color, nearest = -1, 0, 0
    while at < width:
        # The first change of the row above that lies behind and is to the other colour.
        while nearest and reference[nearest - 1] > at:
            nearest -= 1
        while reference[nearest] <= at:
            nearest += 1
        opposite = nearest
        if nearest % 2 != color:
            opposite += 1
        length, mode = MODES[codes.peek()]
        if not length:
            raise DamagedError("a code that stands for no mode")
        codes.skip(length)
        if mode == PASS:
            # No change up to where the colour above changes back.
            at = reference[opposite + 1]
            _check_width(at, width - 1)
        elif mode == HORIZONTAL:
            for run_color in (color, 1 - color):
                at = max(at, 0) + codes.run(run_color)
                _check_width(at, width)
                _change(changes, at)
        else:
            change = reference[opposite] + mode
            if not at < change <= width:
                raise DamagedError("a change outside of its row")
            at, color = change, 1 - color
            _change(changes, at)
    return changes


def _change(changes: list[int], at: int) -> None:
    """Note a change; a second one at the same place takes it back, as the run between them is empty."""
    if changes and changes[-1] == at:
        changes.pop()
    else:
        changes.append(at)


def _check_width(at: int, width: int) -> None:
    if at > width:
        raise DamagedError("a row that is too long")
