"""The checksums that files carry: what is damaged is refused, and what never had a checksum is read."""

from __future__ import annotations

import functools
import io
import itertools
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fuzzing
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from systems import tile_by_tile

from softdice_cli import evaluate
from softdice_cli.errors import UnreadableError
from softdice_cli.inspection import inspect
from softdice_cli.readers import Blob, ReadOptions, read_array
from softdice_cli.records import Settings

LABELS = np.kron(np.arange(12).reshape(3, 4) % 3, np.ones((5, 6), int)).astype(np.uint8)
T = torch.from_numpy(np.random.default_rng(3).random((3, 4, 6)))


def saved(save: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def png(image: Image.Image, **options: Any) -> bytes:
    return saved(functools.partial(image.save, format="PNG", **options))


def palette() -> bytes:
    image, exif = Image.fromarray(LABELS, "L"), Image.Exif()
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    exif[274] = 6
    return png(image, transparency=2, exif=exif)


def tensor(thing: Any) -> bytes:
    return saved(functools.partial(torch.save, thing))


def everywhere(data: bytes) -> Iterator[bytes]:
    """The file with each of its bits turned over, one at a time."""
    for at, bit in itertools.product(range(len(data)), range(8)):
        yield data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def read(data: bytes, **options: Any) -> np.ndarray:
    return read_array(Blob("file", data), ReadOptions(**options)).array


def others(data: bytes, damaged: Iterable[bytes]) -> tuple[int, int]:
    """How many damaged files are read with other values, and how many are refused."""
    right, other, refused = read(data), 0, 0
    for file in damaged:
        try:
            found = read(file)
        except UnreadableError:
            refused += 1
        else:
            other += found.dtype != right.dtype or not np.array_equal(found, right)
    return other, refused


PICTURES = {
    "labels": png(Image.fromarray(LABELS)),
    "palette": palette(),
    "bits": png(Image.fromarray(LABELS > 1)),
    "colours": png(Image.fromarray(np.stack([LABELS * 90] * 3, -1))),
    "16 bits": png(Image.fromarray(LABELS.astype(np.uint16) * 999)),
}


@pytest.mark.parametrize("data", PICTURES.values(), ids=PICTURES)
def test_not_one_bit_of_a_png_may_be_wrong(data: bytes):
    assert others(data, everywhere(data)) == (0, 8 * len(data))


ARCHIVES = {
    "pt": tensor(T),
    "pt labels": tensor(torch.from_numpy(LABELS)),
    "npz": saved(lambda stream: np.savez(stream, LABELS)),
    "npz packed": saved(lambda stream: np.savez_compressed(stream, LABELS)),
}


@pytest.mark.parametrize("data", ARCHIVES.values(), ids=ARCHIVES)
def test_a_wrong_bit_of_an_archive_is_refused_or_changes_nothing(data: bytes):
    rng = random.Random(1)
    damaged = rng.sample(list(everywhere(data)), min(2000, 8 * len(data)))
    other, refused = others(data, damaged)
    assert other == 0
    assert refused > len(damaged) / 4


@pytest.mark.parametrize("compression", ["zlib", "lzma"])
def test_a_wrong_bit_of_a_packed_strip_of_a_tiff_is_refused_or_changes_nothing(compression: str):
    noise = np.random.default_rng(1).integers(0, 256, (20, 20)).astype(np.uint8)
    data = saved(functools.partial(tifffile.imwrite, data=noise, compression=compression))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        start, length = tiff.pages[0].dataoffsets[0], tiff.pages[0].databytecounts[0]
    strip = (data[:start] + packed + data[start + length :] for packed in everywhere(data[start : start + length]))
    assert others(data, itertools.islice(strip, 0, None, 3))[0] == 0


def with_bad_sum(kind: bytes) -> bytes:
    """A mask with a chunk whose checksum is wrong by one bit."""
    content = b"Comment\0by hand"
    bad = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content) ^ 1)
    return PICTURES["labels"][:33] + bad + PICTURES["labels"][33:]


END = fuzzing.chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        # a chunk that is not used, also one whose name is no text
        (with_bad_sum(b"tEXt"), ["is damaged: a chunk tEXt", "CRC-32", "copy the file again"]),
        (with_bad_sum(b"t\xffXt"), ["a chunk b't\\xffXt'"]),
        # the end is missing: of the file, of a chunk, of a checksum
        (PICTURES["labels"].removesuffix(END), ["is truncated", "before the last chunk, IEND"]),
        (PICTURES["labels"][:50], ["is truncated", "in a chunk IDAT"]),
        (PICTURES["labels"][:-2], ["is truncated", "in a chunk IEND"]),
    ],
)
def test_a_damaged_chunk_is_named(data: bytes, words: list[str]):
    with pytest.raises(UnreadableError) as caught:
        read(data)
    assert caught.value.path == "file"
    for word in words:
        assert word in str(caught.value)


def test_what_follows_the_end_of_a_png_is_not_part_of_it():
    np.testing.assert_array_equal(read(PICTURES["labels"] + b"\0more"), LABELS)


def test_a_damaged_member_of_a_pt_is_named_with_both_checksums():
    data = tensor({"p": T, "other": T + 1})
    damaged = with_wrong_byte(data, "data/0")
    with pytest.raises(UnreadableError) as caught:
        read(damaged, key="p")
    assert "data/0 is not what its checksum says" in caught.value.problem
    declared = next(info for info in members(data) if info.filename.endswith("data/0")).CRC
    assert caught.value.expected == f"CRC-32 {declared:08x}"
    assert caught.value.found.startswith("CRC-32 ")
    assert caught.value.found != caught.value.expected
    assert "copy the file again" in caught.value.hint
    # The tensor that is asked for lies elsewhere.
    np.testing.assert_array_equal(read(damaged, key="other"), T + 1)


def test_a_tensor_is_refused_for_damage_in_the_part_of_its_storage_that_it_does_not_use():
    with pytest.raises(UnreadableError, match="data/0 is not what its checksum says"):
        read(with_wrong_byte(tensor(T[:1]), "data/0"))


def members(data: bytes) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.infolist()


def with_wrong_byte(data: bytes, member: str) -> bytes:
    """An archive with the last byte of a member changed."""
    info = next(info for info in members(data) if info.filename.endswith(member))
    name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
    at = info.header_offset + 30 + name + extra + info.file_size - 1
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def test_checksums_that_were_left_out_do_not_matter():
    with torch.serialization.skip_data():
        data = tensor(T)
    # The place of the values was left free, to be filled later.
    np.testing.assert_array_equal(read(data), np.zeros(T.shape))


@pytest.fixture
def large(tmp_path: Path) -> tuple[str, str]:
    """A map and its labels, both too large to be held in memory, with a wrong byte each."""
    labels = np.zeros((1100, 1000), np.uint8)
    labels[:, 500:] = 1
    right = torch.from_numpy(np.stack([labels == 0, labels == 1]).astype(np.float32))
    paths = tmp_path / "p.pt", tmp_path / "g.pt"
    for path, thing in zip(paths, (right, torch.from_numpy(labels)), strict=True):
        path.write_bytes(with_wrong_byte(tensor(thing), "data/0"))
    np.save(tmp_path / "g.npy", labels)
    torch.save(right, tmp_path / "right.pt")
    return str(paths[0]), str(paths[1])


@tile_by_tile
def test_the_checksum_of_a_large_map_is_an_option_and_that_of_labels_is_not(large: tuple[str, str], tmp_path: Path):
    from softdice_cli.evaluation import Reading

    pred, gt = large
    right, labels = str(tmp_path / "right.pt"), str(tmp_path / "g.npy")
    verifying = Reading(pred=ReadOptions(verify=True))
    assert not evaluate([(right, labels)], reading=verifying).failures
    # One probability is wrong, and still a probability.
    assert not evaluate([(pred, labels)], settings=Settings(normalized=False)).failures
    for pair, options in (
        ((pred, labels), {"reading": verifying}),
        ((right, gt), {}),
        ((gt, labels), {"settings": Settings(prediction="labels")}),
    ):
        (failure,) = evaluate([pair], **options).failures
        assert "is not what its checksum says" in failure.error


@tile_by_tile
def test_inspect_looks_at_every_checksum(large: tuple[str, str]):
    with pytest.raises(UnreadableError, match="is not what its checksum says"):
        inspect(large[0], ReadOptions())


@tile_by_tile
def test_a_region_of_interest_is_labels(large: tuple[str, str], tmp_path: Path):
    from softdice_cli.pairing import Pair

    pair = Pair("p", str(tmp_path / "right.pt"), str(tmp_path / "g.npy"), large[1])
    (failure,) = evaluate([pair]).failures
    assert "is not what its checksum says" in failure.error
