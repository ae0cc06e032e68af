"""Small valid files of every format, which the fuzzer damages."""

from __future__ import annotations

import functools
import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tifffile
from PIL import Image

READERS = ("npy", "npz", "pt", "png", "tiff")

RNG = np.random.default_rng(11)
MAP = RNG.random((2, 3, 4))
VOLUME = RNG.random((2, 3, 4, 5)).astype("f4")
GREY = RNG.integers(0, 4, (9, 13)).astype(np.uint8)
WIDE = RNG.integers(0, 256, (20, 33)).astype(np.uint8)
BITS = GREY > 1
COLORS = RNG.integers(0, 256, (7, 5, 3)).astype(np.uint8)


@functools.cache
def seeds(reader: str) -> tuple[bytes, ...]:
    """The valid files of a reader."""
    return tuple({"npy": _npy, "npz": _npz, "pt": _pt, "png": _png, "tiff": _tiff}[reader]())


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def _npy() -> Iterator[bytes]:
    for kind in ("f2", "f4", "f8", ">f4", "u1", "i2", ">u2", "i4", "i8", "?"):
        yield _saved(functools.partial(np.save, arr=(MAP * 3).astype(kind)))
    yield _saved(functools.partial(np.save, arr=np.asfortranarray(MAP)))
    yield _saved(lambda stream: np.lib.format.write_array(stream, MAP, (2, 0)))
    yield _saved(functools.partial(np.save, arr=MAP.reshape(-1)))
    yield _saved(functools.partial(np.save, arr=(MAP.astype("f4").view("u4") >> 16).astype("u2").view("V2")))
    yield _saved(functools.partial(np.save, arr=np.array([1, "a"], object)))


def _npz() -> Iterator[bytes]:
    columns = np.asfortranarray(MAP)
    for arrays in ({"probs": MAP}, {"probs": columns, "labels": GREY}, {"mask": np.zeros((40, 50), np.uint8)}):
        members = {f"{name}.npy": _saved(functools.partial(np.save, arr=array)) for name, array in arrays.items()}
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            yield archive((name, content, method) for name, content in members.items())


def archive(members: Iterable[tuple[str, bytes, int]]) -> bytes:
    """An archive of members with their compression, in which no time of day stands."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the same name twice, which is meant
        for name, content, method in members:
            out.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def _pt() -> Iterator[bytes]:
    import torch

    tensor = torch.from_numpy(MAP)
    things = (
        *(tensor.to(kind) for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8)),
        tensor.permute(2, 0, 1),
        tensor[1],
        torch.nn.Parameter(tensor),
        {"probs": tensor.float()},
        {"probs": tensor.half(), "more": {"labels": tensor, "inner": {"x": tensor}}},
        {"probs": tensor, "labels": torch.from_numpy(GREY), "epoch": 3, "size": tensor.size()},
        torch.eye(3).to_sparse(),
    )
    for thing in things:
        yield _saved(functools.partial(torch.save, thing))


def png(width: int, height: int, depth: int, color: int, rows: bytes, *before: bytes, interlaced: int = 0) -> bytes:
    """A PNG of these scan lines, which begin with their filter."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
    data = (*before, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(data)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_rows(width: int, height: int, depth: int, color: int, interlaced: int) -> list[int]:
    """The bytes of each row of a PNG with its filter, pass by pass; none where the header makes no sense."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(color)
    if samples is None or depth not in (1, 2, 4, 8, 16) or width * height > 2**20:
        return []
    rows: list[int] = []
    for left, top, across, down in PASSES if interlaced else [(0, 0, 1, 1)]:
        columns = -(-(width - left) // across)
        if columns > 0:
            rows += [1 + (columns * samples * depth + 7) // 8] * max(0, -(-(height - top) // down))
    return rows


PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of an interlaced PNG: the first column and row of each pass, and the steps to the next ones."""


def _png() -> Iterator[bytes]:
    palette = Image.fromarray(GREY, "L")
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    images = (
        *(Image.fromarray(array) for array in (GREY, BITS, GREY.astype(np.uint16) * 999, COLORS)),
        Image.fromarray(COLORS).convert("RGBA"),
        Image.fromarray(GREY).convert("LA"),
        palette,
    )
    for image in images:
        yield _saved(functools.partial(image.save, format="PNG"))
    yield _saved(functools.partial(palette.save, format="PNG", bits=2))
    yield _saved(functools.partial(palette.save, format="PNG", transparency=2, dpi=(72, 72)))
    yield _saved(functools.partial(images[0].save, format="PNG", save_all=True, append_images=[images[0]]))
    for depth in (2, 4):
        yield png(8, 4, depth, 0, bytes(range(depth + 1)) * 4)
    for color, samples in ((2, 3), (6, 4)):
        yield png(4, 2, 16, color, b"\0" + b"\xff" * 8 * samples + b"\4" + bytes(8 * samples))
    oriented = Image.Exif()
    oriented[274] = 6
    yield _saved(functools.partial(palette.save, format="PNG", exif=oriented))
    yield png(4, 4, 8, 0, bytes(4 * 7 + 16), interlaced=1)  # seven passes of scan lines
    text = [chunk(b"tEXt", b"Title\0mask"), chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(999)))]
    yield png(4, 2, 8, 0, b"\0\1\2\3\4" * 2, *text, chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(99))))


def _tiff() -> Iterator[bytes]:
    pictures = {
        "raw": (GREY, {}),
        "packbits": (GREY, {}),
        "tiff_lzw": (GREY, {}),
        "group3": (BITS, {}),
        "group4": (BITS, {}),
        "tiff_adobe_deflate": (BITS, {262: 0}),
        "tiff_deflate": (COLORS, {}),
    }
    for compression, (array, tags) in pictures.items():
        image = Image.fromarray(array)
        yield _saved(functools.partial(image.save, format="TIFF", compression=compression, tiffinfo=tags))
    written = (
        {"data": MAP[0]},
        {"data": MAP.astype("f4"), "photometric": "minisblack"},
        {"data": MAP.astype("f4"), "photometric": "minisblack", "compression": "zlib"},
        {"data": WIDE.astype("u2"), "compression": "lzma", "predictor": 2},
        {"data": WIDE, "tile": (16, 16)},
        {"data": WIDE, "tile": (16, 16), "compression": "zlib"},
        {"data": WIDE, "rowsperstrip": 3, "compression": "zlib"},
        {"data": GREY, "photometric": "miniswhite"},
        {"data": MAP.astype("f4"), "photometric": "minisblack", "planarconfig": "separate"},
        {"data": COLORS, "photometric": "rgb"},
        {"data": GREY, "photometric": "palette", "colormap": np.full((3, 256), 9, np.uint16)},
    )
    for options in written:
        for how in ({}, {"byteorder": ">"}, {"bigtiff": True}):
            yield _saved(lambda stream, options=options, how=how: tifffile.imwrite(stream, **options, **how))
    yield _saved(lambda stream: tifffile.imwrite(stream, MAP.astype("f4"), imagej=True))
    for how in ({"metadata": {"axes": "CZYX"}}, {"ome": True}, {"imagej": True}):
        yield _saved(lambda stream, how=how: tifffile.imwrite(stream, VOLUME, photometric="minisblack", **how))
    yield _saved(lambda stream: tifffile.imwrite(stream, np.stack([GREY] * 3), photometric="rgb", planarconfig=2))
    yield _saved(_pyramid)
    for tags in ({292: 1}, {292: 4}, {266: 2}):
        bits = Image.fromarray(BITS)
        yield _saved(functools.partial(bits.save, format="TIFF", compression="group3", tiffinfo=tags))
    yield _saved(functools.partial(Image.fromarray(BITS).save, format="TIFF", compression="tiff_ccitt"))
    yield _small_samples(4, 1)
    yield _small_samples(2, 32773)
    floats = Image.fromarray(MAP[0].astype("f4"))
    yield _saved(functools.partial(floats.save, format="TIFF", compression="tiff_lzw", tiffinfo={317: 3}))


def _pyramid(stream: io.BytesIO) -> None:
    """A picture in tiles and a smaller copy of it, in the chain of pages and below the page, and a mask."""
    with tifffile.TiffWriter(stream) as out:
        out.write(WIDE, tile=(16, 16), subifds=1)
        out.write(WIDE[::2, ::2], tile=(16, 16), subfiletype=1)
        out.write(WIDE[::2, ::2], tile=(16, 16), subfiletype=1)
        out.write(WIDE > 9, tile=(16, 16), subfiletype=4, photometric="mask")


def _small_samples(bits: int, compression: int) -> bytes:
    """Grey samples of a few bits, whose tags were those of bytes."""
    stream = io.BytesIO()
    kind = {1: "raw", 32773: "packbits"}[compression]
    Image.fromarray(WIDE).save(stream, "TIFF", compression=kind)
    data = stream.getvalue()
    for tag, value in ((256, WIDE.shape[1] * 8 // bits), (258, bits)):
        at = data.index(struct.pack("<H", tag), struct.unpack_from("<I", data, 4)[0])
        data = put(data, at + 8, struct.pack("<H", value))
    return data


def put(data: bytes, at: int, part: bytes) -> bytes:
    """The bytes with others in the place of those from a position on."""
    return data[:at] + part + data[at + len(part) :]
