"""The samples of a page out of its strips or tiles: bits of less than a byte, differences of neighbours, tiles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from softdice_cli.readers.tiff.strips import DamagedError
from softdice_cli.readers.tiff.unpacking import UNPACKED, unpacked

if TYPE_CHECKING:
    from softdice_cli.readers.source import Array
    from softdice_cli.readers.tiff.fax import Scheme

_HUFFMAN, _GROUP_3, _GROUP_4 = 2, 3, 4

FAX = (_HUFFMAN, _GROUP_3, _GROUP_4)
"""The compressions of pages of bits, as the file numbers them."""

# The tag with the options of Group 3, and the one of them that says that rows may be described by
# the row above.
_OPTIONS, _DIFFERENCES = 292, 1

_PLAIN, _HORIZONTAL, _FLOATING = 1, 2, 3

_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


@dataclass(frozen=True, slots=True)
class Grid:
    """How the samples of a page lie in its strips or tiles.

    Attributes:
        planes: how many planes of samples follow each other.
        rows: of a strip or a tile.
        columns: of a strip or a tile.
        samples: beside each other for a pixel.
        bits: of a sample.
        down: strips or tiles one below the other.
        across: tiles beside each other; one strip.
        height: rows of the page, which the last strip ends with, and the last tile may go beyond.
        tiled: whether they are tiles.
        deep: how often this is repeated, for slices that a page has behind each other.
    """

    planes: int
    rows: int
    columns: int
    samples: int
    bits: int
    down: int
    across: int
    height: int
    tiled: bool
    deep: int

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a strip or a tile, which ends with a whole byte."""
        return (self.columns * self.samples * self.bits + 7) // 8

    def heights(self) -> list[int]:
        """The rows of each strip or tile of a plane."""
        heights = [self.rows] * (self.down * self.across)
        if not self.tiled:
            heights[-1] = self.height - self.rows * (self.down - 1)
        return heights * self.deep


def readable(page: Any) -> bool:
    """Whether a page can be read here."""
    if page.imagedepth != 1 or page.tiledepth > 1 or page.bitspersample not in (1, 2, 4, 8, 16, 32, 64):
        return False
    if int(page.compression) in FAX:
        return bool(page.bitspersample == page.samplesperpixel == page.predictor == 1)
    floating = page.predictor == _FLOATING and page.dtype.kind == "f"
    horizontal = page.predictor == _HORIZONTAL and page.bitspersample >= 8
    return int(page.compression) in UNPACKED and (page.predictor == _PLAIN or horizontal or floating)


def assembled(page: Any, stream: BinaryIO) -> Array:
    """The samples of a page, in the shape that it has by its tags.

    Raises:
        DamagedError: its strips are damaged, or hold fewer or more bytes than they should.
        ImportError: they need a codec.
    """
    grid = _grid(page)
    planes = [_in_place(_samples(page, rows, grid), grid) for rows in _rows(page, stream, grid)]
    array: Array = np.stack(planes)[:, : page.imagelength, : page.imagewidth]
    return array.reshape(page.shape)


def _grid(page: Any) -> Grid:
    height, width = page.imagelength, page.imagewidth
    planes, samples = 1, page.samplesperpixel
    if page.planarconfig == 2:
        planes, samples = samples, 1
    rows, columns = min(page.rowsperstrip or height, height), width
    deep = page.imagedepth
    if page.is_tiled:
        rows, columns = page.tilelength, page.tilewidth
        deep = -(-deep // page.tiledepth)
    down, across = -(-height // rows), -(-width // columns)
    if page.is_tiled:
        # The slices of a tile lie one below the other.
        rows *= page.tiledepth
    return Grid(planes, rows, columns, samples, page.bitspersample, down, across, height, page.is_tiled, deep)


def _rows(page: Any, stream: BinaryIO, grid: Grid) -> Iterator[Array]:
    """The rows of all strips or tiles of each plane, one below the other: bytes ``(rows, row_bytes)``, or bits."""
    count = grid.down * grid.across * grid.deep
    for plane in range(grid.planes):
        spans = slice(plane * count, (plane + 1) * count)
        segments: list[bytes] = []
        for offset, length in zip(page.dataoffsets[spans], page.databytecounts[spans], strict=True):
            stream.seek(offset)
            segment = stream.read(length)
            # The first bit of a byte is the last one of the row.
            if page.fillorder == 2:
                segment = segment.translate(_REVERSED)
            segments.append(segment)
        if int(page.compression) in FAX:
            yield _unpacked_fax(page, segments, grid)
        else:
            yield unpacked(int(page.compression), segments, grid.row_bytes, grid.heights())


def check_segments(page: Any, stream: BinaryIO) -> None:
    """Raises DamagedError where a strip or tile of a page that tifffile reads does not have the bytes of its rows."""
    grid = _grid(page)
    if page.compression == 1:
        heights = grid.heights() * grid.planes
        for length, height in zip(page.databytecounts, heights, strict=True):
            if length < height * grid.row_bytes:
                raise DamagedError(f"{length} bytes where {height * grid.row_bytes} are needed")
        return
    for _ in _rows(page, stream, grid):
        pass


def _unpacked_fax(page: Any, segments: list[bytes], grid: Grid) -> Array:
    # Its tables are made only where there is a fax.
    from softdice_cli.readers.tiff.fax import unpack_fax

    scheme = _scheme(page)
    parts: list[Array] = []
    for segment, height in zip(segments, grid.heights(), strict=True):
        parts.append(np.packbits(unpack_fax(segment, grid.columns, height, scheme), axis=1))
    return np.concatenate(parts)


def _scheme(page: Any) -> Scheme:
    from softdice_cli.readers.tiff.fax import GROUP_3, GROUP_3_2D, GROUP_4, HUFFMAN

    if int(page.compression) == _HUFFMAN:
        return HUFFMAN
    if int(page.compression) == _GROUP_4:
        return GROUP_4
    return GROUP_3_2D if page.tags.valueof(_OPTIONS, 0) & _DIFFERENCES else GROUP_3


def _samples(page: Any, rows: Array, grid: Grid) -> Array:
    """The samples of rows of bytes: ``(rows, columns * samples)``."""
    count = grid.columns * grid.samples
    if grid.bits < 8:
        return _small(rows, grid.bits)[:, :count].astype(page.dtype)
    if page.predictor == _FLOATING:
        return _floats(rows, grid).astype(page.dtype)
    stored = page.dtype.newbyteorder(page.parent.byteorder)
    samples: Array = np.ascontiguousarray(rows).view(stored).astype(page.dtype, copy=False)
    if page.predictor == _HORIZONTAL:
        return _summed(samples, grid.samples)
    return samples


def _small(rows: Array, bits: int) -> Array:
    """Samples of less than a byte, the first one in the highest bits."""
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    samples: Array = (rows[:, :, None] >> shifts) & np.uint8(2**bits - 1)
    return samples.reshape(len(rows), -1)


def _summed(samples: Array, step: int) -> Array:
    """Samples of which differences to the pixel before are stored, as whole numbers that may overflow."""
    whole = samples.view(f"u{samples.itemsize}").reshape(len(samples), -1, step)
    return np.cumsum(whole, axis=1, dtype=whole.dtype).reshape(samples.shape).view(samples.dtype)


def _floats(rows: Array, grid: Grid) -> Array:
    """Floats of which the first bytes of a row are stored, then the second ones, and so on, as differences."""
    summed = _summed(rows, grid.samples)
    size = grid.bits // 8
    planes = summed.reshape(len(rows), size, -1)
    return np.ascontiguousarray(planes.transpose(0, 2, 1)).view(f">f{size}")[:, :, 0]


def _in_place(samples: Array, grid: Grid) -> Array:
    """The samples of a plane: ``(rows, columns, samples)``, with what tiles have beyond the page."""
    if not grid.tiled:
        return samples.reshape(len(samples), grid.columns, grid.samples)
    tiles = samples.reshape(grid.down, grid.across, grid.rows, grid.columns, grid.samples)
    whole = tiles.transpose(0, 2, 1, 3, 4)
    return whole.reshape(grid.down * grid.rows, grid.across * grid.columns, grid.samples)
