"""Files looked into one after the other, in a process of its own where one can be forked: none ends the program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from softdice_cli.errors import InputError, UnreadableError
from softdice_cli.execution import Grant, Task, executor_for
from softdice_cli.inspection.looking import Contents, Inspection, inspect
from softdice_cli.readers import Blob, ReadOptions, warm

Found = Inspection | Contents | InputError


def inspect_files(paths: Sequence[str], options: ReadOptions, *, timeout: float | None = None) -> Iterator[Found]:
    """What is in each file, or its error, in order.

    Args:
        paths: the files.
        options: which array of each, and how large it may be.
        timeout: seconds that a file may take, or ``None`` for any time.

    Raises:
        ConfigError: a time is given, and there is no process that could be ended.
    """
    with executor_for(1, timeout).run(InspectFile(options), paths) as found:
        yield from found


@dataclass(frozen=True)
class InspectFile(Task[str, Found]):
    """Looks into a file; whatever is wrong with it is a result.

    Attributes:
        options: which array of it, and how large it may be.
    """

    options: ReadOptions

    def __call__(self, item: str, grant: Grant) -> Found:
        """What is in the file, or its error."""
        try:
            return inspect(item, self.options)
        except InputError as error:
            return error
        except MemoryError:
            return UnreadableError("needs more memory than there is", path=item, hint="a machine with more memory")

    def lost(self, item: str, ending: str) -> Found:
        """The error of a file that its process did not survive."""
        return UnreadableError(
            "the process that looked into it died",
            path=item,
            found=ending,
            hint="a machine with more memory; or the file is broken beyond what its library survives",
        )

    def late(self, item: str, seconds: float) -> Found:
        """The error of a file that took too long."""
        return UnreadableError(
            f"took longer than {seconds:g} s",
            path=item,
            hint=f"--timeout {2 * seconds:g}, if it only needs more time; else the file is broken",
        )

    def warm(self, item: str) -> None:
        """Import the libraries that a file needs."""
        warm(Blob(item))
