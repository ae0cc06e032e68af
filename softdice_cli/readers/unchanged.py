"""Whether a file is still what it was before it was read: a score of two versions of it is that of neither.

A file is compared by what the system notes of every write: its size, and the times at which its content (mtime) and
anything about it (ctime) changed. A program can set the first of these times back, and not the second one. Nor may the
path name another file by now.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from softdice_cli.errors import UnreadableError

# Reading a larger file takes long enough for somebody to write in between.
_LARGE = 2**20

# Nanoseconds that a time of change may stay the same although something changes: one tick of the kernel's clock.
_TICK = 10_000_000


@dataclass(frozen=True, slots=True)
class Version:
    """What the system notes of the content of an open file.

    Attributes:
        size: in bytes.
        modified: when the content changed, in nanoseconds.
        changed: when the content, the names or the rights changed; on Windows, when the file was made.
    """

    size: int
    modified: int
    changed: int

    @staticmethod
    def of(descriptor: int) -> Version:
        """The version of a file that is about to be read; any later write gives another one.

        A large file that was written to this very moment is waited for, for 10 ms at most: a write in the same tick of
        the clock would leave the times as they are.
        """
        version = Version._noted(os.fstat(descriptor))
        if version.size <= _LARGE:
            return version
        age = time.time_ns() - version.changed
        if not 0 <= age < _TICK:
            return version
        time.sleep((_TICK - age) / 1e9)
        return Version._noted(os.fstat(descriptor))

    @staticmethod
    def _noted(noted: os.stat_result) -> Version:
        return Version(noted.st_size, noted.st_mtime_ns, noted.st_ctime_ns)

    def check(self, descriptor: int, path: str) -> None:
        """Look at the file again when it was read.

        Args:
            descriptor: of the same open file.
            path: that it was opened by.

        Raises:
            UnreadableError: it is another version, or the path names another file.
        """
        noted = os.fstat(descriptor)
        after, named = Version._noted(noted), _is_named(noted, path)
        if named and after == self:
            return
        changes = self._changes(after)
        if not named:
            changes.append("another file of this name, or none")
        raise UnreadableError(
            "changed while it was read",
            path=path,
            expected=f"{self.size} bytes that stay as they are",
            found=", ".join(changes),
            hint="run again when nothing writes, moves or links the file any more",
        )

    def _changes(self, after: Version) -> list[str]:
        changes = []
        if after.size != self.size:
            changes.append(f"{after.size} bytes")
        if after.modified != self.modified:
            changes.append("a new time of modification (mtime)")
        if after.changed != self.changed:
            changes.append("a new time of change (ctime)")
        return changes


def _is_named(noted: os.stat_result, path: str) -> bool:
    """Whether the path still leads to the open file; elsewhere an open file cannot be replaced."""
    if os.name != "posix":
        return True
    try:
        return os.path.samestat(noted, os.stat(path))
    except OSError:
        return False
