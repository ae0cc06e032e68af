"""What goes into a reader and what comes out of one: untrusted bytes with limits, and an array with its origin."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.errors import UnreadableError
from softdice_cli.opening import open_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_CHUNK = 2**22

MAX_RATIO = 1032
"""Deflate cannot pack better than this, so a header that needs more is a lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How to find the array in a file, and how large it may be.

    Attributes:
        key: name of the array in an ``.npz`` or of the tensor in a dict, or ``None`` where there is
            only one.
        option: the option that says the key, as Python spells it; for messages.
        max_pixels: greatest size of a decoded image, in pixels.
        max_bytes: greatest size of an array that has to be held in memory, in bytes.
        verify: look at the checksum of a tensor in a ``.pt`` even if it is large and not in memory, which reads it
            once more. All other checksums are looked at in any case, and so is this one of labels.
    """

    key: str | None = None
    option: str = "key"
    max_pixels: int = 2**28
    max_bytes: int = 2**33
    verify: bool = False


@dataclass(frozen=True, slots=True)
class Blob:
    """Untrusted bytes with a name: a regular file, or what came in through a pipe.

    Attributes:
        name: as the user gave it; for messages and results.
        data: the bytes themselves, or ``None`` to read the file of that name.
    """

    name: str
    data: bytes | None = None

    def open(self) -> BinaryIO:
        """A binary stream at the start of the bytes.

        Raises:
            UnreadableError: there is no such file, it may not be read, or it is not a regular file.
        """
        if self.data is not None:
            return io.BytesIO(self.data)
        return open_regular(self.name, hint="pass a saved file, or pipe a .npy into --pred -")


@functools.lru_cache(maxsize=64)
def type_name(dtype: np.dtype[Any]) -> str:
    """The name of an element type, whatever its byte order."""
    return dtype.newbyteorder("=").name


def in_memory(view: Array) -> Array:
    """The view itself: its values are in memory already."""
    return view


def nothing_changed() -> None:
    """Nothing to check: the values were in memory before anything was done with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An array as a file holds it, with no value changed.

    Attributes:
        name: the file, as the user gave it.
        format: e.g. ``"npy"``.
        array: the values; or, where they are still in the file, only their shape, type and strides.
            A view of it is taken as usual, and `load` gives the values of the view.
        stored: the element type in the file, e.g. ``"bfloat16"`` where `array` is float32.
        colors: the last axis holds red, green and blue.
        samples: how many samples an image format gives each pixel.
        axes: a letter for each axis of `array` where the format says what all of them are, and
            ``""`` otherwise: ``C`` for classes or channels, and ``T``, ``D``, ``H`` and ``W``. The
            pages of a TIFF are slices, ``DHW``, unless something in the file says more.
        planes: an axis of three or four planes, the third one from the end, which are colours
            where the classes are named by colour, and slices or channels otherwise.
        palette: the colour ``0xRRGGBB`` of each value, where the pixels are indices of a palette.
        white_is_zero: the file says that 0 stands for white. The array holds what is stored; some
            programs show it turned round, as `inverted` gives it.
        bits: of a sample in the file, where these are fewer than those of `array`; 0 otherwise.
        orientation: how the picture is to be turned before it is shown, by its EXIF data. The array
            is not turned.
        load: the values of a view of `array`, of the same shape; raises UnreadableError where the
            file has shrunk.
        check: to be called when the values were used, as it raises UnreadableError where the file
            changed in the meantime.
    """

    name: str
    format: str
    array: Array
    stored: str
    colors: bool = False
    samples: int = 1
    axes: str = ""
    planes: bool = False
    palette: tuple[int, ...] | None = None
    white_is_zero: bool = False
    bits: int = 0
    orientation: int = 1
    load: Callable[[Array], Array] = in_memory
    check: Callable[[], None] = nothing_changed

    @property
    def epsilon(self) -> float:
        """Spacing above 1 of the stored float type; 0 for integers."""
        if self.stored == "bfloat16":
            return 2.0**-7
        if self.array.dtype.kind == "f":
            return float(np.finfo(self.array.dtype).eps)
        return 0.0

    def chunks(self) -> Iterator[Array]:
        """Arrays that together are the array, read one after the other."""
        return map(self.load, _chunks(self.array))

    def span(self) -> tuple[float, float]:
        """Least and greatest value; NaN if there is one."""
        spans = [(chunk.min(), chunk.max()) for chunk in self.chunks()]
        return float(np.min([low for low, _ in spans])), float(np.max([high for _, high in spans]))

    def describe(self) -> str:
        """Element type and shape, for messages."""
        return f"{self.stored} {self.array.shape}"


def _chunks(array: Array) -> Iterator[Array]:
    """Views of at most `_CHUNK` values, cut along the axis that changes slowest in memory."""
    if array.size <= _CHUNK or not array.ndim:
        yield array
        return
    axis = max(range(array.ndim), key=lambda a: (array.shape[a] > 1, abs(array.strides[a])))
    array = np.moveaxis(array, axis, 0)
    rows = max(1, _CHUNK // (array.size // array.shape[0]))
    for start in range(0, array.shape[0], rows):
        part = array[start : start + rows]
        # One row can still be too large.
        if len(part) == 1:
            yield from _chunks(part[0])
        else:
            yield part


def check_pixels(name: str, pixels: int, options: ReadOptions) -> None:
    """Raises UnreadableError where an image would have more pixels than allowed."""
    if pixels > options.max_pixels:
        raise UnreadableError(
            "the image is larger than the limit",
            path=name,
            expected=f"at most {options.max_pixels} pixels",
            found=f"{pixels} pixels",
            hint=f"--max-pixels {pixels}, if you trust the file",
        )


def check_bytes(name: str, size: int, options: ReadOptions) -> None:
    """Raises UnreadableError where an array would take more memory than allowed."""
    if size > options.max_bytes:
        raise UnreadableError(
            "the array is larger than the limit",
            path=name,
            expected=f"at most {options.max_bytes} bytes in memory",
            found=f"{size} bytes",
            hint=f"--max-bytes {size}, if you trust the file",
        )
