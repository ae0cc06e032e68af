"""Files that were made to do harm: each is refused by name, soon, and before memory is taken that it only declares."""

from __future__ import annotations

import io
import itertools
import json
import lzma
import os
import re
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Softdice
from fuzz_files import archive, chunk, png_rows
from PIL import Image, PngImagePlugin, TiffImagePlugin
from systems import linux, posix, tile_by_tile

from softdice_cli.errors import UnreadableError
from softdice_cli.inspection import looking
from softdice_cli.overlap.labels import count_labels
from softdice_cli.readers import Blob, ReadOptions, read_array, stored
from softdice_cli.readers.labels import as_labels

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


def overlapping(number: int) -> bytes:
    """Directories that begin four bytes behind each other; the tags of each are those of all others."""
    span = 2 + 12 * 4096
    data = bytearray(16 + 4 * number + span + 8)
    data[:8] = b"II*\0\x10\0\0\0"
    for index in range(number):
        struct.pack_into("<H", data, 16 + 4 * index, 4096)
    for index in range(1, number):
        struct.pack_into("<I", data, 12 + 4 * index + span, 16 + 4 * index)
    return bytes(data)


def cameras(number: int) -> bytes:
    """Pages that are as they should be, and name the same directory of 4096 tags."""
    shared = (
        struct.pack("<H", 4096) + b"".join(struct.pack("<HHII", tag, SHORT, 1, 1) for tag in range(4096)) + bytes(4)
    )
    size = len(page(tags(at=0, held=0, camera=(34665, LONG, 1, 0))))
    first = 8 + len(shared) + 100
    listed = tags(at=8 + len(shared), held=100, camera=(34665, LONG, 1, 8))
    after = [first + index * size for index in range(1, number)] + [0]
    pictures = b"".join(page(listed, after=next_page) for next_page in after)
    return b"II*\0" + struct.pack("<I", first) + shared + bytes(100) + pictures


def swollen(kind: Any, size: int) -> bytes:
    """So many zeros, compressed."""
    return b"".join(kind.compress(bytes(2**22)) for _ in range(size // 2**22)) + kind.flush()


HOSTILE: dict[str, tuple[Make, list[str]]] = {
    # TIFF: ten by ten pixels that unpack to hundreds of megabytes; as many bytes that say nothing
    "tiff-deflate": (lambda: tiff(swollen(zlib.compressobj(1), 2**28), compression=DEFLATE), ["far more than its"]),
    "tiff-lzma": (
        lambda: tiff(swollen(lzma.LZMACompressor(preset=0), 2**27), compression=LZMA),
        ["more than the 100 bytes of its rows"],
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
    "tiff-bits": (lambda: tiff(bytes(100), bits=(258, SHORT, 1, 60000)), ["neither a probability nor a label"]),
    "tiff-samples": (lambda: tiff(bytes(100), samples=(277, LONG, 1, 2**32 - 1)), ["larger than the limit"]),
    "tiff-long-tag": (lambda: tiff(bytes(100), text=(270, ASCII, 2**32 - 1, 8)), ["tags declare more", "4294967"]),
    "tiff-many-tags": (lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(99), ["a page has 65535 tags"]),
    # 4000 tags that each load the same megabyte
    "tiff-tags": (
        lambda: pages(1, bytes(2**20), entries=[(273, LONG, 2**17, 2**16)] * 4000),
        ["tags declare more than the file holds"],
    ),
    # directories four bytes apart, of as many tags as there may be, whose types nobody knows
    "tiff-overlapping": (lambda: overlapping(2000), ["tags declare more than the file holds"]),
    # pages that all name one directory of a camera
    "tiff-cameras": (lambda: cameras(2000), ["tags declare more than the file holds"]),
    # tags that libraries read in different ways: several values, a second tag, planes that nobody knows, and a
    # predictor that the compression does not have
    "tiff-two-orders": (lambda: tiff(bytes(100), order=(266, SHORT, 2, 0x20002)), ["FillOrder has several values"]),
    "tiff-two-tags": (
        lambda: tiff(bytes(100), one=(266, SHORT, 1, 1), two=(266, SHORT, 1, 2)),
        ["FillOrder has several values"],
    ),
    "tiff-planes": (
        lambda: tiff(bytes(300), samples=(277, SHORT, 1, 3), planes=(284, SHORT, 1, 26)),
        ["arranged in an unknown way", "found     26"],
    ),
    "tiff-predictor": (
        lambda: tiff(b"\x81\0", compression=PACKBITS, predictor=(317, SHORT, 1, 2)),
        ["a predictor, which its compression (PACKBITS) does not know"],
    ),
    # pages without an end: in a circle, outside of the file, and too many
    "tiff-circle": (lambda: b"II*\0\x08\0\0\0" + page(tags(at=8, held=100), after=8), ["its pages form a loop"]),
    "tiff-outside": (lambda: b"II*\0\x08\0\0\0" + page(tags(at=8, held=99), after=999), ["beyond the end of the file"]),
    "tiff-pages": (lambda: pages(100_001, entries=[(256, LONG, 1, 1)]), ["more than 100000 pages"]),
}

# PNG


def head(width: int, height: int, depth: int = 8, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, interlaced))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


ROW = chunk(b"IDAT", zlib.compress(b"\0\1\2\3\4"))
FRAME = chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 1, 0, 0))

HOSTILE |= {
    # PNG: a small header for the check and a large one for Pillow, or one of another depth, which gave other labels
    "png-two-headers": (lambda: png(head(4, 1), head(2**30, 2**30), ROW), ["two headers"]),
    "png-two-depths": (lambda: png(head(4, 1, 2), head(4, 1), ROW), ["two headers"]),
    # an animation of one frame that covers one pixel of four, the rest of which came out as zeros
    "png-small-frame": (lambda: png(head(2, 2), FRAME, chunk(b"IDAT", zlib.compress(b"\0\7"))), ["is animated"]),
    # chunks that take a while to go through, before the pixels and between them
    "png-many-chunks": (lambda: png(head(4, 1), chunk(b"abCd", b"") * 2**18, ROW), ["more than 262144 chunks"]),
    "png-many-parts": (lambda: png(head(4, 1), chunk(b"IDAT", b"") * 2**18, ROW), ["more than 262144 chunks"]),
    "png-no-pixels": (lambda: png(head(4, 1)), ["cannot be read as png"]),
    # pixels that end too early, which Pillow takes for zeros
    "png-few-rows": (
        lambda: png(head(4, 400), chunk(b"IDAT", zlib.compress(b"\0\7\7\7\7" * 3))),
        ["end before the last row", "expected  2000 bytes", "found     15 bytes"],
    ),
    "png-a-row": (lambda: png(head(4, 4), chunk(b"IDAT", zlib.compress(bytes(15)))), ["end before the last row"]),
    # ways of packing that are not known
    "png-interlacing": (
        lambda: png(head(4, 1, interlaced=2), ROW),
        ["packed in a way that is not known", "0, 0 and 2"],
    ),
    "png-terabytes": (lambda: png(head(2**31 - 1, 2**31 - 1), ROW), ["larger than the limit", "--max-pixels"]),
}

# Archives

MEMBER = b"\x93NUMPY\1\0\x76\0" + b"{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }".ljust(117) + b"\n12345"


def npz(content: bytes = MEMBER, method: int = zipfile.ZIP_STORED, **lies: int) -> bytes:
    """An archive of one array, whose directory says what it is told to: `file_size`, `compress_size`."""
    data = archive([("p.npy", content, method)])
    at = data.index(b"PK\1\2")
    places = {"compress_size": at + 20, "file_size": at + 24}
    for name, value in lies.items():
        data = data[: places[name]] + struct.pack("<I", value) + data[places[name] + 4 :]
    return data


HOSTILE |= {
    # compressions that zipfile unpacks in one piece: a member of a few bytes took gigabytes
    "npz-bzip2": (lambda: npz(method=zipfile.ZIP_BZIP2), ["packed by method 12", "np.savez"]),
    "npz-lzma": (lambda: npz(method=zipfile.ZIP_LZMA), ["packed by method 14", "np.savez"]),
    # sizes in the directory that no data stand behind, and a member that unpacks to more than it says
    "npz-terabytes": (lambda: npz(file_size=2**32 - 2), ["declares more than its bytes can hold", "4294967294 bytes"]),
    "npz-deflated-lie": (lambda: npz(method=8, file_size=2**31), ["declares more than its bytes can hold"]),
    "npz-shorter": (lambda: npz(method=8, file_size=len(MEMBER) - 1), ["cannot be read as npz"]),
    "npz-bomb": (
        lambda: npz(swollen(zlib.compressobj(1), 2**26)[:9] + bytes(2**26), 8, file_size=99),
        ["cannot be read as npz"],
    ),
    # more members than a list of them should have
    "npz-many": (lambda: many_members(), ["archive of too many files"]),
    "npz-encrypted": (
        lambda: npz().replace(b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0"),
        ["cannot be read as npz", "encrypted"],
    ),
}


def many_members() -> bytes:
    """A list of a hundred thousand members, all of which are the same."""
    data = archive([("p.npy", MEMBER, 0)])
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry, number = data[start:end], 100_000
    closing = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 65535, 65535, number * len(entry), start, 0)
    return data[:start] + entry * number + closing


# Tensors: the pickle of torch.save, by hand

ORDERED = b"ccollections\nOrderedDict\n)R"


def number(value: int) -> bytes:
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def called(name: str, *arguments: bytes) -> bytes:
    """A call of ``module.name``."""
    return b"c" + name.replace(" ", "\n").encode() + b"\n(" + b"".join(arguments) + b"tR"


def tensor(count: int = 6, shape: int = 6, stride: int = 1, *, kind: str = "Float", key: str = "0") -> bytes:
    """A tensor of one dimension in a storage that is said to hold so many elements; it holds six."""
    storage = b"(" + text("storage") + f"ctorch\n{kind}Storage\n".encode() + text(key) + text("cpu") + number(count)
    sizes = b"(" + number(shape) + b"t(" + number(stride) + b"t"
    return called("torch._utils _rebuild_tensor_v2", storage + b"tQ", number(0), sizes, b"\x89", ORDERED)


def pt(pickle: bytes, *, order: bytes = b"little", before: bytes = b"", after: bytes = b"") -> bytes:
    """A file of this pickle and six elements of four bytes."""
    members = {"data.pkl": b"\x80\2" + pickle + b".", "byteorder": order, "version": b"3\n", "data/0": bytes(24)}
    data = archive((f"archive/{name}", content, 0) for name, content in members.items())
    return before + data + after


NEVER = ["holds Python objects, which are never unpickled", "torch.save(tensor"]
FORGED = ["declares tensors that its bytes do not hold", "torch.save(tensor"]
EXPANDED = tensor(shape=10**9, stride=0)
LAYOUT = called("torch.serialization _get_layout", text("torch.sparse_coo"))

HOSTILE |= {
    # .pt: what weights_only calls takes any memory: gigabytes of zeros, and of what happens to stand there
    "pt-bytearray": (lambda: pt(called("builtins bytearray", number(10**12))), [*NEVER, "builtins.bytearray"]),
    "pt-tensor": (lambda: pt(called("torch Tensor", number(10**9))), [*NEVER, "torch.Tensor"]),
    "pt-storage": (lambda: pt(called("torch.storage UntypedStorage", number(10**12))), NEVER),
    "pt-copy": (
        lambda: pt(called("torch._utils _rebuild_device_tensor_from_cpu_tensor", EXPANDED, b"NNN")),
        [*NEVER, "_rebuild_device_tensor_from_cpu_tensor"],
    ),
    # a billion elements one by one
    "pt-set": (lambda: pt(called("builtins set", EXPANDED)), [*NEVER, "builtins.set"]),
    "pt-counter": (lambda: pt(called("collections Counter", EXPANDED)), [*NEVER, "collections.Counter"]),
    "pt-indices": (
        lambda: pt(called("torch._utils _rebuild_sparse_tensor", LAYOUT, b"(", EXPANDED, b"t")),
        ["holds a tensor that is sparse", "torch.sparse_coo", "tensor.to_dense()"],
    ),
    # the hash of this key ended the process
    "pt-deep-key": (lambda: pt(b"}N" + b"\x85" * 3 * 10**5 + b"Ns"), [*NEVER, "neither text nor a number"]),
    # tensors that are none, or that torch does not check
    "pt-nested": (lambda: pt(called("torch._utils _rebuild_nested_tensor", tensor(), tensor())), NEVER),
    "pt-wrapper": (lambda: pt(called("torch._utils _rebuild_wrapper_subclass", b"N")), NEVER),
    "pt-attributes": (lambda: pt(called("torch._tensor _rebuild_from_type_v2", b"N")), NEVER),
    "pt-build": (lambda: pt(tensor() + b"}b"), [*NEVER, "BUILD"]),
    "pt-new": (lambda: pt(b"ctorch\nTensor\n)\x81"), [*NEVER, "an object of torch.Tensor"]),
    "pt-protocol-5": (lambda: pt(b"\x96" + struct.pack("<Q", 10**12)), ["cannot be read as pt"]),
    # sizes of a storage, of a tensor in it, and of one that swaps its bytes when it is loaded
    "pt-numel": (lambda: pt(tensor(10**12, 10**12)), [*FORGED, "4000000000000 bytes for a tensor that has 24"]),
    "pt-swapped": (lambda: pt(tensor(10**9, 2), order=b"big"), FORGED),
    "pt-shape": (lambda: pt(tensor(shape=7)), [*FORGED, "beyond its 24 bytes"]),
    "pt-stride": (lambda: pt(tensor(shape=2, stride=2**62)), FORGED),
    "pt-negative": (lambda: pt(tensor(stride=-1)), FORGED),
    "pt-negative-numel": (lambda: pt(tensor(-1)), [*NEVER, "a storage without a type"]),
    "pt-no-storage": (lambda: pt(tensor(key="9")), [*FORGED, "data/9, which the archive does not have"]),
    "pt-other-type": (lambda: pt(tensor(kind="Quint4x2")), [*NEVER, "a storage of type"]),
    "pt-expanded": (lambda: pt(EXPANDED), ["expanded tensor", "(1000000000,)"]),
    # the same bytes by names that differ in case, which torch does not tell apart
    "pt-names": (lambda: many_names(), [*FORGED, "data/aaaaaA, which the archive does not have"]),
    # a pickle of megabytes, and one in another order than the one that was looked at
    "pt-long-pickle": (lambda: pt(b"N" * 2**20), ["holds more than tensors"]),
    "pt-before": (lambda: pt(tensor(), before=bytes(9)), ["is not in a format"]),
    "pt-comment": (lambda: pt(tensor())[:-2] + b"\2\0ab", ["something before or after it"]),
    "pt-after": (lambda: pt(tensor(), after=b"\0" * 9), ["something before or after it"]),
    "pt-two-lists": (lambda: two_lists(), ["something before or after it"]),
    # other formats of torch: a bare pickle, and the tar of its first years
    "pt-legacy": (lambda: b"\x80\2\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", ["torch's old format"]),
    "pt-tar": (lambda: b"storages".ljust(512, b"\0"), ["is not in a format"]),
}


def many_names() -> bytes:
    """Ten kilobytes that are asked for by 64 names."""
    names = map("".join, itertools.product("aA", repeat=6))
    pickle = b"\x80\2(" + b"".join(tensor(2500, key=name) for name in names) + b"t."
    return archive((("a/data.pkl", pickle, 0), ("a/version", b"3\n", 0), ("a/data/aaaaaa", bytes(10**4), 0)))


def two_lists() -> bytes:
    """A list of harmless members where zipfile looks, and one of a bomb where the end of the archive says."""
    good, members = pt(tensor()), ("data.pkl", "byteorder", "version", "data/0")
    bomb = archive((f"archive/{name}", bytes(2**20), zipfile.ZIP_DEFLATED) for name in members)
    (front, harmless), (bad_front, bad) = (
        (data[: data.index(b"PK\1\2")], data[data.index(b"PK\1\2") : data.index(b"PK\5\6")]) for data in (good, bomb)
    )
    for mark in re.finditer(b"PK\1\2", harmless):  # zipfile finds everything later than it is said to be
        place = mark.start() + 42
        (at,) = struct.unpack_from("<I", harmless, place)
        at = (at + len(bad_front) - len(front)) % 2**32
        harmless = harmless[:place] + struct.pack("<I", at) + harmless[place + 4 :]
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 4, 4, len(bad), len(bad_front), 0)
    return bad_front + bad + front + harmless + end


def test_a_tensor_put_together_by_hand_is_read():
    """So that the others are refused for what they do."""
    torch.save(torch.zeros(6), stream := io.BytesIO())
    by_torch, by_hand = (read_array(Blob("p.pt", data), ReadOptions()) for data in (stream.getvalue(), pt(tensor())))
    assert by_hand.describe() == by_torch.describe() == "float32 (6,)"


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (5, 9), (8, 8), (13, 17)])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_rows_are_missing_from_one_byte_on(interlaced: int, size: tuple[int, int], depth: int):
    """Of an image of zeros, which does not tell by its last row."""
    whole = sum(png_rows(*size, depth, 0, interlaced))
    for held, refused in ((whole, False), (whole - 1, True)):
        data = png(head(*size, depth, interlaced), chunk(b"IDAT", zlib.compress(bytes(held))))
        if not refused:
            assert not read_array(Blob("m.png", data), ReadOptions()).array.any()
            continue
        with pytest.raises(UnreadableError):
            read_array(Blob("m.png", data), ReadOptions())


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


# What is no saved file


@pytest.mark.parametrize(
    ("name", "words"),
    [
        # of the system: without a length, endless, or readable at some places only
        pytest.param("/dev/zero", ["is a device"], marks=linux),
        pytest.param("/dev/null", ["is a device"], marks=linux),
        pytest.param("/proc/version", ["is empty", "cannot be read"], marks=linux),
        pytest.param("/proc/kmsg", ["is empty", "cannot be"], marks=linux),
        pytest.param("/proc/self/mem", ["cannot be read"], marks=linux),
        # names that no file has
        ("nul\0byte", ["cannot be opened"]),
        ("long" * 999, ["cannot be opened"]),
        ("", ["no such file"]),
    ],
)
def test_what_is_no_saved_file_is_refused(name: str, words: list[str]):
    with pytest.raises(UnreadableError) as caught:
        read_array(Blob(name), ReadOptions())
    assert any(word in str(caught.value) for word in words)


@posix
def test_links_in_a_circle_are_refused(tmp_path: Path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(UnreadableError, match="cannot be opened: Too many levels of symbolic links"):
        read_array(Blob(str(tmp_path / "a")), ReadOptions())


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_a_file_that_may_not_be_read_is_refused(error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "p.npy"
    np.save(path, np.zeros(3))

    def refuse(*arguments: object, **more: object) -> None:
        raise error

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UnreadableError, match=f"cannot be opened: {error.strerror}"):
        read_array(Blob(str(path)), ReadOptions())


@tile_by_tile
def test_a_disk_that_fails_later_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "p.npy"
    np.save(path, np.zeros(2**18))
    source = read_array(Blob(str(path)), ReadOptions())

    def fail(*arguments: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.preadv", fail)
    with pytest.raises(UnreadableError, match="cannot be read: Input/output error") as caught:
        list(source.chunks())
    assert caught.value.path == str(path)


@linux
def test_a_name_that_is_not_utf_8_is_read(tmp_path: Path):
    path = os.fsdecode(bytes(tmp_path) + b"/\xff\xfe\x1b[2J.npy")
    with open(path, "wb") as stream:
        np.save(stream, np.zeros(3))
    assert read_array(Blob(path), ReadOptions()).array.shape == (3,)


# What is read well, and made to fill the memory afterwards


def test_labels_of_their_own_for_each_pixel_are_not_all_counted():
    chunks = (np.arange(2**20, dtype=np.int64) + 2**20 * index for index in range(10**6))
    begun = time.process_time()
    assert len(count_labels(chunks)) == 2**18 + 1
    assert time.process_time() - begun < SECONDS


@tile_by_tile
def test_colours_of_a_file_that_is_not_in_memory_are_limited(tmp_path: Path):
    path = tmp_path / "m.npy"
    np.save(path, np.zeros((700, 700, 3), np.uint8))
    source = read_array(Blob(str(path)), ReadOptions(max_bytes=10**6))
    with pytest.raises(UnreadableError, match="larger than the limit") as caught:
        as_labels(source, colors=True, options=ReadOptions(max_bytes=10**6))
    assert "--max-bytes 1470000" in str(caught.value)
    assert as_labels(source, colors=True, options=ReadOptions()).array.shape == (700, 700)


def test_inspect_reads_a_long_axis_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    array = np.random.default_rng(1).random((3, 1, 4001))
    np.save(tmp_path / "p.npy", array)
    monkeypatch.setattr(looking, "_CHUNK", 500)
    monkeypatch.setattr(stored, "WHOLE", 0)
    (found,) = looking.inspect(str(tmp_path / "p.npy"), ReadOptions()).sums
    assert (found.low, found.high) == (array.sum(0).min(), array.sum(0).max())


@posix
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        # a list of pairs, a results file and the classes, without an end
        (("eval", "--pairs", "/dev/zero"), 3),
        (("show", "/dev/zero"), 3),
        (("eval", "--pred", "p.npy", "--gt", "m.npy", "--classes", "/dev/zero"), 2),
    ],
)
def test_a_device_is_no_list(softdice: Softdice, pair: object, arguments: tuple[str, ...], code: int):
    run = softdice(*arguments)
    assert run.code == code
    assert "is a device" in run.err


def test_a_file_of_every_kind_does_not_take_the_others_with_it(softdice: Softdice, tmp_path: Path):
    """The good pair is evaluated, each of the others is named, and the exit code is 3."""
    for name in ("p", "g"):
        (tmp_path / name).mkdir()
    np.save(tmp_path / "p/good.npy", np.full((2, 8, 8), 0.5))
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "g/good.png")
    for name, (make, _) in HOSTILE.items():
        np.save(tmp_path / f"p/{name}.npy", np.full((2, 8, 8), 0.5))
        (tmp_path / f"g/{name}.png").write_bytes(make())
    run = softdice("eval", "--pred", "p", "--gt", "g", "--format", "json")
    document = json.loads(run.out)
    assert run.code == 3
    assert [image["id"] for image in document["images"]] == ["good"]
    assert {failure["id"] for failure in document["failures"]} == HOSTILE.keys()


UNPACKED = zlib.compress(bytes(10**6), 9)


@pytest.mark.parametrize(
    "beside",
    [
        chunk(b"iCCP", b"x\0\0" + UNPACKED),
        chunk(b"zTXt", b"x\0\0" + UNPACKED),
        chunk(b"iTXt", b"x\0\1\0\0\0" + UNPACKED),
        chunk(b"tEXt", b"Comment\0a text"),
    ],
    ids=["profile", "packed-text", "packed-unicode", "text"],
)
@pytest.mark.parametrize("behind", [False, True])
def test_chunks_that_are_not_needed_are_not_unpacked(
    beside: bytes, behind: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise AssertionError("was unpacked")

    for name in ("iCCP", "zTXt", "iTXt", "tEXt"):
        monkeypatch.setattr(PngImagePlugin.PngStream, f"chunk_{name}", refuse)
    pixels = np.arange(300 * 200, dtype=np.uint8).reshape(200, 300)
    Image.fromarray(pixels).save(stream := io.BytesIO(), "png")
    data = stream.getvalue()
    place = data.index(b"IEND") - 4 if behind else data.index(b"IDAT") - 4
    path = tmp_path / "m.png"
    path.write_bytes(data[:place] + 2000 * beside + data[place:])
    np.testing.assert_array_equal(read_array(Blob(str(path)), ReadOptions()).array, pixels)


def test_a_picture_keeps_its_palette_and_its_orientation_beside_a_profile_and_texts(tmp_path: Path):
    image = Image.fromarray(np.eye(8, dtype=np.uint8)).convert("P")
    image.putpalette([0, 0, 0, 255, 0, 0])
    exif, texts = Image.Exif(), PngImagePlugin.PngInfo()
    exif[274] = 6
    texts.add_text("Comment", "a text", zip=True)
    image.save(tmp_path / "m.png", exif=exif, pnginfo=texts, icc_profile=bytes(2**21))
    found = read_array(Blob(str(tmp_path / "m.png")), ReadOptions())
    assert (found.palette[:2], found.orientation) == ((0, 0xFF0000), 6)
    np.testing.assert_array_equal(found.array, np.eye(8, dtype=np.uint8))
