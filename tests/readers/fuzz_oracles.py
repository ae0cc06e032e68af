"""Other decoders of the formats, and what they say of a file that was read.

NumPy and torch read their own formats. PNG is read by the few lines below, which follow the specification to the
letter; TIFF by Pillow, and by tifffile's way of reading where Pillow knows no such samples.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import tifffile
from fuzz_files import PASSES, png_rows
from fuzz_png import split
from PIL import Image

from softdice_cli.readers import Source

SAME, REFUSED, UNLIKE = "same", "refused", "not comparable"
"""The other decoder gives the same values; refuses the file; reads other parts of it, or as another type."""


# Samples of a PNG that are too many for a decoder in plain Python.
_LARGE = 2**16


def compared(source: Source, data: bytes, key: str | None) -> str:
    """What another decoder says of a file that was read.

    Raises:
        AssertionError: it gives other values.
    """
    try:
        others = {"npy": _npy, "npz": _npz, "pt": _pt, "png": _png, "tiff": _tiff}[source.format](source, data, key)
    except Exception:  # noqa: BLE001 - however it refuses
        return REFUSED
    if not others:
        return UNLIKE
    array = source.load(source.array)
    assert any(_same(array, other) for other in others), f"another decoder reads other values: {source.describe()}"
    return SAME


def checked(source: Source, data: bytes) -> None:
    """Raises AssertionError where a checksum in a file that was read does not hold, or rows of a PNG are not there."""
    if source.format == "png":
        _check_png(source, data)
    elif source.format == "pt":
        _check_members(data)


def _check_members(data: bytes) -> None:
    """Raises AssertionError where the checksum of the pickle of a ``.pt``, or of its only tensor, does not hold."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # Torch writes 0 where it was told to compute none.
        names = [info.filename for info in archive.infolist() if info.CRC]
        tensors = [info.filename for info in archive.infolist() if "/data/" in info.filename]
        for name in names:
            if name.endswith("/data.pkl") or [name] == tensors:
                assert "CRC" not in _problem(archive, name), f"the checksum of {name} does not hold"


def _problem(archive: zipfile.ZipFile, name: str) -> str:
    """What is wrong with a member; one that zipfile does not read at all has no checksum that it could compare."""
    try:
        archive.read(name)
    except zipfile.BadZipFile as error:
        return str(error)
    except Exception:  # noqa: BLE001 - however it refuses
        return ""
    return ""


def _check_png(source: Source, data: bytes) -> None:
    at, body, header = 8, b"", b""
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        # The first letter of a chunk that the pixels need is a capital.
        if kind[:1].isupper():
            said = data[at + 8 + length : at + 12 + length]
            assert said == struct.pack(">I", zlib.crc32(kind + content)), f"the checksum of {kind!r} does not hold"
        header, body = header or content, body + content * (kind == b"IDAT")
        at += 12 + length
        if kind == b"IEND":
            break
    if source.array.size <= _LARGE:
        width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", header[:13])
        rows = sum(png_rows(width, height, depth, color, interlaced))
        # Without the checksum at its end, which covers nothing that those of the chunks do not.
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(body[2:], rows)
        assert len(unpacked) == rows, "rows are read that are not there"


def _same(array: Any, other: Any) -> bool:
    if array.shape != other.shape or array.dtype.kind != other.dtype.kind:
        return False
    return bool(np.array_equal(array, other, equal_nan=array.dtype.kind == "f"))


def _npy(source: Source, data: bytes, key: str | None) -> list[Any]:
    array = np.load(io.BytesIO(data), allow_pickle=False)
    return [_wide(array, data) if source.stored == "bfloat16" else array]


def _npz(source: Source, data: bytes, key: str | None) -> list[Any]:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        names = [name for name in archive.zip.namelist() if name.endswith(".npy")]
        name = key if key is not None else names[0].removesuffix(".npy")
        array = archive[name]
    if source.stored != "bfloat16":
        return [array]
    with zipfile.ZipFile(io.BytesIO(data)) as plain:
        return [_wide(array, plain.read(f"{name}.npy"))]


def _wide(array: Any, data: bytes) -> Any:
    """Bfloat16, which NumPy has as two bytes without a meaning, and without their order."""
    order = ">" if b"'>V2'" in data[:999] else "<"
    bits = array.view(f"{order}u2").astype(np.uint32)
    return np.left_shift(bits, 16, dtype=np.uint32).view(np.float32)


def _pt(source: Source, data: bytes, key: str | None) -> list[Any]:
    import torch

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # Of a member that says that it is a folder, torch gives whatever is in the memory that it took.
        if any(info.external_attr & 0x10 for info in archive.infolist()):
            return []
    contents = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    found: dict[str, Any] = {}
    _tensors(contents, "", found, torch.Tensor)
    if key in found:
        tensor = found[key]
    else:
        outer = [name for name in found if "." not in name] or list(found)
        if len(outer) != 1:
            return []
        tensor = found[outer[0]]
    tensor = tensor.detach().resolve_conj().resolve_neg()
    return [tensor.float().numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()]


def _tensors(value: Any, name: str, found: dict[str, Any], kind: type, depth: int = 0) -> None:
    if isinstance(value, kind):
        found.setdefault(name, value)
    elif isinstance(value, Mapping) and depth < 9:
        for key, inner in value.items():
            _tensors(inner, f"{name}.{key}" if name else str(key), found, kind, depth + 1)


def _png(source: Source, data: bytes, key: str | None) -> list[Any]:
    if source.array.size > _LARGE:
        return []
    samples = png_samples(data)
    channels = 1 if source.array.ndim == 2 else source.array.shape[-1]
    # A channel of opacity that holds nothing was left out.
    assert samples.shape[-1] - channels in (0, 1)
    samples = samples[..., :channels]
    if source.array.dtype.kind == "b":
        samples = samples.astype(bool)
    return [samples[..., 0] if source.array.ndim == 2 else samples]


def png_samples(data: bytes) -> Any:
    """The samples ``(H, W, C)`` of a PNG, read by the letter of its specification.

    Raises:
        Exception: anything at all is wrong with its pixels, or with what they need.
    """
    chunks = list(split(data))
    kinds = [kind for kind, _ in chunks]
    header = chunks[0][1]
    width, height, depth, color, packing, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    assert (kinds[0], packing, filtering) == (b"IHDR", 0, 0)
    assert interlaced < 2
    first = kinds.index(b"IDAT")
    body = b""
    for kind, content in chunks[first:]:
        if kind != b"IDAT":
            break
        body += content
    rows = png_rows(width, height, depth, color, interlaced)
    unpack = zlib.decompressobj()
    content = unpack.decompress(body, sum(rows) + 1)
    assert len(content) == sum(rows)
    # More rows, or a stream that does not end, and so has no checksum, are what others may read.
    assert not unpack.decompress(unpack.unconsumed_tail, 1)
    assert unpack.eof
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    image = np.zeros((height, width, samples), np.uint16 if depth == 16 else np.uint8)
    at = 0
    for left, top, across, down in PASSES if interlaced else [(0, 0, 1, 1)]:
        part = image[top::down, left::across]
        if part.size:
            at = _fill_pass(part, content, at, depth)
    return image


def _fill_pass(part: Any, content: bytes, at: int, depth: int) -> int:
    """Fill the samples of a pass with the rows from a position on; gives where the next one begins."""
    size = (part.shape[1] * part.shape[2] * depth + 7) // 8
    step = max(1, part.shape[2] * depth // 8)
    above = bytearray(size)
    for row in range(part.shape[0]):
        above = _unfiltered(content[at], content[at + 1 : at + 1 + size], above, step)
        at += 1 + size
        values = np.frombuffer(bytes(above), np.uint8)
        if depth == 16:
            values = values.view(">u2")
        elif depth < 8:
            bits = np.unpackbits(values).reshape(-1, depth)
            values = bits @ (1 << np.arange(depth)[::-1])
        part[row] = values[: part.shape[1] * part.shape[2]].reshape(part.shape[1:])
    return at


def _unfiltered(method: int, row: bytes, above: bytearray, step: int) -> bytearray:
    assert method < 5
    out = bytearray(row)
    for index in range(len(out)):
        left = out[index - step] if index >= step else 0
        corner = above[index - step] if index >= step else 0
        up = above[index]
        guess = left + up - corner
        nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
        out[index] = (out[index] + (0, left, up, (left + up) // 2, nearest[2])[method]) % 256
    return out


def _tiff(source: Source, data: bytes, key: str | None) -> list[Any]:
    array = source.load(source.array)
    pages: list[Any] = []
    with suppress(Exception):
        pages = _pillow_pages(data, source)
    if pages and source.colors and pages[0].shape[-1] == array.shape[-1] + 1:
        # A channel of opacity that holds nothing was left out.
        pages = [page[..., :-1] for page in pages]
    if pages and source.planes and pages[0].ndim == 3:
        pages = [np.moveaxis(page, -1, 0) for page in pages]
    if pages and sum(page.size for page in pages) == array.size:
        stack = np.stack(pages)
        found = [stack.reshape(array.shape).astype(array.dtype)]
        # Pillow turns round a picture in which 0 is white.
        if source.white_is_zero or array.dtype.kind == "b":
            found.append(~found[0] if array.dtype.kind == "b" else _turned_back(found[0], source))
        return found
    found = []
    with tifffile.TiffFile(io.BytesIO(data), _multifile=False) as tiff:
        # The whole of it, for which pages that should follow each other are taken to do so, and each page by itself.
        for whole in (tiff.asarray(), tiff.asarray(key=slice(None))):
            if whole.size != array.size or whole.dtype.kind != array.dtype.kind:
                continue
            found.append(whole.reshape(array.shape))
            if source.colors and array.ndim > 2:
                # Planes of colours, one after the other.
                planes = (*array.shape[:-3], array.shape[-1], *array.shape[-3:-1])
                found.append(np.moveaxis(whole.reshape(planes), -3, -1))
    return found


def _turned_back(array: Any, source: Source) -> Any:
    """Samples of which 0 is white, as they are stored."""
    greatest = 2 ** (source.bits or 8 * array.dtype.itemsize) - 1
    return array.dtype.type(greatest) - array


def _pillow_pages(data: bytes, source: Source) -> list[Any]:
    """The pages as Pillow reads them: those of the size of the first one."""
    pages: list[Any] = []
    with Image.open(io.BytesIO(data), formats=["TIFF"]) as image:
        for frame in range(min(image.n_frames, 100)):
            image.seek(frame)
            if image.width * image.height > 2**20:
                return []
            if pages and (image.height, image.width) != pages[0].shape[:2]:
                continue
            array = np.asarray(image)
            if data[:1] == b"M" and image.tag_v2.get(259, 1) != 1 and array.dtype.itemsize > 2:
                # Pillow swaps the bytes of these once more than is right.
                array = array.byteswap()
            kind, size = source.array.dtype.kind, source.array.dtype.itemsize
            if array.dtype.itemsize < size or (kind == "f") != (array.dtype.kind == "f"):
                return []
            if image.mode == "L" and source.bits:
                array = array // np.uint8(255 // (2**source.bits - 1))
            pages.append(array)
    return pages
