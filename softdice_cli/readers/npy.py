"""NumPy arrays: ``.npy`` files, read whole when small and tile by tile when large, never unpickled."""

from __future__ import annotations

import functools
import io
import os
import struct
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers import tiled
from softdice_cli.readers.source import ReadOptions, Source, check_bytes, type_name

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

LIBRARY = "numpy"
_WHOLE = 2**20
"""A file with no more bytes of data than this is read at once."""

_AT_ONCE = 2**24
"""Bytes that are read at once: an archive makes a copy of each part."""

_MAX_HEADER = 10_000
_LENGTHS = {b"\1\0": struct.Struct("<H"), b"\2\0": struct.Struct("<I")}
"""How each version of the format writes the length of its header."""

_FILTERS = threading.Lock()
"""Warning filters belong to the process, so only one thread may change them."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of an array declares; `offset` is where the data start."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    offset: int

    @property
    def nbytes(self) -> int:
        """Size of the data, in plain Python integers: a forged shape cannot overflow it."""
        size = self.dtype.itemsize
        for length in self.shape:
            size *= length
        return size

    def array(self, buffer: Any, offset: int = 0) -> Array:
        """The data in a buffer, as declared."""
        return np.ndarray(self.shape, self.dtype, buffer, offset, order="F" if self.fortran else "C")


def read_header(stream: BinaryIO, name: str) -> Header:
    """The header at the start of a stream, which is left at the first byte of data.

    Raises:
        UnreadableError: it declares objects, structures or a type that is no number.
        ValueError: it cannot be parsed.
    """
    start = stream.read(8)
    if len(start) < 8:
        raise ValueError("the file ends in its header")
    length = _LENGTHS.get(start[6:])
    if length is None:
        raise UnreadableError(
            f"has .npy format version {'.'.join(map(str, start[6:]))}",
            path=name,
            expected="1.0 or 2.0, which np.save writes for every plain array",
        )
    start += stream.read(length.size)
    (size,) = length.unpack(start[8:])
    header = _parsed(start + stream.read(min(size, _MAX_HEADER + 1)))
    if header.dtype.hasobject:
        raise UnreadableError(
            "holds Python objects, which are never unpickled",
            path=name,
            expected="an array of numbers",
            found=f"dtype {header.dtype}",
            hint="save a plain array: np.save(path, np.stack(list_of_arrays))",
        )
    if header.dtype.kind not in "biuf" or (header.dtype.kind == "f" and header.dtype.itemsize > 8):
        raise UnreadableError(
            "holds a type that is no probability or label",
            path=name,
            expected="float16, float32, float64, an integer type or bool",
            found=f"dtype {header.dtype}",
        )
    if any(length < 0 for length in header.shape):
        raise UnreadableError("declares a negative size", path=name, found=f"shape {header.shape}")
    return header


@functools.lru_cache(maxsize=64)
def _parsed(text: bytes) -> Header:
    """The header in these bytes; the files of a folder mostly have the same one."""
    stream = io.BytesIO(text)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "created on Python 2": harmless, and read correctly
        shape, fortran, dtype = read(stream, max_header_size=_MAX_HEADER)
    return Header(shape, fortran, dtype, stream.tell())


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The array of a ``.npy`` file or stream; a large one stays in its file until its tiles are asked for."""
    header = read_header(stream, name)
    check_length(header, stream.seek(0, os.SEEK_END) - header.offset, name)
    if header.nbytes > _WHOLE and tiled.possible(stream):
        return tiled.source(header, stream, name)
    check_bytes(name, header.nbytes, options)
    stream.seek(header.offset)
    return source(header, read_exactly(stream, header.nbytes, name), name, "npy")


def check_length(header: Header, present: int, name: str) -> None:
    """Raises UnreadableError where the data are not as long as the header declares."""
    if present != header.nbytes:
        problem = "is truncated" if present < header.nbytes else "has bytes after its array"
        raise UnreadableError(
            problem,
            path=name,
            expected=f"{header.nbytes} bytes of data ({_what(header)})",
            found=f"{present} bytes",
            hint="save or copy the file again; one array a file",
        )


def read_exactly(stream: Any, size: int, name: str) -> Array:
    """So many bytes of a stream, in a new buffer."""
    buffer = np.empty(size, np.uint8)
    view, filled = buffer.data, 0
    while filled < size:
        got = stream.readinto(view[filled : filled + _AT_ONCE])
        if not got:
            raise UnreadableError("ends too early", path=name, expected=f"{size} bytes", found=f"{filled} bytes")
        filled += got
    return buffer


def source(header: Header, buffer: Any, name: str, kind: str) -> Source:
    """A source over data in memory."""
    return Source(name=name, format=kind, array=header.array(buffer), stored=type_name(header.dtype))


def _what(header: Header) -> str:
    return f"{header.dtype} {header.shape}"
