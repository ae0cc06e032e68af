"""The file formats that softdice knows: one row for each, and one for each format that it refuses by name.

How a file is recognised, what its format is called, how its name ends, which module reads it and
which library that takes are facts about a format, and they are needed in different rooms: the
readers look for the first bytes, pairing cuts the suffix from a name. They stand here once, in a
table that needs no library.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

Role = Literal["array", "archive", "image"]
"""What a file holds: one array, arrays that are chosen by a key, or the pixels of an image."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that softdice reads.

    Attributes:
        name: short name, as results and messages have it.
        title: what it is called in a list of formats.
        role: what such a file holds.
        suffixes: how the names of such files end.
        magic: the first bytes of such a file, any of these.
        member: for a zip archive, how the name of a member ends that only this format has.
        reader: the module in the room of readers that has ``read``.
        library: the module that the reader imports when it is called.
    """

    name: str
    title: str
    role: Role
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    member: str = ""
    reader: str
    library: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFormat:
    """A format that softdice knows and refuses.

    Attributes:
        problem: what such a file is, continuing its name: ``is HDF5``.
        hint: what to do instead.
        magic: the first bytes of such a file, or several that they can be.
        suffixes: how the names of such files end, where that is more than one dot and a word.
    """

    problem: str
    hint: str
    magic: bytes | tuple[bytes, ...]
    suffixes: tuple[str, ...] = ()


FORMATS = (
    Format(
        name="npy",
        title=".npy",
        role="array",
        suffixes=(".npy",),
        magic=(b"\x93NUMPY",),
        reader="npy.array",
        library="numpy",
    ),
    # Before .npz, as a .pt file could hold a member that ends in .npy as well.
    Format(
        name="pt",
        title=".pt (zip format)",
        role="archive",
        suffixes=(".pt", ".pth"),
        magic=_ZIP,
        member="/data.pkl",
        reader="pt.tensor",
        library="zipfile",
    ),
    Format(
        name="npz",
        title=".npz",
        role="archive",
        suffixes=(".npz",),
        magic=_ZIP,
        member=".npy",
        reader="npy.archive",
        library="zipfile",
    ),
    Format(
        name="png",
        title="PNG",
        role="image",
        suffixes=(".png",),
        magic=(b"\x89PNG\r\n\x1a\n",),
        reader="png.image",
        library="PIL.PngImagePlugin",
    ),
    Format(
        name="tiff",
        title="TIFF",
        role="image",
        suffixes=(".tif", ".tiff", ".ome.tif", ".ome.tiff"),
        magic=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        reader="tiff.pages",
        library="tifffile",
    ),
)

FOREIGN_FORMATS = (
    ForeignFormat(
        problem="is JPEG, which alters labels and probabilities",
        hint="save it as PNG, TIFF or .npy",
        magic=b"\xff\xd8\xff",
    ),
    ForeignFormat(
        problem="is not the file itself, but a pointer of Git LFS to it",
        hint="git lfs pull",
        magic=b"version https://",
    ),
    ForeignFormat(
        problem="is a PNG whose line ends were changed, as by a copy in text mode or by Git",
        hint="copy it again in binary mode; for Git, the line '*.png binary' in .gitattributes",
        # Those of Windows, and those of other systems, which its first bytes are there to show.
        magic=(b"\x89PNG\r\r\n\x1a", b"\x89PNG\n\x1a\n"),
    ),
    ForeignFormat(problem="is HDF5", hint="save the array with np.save", magic=b"\x89HDF"),
    ForeignFormat(
        problem="is gzip (NIfTI?)",
        hint="save the array with np.save",
        magic=b"\x1f\x8b",
        suffixes=(".nii.gz",),
    ),
    ForeignFormat(problem="is GIF", hint="save it as PNG", magic=b"GIF8"),
    ForeignFormat(problem="is BMP", hint="save it as PNG", magic=b"BM"),
    ForeignFormat(
        problem="is in torch's old format (before 1.6), or a bare pickle",
        hint="load it where you trust it, and save the tensor again: torch.save(tensor, path)",
        magic=b"\x80",
    ),
)


def readable() -> str:
    """The formats that softdice reads, as a list in a sentence."""
    *titles, last = [form.title for form in FORMATS]
    return f"{', '.join(titles)} or {last}"


def _double_suffixes() -> tuple[str, ...]:
    """The suffixes of more than one dot, the longest first."""
    known = [suffix for form in (*FORMATS, *FOREIGN_FORMATS) for suffix in form.suffixes]
    doubles = [suffix for suffix in known if suffix.count(".") > 1]
    return tuple(sorted(doubles, key=len, reverse=True))


# Other double suffixes of images, whose last part alone would leave the first in the stem.
_MORE_DOUBLES = (".seg.nrrd", ".seg.nii", ".ome.zarr", ".ome.btf", ".dcm.gz", ".mgh.gz", ".img.gz", ".nrrd.gz")
_DOUBLE_SUFFIXES = (*_double_suffixes(), *_MORE_DOUBLES)

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_SUFFIXES = tuple(suffix for form in FORMATS for suffix in form.suffixes)


def without_suffix(path: str) -> str:
    """A path without the file type at its end.

    That is a known suffix of several dots, such as ``.ome.tif``, as a whole; also that of a
    compressed file, such as ``.npy.gz``; otherwise what follows the last dot, so that ``a.1.npy``
    is ``a.1``.
    """
    lower = path.lower()
    if lower.endswith(_COMPRESSED) and os.path.splitext(lower)[0].endswith(_SUFFIXES):
        path = os.path.splitext(path)[0]
        lower = path.lower()
    for suffix in _DOUBLE_SUFFIXES:
        if lower.endswith(suffix) and os.path.basename(path[: -len(suffix)]):
            return path[: -len(suffix)]
    return os.path.splitext(path)[0]


def stem(path: str) -> str:
    """The name of a file without its folder and its file type."""
    return without_suffix(PurePath(path).name)
