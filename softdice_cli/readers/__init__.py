"""Untrusted bytes → arrays: the only place where files are parsed.

The format is found by content. Whatever a library throws while it reads, exactly one kind of error leaves here, and
the libraries load inside functions, so that a run pays for what it reads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import BinaryIO

from softdice_cli.errors import SoftdiceError, UnreadableError
from softdice_cli.readers.source import Blob, ReadOptions, Source

__all__ = ["Blob", "ReadOptions", "Source", "read_array", "warm"]

_MAGIC = (
    (b"\x93NUMPY", "npy"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x80", "pickle"),
)

_FOREIGN = (
    (b"\xff\xd8\xff", "JPEG, which alters labels and probabilities", "save it as PNG, TIFF or .npy"),
    (b"\x89HDF", "HDF5", "save the array with np.save"),
    (b"\x1f\x8b", "gzip (NIfTI?)", "save the array with np.save"),
    (b"GIF8", "GIF", "save it as PNG"),
    (b"BM", "BMP", "save it as PNG"),
)

_MAX_LIST = 2**22
"""Bytes that the list of the members of an archive may take: tens of thousands of them."""

_READS = ".npy, .npz, .pt (zip format), PNG or TIFF"


def read_array(blob: Blob, options: ReadOptions) -> Source:
    """The array in a file, as stored.

    Args:
        blob: the file, or bytes that came through a pipe.
        options: which array, and how large it may be.

    Raises:
        UnreadableError: whatever is wrong with the file.
    """
    with blob.open() as stream:
        kind = ""
        try:
            kind = _sniff(stream, blob.name)
            return _read(stream, blob.name, kind, options)
        except SoftdiceError:
            raise
        except Exception as error:
            raise UnreadableError(
                f"cannot be read as {kind}" if kind else "cannot be read",
                path=blob.name,
                expected="a complete, valid file",
                found=f"{type(error).__name__}: {error}".splitlines()[0][:300],
                hint="save or copy the file again",
            ) from error


def warm(blob: Blob) -> None:
    """Import what such a file is read with, so that forked processes inherit it; its errors are for its reader."""
    with suppress(Exception), blob.open() as stream:
        import_module(import_module(f"softdice_cli.readers.{_sniff(stream, blob.name)}").LIBRARY)


def _read(stream: BinaryIO, name: str, kind: str, options: ReadOptions) -> Source:
    if options.key is not None and kind not in ("npz", "pt"):
        raise UnreadableError(f"is a {kind} file: it holds one array and no key", path=name, hint="leave out the key")
    reader: Callable[[BinaryIO, str, ReadOptions], Source] = import_module(f"softdice_cli.readers.{kind}").read
    source = reader(stream, name, options)
    if not source.array.size:
        raise UnreadableError("holds no values", path=name, found=source.describe())
    return source


def _sniff(stream: BinaryIO, name: str) -> str:
    """The reader for a file, found by its first bytes; the stream is left at its start."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(16) if size else b""  # a file of the system that has no size may wait for what comes
    stream.seek(0)
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    if kind == "zip":
        return _zip_kind(stream, name)
    if kind == "pickle":
        from softdice_cli.readers.pt import refuse_legacy

        raise refuse_legacy(name)
    if kind:
        return kind
    if not head:
        raise UnreadableError("is empty", path=name, expected=_READS, found="0 bytes")
    for magic, what, hint in _FOREIGN:
        if head.startswith(magic):
            raise UnreadableError(f"is {what}", path=name, expected=_READS, hint=hint)
    raise UnreadableError(
        "is of no kind that softdice reads", path=name, expected=_READS, found=f"first bytes {head[:8]!r}"
    )


class _SmallReads:
    """A stream that gives small parts only: of an archive all that is read before its members is their list."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.seek, self.tell, self._read, self._name = stream.seek, stream.tell, stream.read, name

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all that are left.

        Raises:
            UnreadableError: they are too many.
        """
        part = self._read(min(size, _MAX_LIST + 1) if size >= 0 else _MAX_LIST + 1)
        if len(part) > _MAX_LIST:
            raise UnreadableError("is an archive of too many files", path=self._name, hint="save one array a file")
        return part


def _zip_kind(stream: BinaryIO, name: str) -> str:
    import zipfile

    try:
        names = zipfile.ZipFile(_SmallReads(stream, name)).namelist()
        stream.seek(0)
    except SoftdiceError:
        raise
    except Exception as error:
        raise UnreadableError(
            "is a broken archive", path=name, found=str(error), hint="save or copy the file again"
        ) from error
    if any(member.rpartition("/")[2] == "data.pkl" for member in names):
        return "pt"
    if any(member.endswith(".npy") for member in names):
        return "npz"
    raise UnreadableError(
        "is an archive of neither arrays nor tensors",
        path=name,
        expected=_READS,
        found=", ".join(names[:5]) or "an empty archive",
    )
