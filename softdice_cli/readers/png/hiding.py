"""A PNG without the chunks that softdice does not need, so that Pillow neither unpacks nor keeps them.

They are colour profiles and texts, of which a small file can hold thousands that are a megabyte each.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from typing import BinaryIO


class Without(io.RawIOBase):
    """A stream without some of its bytes.

    Args:
        stream: the whole.
        hidden: where parts begin and end that are left out, in order.
        length: of the whole.
    """

    def __init__(self, stream: BinaryIO, hidden: Sequence[tuple[int, int]], length: int) -> None:
        self._stream = stream
        # Where each part that is kept begins, here and in the whole.
        self._here: list[int] = []
        self._there: list[int] = []
        at = size = 0
        for start, end in [*hidden, (length, length)]:
            if start > at:
                self._here.append(size)
                self._there.append(at)
                size += start - at
            at = end
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place among the bytes that are kept."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as the part goes that the place lies in."""
        if self._at >= self._size:
            return 0
        part = bisect_right(self._here, self._at) - 1
        end = self._here[part + 1] if part + 1 < len(self._here) else self._size
        self._stream.seek(self._there[part] + self._at - self._here[part])
        found = self._stream.read(min(len(buffer), end - self._at))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
