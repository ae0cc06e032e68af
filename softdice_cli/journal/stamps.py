"""What tells whether a file is still the one that was read.

Size and time of the content are not enough: archives, copies and restored caches give another file both. Nobody can
choose the time of the last change of any kind (``ctime``), so a file is believed by that time and its inode. Where a
file system does not keep such a time, or the last change is so young that another one could have the same time, the
content is stamped instead.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import time
from io import BufferedReader

from softdice_cli.errors import UnreadableError
from softdice_cli.opening import open_regular

Stamp = tuple[int | str, ...]
"""(size, mtime, ctime, inode) or (size, digest of the content), times in nanoseconds; empty for what cannot be read."""

# The file systems of Linux that give every change a time of its own. Of others, such as FAT, squashfs and most that are
# mounted by a program, the time is a copy of another one, or the inode depends on the moment.
_DATED = {
    "bcachefs", "ceph", "ext2", "ext3", "ext4", "f2fs", "gpfs", "nfs", "nfs4", "overlay", "tmpfs", "xfs", "zfs",
}  # fmt: skip

# Two changes that are further apart have two times; the clocks of file systems are finer than this.
_TICK = 2 * 10**9

_SECOND = 10**9


def stamp(path: str) -> Stamp:
    """What a file is known by; empty where it cannot be read."""
    try:
        # Opened and not only looked up: a network file system then asks its server.
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            return _times(status) if _is_dated(status) else _content(file)
    except (UnreadableError, OSError):
        return ()


def is_unchanged(path: str, then: Stamp) -> bool:
    """Whether a file is the one that was stamped."""
    if not then:
        return False
    try:
        with open_regular(path) as file:
            status = os.fstat(file.fileno())
            if status.st_size != then[0]:
                return False
            now = _content(file) if len(then) == len(("size", "digest")) else _times(status)
            return now == then
    except (UnreadableError, OSError):
        return False


def _times(status: os.stat_result) -> Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _content(file: BufferedReader) -> Stamp:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return file.tell(), digest


def _is_dated(status: os.stat_result) -> bool:
    """Whether a later change of the file would give it another ctime."""
    # Whole seconds are those of a file system that keeps no finer times, or none of this kind.
    if status.st_ctime_ns % _SECOND == 0 or status.st_ctime_ns > time.time_ns() - _TICK:
        return False
    return _file_systems().get(status.st_dev, "") in _DATED


@functools.cache
def _file_systems() -> dict[int, str]:
    """The kinds of the mounted file systems by device; empty where the system does not tell."""
    if sys.platform != "linux":
        return {}
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return {}
    kinds = {}
    for line in lines:
        mount, _, kind = line.partition(" - ")
        major, minor = mount.split()[2].split(":")
        kinds[os.makedev(int(major), int(minor))] = kind.split()[0]
    return kinds
