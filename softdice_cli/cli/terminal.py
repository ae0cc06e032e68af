"""Standard output and error: what they are, and how results and errors get there."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from softdice_cli.cli.streams import reader_is_gone
from softdice_cli.errors import ConfigError, SoftdiceError, as_flag
from softdice_cli.render import Page, neutral


def page(
    output: Path | None, *, worst: int = 0, per_image: bool = False, columns: tuple[str, ...] | None = None
) -> Page:
    """What a table is written on: the terminal, or a pipe or file, where nothing is folded."""
    encoding = "utf-8"
    width = None
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        width = int(wanted)
    color = False
    if output is None:
        encoding = sys.stdout.encoding or "ascii"
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns
            color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    unicode = encoding.lower().replace("-", "").startswith("utf")
    return Page(width=width, color=color, unicode=unicode, worst=worst, per_image=per_image, columns=columns)


# What the names of temporary files start with.
_TEMPORARY = ".softdice-"


class Target:
    """Where a result goes: standard output, or a file that is written whole or not at all.

    A context manager; the file appears when it ends well. What is not a regular file, such as a
    device or a pipe, is written to as it is.

    Args:
        output: the file, or ``None`` for standard output.

    Raises:
        ConfigError: the file cannot be written.
    """

    def __init__(self, output: Path | None) -> None:
        self._output = output
        self._temporary: str | None = None
        self._unnamed: int | None = None

    def __enter__(self) -> Target:
        if self._output is None:
            self._stream = sys.stdout
            return self
        try:
            self._open(self._output)
        except OSError as error:
            raise self._failed(error) from error
        except ValueError as error:
            # A null character, or half of a surrogate pair.
            raise ConfigError(f"cannot be written: {error}", path=str(self._output), hint="check the path") from error
        return self

    def _open(self, output: Path) -> None:
        """Open the file itself where it is a device or a pipe, and otherwise a temporary file beside it."""
        if output.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        if output.exists() and not stat.S_ISREG(output.stat().st_mode):
            self._stream = open(output, "w", encoding="utf-8", newline="\n")
            return
        # A link stays, and what it points to is replaced.
        self._output = Path(os.path.realpath(output))
        self._unnamed = _opened_without_name(self._output.parent)
        if self._unnamed is None:
            handle, self._temporary = _opened_beside(self._output)
        else:
            handle = self._unnamed
        self._stream = open(handle, "w", encoding="utf-8", newline="\n")

    def write(self, text: str) -> None:
        """Write a piece."""
        try:
            self._stream.write(text)
        except OSError as error:
            raise self._failed(error) from error

    def flush(self) -> None:
        """Let a reader of the output see what was written."""
        self._stream.flush()

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches the output scroll by."""
        return self._stream.isatty()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if self._output is None:
                self._stream.flush()
            elif kind is None:
                self._commit(self._output)
        except OSError as failure:
            raise self._failed(failure) from failure
        finally:
            # Also after an error, which is what has to be said.
            if self._output is not None:
                with suppress(OSError):
                    self._stream.close()
            if self._temporary:
                self._discard(self._temporary)

    def _commit(self, output: Path) -> None:
        self._stream.flush()
        if self._temporary is None and self._unnamed is None:
            self._stream.close()
            return
        os.fsync(self._stream.fileno())
        if self._temporary is None:
            self._temporary = _named(self._stream.fileno(), output.parent)
        # Windows does not replace a file by one that is open.
        self._stream.close()
        mode = 0o666 & ~_umask()
        if output.exists():
            mode = stat.S_IMODE(output.stat().st_mode)
        os.chmod(self._temporary, mode)
        os.replace(self._temporary, output)
        self._temporary = None

    def _discard(self, temporary: str) -> None:
        """Remove the temporary file, which is closed, as Windows removes no other."""
        # Nor does it remove a file that may not be written.
        with suppress(OSError):
            os.chmod(temporary, stat.S_IRUSR | stat.S_IWUSR)
            os.unlink(temporary)

    def _failed(self, error: OSError) -> OSError | ConfigError:
        """What is raised for an error of the system: one of its own where the reader of the output went away."""
        if isinstance(error, BrokenPipeError) or (self._output is None and reader_is_gone(error)):
            return BrokenPipeError(errno.EPIPE, error.strerror)
        name = "standard output"
        if self._output is not None:
            name = str(self._output)
        return ConfigError(f"cannot be written: {error.strerror}", path=name, hint="check the path and the disk")


def _opened_without_name(folder: Path) -> int | None:
    """A new file that has no name yet, so that nothing of it is left where the process is killed.

    ``None`` where the system or its file system has no such files.
    """
    flags = getattr(os, "O_TMPFILE", None)
    if flags is None or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, flags | os.O_RDWR | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR)
    except OSError:
        return None


def _opened_beside(output: Path) -> tuple[int, str]:
    """A new temporary file in the folder of the output."""
    # Imported here, as most results go to standard output, and most others to a file without a name.
    import tempfile

    return tempfile.mkstemp(dir=output.parent, prefix=_TEMPORARY)


def _named(file: int, folder: Path) -> str:
    """Give a file without a name a temporary one, which only lasts until it takes the place of the output."""
    temporary = str(folder / f"{_TEMPORARY}{os.getpid()}-{os.urandom(8).hex()}")
    # With a descriptor, which an absolute path makes no use of, links are followed.
    os.link(f"/proc/self/fd/{file}", temporary, src_dir_fd=file)
    return temporary


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def say(text: str, kind: str = "") -> None:
    """Write a line for a person, on standard error."""
    start = "softdice: "
    if kind:
        start += f"{kind}: "
    print(f"{start}{neutral(text)}", file=sys.stderr)


def say_error(error: SoftdiceError) -> None:
    """An error: its headline, and below it what was expected, what was found and what to try."""
    say_failure(error.headline(as_flag), error.details(as_flag))


def say_failure(headline: str, details: Iterable[tuple[str, str]]) -> None:
    """What went wrong in a line, and below it (label, text) pairs; see `errors.advice`."""
    say(headline, "error")
    for label, text in details:
        print(f"  {label:<8}  {neutral(text)}", file=sys.stderr)
