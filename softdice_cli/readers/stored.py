"""Arrays whose values lie in a file as they are: neither compressed nor packed, at fixed distances from each other.

The data of a ``.npy`` are stored in this way, and so are those of a tensor in a ``.pt``. A small
array is read at once; a large one stays in its file, and its tiles are read when they are asked
for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers import in_file
from softdice_cli.readers.source import ReadOptions, Source, check_bytes

if TYPE_CHECKING:
    from softdice_cli.readers.in_file import Decode
    from softdice_cli.readers.source import Array

WHOLE = 2**20
"""An array that takes no more bytes than this is read at once."""

# Bytes of one read: an archive makes a copy of each part.
_AT_ONCE = 2**24


@dataclass(frozen=True, slots=True)
class StoredArray:
    """Where the values of an array lie in a stream.

    Attributes:
        dtype: element type as stored.
        shape: number of values along each axis.
        strides: distance in bytes between neighbours along each axis, not negative.
        start: position of the first value.
        decode: from values as stored to values of the type `decoded`, where NumPy does not have the
            stored type.
        decoded: that type, or `dtype`.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int
    decode: Decode | None = None
    decoded: np.dtype[Any] | None = None

    @property
    def extent(self) -> int:
        """Bytes from the first value to the end of the last one, in plain Python integers."""
        if 0 in self.shape:
            return 0
        last = sum((length - 1) * stride for length, stride in zip(self.shape, self.strides, strict=True))
        return last + self.dtype.itemsize

    def source(self, stream: BinaryIO, name: str, options: ReadOptions, *, format: str, stored: str) -> Source:
        """The array as a source: in memory if it is small, and otherwise over the open file, which may be closed.

        Args:
            stream: the file, or bytes in memory.
            name: of the file, for messages and results.
            options: how large an array in memory may be.
            format: short name of the format.
            stored: element type in the file.

        Raises:
            UnreadableError: it is larger than allowed, or the stream ends too early.
        """
        if self.extent > WHOLE and in_file.possible(stream):
            array = self._shadow()
            load = in_file.FileLoader(array, self.dtype, self.decode, stream, self.start, name)
            return Source(name=name, format=format, array=array, stored=stored, load=load)
        check_bytes(name, self._bytes_in_memory(), options)
        stream.seek(self.start)
        buffer = read_exactly(stream, self.extent, name)
        array = np.ndarray(self.shape, self.dtype, buffer.data, 0, self.strides)
        if self.decode:
            array = self.decode(array)
        return Source(name=name, format=format, array=array, stored=stored)

    def _shadow(self) -> Array:
        """The decoded array over addresses without memory."""
        dtype = self.decoded or self.dtype
        wider = dtype.itemsize // self.dtype.itemsize
        strides = [stride * wider for stride in self.strides]
        return np.ndarray(self.shape, dtype, in_file.reserve(self.extent * wider), 0, strides)

    def _bytes_in_memory(self) -> int:
        """Bytes of the buffer or of the decoded values, whichever is larger."""
        size = (self.decoded or self.dtype).itemsize
        for length in self.shape:
            size *= length
        return max(size, self.extent)


def widened(values: Array) -> Array:
    """The exact float32 of each bfloat16, whose bits are the upper half of it and are read as whole numbers."""
    wide: Array = np.left_shift(values, 16, dtype=np.uint32).view(np.float32)
    return wide


def read_exactly(stream: Any, size: int, name: str) -> Array:
    """That many bytes of a stream, in a new buffer.

    Raises:
        UnreadableError: the stream ends before.
    """
    buffer = np.empty(size, np.uint8)
    view, filled = buffer.data, 0
    while filled < size:
        got = stream.readinto(view[filled : filled + _AT_ONCE])
        if not got:
            raise UnreadableError("ends too early", path=name, expected=f"{size} bytes", found=f"{filled} bytes")
        filled += got
    return buffer
