"""Files that are read, in whatever role: only regular ones, opened without waiting, and no further than a limit.

A name can stand for a folder, for a device without an end, or for a pipe that nobody writes to. What it stands for is
asked of the open file, as the name may mean another one a moment later.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable

from softdice_cli.errors import SoftdiceError, UnreadableError

# What is read at once.
_PIECE = 2**20

# Nothing is waited for when a file is opened, and not when it is read either: a log of the kernel has no end.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

# What a shell passes for <(…): a pipe whose other end is open.
_DESCRIPTOR = re.compile(r"/dev/stdin|/(?:dev|proc/self)/fd/[0-9]{1,9}")


def open_regular(path: str, *, pipes: bool = False, hint: str = "pass a saved file") -> io.BufferedReader:
    """A binary stream at the start of a regular file.

    Args:
        path: as the user gave it.
        pipes: take a pipe as well that a shell has opened, ``/dev/fd/63``.
        hint: what to type where it is neither a file nor a folder.

    Raises:
        UnreadableError: there is no such file, it may not be read, or it is not a regular file.
    """
    piped = pipes and _DESCRIPTOR.fullmatch(path) is not None
    try:
        # A device is not even opened, as that can already do something.
        _check(os.stat(path).st_mode, path, piped, hint)
        stream = open(path, "rb", opener=lambda name, _: os.open(name, _FLAGS))
    except FileNotFoundError:
        raise UnreadableError("there is no such file", path=path, hint="check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableError(f"cannot be opened: {reason}", path=path, hint="check the path") from error
    try:
        mode = os.fstat(stream.fileno()).st_mode
        _check(mode, path, piped, hint)
        if stat.S_ISFIFO(mode):
            os.set_blocking(stream.fileno(), True)
    except BaseException:
        stream.close()
        raise
    return stream


def _check(mode: int, path: str, piped: bool, hint: str) -> None:
    """Raises UnreadableError for what is not to be read."""
    if stat.S_ISREG(mode) or (piped and stat.S_ISFIFO(mode)):
        return
    if stat.S_ISDIR(mode):
        raise UnreadableError("is a folder, and a file was expected", path=path, hint="name one file of the folder")
    kind = "is a device, and a file was expected" if stat.S_ISCHR(mode) else "is not a regular file"
    raise UnreadableError(kind, path=path, hint=hint)


def read_up_to(read: Callable[[int], bytes | None], limit: int, longer: SoftdiceError) -> bytes:
    """All bytes of a stream; memory is taken for those that come, not for those that may.

    Args:
        read: gives at most so many bytes, none at the end, and ``None`` where it would have to wait.
        limit: how many there may be.
        longer: is raised where there are more.

    Raises:
        BlockingIOError: the stream does not wait for its bytes.
    """
    # It gives its bytes away without a copy.
    content = io.BytesIO()
    while (piece := read(min(_PIECE, limit + 1 - content.tell()))) != b"":
        if piece is None:
            raise BlockingIOError(0, "it does not wait for its data")
        content.write(piece)
        if content.tell() > limit:
            raise longer
    return content.getvalue()
