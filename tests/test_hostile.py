"""Files that were made to do harm: each is refused by name, soon, and before memory is taken that it only declares."""

from __future__ import annotations

import json
import lzma
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from softdice_cli.errors import UnreadableError
from softdice_cli.readers import Blob, ReadOptions, read_array

Make = Callable[[], bytes]

SECONDS = 2.0

# TIFF, put together by hand: a tag is (code, type, count, value)

ASCII, SHORT, LONG, SBYTE = 2, 3, 4, 6
DEFLATE, PACKBITS, LZMA = 8, 32773, 34925
Tag = tuple[int, int, int, int]


def page(tags: list[Tag], at: int = 8, after: int = 0) -> bytes:
    """A directory, and where the next one is."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", after)


def tags(width: int = 10, height: int = 10, *, at: int, held: int, compression: int = 1, **more: Tag) -> list[Tag]:
    """Those of a grey image of 8 bits in one strip."""
    plain = {
        **{"wide": (256, LONG, 1, width), "high": (257, LONG, 1, height), "bits": (258, SHORT, 1, 8)},
        **{"compression": (259, SHORT, 1, compression), "kind": (262, SHORT, 1, 1), "samples": (277, SHORT, 1, 1)},
        **{"offsets": (273, LONG, 1, at), "rows": (278, LONG, 1, height), "counts": (279, LONG, 1, held)},
    }
    return list((plain | more).values())


def tiff(data: bytes, width: int = 10, height: int = 10, compression: int = 1, **more: Tag) -> bytes:
    """A page with this strip; `more` tags take the place of those of that name."""
    size = len(page(tags(at=0, held=0, **more)))
    listed = tags(width, height, at=8 + size, held=len(data), compression=compression, **more)
    return b"II*\0\x08\0\0\0" + page(listed) + data


def pages(number: int, data: bytes = b"", compression: int = 1, entries: list[Tag] | None = None) -> bytes:
    """Pages of ten by ten pixels that all name the same strip."""
    size = len(page(entries or tags(at=0, held=0)))
    listed = entries or tags(at=8 + number * size, held=len(data), compression=compression)
    after = [8 + index * size for index in range(1, number)] + [0]
    return b"II*\0\x08\0\0\0" + b"".join(page(listed, after=next_page) for next_page in after) + data


def swollen(kind: Any, size: int) -> bytes:
    """So many zeros, compressed."""
    return b"".join(kind.compress(bytes(2**22)) for _ in range(size // 2**22)) + kind.flush()


HOSTILE: dict[str, tuple[Make, list[str]]] = {
    # TIFF: ten by ten pixels that unpack to hundreds of megabytes; as many bytes that say nothing
    "tiff-deflate": (lambda: tiff(swollen(zlib.compressobj(1), 2**28), compression=DEFLATE), ["far more than its"]),
    "tiff-lzma": (
        lambda: tiff(swollen(lzma.LZMACompressor(preset=0), 2**27), compression=LZMA),
        ["far more than its pixels"],
    ),
    "tiff-packbits": (lambda: tiff(b"\x81\0" * 2**21, compression=PACKBITS), ["far more than its pixels"]),
    "tiff-nothing": (lambda: tiff(b"\x80" * 2**23, compression=PACKBITS), ["far more than its pixels"]),
    # the same strip for thousands of pages
    "tiff-shared": (lambda: pages(3000, swollen(zlib.compressobj(9), 2**24), DEFLATE), ["far more than its pixels"]),
    # a tile of 2^62 pixels around an image of a hundred, and rows, pages and tiles that are not there
    "tiff-tile": (
        lambda: tiff(zlib.compress(bytes(99)), compression=DEFLATE, w=(322, LONG, 1, 2**31), h=(323, LONG, 1, 2**31)),
        ["larger than the limit", "--max-pixels"],
    ),
    "tiff-no-tile": (lambda: tiff(bytes(256), w=(322, LONG, 1, 0), h=(323, LONG, 1, 16)), ["cannot be read as tiff"]),
    "tiff-no-strip": (lambda: tiff(b"", compression=DEFLATE), ["lacks some of its strips"]),
    "tiff-few-tiles": (
        lambda: tiff(bytes(256), 20, 20, w=(322, LONG, 1, 16), h=(323, LONG, 1, 16)),
        ["lacks some of its strips or tiles", "with all its pixels"],
    ),
    "tiff-header-as-strip": (lambda: tiff(bytes(100), offsets=(273, LONG, 1, 0)), ["lacks some of its strips"]),
    # a negative height, with a description for which tifffile looked for pages without an end
    "tiff-negative": (
        lambda: tiff(b'{"shape": [3]}' + bytes(99), high=(257, SBYTE, 1, 255), text=(270, ASCII, 15, 134)),
        ["has no pixels", "(-1, 10)"],
    ),
    "tiff-no-samples": (lambda: tiff(bytes(100), samples=(277, SHORT, 1, 0)), ["0 samples a pixel"]),
    # terabytes, by one number and by four billion tags
    "tiff-terabytes": (lambda: tiff(bytes(100), 2**31, 2**31), ["larger than the limit"]),
    "tiff-bits": (lambda: tiff(bytes(100), bits=(258, SHORT, 1, 60000)), ["no probability or label"]),
    "tiff-samples": (lambda: tiff(bytes(100), samples=(277, LONG, 1, 2**32 - 1)), ["larger than the limit"]),
    "tiff-long-tag": (lambda: tiff(bytes(100), text=(270, ASCII, 2**32 - 1, 8)), ["tags declare more", "4294967"]),
    "tiff-many-tags": (lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(99), ["a page has 65535 tags"]),
    # 4000 tags that each load the same megabyte
    "tiff-tags": (
        lambda: pages(1, bytes(2**20), entries=[(273, LONG, 2**17, 2**16)] * 4000),
        ["tags declare more than the file holds"],
    ),
    # pages without an end: in a circle, outside of the file, and too many
    "tiff-circle": (lambda: b"II*\0\x08\0\0\0" + page(tags(at=8, held=100), after=8), ["its pages form a loop"]),
    "tiff-outside": (lambda: b"II*\0\x08\0\0\0" + page(tags(at=8, held=99), after=999), ["beyond the end of the file"]),
    "tiff-pages": (lambda: pages(100_001, entries=[(256, LONG, 1, 1)]), ["more than 100000 pages"]),
}


@pytest.mark.parametrize(("make", "words"), HOSTILE.values(), ids=HOSTILE)
def test_is_refused_by_name_and_soon(make: Make, words: list[str], tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(make())
    begun = time.process_time()
    with pytest.raises(UnreadableError) as caught:
        read_array(Blob(str(path)), ReadOptions())
    assert time.process_time() - begun < SECONDS
    assert not isinstance(caught.value.__cause__, MemoryError)
    for word in words:
        assert word in str(caught.value)


def test_directories_beside_the_pages_are_not_followed(tmp_path: Path):
    """Forty of them, each of which names the next one twice: two to the power of forty ways through."""
    text = json.dumps({"shape": [1, 1]}).encode() + b"\0"
    size = len(page(tags(at=0, held=0, text=(270, 2, 0, 0), below=(330, 4, 0, 0))))
    end = 8 + 40 * size
    data = b"II*\0\x08\0\0\0"
    for index in range(40):
        below = (330, LONG, 2, end + len(text) + 8 * index)
        data += page(tags(1, 1, at=8, held=1, text=(270, ASCII, len(text), end), below=below))
    data += text + b"".join(struct.pack("<2I", *[8 + (index + 1) % 40 * size] * 2) for index in range(40))
    path = tmp_path / "m.tif"
    path.write_bytes(data)
    assert read_array(Blob(str(path)), ReadOptions()).array.shape == (1, 1)


def test_a_tiff_that_shrinks_while_pillow_reads_it_ends_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, pixels = tmp_path / "m.tif", np.arange(4096, dtype=np.uint16).reshape(64, 64)
    Image.fromarray(pixels).save(path, compression="tiff_lzw")

    def seek(image: Any, index: int) -> None:
        path.write_bytes(b"")  # libtiff maps a file that it has the descriptor of, and the process would get SIGBUS

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "seek", seek)
    np.testing.assert_array_equal(read_array(Blob(str(path)), ReadOptions()).array, pixels)


def test_pages_that_pillow_reads_are_not_sought_from_the_first_one_each_time(tmp_path: Path):
    path = tmp_path / "m.tif"
    first, *rest = [Image.fromarray(np.full((2, 2), index % 251, np.uint8)) for index in range(1000)]
    first.save(path, save_all=True, append_images=rest, compression="tiff_lzw")
    begun = time.process_time()
    array = read_array(Blob(str(path)), ReadOptions()).array
    assert time.process_time() - begun < SECONDS
    assert array[:, 0, 0].tolist() == [index % 251 for index in range(1000)]
