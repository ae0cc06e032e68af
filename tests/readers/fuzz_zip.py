"""Zip archives that are written field by field, so that the two lists of members can say what they like.

Checksums and sizes are those of what is in the archive unless a field is changed on purpose.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from dataclasses import dataclass, field, replace

from fuzz_bytes import absurd, anywhere, fitted, packed
from fuzz_npy import damaged_npy
from fuzz_pickle import damaged_pickle, with_count

_LOCAL = {
    **{"version": "H", "flags": "H", "method": "H", "time": "H", "date": "H", "crc": "I", "csize": "I", "usize": "I"},
    **{"nlen": "H", "elen": "H"},
}
_CENTRAL = {
    **{"made": "H", "version": "H", "flags": "H", "method": "H", "time": "H", "date": "H", "crc": "I", "csize": "I"},
    **{"usize": "I", "nlen": "H", "elen": "H", "clen": "H", "disk": "H", "inner": "H", "outer": "I", "offset": "I"},
}
_END = {"disk": "H", "start_disk": "H", "here": "H", "count": "H", "size": "I", "start": "I", "comment": "H"}
_WIDE_END = {
    **{"length": "Q", "made": "H", "version": "H", "disk": "I", "start_disk": "I", "here": "Q", "count": "Q"},
    **{"size": "Q", "start": "Q"},
}

_NAMES = (
    *("a/../b.npy", "x" * 999, "archive/data/9", "archive/data.pkl", "other/data.pkl", "/probs.npy", "probs.npy/"),
    *("probs.npy\0.txt", "\\probs.npy", ".npy", "é.npy", "archive/version", "archive/byteorder", "constants.pkl"),
    *("archive/constants.pkl", "archive/data/", "archive/.data/version", "format.npy", "shape.npy", "data.npy"),
)


@dataclass(frozen=True)
class Member:
    """A member of an archive.

    Attributes:
        name: of the member.
        content: unpacked.
        method: of packing.
        body: as packed; worked out where it is None.
        extra: of both headers.
        local: fields of the header before the member that are others than they should be.
        central: the same in the list of members.
        shift: bytes that the list is wrong by about where the member begins.
        listed: whether the list has it; how often, in fact.
        present: whether it is in the file at all; the list has it in the place of the one before.
        wide: sizes stand in an extra field, as in archives of 4 GiB.
        behind: sizes and checksum stand behind the member.
    """

    name: str
    content: bytes
    method: int = 0
    body: bytes | None = None
    extra: bytes = b""
    local: dict[str, int] = field(default_factory=dict)
    central: dict[str, int] = field(default_factory=dict)
    shift: int = 0
    listed: int = 1
    present: bool = True
    wide: bool = False
    behind: bool = False


@dataclass(frozen=True)
class Around:
    """What an archive has beside its members: bytes before them, whether offsets count these, and its ends."""

    before: bytes = b""
    counted: bool = True
    end: dict[str, int] = field(default_factory=dict)
    wide_end: dict[str, int] | None = None
    comment: bytes = b""


def written(members: list[Member], around: Around) -> bytes:
    """The archive."""
    data, listed, entries, at = around.before, b"", 0, 0
    base = 0 if around.counted else len(around.before)
    for member in members:
        if member.present:
            at = len(data) - base
            data += _header(member, "local", 0) + _packed(member) + _descriptor(member)
        for _ in range(member.listed):
            listed += _header(member, "central", at + member.shift)
            entries += 1
    start = len(data) - base
    common = {"here": entries, "count": entries, "size": len(listed), "start": start}
    data += listed
    if around.wide_end is not None:
        fields = {"length": 44, "made": 45, "version": 45, **common, **around.wide_end}
        where = len(data) - base
        data += b"PK\6\6" + _fields(_WIDE_END, fields) + b"PK\6\7" + struct.pack("<IQI", 0, where, 1)
        common = {"here": 0xFFFF, "count": 0xFFFF, "size": 0xFFFFFFFF, "start": 0xFFFFFFFF}
    fields = {**common, "comment": len(around.comment), **around.end}
    return data + b"PK\5\6" + _fields(_END, fields) + around.comment


def _header(member: Member, which: str, offset: int) -> bytes:
    name, body, extra = member.name.encode(), _packed(member), member.extra
    fields = {
        **{"made": 20, "version": 20, "flags": 0x800 * (not name.isascii()) | 8 * member.behind, "date": 33},
        **{"method": member.method, "crc": zlib.crc32(member.content), "csize": len(body), "offset": offset},
        "usize": len(member.content),
    }
    if member.behind and which == "local":
        fields |= {"crc": 0, "csize": 0, "usize": 0}
    if member.wide:
        extra += struct.pack("<HHQQ", 1, 16, fields["usize"], fields["csize"])
        fields |= {"csize": 0xFFFFFFFF, "usize": 0xFFFFFFFF}
    fields |= {"nlen": len(name), "elen": len(extra)}
    if which == "local":
        return b"PK\3\4" + _fields(_LOCAL, fields | member.local) + name + extra
    return b"PK\1\2" + _fields(_CENTRAL, fields | member.central) + name + extra


def _fields(forms: dict[str, str], values: dict[str, int]) -> bytes:
    return b"".join(packed(f"<{form}", values.get(name, 0)) for name, form in forms.items())


def _packed(member: Member) -> bytes:
    if member.body is not None:
        return member.body
    if member.method == zipfile.ZIP_DEFLATED:
        pack = zlib.compressobj(6, zlib.DEFLATED, -15)
        return pack.compress(member.content) + pack.flush()
    return member.content


def _descriptor(member: Member) -> bytes:
    if not member.behind:
        return b""
    return b"PK\7\10" + struct.pack("<III", zlib.crc32(member.content), len(_packed(member)), len(member.content))


def damaged_archive(rng: random.Random, data: bytes, reader: str) -> bytes:
    """An archive with another member, another list of members, or both."""
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        members = [Member(info.filename, whole.read(info), info.compress_type) for info in whole.infolist()]
    around = Around()
    if rng.random() < 0.7:
        members = _other_content(rng, members, reader)
    if rng.random() < 0.5:
        for _ in range(rng.choice((1, 1, 2))):
            members = _other_list(rng, members, reader)
    if rng.random() < 0.15:
        around = _other_end(rng, members)
    return written(members, around)


def _other_content(rng: random.Random, members: list[Member], reader: str) -> list[Member]:
    main = [at for at, member in enumerate(members) if member.name.endswith((".pkl", ".npy"))]
    at = rng.choice(main if main and rng.random() < 0.8 else range(len(members)))
    member = members[at]
    if rng.random() < 0.15:
        content = anywhere(rng, member.content, reader)
    elif member.name.endswith(".npy"):
        content = damaged_npy(rng, member.content)
    elif member.name.endswith(".pkl"):
        content = damaged_pickle(rng, member.content)
        if rng.random() < 0.2:
            return _other_storage(rng, members, at)
    elif member.name.endswith("byteorder"):
        content = rng.choice((b"big", b"little", b"big\n", b"native", b"", b"\xff", b"big" * 9))
    elif member.name.endswith("version"):
        content = rng.choice((b"1\n", b"10", b"11", b"0", b"-3", b"3.0", "٣".encode(), b"3" * 16, b""))
    else:
        content = fitted(rng, member.content, rng.choice((0, 1, 2, len(member.content) * 2, 999)))
    method = member.method
    if reader == "npz":
        method = rng.choice((member.method, 0, 8))
    return [*members[:at], replace(member, content=content, method=method), *members[at + 1 :]]


def _other_storage(rng: random.Random, members: list[Member], at: int) -> list[Member]:
    """A tensor with more or fewer elements than it had, as its pickle says too."""
    storages = [index for index, member in enumerate(members) if "/data/" in member.name and member.content]
    if not storages:
        return members
    hit = rng.choice(storages)
    content = members[hit].content
    size = rng.choice((1, 2, 4, 8)) * rng.choice((0, 1, 2, 24, 48, 200))
    changed = list(members)
    changed[hit] = replace(members[hit], content=fitted(rng, content, size))
    for width in (1, 2, 4, 8):
        pickled = with_count(changed[at].content, len(content) // width, size // width)
        changed[at] = replace(changed[at], content=pickled)
    return changed


def _other_list(rng: random.Random, members: list[Member], reader: str) -> list[Member]:
    """One member that the archive has in another place, more than once, or not as its list says."""
    members = list(members)
    at = rng.randrange(len(members))
    member, other = members[at], rng.choice(members)
    match rng.randrange(11):
        case 0:
            members.insert(rng.randrange(len(members) + 1), rng.choice((member, replace(member, content=b"1"))))
        case 1:
            del members[at]
        case 2:
            rng.shuffle(members)
        case 3:
            members[at] = replace(member, name=rng.choice((*_NAMES, other.name)))
        case 4:
            members.append(replace(other, name=rng.choice(_NAMES), present=rng.random() < 0.5))
        case 5:
            members[at] = replace(member, listed=rng.choice((0, 2, 3)))
        case 6:
            members[at] = replace(member, shift=absurd(rng, len(member.content)), present=rng.random() < 0.8)
        case 7:
            inner = written([replace(member, content=fitted(rng, member.content, len(member.content)))], Around())
            members[at] = replace(member, content=inner)
            members.append(replace(member, present=False, shift=30 + len(member.name) + rng.choice((0, 0, 1))))
        case 8:
            members[at] = replace(member, wide=rng.random() < 0.5, behind=rng.random() < 0.5)
        case 9:
            body = _packed(member)
            method = rng.choice((0, 8, 12, 14, 93, 99))
            body = rng.choice((body + b"\0", body[:-1], body * 2, bytes(99), anywhere(rng, body, reader)))
            members[at] = replace(member, body=body, method=rng.choice((member.method, method)))
        case _:
            members[at] = _other_fields(rng, member)
    return members or [member]


def _other_fields(rng: random.Random, member: Member) -> Member:
    right = {"crc": zlib.crc32(member.content), "csize": len(_packed(member)), "usize": len(member.content)}
    name = rng.choice(("usize", "csize", "crc", "flags", "method", "nlen", "elen", "clen", "disk", "offset", "version"))
    value = absurd(rng, right.get(name, 0))
    if name == "flags":
        value = rng.choice((1, 8, 9, 0x20, 0x40, 0x41, 0x800, 0x2000, 0xFFFF))
    if name in ("usize", "csize") and rng.random() < 0.4:
        return replace(member, local={"usize": value, "csize": value}, central={"usize": value, "csize": value})
    where = rng.choice(("local", "central", "both"))
    changed = {name: value}
    return replace(
        member,
        local=changed if where != "central" and name in _LOCAL else {},
        central=changed if where != "local" else {},
        extra=rng.choice((b"", b"", b"", struct.pack("<HHQ", 1, 8, value % 2**64), b"FB\4\0ZZZZ", b"\1\0\xff\xff")),
    )


def _other_end(rng: random.Random, members: list[Member]) -> Around:
    whole = written(members, Around())
    before = rng.choice((b"", b"", b"x", bytes(64), whole))
    comment = rng.choice((b"", b"", b"x", b"PK\5\6" + bytes(18), whole))[: 2**16 - 1]
    end: dict[str, int] = {}
    if rng.random() < 0.5:
        end[rng.choice(list(_END))] = absurd(rng, len(members))
    wide: dict[str, int] | None = None
    if rng.random() < 0.5:
        wide = {} if rng.random() < 0.5 else {rng.choice(list(_WIDE_END)): absurd(rng, len(members))}
    return Around(before, rng.random() < 0.5, end, wide, comment)
