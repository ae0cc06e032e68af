"""Arrays that stay in their file: views are taken of an array without memory, and only a tile's bytes are ever read.

What is read goes into a buffer of a tile's size, which fits into the caches and is used again, so
nothing depends on the size of the file. A file that shrinks while it is read gives a short read and
an error; a memory map of it would end the process. Whether it changed in another way is seen when the
last tile was read.
"""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array
    from softdice_cli.readers.unchanged import Version

Decode = Callable[["Array"], "Array"]

# Bytes that are read at once where the wanted values lie at a distance from each other.
_BLOCK = 2**16


def possible(stream: BinaryIO) -> bool:
    """Whether this system can read parts of this stream: a plain file, and not bytes in memory."""
    # A stream that unpacks a file has the descriptor of the packed one, whose bytes are others.
    plain = isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO)
    return plain and hasattr(os, "preadv") and hasattr(mmap, "MAP_ANONYMOUS")


def reserve(size: int) -> mmap.mmap:
    """A range of addresses without memory behind them: a view of it says what to read, and cannot be read itself."""
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=0)


class FileLoader:
    """Reads what a view stands for.

    Args:
        array: the array over reserved addresses that views are taken of.
        stored: element type in the file.
        decode: from values as stored to values of the type of `array`, or ``None`` where they are
            the same.
        stream: the file, which may be closed afterwards.
        start: position in the file of the first value of `array`.
        name: of the file, for messages.
    """

    def __init__(
        self, array: Array, stored: np.dtype[Any], decode: Decode | None, stream: BinaryIO, start: int, name: str
    ) -> None:
        self._base = _address(array)
        self._stored = stored
        self._decode = decode
        self._file = os.dup(stream.fileno())
        self._start = start
        self._name = name

    def __del__(self) -> None:
        os.close(self._file)

    def __call__(self, view: Array) -> Array:
        """The values of a view, in memory."""
        try:
            return self._values(view)
        except OSError as error:
            raise UnreadableError(f"cannot be read: {error.strerror}", path=self._name) from error

    def check(self, version: Version) -> None:
        """Raises UnreadableError where the file is not of the version any more that it was before it was read."""
        version.check(self._file, self._name)

    def _values(self, view: Array) -> Array:
        # The axes in the order in which they lie in the file: the one that changes slowest comes
        # first.
        order = sorted(range(view.ndim), key=lambda axis: -view.strides[axis])
        ordered = view.transpose(order)
        # An array of decoded values is wider than what is stored, and so are all distances in it.
        wider = view.itemsize // self._stored.itemsize
        strides = [stride // wider for stride in ordered.strides]
        first = self._start + (_address(view) - self._base) // wider
        # A view may have another type of the same size than the array has: bool as uint8.
        dtype = self._stored if self._decode else view.dtype
        values = self._gather(first, ordered.shape, strides, dtype)
        if self._decode:
            values = self._decode(values)
        return values.transpose(np.argsort(order))

    def _gather(self, first: int, shape: tuple[int, ...], strides: list[int], dtype: np.dtype[Any]) -> Array:
        """The values at these distances from each other, in a new array."""
        values = np.empty(shape, dtype)
        outer, length = _run(shape, strides, dtype.itemsize)
        block, covered = _block(outer, length, shape, strides)
        if block == outer:
            self._read_runs(values, length, _starts(first, shape[:outer], strides))
        else:
            starts = _starts(first, shape[:block], strides)
            self._read_blocks(values, covered, starts, shape[block:], strides[block:])
        return values

    def _read_runs(self, values: Array, length: int, starts: list[int]) -> None:
        """Fill an array with runs of bytes that follow each other in it."""
        data = values.reshape(-1).view(np.uint8).data
        # This loop runs once for each row of a tile: names are looked up before it.
        read, file, filled = os.preadv, self._file, 0
        for start in starts:
            part = data[filled : filled + length]
            if read(file, [part], start) != length:
                self._fill(part, start)
            filled += length

    def _read_blocks(
        self, values: Array, covered: int, starts: list[int], shape: tuple[int, ...], strides: list[int]
    ) -> None:
        """Fill an array with blocks, of whose bytes only those at these distances are wanted."""
        scratch = np.empty(covered, np.uint8)
        wanted = np.ndarray(shape, values.dtype, scratch.data, 0, strides)
        blocks = values.reshape(len(starts), *shape)
        for index, start in enumerate(starts):
            self._fill(scratch.data, start)
            blocks[index] = wanted

    def _fill(self, data: memoryview, position: int) -> None:
        while (got := os.preadv(self._file, [data], position)) < len(data):
            if not got:
                raise UnreadableError("shrank while it was read", path=self._name, hint="run again when it is complete")
            data, position = data[got:], position + got


def _run(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> tuple[int, int]:
    """How many of the first axes are not part of one run of bytes, and how long a run is."""
    outer, length = len(shape), itemsize
    while outer and (shape[outer - 1] == 1 or strides[outer - 1] == length):
        outer -= 1
        length *= shape[outer]
    return outer, length


def _block(outer: int, length: int, shape: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    """The same of a block with gaps, which saves a read for each value where the gaps are small."""
    while outer:
        covered = length + (shape[outer - 1] - 1) * strides[outer - 1]
        if covered > _BLOCK:
            break
        outer, length = outer - 1, covered
    return outer, length


def _starts(first: int, shape: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Where each run or block begins."""
    starts = [first]
    for length, stride in zip(shape, strides, strict=False):
        starts = [start + index * stride for start in starts for index in range(length)]
    return starts


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
