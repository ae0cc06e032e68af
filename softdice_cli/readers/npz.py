"""NumPy archives: one ``.npy`` member of an ``.npz``, by its key."""

from __future__ import annotations

import shlex
import zipfile
from typing import BinaryIO

from softdice_cli.errors import UnreadableError
from softdice_cli.readers.npy import check_length, read_exactly, read_header, source
from softdice_cli.readers.source import MAX_RATIO, ReadOptions, Source, check_bytes

LIBRARY = "zipfile"
_SUFFIX = ".npy"


def read(stream: BinaryIO, name: str, options: ReadOptions) -> Source:
    """The array of an archive that holds one, or the one that the key names."""
    with zipfile.ZipFile(stream) as archive:
        names = [member for member in archive.namelist() if member.endswith(_SUFFIX)]
        member = archive.getinfo(choose([n.removesuffix(_SUFFIX) for n in names], options.key, name) + _SUFFIX)
        if names.count(member.filename) > 1:
            raise UnreadableError(f"holds {member.filename} more than once", path=name)
        _check_packing(member, name)
        check_bytes(name, member.file_size, options)
        with archive.open(member) as inner:
            header = read_header(inner, name)  # type: ignore[arg-type]
            check_length(header, member.file_size - header.offset, name)
            return source(header, read_exactly(inner, header.nbytes, name), name, "npz")


def _check_packing(member: zipfile.ZipInfo, name: str) -> None:
    """Refuses what can unpack to more than it declares, or declares what it cannot unpack to."""
    ratio = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: MAX_RATIO}.get(member.compress_type)
    if ratio is None:  # zipfile unpacks these in one piece, however large
        raise UnreadableError(
            f"holds {member.filename} packed by method {member.compress_type}, which NumPy never uses",
            path=name,
            hint="save it again with np.savez or np.savez_compressed",
        )
    if member.file_size > member.compress_size * ratio:
        raise UnreadableError(
            "declares more than its bytes can hold",
            path=name,
            expected=f"at least {member.file_size // ratio} bytes",
            found=f"{member.compress_size} bytes",
        )


def choose(keys: list[str], key: str | None, path: str) -> str:
    """The key of the one array to read.

    Raises:
        UnreadableError: there is none, no such one, or there are several and no key was given.
    """
    if key is None and len(keys) == 1:
        return keys[0]
    if key in keys:
        return key
    listed = ", ".join(keys[:12]) + (", …" if len(keys) > 12 else "")
    if not keys:
        raise UnreadableError("holds no array", path=path, expected="one array, or several and --key")
    name = shlex.quote(keys[0])
    raise UnreadableError(
        "holds several arrays" if key is None else f"holds no array {key!r}",
        path=path,
        expected="one array, or the name of one",
        found=listed,
        hint=f"--key {name}; for the truth of eval, --gt-key {name}",
    )
