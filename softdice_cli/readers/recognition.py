"""Which format a file has, by its first bytes and, for a zip archive, by the names of its members.

The suffix of a name plays no part: a mask that is called ``.png`` and is a JPEG has to be refused
as what it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from softdice_cli.errors import SoftdiceError, UnreadableError
from softdice_cli.formats import FOREIGN_FORMATS, FORMATS, Format, readable

# Bytes that the list of the members of an archive may take: tens of thousands of them.
_MAX_LIST = 2**22

# Bytes that every magic number fits into.
_HEAD = 16

_LISTED = 5


def recognise(stream: BinaryIO, name: str) -> Format:
    """The format of a file, found by its content; the stream is left at its start.

    Raises:
        UnreadableError: it is empty, broken, or of a format that softdice does not read.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    # A file of the system that has no size may wait for bytes to come, so nothing is asked of it.
    head = stream.read(_HEAD) if size else b""
    stream.seek(0)
    if not head:
        raise UnreadableError("is empty", path=name, expected=readable(), found="0 bytes")
    candidates = [form for form in FORMATS if head.startswith(form.magic)]
    if not candidates:
        raise _refuse(head, name)
    if len(candidates) == 1 and not candidates[0].member:
        return candidates[0]
    return _of_archive(candidates, _members(stream, name), name)


def _refuse(head: bytes, name: str) -> UnreadableError:
    for foreign in FOREIGN_FORMATS:
        if head.startswith(foreign.magic):
            return UnreadableError(foreign.problem, path=name, expected=readable(), hint=foreign.hint)
    return UnreadableError(
        "is not in a format that softdice reads", path=name, expected=readable(), found=f"first bytes {head[:8]!r}"
    )


def _of_archive(candidates: Iterable[Format], members: Sequence[str], name: str) -> Format:
    """The first of the formats that has a member in the archive."""
    for form in candidates:
        if any(member.endswith(form.member) for member in members):
            return form
    raise UnreadableError(
        "is an archive of neither arrays nor tensors",
        path=name,
        expected=readable(),
        found=", ".join(members[:_LISTED]) or "an empty archive",
    )


def _members(stream: BinaryIO, name: str) -> list[str]:
    import zipfile

    try:
        members = zipfile.ZipFile(_SmallReads(stream, name)).namelist()
        stream.seek(0)
    except SoftdiceError:
        raise
    except Exception as error:
        raise UnreadableError(
            "is a broken archive", path=name, found=str(error), hint="save or copy the file again"
        ) from error
    return members


class _SmallReads:
    """A stream that gives only small parts.

    Of an archive, all that is read before its members is the list of them, which zipfile loads
    whole.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.seek = stream.seek
        self.tell = stream.tell
        self._read = stream.read
        self._name = name

    def read(self, size: int = -1) -> bytes:
        """That many bytes, or all that are left.

        Raises:
            UnreadableError: there are too many of them.
        """
        # One byte more than is allowed shows that there are more.
        most = _MAX_LIST + 1
        if 0 <= size < most:
            most = size
        part = self._read(most)
        if len(part) > _MAX_LIST:
            raise UnreadableError(
                "is an archive of too many files", path=self._name, hint="save one array in each file"
            )
        return part
