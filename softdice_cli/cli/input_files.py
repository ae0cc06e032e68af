"""Files that softdice itself wrote, or that a user lists things in: read whole, and no further than a limit each."""

from __future__ import annotations

import sys

from softdice_cli.cli.terminal import say
from softdice_cli.errors import ConfigError, SoftdiceError, UnreadableError
from softdice_cli.opening import open_regular, read_up_to
from softdice_cli.records import Results
from softdice_cli.records.version1 import SOFTWARE

STDIN = "-"

MOST_OF_OPTIONS = 2**20
"""Bytes of a file of options."""

MOST_OF_LIST = 2**30
"""Bytes of a list of pairs, and of a file of classes, which can be the annotations of a whole data set."""

_MOST_OF_RESULTS = 2**32
_MOST_OF_PIPED_RESULTS = 2**30


def load(path: str, *, decides: bool = False) -> Results:
    """The results in a file, or on standard input for ``-``; every score is computed again.

    Args:
        path: the file.
        decides: whether an exit code depends on them, so that what cannot be checked of them is worth a warning.

    Raises:
        UnreadableError: it is not a results file, or was changed or damaged.
    """
    from softdice_cli.saved_results import restore

    if path == STDIN:
        data = read_stdin(_MOST_OF_PIPED_RESULTS, hint="save it to a file, and name the file")
    else:
        data = read_file(path, _MOST_OF_RESULTS)
    results = restore(data, path)
    if decides and SOFTWARE in results.run.software.split(", "):
        say(
            f"{path}: was counted by softdice {SOFTWARE}, whose files have no digest: a change of what no score "
            "depends on, such as failures, ids and shards, is not seen; to be sure, run softdice eval again",
            "warning",
        )
    return results


def read_file(path: str, limit: int, *, hint: str = "name a file that is shorter") -> bytes:
    """The bytes of a file, or of a pipe that the shell has opened for it.

    Args:
        path: as the user gave it.
        limit: how many bytes it may have.
        hint: what to do where it has more.

    Raises:
        UnreadableError: it cannot be read, is not a regular file, or is longer than the limit.
    """
    longer = UnreadableError("is longer than the limit", path=path, expected=f"at most {limit} bytes", hint=hint)
    try:
        with open_regular(path, pipes=True, hint=f"name a file, or pipe it in where - is taken: - < {path}") as stream:
            return read_up_to(stream.read, limit, longer)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}", path=path, hint="check the path") from error
    except MemoryError:
        raise no_memory(path) from None


def read_stdin(limit: int, *, hint: str) -> bytes:
    """What was piped into standard input.

    Args:
        limit: how many bytes it may have.
        hint: what to do where it has more.

    Raises:
        ConfigError: nothing is piped, or it is longer than the limit.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("nothing is piped into standard input", hint="softdice eval --pred - --gt mask.png < p.npy")
    longer = ConfigError("standard input is longer than the limit", expected=f"at most {limit} bytes", hint=hint)
    try:
        return read_up_to(sys.stdin.buffer.read, limit, longer)
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", path="standard input", hint="save it to a file"
        ) from error
    except MemoryError:
        raise no_memory("standard input") from None


def no_memory(path: str) -> SoftdiceError:
    """The error for a file that does not fit into the memory that this process may have."""
    return UnreadableError(
        "needs more memory than there is", path=path, hint="raise ulimit -v, or take a larger machine"
    )
