"""Strips of a TIFF that unpack to another size than the page declares: refused, before memory is taken for them."""

from __future__ import annotations

import importlib.util
import io
import lzma
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from softdice_cli.errors import UnreadableError
from softdice_cli.readers import Blob, ReadOptions, read_array

WIDTH, HEIGHT = 64, 64
PIXELS = np.arange(WIDTH * HEIGHT, dtype=np.uint8).tobytes()
needs_codecs = pytest.mark.skipif(importlib.util.find_spec("imagecodecs") is None, reason="needs imagecodecs")


def by_pillow(compression: str) -> Callable[[bytes], bytes]:
    """Packs bytes as the only strip of a picture of one row, as libtiff does."""

    def pack(data: bytes) -> bytes:
        stream = io.BytesIO()
        Image.frombytes("L", (len(data), 1), data).save(stream, "tiff", compression=compression)
        saved = stream.getvalue()
        with tifffile.TiffFile(io.BytesIO(saved)) as file:
            first = file.pages[0]
            return saved[first.dataoffsets[0] :][: first.databytecounts[0]]

    return pack


def zstd(data: bytes) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.zstd_encode(data))


PACKED = [
    pytest.param(1, bytes, id="none"),
    pytest.param(8, zlib.compress, id="adobe-deflate"),
    pytest.param(32946, zlib.compress, id="deflate"),
    pytest.param(50013, zlib.compress, id="pixtiff"),
    pytest.param(34925, lzma.compress, id="lzma"),
    pytest.param(5, by_pillow("tiff_lzw"), id="lzw"),
    pytest.param(32773, by_pillow("packbits"), id="packbits"),
    pytest.param(50000, zstd, id="zstd", marks=needs_codecs),
]


def page(data: bytes, compression: int, rows: int = HEIGHT) -> bytes:
    """A TIFF of one page of 8 bits, whose strips are all this one."""
    strips = -(-HEIGHT // rows)
    tags = {256: WIDTH, 257: HEIGHT, 258: 8, 259: compression, 262: 1, 273: 0, 277: 1, 278: rows, 279: 0}
    lists = 8 + 2 + 12 * len(tags) + 4
    at = lists + 8 * strips
    places = [at + index * len(data) for index in range(strips)]
    tags[273], tags[279] = (lists, lists + 4 * strips) if strips > 1 else (at, len(data))
    entries = [struct.pack("<HHII", tag, 4, strips if tag in (273, 279) else 1, value) for tag, value in tags.items()]
    listed = struct.pack(f"<{2 * strips}I", *places, *[len(data)] * strips)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4) + listed + data * strips


def read(data: bytes, tmp_path: Path) -> bytes:
    (tmp_path / "m.tif").write_bytes(data)
    return read_array(Blob(str(tmp_path / "m.tif")), ReadOptions()).array.tobytes()


@pytest.mark.parametrize(("compression", "pack"), PACKED)
def test_what_comes_out_right_is_read(compression: int, pack: Callable[[bytes], bytes], tmp_path: Path):
    assert read(page(pack(PIXELS), compression), tmp_path) == PIXELS


@pytest.mark.parametrize(("compression", "pack"), PACKED)
@pytest.mark.parametrize("missing", [1, WIDTH, len(PIXELS) - 1])
def test_what_is_too_short_is_not_filled_up(
    compression: int, pack: Callable[[bytes], bytes], missing: int, tmp_path: Path
):
    with pytest.raises(UnreadableError):
        read(page(pack(PIXELS[:-missing]), compression), tmp_path)


@pytest.mark.parametrize(("compression", "pack"), PACKED)
def test_every_strip_has_its_own_bytes(compression: int, pack: Callable[[bytes], bytes], tmp_path: Path):
    half = PIXELS[: len(PIXELS) // 2]
    assert read(page(pack(half), compression, rows=HEIGHT // 2), tmp_path) == half * 2
    with pytest.raises(UnreadableError):
        read(page(pack(half[:-1]), compression, rows=HEIGHT // 2), tmp_path)


# What lies behind a strip of these two is never unpacked, so that it costs nothing.
@pytest.mark.parametrize(("compression", "pack"), [entry for entry in PACKED if entry.id not in ("none", "lzw")])
@pytest.mark.parametrize("more", [1, 2**14])
def test_what_is_too_long_is_not_cut(compression: int, pack: Callable[[bytes], bytes], more: int, tmp_path: Path):
    with pytest.raises(UnreadableError, match=r"is damaged: its \w+ data hold "):
        read(page(pack(PIXELS + bytes(more)), compression), tmp_path)


@pytest.mark.parametrize(("compression", "pack"), [entry for entry in PACKED if entry.id not in ("none", "packbits")])
def test_a_bomb_takes_no_memory(compression: int, pack: Callable[[bytes], bytes], tmp_path: Path):
    data = page(pack(PIXELS), compression)
    bomb = page(pack(bytes(2**26)), compression)
    read(data, tmp_path)
    tracemalloc.start()
    try:
        # Of LZW no more is unpacked than is needed.
        with nullcontext() if compression == 5 else pytest.raises(UnreadableError):
            assert read(bomb, tmp_path) == bytes(len(PIXELS))
        # LZMA looks back over eight megabytes.
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()


def test_the_last_strip_may_be_as_long_as_the_others(tmp_path: Path):
    rows = np.arange(WIDTH * 10, dtype=np.uint8).tobytes()
    last = HEIGHT % 10
    expected = rows * (HEIGHT // 10) + rows[: WIDTH * last]
    assert read(page(zlib.compress(rows), 8, rows=10), tmp_path) == expected


def test_a_stream_that_is_cut_off_behind_its_last_byte_is_damaged(tmp_path: Path):
    with pytest.raises(UnreadableError, match="a stream without an end"):
        read(page(zlib.compress(PIXELS)[:-4], 8), tmp_path)
