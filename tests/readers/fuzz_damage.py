"""The damaged file of a number: always the same from the same libraries."""

from __future__ import annotations

import functools
import random
import struct
import zipfile
import zlib

from fuzz_bytes import Damage, anywhere, number
from fuzz_files import put, seeds
from fuzz_npy import damaged_npy
from fuzz_png import damaged_png
from fuzz_tiff import damaged_tiff
from fuzz_zip import damaged_archive

# What a file raises that is too damaged to be taken apart.
_BROKEN = (
    ValueError,
    struct.error,
    IndexError,
    KeyError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
)


def case(reader: str, index: int) -> bytes:
    """The damaged file of a number."""
    rng = random.Random(f"{reader}-{index}")
    return damaged(rng, rng.choice(seeds(reader)), reader)


def damaged(rng: random.Random, data: bytes, reader: str) -> bytes:
    """A file with damage in its structure, mostly, and with some that knows nothing of it."""
    if rng.random() < 0.7:
        try:
            data = STRUCTURED[reader](rng, data)
        except _BROKEN:
            data = anywhere(rng, data, reader)
        repeats = rng.choice((0, 0, 0, 0, 0, 1))
    else:
        repeats = rng.choice((1, 1, 2, 4))
    for _ in range(repeats):
        data = anywhere(rng, data, reader)
    return data


def _archive(rng: random.Random, data: bytes, reader: str) -> bytes:
    """A number in one of the headers of an archive, or another archive."""
    if rng.random() < 0.15:
        marks = [at for at in range(len(data)) if data[at : at + 2] == b"PK"]
        return put(data, rng.choice(marks) + rng.randrange(4, 60), number(rng))
    return damaged_archive(rng, data, reader)


STRUCTURED: dict[str, Damage] = {
    "npy": damaged_npy,
    "npz": functools.partial(_archive, reader="npz"),
    "pt": functools.partial(_archive, reader="pt"),
    "png": damaged_png,
    "tiff": damaged_tiff,
}
