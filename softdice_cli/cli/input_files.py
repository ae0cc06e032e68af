"""Files that softdice itself wrote, or that a user lists things in: small, and read whole."""

from __future__ import annotations

from pathlib import Path

from softdice_cli.cli.terminal import read_stdin
from softdice_cli.errors import UnreadableError
from softdice_cli.records import Results

# Bytes that standard input may have.
_LIMIT = 2**33


def load(path: str) -> Results:
    """The results in a file, or on standard input for ``-``; every score is computed again.

    Raises:
        UnreadableError: it is not a results file, or was changed by hand.
    """
    from softdice_cli.saved_results import restore

    if path == "-":
        return restore(read_stdin(_LIMIT), path)
    return restore(read_file(path), path)


def read_file(path: str) -> bytes:
    """The bytes of a file.

    Raises:
        UnreadableError: it cannot be read, or may have no end.
    """
    try:
        if Path(path).is_char_device():
            raise UnreadableError("is a device, and a file was expected", path=path)
        return Path(path).read_bytes()
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}", path=path, hint="check the path") from error
