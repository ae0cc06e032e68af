"""Standard output and error on every system: which encoding they have, and what happens when nobody reads them."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Any, TextIO

WINDOWS = os.name == "nt"


def prepare(stream: TextIO) -> None:
    """Let a stream take any text, and let the same results give the same bytes on every system.

    Characters that its encoding lacks are written as escapes.
    """
    if not hasattr(stream, "reconfigure"):
        return
    stream.reconfigure(errors="backslashreplace")
    if WINDOWS and not stream.isatty():
        # Into a pipe or a file, Windows would write CR LF, and the code page of the machine instead
        # of UTF-8.
        stream.reconfigure(newline="\n")
        if "PYTHONIOENCODING" not in os.environ:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def reader_is_gone(error: OSError) -> bool:
    """Whether writing to a stream failed because its reader went away.

    Windows then reports an invalid argument. It reports the same for an impossible file name, which
    it adds to the error.
    """
    if isinstance(error, BrokenPipeError):
        return True
    return WINDOWS and error.errno == errno.EINVAL and error.filename is None


class Forgiving:
    """Standard error whose reader may be gone, or its disk full: what is said is lost, and the exit code stays true."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError):
            self._stream.flush()
