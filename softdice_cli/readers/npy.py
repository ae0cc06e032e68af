"""NumPy arrays: ``.npy`` files, read whole when small and through a memory map when large, never unpickled."""

from __future__ import annotations

import mmap
import os
import threading
import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.source import Array, Blob, ReadOptions, Source, check_bytes

MAP_FROM = 2**26
"""Files with more bytes of data than this are mapped instead of read."""

_MAX_HEADER = 10_000

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
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise UnreadableError(
            f"has .npy format version {version[0]}.{version[1]}",
            path=name,
            expected="1.0 or 2.0, which np.save writes for every plain array",
        )
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "created on Python 2": harmless, and read correctly
        shape, fortran, dtype = readers[version](stream, max_header_size=_MAX_HEADER)
    if dtype.hasobject:
        raise UnreadableError(
            "holds Python objects, which are never unpickled",
            path=name,
            expected="an array of numbers",
            found=f"dtype {dtype}",
            hint="save a plain array: np.save(path, np.stack(list_of_arrays))",
        )
    if dtype.kind not in "biuf" or (dtype.kind == "f" and dtype.itemsize > 8):
        raise UnreadableError(
            "holds a type that is no probability or label",
            path=name,
            expected="float16, float32, float64, an integer type or bool",
            found=f"dtype {dtype}",
        )
    if any(length < 0 for length in shape):
        raise UnreadableError("declares a negative size", path=name, found=f"shape {shape}")
    return Header(shape, fortran, dtype, stream.tell())


def read(blob: Blob, options: ReadOptions) -> Source:
    """The array of a ``.npy`` file or stream."""
    stream = blob.open()
    try:
        header = read_header(stream, blob.name)
        check_length(header, stream.seek(0, os.SEEK_END) - header.offset, blob.name)
        if blob.data is None and header.nbytes > MAP_FROM:
            return _mapped(stream, header, blob.name)
        check_bytes(blob.name, header.nbytes, options)
        stream.seek(header.offset)
        return source(header, read_exactly(stream, header.nbytes, blob.name), blob.name, "npy")
    finally:
        stream.close()


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


def read_exactly(stream: Any, size: int, name: str) -> bytearray:
    """So many bytes of a stream, in a new buffer."""
    buffer = bytearray(size)
    view, filled = memoryview(buffer), 0
    while filled < size:
        got = stream.readinto(view[filled:])
        if not got:
            raise UnreadableError("ends too early", path=name, expected=f"{size} bytes", found=f"{filled} bytes")
        filled += got
    return buffer


def source(header: Header, buffer: Any, name: str, kind: str) -> Source:
    """A source over data in memory."""
    return Source(name=name, format=kind, array=header.array(buffer), stored=header.dtype.newbyteorder("=").name)


def _mapped(stream: BinaryIO, header: Header, name: str) -> Source:
    """A source over a read-only map; its length is checked before every tile, as reading past the end would kill us."""
    mapping = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    needed = header.offset + header.nbytes

    def release() -> None:
        if hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)
        check()

    def check() -> None:
        if mapping.size() < needed:
            raise UnreadableError("shrank while it was read", path=name, hint="run again when it is complete")

    return Source(
        name=name,
        format="npy",
        array=header.array(mapping, header.offset),
        stored=header.dtype.newbyteorder("=").name,
        release=release,
        check=check,
    )


def _what(header: Header) -> str:
    return f"{header.dtype} {header.shape}"
