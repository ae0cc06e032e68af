"""Files that softdice itself wrote, or that a user lists things in: small, and read whole."""

from __future__ import annotations

from pathlib import Path

from softdice_cli.cli.terminal import read_stdin, say
from softdice_cli.errors import UnreadableError
from softdice_cli.records import Results
from softdice_cli.records.version1 import SOFTWARE

# Bytes that standard input may have.
_LIMIT = 2**33


def load(path: str, *, decides: bool = False) -> Results:
    """The results in a file, or on standard input for ``-``; every score is computed again.

    Args:
        path: the file.
        decides: whether an exit code depends on them, so that what cannot be checked of them is worth a warning.

    Raises:
        UnreadableError: it is not a results file, or was changed or damaged.
    """
    from softdice_cli.saved_results import restore

    results = restore(read_stdin(_LIMIT) if path == "-" else read_file(path), path)
    if decides and SOFTWARE in results.run.software.split(", "):
        say(
            f"{path}: was counted by softdice {SOFTWARE}, whose files have no digest: a change of what no score "
            "depends on, such as failures, ids and shards, is not seen; to be sure, run softdice eval again",
            "warning",
        )
    return results


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
