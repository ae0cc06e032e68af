"""The archive that a ``.pt`` file is: its members lie in it as they are, under the name of one folder."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from softdice_cli.errors import UnreadableError

SAVE = "torch.save(tensor.detach().cpu().contiguous(), path)"
"""How to save a tensor so that it is read."""

PICKLE = "data.pkl"

# Versions of the format that torch writes and reads.
_VERSIONS = range(1, 11)

# Bytes of a member that are looked at together.
_PIECE = 2**20

# Bytes that the members of a word or a number may have.
_SMALL = 16

_ENCRYPTED = 1

# What stands before a member: a mark, and the lengths of its name and of an extra field.
_LOCAL = struct.Struct("<4s22xHH")

# The end of an archive: a mark, the size and the start of the list of members, and the length of a
# comment.
_END = struct.Struct("<4s8xIIH")

# Bytes of what stands before the end of an archive of 4 GiB and more.
_WIDE = 56 + 20


@dataclass(frozen=True, slots=True)
class Archive:
    """The members of a file that ``torch.save`` wrote.

    Attributes:
        stream: the file.
        name: of the file, for messages.
        folder: in the archive, which all members are in.
        members: by their name below the folder.
    """

    stream: BinaryIO
    name: str
    folder: str
    members: dict[str, zipfile.ZipInfo]

    def size_of(self, member: str) -> int | None:
        """How many bytes a member has, or ``None`` where there is no such member."""
        info = self.members.get(member)
        return info.file_size if info else None

    def start_of(self, member: str) -> int:
        """Where in the file the bytes of a member begin.

        Raises:
            UnreadableError: they are not where the list of members says.
        """
        info = self.members[member]
        self.stream.seek(info.header_offset)
        mark, name_length, extra_length = _LOCAL.unpack(self.stream.read(_LOCAL.size))
        name = self.stream.read(name_length)
        start: int = self.stream.tell() + extra_length
        end = self.stream.seek(0, os.SEEK_END)
        if mark != b"PK\3\4" or name != info.orig_filename.encode() or start + info.file_size > end:
            raise UnreadableError(
                "is a broken archive", path=self.name, found=f"no {member}", hint="save or copy the file again"
            )
        return start

    def read(self, member: str) -> bytes:
        """The bytes of a member.

        Raises:
            UnreadableError: they are not what their checksum says.
        """
        self.stream.seek(self.start_of(member))
        data = self.stream.read(self.members[member].file_size)
        self._compare(member, zlib.crc32(data))
        return data

    def verify(self, member: str) -> None:
        """Look at the bytes of a member, however many, for no more than their checksum.

        Raises:
            UnreadableError: they are not what it says.
        """
        self.stream.seek(self.start_of(member))
        found, left = 0, self.members[member].file_size
        while left:
            piece = self.stream.read(min(_PIECE, left))
            if not piece:
                raise UnreadableError("shrank while it was read", path=self.name, hint="run again when it is complete")
            found = zlib.crc32(piece, found)
            left -= len(piece)
        self._compare(member, found)

    def _compare(self, member: str, found: int) -> None:
        expected = self.members[member].CRC
        # torch writes 0 where it was told not to compute checksums, or to leave room for data that come later.
        if found != expected and expected:
            raise UnreadableError(
                f"is damaged: {self.folder}{member} is not what its checksum says",
                path=self.name,
                expected=f"CRC-32 {expected:08x}",
                found=f"CRC-32 {found:08x}",
                hint="copy the file again, or save it again from what it was made of",
            )

    def word(self, member: str) -> str:
        """The text of a short member, or the empty text where there is none.

        Raises:
            UnreadableError: it is not short.
        """
        size = self.size_of(member)
        if size is None:
            return ""
        if size > _SMALL:
            raise UnreadableError(f"has a {member} of {size} bytes", path=self.name, hint=f"save it again: {SAVE}")
        return self.read(member).decode("ascii").strip()


def open_archive(stream: BinaryIO, name: str) -> Archive:
    """The members of a file, none of which can grow when it is read.

    Raises:
        UnreadableError: it is not what ``torch.save`` writes.
    """
    length = stream.seek(0, os.SEEK_END)
    infos = zipfile.ZipFile(stream).infolist()
    _check_members(infos, length, name)
    _check_end(stream, length, name)
    folder = _folder(infos, name)
    members = {info.filename[len(folder) :]: info for info in infos}
    archive = Archive(stream, name, folder, members)
    _check_kind(archive)
    return archive


def _check_members(infos: list[zipfile.ZipInfo], present: int, name: str) -> None:
    """Refuses what could be more than it seems: torch stores its members once, and never packs them."""
    if any(info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size for info in infos):
        raise UnreadableError(
            "holds compressed entries, which torch.save never writes",
            path=name,
            hint=f"save the tensor again: {SAVE}",
        )
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise UnreadableError("is encrypted", path=name, hint=f"save the tensor again: {SAVE}")
    total = sum(info.file_size for info in infos)
    if total > present:
        raise UnreadableError(
            "declares more bytes than it has", path=name, expected=f"{present} bytes", found=f"{total} bytes"
        )
    names = {info.filename for info in infos}
    if len(names) < len(infos):
        raise UnreadableError("has two members of one name", path=name, hint=f"save the tensor again: {SAVE}")


def _check_end(stream: BinaryIO, length: int, name: str) -> None:
    """Refuses an archive whose list of members does not end where the file does.

    Programs look for the list in different ways, and could see other members in such a file than
    are seen here.
    """
    stream.seek(max(0, length - _WIDE - _END.size))
    tail = stream.read()
    wide = tail[: -_END.size][-_WIDE:]
    mark, size, start, comment = _END.unpack(tail[-_END.size :])
    if wide[-20:-16] == b"PK\6\7":
        size, start = struct.unpack("<QQ", wide[40:56])
        length -= _WIDE
    if mark != b"PK\5\6" or comment or start + size != length - _END.size:
        raise UnreadableError(
            "is an archive with something before or after it", path=name, hint=f"save the tensor again: {SAVE}"
        )


def _folder(infos: list[zipfile.ZipInfo], name: str) -> str:
    """The folder of the pickle, with its slash."""
    names = [info.filename for info in infos]
    pickles = [member for member in names if member.endswith(f"/{PICKLE}")]
    folder = pickles[0].removesuffix(PICKLE)
    if len(pickles) > 1 or folder.count("/") > 1 or not all(member.startswith(folder) for member in names):
        raise UnreadableError(
            f"has other members than those of one {PICKLE} in one folder",
            path=name,
            found=", ".join(names[:5]),
            hint=f"save the tensor again: {SAVE}",
        )
    return folder


def _check_kind(archive: Archive) -> None:
    """Refuses TorchScript, and versions of the format that are not known."""
    if "constants.pkl" in archive.members:
        raise UnreadableError(
            "is a TorchScript model, not a prediction or a mask",
            path=archive.name,
            hint=f"save the output of the model: {SAVE}",
        )
    version = archive.word("version") or archive.word(".data/version")
    if not version.isdecimal() or int(version) not in _VERSIONS:
        raise UnreadableError(
            "is in a version of torch's format that is not known",
            path=archive.name,
            expected=f"{_VERSIONS[0]} to {_VERSIONS[-1]}",
            found=version or "no version",
            hint=f"save the tensor with a release of torch: {SAVE}",
        )
