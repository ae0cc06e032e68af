"""The header of an array in ``.npy`` format, which a file has at its start, and each member of an ``.npz`` too."""

from __future__ import annotations

import functools
import io
import struct
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.source import type_name
from softdice_cli.readers.stored import widened

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array

_MAX_HEADER = 10_000

# How each version of the format writes the length of its header.
_LENGTHS = {b"\1\0": struct.Struct("<H"), b"\2\0": struct.Struct("<I")}

# How the header of bfloat16 names its type, with or without an order of bytes.
_TWO_BYTES, _BIG_ENDIAN = np.dtype("V2"), b"'>V2'"

# The types of ml_dtypes that are saved so are many: float8 of several kinds, and integers of few bits.
_ONE_BYTE = np.dtype("V1")

# Warning filters belong to the process, so only one thread at a time may change them.
_FILTERS = threading.Lock()


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of an array declares.

    Attributes:
        shape: number of values along each axis.
        fortran: the first axis changes fastest, and not the last one.
        dtype: element type as stored; whole numbers for bfloat16, which NumPy does not have.
        offset: where the data start.
        bfloat16: the values are of that type.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    offset: int
    bfloat16: bool = False

    @property
    def stored(self) -> str:
        """The name of the element type in the file."""
        return "bfloat16" if self.bfloat16 else type_name(self.dtype)

    @property
    def nbytes(self) -> int:
        """Size of the data, in plain Python integers: a forged shape cannot overflow it."""
        size = self.dtype.itemsize
        for length in self.shape:
            size *= length
        return size

    @property
    def strides(self) -> tuple[int, ...]:
        """Distance in bytes between neighbours along each axis."""
        strides = [0] * len(self.shape)
        axes = list(range(len(self.shape)))
        # In the order of C, the last axis changes fastest.
        if not self.fortran:
            axes.reverse()
        step = self.dtype.itemsize
        for axis in axes:
            strides[axis] = step
            step *= self.shape[axis]
        return tuple(strides)

    def array(self, buffer: Array) -> Array:
        """The data in a buffer, as declared; bfloat16 as float32."""
        array: Array = np.ndarray(self.shape, self.dtype, buffer.data, 0, self.strides)
        return widened(array) if self.bfloat16 else array


def read_header(stream: BinaryIO, name: str) -> Header:
    """The header at the start of a stream, which is left at the first byte of data.

    Raises:
        UnreadableError: it declares objects, structures or a type that is not a number.
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
    _check(header, name)
    return header


@functools.lru_cache(maxsize=64)
def _parsed(text: bytes) -> Header:
    """The header in these bytes; the files of a folder mostly have the same one."""
    stream = io.BytesIO(text)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with _FILTERS, warnings.catch_warnings():
        # "created on Python 2": harmless, and read correctly.
        warnings.simplefilter("ignore", UserWarning)
        shape, fortran, dtype = read(stream, max_header_size=_MAX_HEADER)
    # JAX saves bfloat16 as two bytes that NumPy knows nothing about. No other type is saved so.
    if dtype == _TWO_BYTES:
        order = ">" if _BIG_ENDIAN in text else "<"
        return Header(shape, fortran, np.dtype(f"{order}u2"), stream.tell(), bfloat16=True)
    return Header(shape, fortran, dtype, stream.tell())


def _check(header: Header, name: str) -> None:
    if header.dtype.hasobject:
        hint = "save a plain array: np.save(path, np.stack(list_of_arrays))"
        if not header.shape:
            # One object is mostly a dictionary, as cellpose saves it.
            hint = (
                "if it is the _seg.npy of cellpose, save its masks in a file of their own: "
                "np.load(path, allow_pickle=True).item()['masks']"
            )
        raise UnreadableError(
            "holds Python objects, which are never unpickled",
            path=name,
            expected="an array of numbers",
            found=f"dtype {header.dtype}, shape {header.shape}",
            hint=hint,
        )
    if header.dtype == _ONE_BYTE:
        raise UnreadableError(
            "holds a type of one byte that the file does not name, such as float8 of JAX",
            path=name,
            expected="float16, bfloat16, float32, float64, an integer type or bool",
            found=f"dtype {header.dtype}",
            hint="save it again: np.save(path, array.astype(np.float32))",
        )
    # Floats of more than 64 bits are not counted exactly.
    if header.dtype.kind not in "biuf" or (header.dtype.kind == "f" and header.dtype.itemsize > 8):
        raise UnreadableError(
            "holds a type that is neither a probability nor a label",
            path=name,
            expected="float16, bfloat16, float32, float64, an integer type or bool",
            found=f"dtype {header.dtype}",
            hint="save an array of one of these types",
        )
    if any(length < 0 for length in header.shape):
        raise UnreadableError("declares a negative size", path=name, found=f"shape {header.shape}")


def check_length(header: Header, present: int, name: str) -> None:
    """Raises UnreadableError where the data are not as long as the header declares."""
    if present == header.nbytes:
        return
    problem = "is truncated" if present < header.nbytes else "has bytes after its array"
    raise UnreadableError(
        problem,
        path=name,
        expected=f"{header.nbytes} bytes of data ({header.stored} {header.shape})",
        found=f"{present} bytes",
        hint="save or copy the file again; one array in each file",
    )
