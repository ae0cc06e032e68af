"""Arrays that stay in their file: views are taken of an array without memory, and only a tile's bytes are ever read.

What is read goes to a buffer of a tile's size, which the caches hold and which is used again; nothing depends on the
size of the file, and one that shrinks while it is read is a short read and an error, where a memory map would end the
process.
"""

from __future__ import annotations

import io
import mmap
import os
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.source import Source, type_name

if TYPE_CHECKING:
    from softdice_cli.readers.npy import Header
    from softdice_cli.readers.source import Array


def possible(stream: BinaryIO) -> bool:
    """Whether this system can read parts of this stream: a file, and not bytes in memory."""
    return not isinstance(stream, io.BytesIO) and hasattr(os, "preadv") and hasattr(mmap, "MAP_ANONYMOUS")


def source(header: Header, stream: BinaryIO, name: str) -> Source:
    """A source over the data of an open file, which may be closed afterwards."""
    stored = type_name(header.dtype)
    reserved = mmap.mmap(-1, header.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=0)  # addresses, no memory
    array = header.array(reserved)
    load = _Loader(os.dup(stream.fileno()), header.offset - _address(array), name)
    return Source(name=name, format="npy", array=array, stored=stored, load=load)


class _Loader:
    """Reads what a view stands for.

    Args:
        file: descriptor of the file, closed with this object.
        shift: from an address in the array to a position in the file.
        name: of the file, for messages.
    """

    def __init__(self, file: int, shift: int, name: str) -> None:
        self._file = file
        self._shift = shift
        self._name = name

    def __del__(self) -> None:
        os.close(self._file)

    def __call__(self, view: Array) -> Array:
        """The values of a view, in memory."""
        try:
            return self._values(view)
        except OSError as error:
            raise UnreadableError(f"cannot be read: {error.strerror}", path=self._name) from error

    def _values(self, view: Array) -> Array:
        order = sorted(range(view.ndim), key=lambda axis: -view.strides[axis])  # as the axes lie in the file
        ordered = view.transpose(order)
        buffer = np.empty(ordered.shape, view.dtype)
        start, outer, run = _address(view) + self._shift, ordered.ndim, view.itemsize
        while outer and (ordered.shape[outer - 1] == 1 or ordered.strides[outer - 1] == run):
            outer -= 1
            run *= ordered.shape[outer]
        starts = [start]
        for length, stride in zip(ordered.shape[:outer], ordered.strides, strict=False):
            starts = [start + index * stride for start in starts for index in range(length)]
        data = buffer.reshape(-1).view(np.uint8).data
        read, file, filled = os.preadv, self._file, 0
        for start in starts:
            part = data[filled : filled + run]
            if read(file, [part], start) != run:
                self._fill(part, start)
            filled += run
        return buffer.transpose(np.argsort(order))

    def _fill(self, data: memoryview, position: int) -> None:
        while (got := os.preadv(self._file, [data], position)) < len(data):
            if not got:
                raise UnreadableError("shrank while it was read", path=self._name, hint="run again when it is complete")
            data, position = data[got:], position + got


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
